//! A1 notation, and the part of a tab that it names: clipped to the grid, without empty ends.

use serde_json::{Value, json};

use super::book::Tab;
use super::cell::{Cell, Render};
use super::refusal::Refusal;

/// Cells of a tab, both corners included, counted from 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Area {
    pub(super) tab: usize,
    from: (usize, usize),
    to: (usize, usize),
}

impl Area {
    /// Reads `Weight!A1:F`, `'Habits 2026'!B3:F`, `Weight` or `A2:F`, which is of the first tab. Named ranges and R1C1 are
    /// not there.
    pub(super) fn read(text: &str, tabs: &[Tab]) -> Result<Self, Refusal> {
        let unknown = || Refusal::invalid(format!("Unable to parse range: {text}"));
        let find = |title: &str| tabs.iter().position(|tab| tab.title == title);
        let (tab, cells) = match quoted(text) {
            Some((title, "")) => (find(&title), None),
            Some((title, rest)) => (find(&title).filter(|_| rest.starts_with('!')), rest.get(1..)),
            None => match text.rsplit_once('!') {
                Some((title, cells)) => (find(title), Some(cells)),
                None => find(text).map_or((Some(0), Some(text)), |tab| (Some(tab), None)),
            },
        };
        let tab = tab.ok_or_else(unknown)?;
        let Tab { rows, columns, title, .. } = tabs.get(tab).ok_or_else(unknown)?;
        let whole = Self { tab, from: (0, 0), to: (rows - 1, columns - 1) };
        let Some(cells) = cells else { return Ok(whole) };
        let (from, to) = cells.split_once(':').unwrap_or((cells, cells));
        let (from, to) = (corner(from).ok_or_else(unknown)?, corner(to).ok_or_else(unknown)?);
        let from = (from.0.unwrap_or(0), from.1.unwrap_or(0));
        if from.0 >= *rows || from.1 >= *columns {
            let limits = format!("exceeds grid limits. Max rows: {rows}, max columns: {columns}");
            return Err(Refusal::invalid(format!("Range ({}!{cells}) {limits}", title_in_a1(title))));
        }
        let to = (to.0.unwrap_or(whole.to.0).min(whole.to.0), to.1.unwrap_or(whole.to.1).min(whole.to.1));
        Ok(Self { tab, from, to })
    }

    /// What the API answers for it.
    pub(super) fn value_range(&self, title: &str, grid: &[Vec<Cell>], render: Render) -> Value {
        let (from, to) = (self.from, self.to);
        let corner = |(row, column): (usize, usize)| format!("{}{}", letters(column), row + 1);
        let area = format!("{}!{}:{}", title_in_a1(title), corner(from), corner(to));
        let in_area = grid.iter().take(to.0 + 1).skip(from.0);
        let mut rows: Vec<Vec<Value>> = in_area
            .map(|row| {
                let row: Vec<&Cell> = row.iter().take(to.1 + 1).skip(from.1).collect();
                let filled = row.iter().rposition(|cell| **cell != Cell::Empty).map_or(0, |last| last + 1);
                row[..filled].iter().map(|cell| cell.render(render)).collect()
            })
            .collect();
        let filled = rows.iter().rposition(|row| !row.is_empty()).map_or(0, |last| last + 1);
        rows.truncate(filled);
        let mut answer = json!({ "range": area, "majorDimension": "ROWS" });
        if !rows.is_empty() {
            answer["values"] = json!(rows);
        }
        answer
    }
}

/// The title in quotes with which a range begins, and what comes after.
fn quoted(text: &str) -> Option<(String, &str)> {
    let inner = text.strip_prefix('\'')?;
    let mut from = 0;
    loop {
        let quote = from + inner.get(from..)?.find('\'')?;
        if !inner[quote + 1..].starts_with('\'') {
            return Some((inner[..quote].replace("''", "'"), &inner[quote + 1..]));
        }
        from = quote + 2;
    }
}

/// Row and column of `C7`, `C` or `7`, as far as they are there.
fn corner(text: &str) -> Option<(Option<usize>, Option<usize>)> {
    let digits = text.trim_start_matches(|c: char| c.is_ascii_alphabetic());
    let letters = &text[..text.len() - digits.len()];
    let column =
        letters.bytes().fold(0, |sum, letter| sum * 26 + usize::from(letter.to_ascii_uppercase() - b'A') + 1);
    let row = if digits.is_empty() { None } else { Some(digits.parse::<usize>().ok()?.checked_sub(1)?) };
    (!text.is_empty() && letters.len() <= 3).then_some((row, column.checked_sub(1)))
}

/// `A` to `Z`, `AA`, …
fn letters(mut column: usize) -> String {
    let mut text = String::new();
    loop {
        text.insert(0, char::from(b'A' + (column % 26) as u8));
        column = match (column / 26).checked_sub(1) {
            Some(next) => next,
            None => return text,
        };
    }
}

/// A title as the API writes it: in quotes, if it could be anything else.
fn title_in_a1(title: &str) -> String {
    let plain = title.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    let is_cell = corner(title).is_some_and(|(row, column)| row.is_some() && column.is_some());
    if plain && !is_cell { title.to_owned() } else { format!("'{}'", title.replace('\'', "''")) }
}

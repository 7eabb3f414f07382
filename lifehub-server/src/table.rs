//! Tables of text for people: columns as wide as their widest cell.

use std::fmt;

/// A table. Columns of numbers are set flush right.
#[derive(Debug)]
pub(crate) struct Table {
    numeric: Vec<bool>,
    rows: Vec<Vec<String>>,
}

impl Table {
    /// A table with these heads. One that begins with `#` heads a column of numbers.
    pub(crate) fn new(heads: &[&str]) -> Self {
        let numeric = heads.iter().map(|head| head.starts_with('#')).collect();
        let heads = heads.iter().map(|head| head.trim_start_matches('#').to_owned()).collect();
        Self { numeric, rows: vec![heads] }
    }

    /// Adds a row. An empty cell shows as a dash.
    pub(crate) fn row(&mut self, cells: impl IntoIterator<Item = String>) {
        // A cell is one line, whatever a provider put into a name.
        let cell = |text: String| match text.as_str() {
            "" => "-".to_owned(),
            _ => text.replace(['\n', '\r', '\t'], " "),
        };
        self.rows.push(cells.into_iter().map(cell).collect());
    }
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let width =
            |i: usize| self.rows.iter().filter_map(|row| row.get(i)).map(|cell| cell.chars().count()).max();
        let widths: Vec<usize> = (0..self.numeric.len()).map(|i| width(i).unwrap_or(0)).collect();
        for (n, row) in self.rows.iter().enumerate() {
            let mut line = String::new();
            for ((cell, width), numeric) in row.iter().zip(&widths).zip(&self.numeric) {
                line.push_str(&if *numeric {
                    format!("{cell:>width$}  ")
                } else {
                    format!("{cell:<width$}  ")
                });
            }
            f.write_str(if n == 0 { "" } else { "\n" })?;
            f.write_str(line.trim_end())?;
        }
        Ok(())
    }
}

/// A number with its thousands apart: `12,345`.
pub(crate) fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_line_up() {
        let mut table = Table::new(&["NAME", "#N", "X"]);
        table.row(["a".into(), "1".into(), String::new()]);
        table.row(["bcdefg".into(), "12,345".into(), "y\nz".into()]);
        assert_eq!(table.to_string(), "NAME         N  X\na            1  -\nbcdefg  12,345  y z");
    }

    #[test]
    fn thousands_stand_apart() {
        let texts: Vec<_> = [0, 999, 1_000, 1_234_567].into_iter().map(grouped).collect();
        assert_eq!(texts, ["0", "999", "1,000", "1,234,567"]);
    }
}

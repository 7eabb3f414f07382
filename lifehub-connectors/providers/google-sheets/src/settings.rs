//! What a user sets: which spreadsheet is read, and how the rows of its ranges become records.

use lifehub_core::error::json_fault;
use schemars::JsonSchema;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::mapping::{As, Header, is_name};

/// The settings as they are given.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Given {
    /// The spreadsheet: its address, or the long id in it.
    spreadsheet: String,
    /// The ranges to read, and what their rows become.
    #[schemars(with = "Vec<Range>")]
    ranges: Value,
}

/// The settings of one spreadsheet.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(try_from = "Given")]
pub(crate) struct Settings {
    /// Its id.
    pub(crate) spreadsheet: String,
    pub(crate) ranges: Vec<Range>,
}

/// A range of cells: headers in one row, and a fact in each row below.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Range {
    /// What you call it: lower-case letters, digits, - and _. What is read is kept under this name.
    pub(crate) name: String,
    /// The tab's title.
    pub(crate) tab: Option<String>,
    /// The tab's number, which stays when the tab is renamed: it follows gid= in the tab's address. It goes before the title.
    pub(crate) sheet_id: Option<u32>,
    /// The cells, A:F or B3:H200. Default: the whole tab.
    pub(crate) cells: Option<String>,
    /// Which row of the cells has the headers. Default: 1, the first.
    #[serde(default = "first")]
    #[schemars(range(min = 1))]
    pub(crate) header: usize,
    /// The column whose value tells a row from the others and stays when the row is edited. Default: a row is known by what
    /// it says.
    pub(crate) key: Option<Header>,
    /// The column with the day. One of date and time is needed.
    pub(crate) date: Option<Header>,
    /// The column with the moment: a date with its time, or a time of the day in the column date. Where it is empty, the
    /// day counts.
    pub(crate) time: Option<Header>,
    /// What the rows become.
    pub(crate) r#as: As,
}

fn first() -> usize {
    1
}

impl TryFrom<Given> for Settings {
    type Error = String;

    fn try_from(given: Given) -> Result<Self, String> {
        let spreadsheet = spreadsheet_id(&given.spreadsheet)
            .ok_or("spreadsheet: that is neither the address of a spreadsheet nor the long id in it")?;
        let parts = given.ranges.as_array().filter(|parts| !parts.is_empty());
        let parts = parts.ok_or("ranges: write a JSON list of at least one range, [{…}]")?;
        let mut ranges: Vec<Range> = Vec::with_capacity(parts.len());
        for (i, part) in parts.iter().enumerate() {
            let place = format!("ranges[{i}]");
            let range: Range = read(&place, part)?;
            range.check().map_err(|fault| format!("{place}.{fault}"))?;
            if ranges.iter().any(|other| other.name == range.name) {
                return Err(format!("{place}.name: another range has it"));
            }
            ranges.push(range);
        }
        Ok(Self { spreadsheet, ranges })
    }
}

/// Reads a part of the settings. What is wrong is said with the member's name: Serde tells the line, and in indented JSON
/// each member has its own.
fn read<T: DeserializeOwned>(place: &str, part: &Value) -> Result<T, String> {
    let text = format!("{part:#}");
    serde_json::from_str(&text).map_err(|e| {
        let line = text.lines().nth(e.line().saturating_sub(1)).unwrap_or_default();
        let member = line.split('"').nth(1).map(|member| format!(".{member}")).unwrap_or_default();
        let fault = json_fault(&e).replace('`', "");
        let fault = fault.split(" at line ").next().unwrap_or_default();
        format!("{place}{member}: {fault}")
    })
}

/// The id in an address like `https://docs.google.com/spreadsheets/d/ID/edit#gid=0`, or an id alone.
fn spreadsheet_id(text: &str) -> Option<String> {
    let id = text.trim().split("/d/").last()?.split(['/', '?', '#']).next()?;
    let is_sound = id.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte));
    // Real ones have 44 characters; in the address of a published page stands something else.
    (is_sound && id.len() >= 20).then(|| id.to_owned())
}

impl Range {
    fn check(&self) -> Result<(), String> {
        let Self { name, tab, sheet_id, cells, header, date, time, r#as, .. } = self;
        let fault = if !is_name(name) {
            "name: write up to 64 lower-case letters, digits, - and _".to_owned()
        } else if tab.as_ref().is_none_or(|tab| tab.trim().is_empty()) && sheet_id.is_none() {
            format!("tab: the range {name} names neither tab nor sheet_id")
        } else if cells.as_deref().is_some_and(|cells| !is_cells(cells)) {
            "cells: write them as A:F or B3:H200, without the tab".to_owned()
        } else if *header == 0 {
            "header: rows are counted from 1".to_owned()
        } else if date.is_none() && time.is_none() {
            format!(
                "date: the range {name} names neither date nor time, and its rows would have no place in time"
            )
        } else {
            return r#as.check().map_err(|fault| format!("as.{fault}"));
        };
        Err(fault)
    }

    /// Every column that is read: the member that names it, and its header.
    pub(crate) fn columns(&self) -> Vec<(&str, &Header)> {
        let own = [("key", &self.key), ("date", &self.date), ("time", &self.time)];
        let own = own.into_iter().filter_map(|(member, header)| Some((member, header.as_ref()?)));
        own.chain(self.r#as.columns()).collect()
    }
}

/// Whether these are cells without their tab: `A:F`, `b3:H200`, `3:50`.
fn is_cells(text: &str) -> bool {
    let is_corner = |corner: &str| {
        let row = corner.trim_start_matches(|letter: char| letter.is_ascii_alphabetic());
        let is_row = !row.starts_with('0') && row.bytes().all(|byte| byte.is_ascii_digit());
        !corner.is_empty() && corner.len() - row.len() <= 3 && is_row
    };
    text.split_once(':').is_some_and(|(from, to)| is_corner(from) && is_corner(to))
}

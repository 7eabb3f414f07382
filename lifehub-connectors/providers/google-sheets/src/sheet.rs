//! The spreadsheet at Google: its structure, and the cells of a range.

use lifehub_core::prelude::*;
use serde::Deserialize;
use serde_json::Value;

use crate::serial::moment;
use crate::settings::Range;

/// What is asked for of the structure.
const FIELDS: &str = "properties(title,timeZone),sheets.properties(sheetId,title,sheetType)";

/// The most that one range may have, in bytes: some 200,000 rows. It comes in one answer, so that it is of one moment.
const LARGEST: usize = 16 << 20;

/// What stays when cells are edited.
#[derive(Deserialize)]
pub(crate) struct Spreadsheet {
    pub(crate) properties: Properties,
    sheets: Vec<Sheet>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Properties {
    pub(crate) title: String,
    /// By IANA's name, or `GMT-07:00`.
    pub(crate) time_zone: String,
}

#[derive(Deserialize)]
struct Sheet {
    properties: Tab,
}

/// A tab.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Tab {
    /// Google leaves a zero out.
    #[serde(default)]
    sheet_id: u32,
    title: String,
    sheet_type: Option<String>,
}

impl Spreadsheet {
    /// Asks for the structure of a spreadsheet.
    pub(crate) async fn open(cx: &Context<'_>, id: &str) -> Result<Self> {
        cx.get("/v4/spreadsheets").segment(id).query("fields", FIELDS).json().await
    }

    /// The tab of a range, which is found by its number or by its title as it is now.
    pub(crate) fn tab(&self, range: &Range) -> Result<&Tab> {
        let is_meant = |tab: &Tab| match (range.sheet_id, &range.tab) {
            (Some(id), _) => tab.sheet_id == id,
            (None, title) => title.as_ref().is_some_and(|title| tab.title.trim() == title.trim()),
        };
        let Some(tab) = self.sheets.iter().map(|sheet| &sheet.properties).find(|tab| is_meant(tab)) else {
            let lost = match range.sheet_id {
                Some(_) => "the spreadsheet has no tab with the number that `sheet_id` names: it was deleted",
                None => {
                    "the spreadsheet has no tab with the title that `tab` names: it was renamed or deleted"
                }
            };
            return Err(Error::new(ErrorKind::NotFound, lost).with("range", &range.name).hint(
                "set tab to its title as it is now, or sheet_id to the number after gid= in its address, which stays when \
                 it is renamed; what was read before stays",
            ));
        };
        if range.time.is_some() && moment(&self.properties.time_zone, 0).is_err() {
            return Err(misfit(
                "the spreadsheet's time zone is not known",
                "choose another one in the spreadsheet's settings, or look for a newer connector",
            ));
        }
        match tab.sheet_type.as_deref() {
            None | Some("GRID") => Ok(tab),
            Some(_) => Err(misfit(
                "the tab has no cells: it is a chart, say",
                "set tab or sheet_id to one with cells",
            )),
        }
    }
}

/// The sheet is not as the settings of a range have it.
pub(crate) fn misfit(text: impl Into<String>, hint: &str) -> Error {
    Error::new(ErrorKind::Invalid, text).hint(hint).stops(Extent::Partition)
}

/// The answer for one range.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Batch {
    value_ranges: [ValueRange; 1],
}

#[derive(Deserialize)]
struct ValueRange {
    /// The cells that were asked for, as far as the tab has them.
    range: String,
    /// Not there if all are empty. Rows end with their last cell that is not.
    #[serde(default)]
    values: Vec<Vec<Value>>,
}

impl Tab {
    /// The cells of a range, in rows.
    ///
    /// They are asked for by `batchGet`, in whose path no title stands: paths are logged.
    pub(crate) async fn cells(&self, cx: &Context<'_>, id: &str, range: &Range) -> Result<Vec<Vec<Value>>> {
        let tab = format!("'{}'", self.title.replace('\'', "''"));
        let cells = range.cells.as_deref().map(|cells| format!("{tab}!{cells}")).unwrap_or(tab);
        cx.get("/v4/spreadsheets")
            .segment(id)
            .segment("values:batchGet")
            .query("ranges", cells)
            .query("majorDimension", "ROWS")
            .query("valueRenderOption", "UNFORMATTED_VALUE")
            .query("dateTimeRenderOption", "SERIAL_NUMBER")
            .max_bytes(LARGEST)
            .parse(|answer| self.read(answer))
            .await
            .map_err(|error| match error.kind() {
                ErrorKind::TooLarge => {
                    error.hint("set cells to fewer columns, or read the rows as several ranges")
                }
                // The spreadsheet is one, or its structure would not have come.
                ErrorKind::Invalid => misfit(
                    "the tab or the cells of the range are not there",
                    "if the tab was renamed just now, the next sync finds it; otherwise set cells to what the tab has",
                ),
                _ => error,
            })
    }

    fn read(&self, answer: &Answer) -> Result<Vec<Vec<Value>>> {
        let Batch { value_ranges: [ValueRange { range, values }] } = answer.json()?;
        // A title that could be anything else stands in quotes.
        let title = range.rsplit_once('!').map_or(range.as_str(), |(title, _)| title);
        let bare = title.strip_prefix('\'').and_then(|title| title.strip_suffix('\''));
        if bare.map_or_else(|| title.to_owned(), |title| title.replace("''", "'")) != self.title {
            return Err(Error::new(
                ErrorKind::InvalidResponse,
                "the cells of another tab came than were asked for",
            )
            .hint("nothing of them was stored; if it stays, look for a newer connector"));
        }
        Ok(values)
    }
}

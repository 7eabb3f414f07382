//! A row as it is stored: what the range's settings say, with cells in the place of their headers. It is all that the
//! row's records depend on.

use std::collections::BTreeMap;

use lifehub_core::prelude::*;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::mapping::Kind;
use crate::serial::{A_DAY, EPOCH, moment, seconds};

/// What a cell holds whose formula failed, or has not been worked out yet.
const ERRORS: [&str; 9] =
    ["#N/A", "#REF!", "#DIV/0!", "#NAME?", "#VALUE!", "#NUM!", "#NULL!", "#ERROR!", "Loading..."];

/// Cells as `UNFORMATTED_VALUE` gives them, by the members that name their columns; empty ones are left out.
pub(crate) type Cells<K = String> = BTreeMap<K, Value>;

/// A row.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Row {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) date: Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) time: Option<Value>,
    /// The spreadsheet's own zone, if there is a `time` to be read in it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) zone: Option<String>,
    pub(crate) r#as: Says,
}

/// What a row says.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Says {
    Vital(Cells<Kind>),
    Transaction(Cells),
    Custom { schema: String, metrics: Cells, fields: Cells },
}

/// What is in a cell. An empty one and an empty text look the same.
pub(crate) enum Cell<'a> {
    Empty,
    Failed,
    Boolean(bool),
    Number(f64),
    Text(&'a str),
}

impl<'a> Cell<'a> {
    pub(crate) fn of(value: Option<&'a Value>) -> Self {
        match value {
            None | Some(Value::Null) => Self::Empty,
            Some(Value::Bool(value)) => Self::Boolean(*value),
            Some(Value::Number(number)) => number.as_f64().map_or(Self::Failed, Self::Number),
            Some(Value::String(text)) => match text.trim() {
                "" => Self::Empty,
                text if ERRORS.contains(&text) => Self::Failed,
                text => Self::Text(text),
            },
            Some(Value::Array(_) | Value::Object(_)) => Self::Failed,
        }
    }

    /// Its text; none if it is empty or failed.
    pub(crate) fn text(&self) -> Option<String> {
        match self {
            Self::Empty | Self::Failed => None,
            Self::Boolean(value) => Some(value.to_string()),
            Self::Number(number) => Some(number.to_string()),
            Self::Text(text) => Some((*text).to_owned()),
        }
    }

    /// Its number, unless it is empty.
    pub(crate) fn number(&self, member: &str) -> Result<Option<f64>, Reject> {
        match self {
            Self::Empty => Ok(None),
            Self::Number(number) => Ok(Some(*number)),
            Self::Failed => Err(Reject::new(format!("the column of `{member}` holds an error of the sheet"))),
            Self::Boolean(_) | Self::Text(_) => {
                Err(Reject::new(format!("the column of `{member}` holds no number")))
            }
        }
    }
}

impl Row {
    /// Whether it says nothing of what is asked for: days are laid out ahead, and boxes that are not ticked below them.
    pub(crate) fn is_blank(&self) -> bool {
        let cells: Vec<&Value> = match &self.r#as {
            Says::Vital(cells) => cells.values().collect(),
            Says::Transaction(cells) => cells.values().collect(),
            Says::Custom { metrics, fields, .. } => metrics.values().chain(fields.values()).collect(),
        };
        let undated = self.date.is_none() && self.time.is_none();
        cells.is_empty() || undated && cells.into_iter().all(|cell| *cell == Value::Bool(false))
    }

    /// When it happened: at its `time`, in the spreadsheet's zone, or on its `date`.
    pub(crate) fn when(&self) -> Result<When, Reject> {
        let at = |local| moment(self.zone.as_deref().unwrap_or_default(), local).map(When::At);
        let (time, day) = (Cell::of(self.time.as_ref()).number("time")?, self.day()?);
        match (time, day) {
            (Some(time), Some(day)) if (0.0..1.0).contains(&time) => at(day * A_DAY + seconds(time)?),
            (Some(time), None) if (0.0..1.0).contains(&time) => {
                Err(Reject::new("`time` is a time of the day, and there is no `date`"))
            }
            (Some(time), _) => at(seconds(time)? - EPOCH * A_DAY),
            (None, Some(day)) => Ok(When::Day(Day::from_number(i32::try_from(day).unwrap_or(0)))),
            (None, None) => Err(Reject::new("there is no date")),
        }
    }

    /// The day of its `date`, in days since 1970.
    fn day(&self) -> Result<Option<i64>, Reject> {
        let cell = Cell::of(self.date.as_ref());
        if let Cell::Text(text) = cell {
            // As a text, a day is clear in this form alone.
            let day: Option<Day> = text.parse().ok().filter(|_| text.len() == "2026-03-01".len());
            let day = day.ok_or_else(|| Reject::new("`date` holds a text that is no day like 2026-03-01"))?;
            return Ok(Some(day.as_number().into()));
        }
        cell.number("date")?.map(|serial| Ok(seconds(serial)?.div_euclid(A_DAY) - EPOCH)).transpose()
    }
}

//! What a cell holds, and how the API writes it: dates as serial numbers, or everything as the locale has it.

use lifehub_core::clock::Timestamp;
use lifehub_testkit::{Place, date_time};
use serde_json::{Value, json};

/// Days from 1899-12-30 to 1970-01-01: 2020-01-01 is 43831 there and 18262 here.
const SHIFT: i64 = 25_569;

/// A cell.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Cell {
    Empty,
    Text(String),
    Number(f64),
    /// A day, in days since 1970.
    Day(i64),
    /// Wall-clock time, in seconds since 1970.
    Moment(i64),
    Boolean(bool),
    /// A formula that failed.
    Failed(&'static str),
}

/// `valueRenderOption` and `dateTimeRenderOption`.
#[derive(Debug, Clone, Copy)]
pub(super) struct Render {
    /// `FORMATTED_VALUE`, the default: everything is a text.
    pub(super) formatted: bool,
    /// `FORMATTED_STRING`: dates are texts though numbers are not.
    pub(super) dates: bool,
}

impl Cell {
    pub(super) fn text(text: &str) -> Self {
        if text.is_empty() { Self::Empty } else { Self::Text(text.to_owned()) }
    }

    pub(super) fn day(day: lifehub_core::clock::Day) -> Self {
        Self::Day(day.as_number().into())
    }

    /// What the clock of a place shows at that instant.
    pub(super) fn moment(place: Place, at: Timestamp) -> Self {
        Self::Moment(at.as_seconds() + place.offset_s(at))
    }

    /// What `UNFORMATTED_VALUE` and `SERIAL_NUMBER` make of it.
    pub(super) fn plain(&self) -> Value {
        self.render(Render { formatted: false, dates: false })
    }

    pub(super) fn render(&self, Render { formatted, dates }: Render) -> Value {
        match self {
            Self::Empty => json!(""),
            Self::Text(text) => json!(text),
            Self::Failed(error) => json!(error),
            Self::Boolean(value) if formatted => json!(value.to_string().to_uppercase()),
            Self::Boolean(value) => json!(value),
            Self::Number(number) if formatted => json!(number.to_string().replace('.', ",")),
            Self::Number(number) => shortest(*number),
            Self::Day(day) if formatted || dates => json!(italian(day * 86_400).0),
            Self::Day(day) => json!(day + SHIFT),
            Self::Moment(second) if formatted || dates => {
                let (day, time) = italian(*second);
                json!(format!("{day} {time}"))
            }
            Self::Moment(second) => shortest(*second as f64 / 86_400.0 + SHIFT as f64),
        }
    }
}

impl From<&Value> for Cell {
    /// A cell as a test writes it.
    fn from(value: &Value) -> Self {
        match value {
            Value::Bool(value) => Self::Boolean(*value),
            Value::Number(number) => Self::Number(number.as_f64().unwrap_or_default()),
            Value::String(text) => Self::text(text),
            _ => Self::Empty,
        }
    }
}

/// A double as Google writes it: without a fraction if it has none.
fn shortest(number: f64) -> Value {
    if number.fract() == 0.0 && number.abs() < 9e15 { json!(number as i64) } else { json!(number) }
}

/// Day and time as `it_IT` has them: `01/08/2026` and `7.15.00`.
fn italian(second: i64) -> (String, String) {
    let text = date_time(second);
    let (day, time) = text.split_once('T').unwrap_or_default();
    let parts: Vec<&str> = day.rsplit('-').collect();
    (parts.join("/"), time.trim_start_matches('0').replace(':', "."))
}

//! Columns of days as they are asked for and come, and the items that are cut out of them.

use std::collections::BTreeMap;

use lifehub_core::prelude::*;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::settings::{BEST, Settings};

/// The daily variables that are read, with the units that the request pins.
const VARIABLES: [(&str, &str); 7] = [
    ("temperature_2m_min", "°C"),
    ("temperature_2m_mean", "°C"),
    ("temperature_2m_max", "°C"),
    ("precipitation_sum", "mm"),
    ("wind_speed_10m_max", "m/s"),
    ("sunshine_duration", "s"),
    ("weather_code", "wmo code"),
];

/// From where a day's values come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Source {
    /// What is expected, or was at the time.
    Forecast,
    /// What was.
    Archive,
}

impl Source {
    /// The higher version wins: a forecast never overwrites what was.
    fn version(self) -> u64 {
        match self {
            Self::Forecast => 0,
            Self::Archive => 1,
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Forecast => "forecast",
            Self::Archive => "archive",
        }
    }
}

/// A span of days of one place from one source.
pub(crate) struct Batch<'a> {
    pub(crate) settings: &'a Settings,
    pub(crate) source: Source,
    pub(crate) span: DaySpan,
}

/// An answer. `generationtime_ms` and the centre of the grid cell are left out: they say nothing about a day.
#[derive(Deserialize)]
struct Columns<'a> {
    utc_offset_seconds: i32,
    daily_units: BTreeMap<String, String>,
    /// As they came: a value that is no number is one day's fault.
    #[serde(borrow)]
    daily: BTreeMap<String, Vec<&'a RawValue>>,
}

/// A day as it is stored: all that its record depends on, and nothing that changes from one answer to the next.
#[derive(Serialize)]
struct RawDay<'a> {
    day: Day,
    source: &'static str,
    place: &'a str,
    model: &'a str,
    utc_offset_s: i32,
    units: BTreeMap<&'a str, &'a str>,
    /// What is unknown is left out.
    values: BTreeMap<&'a str, &'a RawValue>,
}

impl Batch<'_> {
    fn length(&self) -> u32 {
        u32::try_from(self.span.to.as_number() - self.span.from.as_number() + 1).unwrap_or(1)
    }

    /// What the request costs: `max(1, variables / 10, variables / 10 × days / 14)`, rounded up.
    pub(crate) fn weight(&self) -> u32 {
        let variables = VARIABLES.len() as u32;
        (variables * self.length()).div_ceil(140).max(variables.div_ceil(10))
    }

    /// The parameters of the request.
    pub(crate) fn asked(&self, call: Call) -> Call {
        let Self { settings, source, span } = self;
        let model = settings.model.as_deref().filter(|_| *source == Source::Archive);
        call.query("latitude", format_args!("{:.4}", settings.latitude))
            .query("longitude", format_args!("{:.4}", settings.longitude))
            .query("daily", VARIABLES.map(|(name, _)| name).join(","))
            .query("start_date", span.from)
            .query("end_date", span.to)
            .query("timezone", settings.timezone.name())
            .query("temperature_unit", "celsius")
            .query("wind_speed_unit", "ms")
            .query("precipitation_unit", "mm")
            .query_opt("models", model)
            .weight(self.weight())
    }

    /// The days of an answer; those of which nothing is known are left out.
    pub(crate) fn items(&self, answer: &Answer) -> Result<Vec<Item>> {
        let columns: Columns<'_> = answer.json()?;
        let days = self.length() as usize;
        let column = |name: &str| {
            let column = columns.daily.get(name).filter(|column| column.len() == days);
            column.ok_or_else(|| odd(format!("the column `{name}` does not have {days} values")))
        };
        let time = column("time")?;
        let mut table = Vec::with_capacity(VARIABLES.len());
        for (name, unit) in VARIABLES {
            if columns.daily_units.get(name).is_none_or(|told| told != unit) {
                return Err(odd(format!("`{name}` does not come in {unit}, as it was asked for")));
            }
            table.push((name, column(name)?));
        }
        let mut items = Vec::with_capacity(days);
        for (row, time) in time.iter().enumerate() {
            let day = self.span.from.plus(i32::try_from(row).unwrap_or(i32::MAX));
            if time.get() != format!("\"{day}\"") {
                return Err(odd(format!("where {day} was asked for stands another day")));
            }
            let known = table.iter().filter_map(|(name, column)| Some((*name, *column.get(row)?)));
            let values: BTreeMap<_, _> = known.filter(|(_, value)| value.get() != "null").collect();
            if !values.is_empty() {
                items.push(self.item(day, columns.utc_offset_seconds, values)?);
            }
        }
        Ok(items)
    }

    fn item(&self, day: Day, utc_offset_s: i32, values: BTreeMap<&str, &RawValue>) -> Result<Item> {
        let raw = RawDay {
            day,
            source: self.source.name(),
            place: &self.settings.place,
            model: if self.source == Source::Archive { self.settings.model() } else { BEST },
            utc_offset_s,
            units: VARIABLES.into_iter().filter(|(name, _)| values.contains_key(name)).collect(),
            values,
        };
        let (id, version) = (day.to_string(), Some(self.source.version()));
        Ok(Item::Put(RawItem { id, at: None, version, body: RawJson::of(&raw)? }))
    }
}

/// An answer of which nothing is taken.
fn odd(text: String) -> Error {
    Error::new(ErrorKind::InvalidResponse, text).hint(
        "nothing of the answer was stored; if it stays, the provider's format may have changed: look for a newer connector",
    )
}

//! Columns of days as they are asked for and come, and the items that are cut out of them.

use std::collections::BTreeMap;

use lifehub_core::prelude::*;
use serde::Serialize;

use crate::settings::{BEST, Settings};

/// The forecast's host.
pub(crate) const HOME: &str = "https://api.open-meteo.com";

/// The archive's host.
pub(crate) const ARCHIVE: &str = "https://archive-api.open-meteo.com";

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

/// From where a day's values come. Its number is the version of its items, of which the higher wins: a forecast never
/// overwrites what was.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Source {
    /// What is expected, or was at the time.
    Forecast = 0,
    /// What was.
    Archive = 1,
}

/// A day as it is stored: all that its record depends on, and nothing that changes from one answer to the next, as
/// `generationtime_ms` and the centre of the grid cell do.
#[derive(Serialize)]
struct RawDay<'a> {
    day: Day,
    source: Source,
    place: &'a str,
    model: &'a str,
    utc_offset_s: i32,
    units: BTreeMap<&'a str, &'a str>,
    /// As they came: a value that is no number is one day's fault. What is unknown is left out.
    values: BTreeMap<&'a str, RawJson>,
}

impl Settings {
    /// Asks one source for a span of the place's days. An operator's own address stands for both hosts.
    pub(crate) async fn read(&self, cx: &Context<'_>, source: Source, span: DaySpan) -> Result<Vec<Item>> {
        let call = match source {
            Source::Archive if cx.is_at(HOME) => cx.follow(&format!("{ARCHIVE}/v1/archive")),
            Source::Archive => cx.get("/v1/archive"),
            Source::Forecast => cx.get("/v1/forecast"),
        };
        let call = call
            .query("latitude", format_args!("{:.4}", self.latitude))
            .query("longitude", format_args!("{:.4}", self.longitude))
            .query("daily", VARIABLES.map(|(name, _)| name).join(","))
            .query("start_date", span.from)
            .query("end_date", span.to)
            .query("timezone", self.timezone.name())
            .query("temperature_unit", "celsius")
            .query("wind_speed_unit", "ms")
            .query("precipitation_unit", "mm")
            .query_opt("models", self.model.as_deref().filter(|_| source == Source::Archive))
            .weight(weight(span));
        call.parse(|answer| Ok(self.items(&answer.fields()?, source, span)?)).await
    }

    /// The days of an answer; those of which nothing is known are left out. Of one that answers another question nothing
    /// is taken.
    fn items(&self, answer: &Fields<'_>, source: Source, span: DaySpan) -> Result<Vec<Item>, Reject> {
        let utc_offset_s = answer.need("utc_offset_seconds")?;
        let day = |number| RawDay {
            day: span.from.plus(number),
            source,
            place: &self.place,
            model: if source == Source::Archive { self.model() } else { BEST },
            utc_offset_s,
            units: BTreeMap::new(),
            values: BTreeMap::new(),
        };
        let mut days: Vec<RawDay<'_>> = (0..).take(span.days() as usize).map(day).collect();
        if answer.need::<Vec<Day>>("daily.time")?.into_iter().ne(days.iter().map(|day| day.day)) {
            return Err(Reject::new("it has other days than it was asked for"));
        }
        for (name, unit) in VARIABLES {
            if answer.need::<String>(&format!("daily_units.{name}"))? != unit {
                return Err(Reject::new(format!("`{name}` does not come in {unit}, as it was asked for")));
            }
            let column = answer.items(&format!("daily.{name}"))?;
            if column.len() != days.len() {
                return Err(Reject::new(format!("the column `{name}` does not have {} values", days.len())));
            }
            for (day, value) in days.iter_mut().zip(column).filter(|(_, value)| value.as_str() != "null") {
                day.units.insert(name, unit);
                day.values.insert(name, value);
            }
        }
        let mut items = Vec::with_capacity(days.len());
        for raw in days.iter().filter(|day| !day.values.is_empty()) {
            let (id, version) = (raw.day.to_string(), Some(source as u64));
            items.push(Item::Put(RawItem { id, at: None, version, body: RawJson::of(raw)? }));
        }
        Ok(items)
    }
}

/// What a request costs: `max(1, variables / 10, variables / 10 × days / 14)`, rounded up.
fn weight(span: DaySpan) -> u32 {
    let variables = VARIABLES.len() as u32;
    (variables * span.days()).div_ceil(140).max(variables.div_ceil(10))
}

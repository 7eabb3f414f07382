//! A day's values as the weather of that day.

use std::borrow::Cow;
use std::ops::RangeInclusive;

use lifehub_core::clock::Day;
use lifehub_core::normalize::Reject;
use lifehub_core::page::RawItem;
use lifehub_core::record::datasets::Weather;
use lifehub_core::record::{Record, When};
use serde::Deserialize;

/// An item as the connector composes it, in the units that it asked for.
#[derive(Deserialize)]
struct RawDay<'a> {
    day: Day,
    source: Source,
    #[serde(borrow)]
    place: Cow<'a, str>,
    values: Values,
}

#[derive(Deserialize, PartialEq)]
#[serde(rename_all = "snake_case")]
enum Source {
    Archive,
    Forecast,
}

#[derive(Deserialize)]
struct Values {
    temperature_2m_min: Option<f64>,
    temperature_2m_mean: Option<f64>,
    temperature_2m_max: Option<f64>,
    precipitation_sum: Option<f64>,
    wind_speed_10m_max: Option<f64>,
    sunshine_duration: Option<f64>,
    weather_code: Option<f64>,
}

/// Makes the weather of a day.
pub(crate) fn day(item: &RawItem) -> Result<Vec<Record>, Reject> {
    let RawDay { day, source, place, values } = item.body.read()?;
    // Somewhat beyond what was ever measured on earth.
    let temperature = -100.0..=70.0;
    let weather = Weather {
        place: place.into_owned(),
        temperature_min_c: within("temperature_2m_min", values.temperature_2m_min, &temperature)?,
        temperature_mean_c: within("temperature_2m_mean", values.temperature_2m_mean, &temperature)?,
        temperature_max_c: within("temperature_2m_max", values.temperature_2m_max, &temperature)?,
        precipitation_mm: within("precipitation_sum", values.precipitation_sum, &(0.0..=3_000.0))?,
        wind_max_mps: within("wind_speed_10m_max", values.wind_speed_10m_max, &(0.0..=150.0))?,
        sunshine_s: within("sunshine_duration", values.sunshine_duration, &(0.0..=86_400.0))?,
        code: within("weather_code", values.weather_code, &(0.0..=99.0))?.map(code).transpose()?,
        forecast: source == Source::Forecast,
    };
    Ok(vec![Record::new(When::Day(day), &weather)?])
}

/// The value, if it is one that weather may have.
fn within(name: &str, value: Option<f64>, range: &RangeInclusive<f64>) -> Result<Option<f64>, Reject> {
    match value {
        Some(value) if !range.contains(&value) => {
            Err(Reject::new(format!("`{name}` lies outside of {} to {}", range.start(), range.end())))
        }
        value => Ok(value),
    }
}

fn code(value: f64) -> Result<u8, Reject> {
    if value.fract() == 0.0 { Ok(value as u8) } else { Err(Reject::new("`weather_code` is no whole number")) }
}

//! A day's values as the weather of that day.

use std::ops::RangeInclusive;

use lifehub_core::prelude::*;

/// Makes the weather of a day, from an item as the connector composes it, in the units that it asked for.
pub(crate) fn day(item: &RawItem) -> Records {
    let fields = Fields::of(item)?;
    let within = |name: &str, range: RangeInclusive<f64>| {
        let value: Option<f64> = fields.get(&format!("values.{name}"))?;
        match value {
            Some(value) if !range.contains(&value) => {
                Err(Reject::new(format!("`{name}` lies outside of {} to {}", range.start(), range.end())))
            }
            value => Ok(value),
        }
    };
    // Somewhat beyond what was ever measured on earth.
    let temperature = |name| within(name, -100.0..=70.0);
    let forecast = match fields.need::<String>("source")?.as_str() {
        "archive" => false,
        "forecast" => true,
        _ => return Err(Reject::new("`source` is neither archive nor forecast")),
    };
    let weather = Weather {
        place: fields.need("place")?,
        temperature_min_c: temperature("temperature_2m_min")?,
        temperature_mean_c: temperature("temperature_2m_mean")?,
        temperature_max_c: temperature("temperature_2m_max")?,
        precipitation_mm: within("precipitation_sum", 0.0..=3_000.0)?,
        wind_max_mps: within("wind_speed_10m_max", 0.0..=150.0)?,
        sunshine_s: within("sunshine_duration", 0.0..=86_400.0)?,
        code: within("weather_code", 0.0..=99.0)?.map(code).transpose()?,
        forecast,
    };
    Ok(vec![Record::new(When::Day(fields.need("day")?), &weather)?])
}

fn code(value: f64) -> Result<u8, Reject> {
    if value.fract() == 0.0 { Ok(value as u8) } else { Err(Reject::new("`weather_code` is no whole number")) }
}

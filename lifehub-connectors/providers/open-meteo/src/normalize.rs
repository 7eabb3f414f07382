//! A day's values as the weather of that day.

use lifehub_core::prelude::*;

/// Makes the weather of a day, from an item as the connector composes it, in the units that it asked for.
pub(crate) fn day(item: &RawItem) -> Records {
    let fields = Fields::of(item)?;
    // Somewhat beyond what was ever measured on earth.
    let temperature = |path| fields.within(path, -100.0..=70.0);
    let weather = Weather {
        place: fields.need("place")?,
        temperature_min_c: temperature("values.temperature_2m_min")?,
        temperature_mean_c: temperature("values.temperature_2m_mean")?,
        temperature_max_c: temperature("values.temperature_2m_max")?,
        precipitation_mm: fields.within("values.precipitation_sum", 0.0..=3_000.0)?,
        wind_max_mps: fields.within("values.wind_speed_10m_max", 0.0..=150.0)?,
        sunshine_s: fields.within("values.sunshine_duration", 0.0..=86_400.0)?,
        code: fields.within("values.weather_code", 0.0..=99.0)?.map(code).transpose()?,
        forecast: fields.need::<String>("source")? == "forecast",
    };
    Ok(vec![Record::new(When::Day(fields.need("day")?), &weather)?])
}

fn code(value: f64) -> Result<u8, Reject> {
    if value.fract() == 0.0 { Ok(value as u8) } else { Err(Reject::new("`weather_code` is no whole number")) }
}

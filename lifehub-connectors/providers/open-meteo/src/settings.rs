//! Which place is read, and how: what a user sets.

use lifehub_core::clock::{Day, Timestamp, Zone};
use lifehub_core::connector::first_day;
use schemars::JsonSchema;
use serde::Deserialize;
use serde::de::{Deserializer, Error};

/// The dataset that Open-Meteo picks for each place and time when none is named.
pub(crate) const BEST: &str = "best_match";

/// The most days ahead that are asked for. Open-Meteo gives 16, counted by its own clock in UTC; a day is left to
/// zones and clocks that are ahead of it, because a request for one day too many fails whole.
const AHEAD: u8 = 15;

/// The settings of one place.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Settings {
    /// Degrees north of the equator. Four decimals count, some ten metres.
    #[serde(deserialize_with = "degrees::<90, _>")]
    #[schemars(range(min = -90, max = 90))]
    pub(crate) latitude: f64,
    /// Degrees east of Greenwich. Four decimals count.
    #[serde(deserialize_with = "degrees::<180, _>")]
    #[schemars(range(min = -180, max = 180))]
    pub(crate) longitude: f64,
    /// What you call the place. Its metrics bear this name.
    #[serde(deserialize_with = "name")]
    #[schemars(length(min = 1))]
    pub(crate) place: String,
    /// The zone whose midnights part the days, as an IANA name (Europe/Rome). Default: UTC.
    #[serde(default = "Zone::utc")]
    pub(crate) timezone: Zone,
    /// The first day to read, from 1940-01-01 on. Default: two years back, from the first of that month.
    #[serde(default, deserialize_with = "first_day::<1940, _>")]
    pub(crate) start: Option<Day>,
    /// One dataset of the archive (era5, say), so that values stay comparable over many years. Default: the best that
    /// there is for each place and time. The forecast is always the best.
    pub(crate) model: Option<String>,
    /// How many days of forecast are read, today included: 0 to 15. Default: 15.
    #[serde(default = "ahead", deserialize_with = "days_ahead")]
    #[schemars(range(max = 15))]
    pub(crate) forecast_days: u8,
}

impl Settings {
    /// The dataset of the archive.
    pub(crate) fn model(&self) -> &str {
        self.model.as_deref().unwrap_or(BEST)
    }

    /// The day in the place's zone.
    pub(crate) fn day(&self, at: Timestamp) -> Day {
        self.timezone.day_at(at)
    }

    /// The first day to read by a pass that ends at `to`: without a setting at the first of a month, so that it does
    /// not move from day to day.
    pub(crate) fn start(&self, to: Timestamp) -> Day {
        self.start.unwrap_or_else(|| self.day(to).plus(-731).first_of_month())
    }
}

fn ahead() -> u8 {
    AHEAD
}

/// Degrees up to `LIMIT` in both directions, rounded to four decimals.
fn degrees<'de, const LIMIT: i32, D: Deserializer<'de>>(deserializer: D) -> Result<f64, D::Error> {
    let degrees = f64::deserialize(deserializer)?;
    if !degrees.is_finite() || degrees.abs() > f64::from(LIMIT) {
        let coordinate = if LIMIT == 90 { "latitude" } else { "longitude" };
        return Err(D::Error::custom(format!(
            "the {coordinate} lies outside of -{LIMIT} to {LIMIT} degrees"
        )));
    }
    // Adding zero makes a negative zero positive: the account's id is made of these digits.
    Ok((degrees * 1e4).round() / 1e4 + 0.0)
}

fn name<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    let name = String::deserialize(deserializer)?.trim().to_owned();
    if name.is_empty() { Err(D::Error::custom("the place has no name")) } else { Ok(name) }
}

fn days_ahead<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u8, D::Error> {
    let days = u8::deserialize(deserializer)?;
    if days > AHEAD { Err(D::Error::custom("there are at most 15 days of forecast")) } else { Ok(days) }
}

//! What a user sets.

use lifehub_core::clock::Day;
use schemars::JsonSchema;
use serde::Deserialize;
use serde::de::{Deserializer, Error};

/// 2020-01-01, counted from 1970: the bound that keeps a slip of the pen from asking for centuries.
const OLDEST: i32 = 18_262;

/// 2021-01-01, counted from 1970: the year in which Rize came out.
const USUAL: i32 = 18_628;

/// The settings of a connection.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Settings {
    /// The first day to read, from 2020-01-01 on; a later one makes full passes shorter. Default: 2021-01-01.
    #[serde(default = "usual", deserialize_with = "first_day")]
    pub(crate) start: Day,
}

fn usual() -> Day {
    Day::from_number(USUAL)
}

fn first_day<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Day, D::Error> {
    let day = String::deserialize(deserializer)?.parse::<Day>();
    let day = day.map_err(|_| D::Error::custom("the start is no day like 2026-03-01"))?;
    if day.as_number() < OLDEST {
        return Err(D::Error::custom("the start lies before 2020-01-01, when there was no Rize"));
    }
    Ok(day)
}

//! What a user sets.

use lifehub_core::clock::Day;
use lifehub_core::connector::first_day;
use schemars::JsonSchema;
use serde::Deserialize;

/// The settings of a connection.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Settings {
    /// The first day to read, from 2020-01-01 on; a later one makes full passes shorter. Default: 2021-01-01.
    #[serde(default, deserialize_with = "first_day::<2020, _>")]
    start: Option<Day>,
}

/// 2021-01-01, counted from 1970: the year in which Rize came out.
const USUAL: i32 = 18_628;

impl Settings {
    /// The first day to read.
    pub(crate) fn start(&self) -> Day {
        self.start.unwrap_or(Day::from_number(USUAL))
    }
}

//! Durations as an operator writes them: `500ms`, `30s`, `15m`, `2h`, `30d`, or a number of seconds.

use std::time::Duration;

use serde::{Deserialize, Deserializer, de::Error};

/// A duration in a configuration: a number with `ms`, `s`, `m`, `h` or `d` behind it, or of seconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DurationSetting(pub Duration);

#[derive(Deserialize)]
#[serde(untagged)]
enum Form {
    Seconds(u64),
    Text(String),
}

impl<'de> Deserialize<'de> for DurationSetting {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let span = match Form::deserialize(deserializer)? {
            Form::Seconds(seconds) => Some(Duration::from_secs(seconds)),
            Form::Text(text) => read(&text),
        };
        span.map(Self).ok_or_else(|| {
            D::Error::custom("a duration is a number with ms, s, m, h or d behind it, for example 15m or 30d")
        })
    }
}

fn read(text: &str) -> Option<Duration> {
    let (number, unit) = text.split_at(text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len()));
    let number: u64 = number.parse().ok()?;
    let seconds = match unit.trim() {
        "ms" => return Some(Duration::from_millis(number)),
        "" | "s" => 1,
        "m" => 60,
        "h" => 3600,
        "d" => 86_400,
        _ => return None,
    };
    number.checked_mul(seconds).map(Duration::from_secs)
}

/// For members that hold the duration itself.
pub(super) fn optional<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Duration>, D::Error> {
    Ok(Option::<DurationSetting>::deserialize(deserializer)?.map(|span| span.0))
}

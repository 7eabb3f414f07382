//! Answers and refusals in Open-Meteo's form: columns with their units, and `{error, reason}`.

use lifehub_core::clock::Day;
use lifehub_testkit::SimResponse;
use serde_json::{Map, Value, json};

use super::climate::Climate;
use super::query::{Query, later};
use super::{ARCHIVE_TRAILS, Mishap, State};

/// A status and a reason.
#[derive(Debug)]
pub(super) struct Refusal {
    status: u16,
    reason: String,
}

impl Refusal {
    pub(super) fn bad_request(reason: String) -> Self {
        Self { status: 400, reason }
    }

    /// A value that an enumeration does not have.
    pub(super) fn unknown(kind: &str, value: &str) -> Self {
        let reason = "Data corrupted at path ''. Cannot initialize";
        Self::bad_request(format!("{reason} {kind} from invalid String value {value}."))
    }

    pub(super) fn throttled(reason: &str) -> Self {
        Self { status: 429, reason: reason.into() }
    }

    pub(super) fn not_found() -> Self {
        Self { status: 404, reason: "Not Found".into() }
    }

    /// The refusal of any status, for faults from outside.
    pub(super) fn of(status: u16) -> Self {
        match status {
            404 => Self::not_found(),
            429 => Self::throttled("Minutely API request limit exceeded. Please try again in one minute."),
            _ => Self { status, reason: "Something went wrong.".into() },
        }
    }
}

impl From<Refusal> for SimResponse {
    fn from(Refusal { status, reason }: Refusal) -> Self {
        Self::json(status, &json!({ "error": true, "reason": reason }))
    }
}

/// The columns that were asked for.
pub(super) fn compose(state: &State, query: &Query, mishap: Option<Mishap>) -> SimResponse {
    let mut units = query.units;
    units.fahrenheit |= mishap == Some(Mishap::Fahrenheit);
    let shift = i32::from(mishap == Some(Mishap::OtherDays));
    let days: Vec<Day> = query.days.iter().map(|day| later(*day, shift)).collect();
    let climate = Climate::new(state.seed, query.latitude, query.longitude);
    let weather: Vec<_> = days.iter().map(|day| weather(state, query, &climate, *day)).collect();

    let time = |day: &Day| match query.unixtime {
        true => json!(day.start_utc().as_seconds() - query.offset_s),
        false => json!(day),
    };
    let stamp = if query.unixtime { "unixtime" } else { "iso8601" };
    let (mut daily_units, mut daily) = (Map::new(), Map::new());
    daily_units.insert("time".into(), json!(stamp));
    daily.insert("time".into(), days.iter().map(time).collect());
    for (i, name) in query.variables.iter().enumerate() {
        let value = |(day, weather): (&Day, &Option<_>)| match weather {
            None => Value::Null,
            Some(_) if i == 0 && state.poisoned.contains(day) => json!("out of order"),
            Some(weather) if *name == "weather_code" => json!(units.value(name, weather) as u8),
            Some(weather) => json!(units.value(name, weather)),
        };
        let mut column: Vec<Value> = days.iter().zip(&weather).map(value).collect();
        if i == 0 && mishap == Some(Mishap::ShortColumn) {
            column.pop();
        }
        daily_units.insert((*name).into(), json!(units.of(name)));
        daily.insert((*name).into(), column.into());
    }
    // The centre of the cell, not the place; and how long it took, which is never the same.
    let cell = |degrees: f64| (degrees * 10.0).round() / 10.0 + 0.003_7;
    let mut body = json!({
        "latitude": cell(query.latitude),
        "longitude": cell(query.longitude),
        "generationtime_ms": 0.081 + f64::from(state.answers % 1_000) / 100.0,
        "utc_offset_seconds": query.offset_s,
        "timezone": query.timezone,
        "timezone_abbreviation": abbreviation(query.offset_s),
        "elevation": 38.0,
    });
    if !query.variables.is_empty() {
        body["daily_units"] = Value::Object(daily_units);
        body["daily"] = Value::Object(daily);
    }
    let mut text = body.to_string().into_bytes();
    if mishap == Some(Mishap::StreamingError) {
        text.truncate(text.len() / 2);
        text.extend_from_slice(b"Unexpected error while streaming data: timeoutReached");
    }
    SimResponse::json_text(200, text)
}

fn weather(state: &State, query: &Query, climate: &Climate, day: Day) -> Option<super::Weather> {
    if !query.archive {
        return Some(state.forecast(climate, day, query.offset_s, query.today));
    }
    (day <= later(query.today, -ARCHIVE_TRAILS)).then(|| state.archived(climate, day, query.offset_s))
}

fn abbreviation(offset_s: i64) -> String {
    match (offset_s / 3_600, offset_s.abs() / 60 % 60) {
        (0, 0) => "GMT".into(),
        (hours, 0) => format!("GMT{hours:+}"),
        (hours, minutes) => format!("GMT{hours:+}:{minutes:02}"),
    }
}

//! What Open-Meteo's refusals say: which limit is spent, or which setting it does not take.

use std::borrow::Cow;

use lifehub_core::prelude::*;
use serde::Deserialize;

/// `{"error": true, "reason": "…"}`
#[derive(Deserialize)]
struct Refusal<'a> {
    #[serde(borrow)]
    reason: Cow<'a, str>,
}

/// Reads a refusal by single words of its reason. Of the reason itself nothing is shown.
pub(crate) fn read(answer: &Answer) -> Option<Error> {
    let (status, sense): (_, fn(&str, Timestamp) -> Option<Error>) = match answer.status.as_u16() {
        400 => (400, not_taken),
        // Open-Meteo names no time to come back; whoever does stands between.
        429 if answer.header("retry-after").is_none() => (429, spent),
        _ => return None,
    };
    let refusal: Refusal<'_> = answer.json().ok()?;
    sense(&refusal.reason.to_ascii_lowercase(), answer.received).map(|error| error.with("status", status))
}

/// A limit, and when it begins anew. Any other reason is left to the status.
fn spent(reason: &str, now: Timestamp) -> Option<Error> {
    let window = |seconds: i64| {
        // Two seconds later, as its clock may lag behind ours.
        Timestamp::from_seconds((now.as_seconds().div_euclid(seconds) + 1) * seconds + 2)
    };
    let (what, until) = if reason.contains("minutely") {
        ("this minute's calls are spent", window(60))
    } else if reason.contains("hourly") {
        ("this hour's calls are spent", window(3_600))
    } else if reason.contains("daily") {
        ("this day's calls are spent", window(86_400))
    } else if reason.contains("concurrent") {
        ("too many requests came from this address at once", now + Duration::from_secs(5))
    } else {
        return None;
    };
    let hint =
        "all programs behind one address share Open-Meteo's limits; if it happens often, raise the interval";
    Some(Error::new(ErrorKind::Throttled, format!("Open-Meteo asks to wait: {what}")).at(until).hint(hint))
}

/// The setting at fault. Sent again, the request would be refused again.
fn not_taken(reason: &str, _: Timestamp) -> Option<Error> {
    let settings = [
        ("timezone", "timezone", "write an IANA name; one that is very new may not be known there yet"),
        ("start_date", "start", "choose a later first day"),
        ("multidomains", "model", "its documentation of the archive lists the models"),
        ("no data is available", "model", "choose one that covers the place, or leave it out"),
        ("latitude", "latitude", "it is given in degrees, from -90 to 90"),
        ("longitude", "longitude", "it is given in degrees, from -180 to 180"),
    ];
    let (_, setting, hint) = settings.into_iter().find(|(word, ..)| reason.contains(word))?;
    let text = format!("Open-Meteo does not take the setting `{setting}`");
    Some(Error::new(ErrorKind::Invalid, text).hint(hint).stops(Extent::Stream))
}

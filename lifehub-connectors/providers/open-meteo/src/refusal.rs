//! What Open-Meteo's refusals say: which limit is spent, or which setting it does not take.

use lifehub_core::prelude::*;

/// Told apart by single words of `{"error": true, "reason": "…"}`; any other reason is left to the status.
pub(crate) const REFUSED: &[Refused] = &[
    spent("minutely", "Open-Meteo asks to wait: this minute's calls are spent").until(|now| next(now, 60)),
    spent("hourly", "Open-Meteo asks to wait: this hour's calls are spent").until(|now| next(now, 3_600)),
    spent("daily", "Open-Meteo asks to wait: this day's calls are spent").until(|now| next(now, 86_400)),
    spent("concurrent", "Open-Meteo asks to wait: too many requests came from this address at once")
        .until(|now| now + Duration::from_secs(5)),
    not_taken("timezone", "Open-Meteo does not take the setting `timezone`")
        .hint("write an IANA name; one that is very new may not be known there yet"),
    not_taken("start_date", "Open-Meteo does not take the setting `start`").hint("choose a later first day"),
    not_taken("multidomains", "Open-Meteo does not take the setting `model`")
        .hint("its documentation of the archive lists the models"),
    not_taken("no data is available", "Open-Meteo does not take the setting `model`")
        .hint("choose one that covers the place, or leave it out"),
    not_taken("latitude", "Open-Meteo does not take the setting `latitude`")
        .hint("it is given in degrees, from -90 to 90"),
    not_taken("longitude", "Open-Meteo does not take the setting `longitude`")
        .hint("it is given in degrees, from -180 to 180"),
];

/// Open-Meteo names no time to come back; whoever does stands between, and is believed.
const fn spent(word: &'static str, text: &'static str) -> Refused {
    Refused::on(429, ErrorKind::Throttled, text).if_says(&["reason"], word).hint(
        "all programs behind one address share Open-Meteo's limits; if it happens often, raise the interval",
    )
}

/// Sent again, the request would be refused again.
const fn not_taken(word: &'static str, text: &'static str) -> Refused {
    Refused::on(400, ErrorKind::Invalid, text).if_says(&["reason"], word).stops(Extent::Stream)
}

/// When the next window of so many seconds begins, and two seconds later, as Open-Meteo's clock may lag behind ours.
fn next(now: Timestamp, seconds: i64) -> Timestamp {
    Timestamp::from_seconds((now.as_seconds().div_euclid(seconds) + 1) * seconds + 2)
}

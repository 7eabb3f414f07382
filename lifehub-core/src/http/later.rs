//! What an answer's headers say about when to come back.

use std::time::Duration;

use http::{HeaderMap, header};

use crate::clock::Timestamp;

/// No provider is believed to mean a longer wait: its longest window is a month.
pub(super) const FURTHEST: Duration = Duration::from_secs(32 * 86_400);

/// The headers that tell how much of a quota remains, each with the one that tells when that changes.
const REMAINING: [(&str, &str); 2] =
    [("ratelimit-remaining", "ratelimit-reset"), ("x-ratelimit-remaining", "x-ratelimit-reset")];

/// What `Retry-After` asks for, in either form of RFC 9110: seconds, or a date. A date is counted from the answer's
/// own `Date`, so that a skewed clock on either side changes nothing, else from `now`. It is at most 32 days.
pub fn retry_after(headers: &HeaderMap, now: Timestamp) -> Option<Duration> {
    let text = headers.get(header::RETRY_AFTER)?.to_str().ok()?.trim();
    let wait = match seconds(text) {
        Some(wait) => wait,
        None => instant(text)?.since(date(headers).unwrap_or(now)),
    };
    Some(wait.min(FURTHEST))
}

/// Until when nothing remains of a quota, if the answer says so in one of the customary ways: `RateLimit`
/// (<https://datatracker.ietf.org/doc/draft-ietf-httpapi-ratelimit-headers/>), its elder form `RateLimit-Remaining`
/// with `RateLimit-Reset`, or the same with `X-`, where the reset may be an instant in Unix seconds.
pub(super) fn spent_until(headers: &HeaderMap, now: Timestamp) -> Option<Timestamp> {
    let text = |name: &str| headers.get(name)?.to_str().ok();
    let mut resets: Vec<String> = REMAINING
        .iter()
        .filter(|(remaining, _)| text(remaining).is_some_and(is_nothing))
        .filter_map(|(_, reset)| text(reset).map(Into::into))
        .collect();
    for policies in headers.get_all("ratelimit").iter().filter_map(|value| value.to_str().ok()) {
        for policy in without_quoted(policies).split(',') {
            let member = |name| {
                policy.split(';').skip(1).filter_map(|m| m.split_once('=')).find(|(k, _)| k.trim() == name)
            };
            if member("r").is_some_and(|(_, remaining)| is_nothing(remaining)) {
                resets.extend(member("t").map(|(_, reset)| reset.to_owned()));
            }
        }
    }
    let waits = resets.iter().filter_map(|reset| {
        let figure = seconds(reset)?;
        // A large figure is an instant, and the provider's own clock says how far away.
        let wait = if figure <= FURTHEST {
            figure
        } else {
            Timestamp::from_seconds(i64::try_from(figure.as_secs()).ok()?).since(date(headers).unwrap_or(now))
        };
        (wait > Duration::ZERO && wait <= FURTHEST).then_some(wait)
    });
    waits.max().map(|wait| now + wait)
}

/// Names of policies may hold any character.
fn without_quoted(text: &str) -> String {
    let (mut quoted, mut escaped) = (false, false);
    let kept = text.chars().filter(|&c| {
        let inside = quoted;
        if c == '"' && !escaped {
            quoted = !quoted;
        }
        escaped = inside && c == '\\' && !escaped;
        !inside && !quoted
    });
    kept.collect()
}

fn is_nothing(remaining: &str) -> bool {
    remaining.trim().parse::<f64>().is_ok_and(|remaining| remaining <= 0.0)
}

/// Seconds, a part of one counted as a whole.
fn seconds(text: &str) -> Option<Duration> {
    let seconds: f64 = text.trim().parse().ok().filter(|s: &f64| s.is_finite() && *s >= 0.0)?;
    Some(Duration::try_from_secs_f64(seconds.ceil()).unwrap_or(Duration::MAX))
}

fn date(headers: &HeaderMap) -> Option<Timestamp> {
    instant(headers.get(header::DATE)?.to_str().ok()?)
}

fn instant(text: &str) -> Option<Timestamp> {
    httpdate::parse_http_date(text).ok().map(Timestamp::from)
}

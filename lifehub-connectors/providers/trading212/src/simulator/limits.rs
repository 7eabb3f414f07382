//! The account's limits, one for each path, and the headers that tell of them.

use std::collections::HashMap;

use lifehub_core::clock::Timestamp;
use lifehub_testkit::SimResponse;

/// How many requests a path takes, and in how many seconds.
fn limit(path: &str) -> (u32, i64) {
    match path {
        "/api/v0/equity/account/summary" => (1, 5),
        "/api/v0/equity/positions" => (1, 1),
        _ => (6, 60),
    }
}

/// What was used of the periods that run. One begins with the first request after the one before is over.
#[derive(Debug, Default)]
pub(super) struct Limits(HashMap<String, Period>);

#[derive(Debug, Clone, Copy)]
pub(super) struct Period {
    start: Timestamp,
    limit: u32,
    length_s: i64,
    used: u32,
    /// Whether the latest request was one too many.
    pub(super) spent: bool,
}

impl Limits {
    /// Counts a request, if there is room for it.
    pub(super) fn count(&mut self, path: &str, at: Timestamp) -> Period {
        let (limit, length_s) = limit(path);
        let fresh = Period { start: at, limit, length_s, used: 0, spent: false };
        let period = self.0.entry(path.to_owned()).or_insert(fresh);
        if at.as_micros() - period.start.as_micros() >= length_s * 1_000_000 {
            *period = fresh;
        }
        period.spent = period.used >= limit;
        period.used += u32::from(!period.spent);
        *period
    }
}

impl Period {
    /// Adds what the provider tells of the period.
    pub(super) fn told(self, answer: SimResponse) -> SimResponse {
        answer
            .header("x-ratelimit-limit", self.limit)
            .header("x-ratelimit-period", self.length_s)
            .header("x-ratelimit-remaining", self.limit - self.used)
            // The whole second at which it is over for sure.
            .header("x-ratelimit-reset", self.start.as_seconds() + self.length_s + 1)
            .header("x-ratelimit-used", self.used)
    }
}

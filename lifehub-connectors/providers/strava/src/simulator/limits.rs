//! Strava's rate limits: fixed quarter hours and UTC days, over all calls and over reading ones, with their headers.

use lifehub_core::clock::Timestamp;
use lifehub_testkit::SimResponse;

/// How many calls an app may make in a quarter hour (:00, :15, :30, :45) and in a day (from midnight UTC).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Limits {
    /// All calls: quarter hour, day.
    pub overall: (u64, u64),
    /// Calls that upload nothing: quarter hour, day.
    pub read: (u64, u64),
}

impl Limits {
    /// Overall and reading limits, each for a quarter hour and a day.
    pub fn new(overall: (u64, u64), read: (u64, u64)) -> Self {
        Self { overall, read }
    }

    /// What an app has after it was raised to ten athletes.
    pub fn ten_athletes() -> Self {
        Self::new((400, 4_000), (200, 2_000))
    }
}

impl Default for Limits {
    /// What a new app has.
    fn default() -> Self {
        Self::new((200, 2_000), (100, 1_000))
    }
}

/// How many calls were counted in the current windows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct Usage {
    /// All calls: quarter hour, day.
    pub overall: (u64, u64),
    /// Calls that upload nothing: quarter hour, day.
    pub read: (u64, u64),
}

#[derive(Debug)]
pub(super) struct Counter {
    limits: Option<Limits>,
    usage: Usage,
    /// Quarter hours and days since 1970.
    window: (i64, i64),
}

impl Counter {
    pub(super) fn new(limits: Option<Limits>) -> Self {
        Self { limits, usage: Usage::default(), window: (0, 0) }
    }

    pub(super) fn usage(&self) -> Usage {
        self.usage
    }

    /// Counts a call, and says whether it may go on. One that the quarter hour refuses counts for the day all the
    /// same.
    pub(super) fn count(&mut self, at: Timestamp, read: bool) -> bool {
        let window = (at.as_seconds().div_euclid(900), at.as_seconds().div_euclid(86_400));
        if window.0 != self.window.0 {
            (self.usage.overall.0, self.usage.read.0) = (0, 0);
        }
        if window.1 != self.window.1 {
            (self.usage.overall.1, self.usage.read.1) = (0, 0);
        }
        self.window = window;
        let Some(limits) = self.limits else { return true };
        let usage = &mut self.usage;
        let room = |used: (u64, u64), limit: (u64, u64)| used.0 < limit.0 && used.1 < limit.1;
        let allowed = room(usage.overall, limits.overall) && (!read || room(usage.read, limits.read));
        usage.overall.1 += 1;
        usage.read.1 += u64::from(read);
        if allowed {
            usage.overall.0 += 1;
            usage.read.0 += u64::from(read);
        }
        allowed
    }

    /// Adds the headers of the current windows to an answer.
    pub(super) fn headers(&self, answer: SimResponse) -> SimResponse {
        let Some(limits) = self.limits else { return answer };
        let pair = |(quarter, day): (u64, u64)| format!("{quarter},{day}");
        answer
            .header("x-ratelimit-limit", pair(limits.overall))
            .header("x-ratelimit-usage", pair(self.usage.overall))
            .header("x-readratelimit-limit", pair(limits.read))
            .header("x-readratelimit-usage", pair(self.usage.read))
    }
}

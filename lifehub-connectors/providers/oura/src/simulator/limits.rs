//! Oura's rate limit: so many requests within a time, counted back from each of them, and told only when it is hit.

use std::collections::VecDeque;
use std::time::Duration;

use lifehub_core::clock::Timestamp;
use lifehub_testkit::SimResponse;

use super::problem;

/// How many requests an app may make within a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Limits {
    /// How many.
    pub requests: usize,
    /// Within this time.
    pub within: Duration,
}

impl Limits {
    /// So many within this time.
    pub fn new(requests: usize, within: Duration) -> Self {
        Self { requests, within }
    }
}

impl Default for Limits {
    /// 5,000 in five minutes.
    fn default() -> Self {
        Self::new(5_000, Duration::from_secs(300))
    }
}

#[derive(Debug)]
pub(super) struct Counter {
    limits: Option<Limits>,
    /// When requests came that were let through, oldest first.
    seen: VecDeque<Timestamp>,
}

impl Counter {
    pub(super) fn new(limits: Option<Limits>) -> Self {
        Self { limits, seen: VecDeque::new() }
    }

    /// Counts a request; gives the refusal if there were too many before it.
    pub(super) fn refused(&mut self, at: Timestamp) -> Option<SimResponse> {
        let Limits { requests, within } = self.limits?;
        while self.seen.front().is_some_and(|first| at.since(*first) >= within) {
            self.seen.pop_front();
        }
        if self.seen.len() < requests {
            self.seen.push_back(at);
            return None;
        }
        let free = self.seen.front().map_or(at, |first| *first + within);
        let refusal = problem(429, "too many requests")
            .header("retry-after", free.since(at).as_secs() + 1)
            .header("x-ratelimit-limit", requests)
            .header("x-ratelimit-window", within.as_secs())
            .header("x-ratelimit-reset", free.as_seconds() + 1)
            .header("x-ratelimit-tier", "application");
        Some(refusal)
    }
}

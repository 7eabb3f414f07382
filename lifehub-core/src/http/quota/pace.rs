//! How fast a sliding quota is spent, so that no stretch of its window's length ever holds more than the limit.

use std::time::Duration;

use crate::clock::Timestamp;

/// Others may have asked by a clock that is this much ahead, or later, while this request waited for its turn.
const SKEW: Duration = Duration::from_secs(60);

/// How fast the units of a sliding quota come back, and how many may be taken at once.
///
/// It is the generic cell rate algorithm: all that is remembered is one instant, that at which nothing would be owed
/// any more. Between any two instants no more units are granted than `burst`, and one more for every `every` that has
/// passed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Pace {
    /// The time from one unit to the next. At least a microsecond.
    pub every: Duration,
    /// How many units may be taken at once.
    pub burst: u32,
    /// How many of them this request leaves for more urgent ones. Default: 0.
    pub reserve: u32,
}

impl Pace {
    /// So many units at once, then one each `every`.
    pub fn new(every: Duration, burst: u32) -> Self {
        Self { every, burst, reserve: 0 }
    }

    /// The pace at which `limit` units within `per`, counted back from each moment, are never exceeded: after `burst`
    /// at once the rest is spread evenly. A fiftieth of the limit, and at least a unit where there are more than two,
    /// is left for what the network moves together.
    pub(super) fn within(limit: u32, per: Duration, burst: u32) -> Self {
        let rest = limit.saturating_sub(burst);
        let margin = if limit > 2 { (limit / 50).max(1) } else { 0 };
        let every = match rest.saturating_sub(margin).max(rest.min(1)) {
            0 => per + per / 50,
            refill => per / refill,
        };
        // Instants are whole microseconds: rounded down, the pace would be too fast.
        Self::new(
            Duration::from_micros(every.as_nanos().div_ceil(1000).try_into().unwrap_or(u64::MAX)),
            burst,
        )
    }

    /// A pace at which this many units are left for others.
    #[must_use]
    pub fn reserving(mut self, units: u32) -> Self {
        self.reserve = units;
        self
    }

    /// Takes all the units, or none and says how long to wait: the arithmetic of every
    /// [`QuotaLedger::take`](super::QuotaLedger::take). `owed_until` is what the ledger remembers; the first part of
    /// the answer is what it is to remember from now on.
    ///
    /// ```
    /// use std::time::Duration;
    /// use lifehub_core::clock::Timestamp;
    /// use lifehub_core::http::Pace;
    ///
    /// let (pace, now) = (Pace::new(Duration::from_secs(10), 2), Timestamp::from_seconds(1_767_225_600));
    /// let (owed, wait) = pace.take(None, now, 2);
    /// assert_eq!((owed, wait), (now + Duration::from_secs(20), None));
    /// assert_eq!(pace.take(Some(owed), now, 1), (owed, Some(Duration::from_secs(10))));
    /// ```
    pub fn take(
        self,
        owed_until: Option<Timestamp>,
        now: Timestamp,
        units: u32,
    ) -> (Timestamp, Option<Duration>) {
        let PaceTerms { cost, furthest, until } = self.terms(now, units);
        let owed = owed_until.unwrap_or(now).clamp(now, furthest);
        let next = owed + cost;
        if next > until { (owed, Some(next.since(until))) } else { (next, None) }
    }

    /// What a ledger reckons with that does the same in one step of its own, where several processes ask.
    pub fn terms(self, now: Timestamp, units: u32) -> PaceTerms {
        PaceTerms {
            cost: self.every.saturating_mul(units),
            furthest: now + self.every.saturating_mul(self.burst.saturating_add(1)) + SKEW,
            until: now + self.every.saturating_mul(self.burst.saturating_sub(self.reserve)),
        }
    }
}

/// The terms on which units are taken at some moment: what is remembered is first brought between that moment and
/// `furthest`; if it is at most `until` with the `cost` added, that is what is remembered from now on, else all stays and
/// whoever asks waits for the difference.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PaceTerms {
    /// What the units cost.
    pub cost: Duration,
    /// As far as an instant that is remembered may lie ahead: a clock may have been set back.
    pub furthest: Timestamp,
    /// As far ahead as may be spent.
    pub until: Timestamp,
}

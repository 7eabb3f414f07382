//! The meters of one scope: units drawn from a ledger for counted windows, and governor's for sliding ones.

use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use governor::clock::Clock as GovernorClock;
use governor::middleware::NoOpMiddleware;
use governor::nanos::Nanos;
use governor::state::{InMemoryState, NotKeyed};
use governor::{Quota, RateLimiter};

use super::ledger::{QuotaKey, QuotaLedger};
use super::spec::{Aligned, QuotaSpec, Window};
use crate::clock::{Clock, Timestamp};
use crate::error::Result;

/// Our clock, as governor reads one.
#[derive(Debug, Clone)]
struct Ticks(Arc<dyn Clock>);

impl GovernorClock for Ticks {
    type Instant = Nanos;

    fn now(&self) -> Nanos {
        Nanos::from(self.0.monotonic())
    }
}

type Governor = RateLimiter<NotKeyed, InMemoryState, Ticks, NoOpMiddleware<Nanos>>;

/// One quota of one scope.
pub(super) struct Meter {
    pub(super) spec: QuotaSpec,
    /// Units of clock-aligned windows. Every shared quota has them, a connection's own if it is fixed.
    pub(super) counted: Option<Counted>,
    smooth: Option<Smooth>,
}

struct Smooth {
    governor: Governor,
    ticks: Ticks,
    burst: NonZeroU32,
    pace: Duration,
}

impl Meter {
    pub(super) fn new(spec: &QuotaSpec, key: QuotaKey, clock: &Arc<dyn Clock>, shared: bool) -> Self {
        let (counted, smooth) = match spec.window {
            Window::Fixed { every } => (Some(Counted::new(key, every, spec.limit)), None),
            Window::Sliding { per, burst } => {
                let burst = burst.unwrap_or(spec.limit / 4).clamp(1, spec.limit.saturating_sub(1).max(1));
                // A sliding window of length `per` touches at most n + 1 slots of length per / n: with a burst in
                // each, all processes together stay within the limit.
                // (A limit of 1 cannot be cut up; then each process keeps it alone.)
                let slots = (spec.limit / burst).saturating_sub(1).max(1);
                let in_each = burst.min(spec.limit / (slots + 1)).max(1);
                let counted = shared.then(|| Counted::new(key, per / slots, in_each));
                (counted, Smooth::new(per, spec.limit, burst, clock))
            }
        };
        Self { spec: spec.clone(), counted, smooth }
    }

    /// How much one request may weigh at most.
    pub(super) fn largest(&self) -> u32 {
        let counted = self.counted.as_ref().map_or(u32::MAX, |counted| counted.limit);
        let smooth = self.smooth.as_ref().map_or(u32::MAX, |smooth| smooth.burst.get());
        counted.min(smooth)
    }

    /// Takes all the units from governor, or none and says how long to wait.
    pub(super) fn smooth(&self, units: u32) -> Option<Duration> {
        let smooth = self.smooth.as_ref()?;
        match smooth.governor.check_n(NonZeroU32::new(units)?) {
            Ok(Ok(())) => None,
            Ok(Err(until)) => Some(until.wait_time_from(smooth.ticks.now())),
            // More than the burst: `largest` has refused it.
            Err(_) => None,
        }
    }

    /// The time from one unit to the next, by which the tightest quota is asked first.
    pub(super) fn pace(&self) -> Duration {
        self.smooth.as_ref().map_or(Duration::ZERO, |smooth| smooth.pace)
    }
}

impl Smooth {
    fn new(per: Duration, limit: u32, burst: u32, clock: &Arc<dyn Clock>) -> Option<Self> {
        let burst = NonZeroU32::new(burst)?;
        let refill = limit.saturating_sub(burst.get()).max(1);
        let pace = (per / refill).max(Duration::from_nanos(1));
        let quota = Quota::with_period(pace)?.allow_burst(burst);
        let ticks = Ticks(Arc::clone(clock));
        let governor = RateLimiter::direct_with_clock(quota, ticks.clone());
        Some(Self { governor, ticks, burst, pace })
    }
}

/// Units of one clock-aligned window, drawn ahead from a ledger.
pub(super) struct Counted {
    pub(super) key: QuotaKey,
    pub(super) window: Aligned,
    pub(super) limit: u32,
    start: Timestamp,
    held: u32,
    drawn: u32,
    empty: bool,
}

impl Counted {
    fn new(key: QuotaKey, length: Duration, limit: u32) -> Self {
        Self { key, window: Aligned(length), limit, start: Timestamp::EPOCH, held: 0, drawn: 0, empty: false }
    }

    fn turn(&mut self, now: Timestamp) {
        let start = self.window.start(now);
        if start != self.start {
            (self.start, self.held, self.drawn, self.empty) = (start, 0, 0, false);
        }
    }

    /// Sees to it that `units` are held, drawing at least a block; or says when the window ends.
    pub(super) async fn hold(
        &mut self,
        units: u32,
        block: u32,
        now: Timestamp,
        ledger: &dyn QuotaLedger,
    ) -> Result<Option<Timestamp>> {
        self.turn(now);
        if self.held < units && !self.empty {
            let want = (units - self.held).max(block);
            let granted = ledger.draw(&self.key, self.start, want, self.limit).await?;
            self.held += granted;
            self.drawn += granted;
            self.empty = granted < want;
        }
        Ok((self.held < units).then(|| self.window.next(now)))
    }

    pub(super) fn spend(&mut self, units: u32) {
        self.held = self.held.saturating_sub(units);
    }

    /// The provider's own figure for the window of `at`.
    pub(super) async fn reported(
        &mut self,
        used: u32,
        at: Timestamp,
        ledger: &dyn QuotaLedger,
    ) -> Result<()> {
        if self.window.start(at) != self.start {
            return Ok(());
        }
        // What this process drew is in the ledger already.
        if used > self.drawn {
            ledger.used(&self.key, self.start, used).await?;
        }
        if used >= self.limit {
            (self.held, self.empty) = (0, true);
        }
        Ok(())
    }

    /// Whether the provider says that this window is spent.
    pub(super) fn is_spent(&self, at: Timestamp) -> bool {
        self.empty && self.held == 0 && self.window.start(at) == self.start
    }
}

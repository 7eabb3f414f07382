//! The meters of one scope: units drawn from a ledger for fixed windows, and taken one by one for sliding ones.

use std::ops::Range;
use std::time::Duration;

use super::ledger::{QuotaKey, QuotaLedger};
use super::pace::Pace;
use super::spec::{Aligned, QuotaSpec, Window};
use crate::clock::Timestamp;
use crate::error::Result;

/// One quota of one scope.
pub(super) struct Meter {
    pub(super) spec: QuotaSpec,
    pub(super) kind: Kind,
}

pub(super) enum Kind {
    Fixed(Counted),
    Sliding(Paced),
}

impl Meter {
    pub(super) fn new(spec: &QuotaSpec, key: QuotaKey) -> Self {
        let kind = match spec.window {
            Window::Fixed { every } => Kind::Fixed(Counted::new(key, every, spec.limit)),
            Window::Sliding { per, burst } => {
                let burst = burst.unwrap_or((spec.limit / 20).max(1));
                Kind::Sliding(Paced { key, pace: Pace::within(spec.limit, per, burst), refused: None })
            }
        };
        Self { spec: spec.clone(), kind }
    }

    /// How much one request may weigh at most.
    pub(super) fn largest(&self) -> u32 {
        match &self.kind {
            Kind::Fixed(counted) => counted.limit,
            Kind::Sliding(paced) => paced.pace.burst,
        }
    }

    pub(super) fn counted(&self) -> Option<&Counted> {
        match &self.kind {
            Kind::Fixed(counted) => Some(counted),
            Kind::Sliding(_) => None,
        }
    }

    pub(super) fn counted_mut(&mut self) -> Option<&mut Counted> {
        match &mut self.kind {
            Kind::Fixed(counted) => Some(counted),
            Kind::Sliding(_) => None,
        }
    }
}

/// Units of a sliding quota. A ledger grants them when they are spent: one that is spent late would break the window.
pub(super) struct Paced {
    key: QuotaKey,
    pub(super) pace: Pace,
    /// The last refusal: units, reserve, and how long it stands. Of many who wait here, one asks the ledger.
    refused: Option<(u32, u32, Range<Timestamp>)>,
}

impl Paced {
    /// Takes all the units, or none and says how long to wait. Whoever can wait leaves a tenth of the burst.
    pub(super) async fn take(
        &mut self,
        units: u32,
        patient: bool,
        now: Timestamp,
        ledger: &dyn QuotaLedger,
    ) -> Result<Option<Duration>> {
        let Pace { burst, .. } = self.pace;
        let reserve = if patient && burst > 1 { (burst / 10).max(1) } else { 0 };
        if let Some((least, spared, stands)) = &self.refused
            && (units >= *least && reserve >= *spared && stands.contains(&now))
        {
            return Ok(Some(stands.end.since(now)));
        }
        let wait = ledger.take(&self.key, now, units, self.pace.reserving(reserve)).await?;
        self.refused = wait.map(|wait| (units, reserve, now..now + wait));
        Ok(wait)
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
    /// The ledger has no more.
    empty: bool,
    /// It has no more for those who can wait.
    scarce: bool,
}

impl Counted {
    fn new(key: QuotaKey, length: Duration, limit: u32) -> Self {
        let (start, window) = (Timestamp::EPOCH, Aligned(length));
        Self { key, window, limit, start, held: 0, drawn: 0, empty: false, scarce: false }
    }

    fn turn(&mut self, now: Timestamp) {
        let start = self.window.start(now);
        if start != self.start {
            (self.start, self.held, self.drawn) = (start, 0, 0);
            (self.empty, self.scarce) = (false, false);
        }
    }

    /// Sees to it that `units` are held, drawing at least a block; or says from when on it is worth asking again.
    /// Whoever can wait leaves the last tenth of the units until the last tenth of the time.
    pub(super) async fn hold(
        &mut self,
        units: u32,
        block: u32,
        patient: bool,
        now: Timestamp,
        ledger: &dyn QuotaLedger,
    ) -> Result<Option<Timestamp>> {
        if let Some(opens) = self.window.opens(now) {
            return Ok(Some(opens));
        }
        self.turn(now);
        let missing = units.saturating_sub(self.held);
        if missing == 0 {
            return Ok(None);
        }
        let last_tenth = self.window.last_tenth(now);
        let reserve = if patient && now < last_tenth { self.limit / 10 } else { 0 };
        let known = self.empty || (self.scarce && reserve > 0);
        if !known {
            // Of what is left for the urgent, nothing is held ahead: others could take it.
            let want = if self.scarce && !patient { missing } else { missing.max(block) };
            let granted = ledger.draw(&self.key, self.start, want, self.limit - reserve).await?;
            self.held += granted;
            self.drawn += granted;
            if granted < want {
                (self.scarce, self.empty) = (true, reserve == 0);
            }
        }
        let more_at = if self.empty || reserve == 0 { self.window.next(now) } else { last_tenth };
        Ok((self.held < units).then_some(more_at))
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
        if used >= self.limit {
            (self.held, self.empty) = (0, true);
        }
        // What is held here is going to be spent on top of it.
        let used = used.saturating_add(self.held);
        // What this process drew is in the ledger already.
        if used > self.drawn {
            ledger.used(&self.key, self.start, used).await?;
        }
        Ok(())
    }

    /// Whether the provider says that this window is spent.
    pub(super) fn is_spent(&self, at: Timestamp) -> bool {
        self.empty && self.held == 0 && self.window.start(at) == self.start
    }
}

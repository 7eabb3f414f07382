//! The quotas that one scope shares: those of an app, or of one connection.

use std::sync::Arc;
use std::time::Duration;

use http::HeaderMap;

use super::ledger::QuotaLedger;
use super::meter::{Counted, Kind, Meter, Paced};
use crate::clock::Timestamp;
use crate::error::{Error, ErrorKind, Result};

/// What a request wants to spend.
pub(super) struct Want<'a> {
    pub(super) path: &'a str,
    pub(super) weight: u32,
    /// It can wait, and leaves what is scarce to others.
    pub(super) patient: bool,
}

/// How long to wait, and why.
pub(super) struct Wait {
    pub(super) time: Duration,
    pub(super) reason: String,
}

impl Wait {
    fn of(meter: &str, time: Duration) -> Self {
        Self { time, reason: format!("the quota {meter:?} is spent") }
    }
}

/// When a fixed window ends, and whether the provider said that it is spent.
pub(super) struct End {
    pub(super) at: Timestamp,
    pub(super) spent: bool,
}

/// Sliding units that a request has taken, and when (monotonic), while it waits for others.
pub(super) type Paid = Vec<(Arc<str>, Duration)>;

/// The quotas that one scope shares.
pub(super) struct Group {
    meters: Vec<Meter>,
    ledger: Arc<dyn QuotaLedger>,
    block: u32,
    /// Several connections spend them, so that the patient make way.
    shared: bool,
}

impl Group {
    pub(super) fn new(meters: Vec<Meter>, ledger: Arc<dyn QuotaLedger>, shared: bool) -> Self {
        let tightest = meters.iter().filter_map(Meter::counted).map(|counted| counted.limit).min();
        // A hundredth: what ten processes hold and do not use is less than a tenth of the window.
        let block = (tightest.unwrap_or(1) / 100).max(1);
        Self { meters, ledger, block, shared }
    }

    async fn hold(&mut self, want: &Want<'_>, now: Timestamp) -> Result<Option<Wait>> {
        let mut longest: Option<Wait> = None;
        let patient = want.patient && self.shared;
        for meter in self.meters.iter_mut().filter(|meter| meter.spec.concerns(want.path)) {
            if want.weight > meter.largest() {
                let (weight, name) = (want.weight, &meter.spec.name);
                let text = format!("a request of weight {weight} never fits the quota {name:?}");
                return Err(Error::new(ErrorKind::Invalid, text)
                    .hint("raise the quota's limit, or its burst if it is a sliding one"));
            }
            let Kind::Fixed(counted) = &mut meter.kind else { continue };
            let held = counted.hold(want.weight, self.block, patient, now, self.ledger.as_ref()).await?;
            if let Some(time) = held.map(|until| until.since(now))
                && longest.as_ref().is_none_or(|wait| wait.time < time)
            {
                longest = Some(Wait::of(&meter.spec.name, time));
            }
        }
        Ok(longest)
    }

    /// Spends what is held.
    pub(super) fn spend(&mut self, want: &Want<'_>) {
        let concerned = self.meters.iter_mut().filter(|meter| meter.spec.concerns(want.path));
        concerned.filter_map(Meter::counted_mut).for_each(|counted| counted.spend(want.weight));
    }

    /// Reads the provider's figures. Answers with the time for which a sliding quota, whose window the provider calls
    /// spent, is left alone: that in which its burst comes back.
    pub(super) async fn learn(
        &mut self,
        path: &str,
        headers: &HeaderMap,
        sent: Timestamp,
    ) -> Result<Option<Duration>> {
        let mut rest = None;
        for Meter { spec, kind } in self.meters.iter_mut().filter(|meter| meter.spec.concerns(path)) {
            let report = spec.report.as_ref();
            match (report.and_then(|report| report.read(headers, spec.limit)), kind) {
                (Some(used), Kind::Fixed(counted)) => {
                    counted.reported(used, sent, self.ledger.as_ref()).await?;
                }
                (Some(used), Kind::Sliding(paced)) if used >= spec.limit => {
                    rest = rest.max(Some(paced.pace.every.saturating_mul(paced.pace.burst)));
                }
                _ => {}
            }
        }
        Ok(rest)
    }

    /// When the fixed windows that concern the path end.
    pub(super) fn ends(&self, path: &str, now: Timestamp) -> Vec<End> {
        let concerned = self.meters.iter().filter(|meter| meter.spec.concerns(path));
        let end = |counted: &Counted| End { at: counted.window.next(now), spent: counted.is_spent(now) };
        concerned.filter_map(Meter::counted).map(end).collect()
    }
}

/// Sees to it that all units of fixed windows are there; nothing is spent yet.
pub(super) async fn hold(groups: &mut [&mut Group], want: &Want<'_>, now: Timestamp) -> Result<Option<Wait>> {
    let mut longest: Option<Wait> = None;
    for group in groups {
        let wait = group.hold(want, now).await?;
        longest = [longest, wait].into_iter().flatten().max_by_key(|wait| wait.time);
    }
    Ok(longest)
}

/// Takes the units of all sliding quotas, each once: `paid` remembers which over the waits.
pub(super) async fn take(
    groups: &mut [&mut Group],
    want: &Want<'_>,
    paid: &mut Paid,
    now: Timestamp,
    monotonic: Duration,
) -> Result<Option<Wait>> {
    let mut all: Vec<(&str, &mut Paced, &dyn QuotaLedger, bool)> = Vec::new();
    for group in groups {
        let Group { meters, ledger, shared, .. } = &mut **group;
        let ledger: &dyn QuotaLedger = &**ledger;
        for Meter { spec, kind } in meters.iter_mut().filter(|meter| meter.spec.concerns(want.path)) {
            if let Kind::Sliding(paced) = kind {
                all.push((&spec.name, paced, ledger, *shared));
            }
        }
    }
    // The slowest first: while a unit of it is held, a wait for a faster one is short.
    all.sort_by_key(|(_, paced, ..)| std::cmp::Reverse(paced.pace.every));
    for (name, paced, ledger, shared) in all {
        // Spent later than that, it would be counted in another stretch of time than it was taken in.
        paid.retain(|(of, at)| **of != *name || monotonic.saturating_sub(*at) < paced.pace.every);
        if paid.iter().any(|(of, _)| **of == *name) {
            continue;
        }
        if let Some(time) = paced.take(want.weight, want.patient && shared, now, ledger).await? {
            return Ok(Some(Wait::of(name, time)));
        }
        paid.push((name.into(), monotonic));
    }
    Ok(None)
}

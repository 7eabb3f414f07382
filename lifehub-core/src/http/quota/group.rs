//! The quotas that one scope shares: those of an app, or of one connection.

use std::sync::Arc;
use std::time::Duration;

use http::HeaderMap;

use super::ledger::QuotaLedger;
use super::meter::Meter;
use super::spec::Window;
use crate::clock::Timestamp;
use crate::error::{Error, ErrorKind, Result};

/// How long to wait, and why.
pub(super) struct Wait {
    pub(super) time: Duration,
    pub(super) reason: String,
}

/// When a fixed window ends, and whether the provider said that it is spent.
pub(super) struct End {
    pub(super) at: Timestamp,
    pub(super) spent: bool,
}

/// The quotas that one scope shares.
pub(super) struct Group {
    meters: Vec<Meter>,
    ledger: Arc<dyn QuotaLedger>,
    block: u32,
}

impl Group {
    pub(super) fn new(mut meters: Vec<Meter>, ledger: Arc<dyn QuotaLedger>) -> Self {
        // The tightest first: if it refuses, nothing was taken from the others.
        meters.sort_by_key(|meter| std::cmp::Reverse(meter.pace()));
        let tightest = meters.iter().filter_map(|meter| meter.counted.as_ref().map(|c| c.limit)).min();
        Self { meters, ledger, block: (tightest.unwrap_or(1) / 20).max(1) }
    }

    /// Sees to it that all counted units are there; nothing is spent yet.
    pub(super) async fn hold(&mut self, path: &str, weight: u32, now: Timestamp) -> Result<Option<Wait>> {
        let mut longest: Option<Wait> = None;
        for meter in self.meters.iter_mut().filter(|meter| meter.spec.concerns(path)) {
            if weight > meter.largest() {
                let text = format!("a request of weight {weight} never fits the quota {:?}", meter.spec.name);
                return Err(Error::new(ErrorKind::Invalid, text));
            }
            let Some(counted) = &mut meter.counted else { continue };
            let Some(until) = counted.hold(weight, self.block, now, self.ledger.as_ref()).await? else {
                continue;
            };
            let time = until.since(now);
            if longest.as_ref().is_none_or(|wait| wait.time < time) {
                longest = Some(Wait { time, reason: format!("the quota {:?} is spent", meter.spec.name) });
            }
        }
        Ok(longest)
    }

    /// Takes the units of sliding quotas, each once: `paid` remembers which over the waits.
    pub(super) fn smooth(&self, path: &str, weight: u32, paid: &mut Vec<Arc<str>>) -> Option<Wait> {
        for meter in self.meters.iter().filter(|meter| meter.spec.concerns(path)) {
            if paid.iter().any(|name| **name == *meter.spec.name) {
                continue;
            }
            if let Some(time) = meter.smooth(weight) {
                return Some(Wait { time, reason: format!("the quota {:?} is spent", meter.spec.name) });
            }
            paid.push(meter.spec.name.as_ref().into());
        }
        None
    }

    /// Spends what is held.
    pub(super) fn spend(&mut self, path: &str, weight: u32) {
        let concerned = self.meters.iter_mut().filter(|meter| meter.spec.concerns(path));
        concerned.filter_map(|meter| meter.counted.as_mut()).for_each(|counted| counted.spend(weight));
    }

    /// Reads the provider's figures.
    pub(super) async fn learn(&mut self, path: &str, headers: &HeaderMap, sent: Timestamp) -> Result<()> {
        for meter in self.meters.iter_mut().filter(|meter| meter.spec.concerns(path)) {
            // A figure over a sliding window says nothing about the slots in which we count it.
            let (Window::Fixed { .. }, Some(report)) = (meter.spec.window, &meter.spec.report) else {
                continue;
            };
            let (Some(used), Some(counted)) = (report.read(headers, meter.spec.limit), &mut meter.counted)
            else {
                continue;
            };
            counted.reported(used, sent, self.ledger.as_ref()).await?;
        }
        Ok(())
    }

    /// When the fixed windows that concern the path end.
    pub(super) fn ends(&self, path: &str, now: Timestamp) -> Vec<End> {
        let fixed = self
            .meters
            .iter()
            .filter(|meter| matches!(meter.spec.window, Window::Fixed { .. }) && meter.spec.concerns(path));
        fixed
            .filter_map(|meter| meter.counted.as_ref())
            .map(|counted| End { at: counted.window.next(now), spent: counted.is_spent(now) })
            .collect()
    }
}

//! Where the counts of quotas live that several processes share.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;

use super::pace::Pace;
use crate::clock::Timestamp;
use crate::error::Result;

/// Whose count it is.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub struct QuotaKey {
    /// The provider's id.
    pub provider: Arc<str>,
    /// The quota's name; empty for the gate that a provider's "slow down" closes.
    pub quota: Arc<str>,
    /// Who shares it: the app's id, or the connection's.
    pub scope: Arc<str>,
}

impl QuotaKey {
    /// A key of these three.
    pub fn new(
        provider: impl Into<Arc<str>>,
        quota: impl Into<Arc<str>>,
        scope: impl Into<Arc<str>>,
    ) -> Self {
        Self { provider: provider.into(), quota: quota.into(), scope: scope.into() }
    }
}

/// Counts of quotas and closed gates. Each call is atomic over all processes that share the ledger.
///
/// A ledger may forget a window that it was not asked for lately; such a window starts at zero again. It keeps more than
/// the latest one, as clocks differ between machines, and are set.
#[async_trait]
pub trait QuotaLedger: Send + Sync {
    /// Takes up to `want` units out of a window of `limit` units, and says how many it got. What was drawn and not
    /// used ends with its window.
    ///
    /// # Errors
    /// If the ledger cannot be reached.
    async fn draw(&self, key: &QuotaKey, window_start: Timestamp, want: u32, limit: u32) -> Result<u32>;

    /// Raises the count of a window to what the provider says; never lowers it.
    ///
    /// # Errors
    /// If the ledger cannot be reached.
    async fn used(&self, key: &QuotaKey, window_start: Timestamp, used: u32) -> Result<()>;

    /// Takes all these units of a sliding quota at this pace, or none and says how long to wait before asking again.
    /// [`Pace::take`] does the arithmetic; the ledger remembers its instant, one for each key.
    ///
    /// # Errors
    /// If the ledger cannot be reached.
    async fn take(&self, key: &QuotaKey, now: Timestamp, units: u32, pace: Pace) -> Result<Option<Duration>>;

    /// Closes a gate until then, or longer if it already is.
    ///
    /// # Errors
    /// If the ledger cannot be reached.
    async fn block(&self, key: &QuotaKey, until: Timestamp) -> Result<()>;

    /// Until when a gate is closed; an instant in the past is as good as none.
    ///
    /// # Errors
    /// If the ledger cannot be reached.
    async fn blocked_until(&self, key: &QuotaKey) -> Result<Option<Timestamp>>;
}

/// A ledger for one process. It forgets everything when the process ends.
#[derive(Debug, Default)]
pub struct MemoryLedger(Mutex<State>);

/// How many windows of a key are remembered.
const WINDOWS: usize = 4;

#[derive(Debug, Default)]
struct State {
    /// Start and count of each key's windows, the one asked for last at the end.
    counts: HashMap<QuotaKey, Vec<(Timestamp, u32)>>,
    owed: HashMap<QuotaKey, Timestamp>,
    gates: HashMap<QuotaKey, Timestamp>,
}

impl State {
    fn count(&mut self, key: &QuotaKey, start: Timestamp) -> &mut u32 {
        let windows = self.counts.entry(key.clone()).or_default();
        let known = windows.iter().position(|(known, _)| *known == start);
        let window = known.map_or((start, 0), |at| windows.remove(at));
        if windows.len() == WINDOWS {
            windows.remove(0);
        }
        windows.push(window);
        let last = windows.len() - 1;
        &mut windows[last].1
    }
}

impl MemoryLedger {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl QuotaLedger for MemoryLedger {
    async fn draw(&self, key: &QuotaKey, window_start: Timestamp, want: u32, limit: u32) -> Result<u32> {
        let mut state = self.lock();
        let used = state.count(key, window_start);
        let granted = want.min(limit.saturating_sub(*used));
        *used += granted;
        Ok(granted)
    }

    async fn used(&self, key: &QuotaKey, window_start: Timestamp, figure: u32) -> Result<()> {
        let mut state = self.lock();
        let used = state.count(key, window_start);
        *used = figure.max(*used);
        Ok(())
    }

    async fn take(&self, key: &QuotaKey, now: Timestamp, units: u32, pace: Pace) -> Result<Option<Duration>> {
        let mut state = self.lock();
        let (owed, wait) = pace.take(state.owed.get(key).copied(), now, units);
        state.owed.insert(key.clone(), owed);
        Ok(wait)
    }

    async fn block(&self, key: &QuotaKey, until: Timestamp) -> Result<()> {
        let mut state = self.lock();
        let gate = state.gates.entry(key.clone()).or_insert(until);
        *gate = until.max(*gate);
        Ok(())
    }

    async fn blocked_until(&self, key: &QuotaKey) -> Result<Option<Timestamp>> {
        Ok(self.lock().gates.get(key).copied())
    }
}

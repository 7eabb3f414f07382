//! Spending a provider's quotas once: over all connections of an app, in all processes.
//!
//! Shared counts live in a [`QuotaLedger`]. Those of fixed windows are drawn in blocks, those of sliding ones taken at a
//! pace; and a gate, closed by the provider's own "slow down", stands before both. What is scarce goes to news first, to
//! history last.

mod group;
mod ledger;
mod meter;
mod pace;
mod spec;

use std::collections::{HashMap, HashSet};
use std::fmt;
use std::sync::{Arc, PoisonError};
use std::time::Duration;

use http::HeaderMap;
use tokio::sync::Mutex;

use super::breaker::Breaker;
use super::later::{self, FURTHEST};
use super::message::Priority;
use super::retry::{Budget, LONGEST_WAIT};
use crate::clock::{Clock, Rng, Timestamp};
use crate::error::{Error, ErrorKind, Result};
use group::{Group, Paid, Wait, Want};
pub use ledger::{MemoryLedger, QuotaKey, QuotaLedger};
use meter::Meter;
pub use pace::{Pace, PaceTerms};
pub use spec::{QuotaReport, QuotaScope, QuotaSpec, Window};

/// Those who wait for the same gate come back over this time, not all at once.
const SPREAD: Duration = Duration::from_secs(1);

/// The quotas of one provider and app, shared by all of its connections in this process; they also share how often they
/// try again, and that a provider which is down is left alone.
pub struct Quotas {
    provider: Arc<str>,
    app: Arc<str>,
    specs: Vec<QuotaSpec>,
    enforced: bool,
    ledger: Arc<dyn QuotaLedger>,
    clock: Arc<dyn Clock>,
    rng: Arc<Rng>,
    breaker: Breaker,
    budget: Budget,
    shared: Mutex<Group>,
    own: std::sync::Mutex<HashMap<Arc<str>, Own>>,
}

/// A connection's own quotas, and when they were last asked for.
struct Own {
    group: Arc<Mutex<Group>>,
    last: Duration,
}

impl Quotas {
    /// The quotas of a provider's app, shared over this ledger. `app` tells apps of one provider apart, as their
    /// client ids do.
    ///
    /// # Errors
    /// [`ErrorKind::Invalid`] if a quota makes no sense, or two have the same name.
    pub fn new(
        provider: impl Into<Arc<str>>,
        app: impl Into<Arc<str>>,
        specs: Vec<QuotaSpec>,
        ledger: Arc<dyn QuotaLedger>,
        clock: Arc<dyn Clock>,
        rng: Arc<Rng>,
    ) -> Result<Self> {
        let mut names = HashSet::new();
        for spec in &specs {
            spec.check()?;
            if !names.insert(&spec.name) {
                return Err(Error::new(ErrorKind::Invalid, format!("two quotas are named {:?}", spec.name)));
            }
        }
        Ok(Self::unchecked(provider.into(), app.into(), specs, ledger, clock, rng))
    }

    /// No quotas, for providers that declare none: only what the provider itself asks for is obeyed, by each
    /// connection on its own.
    pub fn none(clock: Arc<dyn Clock>, rng: Arc<Rng>) -> Self {
        Self::unchecked("".into(), "".into(), vec![], Arc::new(MemoryLedger::default()), clock, rng)
    }

    fn unchecked(
        provider: Arc<str>,
        app: Arc<str>,
        specs: Vec<QuotaSpec>,
        ledger: Arc<dyn QuotaLedger>,
        clock: Arc<dyn Clock>,
        rng: Arc<Rng>,
    ) -> Self {
        let shared = group(&provider, &specs, QuotaScope::App, &app, Arc::clone(&ledger));
        Self {
            breaker: Breaker::new(Arc::clone(&clock), Arc::clone(&rng)),
            budget: Budget::full(),
            shared: Mutex::new(shared),
            own: std::sync::Mutex::default(),
            enforced: true,
            provider,
            app,
            specs,
            ledger,
            clock,
            rng,
        }
    }

    /// Whether the provider is up.
    pub(in crate::http) fn breaker(&self) -> &Breaker {
        &self.breaker
    }

    /// How many retries are left.
    pub(in crate::http) fn budget(&self) -> &Budget {
        &self.budget
    }

    /// Counts nothing any more, as an operator may wish (`quotas = "off"`); what the provider itself asks for is still obeyed.
    #[must_use]
    pub fn off(mut self) -> Self {
        self.enforced = false;
        self
    }

    /// Spends `weight` units in every quota that concerns the path, waiting up to [`LONGEST_WAIT`] for them. Of what the
    /// connections share, a backfill leaves about a tenth: of a fixed window's units until the last tenth of its time,
    /// of a sliding one's burst always.
    ///
    /// # Errors
    /// [`ErrorKind::Parked`], with the time to resume at, if the wait would be longer; the ledger's errors.
    pub async fn acquire(&self, connection: &str, path: &str, weight: u32, priority: Priority) -> Result<()> {
        let want = Want { path, weight, patient: priority == Priority::Backfill };
        let start = self.clock.monotonic();
        let own = self.own(connection);
        let mut paid = Paid::new();
        loop {
            let Some(wait) = self.try_acquire(connection, own.as_deref(), &want, &mut paid).await? else {
                return Ok(());
            };
            let waited = self.clock.monotonic().saturating_sub(start);
            if waited + wait.time > LONGEST_WAIT {
                let at = self.clock.now() + wait.time;
                let text = format!("{}; work resumes at {at}", wait.reason);
                return Err(Error::new(ErrorKind::Parked, text).at(at));
            }
            tracing::debug!(provider = %self.provider, wait_ms = wait.time.as_millis() as u64, reason = %wait.reason, "waiting for quota");
            self.clock.sleep(wait.time).await;
        }
    }

    async fn try_acquire(
        &self,
        connection: &str,
        own: Option<&Mutex<Group>>,
        want: &Want<'_>,
        paid: &mut Paid,
    ) -> Result<Option<Wait>> {
        let now = self.clock.now();
        if let Some(until) = self.ledger.blocked_until(&self.gate(connection)).await?
            && until > now
        {
            paid.clear();
            let time = until.since(now) + self.rng.up_to(SPREAD);
            return Ok(Some(Wait { time, reason: "the provider asked to slow down".into() }));
        }
        if !self.enforced || want.weight == 0 {
            return Ok(None);
        }
        let mut shared = self.shared.lock().await;
        let mut own = match own {
            Some(own) => Some(own.lock().await),
            None => None,
        };
        let mut groups: Vec<&mut Group> = std::iter::once(&mut *shared).chain(own.as_deref_mut()).collect();
        // Nothing is spent before all of it is there, so that nothing is lost by waiting for the rest.
        if let Some(wait) = group::hold(&mut groups, want, self.clock.now()).await? {
            // What was paid before a long wait would come out in one burst after it.
            paid.clear();
            return Ok(Some(wait));
        }
        let (now, monotonic) = (self.clock.now(), self.clock.monotonic());
        if let Some(wait) = group::take(&mut groups, want, paid, now, monotonic).await? {
            return Ok(Some(wait));
        }
        // A ledger that took its time may have taken it past the border of a window.
        let wait = group::hold(&mut groups, want, self.clock.now()).await?;
        if wait.is_none() {
            groups.iter_mut().for_each(|group| group.spend(want));
        }
        Ok(wait)
    }

    /// Reads the provider's own figures out of an answer's headers. If they say that nothing remains, and until when, the
    /// gate closes for everyone whom it concerns.
    ///
    /// # Errors
    /// If the ledger cannot be reached.
    pub async fn learn(
        &self,
        connection: &str,
        path: &str,
        headers: &HeaderMap,
        sent: Timestamp,
    ) -> Result<()> {
        let now = self.clock.now();
        let mut closed = later::spent_until(headers, now);
        if self.enforced && self.specs.iter().any(|spec| spec.report.is_some()) {
            let mut rest = self.shared.lock().await.learn(path, headers, sent).await?;
            if let Some(own) = self.own(connection) {
                rest = rest.max(own.lock().await.learn(path, headers, sent).await?);
            }
            closed = closed.max(rest.map(|rest| now + rest));
        }
        match closed {
            Some(until) => self.ledger.block(&self.gate(connection), until).await,
            None => Ok(()),
        }
    }

    /// Closes the gate because the provider asked to slow down, for everyone whom it concerns. Without a time from
    /// the provider a fixed window counts as spent: those that it reports as spent, else the shortest. No wait is longer
    /// than 32 days. Answers with the time until which the gate is closed.
    ///
    /// # Errors
    /// If the ledger cannot be reached.
    pub async fn slow_down(
        &self,
        connection: &str,
        path: &str,
        until: Option<Timestamp>,
    ) -> Result<Option<Timestamp>> {
        let now = self.clock.now();
        let until = match until {
            Some(until) => Some(until.min(now + FURTHEST)),
            None => {
                let mut ends = self.shared.lock().await.ends(path, now);
                if let Some(own) = self.own(connection) {
                    ends.extend(own.lock().await.ends(path, now));
                }
                let spent = ends.iter().filter(|end| end.spent).map(|end| end.at).max();
                spent.or_else(|| ends.iter().map(|end| end.at).min())
            }
        };
        if let Some(until) = until {
            self.ledger.block(&self.gate(connection), until).await?;
        }
        Ok(until)
    }

    /// A provider that counts by app throttles the app; one that does not, the connection.
    fn gate(&self, connection: &str) -> QuotaKey {
        let by_app = self.specs.iter().any(|spec| spec.scope == QuotaScope::App);
        let scope = if by_app { Arc::clone(&self.app) } else { connection.into() };
        QuotaKey::new(Arc::clone(&self.provider), "", scope)
    }

    fn own(&self, connection: &str) -> Option<Arc<Mutex<Group>>> {
        let mine = || self.specs.iter().filter(|spec| spec.scope == QuotaScope::Connection);
        let longest = mine().map(QuotaSpec::length).max()?;
        let now = self.clock.monotonic();
        let mut all = self.own.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(own) = all.get_mut(connection) {
            own.last = now;
            return Some(Arc::clone(&own.group));
        }
        // Whoever was not asked for during the longest window has nothing left to remember.
        all.retain(|_, own| now.saturating_sub(own.last) <= longest || Arc::strong_count(&own.group) > 1);
        let scope: Arc<str> = connection.into();
        let ledger = Arc::new(MemoryLedger::default());
        let group = group(&self.provider, &self.specs, QuotaScope::Connection, &scope, ledger);
        let group = Arc::new(Mutex::new(group));
        all.insert(scope, Own { group: Arc::clone(&group), last: now });
        Some(group)
    }
}

/// The quotas of this scope.
fn group(
    provider: &Arc<str>,
    specs: &[QuotaSpec],
    scope: QuotaScope,
    id: &Arc<str>,
    ledger: Arc<dyn QuotaLedger>,
) -> Group {
    let meter = |spec: &QuotaSpec| {
        Meter::new(spec, QuotaKey::new(Arc::clone(provider), spec.name.as_ref(), Arc::clone(id)))
    };
    let meters = specs.iter().filter(|spec| spec.scope == scope).map(meter).collect();
    Group::new(meters, ledger, scope == QuotaScope::App)
}

impl fmt::Debug for Quotas {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { provider, specs, enforced, breaker, .. } = self;
        f.debug_struct("Quotas")
            .field("provider", provider)
            .field("specs", specs)
            .field("enforced", enforced)
            .field("breaker", breaker)
            .finish()
    }
}

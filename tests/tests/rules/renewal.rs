//! A provider that renews credentials as a test says, and a vault that takes them when a test lets it.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use lifehub_core::clock::{Clock, ManualClock};
use lifehub_core::memory::MemoryStore;
use lifehub_core::oauth::{Held, RefreshClaim, RefreshTicket, Refresher, Renewal, Standing, Vault};
use lifehub_core::record::ConnectionId;
use lifehub_core::secret::{Credentials, Secret};
use lifehub_core::{Error, ErrorKind, Result};
use tokio::sync::Semaphore;

use crate::rig::start;

pub(crate) fn id() -> ConnectionId {
    ConnectionId::from_bytes([1; 16])
}

/// How long a token is good that the provider hands out.
pub(crate) const LIFE: Duration = Duration::from_secs(6 * 3600);

/// Hands out numbered pairs in the order of the calls, good for [`LIFE`].
pub(crate) struct Provider {
    pub(crate) clock: Arc<ManualClock>,
    calls: AtomicU32,
    failures: Mutex<VecDeque<ErrorKind>>,
    /// A call is answered when there is a permit.
    answers: Semaphore,
    /// A permit for each call.
    pub(crate) asked: Semaphore,
    limit: Duration,
}

impl Provider {
    /// One that answers at once.
    pub(crate) fn new(clock: Arc<ManualClock>) -> Self {
        Self {
            clock,
            calls: AtomicU32::new(0),
            failures: Mutex::default(),
            answers: Semaphore::new(1000),
            asked: Semaphore::new(0),
            limit: Duration::from_secs(30),
        }
    }

    /// One that answers when it is let.
    pub(crate) fn waiting(clock: Arc<ManualClock>) -> Self {
        Self { answers: Semaphore::new(0), ..Self::new(clock) }
    }

    /// One that may take so long.
    pub(crate) fn limit(mut self, limit: Duration) -> Self {
        self.limit = limit;
        self
    }

    pub(crate) fn calls(&self) -> u32 {
        self.calls.load(Ordering::SeqCst)
    }

    /// The next calls fail like this.
    pub(crate) fn fail(&self, kinds: impl IntoIterator<Item = ErrorKind>) {
        self.failures.lock().unwrap().extend(kinds);
    }

    /// Lets one call be answered.
    pub(crate) fn answer(&self) {
        self.answers.add_permits(1);
    }

    /// Waits for the next call.
    pub(crate) async fn is_asked(&self) {
        self.asked.acquire().await.unwrap().forget();
    }
}

#[async_trait]
impl Renewal for Provider {
    fn time_limit(&self) -> Duration {
        self.limit
    }

    async fn renew(&self, old: &Credentials) -> Result<Credentials> {
        let call = self.calls.fetch_add(1, Ordering::SeqCst) + 1;
        assert!(old.get("refresh_token").is_some());
        self.asked.add_permits(1);
        self.answers.acquire().await.unwrap().forget();
        if let Some(kind) = self.failures.lock().unwrap().pop_front() {
            return Err(Error::new(kind, "not now"));
        }
        Ok(pair(&format!("access {call}"), &self.clock))
    }
}

/// A pair that was handed out now.
pub(crate) fn pair(access: &str, clock: &ManualClock) -> Credentials {
    [
        ("access_token", access.to_owned()),
        ("refresh_token", format!("refresh for {access}")),
        ("expires_at", (clock.now() + LIFE).to_string()),
        ("expires_in", LIFE.as_secs().to_string()),
    ]
    .into_iter()
    .fold(Credentials::none(), |all, (name, text)| all.with(name, Secret::new(text)))
}

pub(crate) fn access(credentials: &Credentials) -> &str {
    credentials.get("access_token").unwrap().expose()
}

/// A connection in memory whose first pair was just handed out.
pub(crate) struct Account {
    pub(crate) clock: Arc<ManualClock>,
    pub(crate) store: Arc<MemoryStore>,
    pub(crate) notices: Arc<AtomicU32>,
}

impl Account {
    pub(crate) fn new() -> Self {
        let clock = Arc::new(ManualClock::at(start()));
        let store = Arc::new(MemoryStore::with_clock(clock.clone()));
        store.set_credentials(id(), pair("access 0", &clock));
        Self { clock, store, notices: Arc::default() }
    }

    /// As a process has one.
    pub(crate) fn refresher(&self) -> Refresher {
        self.refresher_over(self.store.clone())
    }

    pub(crate) fn refresher_over(&self, vault: Arc<dyn Vault>) -> Refresher {
        let notices = self.notices.clone();
        let notice = move |of| {
            assert_eq!(of, id());
            notices.fetch_add(1, Ordering::SeqCst);
        };
        Refresher::new(vault, self.clock.clone(), notice)
    }

    pub(crate) async fn held(&self) -> Held {
        self.store.credentials(id()).await.unwrap()
    }

    pub(crate) fn notices(&self) -> u32 {
        self.notices.load(Ordering::SeqCst)
    }
}

/// A vault that says when it is to save, and saves when it is let; and whose first claims may be lost before use.
pub(crate) struct Slow {
    pub(crate) store: Arc<MemoryStore>,
    pub(crate) saving: Semaphore,
    pub(crate) may_save: Semaphore,
    /// So many claims are past half of their term before they are used.
    pub(crate) late: AtomicU32,
    pub(crate) claims: AtomicU32,
}

impl Slow {
    pub(crate) fn new(store: Arc<MemoryStore>) -> Self {
        let (saving, may_save) = (Semaphore::new(0), Semaphore::new(0));
        Self { store, saving, may_save, late: AtomicU32::new(0), claims: AtomicU32::new(0) }
    }
}

#[async_trait]
impl Vault for Slow {
    async fn credentials(&self, connection: ConnectionId) -> Result<Held> {
        self.store.credentials(connection).await
    }

    async fn claim_refresh(&self, id: ConnectionId, revision: u64, term: Duration) -> Result<RefreshClaim> {
        self.claims.fetch_add(1, Ordering::SeqCst);
        self.store.claim_refresh(id, revision, term).await
    }

    async fn may_refresh(&self, ticket: &RefreshTicket) -> Result<bool> {
        let is_late =
            self.late.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |n| n.checked_sub(1)).is_ok();
        Ok(!is_late && self.store.may_refresh(ticket).await?)
    }

    async fn save(&self, ticket: &RefreshTicket, credentials: &Credentials) -> Result<bool> {
        self.saving.add_permits(1);
        self.may_save.acquire().await.unwrap().forget();
        self.store.save(ticket, credentials).await
    }

    async fn release_refresh(&self, ticket: &RefreshTicket) -> Result<()> {
        self.store.release_refresh(ticket).await
    }

    async fn set_standing(&self, id: ConnectionId, revision: u64, standing: Standing) -> Result<bool> {
        self.store.set_standing(id, revision, standing).await
    }
}

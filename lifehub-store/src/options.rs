//! How a store is opened.

use std::sync::Arc;
use std::time::Duration;

use lifehub_core::clock::{Clock, Rng, SystemClock};

use crate::key::KeySource;

/// How a store is opened: where its master key comes from, and what tests replace.
#[derive(Debug, Clone)]
pub struct OpenOptions {
    pub(crate) key: KeySource,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) rng: Arc<Rng>,
    pub(crate) term: Duration,
    pub(crate) busy_timeout: Duration,
    pub(crate) connections: u32,
}

impl OpenOptions {
    /// The defaults: the machine's clock, leases of 30 seconds.
    pub fn new(key: KeySource) -> Self {
        Self {
            key,
            clock: Arc::new(SystemClock::default()),
            rng: Arc::new(Rng::from_entropy()),
            term: Duration::from_secs(30),
            busy_timeout: Duration::from_secs(10),
            connections: 8,
        }
    }

    /// Sets the clock that dates what the store makes itself. Leases follow the database's own clock.
    #[must_use]
    pub fn clock(mut self, clock: Arc<dyn Clock>) -> Self {
        self.clock = clock;
        self
    }

    /// Sets where the ids of users and connections come from. Keys and nonces come from the operating system.
    #[must_use]
    pub fn rng(mut self, rng: Arc<Rng>) -> Self {
        self.rng = rng;
        self
    }

    /// Sets for how long a claim or renewal of a lease holds.
    #[must_use]
    pub fn lease_term(mut self, term: Duration) -> Self {
        self.term = term;
        self
    }

    /// Sets how long a write waits for another process's transaction before it gives up; on a server also how long a
    /// statement may take, and how long a free connection is waited for.
    #[must_use]
    pub fn busy_timeout(mut self, timeout: Duration) -> Self {
        self.busy_timeout = timeout;
        self
    }

    /// Sets how many connections to a server this process uses at most, besides one that listens. Default: 8. SQLite has
    /// its own number.
    #[must_use]
    pub fn connections(mut self, most: u32) -> Self {
        self.connections = most.max(1);
        self
    }
}

//! A simulated account on a server, and engines that read it into a store in memory.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use lifehub_core::clock::{ManualClock, Rng, Timestamp, Zone};
use lifehub_core::connector::Connector;
use lifehub_core::engine::{Connection, Engine, Operator, Storage};
use lifehub_core::http::{ReqwestTransport, Transport};
use lifehub_core::memory::{MemoryRecord, MemoryStore};
use lifehub_core::record::{ConnectionId, UserId};
use lifehub_core::registry::Registry;
use lifehub_core::secret::{Credentials, Secret};
use serde_json::{Value, json};

use crate::account::{Access, Account};
use crate::message::Simulator;
use crate::server::Server;
use crate::suite::Failure;

/// What a connector's own tests stand on: a simulated account on a server, the real HTTP stack and engine, a store in
/// memory, and a clock that no one waits for.
///
/// ```
/// # use lifehub_core::engine::SyncOptions;
/// # use lifehub_core::connector::Connector;
/// # use lifehub_testkit::Account;
/// # async fn example<C: Connector, A: Account>(connector: C, simulator: A) {
/// use lifehub_testkit::Rig;
///
/// let rig = Rig::new(connector, simulator.into(), "2026-08-10T12:00:00Z".parse().unwrap()).unwrap();
/// let report = rig.engine().sync(&rig.connection, &SyncOptions::default()).await.unwrap();
/// assert_eq!(report.totals().inserted, rig.records("").len() as u64);
/// # }
/// ```
pub struct Rig<A: ?Sized> {
    /// The account.
    pub simulator: Arc<A>,
    /// The time of server, engines and store.
    pub clock: Arc<ManualClock>,
    /// Where the account is.
    pub server: Server,
    /// What is stored.
    pub store: Arc<MemoryStore>,
    /// The connection to the account. Secret settings lie sealed among its credentials.
    pub connection: Connection,
    /// What the operator sets for the provider: its address, without quotas, and the app at its consent page.
    pub operator: Value,
    /// How engines reach the server. It has no certificates: a test of other hosts brings its own.
    pub transport: Arc<dyn Transport>,
    connector: Arc<dyn Connector>,
    /// Another one for each engine, so that no two make the same ids.
    seed: AtomicU64,
}

impl<A: Account + ?Sized> Rig<A> {
    /// The account at this instant, connected by the credentials that it hands out itself.
    ///
    /// # Errors
    /// If the system gives the server no port, or the connector does not take the account's settings.
    pub fn new(connector: impl Connector, simulator: Arc<A>, now: Timestamp) -> Result<Self, Failure> {
        Self::behind(connector, simulator.clone(), simulator, now)
    }

    /// The same behind a server that is not quite the simulator.
    ///
    /// # Errors
    /// As [`Rig::new`].
    pub fn behind(
        connector: impl Connector,
        simulator: Arc<A>,
        server: impl Simulator,
        now: Timestamp,
    ) -> Result<Self, Failure> {
        let clock = Arc::new(ManualClock::at(now));
        let server = Server::builder().clock(clock.clone()).start(server)?;
        let Access { base_url, credentials, mut settings, oauth } = simulator.access(&server.url());
        let schema = &connector.manifest().settings;
        schema.check(&settings)?;
        let credentials = schema.seal(&mut settings, credentials);
        let rng = Rng::seeded(7);
        let connection = Connection {
            id: ConnectionId::new(now, &rng),
            user: UserId::new(now, &rng),
            provider: connector.manifest().id.into(),
            account: None,
            settings,
            zone: Zone::utc(),
        };
        let store = Arc::new(MemoryStore::with_clock(clock.clone()));
        store.set_credentials(connection.id, credentials);
        let mut operator = json!({ "quotas": "off" });
        if let Some(base_url) = base_url {
            operator["base_url"] = json!(base_url);
        }
        if let Some(app) = oauth {
            operator["client_id"] = json!(app.client_id);
            operator["client_secret"] = json!(app.client_secret.as_ref().map(Secret::expose));
            operator["authorize_url"] = json!(app.authorize_url);
            operator["token_url"] = json!(app.token_url);
            operator["revoke_url"] = json!(app.revoke_url);
        }
        Ok(Self {
            simulator,
            clock,
            server,
            store,
            connection,
            operator,
            transport: Arc::new(ReqwestTransport::local()?),
            connector: Arc::new(connector),
            seed: AtomicU64::new(8),
        })
    }

    /// The same with the provider's quotas, which engines spend by the rig's clock.
    #[must_use]
    pub fn with_quotas(mut self) -> Self {
        self.operator.as_object_mut().map(|operator| operator.remove("quotas"));
        self
    }

    /// An engine as a new process has it.
    pub fn engine(&self) -> Engine {
        self.engine_with(self.connector.clone(), self.store.clone(), self.transport.clone())
    }

    /// The same over another storage.
    pub fn engine_over(&self, storage: Arc<dyn Storage>) -> Engine {
        self.engine_with(self.connector.clone(), storage, self.transport.clone())
    }

    /// The same with these parts.
    ///
    /// # Panics
    /// If what the operator sets is no such thing.
    #[expect(clippy::expect_used, reason = "a test whose settings do not count would show nothing")]
    pub fn engine_with(
        &self,
        connector: Arc<dyn Connector>,
        storage: Arc<dyn Storage>,
        transport: Arc<dyn Transport>,
    ) -> Engine {
        let operator = json!({ self.connection.provider.as_str(): self.operator });
        let operator: Operator = serde_json::from_value(operator).expect("the operator's settings");
        Engine::builder(Registry::new().with(connector), storage, transport)
            .clock(self.clock.clone())
            .rng(Rng::seeded(self.seed.fetch_add(1, Ordering::Relaxed)))
            .operator(operator)
            .build()
    }

    /// The credentials from now on.
    pub fn set_credentials(&self, credentials: Credentials) {
        self.store.set_credentials(self.connection.id, credentials);
    }

    /// The live records of a stream; of all, if it is empty.
    pub fn records(&self, stream: &str) -> Vec<MemoryRecord> {
        let records = self.store.records(self.connection.id).into_iter();
        records.filter(|record| !record.deleted && (stream.is_empty() || record.stream == stream)).collect()
    }
}

impl<A: ?Sized> fmt::Debug for Rig<A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Rig({} at {})", self.connection.provider, self.server.url())
    }
}

//! An account on a server, and an engine that reads it into a store in memory.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use lifehub_core::clock::{Clock, ManualClock, Rng, Timestamp, Zone};
use lifehub_core::connector::{Connector, SettingsSchema, SyncMode};
use lifehub_core::engine::{
    Connection, Counts, Engine, Operator, PartitionKey, PartitionState, Report, Storage, SyncOptions,
    SyncStore,
};
use lifehub_core::http::{Request, ReqwestTransport, Response, Transport};
use lifehub_core::memory::MemoryStore;
use lifehub_core::oauth::Vault;
use lifehub_core::page::Cursor;
use lifehub_core::record::{ConnectionId, UserId};
use lifehub_core::registry::Registry;
use lifehub_core::secret::{Credentials, Secret};
use lifehub_core::{Error, ErrorKind};
use serde_json::json;

use super::truth::Stored;
use super::{Subject, clock, start};
use crate::account::{Access, Account, Fact, Setup};
use crate::fault::FaultPlan;
use crate::server::Server;
use crate::suite::{Failure, ensure};

/// How much time passes between two syncs.
const HOUR: Duration = Duration::from_secs(3600);

pub(super) struct Rig<'a> {
    subject: &'a Subject,
    pub(super) account: Arc<dyn Account>,
    pub(super) server: Server,
    pub(super) clock: Arc<ManualClock>,
    pub(super) access: Access,
    transport: Arc<dyn Transport>,
    store: Arc<MemoryStore>,
    storage: Arc<dyn Storage>,
    pub(super) connection: Connection,
    /// The only stream that is synced and compared; none for all.
    only: Option<String>,
    /// Another one for each engine, so that no two make the same ids.
    seed: AtomicU64,
}

impl<'a> Rig<'a> {
    pub(super) fn new(subject: &'a Subject, setup: &Setup) -> Result<Self, Failure> {
        let account = (subject.account)(setup);
        let clock = clock();
        let server = Server::builder().clock(clock.clone()).start(account.clone())?;
        let access = account.access(&server.url());
        let store = Arc::new(MemoryStore::new());
        let storage = store.clone();
        let rng = Rng::seeded(7);
        let connector = (subject.connector)();
        let manifest = connector.manifest();
        manifest.settings.check(&access.settings)?;
        let mut settings = access.settings.clone();
        let credentials = manifest.settings.seal(&mut settings, access.credentials.clone());
        let connection = Connection {
            id: ConnectionId::new(start(), &rng),
            user: UserId::new(start(), &rng),
            provider: manifest.id.into(),
            account: None,
            settings,
            zone: Zone::utc(),
        };
        store.set_credentials(connection.id, credentials);
        let seed = AtomicU64::new(0);
        let only = Some(setup.stream.clone()).filter(|stream| !stream.is_empty());
        // Without the system's certificates, which take longer to read than most cases.
        let transport = Arc::new(ReqwestTransport::local()?);
        Ok(Self {
            subject,
            account,
            server,
            clock,
            access,
            transport,
            store,
            storage,
            connection,
            only,
            seed,
        })
    }

    /// A setup after a first sync, and how many requests that took.
    pub(super) async fn synced(subject: &'a Subject, setup: &Setup) -> Result<(Self, u64), Failure> {
        let rig = Self::new(subject, setup)?;
        let before = rig.server.request_count();
        rig.sync().await?;
        let requests = rig.server.request_count() - before;
        Ok((rig, requests))
    }

    pub(super) fn connector(&self) -> Arc<dyn Connector> {
        (self.subject.connector)()
    }

    pub(super) fn storage(&self) -> Arc<dyn Storage> {
        self.storage.clone()
    }

    /// The same, with something around its store.
    pub(super) fn with_storage(mut self, wrap: impl FnOnce(Arc<dyn Storage>) -> Arc<dyn Storage>) -> Self {
        self.storage = wrap(self.storage.clone());
        self
    }

    /// An engine as a new process has it.
    pub(super) fn engine(&self) -> Engine {
        self.engine_of(self.connector())
    }

    /// The same over another connector.
    pub(super) fn engine_of(&self, connector: Arc<dyn Connector>) -> Engine {
        self.build(connector, self.transport.clone())
    }

    fn build(&self, connector: Arc<dyn Connector>, transport: Arc<dyn Transport>) -> Engine {
        let mut settings = json!({ "quotas": "off" });
        if let Some(base_url) = &self.access.base_url {
            settings["base_url"] = json!(base_url);
        }
        if let Some(app) = &self.access.oauth {
            settings["client_id"] = json!(app.client_id);
            settings["client_secret"] = json!(app.client_secret.as_ref().map(Secret::expose));
            settings["authorize_url"] = json!(app.authorize_url);
            settings["token_url"] = json!(app.token_url);
            settings["revoke_url"] = json!(app.revoke_url);
        }
        let operator: Operator =
            serde_json::from_value(json!({ self.connection.provider.as_str(): settings }))
                .unwrap_or_default();
        Engine::builder(Registry::new().with(connector), self.storage.clone(), transport)
            .clock(self.clock.clone())
            .rng(Rng::seeded(self.seed.fetch_add(1, Ordering::Relaxed)))
            .operator(operator)
            .build()
    }

    /// Credentials with the sealed settings, as a store keeps them.
    pub(super) fn credentials(&self) -> Credentials {
        let mut settings = self.access.settings.clone();
        self.connector().manifest().settings.seal(&mut settings, self.access.credentials.clone())
    }

    /// Syncs an hour later, in a new process.
    pub(super) async fn run(&self, options: &SyncOptions) -> Result<Report, Failure> {
        self.run_after(HOUR, options).await
    }

    async fn run_after(&self, pause: Duration, options: &SyncOptions) -> Result<Report, Failure> {
        self.clock.advance(pause);
        let mut options = options.clone();
        options.streams.extend(self.only.clone());
        Ok(self.engine().sync(&self.connection, &options).await?)
    }

    /// Syncs; every stream must end caught up.
    pub(super) async fn sync(&self) -> Result<Counts, Failure> {
        caught_up(self.run(&SyncOptions::default()).await?)
    }

    /// Syncs with a full pass; every stream must end caught up.
    pub(super) async fn sync_full(&self) -> Result<Counts, Failure> {
        caught_up(self.run(&full()).await?)
    }

    /// Syncs until everything was read once, so many pages a run, each in a new process.
    pub(super) async fn sync_in_steps(&self, pages: u64) -> Result<(), Failure> {
        for _ in 0..1_000 {
            // However many runs it takes, they fit into a day: some facts are those of a day.
            let report = self.run_after(Duration::from_secs(30), &at_most(pages)).await?;
            no_error(&report)?;
            ensure!(report.totals().pages > 0, "a run of {pages} pages made no step");
            if self.is_complete().await? {
                return Ok(());
            }
        }
        Err(Failure::new("1,000 runs did not reach the end"))
    }

    /// Whether every stream was read to its end.
    async fn is_complete(&self) -> Result<bool, Failure> {
        let keys = self.partitions().await?;
        let begun =
            |fact: &Fact| keys.iter().any(|key| key.stream == fact.stream && key.partition == fact.partition);
        if !self.truth().iter().all(begun) {
            return Ok(false);
        }
        for stream in self.connector().manifest().streams.iter().filter(|stream| self.concerns(stream.name)) {
            let mut own = keys.iter().filter(|key| key.stream == stream.name).peekable();
            if own.peek().is_none() {
                return Ok(false);
            }
            for key in own {
                let state = self.store.resume(key).await?;
                // News is read again and again, as a snapshot is, and may never be at rest between two short runs.
                let reads_on = state.full.is_some() && stream.sync == SyncMode::Incremental;
                if state.full_at.is_none() || reads_on {
                    return Ok(false);
                }
            }
        }
        Ok(true)
    }

    /// Whether that stream is synced.
    fn concerns(&self, stream: &str) -> bool {
        self.only.as_ref().is_none_or(|only| only == stream)
    }

    /// What a client should have of the streams that are synced.
    pub(super) fn truth(&self) -> Vec<Fact> {
        let mut truth = self.account.truth();
        truth.retain(|fact| self.concerns(&fact.stream));
        truth
    }

    /// Replays the stored items through this connector, without the network.
    pub(super) async fn replay(&self, connector: Arc<dyn Connector>) -> Result<Counts, Failure> {
        self.clock.advance(HOUR);
        let engine = self.build(connector, Arc::new(Offline));
        caught_up(engine.replay(&self.connection, &SyncOptions::default()).await?)
    }

    pub(super) fn stored(&self) -> Stored {
        let records = self.store.records(self.connection.id);
        let records = records.iter().map(|record| serde_json::to_value(record).unwrap_or_default());
        let quarantine = self.store.quarantine(self.connection.id);
        let quarantine: BTreeSet<String> = quarantine.into_iter().map(|(id, _)| id).collect();
        Stored { records: records.collect(), quarantine }
    }

    /// Fails unless the store holds what the simulator's books say.
    pub(super) fn equals_truth(&self) -> Result<(), Failure> {
        self.stored().equals(&self.truth())
    }

    /// The credentials as they are stored.
    pub(super) async fn stored_credentials(&self) -> Result<Credentials, Failure> {
        Ok(self.store.credentials(self.connection.id).await?.credentials)
    }

    /// Stores these credentials, with the settings that are sealed among them.
    pub(super) fn set_credentials(&self, credentials: Credentials) {
        let sealed = SettingsSchema::keep_sealed(&self.credentials(), credentials);
        self.store.set_credentials(self.connection.id, sealed);
    }

    /// All partitions that have a state.
    pub(super) async fn partitions(&self) -> Result<Vec<PartitionKey>, Failure> {
        let mut keys = Vec::new();
        for stream in &self.connector().manifest().streams {
            keys.extend(self.store.partitions(self.connection.id, stream.name).await?);
        }
        Ok(keys)
    }

    /// Every cursor that is stored.
    pub(super) async fn cursors(&self) -> Result<Vec<Cursor>, Failure> {
        let mut cursors = Vec::new();
        for key in self.partitions().await? {
            let PartitionState { anchor, live, full, .. } = self.store.resume(&key).await?;
            cursors.extend(anchor.map(|anchor| anchor.cursor));
            for scan in [live, full].into_iter().flatten() {
                cursors.extend(scan.cursor);
                cursors.extend(scan.ended.map(|ended| ended.cursor));
            }
        }
        Ok(cursors)
    }

    /// The texts that nothing may show: credentials, and what of the settings is marked secret.
    pub(super) fn secrets(&self) -> Vec<String> {
        let credentials = self.credentials();
        let values = credentials.names().filter_map(|name| credentials.get(name));
        let mut secrets = Vec::new();
        for secret in values.map(Secret::expose) {
            let text = serde_json::from_str::<String>(secret).unwrap_or_else(|_| secret.to_owned());
            match text.split_once("://").map(|(_, rest)| rest.split_once('/').map_or("", |(_, path)| path)) {
                // Scheme and host of a secret address may be shown; each part of its path is secret.
                Some(path) => {
                    secrets.extend(
                        path.split(['/', '?', '&', '=']).filter(|p| p.len() >= 12).map(str::to_owned),
                    );
                }
                None => secrets.push(text),
            }
        }
        secrets.retain(|secret| secret.len() >= 8);
        secrets
    }

    pub(super) fn clock_now(&self) -> Timestamp {
        self.clock.now()
    }

    /// Sets the server's faults; `None` ends them.
    pub(super) fn faults(&self, plan: Option<FaultPlan>) {
        self.server.set_faults(plan.unwrap_or_else(FaultPlan::none));
    }
}

pub(super) fn full() -> SyncOptions {
    let mut options = SyncOptions::default();
    options.full = true;
    options
}

pub(super) fn at_most(pages: u64) -> SyncOptions {
    let mut options = SyncOptions::default();
    options.max_pages = pages;
    options
}

pub(super) fn no_error(report: &Report) -> Result<(), Failure> {
    for stream in &report.streams {
        if let Some(error) = &stream.error {
            return Err(Failure::new(format!(
                "the stream {} ended in an error: {}",
                stream.stream, error.message
            )));
        }
    }
    Ok(())
}

pub(super) fn caught_up(report: Report) -> Result<Counts, Failure> {
    no_error(&report)?;
    for stream in &report.streams {
        ensure!(stream.caught_up, "the stream {} is not caught up: {:?}", stream.stream, stream.counts);
    }
    Ok(report.totals())
}

/// A transport for work without the network.
#[derive(Debug)]
struct Offline;

#[async_trait]
impl Transport for Offline {
    async fn send(&self, _: Request) -> lifehub_core::Result<Response> {
        Err(Error::new(ErrorKind::Internal, "a request was sent although the work is offline"))
    }
}

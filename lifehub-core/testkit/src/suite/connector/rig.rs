//! The rig of the suite: that of any connector's tests, with the streams and the store of a case.

use std::collections::BTreeSet;
use std::ops::Deref;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use lifehub_core::clock::{Clock, Timestamp};
use lifehub_core::connector::{Connector, SettingsSchema, SyncMode};
use lifehub_core::engine::{
    Counts, Engine, PartitionKey, PartitionState, Report, Storage, SyncOptions, SyncStore,
};
use lifehub_core::http::{Request, Response, Transport};
use lifehub_core::oauth::Vault;
use lifehub_core::page::Cursor;
use lifehub_core::secret::{Credentials, Secret};
use lifehub_core::{Error, ErrorKind};

use super::truth::Stored;
use super::{Subject, start};
use crate::account::{Access, Account, Fact, Setup};
use crate::fault::FaultPlan;
use crate::suite::{Failure, ensure};

/// How much time passes between two syncs.
const HOUR: Duration = Duration::from_secs(3600);

pub(super) struct Rig<'a> {
    subject: &'a Subject,
    base: crate::Rig<dyn Account>,
    pub(super) access: Access,
    storage: Arc<dyn Storage>,
    /// The only stream that is synced and compared; none for all.
    only: Option<String>,
}

impl Deref for Rig<'_> {
    type Target = crate::Rig<dyn Account>;

    fn deref(&self) -> &Self::Target {
        &self.base
    }
}

impl<'a> Rig<'a> {
    pub(super) fn new(subject: &'a Subject, setup: &Setup) -> Result<Self, Failure> {
        let base = crate::Rig::new((subject.connector)(), (subject.account)(setup), start())?;
        let access = base.simulator.access(&base.server.url());
        let storage = base.store.clone();
        let only = Some(setup.stream.clone()).filter(|stream| !stream.is_empty());
        Ok(Self { subject, base, access, storage, only })
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
        self.engine_with(connector, self.storage.clone(), self.transport.clone())
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
        let mut truth = self.simulator.truth();
        truth.retain(|fact| self.concerns(&fact.stream));
        truth
    }

    /// Replays the stored items through this connector, without the network.
    pub(super) async fn replay(&self, connector: Arc<dyn Connector>) -> Result<Counts, Failure> {
        self.clock.advance(HOUR);
        let engine = self.engine_with(connector, self.storage.clone(), Arc::new(Offline));
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

//! The sync engine: walks connectors page by page into a store, and loses or doubles nothing on the way.

mod access;
mod diff;
mod drain;
mod due;
mod duration;
mod event;
mod inbox;
mod observed;
mod operator;
mod options;
mod receive;
mod repeat;
mod replay;
mod report;
mod run;
mod setup;
mod state;
mod storage;
mod sweep;
mod turn;
mod walk;

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, OnceLock};
use std::time::Duration;

use tokio::sync::broadcast;

use crate::clock::{Clock, Rng, SystemClock};
use crate::connector::{Connector, StreamSpec};
use crate::error::{Error, ErrorKind, Result};
use crate::http::{Quotas, Transport};
use crate::oauth::Refresher;
use crate::record::{ConnectionId, RunId};
use crate::registry::Registry;

pub use due::{Due, Dues};
pub use duration::DurationSetting;
pub use event::SyncEvent;
pub use inbox::{Arrival, Inbox, MOST_NEWS, StreamNews, StreamNewsKind, Waiting};
pub use operator::{Operator, ProviderSettings, QuotaSetting, QuotaWord};
pub use options::{Cancel, SyncOptions};
pub use report::{Counts, ErrorReport, Report, RunEntry, RunStatus, StreamReport};
pub use state::{Anchor, Ended, PartitionState, Scan};
pub use storage::{
    Batch, BodyChange, Claim, Connection, CoverageCount, ItemPut, ItemRef, ItemState, KnownItem, KnownRecord,
    Lease, Leases, Missing, PartitionKey, Quarantine, RecordChange, RecordState, Runs, Seen, Sighting,
    Storage, StoredItem, SyncStore,
};

/// How often a run that waits for another looks whether that one has ended.
const POLL: Duration = Duration::from_millis(200);

/// Syncs connections. One engine serves a whole process; it is cheap to clone.
#[derive(Clone)]
pub struct Engine(Arc<Inner>);

struct Inner {
    registry: Registry,
    store: Arc<dyn Storage>,
    refresher: OnceLock<Refresher>,
    transport: Arc<dyn Transport>,
    clock: Arc<dyn Clock>,
    rng: Arc<Rng>,
    operator: Operator,
    max_file_bytes: u64,
    /// By provider and server.
    quotas: Mutex<HashMap<(&'static str, String), Arc<Quotas>>>,
    events: broadcast::Sender<SyncEvent>,
}

/// Builds an [`Engine`].
pub struct EngineBuilder(Inner);

impl EngineBuilder {
    /// Another clock than the machine's.
    #[must_use]
    pub fn clock(mut self, clock: Arc<dyn Clock>) -> Self {
        self.0.clock = clock;
        self
    }

    /// Another randomness than the machine's: the same seed gives the same jitter and ids.
    #[must_use]
    pub fn rng(mut self, rng: Rng) -> Self {
        self.0.rng = Arc::new(rng);
        self
    }

    /// What the operator set for the providers.
    #[must_use]
    pub fn operator(mut self, operator: Operator) -> Self {
        self.0.operator = operator;
        self
    }

    /// The engine.
    pub fn build(self) -> Engine {
        Engine(Arc::new(self.0))
    }
}

impl Engine {
    /// Begins an engine over connectors, a store and a way to send requests.
    pub fn builder(
        registry: Registry,
        store: Arc<dyn Storage>,
        transport: Arc<dyn Transport>,
    ) -> EngineBuilder {
        EngineBuilder(Inner {
            registry,
            store,
            refresher: OnceLock::new(),
            transport,
            clock: Arc::new(SystemClock::default()),
            rng: Arc::new(Rng::from_entropy()),
            operator: Operator::default(),
            max_file_bytes: 64 << 30,
            quotas: Mutex::default(),
            events: broadcast::Sender::new(1024),
        })
    }

    /// What happens in runs from now on. A listener that falls far behind misses steps, never results.
    pub fn events(&self) -> broadcast::Receiver<SyncEvent> {
        self.0.events.subscribe()
    }

    /// Syncs a connection. If another run of it is under way, waits for that one and reports it, or takes over if its
    /// holder dies.
    ///
    /// Dropping the future stops the run between two instructions; nothing is lost or half-written.
    ///
    /// # Errors
    /// If the run could not begin or its lease was lost. What stops a stream is no error here: it stands in the report.
    pub async fn sync(&self, connection: &Connection, options: &SyncOptions) -> Result<Report> {
        self.run(connection, options, Task::Sync).await
    }

    /// Syncs a connection under a lease that the caller claimed, and gives it back.
    ///
    /// # Errors
    /// As [`Engine::sync`].
    pub async fn sync_under(
        &self,
        connection: &Connection,
        lease: &Lease,
        options: &SyncOptions,
    ) -> Result<Report> {
        match self.connector(&connection.provider) {
            Ok(connector) => self.under(connector, connection, options, Task::Sync, lease).await,
            Err(error) => {
                self.0.store.release(lease).await?;
                Err(error)
            }
        }
    }

    /// Puts the stored raw items of a connection through the present normalizers, without the network. Records keep
    /// their ids; only those that differ enter the feed.
    ///
    /// # Errors
    /// If the run could not begin or its lease was lost.
    pub async fn replay(&self, connection: &Connection, options: &SyncOptions) -> Result<Report> {
        self.run(connection, options, Task::Replay).await
    }

    async fn run(&self, connection: &Connection, options: &SyncOptions, task: Task) -> Result<Report> {
        let connector = self.connector(&connection.provider)?;
        match self.claim(connection.id, options, task).await? {
            Claimed::Lease(lease) => self.under(connector, connection, options, task, &lease).await,
            Claimed::Joined(report) => Ok(*report),
        }
    }

    /// Runs under a lease that is held, and gives it back.
    async fn under(
        &self,
        connector: &Arc<dyn Connector>,
        connection: &Connection,
        options: &SyncOptions,
        task: Task,
        lease: &Lease,
    ) -> Result<Report> {
        let store = self.0.store.as_ref();
        // It is large, and its callers' futures hold it.
        let work = Box::pin(self.work(connector, connection, options, task, lease));
        let done = tokio::select! {
            biased;
            lost = heartbeat(store, lease) => Err(lost),
            done = work => done,
        };
        // A token call may still be under way, and must not end with the program.
        self.refresher().settled(connection.id).await;
        if let Err(error) = store.release(lease).await {
            // It runs out by itself; what the run did is the thing to tell.
            tracing::warn!(%error, "the lease could not be given back");
        }
        let report = done?;
        self.emit(SyncEvent::Finished { report: report.clone() });
        Ok(report)
    }

    /// Waits for the lease. A sync that had to wait reports the run that it waited for, if that one ended.
    async fn claim(&self, id: ConnectionId, options: &SyncOptions, task: Task) -> Result<Claimed> {
        let store = self.0.store.as_ref();
        let mut waited_for = None;
        loop {
            match store.claim(id).await? {
                Claim::Held(lease) => {
                    let last = match (waited_for, task) {
                        (Some(epoch), Task::Sync) => store.latest(id).await?.filter(|run| run.epoch == epoch),
                        _ => None,
                    };
                    if let Some(run) = last.filter(|run| run.finished_at.is_some()) {
                        store.release(&lease).await?;
                        return Ok(Claimed::Joined(Box::new(run.report)));
                    }
                    return Ok(Claimed::Lease(lease));
                }
                Claim::Busy { epoch } => {
                    if waited_for.replace(epoch).is_none() {
                        self.emit(SyncEvent::Waiting { connection: id });
                    }
                }
            }
            tokio::select! {
                () = tokio::time::sleep(POLL) => {}
                () = options.cancel.cancelled() => {
                    return Err(Error::new(ErrorKind::Cancelled, "the run was asked to stop"));
                }
            }
        }
    }

    async fn work(
        &self,
        connector: &Arc<dyn Connector>,
        connection: &Connection,
        options: &SyncOptions,
        task: Task,
        lease: &Lease,
    ) -> Result<Report> {
        let inner = &*self.0;
        let clock = inner.clock.as_ref();
        let started = clock.monotonic();
        let operator = inner.operator.of(&connection.provider);
        let interval = |spec: &StreamSpec| operator.interval.unwrap_or(spec.interval);
        let latest = inner.store.latest(connection.id).await?;
        let last = latest.as_ref().map(|run| &run.report);
        let mut due = turn::chosen(&connector.manifest().streams, options)?;
        turn::after(&mut due, last);
        let mut dues = latest.map(|run| run.dues).unwrap_or_default();
        // A stream that the connector no longer has would be due for ever.
        dues.0.retain(|name, _| connector.manifest().stream(name).is_some());
        let waiting = match task {
            Task::Sync => self.waiting(connector, lease).await?,
            Task::Replay => Vec::new(),
        };
        let woken = |stream| dues.wakes(stream) && waiting.iter().any(|news| news.stream == stream);
        due.retain(|spec| !options.only_due || dues.is_due(spec.name, clock.now()) || woken(spec.name));
        if task == Task::Sync {
            for spec in &due {
                dues.begins(spec.name, interval(spec), clock.now());
            }
        }
        let entry = RunEntry {
            id: RunId::new(clock.now(), &inner.rng),
            epoch: lease.epoch,
            started_at: clock.now(),
            finished_at: None,
            resume_at: None,
            dues,
            report: Report::new(connection.id, &connection.provider),
        };
        inner.store.record(lease, &entry).await?;
        let source = Arc::new(self.credentials(connector, connection.id).await?);
        let credentials = source.as_read();
        let key = connection.id.to_string();
        let http = self.http(connector, &connection.settings, &credentials, source.clone(), &key)?;
        let tools = run::Tools {
            connector,
            connection,
            cx: self.context(&http, &connection.settings, &credentials),
            store: inner.store.as_ref(),
            lease,
            clock,
            rng: &inner.rng,
            options,
            due: &due,
            waiting: &waiting,
            granted: credentials.get("scopes").map(|scopes| scopes.expose().split(' ').collect()),
            lookback: operator.lookback,
            interval: operator.interval,
        };
        self.emit(SyncEvent::Started { connection: connection.id, provider: connection.provider.clone() });
        let mut run = run::Run::new(&tools, entry, &inner.events);
        match task {
            Task::Sync => run.streams().await,
            Task::Replay => run.replay_streams().await,
        }
        let entry = run.finish(started);
        if let Err(error) = inner.store.record(lease, &entry).await {
            // The pages are committed with their cursors; only the ledger's last line is missing.
            tracing::warn!(%error, "the end of a run could not be written into the ledger");
        }
        if entry.report.streams.iter().any(|stream| stream.counts.pages > 0) {
            source.were_accepted().await?;
        }
        Ok(entry.report)
    }

    /// What waits in the inbox. News of streams that the connector had once, and has no more, is forgotten.
    async fn waiting(&self, connector: &Arc<dyn Connector>, lease: &Lease) -> Result<Vec<Waiting>> {
        let store = &self.0.store;
        let (known, foreign): (Vec<_>, Vec<_>) = store
            .waiting(lease.connection)
            .await?
            .into_iter()
            .partition(|news| connector.manifest().stream(&news.stream).is_some());
        for Waiting { stream, last } in foreign {
            store.forget(lease, &stream, last).await?;
        }
        Ok(known)
    }

    fn emit(&self, event: SyncEvent) {
        // Nobody listening is fine.
        let _ = self.0.events.send(event);
    }
}

/// What a run does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Task {
    Sync,
    Replay,
}

enum Claimed {
    Lease(Lease),
    Joined(Box<Report>),
}

/// Renews the lease until it is lost.
async fn heartbeat(store: &dyn Storage, lease: &Lease) -> Error {
    loop {
        tokio::time::sleep(store.term() / 3).await;
        match store.renew(lease).await {
            Err(error) if error.kind() == ErrorKind::LeaseLost => return error,
            // A busy or failing store is the run's to find out; the lease may still be renewed in time.
            Err(error) => tracing::warn!(%error, "the lease could not be renewed"),
            Ok(()) => {}
        }
    }
}

impl fmt::Debug for Engine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Engine").field("registry", &self.0.registry).finish_non_exhaustive()
    }
}

impl fmt::Debug for EngineBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EngineBuilder").finish_non_exhaustive()
    }
}

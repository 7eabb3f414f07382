//! The sync engine: walks connectors page by page into a store, and loses or doubles nothing on the way.

mod diff;
mod event;
mod observed;
mod operator;
mod options;
mod repeat;
mod replay;
mod report;
mod run;
mod state;
mod storage;
mod sweep;
mod walk;

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::broadcast;
use url::Url;

use crate::clock::{Clock, Rng, SystemClock};
use crate::connector::{Connector, Context, FileAccess, Identity, Manifest, SettingsSchema};
use crate::error::{Error, ErrorKind, Result};
use crate::http::{Http, QuotaLedger, Quotas, StaticCredentials, Transport};
use crate::page::{Pass, PassKind};
use crate::record::{ConnectionId, RunId};
use crate::registry::Registry;
use crate::secret::Credentials;

pub use event::SyncEvent;
pub use operator::{Operator, ProviderSettings, QuotaSetting, QuotaWord};
pub use options::{Cancel, SyncOptions};
pub use report::{Counts, ErrorReport, Report, RunEntry, RunStatus, StreamReport};
pub use state::{Anchor, Ended, PartitionState, Scan};
pub use storage::{
    Batch, BodyChange, Claim, Connection, CoverageCount, ItemPut, ItemRef, ItemState, KnownItem, KnownRecord,
    Lease, Leases, Missing, PartitionKey, Quarantine, RecordChange, RecordState, Runs, Seen, Sighting,
    Storage, StoredItem, SyncStore, Vault,
};

/// How often a run that waits for another looks whether that one has ended.
const POLL: Duration = Duration::from_millis(200);

/// Syncs connections. One engine serves a whole process; it is cheap to clone.
#[derive(Clone)]
pub struct Engine(Arc<Inner>);

struct Inner {
    registry: Registry,
    store: Arc<dyn Storage>,
    transport: Arc<dyn Transport>,
    clock: Arc<dyn Clock>,
    rng: Arc<Rng>,
    operator: Operator,
    max_file_bytes: u64,
    quotas: Mutex<HashMap<&'static str, Arc<Quotas>>>,
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

    /// Asks the provider whose account the credentials open. Nothing is stored.
    ///
    /// # Errors
    /// As the provider answers: [`Unauthorized`](ErrorKind::Unauthorized) for credentials that it does not take.
    pub async fn identify(
        &self,
        provider: &str,
        settings: &serde_json::Value,
        credentials: Credentials,
    ) -> Result<Identity> {
        let connector = self.connector(provider)?;
        let http = self.http(connector, settings, credentials.clone(), "identify")?;
        connector.identify(&self.context(&http, settings, &credentials)).await
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
        let lease = match self.claim(connection.id, options, task).await? {
            Claimed::Lease(lease) => lease,
            Claimed::Joined(report) => return Ok(*report),
        };
        let store = self.0.store.as_ref();
        let work = self.work(connector, connection, options, task, &lease);
        let done = tokio::select! {
            biased;
            lost = heartbeat(store, &lease) => Err(lost),
            done = work => done,
        };
        if let Err(error) = store.release(&lease).await {
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
        let credentials = inner.store.credentials(connection.id).await?;
        let key = connection.id.to_string();
        let http = self.http(connector, &connection.settings, credentials.clone(), &key)?;
        let tools = run::Tools {
            connector,
            connection,
            cx: self.context(&http, &connection.settings, &credentials),
            store: inner.store.as_ref(),
            lease,
            clock,
            rng: &inner.rng,
            options,
            lookback: inner.operator.of(&connection.provider).lookback,
        };
        let entry = RunEntry {
            id: RunId::new(clock.now(), &inner.rng),
            epoch: lease.epoch,
            started_at: clock.now(),
            finished_at: None,
            resume_at: None,
            report: Report::new(connection.id, &connection.provider),
        };
        inner.store.record(lease, &entry).await?;
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
        Ok(entry.report)
    }

    fn connector(&self, provider: &str) -> Result<&Arc<dyn Connector>> {
        let connector = self.0.registry.get(provider)?;
        match self.0.operator.of(provider).enabled {
            true => Ok(connector),
            false => {
                Err(Error::new(ErrorKind::Invalid, format!("the provider {provider:?} is switched off"))
                    .hint(format!("set providers.{provider}.enabled = true in the configuration")))
            }
        }
    }

    fn context<'a>(
        &self,
        http: &'a Http,
        settings: &serde_json::Value,
        credentials: &Credentials,
    ) -> Context<'a> {
        let now = self.0.clock.now();
        let pass = Pass { kind: PassKind::Full, from: None, to: now };
        let files = FileAccess::Allowed { max_bytes: self.0.max_file_bytes };
        Context::new(http, settings, credentials, files, pass, now)
    }

    /// The HTTP stack of one connection.
    fn http(
        &self,
        connector: &Arc<dyn Connector>,
        settings: &serde_json::Value,
        credentials: Credentials,
        key: &str,
    ) -> Result<Http> {
        let inner = &*self.0;
        let manifest = connector.manifest();
        let origins =
            manifest.origins.iter().map(|origin| operator::url(origin)).collect::<Result<Vec<_>>>()?;
        let base_url = match connector.base_url(&SettingsSchema::unseal(settings, &credentials))? {
            // It may be a secret: an error shows nothing of it.
            Some(own) => Url::parse(&own)
                .map_err(|_| Error::new(ErrorKind::Invalid, "the address in the settings is no URL"))?,
            None => inner.operator.of(manifest.id).base_url(manifest)?,
        };
        let builder = Http::builder(inner.transport.clone(), base_url)
            .clock(inner.clock.clone())
            .rng(inner.rng.clone())
            .origins(origins)
            .auth(manifest.auth.scheme.clone(), Arc::new(StaticCredentials::new(credentials)))
            .quotas(self.quotas(manifest)?, key);
        match connector.classify() {
            Some(classify) => builder.classify(classify).build(),
            None => builder.build(),
        }
    }

    /// The quotas that all connections of a provider share in this process.
    fn quotas(&self, manifest: &Manifest) -> Result<Arc<Quotas>> {
        let inner = &*self.0;
        let mut all = inner.quotas.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(quotas) = all.get(manifest.id) {
            return Ok(quotas.clone());
        }
        let settings = inner.operator.of(manifest.id);
        let app = settings.client_id.clone().unwrap_or_default();
        let specs = settings.quotas(manifest);
        let off = specs.is_none();
        let specs = specs.unwrap_or_else(|| manifest.quotas.clone());
        let ledger: Arc<dyn QuotaLedger> = inner.store.clone();
        let quotas = Quotas::new(manifest.id, app, specs, ledger, inner.clock.clone(), inner.rng.clone())?;
        let quotas = Arc::new(if off { quotas.off() } else { quotas });
        all.insert(manifest.id, quotas.clone());
        Ok(quotas)
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

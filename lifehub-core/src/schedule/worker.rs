//! A worker: claims what is due, syncs it, and sleeps until there is more.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinSet;

use super::Schedule;
use crate::clock::Timestamp;
use crate::engine::{Cancel, Connection, Engine, Lease, SyncOptions};
use crate::error::{ErrorKind, Result};

/// How a [`Worker`] works.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct WorkerOptions {
    /// How many connections it syncs at once. Default: 8.
    pub concurrency: u32,
    /// How long it sleeps at most before it looks again for what others left or made. Default: 1 s.
    pub poll: Duration,
    /// How each connection is synced. By default a run ends after 200 pages or ten minutes and goes on behind others that
    /// wait, so that one long history holds nobody up.
    pub sync: SyncOptions,
}

impl Default for WorkerOptions {
    fn default() -> Self {
        let mut sync = SyncOptions::default();
        (sync.only_due, sync.max_pages, sync.max_time) = (true, 200, Duration::from_secs(600));
        Self { concurrency: 8, poll: Duration::from_secs(1), sync }
    }
}

/// Syncs what is due. Any number of workers, in any number of processes, share one store.
pub struct Worker {
    engine: Engine,
    schedule: Arc<dyn Schedule>,
    options: WorkerOptions,
}

/// How often idle connections are looked for.
const IDLE_EVERY: Duration = Duration::from_secs(3600);
/// How many of them are kept alive at a time.
const IDLE_AT_ONCE: u32 = 100;

impl Worker {
    /// A worker of this engine, over the schedule of the same store.
    pub fn new(engine: Engine, schedule: Arc<dyn Schedule>, options: WorkerOptions) -> Self {
        Self { engine, schedule, options }
    }

    /// Works until it is asked to stop; then it lets every page under way be committed.
    pub async fn run(&self, cancel: &Cancel) {
        let mut running = JoinSet::new();
        let mut idle_at = None;
        while !cancel.is_cancelled() {
            let clock = self.engine.clock();
            if idle_at.is_none_or(|at| clock.monotonic() >= at) {
                idle_at = Some(clock.monotonic() + IDLE_EVERY);
                self.keep_alive(clock.now()).await;
            }
            let wait = self.claim(&mut running, cancel).await;
            tokio::select! {
                () = cancel.cancelled() => {}
                () = tokio::time::sleep(wait) => {}
                () = self.schedule.told_due() => {}
                Some(ended) = running.join_next(), if !running.is_empty() => told(ended),
            }
            // All that ended meanwhile leaves room at once.
            while let Some(ended) = running.try_join_next() {
                told(ended);
            }
        }
        while let Some(ended) = running.join_next().await {
            told(ended);
        }
    }

    /// Begins as many runs as there is room for; says how long nothing else will be due.
    async fn claim(&self, running: &mut JoinSet<()>, cancel: &Cancel) -> Duration {
        let room = self.options.concurrency.saturating_sub(u32::try_from(running.len()).unwrap_or(u32::MAX));
        if room == 0 {
            return self.options.poll;
        }
        let now = self.engine.clock().now();
        match self.due(now, room).await {
            Ok((due, next)) => {
                for (connection, lease) in due {
                    running.spawn(work(self.engine.clone(), connection, lease, self.sync(cancel)));
                }
                next.map_or(self.options.poll, |next| next.since(now).min(self.options.poll))
            }
            Err(error) => {
                tracing::warn!(%error, "what is due cannot be read; it is tried again");
                self.options.poll
            }
        }
    }

    async fn due(&self, now: Timestamp, room: u32) -> Result<(Vec<(Connection, Lease)>, Option<Timestamp>)> {
        let providers = self.engine.providers();
        let due = self.schedule.claim_due(&providers, now, room).await?;
        Ok((due, self.schedule.next_due(&providers, now).await?))
    }

    fn sync(&self, cancel: &Cancel) -> SyncOptions {
        SyncOptions { cancel: cancel.clone(), ..self.options.sync.clone() }
    }

    /// Renews credentials that would age out while nothing uses them.
    async fn keep_alive(&self, now: Timestamp) {
        for (provider, life) in self.engine.refresh_token_lives() {
            // Half of its life is left for all that may go wrong.
            let idle = match self.schedule.idle(provider, now - life / 2, IDLE_AT_ONCE).await {
                Ok(idle) => idle,
                Err(error) => {
                    tracing::warn!(%error, provider, "idle connections cannot be listed");
                    continue;
                }
            };
            for id in idle {
                if let Err(error) = self.engine.keep_alive(provider, id).await {
                    tracing::warn!(connection = %id, %error, "an idle connection could not be kept alive");
                }
            }
        }
    }
}

async fn work(engine: Engine, connection: Connection, lease: Lease, options: SyncOptions) {
    match engine.sync_under(&connection, &lease, &options).await {
        Ok(report) => {
            let totals = report.totals();
            tracing::info!(connection = %connection.id, provider = connection.provider, status = ?report.status,
                inserted = totals.inserted, updated = totals.updated, deleted = totals.deleted,
                duration_ms = report.duration_ms, "synced");
        }
        Err(error) if error.kind() == ErrorKind::LeaseLost => {
            tracing::info!(connection = %connection.id, "another worker took over");
        }
        Err(error) => tracing::warn!(connection = %connection.id, %error, "a run could not be done"),
    }
}

/// A run that panicked holds its lease until that runs out; then others take over.
fn told(ended: std::result::Result<(), tokio::task::JoinError>) {
    if ended.is_err() {
        tracing::error!("a run broke off: this is a bug");
    }
}

impl fmt::Debug for Worker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Worker").field("options", &self.options).finish_non_exhaustive()
    }
}

//! One run: the streams of a connection and their partitions, one after another, until the end, an error or the budget.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::broadcast;

use crate::clock::{Clock, Rng, Timestamp};
use crate::connector::{Connector, Context, StreamSpec, SyncMode};
use crate::engine::diff::Differ;
use crate::engine::due::Came;
use crate::engine::event::SyncEvent;
use crate::engine::inbox::Waiting;
use crate::engine::options::SyncOptions;
use crate::engine::report::{Counts, ErrorReport, RunEntry, RunStatus, StreamReport};
use crate::engine::state::PartitionState;
use crate::engine::storage::{Batch, Connection, ItemPut, Lease, Missing, PartitionKey, Seen, Storage};
use crate::error::{Error, ErrorKind, Extent, Result};
use crate::http::Priority;
use crate::page::{Cursor, Page, Partition, Pass, PassKind, Place};

/// What a run works with. Nothing in it changes.
pub(super) struct Tools<'a> {
    pub(super) connector: &'a Arc<dyn Connector>,
    pub(super) connection: &'a Connection,
    pub(super) cx: Context<'a>,
    pub(super) store: &'a dyn Storage,
    pub(super) lease: &'a Lease,
    pub(super) clock: &'a dyn Clock,
    pub(super) rng: &'a Rng,
    pub(super) options: &'a SyncOptions,
    /// The streams that are to be synced.
    pub(super) due: &'a [&'a StreamSpec],
    /// What waited in the inbox when the run began.
    pub(super) waiting: &'a [Waiting],
    /// The scopes of the consent, if they are known.
    pub(super) granted: Option<Vec<&'a str>>,
    pub(super) lookback: Option<Duration>,
    pub(super) interval: Option<Duration>,
}

/// How far a pass or a partition came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Outcome {
    /// To its end.
    CaughtUp,
    /// To its end, but a sweep is held.
    Held,
    /// As far as the budget went, or until the caller cancelled.
    Stopped,
}

/// A run under way.
pub(super) struct Run<'a> {
    pub(super) tools: &'a Tools<'a>,
    /// The ledger's entry; the last of `report.streams` is the stream under way.
    pub(super) entry: RunEntry,
    pub(super) pages_left: u64,
    /// Whether a sweep of the partition under way was held in this very run: a second pass within seconds may fail
    /// for the same reason, so it confirms nothing.
    pub(super) held_now: bool,
    /// What became of the stream under way.
    came: Came,
    deadline: Duration,
    events: &'a broadcast::Sender<SyncEvent>,
}

impl<'a> Run<'a> {
    pub(super) fn new(
        tools: &'a Tools<'a>,
        entry: RunEntry,
        events: &'a broadcast::Sender<SyncEvent>,
    ) -> Self {
        let deadline = tools.clock.monotonic() + tools.options.max_time;
        Self {
            tools,
            entry,
            pages_left: tools.options.max_pages,
            held_now: false,
            came: Came::ToItsEnd,
            deadline,
            events,
        }
    }

    /// Syncs every stream. Whatever stops it stands in the report.
    pub(super) async fn streams(&mut self) {
        let mut stopped = None;
        for spec in self.tools.due {
            self.entry.report.streams.push(StreamReport::new(spec.name));
            self.came = Came::ToItsEnd;
            // What the provider told needs no request, so that nothing but the store can stop it.
            let extent = match (self.drain(spec).await, stopped) {
                (Ok(true), None) => self.stream(spec).await,
                (Ok(true), Some(came)) => {
                    // What stopped the connection stopped this stream too.
                    self.came = came;
                    None
                }
                (Ok(false), _) => {
                    self.came = Came::AsFarAsItMay;
                    None
                }
                (Err(error), _) => Some(self.note(&error, "")),
            };
            let came = self.came;
            if extent == Some(Extent::Connection) {
                stopped.get_or_insert(came);
            }
            let Tools { clock, rng, .. } = self.tools;
            self.entry.dues.ends(spec.name, came, self.tools.interval(spec), clock.now(), rng);
            self.forget(spec.name, came).await;
        }
    }

    /// Syncs one stream; returns how much its errors stop, beyond the partitions that had them.
    async fn stream(&mut self, spec: &StreamSpec) -> Option<Extent> {
        if let Some(error) = self.tools.not_allowed(spec) {
            return Some(self.note(&error, ""));
        }
        let partitions = match self.tools.connector.partitions(&self.tools.cx, spec.name).await {
            Ok(partitions) => partitions,
            Err(error) => return Some(self.note(&error, "")),
        };
        let partitions = match self.in_turn(spec, partitions).await {
            Ok(partitions) => partitions,
            Err(error) => return Some(self.note(&error, "")),
        };
        let mut caught_up = true;
        for (partition, state) in partitions {
            match self.partition(spec, &partition, state).await {
                Ok(outcome) => {
                    caught_up &= outcome == Outcome::CaughtUp;
                    if outcome == Outcome::Stopped && self.came == Came::ToItsEnd {
                        self.came = Came::AsFarAsItMay;
                    }
                }
                Err(error) => {
                    caught_up = false;
                    let extent = self.note(&error, &partition.id);
                    if extent > Extent::Partition {
                        return Some(extent);
                    }
                }
            }
        }
        self.current().caught_up = caught_up;
        None
    }

    /// The partitions with their states: those first that were read the longest ago, so that short runs reach all.
    async fn in_turn(
        &self,
        spec: &StreamSpec,
        partitions: Vec<Partition>,
    ) -> Result<Vec<(Partition, PartitionState)>> {
        let mut states = Vec::with_capacity(partitions.len());
        for partition in partitions {
            let state = self.tools.store.resume(&self.tools.key(spec, &partition)).await?;
            states.push((partition, state));
        }
        states.sort_by_key(|(_, state)| state.observed);
        Ok(states)
    }

    async fn partition(
        &mut self,
        spec: &StreamSpec,
        partition: &Partition,
        mut state: PartitionState,
    ) -> Result<Outcome> {
        let key = self.tools.key(spec, partition);
        let mut outcome = Outcome::CaughtUp;
        self.held_now = false;
        let begun = state.live.is_some() || state.anchor.is_some() || state.full.is_some();
        let live = spec.sync == SyncMode::Incremental && begun;
        let order = match state.full_starves() {
            true => [PassKind::Full, PassKind::Live],
            false => [PassKind::Live, PassKind::Full],
        };
        let mut failure = None;
        for kind in order {
            let due = match kind {
                PassKind::Live => live,
                PassKind::Full => self.full_is_due(spec, &state),
            };
            if outcome != Outcome::Stopped && due {
                let done = match self.pass(spec, &key, &mut state, kind).await {
                    Ok(done) => done,
                    // History that cannot be read delays nothing that is new.
                    Err(error) if order[0] == PassKind::Full && kind == PassKind::Full => {
                        failure = Some(error);
                        continue;
                    }
                    Err(error) => return Err(error),
                };
                outcome = if outcome == Outcome::Held && done == Outcome::CaughtUp { outcome } else { done };
            }
        }
        if let Some(error) = failure {
            return Err(error);
        }
        if self.tools.options.accept_deletes && outcome != Outcome::Stopped {
            self.accept_held(&key, &state).await?;
        }
        Ok(outcome)
    }

    fn full_is_due(&self, spec: &StreamSpec, state: &PartitionState) -> bool {
        let again = state.full_at.is_none_or(|at| at + spec.full_every <= self.tools.clock.now());
        // Without an anchor there is nothing from which a live pass could go on.
        let lost = state.anchor.is_none();
        spec.sync == SyncMode::Snapshot || state.full.is_some() || again || lost || self.tools.options.full
    }

    /// Whether another page may be fetched.
    pub(super) fn may_go_on(&self) -> bool {
        self.pages_left > 0
            && self.tools.clock.monotonic() < self.deadline
            && !self.tools.options.cancel.is_cancelled()
    }

    /// The report of the stream under way.
    fn current(&mut self) -> &mut StreamReport {
        let streams = &mut self.entry.report.streams;
        if streams.is_empty() {
            streams.push(StreamReport::new(""));
        }
        let last = streams.len() - 1;
        &mut streams[last]
    }

    /// Writes an error into the report. Parking is none.
    fn note(&mut self, error: &Error, partition: &str) -> Extent {
        self.came = Came::to(error);
        match error.kind() {
            ErrorKind::Parked => self.entry.resume_at = self.entry.resume_at.max(error.retry_at()),
            ErrorKind::Cancelled => {}
            _ => {
                tracing::warn!(stream = self.current().stream, partition, %error, "a stream stopped");
                self.current().error.get_or_insert_with(|| ErrorReport::of(error, partition));
            }
        }
        error.extent()
    }

    /// Commits a batch, and only then counts it.
    pub(super) async fn commit(
        &mut self,
        key: &PartitionKey,
        state: &PartitionState,
        change: Change,
    ) -> Result<()> {
        let mut entry = self.entry.clone();
        if let Some(stream) = entry.report.streams.last_mut() {
            stream.counts += change.counts;
        }
        let batch = Batch {
            partition: key.clone(),
            now: self.tools.clock.now(),
            puts: change.puts,
            seen: change.seen,
            hold: change.hold,
            taken: change.taken,
            state: state.clone(),
            run: entry.clone(),
        };
        self.tools.store.commit(self.tools.lease, batch).await?;
        self.entry = entry;
        self.pages_left = self.pages_left.saturating_sub(change.counts.pages);
        let stream = self.current();
        let (stream, counts) = (stream.stream.clone(), stream.counts);
        self.emit(SyncEvent::Committed { connection: key.connection, stream, counts });
        Ok(())
    }

    pub(super) fn emit(&self, event: SyncEvent) {
        // Nobody listening is fine.
        let _ = self.events.send(event);
    }

    /// Writes how the run ended into its entry.
    pub(super) fn finish(mut self, started: Duration) -> RunEntry {
        let clock = self.tools.clock;
        let report = &mut self.entry.report;
        let order = &self.tools.connector.manifest().streams;
        report.streams.sort_by_key(|stream| order.iter().position(|spec| spec.name == stream.stream));
        report.status = if report.streams.iter().any(|s| s.error.is_some()) {
            RunStatus::Failed
        } else if self.entry.resume_at.is_some() {
            RunStatus::Parked
        } else if report.streams.iter().all(|s| s.caught_up) {
            RunStatus::Ok
        } else {
            RunStatus::Incomplete
        };
        let took = clock.monotonic().saturating_sub(started).as_millis();
        report.duration_ms = u64::try_from(took).unwrap_or(u64::MAX);
        self.entry.finished_at = Some(clock.now());
        self.entry
    }
}

/// What a commit changes besides the partition's state.
#[derive(Debug, Default)]
pub(super) struct Change {
    pub(super) puts: Vec<ItemPut>,
    pub(super) seen: Option<Seen>,
    pub(super) hold: Option<Missing>,
    /// Up to which number items leave the inbox.
    pub(super) taken: Option<u64>,
    pub(super) counts: Counts,
}

impl Tools<'_> {
    /// Why the consent does not open a stream. Providers answer such a request as if the token were bad, and asking for
    /// another one would not help.
    fn not_allowed(&self, spec: &StreamSpec) -> Option<Error> {
        let granted = self.granted.as_ref().filter(|_| !spec.scopes.is_empty())?;
        let open = spec.scopes.iter().any(|scope| granted.contains(scope));
        (!open).then(|| {
            Error::new(ErrorKind::Forbidden, "the consent does not include what this stream needs")
                .with("scope", spec.scopes.join(" or "))
                .hint("connect the account again and leave every box ticked; what is stored stays")
        })
    }

    /// A partition of the connection.
    fn key(&self, spec: &StreamSpec, partition: &Partition) -> PartitionKey {
        PartitionKey {
            connection: self.connection.id,
            stream: spec.name.into(),
            partition: partition.id.as_ref().into(),
        }
    }

    /// How often a stream is synced.
    pub(super) fn interval(&self, spec: &StreamSpec) -> Duration {
        self.interval.unwrap_or(spec.interval)
    }

    /// What compares items of a partition with the store.
    pub(super) fn differ<'b>(&'b self, spec: &'b StreamSpec, partition: &'b PartitionKey) -> Differ<'b> {
        Differ {
            store: self.store,
            spec,
            partition,
            zone: &self.connection.zone,
            clock: self.clock,
            rng: self.rng,
        }
    }

    /// Fetches a page within its time limit, and tells when its request was sent.
    pub(super) async fn fetch(
        &self,
        pass: &Pass,
        key: &PartitionKey,
        cursor: Option<&Cursor>,
    ) -> Result<(Page, Timestamp)> {
        let now = self.clock.now();
        // News goes before history. A snapshot is read whole each time: that is its news.
        let spec = self.connector.manifest().stream(&key.stream);
        let history =
            pass.kind == PassKind::Full && spec.is_some_and(|spec| spec.sync == SyncMode::Incremental);
        let priority = if history { Priority::Backfill } else { Priority::Live };
        let cx = self.cx.with_pass(pass.clone(), now).with_priority(priority);
        let place = Place { stream: &key.stream, partition: &key.partition };
        let limit = self.options.page_time;
        let page = self.connector.fetch_page(&cx, place, cursor);
        tokio::select! {
            biased;
            () = self.options.cancel.cancelled() => {
                Err(Error::new(ErrorKind::Cancelled, "the run was asked to stop"))
            }
            page = tokio::time::timeout(limit, page) => match page {
                Ok(page) => page.map(|page| (page, now)),
                Err(_) => Err(Error::new(
                    ErrorKind::Unavailable,
                    format!("a page took longer than {} s", limit.as_secs()),
                )
                .hint("what was read before is stored; the next sync goes on there")),
            },
        }
        .map_err(|e| e.with("stream", &key.stream))
    }
}

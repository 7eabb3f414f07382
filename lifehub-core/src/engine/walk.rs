//! One pass over a partition: page after page, each committed before the next one counts.

use std::future::Future;
use std::pin::pin;

use futures_util::future::{Either, select};

use crate::clock::Timestamp;
use crate::connector::{Absence, StreamSpec};
use crate::engine::event::SyncEvent;
use crate::engine::observed::Observed;
use crate::engine::repeat::Trail;
use crate::engine::run::{Change, Outcome, Run};
use crate::engine::state::{Ended, PartitionState, Scan};
use crate::engine::storage::{PartitionKey, Seen};
use crate::error::{Error, ErrorKind, Result};
use crate::page::{Coverage, Cursor, Next, Page, Pass, PassKind};

/// A page is stopped at if at least this many of its items are newly unreadable, and more than one in twenty.
const POISONED_ITEMS: usize = 10;

impl Run<'_> {
    /// Walks one pass to its end, or as far as the run goes.
    pub(super) async fn pass(
        &mut self,
        spec: &StreamSpec,
        key: &PartitionKey,
        state: &mut PartitionState,
        kind: PassKind,
    ) -> Result<Outcome> {
        self.open(spec, state, kind);
        self.emit(SyncEvent::Pass {
            connection: key.connection,
            stream: key.stream.clone(),
            partition: key.partition.clone(),
            kind,
        });
        let mut refusals = 0;
        loop {
            match self.walk(spec, key, state, kind).await {
                Ok(false) => return Ok(Outcome::Stopped),
                Ok(true) => {
                    if let Some(outcome) = self.sweep(spec, key, state, kind).await? {
                        return Ok(outcome);
                    }
                }
                // The second time the fall-back is refused too: that is no expired cursor.
                Err(error) if error.kind() == ErrorKind::CursorExpired && refusals < 2 => {
                    refusals += 1;
                    tracing::info!(stream = spec.name, "the cursor is refused; falling back");
                    if !fall_back(state, kind) {
                        return if kind == PassKind::Live { Ok(Outcome::CaughtUp) } else { Err(error) };
                    }
                }
                Err(error) => return Err(error),
            }
        }
    }

    /// Opens a scan, unless one is open.
    fn open(&self, spec: &StreamSpec, state: &mut PartitionState, kind: PassKind) {
        if state.scan(kind).is_some() {
            return;
        }
        let now = self.tools.clock.now();
        let known = state.anchor.as_ref().map(|anchor| anchor.at);
        let from = match kind {
            PassKind::Full => None,
            PassKind::Live => {
                // Before the first pass is at its end, what came after that pass began is what is new.
                let known = known.or_else(|| state.full.as_ref().map(|full| full.pass.to)).unwrap_or(now);
                // A clock that was ahead must not make the pass begin in the future.
                Some(known.min(now) - self.tools.lookback.unwrap_or(spec.lookback))
            }
        };
        let generation = (spec.absence != Absence::MeansNothing).then(|| {
            state.generation += 1;
            state.generation
        });
        let start = match kind {
            PassKind::Live => state.anchor.as_ref().map(|anchor| anchor.cursor.clone()),
            PassKind::Full => None,
        };
        // A clock that went back must not make this pass look older than the one before it.
        let to = known.map_or(now, |known| known.max(now));
        *state.scan_mut(kind) = Some(Scan {
            pass: Pass { kind, from, to },
            cursor: start.clone(),
            start,
            generation,
            pages: 0,
            second: false,
            ended: None,
        });
    }

    /// Reads pages until the last one is committed (`true`) or the run must end (`false`).
    async fn walk(
        &mut self,
        spec: &StreamSpec,
        key: &PartitionKey,
        state: &mut PartitionState,
        kind: PassKind,
    ) -> Result<bool> {
        let tools = self.tools;
        let mut trail = Trail::default();
        let mut ahead: Option<Result<(Page, Timestamp)>> = None;
        loop {
            let Some(scan) = state.scan(kind).filter(|scan| scan.ended.is_none()) else { return Ok(true) };
            if !self.may_go_on() {
                return Ok(false);
            }
            let pass = scan.pass.clone();
            let from = scan.cursor.clone();
            let (page, observed) = match ahead.take() {
                Some(page) => page?,
                None => tools.fetch(&pass, key, from.as_ref()).await?,
            };
            trail.cursor(from.as_ref())?;
            let Page { items, next } = page;
            let items = Observed::all(items);
            trail.page(&items)?;

            let mut after = state.clone();
            after.observed = Some(state.observed.map_or(observed, |latest| latest.max(observed)));
            let more = advance(spec, &mut after, kind, next)?;
            let room_for_more = self.pages_left > 1;
            let commit = self.page(spec, key, &after, items);
            let poisoned = match more {
                Some(cursor) if room_for_more => {
                    // The next page is on its way while this one is committed; it is dropped if that fails.
                    let (poisoned, page) = both(commit, tools.fetch(&pass, key, Some(&cursor))).await?;
                    ahead = Some(page);
                    poisoned
                }
                _ => commit.await?,
            };
            *state = after;
            if let Some(error) = poisoned {
                return Err(error);
            }
        }
    }

    /// Commits a page; tells if so many of its items are bad that the partition must stop.
    async fn page(
        &mut self,
        spec: &StreamSpec,
        key: &PartitionKey,
        after: &PartitionState,
        items: Vec<Observed>,
    ) -> Result<Option<Error>> {
        let total = items.len();
        let tools = self.tools;
        let differ = tools.differ(spec, key);
        let observed = after.observed.unwrap_or(Timestamp::EPOCH);
        // The scan that this page ends still counts as open: its last page is stamped like the others.
        let stamp = after.stamp();
        let mut diff = differ.page(items, observed, after.generation, stamp).await?;
        diff.counts.pages = 1;
        let seen = stamp.map(|generation| Seen { items: diff.seen, generation, observed });
        self.commit(key, after, Change { puts: diff.puts, seen, counts: diff.counts, ..Change::default() })
            .await?;
        let poisoned = diff.newly_bad >= POISONED_ITEMS && diff.newly_bad * 20 > total;
        Ok(poisoned.then(|| {
            Error::new(ErrorKind::Poisoned, format!("{} of {total} items of a page are unreadable", diff.newly_bad))
                .with("stream", spec.name)
                .with("first", diff.reason.unwrap_or_default())
                .hint("they are kept in quarantine; the provider's format has probably changed: update the connector, then run `lifehub replay`")
        }))
    }
}

/// Moves the state past a page; returns the cursor of the next one.
fn advance(
    spec: &StreamSpec,
    state: &mut PartitionState,
    kind: PassKind,
    next: Next,
) -> Result<Option<Cursor>> {
    let Some(scan) = state.scan_mut(kind) else { return Ok(None) };
    scan.pages += 1;
    match next {
        Next::More(cursor) => {
            scan.cursor = Some(cursor.clone());
            Ok(Some(cursor))
        }
        Next::CaughtUp { cursor, covers } => {
            if spec.absence == Absence::MeansNothing && covers != Coverage::Nothing {
                return Err(Error::new(
                    ErrorKind::Internal,
                    format!(
                        "the stream {:?} declares that absence means nothing, yet a pass covers something",
                        spec.name
                    ),
                ));
            }
            if covers == Coverage::Nothing {
                state.close(kind, cursor);
            } else {
                scan.ended = Some(Ended { cursor, covers });
            }
            Ok(None)
        }
    }
}

/// After a refused cursor: back to where the scan began, or, if that was refused, to nothing. Returns whether the
/// same pass can go on; a live pass without an anchor cannot, and a full pass takes its place.
fn fall_back(state: &mut PartitionState, kind: PassKind) -> bool {
    let Some(scan) = state.scan_mut(kind) else { return false };
    if scan.cursor != scan.start {
        scan.cursor = scan.start.clone();
        return true;
    }
    if kind == PassKind::Live {
        // What it began with is refused: an anchor is none, and without one the next pass begins anew.
        if scan.start.is_some() {
            state.anchor = None;
        }
        state.live = None;
    }
    false
}

/// Runs both; an error of the commit ends the fetch at once.
async fn both<A, B>(
    commit: impl Future<Output = Result<A>>,
    fetch: impl Future<Output = B>,
) -> Result<(A, B)> {
    match select(pin!(commit), pin!(fetch)).await {
        Either::Left((done, fetch)) => Ok((done?, fetch.await)),
        Either::Right((page, commit)) => Ok((commit.await?, page)),
    }
}

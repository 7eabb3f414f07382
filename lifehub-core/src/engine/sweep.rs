//! What a finished pass did not see: confirmed, braked or deleted (rule 6).

use crate::clock::Timestamp;
use crate::connector::{Absence, StreamSpec};
use crate::engine::diff::Differ;
use crate::engine::report::Counts;
use crate::engine::run::{Change, Outcome, Run};
use crate::engine::state::{Ended, PartitionState};
use crate::engine::storage::{
    BodyChange, CoverageCount, ItemPut, ItemState, KnownItem, Missing, PartitionKey, Sighting,
};
use crate::error::Result;
use crate::page::{Coverage, PassKind};

/// Items that one transaction of a sweep deletes at most, so that memory and the writer's time stay bounded.
const CHUNK: u32 = 500;

/// A sweep below this many items is never held, unless it would delete everything.
const BRAKE_ITEMS: u64 = 25;

impl Run<'_> {
    /// Ends a walked pass. `None` asks for a second walk.
    pub(super) async fn sweep(
        &mut self,
        spec: &StreamSpec,
        key: &PartitionKey,
        state: &mut PartitionState,
        kind: PassKind,
    ) -> Result<Option<Outcome>> {
        let Some(scan) = state.scan_mut(kind) else { return Ok(Some(Outcome::CaughtUp)) };
        let (Some(Ended { cursor, covers }), Some(generation)) = (scan.ended.clone(), scan.generation) else {
            return Ok(Some(Outcome::CaughtUp));
        };
        let missing = Missing { covers, generation };
        let mut count = self.tools.store.count(key, missing).await?;
        if self.held_now {
            count.held = 0;
        }

        let shifted = spec.absence == Absence::MeansGoneIfConfirmed && scan.pages > 1 && !scan.second;
        if count.missing > 0 && shifted {
            scan.second = true;
            scan.ended = None;
            scan.pages = 0;
            scan.cursor = scan.start.clone();
            self.commit(key, state, Change::default()).await?;
            return Ok(None);
        }

        let held = if self.tools.options.accept_deletes { 0 } else { to_hold(count) };
        if count.missing > held {
            self.delete(key, state, missing, held > 0).await?;
        }
        state.close(kind, cursor);
        let hold = (held > 0).then_some(missing);
        self.held_now |= held > 0;
        let counts = Counts { held, ..Counts::default() };
        self.commit(key, state, Change { hold, counts, ..Change::default() }).await?;
        Ok(Some(if held > 0 { Outcome::Held } else { Outcome::CaughtUp }))
    }

    /// Deletes what earlier sweeps held and no pass has seen since.
    pub(super) async fn accept_held(&mut self, key: &PartitionKey, state: &PartitionState) -> Result<()> {
        let everything = Missing { covers: Coverage::Whole, generation: u64::MAX };
        self.delete(key, state, everything, true).await
    }

    /// Deletes missing items, a chunk a transaction.
    async fn delete(
        &mut self,
        key: &PartitionKey,
        state: &PartitionState,
        missing: Missing,
        only_held: bool,
    ) -> Result<()> {
        loop {
            let items = self.tools.store.missing(key, missing, only_held, CHUNK).await?;
            if items.is_empty() {
                return Ok(());
            }
            let mut counts = Counts::default();
            let puts = self.tombstones(key, state, items, &mut counts).await?;
            self.commit(key, state, Change { puts, counts, ..Change::default() }).await?;
        }
    }

    /// Absence was observed when the pass asked, not when the sweep runs: by a clock that is set back, what comes back
    /// must not look older.
    async fn tombstones(
        &self,
        key: &PartitionKey,
        state: &PartitionState,
        items: Vec<KnownItem>,
        counts: &mut Counts,
    ) -> Result<Vec<ItemPut>> {
        let tools = self.tools;
        let rows: Vec<_> = items.iter().map(|known| known.item).collect();
        let mut records = tools.store.records_of(key, &rows).await?;
        Ok(items
            .into_iter()
            .map(|known| {
                let of_item = records.extract_if(.., |record| record.item == known.item).collect();
                ItemPut {
                    records: Differ::deletes(of_item, counts),
                    item: Some(known.item),
                    sighting: Sighting {
                        observed: known.sighting.observed.max(state.observed.unwrap_or(Timestamp::EPOCH)),
                        state: ItemState::Gone,
                        ..known.sighting
                    },
                    body: BodyChange::Drop,
                    quarantine: None,
                }
            })
            .collect())
    }
}

/// How many of the missing items are held back: those that no earlier complete pass missed, if they are suspiciously
/// many: over 20 % of what the pass covers and at least 25, or everything.
fn to_hold(count: CoverageCount) -> u64 {
    let fresh = count.missing.saturating_sub(count.held);
    let many = fresh >= BRAKE_ITEMS && fresh * 5 > count.covered;
    let everything = count.missing == count.covered;
    if many || everything { fresh } else { 0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_brake_holds_what_is_suspiciously_much() {
        let held = |covered, missing, held| to_hold(CoverageCount { covered, missing, held });
        assert_eq!(held(100, 0, 0), 0, "nothing is missing");
        assert_eq!(held(100, 20, 0), 0, "20 items are below the brake");
        assert_eq!(held(100, 24, 0), 0, "24 % but below 25 items");
        assert_eq!(held(100, 25, 0), 25, "25 % and 25 items");
        assert_eq!(held(125, 25, 0), 0, "20 % is not more than 20 %");
        assert_eq!(held(3, 3, 0), 3, "everything");
        assert_eq!(held(100, 40, 40), 0, "an earlier pass missed them too");
        assert_eq!(held(100, 70, 40), 30, "only what is new is held");
        assert_eq!(held(0, 0, 0), 0, "an empty coverage");
    }
}

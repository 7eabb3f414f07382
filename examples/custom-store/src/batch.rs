//! Does what a batch says, on a copy: the first thing in it that cannot be ends it, and nothing has happened.
//!
//! An engine makes no such batch. A store that took one all the same would write one connection's data over another's.

use std::collections::HashSet;

use lifehub_core::Result;
use lifehub_core::clock::Timestamp;
use lifehub_core::engine::{Batch, BodyChange, ItemPut, ItemRef, ItemState, PartitionKey, RecordChange};
use lifehub_core::record::RecordId;

use crate::contents::Contents;
use crate::item::{Bad, Item, Published, RecordRow, raw};
use crate::ledger::Run;
use crate::unsound;

pub(crate) fn apply(contents: &mut Contents, batch: Batch) -> Result<()> {
    let Batch { partition: key, now, puts, seen, hold, taken, state, run } = batch;
    let mut put = Put { key: &key, now, last_row: contents.last_row, ids: contents.record_ids() };
    let partition = contents.partition_mut(&key);
    for item in puts {
        let id = item.sighting.id.clone();
        let item = put.item(partition.items.remove(&id), item)?;
        partition.items.insert(id, item);
    }
    if let Some(seen) = seen {
        let mut rows: HashSet<i64> = seen.items.iter().map(|row| row.0).collect();
        for item in partition.items.values_mut().filter(|item| rows.remove(&item.row)) {
            item.held = false;
            item.generation = seen.generation;
            item.observed = item.observed.max(seen.observed);
        }
        if !rows.is_empty() {
            return Err(unsound("the batch has seen items that are not in its partition"));
        }
    }
    // After the others: what this batch brings or has seen is not missing.
    if let Some(missing) = hold {
        partition.items.values_mut().for_each(|item| item.held |= item.is_missing(missing));
    }
    partition.state = state;
    contents.last_row = put.last_row;
    let row = contents.connections.entry(key.connection).or_default();
    if let Some(up_to) = taken {
        row.inbox.retain(|news| !news.is_item_of(&key) || news.seq > up_to);
    }
    row.run = Some(Run(run));
    Ok(())
}

/// What putting an item needs to know beside its partition.
struct Put<'a> {
    key: &'a PartitionKey,
    now: Timestamp,
    last_row: i64,
    /// Of all records there are.
    ids: HashSet<RecordId>,
}

impl Put<'_> {
    /// The item as it is from now on.
    fn item(&mut self, before: Option<Item>, put: ItemPut) -> Result<Item> {
        let ItemPut { item, sighting, body, quarantine, records } = put;
        let (row, last_body, mut rows) = match (item, before) {
            (None, None) => {
                self.last_row += 1;
                (self.last_row, None, Vec::new())
            }
            (Some(ItemRef(row)), Some(before)) if before.row == row => (row, before.body, before.records),
            (None, Some(_)) => return Err(unsound("the batch makes an item that is there")),
            (Some(_), _) => return Err(unsound("the batch names an item by a row that is not its own")),
        };
        for change in records {
            self.record(&sighting.id, &mut rows, change)?;
        }
        Ok(Item {
            row,
            hash: *sighting.hash.as_bytes(),
            normalizer: sighting.normalizer,
            generation: sighting.generation,
            at: sighting.at,
            version: sighting.version,
            observed: sighting.observed,
            live: sighting.state == ItemState::Live,
            held: false,
            body: match body {
                BodyChange::Keep => last_body,
                BodyChange::Store(body) => Some(raw(body.as_str())?),
                BodyChange::Drop => None,
            },
            quarantine: match quarantine {
                Some(bad) => Some(Bad { reason: bad.reason, body: raw(bad.body.as_str())? }),
                None => None,
            },
            records: rows,
        })
    }

    fn record(&mut self, item: &str, rows: &mut Vec<RecordRow>, change: RecordChange) -> Result<()> {
        match change {
            RecordChange::Insert { id, record, day, digest } => {
                if !self.ids.insert(id) {
                    return Err(unsound("the batch makes a record that is there"));
                }
                let published = Published::new(self.key, item, id, &record, day, self.now)?;
                rows.push(RecordRow::new(published, digest));
            }
            // `was`, the day on which it counted before, is for roll-ups.
            RecordChange::Update { id, record, day, digest, was: _ } => {
                let published = Published::new(self.key, item, id, &record, day, self.now)?;
                find(rows, id)?.update(published, digest);
            }
            RecordChange::Delete { id, was: _ } => find(rows, id)?.delete(self.now),
        }
        Ok(())
    }
}

/// A record among those of its item.
fn find(rows: &mut [RecordRow], id: RecordId) -> Result<&mut RecordRow> {
    let found = rows.iter_mut().find(|row| row.published.id == id);
    found.ok_or_else(|| unsound("the batch changes a record that its item does not have"))
}

//! Applying a batch to the maps of the in-memory store.

use std::collections::HashSet;

use crate::clock::Timestamp;
use crate::engine::{
    Batch, BodyChange, ItemPut, ItemRef, ItemState, KnownItem, KnownRecord, Lease, Missing, PartitionKey,
    RecordChange, RecordState, Seen, Sighting,
};
use crate::error::{Error, ErrorKind, Result};
use crate::memory::{Inner, ItemRow, RecordRow};
use crate::record::RecordId;

/// Refuses a batch that names rows that are not there, or makes rows that are, before anything is changed.
pub(super) fn check(inner: &Inner, lease: &Lease, batch: &Batch) -> Result<()> {
    if batch.partition.connection != lease.connection {
        let text = "the batch is not of the connection that the lease is of";
        return Err(Error::new(ErrorKind::Internal, text));
    }
    let row_of = |item: &ItemRef| inner.items.get(item).filter(|row| row.partition == batch.partition);
    let (mut ids, mut fresh) = (HashSet::new(), HashSet::new());
    let sound = batch.puts.iter().all(|put| {
        let id = &put.sighting.id;
        let has_its_row = match &put.item {
            Some(item) => row_of(item).is_some_and(|row| row.known.sighting.id == *id),
            None => !inner.by_id.contains_key(&(batch.partition.clone(), id.clone())),
        };
        has_its_row
            && ids.insert(id)
            && put.records.iter().all(|change| match change {
                RecordChange::Insert { id, .. } => !inner.records.contains_key(id) && fresh.insert(*id),
                RecordChange::Update { id, .. } | RecordChange::Delete { id, .. } => {
                    inner.records.get(id).is_some_and(|row| Some(row.known.item) == put.item)
                }
            })
    });
    let mut seen = batch.seen.iter().flat_map(|seen| &seen.items);
    if sound && seen.all(|item| row_of(item).is_some()) {
        return Ok(());
    }
    Err(Error::new(ErrorKind::Internal, "the batch names rows that are not stored, or makes rows that are"))
}

pub(super) fn apply(inner: &mut Inner, batch: Batch) {
    let Batch { partition, now, puts, seen, hold, taken, state, run } = batch;
    for put in puts {
        let row = put_item(inner, &partition, &put);
        for change in put.records {
            put_record(inner, row, change, now);
        }
    }
    if let Some(Seen { items, generation, observed }) = seen {
        for item in items {
            let Some(row) = inner.items.get_mut(&item) else { continue };
            row.known.held = false;
            let sighting = &mut row.known.sighting;
            sighting.generation = generation;
            sighting.observed = sighting.observed.max(observed);
        }
    }
    if let Some(Missing { covers, generation }) = hold {
        for row in inner.items.values_mut().filter(|row| row.partition == partition) {
            let known = &mut row.known;
            let Sighting { generation: last, at, state, .. } = known.sighting;
            known.held |= state == ItemState::Live && last < generation && covers.contains(at);
        }
    }
    if let Some(up_to) = taken {
        inner.take_news(&partition, up_to);
    }
    inner.states.insert(partition.clone(), state);
    inner.runs.insert(partition.connection, run);
}

fn put_item(inner: &mut Inner, partition: &PartitionKey, put: &ItemPut) -> ItemRef {
    let next = inner.items.last_key_value().map_or(1, |(last, _)| last.0 + 1);
    let item = put.item.unwrap_or(ItemRef(next));
    let known = KnownItem {
        item,
        sighting: put.sighting.clone(),
        quarantined: put.quarantine.is_some(),
        held: false,
    };
    let quarantine = put.quarantine.as_ref().map(|q| (q.reason.clone(), q.body.clone()));
    let before = inner.items.remove(&item);
    let (kept, records) = before.map(|row| (row.body, row.records)).unwrap_or_default();
    let body = match &put.body {
        BodyChange::Keep => kept,
        BodyChange::Store(body) => Some(body.clone()),
        BodyChange::Drop => None,
    };
    inner.items.insert(item, ItemRow { partition: partition.clone(), known, body, quarantine, records });
    inner.by_id.insert((partition.clone(), put.sighting.id.clone()), item);
    item
}

fn put_record(inner: &mut Inner, item: ItemRef, change: RecordChange, now: Timestamp) {
    match change {
        RecordChange::Insert { id, record, day, digest } => {
            let known = KnownRecord {
                item,
                record: id,
                dataset: record.dataset().into(),
                key: record.get_key().into(),
                digest,
                day,
                state: RecordState::Live,
            };
            inner.records.insert(id, RecordRow { known, record, changed_at: now });
            if let Some(row) = inner.items.get_mut(&item) {
                row.records.push(id);
            }
        }
        RecordChange::Update { id, record, day, digest, .. } => {
            let Some(row) = unless_removed(inner, id) else { return };
            row.record = record;
            row.changed_at = now;
            row.known.day = day;
            row.known.digest = digest;
            row.known.state = RecordState::Live;
        }
        RecordChange::Delete { id, .. } => {
            let Some(row) = unless_removed(inner, id) else { return };
            row.changed_at = now;
            row.known.state = RecordState::Gone;
        }
    }
}

/// The row of a record, unless its user deleted it.
fn unless_removed(inner: &mut Inner, id: RecordId) -> Option<&mut RecordRow> {
    inner.records.get_mut(&id).filter(|row| row.known.state != RecordState::Removed)
}

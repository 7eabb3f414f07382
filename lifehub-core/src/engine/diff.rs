//! Turns a page into what the store is to change: what is news, what it becomes, what stays.

use std::collections::HashMap;

use crate::clock::{Clock, Rng, Timestamp, Zone};
use crate::connector::StreamSpec;
use crate::engine::observed::{Observed, What, dedup};
use crate::engine::report::Counts;
use crate::engine::storage::{
    BodyChange, ItemPut, ItemRef, ItemState, KnownItem, KnownRecord, PartitionKey, Quarantine, RecordChange,
    RecordState, Sighting, SyncStore,
};
use crate::error::Result;
use crate::page::RawItem;
use crate::record::{Record, RecordId};

/// What the items of a page change.
#[derive(Debug, Default)]
pub(super) struct Diff {
    pub(super) puts: Vec<ItemPut>,
    pub(super) seen: Vec<ItemRef>,
    pub(super) counts: Counts,
    /// Items that went to quarantine and were not there before.
    pub(super) newly_bad: usize,
    /// The first reason among them.
    pub(super) reason: Option<String>,
}

/// Compares items with the store.
pub(super) struct Differ<'a> {
    pub(super) store: &'a dyn SyncStore,
    pub(super) spec: &'a StreamSpec,
    pub(super) partition: &'a PartitionKey,
    pub(super) zone: &'a Zone,
    pub(super) clock: &'a dyn Clock,
    pub(super) rng: &'a Rng,
}

/// An item that is news, with the records that it gives now.
struct Changed {
    put: ItemPut,
    /// The records that it should have; `None` leaves those that are there.
    records: Option<Vec<Record>>,
}

impl Differ<'_> {
    /// Works out what a page changes. `observed` is when its request was sent; `stamp` the generation with which
    /// items are marked as seen.
    pub(super) async fn page(
        &self,
        items: Vec<Observed>,
        observed: Timestamp,
        generation: u64,
        stamp: Option<u64>,
    ) -> Result<Diff> {
        let items = dedup(items);
        let ids: Vec<&str> = items.iter().map(|item| item.id.as_str()).collect();
        let known = self.store.known(self.partition, &ids).await?;
        let known: HashMap<&str, &KnownItem> =
            known.iter().map(|known| (known.sighting.id.as_str(), known)).collect();

        let mut diff = Diff::default();
        let mut changed = Vec::new();
        for item in items {
            let known = known.get(item.id.as_str()).copied();
            match known.filter(|known| self.is_no_news(&known.sighting, &item, observed)) {
                Some(known) => {
                    // A second sight within the same passes is not another item.
                    if stamp.is_none_or(|stamp| known.sighting.generation < stamp) {
                        match known.quarantined {
                            true => diff.counts.quarantined += 1,
                            false => diff.counts.unchanged += 1,
                        }
                        diff.seen.extend(stamp.map(|_| known.item));
                    }
                }
                None => changed.push(self.read(item, known, observed, generation, &mut diff)),
            }
        }
        self.records(changed, &mut diff).await?;
        Ok(diff)
    }

    /// Whether an item tells nothing new: it is equal, or older than what is stored.
    fn is_no_news(&self, known: &Sighting, item: &Observed, observed: Timestamp) -> bool {
        let older = match (item.version, known.version) {
            (Some(new), Some(stored)) if new != stored => new < stored,
            _ => observed < known.observed,
        };
        let same = match item.what {
            What::Gone => known.state == ItemState::Gone,
            _ => {
                known.state == ItemState::Live
                    && known.hash == item.hash
                    && known.normalizer >= self.spec.version
            }
        };
        // A newer version of the same content is kept in mind, so that those between do not pass for news.
        let known_version = item.version.is_none() || item.version == known.version;
        older || same && known_version
    }

    fn read(
        &self,
        item: Observed,
        known: Option<&KnownItem>,
        observed: Timestamp,
        generation: u64,
        diff: &mut Diff,
    ) -> Changed {
        let Observed { id, hash, version, what } = item;
        let last = known.map(|known| &known.sighting);
        let mut sighting = Sighting {
            id,
            hash,
            normalizer: self.spec.version,
            generation,
            at: last.and_then(|last| last.at),
            version: version.or_else(|| last.and_then(|last| last.version)),
            observed,
            state: ItemState::Live,
        };
        let mut body_change = BodyChange::Keep;
        let records = match what {
            What::Gone => {
                sighting.state = ItemState::Gone;
                sighting.hash = last.map_or(hash, |last| last.hash);
                body_change = BodyChange::Drop;
                Ok(Vec::new())
            }
            What::Put { at, body } => {
                sighting.at = at.or(sighting.at);
                let raw = RawItem { id: sighting.id, at, version, body };
                let records = self.normalize(&raw);
                sighting.id = raw.id;
                match records {
                    Ok(records) => {
                        body_change = BodyChange::Store(raw.body);
                        Ok(records)
                    }
                    Err(reason) => Err(Quarantine { reason, body: raw.body }),
                }
            }
            What::Broken { body, reason } => Err(Quarantine { reason, body }),
        };
        let (records, quarantine) = match records {
            Ok(records) => (Some(records), None),
            Err(quarantine) => {
                diff.counts.quarantined += 1;
                if known.is_none_or(|known| !known.quarantined) {
                    diff.newly_bad += 1;
                    diff.reason.get_or_insert_with(|| quarantine.reason.clone());
                }
                (None, Some(quarantine))
            }
        };
        let item = known.map(|known| known.item);
        let put = ItemPut { item, sighting, body: body_change, quarantine, records: Vec::new() };
        Changed { put, records }
    }

    /// Normalizes an item, and refuses two records that nothing tells apart.
    pub(super) fn normalize(&self, raw: &RawItem) -> std::result::Result<Vec<Record>, String> {
        let records = self.spec.normalizer.normalize(raw).map_err(|reject| reject.reason().to_owned())?;
        let mut seen = std::collections::HashSet::with_capacity(records.len());
        match records.iter().find(|record| !seen.insert((record.dataset(), record.get_key()))) {
            None => Ok(records),
            Some(twice) => Err(format!("two {} records have the key {:?}", twice.dataset(), twice.get_key())),
        }
    }

    /// Compares the records of changed items with those that the store has of them.
    async fn records(&self, changed: Vec<Changed>, diff: &mut Diff) -> Result<()> {
        let rows: Vec<ItemRef> =
            changed.iter().filter(|c| c.records.is_some()).filter_map(|c| c.put.item).collect();
        let mut stored: HashMap<ItemRef, Vec<KnownRecord>> = HashMap::new();
        if !rows.is_empty() {
            for record in self.store.records_of(self.partition, &rows).await? {
                stored.entry(record.item).or_default().push(record);
            }
        }
        let now = self.clock.now();
        for Changed { mut put, records } in changed {
            if let Some(records) = records {
                let known = put.item.and_then(|item| stored.remove(&item)).unwrap_or_default();
                put.records = self.compare(records, known, now, &mut diff.counts);
                if put.records.is_empty() && put.item.is_some() && put.sighting.state == ItemState::Live {
                    diff.counts.unchanged += 1;
                }
            }
            diff.puts.push(put);
        }
        Ok(())
    }

    /// What becomes of the records of one item.
    pub(super) fn compare(
        &self,
        records: Vec<Record>,
        mut known: Vec<KnownRecord>,
        now: Timestamp,
        counts: &mut Counts,
    ) -> Vec<RecordChange> {
        let mut changes = Vec::with_capacity(records.len());
        for record in records {
            let day = record.day(self.zone);
            let digest = record.digest(day);
            let same = |k: &KnownRecord| k.dataset == record.dataset() && k.key == record.get_key();
            match known.iter().position(same).map(|i| known.swap_remove(i)) {
                None => {
                    counts.inserted += 1;
                    changes.push(RecordChange::Insert {
                        id: RecordId::new(now, self.rng),
                        record,
                        day,
                        digest,
                    });
                }
                Some(k) if k.state == RecordState::Removed => {}
                Some(k) if k.state == RecordState::Live && k.digest == digest => {}
                Some(k) => {
                    match k.state {
                        RecordState::Live => counts.updated += 1,
                        _ => counts.inserted += 1,
                    }
                    changes.push(RecordChange::Update { id: k.record, record, day, digest, was: k.day });
                }
            }
        }
        changes.extend(Self::deletes(known, counts));
        changes
    }

    /// Tombstones for those of the records that are live.
    pub(super) fn deletes(known: Vec<KnownRecord>, counts: &mut Counts) -> Vec<RecordChange> {
        let live = known.iter().filter(|k| k.state == RecordState::Live);
        let changes: Vec<_> = live.map(|k| RecordChange::Delete { id: k.record, was: k.day }).collect();
        counts.deleted += changes.len() as u64;
        changes
    }
}

//! What is kept, as it stands in the file, and where things are found in it.
//!
//! Everything of a partition lies below it: what happens in one cannot touch another. There are no indexes: a commit
//! writes everything anyway, so that a look through one partition costs nothing beside it.

use std::collections::{BTreeMap, HashSet};

use lifehub_core::clock::Timestamp;
use lifehub_core::engine::{CoverageCount, ItemRef, Missing, PartitionKey, PartitionState};
use lifehub_core::record::{ConnectionId, RecordId};
use lifehub_core::{Error, ErrorKind, Result};
use serde::{Deserialize, Serialize};

use crate::inbox::{Account, News};
use crate::item::Item;
use crate::ledger::Run;
use crate::quotas::Quota;
use crate::vault::Safe;

/// The version of the file's form: to be raised with every change that an older program would not read.
pub(crate) const FORMAT: u32 = 3;

#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Contents {
    format: u32,
    /// The row of the item that was made last. Rows are counted over all partitions, so that a batch which names that
    /// of another one is found out.
    pub(crate) last_row: i64,
    /// The number of the piece of news that came last.
    pub(crate) last_news: u64,
    pub(crate) connections: BTreeMap<ConnectionId, ConnectionRow>,
    pub(crate) quotas: Vec<Quota>,
}

#[derive(Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ConnectionRow {
    /// That of the latest lease.
    pub(crate) epoch: u64,
    /// Its user ended it.
    pub(crate) ended: bool,
    pub(crate) run: Option<Run>,
    pub(crate) safe: Safe,
    /// Whose account it is, if its provider may send news of it.
    pub(crate) account: Option<Account>,
    /// By rising numbers.
    pub(crate) inbox: Vec<News>,
    /// By stream, and in it by partition.
    streams: BTreeMap<String, BTreeMap<String, Partition>>,
}

#[derive(Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Partition {
    pub(crate) state: PartitionState,
    /// By the provider's ids.
    pub(crate) items: BTreeMap<String, Item>,
}

impl Default for Contents {
    fn default() -> Self {
        Self { format: FORMAT, last_row: 0, last_news: 0, connections: BTreeMap::new(), quotas: Vec::new() }
    }
}

impl Contents {
    pub(crate) fn partition(&self, key: &PartitionKey) -> Option<&Partition> {
        self.connections.get(&key.connection)?.streams.get(&key.stream)?.get(&key.partition)
    }

    /// The partition, made if it is not there.
    pub(crate) fn partition_mut(&mut self, key: &PartitionKey) -> &mut Partition {
        let row = self.connections.entry(key.connection).or_default();
        let stream = row.streams.entry(key.stream.clone()).or_default();
        stream.entry(key.partition.clone()).or_default()
    }

    pub(crate) fn partitions(&self, connection: ConnectionId, stream: &str) -> impl Iterator<Item = &String> {
        let row = self.connections.get(&connection).and_then(|row| row.streams.get(stream));
        row.into_iter().flat_map(BTreeMap::keys)
    }

    /// All items of a connection, each with its stream and its id.
    pub(crate) fn items(&self, connection: ConnectionId) -> impl Iterator<Item = (&str, &str, &Item)> {
        let streams = self.connections.get(&connection).into_iter().flat_map(|row| &row.streams);
        streams.flat_map(|(stream, partitions)| {
            let items = partitions.values().flat_map(|partition| &partition.items);
            items.map(move |(id, item)| (stream.as_str(), id.as_str(), item))
        })
    }

    /// The ids of all records.
    pub(crate) fn record_ids(&self) -> HashSet<RecordId> {
        let connections = self.connections.keys();
        let items = connections.flat_map(|id| self.items(*id));
        items.flat_map(|(.., item)| item.records.iter().map(|record| record.published.id)).collect()
    }

    /// Deletes a record as its user.
    pub(crate) fn remove(&mut self, id: RecordId, now: Timestamp) -> Result<()> {
        let streams = self.connections.values_mut().flat_map(|row| row.streams.values_mut());
        let items = streams.flat_map(BTreeMap::values_mut).flat_map(|partition| partition.items.values_mut());
        match items.flat_map(|item| &mut item.records).find(|record| record.published.id == id) {
            Some(record) => {
                record.remove(now);
                Ok(())
            }
            None => Err(Error::new(ErrorKind::NotFound, "there is no such record")),
        }
    }
}

impl Partition {
    /// The items of these rows.
    pub(crate) fn of_rows<'a>(&'a self, rows: &[ItemRef]) -> impl Iterator<Item = &'a Item> + use<'a> {
        let rows: HashSet<i64> = rows.iter().map(|row| row.0).collect();
        self.items.values().filter(move |item| rows.contains(&item.row))
    }

    pub(crate) fn count(&self, missing: Missing) -> CoverageCount {
        let mut count = CoverageCount::default();
        for item in self.items.values().filter(|item| item.is_covered(missing.covers)) {
            count.covered += 1;
            count.missing += u64::from(item.is_missing(missing));
            count.held += u64::from(item.is_missing(missing) && item.held);
        }
        count
    }
}

//! An item with its latest observation, its bodies and its records.
//!
//! The engine's types are what it says, not how it is kept, so a store has rows of its own. It never asks what a record
//! says, only what it is called and whether it would be another one: records are kept as they are to be shown.

use lifehub_core::clock::{Day, Timestamp, Zone};
use lifehub_core::engine::{
    ItemRef, ItemState, KnownItem, KnownRecord, Missing, PartitionKey, RecordState, Sighting, StoredItem,
};
use lifehub_core::page::{Coverage, RawJson};
use lifehub_core::record::{Digest, Moment, Record, RecordId};
use lifehub_core::{Error, ErrorKind, Result};
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::value::RawValue;

#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Item {
    pub(crate) row: i64,
    pub(crate) hash: [u8; 16],
    pub(crate) normalizer: u32,
    pub(crate) generation: u64,
    pub(crate) at: Option<Timestamp>,
    pub(crate) version: Option<u64>,
    pub(crate) observed: Timestamp,
    pub(crate) live: bool,
    /// A sweep wanted it gone and was held.
    pub(crate) held: bool,
    /// The latest body that was taken, to the byte: a replay reads it again.
    #[serde(default, deserialize_with = "some", skip_serializing_if = "Option::is_none")]
    pub(crate) body: Option<Box<RawValue>>,
    pub(crate) quarantine: Option<Bad>,
    pub(crate) records: Vec<RecordRow>,
}

/// A body that its normalizer did not take.
#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Bad {
    pub(crate) reason: String,
    pub(crate) body: Box<RawValue>,
}

/// A record with what nobody else sees of it.
#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RecordRow {
    digest: [u8; 16],
    /// Its user deleted it: whatever the engine says, it stays deleted.
    removed: bool,
    pub(crate) published: Published,
}

/// A record as it is published, and as it stands in the file.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Published {
    /// Its id.
    pub id: RecordId,
    /// The stream from which it came.
    pub stream: String,
    /// The partition of that stream; empty in a plain one.
    pub partition: String,
    /// The provider's id of its item.
    pub external_id: String,
    /// What tells it from the other records of its item; empty for an only one.
    pub key: String,
    /// Its dataset.
    pub dataset: String,
    /// When it began: RFC 3339 with its own offset, `Z` where the provider tells none. `None` for a fact of a whole day.
    pub start: Option<String>,
    /// When it ended, if it is a span.
    pub end: Option<String>,
    /// The IANA name of its zone, if the provider told one.
    pub zone: Option<String>,
    /// The local day on which it counts.
    pub day: Day,
    /// Its body, as its dataset describes it. Null once the user deleted it.
    pub body: Box<RawValue>,
    /// When its published content last changed.
    pub changed_at: Timestamp,
    /// Whether it is a tombstone.
    pub deleted: bool,
}

impl Item {
    pub(crate) fn known(&self, id: &str) -> KnownItem {
        KnownItem {
            item: ItemRef(self.row),
            sighting: Sighting {
                id: id.to_owned(),
                hash: Digest::from_bytes(self.hash),
                normalizer: self.normalizer,
                generation: self.generation,
                at: self.at,
                version: self.version,
                observed: self.observed,
                state: if self.live { ItemState::Live } else { ItemState::Gone },
            },
            quarantined: self.quarantine.is_some(),
            held: self.held,
        }
    }

    /// For replay: the latest body, whether it was taken or not, of what is there.
    pub(crate) fn stored(&self, id: &str) -> Option<StoredItem> {
        let body = self.quarantine.as_ref().map(|bad| &bad.body).or(self.body.as_ref())?;
        let body = RawJson::from_store(body.get().as_bytes().to_vec());
        self.live.then(|| StoredItem { known: self.known(id), body })
    }

    /// Whether its absence from what a pass covers would mean that it is gone.
    pub(crate) fn is_covered(&self, covers: Coverage) -> bool {
        self.live && covers.contains(self.at)
    }

    pub(crate) fn is_missing(&self, missing: Missing) -> bool {
        self.is_covered(missing.covers) && self.generation < missing.generation
    }
}

impl RecordRow {
    pub(crate) fn new(published: Published, digest: Digest) -> Self {
        Self { digest: *digest.as_bytes(), removed: false, published }
    }

    pub(crate) fn known(&self, item: i64) -> KnownRecord {
        let Published { id, dataset, key, day, deleted, .. } = &self.published;
        KnownRecord {
            item: ItemRef(item),
            record: *id,
            dataset: dataset.clone(),
            key: key.clone(),
            digest: Digest::from_bytes(self.digest),
            day: *day,
            state: match (self.removed, deleted) {
                (true, _) => RecordState::Removed,
                (false, true) => RecordState::Gone,
                (false, false) => RecordState::Live,
            },
        }
    }

    /// It says something else, or is there again.
    pub(crate) fn update(&mut self, published: Published, digest: Digest) {
        if !self.removed {
            *self = Self::new(published, digest);
        }
    }

    /// It goes with its item, or its item no longer yields it.
    pub(crate) fn delete(&mut self, now: Timestamp) {
        if !self.removed {
            (self.published.deleted, self.published.changed_at) = (true, now);
        }
    }

    /// Its user deletes it.
    pub(crate) fn remove(&mut self, now: Timestamp) {
        self.delete(now);
        self.published.body = RawValue::NULL.to_owned();
        self.removed = true;
    }
}

impl Published {
    pub(crate) fn new(
        key: &PartitionKey,
        external_id: &str,
        id: RecordId,
        record: &Record,
        day: Day,
        changed_at: Timestamp,
    ) -> Result<Self> {
        let when = record.when();
        Ok(Self {
            id,
            stream: key.stream.clone(),
            partition: key.partition.clone(),
            external_id: external_id.to_owned(),
            key: record.get_key().to_owned(),
            dataset: record.dataset().to_owned(),
            start: when.start().map(Moment::to_rfc3339),
            end: when.end().map(Moment::to_rfc3339),
            zone: when.zone().map(Zone::name).map(str::to_owned),
            day,
            body: raw(record.body())?,
            changed_at,
            deleted: false,
        })
    }
}

/// JSON that is part of the file as it came, readable there.
pub(crate) fn raw(text: &str) -> Result<Box<RawValue>> {
    RawValue::from_string(text.to_owned()).map_err(|_| Error::new(ErrorKind::Internal, "a body is not JSON"))
}

/// A body may be `null`, which is not the same as no body.
fn some<'de, D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Option<Box<RawValue>>, D::Error> {
    Box::deserialize(deserializer).map(Some)
}

//! A stored record and its one JSON form, the same in the API, the feed and the exports.

use lifehub_core::clock::{Day, Timestamp};
use lifehub_core::record::{ConnectionId, RecordId};
use serde::Serialize;
use serde_json::value::RawValue;

/// A record as it is published. Its members serialize in this order, under these names.
#[derive(Debug, Clone, Serialize)]
#[non_exhaustive]
pub struct StoredRecord {
    /// Its id.
    pub id: RecordId,
    /// The connection that it came through.
    pub connection: ConnectionId,
    /// The provider that it came from.
    pub provider: String,
    /// The stream of that provider.
    pub stream: String,
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
    /// Its body, as its dataset describes it. Empty once the user deleted it.
    pub body: Box<RawValue>,
    /// Its number in the user's change feed.
    pub seq: u64,
    /// When its published content last changed.
    pub changed_at: Timestamp,
    /// Whether it is a tombstone.
    pub deleted: bool,
}

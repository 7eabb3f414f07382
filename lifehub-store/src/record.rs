//! A stored record and its one JSON form, the same in the API, the feed and the exports.

use lifehub_core::clock::{Day, Offset, Timestamp, Zone};
use lifehub_core::record::{ConnectionId, Digest, Moment, RecordId, When};
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

/// The digest of a stored record, byte for byte as [`Record::digest`](lifehub_core::record::Record::digest) makes it
/// for the record before it was stored; a test compares both.
pub(crate) fn content_digest(dataset: &str, key: &str, body: &str, when: &When, day: Day) -> Digest {
    let mut bytes = [dataset, "\0", key, "\0", body, "\0"].concat().into_bytes();
    let mut moment = |tag: u8, m: &Moment| {
        bytes.push(tag);
        bytes.extend(m.at.as_micros().to_be_bytes());
        bytes.extend(m.offset.map_or(i32::MAX, Offset::as_seconds).to_be_bytes());
        bytes.extend(m.zone.as_ref().map_or("", Zone::name).as_bytes());
        bytes.push(0);
    };
    match when {
        When::At(at) => moment(1, at),
        When::Span { start, end } => {
            moment(2, start);
            moment(3, end);
        }
        When::Day(day) => {
            bytes.push(4);
            bytes.extend(day.as_number().to_be_bytes());
        }
    }
    bytes.extend(day.as_number().to_be_bytes());
    Digest::of_bytes(&bytes)
}

#[cfg(test)]
mod tests {
    use lifehub_core::record::Record;
    use lifehub_core::record::datasets::Workout;

    use super::*;

    #[test]
    fn the_digest_of_a_stored_record_is_that_of_the_record() {
        let rome: Zone = "Europe/Rome".parse().unwrap();
        let at = |seconds: i64| Timestamp::from_seconds(1_770_000_000 + seconds);
        let day = Day::new(2026, 2, 2).unwrap();
        let whens = [
            When::At(Moment::utc(at(0))),
            When::At(Moment::in_zone(at(0), rome.clone())),
            When::Span {
                start: Moment::with_offset(at(0), Offset::from_seconds(-3600).unwrap()),
                end: Moment::in_zone(at(60), rome),
            },
            When::Day(day),
        ];
        for when in whens {
            let workout = Workout { sport: "Run".into(), ..Workout::default() };
            let record = Record::new(when, &workout).unwrap().key("k");
            let ours = content_digest("workout", "k", record.body(), record.when(), day);
            assert_eq!(ours, record.digest(day), "{:?}", record.when());
        }
    }
}

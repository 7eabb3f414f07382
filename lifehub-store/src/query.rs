//! Questions about stored data, and the pages in which the answers come.

use lifehub_core::clock::Timestamp;
use lifehub_core::page::RawJson;
use lifehub_core::record::ConnectionId;
use lifehub_core::{Error, ErrorKind, Result};
use serde::Serialize;

use crate::record::StoredRecord;

/// The most rows that one page of any answer holds.
pub(crate) const MAX_LIMIT: u32 = 500;

/// Which records, in the order of their start.
#[derive(Debug, Clone, Default)]
pub struct RecordQuery {
    /// Only of this dataset.
    pub dataset: Option<String>,
    /// Only of connections to this provider.
    pub provider: Option<String>,
    /// Only of this connection.
    pub connection: Option<ConnectionId>,
    /// Only those that start at this instant or later. A fact of a whole day starts when that day does in UTC.
    pub from: Option<Timestamp>,
    /// Only those that start before this instant.
    pub to: Option<Timestamp>,
    /// Goes on after the page that gave this cursor.
    pub cursor: Option<String>,
    /// How many at most: 0 and everything above 500 count as 500.
    pub limit: u32,
    /// Also tombstones.
    pub deleted: bool,
    /// From the latest to the earliest.
    pub newest_first: bool,
}

/// A page of records.
#[derive(Debug, Clone, Serialize)]
#[non_exhaustive]
pub struct RecordPage {
    /// The records.
    pub items: Vec<StoredRecord>,
    /// Where to go on; `None` on the last page.
    pub next_cursor: Option<String>,
}

/// A page of a user's change feed: every record once, at its latest change, tombstones included.
#[derive(Debug, Clone, Serialize)]
#[non_exhaustive]
pub struct Changes {
    /// The changed records by rising `seq`.
    pub items: Vec<StoredRecord>,
    /// After which number to go on. Reading on from here misses nothing.
    pub next: u64,
    /// Whether there is more already.
    pub more: bool,
}

/// How many live records of a dataset came from a provider.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct DatasetCount {
    /// The provider.
    pub provider: String,
    /// The dataset.
    pub dataset: String,
    /// Live records.
    pub records: u64,
}

/// An item that its normalizer did not take.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct QuarantineEntry {
    /// The stream from which it came.
    pub stream: String,
    /// The partition of that stream.
    pub partition: String,
    /// The provider's id of it.
    pub external_id: String,
    /// Why it was not taken.
    pub reason: String,
    /// The version of the normalizer that said so.
    pub normalizer: u32,
    /// Since when it has been there.
    pub since: Timestamp,
    /// The body that was not taken.
    pub body: RawJson,
}

/// Where a listing goes on: after this sort instant and row. Opaque to callers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Position {
    pub(crate) sort: i64,
    pub(crate) row: i64,
}

impl Position {
    pub(crate) fn to_cursor(self) -> String {
        // Shifted, so that no sign stands in it.
        format!("{:016x}{:x}", self.sort.cast_unsigned() ^ (1 << 63), self.row)
    }

    pub(crate) fn from_cursor(cursor: &str) -> Result<Self> {
        let read = || {
            let (sort, row) = cursor.split_at_checked(16)?;
            let sort = u64::from_str_radix(sort, 16).ok()? ^ (1 << 63);
            let row = i64::from_str_radix(row, 16).ok()?;
            Some(Self { sort: sort.cast_signed(), row })
        };
        read().ok_or_else(|| {
            Error::new(ErrorKind::Invalid, "that is no cursor of a record listing")
                .hint("pass the `next_cursor` of the page before, unchanged")
        })
    }
}

/// The limit that counts.
pub(crate) fn clamp_limit(limit: u32) -> u32 {
    if limit == 0 { MAX_LIMIT } else { limit.min(MAX_LIMIT) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_reads_back() {
        for sort in [i64::MIN, -1, 0, 1, 1_770_000_000_000_000, i64::MAX] {
            let position = Position { sort, row: 4711 };
            assert_eq!(Position::from_cursor(&position.to_cursor()).unwrap(), position);
        }
        for bad in
            ["", "x", "00000000000000000", "8000000000000000z", "-8000000000000001", "ä80000000000000011"]
        {
            if let Ok(position) = Position::from_cursor(bad) {
                assert_eq!(position.row, 0, "{bad}");
            }
        }
    }
}

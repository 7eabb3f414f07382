//! What a run did, in figures: the report that callers get and the ledger keeps.

use serde::{Deserialize, Serialize};

use crate::clock::Timestamp;
use crate::engine::due::Dues;
use crate::error::{Error, ErrorKind};
use crate::record::{ConnectionId, RunId};

/// How a run ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum RunStatus {
    /// It is under way, or its process died.
    Running,
    /// Every stream is caught up.
    Ok,
    /// The budget was spent, the caller cancelled, or a sweep is held: nothing is wrong.
    Incomplete,
    /// It waits for the provider's quota until a known time.
    Parked,
    /// At least one stream ended in an error.
    Failed,
}

/// What one run did.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Report {
    /// The connection.
    pub id: ConnectionId,
    /// Its provider.
    pub provider: String,
    /// How it ended.
    pub status: RunStatus,
    /// How long it took, in milliseconds.
    pub duration_ms: u64,
    /// What became of each stream, in the manifest's order.
    pub streams: Vec<StreamReport>,
}

impl Report {
    /// An empty report of a run that begins.
    pub fn new(id: ConnectionId, provider: &str) -> Self {
        Self {
            id,
            provider: provider.into(),
            status: RunStatus::Running,
            duration_ms: 0,
            streams: Vec::new(),
        }
    }

    /// The sums over its streams.
    pub fn totals(&self) -> Counts {
        self.streams.iter().fold(Counts::default(), |sum, stream| sum + stream.counts)
    }
}

/// What became of one stream.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct StreamReport {
    /// Its name.
    pub stream: String,
    /// Sums over its partitions.
    #[serde(flatten)]
    pub counts: Counts,
    /// Whether every partition reached its end and no sweep is held.
    pub caught_up: bool,
    /// The first error, if one stopped anything.
    pub error: Option<ErrorReport>,
}

impl StreamReport {
    /// An empty report of a stream that is not caught up yet.
    pub fn new(stream: impl Into<String>) -> Self {
        Self { stream: stream.into(), counts: Counts::default(), caught_up: false, error: None }
    }
}

/// Figures of a run. `inserted`, `updated` and `deleted` count records whose published content changed; `unchanged`,
/// `quarantined` and `held` count items.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    /// Pages committed.
    pub pages: u64,
    /// Records that are new, or there again.
    pub inserted: u64,
    /// Records whose content changed.
    pub updated: u64,
    /// Items that were read and changed no record.
    pub unchanged: u64,
    /// Records that became tombstones.
    pub deleted: u64,
    /// Items that were read and are in quarantine.
    pub quarantined: u64,
    /// Items that a held sweep would delete.
    pub held: u64,
}

impl std::ops::Add for Counts {
    type Output = Self;
    fn add(self, other: Self) -> Self {
        Self {
            pages: self.pages + other.pages,
            inserted: self.inserted + other.inserted,
            updated: self.updated + other.updated,
            unchanged: self.unchanged + other.unchanged,
            deleted: self.deleted + other.deleted,
            quarantined: self.quarantined + other.quarantined,
            held: self.held + other.held,
        }
    }
}

impl std::ops::AddAssign for Counts {
    fn add_assign(&mut self, other: Self) {
        *self = *self + other;
    }
}

/// An error as reports carry it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ErrorReport {
    /// Its kind.
    pub kind: ErrorKind,
    /// What happened.
    pub message: String,
    /// What to do next.
    pub hint: Option<String>,
    /// The partition that it stopped, where the stream has several.
    pub partition: Option<String>,
}

impl ErrorReport {
    /// The report of an error that stopped a partition.
    pub fn of(error: &Error, partition: &str) -> Self {
        Self {
            kind: error.kind(),
            message: error.to_string(),
            hint: error.get_hint().map(Into::into),
            partition: (!partition.is_empty()).then(|| partition.into()),
        }
    }
}

/// A run's line in the ledger.
#[derive(Debug, Clone, PartialEq)]
pub struct RunEntry {
    /// The run.
    pub id: RunId,
    /// The lease's epoch under which it worked.
    pub epoch: u64,
    /// When it began.
    pub started_at: Timestamp,
    /// When it ended; `None` while it is under way.
    pub finished_at: Option<Timestamp>,
    /// From when on the work can go on, if it is parked.
    pub resume_at: Option<Timestamp>,
    /// When each stream is due again.
    pub dues: Dues,
    /// What it did so far.
    pub report: Report,
}

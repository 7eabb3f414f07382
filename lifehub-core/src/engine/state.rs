//! Where a partition stands: its anchor, its open scans, its generation. Stored with every page.

use serde::{Deserialize, Serialize};

use crate::clock::Timestamp;
use crate::page::{Coverage, Cursor, Pass, PassKind};

/// Where a partition stands. A store keeps it as one JSON text and does not look inside.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct PartitionState {
    /// Counts the passes that could sweep; commits stamp the items that they see with it.
    pub generation: u64,
    /// The latest moment of observation: it never goes back, even when the machine's clock does.
    pub observed: Option<Timestamp>,
    /// Where the next live pass starts.
    pub anchor: Option<Anchor>,
    /// The open live scan.
    pub live: Option<Scan>,
    /// The open full scan.
    pub full: Option<Scan>,
    /// When the last finished full pass began.
    pub full_at: Option<Timestamp>,
    /// How many pages the open full scan had read when a live pass last caught up.
    pub full_pages_at_live: Option<u64>,
}

/// The end of the latest finished pass.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Anchor {
    /// The resume point that it gave.
    pub cursor: Cursor,
    /// When that pass began: what happened before is known.
    pub at: Timestamp,
}

/// An open walk.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Scan {
    /// What it walks, frozen at its start.
    pub pass: Pass,
    /// From where the walk began; a refused cursor falls back to it, and a second walk starts there.
    pub start: Option<Cursor>,
    /// Where it goes on.
    pub cursor: Option<Cursor>,
    /// The generation that it opened, if it may sweep.
    pub generation: Option<u64>,
    /// How many pages this walk has committed.
    pub pages: u64,
    /// Whether this is the second walk, which confirms what the first missed.
    pub second: bool,
    /// Set once the last page is committed and only the sweep is left.
    pub ended: Option<Ended>,
}

/// What the last page of a scan said.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ended {
    /// The next anchor.
    pub cursor: Cursor,
    /// For what the pass is complete.
    pub covers: Coverage,
}

impl PartitionState {
    /// The open scan of a kind.
    pub fn scan(&self, kind: PassKind) -> Option<&Scan> {
        match kind {
            PassKind::Live => self.live.as_ref(),
            PassKind::Full => self.full.as_ref(),
        }
    }

    /// The slot of the open scan of a kind.
    pub fn scan_mut(&mut self, kind: PassKind) -> &mut Option<Scan> {
        match kind {
            PassKind::Live => &mut self.live,
            PassKind::Full => &mut self.full,
        }
    }

    /// The generation with which every commit stamps what it sees: set while a scan is open that may sweep.
    ///
    /// The highest stands for all open scans: an item stamped by the live scan counts as seen for the older full one,
    /// and what the full one sees later must not look older to the live one.
    pub fn stamp(&self) -> Option<u64> {
        let open = |scan: &Option<Scan>| scan.as_ref().is_some_and(|s| s.generation.is_some());
        (open(&self.live) || open(&self.full)).then_some(self.generation)
    }

    /// Whether live passes have taken every run since the full scan last got further: the next run serves it first, so
    /// that runs which are too short for both still end it.
    pub fn full_starves(&self) -> bool {
        let stands = self.full.as_ref().is_some_and(|full| self.full_pages_at_live == Some(full.pages));
        stands && self.live.is_none()
    }

    /// Closes a scan that has ended. Its cursor becomes the anchor, unless that of a pass begun later stands.
    pub fn close(&mut self, kind: PassKind, cursor: Cursor) {
        let Some(scan) = self.scan_mut(kind).take() else { return };
        let at = scan.pass.to;
        if kind == PassKind::Live {
            self.full_pages_at_live = self.full.as_ref().map(|full| full.pages);
        }
        if self.anchor.as_ref().is_none_or(|anchor| anchor.at <= at) {
            self.anchor = Some(Anchor { cursor, at });
        }
        if kind == PassKind::Full {
            self.full_at = Some(at);
        }
    }
}

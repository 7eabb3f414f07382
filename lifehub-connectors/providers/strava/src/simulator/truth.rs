//! The ledger of a world: what was done to it, and what a client should end up with.

use lifehub_core::clock::Timestamp;
use lifehub_testkit::Bytes;
use serde_json::Value;

use super::poison::Poison;

/// What was done to a world after it was made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Change {
    /// An activity came into the list, however old.
    Added(i64),
    /// Members of it changed.
    Edited(i64),
    /// It is gone.
    Deleted(i64),
    /// It is visible to "Only You" now.
    MadePrivate(i64),
    /// It is broken now.
    Poisoned(i64, Poison),
    /// It is as it was before it was broken.
    Healed(i64),
}

/// An activity that a client should have.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Truth {
    /// Its id, also where its JSON has none.
    pub id: i64,
    /// When it began, also where its JSON does not say so.
    pub start: Timestamp,
    /// Its JSON text as the list shows it.
    pub body: Bytes,
    /// How it was broken.
    pub poison: Option<Poison>,
}

impl Truth {
    /// Its JSON as a tree.
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_default()
    }
}

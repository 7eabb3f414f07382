//! The calendar as it stands, and as it stood before its latest change.

use std::fmt;
use std::time::Duration;

use lifehub_core::clock::{Day, Timestamp};
use lifehub_testkit::Setup;

use super::entry::Entry;
use super::plan;

/// A made-up person's calendar.
pub(super) struct World {
    pub(super) seed: u64,
    /// The instant at which it stands.
    pub(super) now: Timestamp,
    pub(super) made_per_request: bool,
    /// How many files were served.
    pub(super) answers: u64,
    pub(super) current: Edition,
    before: Option<Edition>,
    stale: bool,
    added: usize,
}

/// The calendar between two changes.
#[derive(Debug, Clone)]
pub(super) struct Edition {
    /// Series first, then what happens once, the latest last.
    pub(super) entries: Vec<Entry>,
    /// Counts the changes.
    pub(super) revision: u64,
}

impl World {
    pub(super) fn new(setup: &Setup) -> Self {
        Self {
            seed: setup.seed,
            now: setup.now,
            made_per_request: false,
            answers: 0,
            current: Edition { entries: plan::entries(setup), revision: 1 },
            before: None,
            stale: false,
            added: 0,
        }
    }

    /// The secret in the address.
    pub(super) fn token(&self) -> String {
        format!("private-{:016x}", self.seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ 0x5eed)
    }

    /// The edition that is served.
    pub(super) fn shown(&self) -> &Edition {
        self.before.as_ref().filter(|_| self.stale).unwrap_or(&self.current)
    }

    /// When the edition that is served was made.
    pub(super) fn modified(&self) -> Timestamp {
        self.now + Duration::from_secs(self.shown().revision)
    }

    pub(super) fn set_stale(&mut self, stale: bool) {
        self.stale = stale;
    }

    /// The place of a position, which counts from the newest.
    pub(super) fn place(&self, position: usize) -> Option<usize> {
        self.current.entries.len().checked_sub(position + 1)
    }

    /// Changes the calendar; the edition before stays at hand.
    pub(super) fn change(&mut self, change: impl FnOnce(&mut Vec<Entry>)) {
        let before = self.current.clone();
        change(&mut self.current.entries);
        self.current.revision += 1;
        self.before = Some(before);
    }

    /// Adds an entry on that day, or the day after the last entry.
    pub(super) fn add(&mut self, day: Option<Day>) {
        let last = self.current.entries.last().map_or(self.now, Entry::start).max(self.now);
        let number = |at: Timestamp| i32::try_from(at.as_seconds().div_euclid(86_400)).unwrap_or(0);
        let day = day.unwrap_or(Day::from_number(number(last) + 1));
        self.added += 1;
        let entry = plan::added(self.seed, self.added, day);
        self.change(|entries| {
            let series = entries.iter().take_while(|e| e.is_series()).count();
            let place = entries.iter().skip(series).take_while(|e| e.start() <= entry.start()).count();
            entries.insert(series + place, entry);
        });
    }
}

impl fmt::Debug for World {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "World(seed {}, {} entries)", self.seed, self.current.entries.len())
    }
}

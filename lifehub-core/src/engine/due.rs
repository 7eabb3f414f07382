//! When streams are due again: the part of a run's entry by which a scheduler goes.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::clock::{Rng, Timestamp};
use crate::error::{Error, ErrorKind};

/// The first wait after a failure; it doubles with each further one.
const FIRST: Duration = Duration::from_secs(60);
/// No wait after failures is longer.
const LONGEST: Duration = Duration::from_secs(6 * 3600);
/// Credentials that a provider refuses are tried again no more often than this.
const REFUSED: Duration = Duration::from_secs(24 * 3600);
/// So many runs of a stream may break off (their process ended) before the next one waits.
const BROKEN_OFF: u32 = 3;

/// When one stream is due again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Due {
    /// From then on.
    pub at: Timestamp,
    /// How many runs in a row did not bring it to an end.
    pub failures: u32,
}

/// When each stream of a connection is due again. One that is not in it is due at once.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Dues(pub BTreeMap<String, Due>);

/// What became of a stream, as far as its next run depends on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Came {
    /// To its end: it is due after its interval.
    ToItsEnd,
    /// As far as the run's budget went: it goes on at once, behind others that wait.
    AsFarAsItMay,
    /// To a wait that the provider or a quota asks for.
    ToAWait(Timestamp),
    /// To a failure, after which the provider named a time or not.
    ToAFailure(Option<Timestamp>),
    /// To a refusal of the credentials.
    ToARefusal,
    /// Nowhere: the store was away or busy, which is not the provider's doing. It is as if the process had ended.
    Nowhere,
}

impl Came {
    pub(super) fn to(error: &Error) -> Self {
        match (error.kind(), error.retry_at()) {
            (ErrorKind::Parked, Some(at)) => Self::ToAWait(at),
            (ErrorKind::Cancelled, _) => Self::AsFarAsItMay,
            (ErrorKind::Unauthorized, _) => Self::ToARefusal,
            (ErrorKind::Storage, _) if error.is_temporary() => Self::Nowhere,
            (_, at) => Self::ToAFailure(at),
        }
    }
}

impl Dues {
    /// When the first of them is due; the beginning of time if none is known.
    pub fn first(&self) -> Timestamp {
        self.0.values().map(|due| due.at).min().unwrap_or(Timestamp::EPOCH)
    }

    /// Whether a stream is due.
    pub fn is_due(&self, stream: &str, now: Timestamp) -> bool {
        self.0.get(stream).is_none_or(|due| due.at <= now)
    }

    /// Whether news by webhook makes a stream due at once: one that failed waits as it would anyway, and one that was never
    /// read has nothing that could be old.
    pub fn wakes(&self, stream: &str) -> bool {
        self.0.get(stream).is_some_and(|due| due.failures == 0)
    }

    /// Counts a run of a stream as failed before it begins: one that takes its process down must not be tried for ever.
    pub(super) fn begins(&mut self, stream: &str, interval: Duration, now: Timestamp) {
        let due = self.of(stream);
        due.failures = due.failures.saturating_add(1);
        // Whatever it was waiting for: a run that breaks off is made up for at once.
        due.at = match due.failures {
            0..=BROKEN_OFF => due.at.min(now),
            failures => now + wait(interval, failures - BROKEN_OFF),
        };
    }

    /// Says when a stream is due after a run.
    pub(super) fn ends(&mut self, stream: &str, came: Came, interval: Duration, now: Timestamp, rng: &Rng) {
        let due = self.of(stream);
        match came {
            Came::ToItsEnd => {
                // A tenth earlier or later: connections that were made together do not stay together.
                let at = now + interval * 9 / 10 + rng.up_to(interval / 5);
                *due = Due { at, failures: 0 };
            }
            Came::AsFarAsItMay => *due = Due { at: now, failures: 0 },
            Came::ToAWait(at) => *due = Due { at, failures: 0 },
            Came::ToAFailure(named) => {
                let wait = wait(interval, due.failures.max(1));
                let at = now + wait / 2 + rng.up_to(wait / 2);
                due.at = named.map_or(at, |named| named.max(at));
            }
            Came::ToARefusal => due.at = now + REFUSED,
            // As its beginning has left it.
            Came::Nowhere => {}
        }
    }

    fn of(&mut self, stream: &str) -> &mut Due {
        self.0.entry(stream.to_owned()).or_insert(Due { at: Timestamp::EPOCH, failures: 0 })
    }
}

/// The longest wait after so many failures, of which there is at least one.
fn wait(interval: Duration, failures: u32) -> Duration {
    let doublings = 1u32 << (failures - 1).min(16);
    (interval.min(FIRST) * doublings).min(LONGEST)
}

//! Leaving a provider alone that is down: what failed so often in a row is asked again only now and then.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::clock::{Clock, Rng};
use crate::error::{Error, ErrorKind, Result};

/// So many failures in a row, over all connections, and the provider counts as down.
const FAILURES: u32 = 20;

/// For how long it is left alone at first; twice as long after each probe that fails, up to [`LONGEST`].
const FIRST: Duration = Duration::from_secs(30);
const LONGEST: Duration = Duration::from_secs(600);

/// When to ask again while another request probes.
const PROBING: Duration = Duration::from_secs(10);

/// Whether a provider is up, as its connections in this process find.
pub(super) struct Breaker {
    clock: Arc<dyn Clock>,
    rng: Arc<Rng>,
    state: Mutex<State>,
}

enum State {
    /// How many requests failed in a row.
    Closed(u32),
    /// Until when (monotonic) nothing is sent, how long that is without its jitter, and whether a request is on its
    /// way to see.
    Open { until: Duration, length: Duration, probing: bool },
}

impl Breaker {
    pub(super) fn new(clock: Arc<dyn Clock>, rng: Arc<Rng>) -> Self {
        Self { clock, rng, state: Mutex::new(State::Closed(0)) }
    }

    /// Leave to send one request. Of a provider that is down, one request at a time finds out whether it still is.
    pub(super) fn admit(&self) -> Result<Pass<'_>> {
        let now = self.clock.monotonic();
        let mut state = self.lock();
        let wait = match &mut *state {
            State::Closed(_) => return Ok(Pass { breaker: self, probe: false }),
            State::Open { until, probing, .. } if !*probing && *until <= now => {
                *probing = true;
                return Ok(Pass { breaker: self, probe: true });
            }
            State::Open { probing: true, .. } => self.spread(PROBING),
            State::Open { until, .. } => until.saturating_sub(now),
        };
        // Instants are whole microseconds: cut off, this one would be too early.
        let at = self.clock.now() + wait + Duration::from_micros(1);
        let text = format!(
            "the provider failed {FAILURES} times in a row and is left alone for a while; work resumes at {at}"
        );
        Err(Error::new(ErrorKind::Parked, text).at(at).hint(
            "nothing is lost: the next sync goes on from here. The provider's status page may say more",
        ))
    }

    fn failed(&self, probe: bool) {
        let now = self.clock.monotonic();
        let mut state = self.lock();
        let length = match &mut *state {
            State::Closed(failures) => {
                *failures += 1;
                if *failures < FAILURES {
                    return;
                }
                FIRST
            }
            State::Open { length, .. } if probe => (*length * 2).min(LONGEST),
            // It was on its way already.
            State::Open { .. } => return,
        };
        tracing::warn!(seconds = length.as_secs(), "a provider is down and left alone");
        *state = State::Open { until: now + self.spread(length), length, probing: false };
    }

    /// Processes that found out together do not come back together.
    fn spread(&self, length: Duration) -> Duration {
        length + self.rng.up_to(length / 10)
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Breaker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if matches!(*self.lock(), State::Closed(_)) { "closed" } else { "open" })
    }
}

/// Leave for one request. Dropped without a word, as when nothing was sent, it says nothing about the provider.
pub(super) struct Pass<'a> {
    breaker: &'a Breaker,
    probe: bool,
}

impl Pass<'_> {
    /// What came of it: an answer, and what is wrong with it if something is, or none.
    pub(super) fn hear(self, outcome: Result<Option<&Error>, &Error>) {
        match outcome {
            Ok(Some(error)) | Err(error) if error.kind() == ErrorKind::Unavailable => {
                self.breaker.failed(self.probe);
            }
            // Whatever else it said, the provider is up.
            Ok(_) => *self.breaker.lock() = State::Closed(0),
            Err(_) => {}
        }
    }
}

impl Drop for Pass<'_> {
    fn drop(&mut self) {
        if self.probe
            && let State::Open { probing, .. } = &mut *self.breaker.lock()
        {
            *probing = false;
        }
    }
}

//! Trying again: full jitter, no more retries than a budget allows, and no wait that holds a worker for long.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use backon::Retryable;
use futures_util::FutureExt;
use futures_util::future::BoxFuture;

use crate::clock::{Clock, Rng, Timestamp};
use crate::error::{Error, ErrorKind, Result};

/// A worker waits no longer than this; what takes longer is [`ErrorKind::Parked`].
pub const LONGEST_WAIT: Duration = Duration::from_secs(60);

/// How many times the tries of failures a provider may ask to be left alone for a while.
const ASKED: u32 = 4;

/// Retries that all connections of a provider share in this process: a provider that is failing gets little more
/// than the first tries. A wait that it asked for costs nothing.
#[derive(Debug)]
pub(super) struct Budget(AtomicU32);

impl Budget {
    /// What a retry costs, in the unit that every first try earns.
    const RETRY: u32 = 5;
    /// Ten retries may be saved up, and are there at the start.
    const FULL: u32 = 10 * Self::RETRY;

    pub(super) fn full() -> Self {
        Self(AtomicU32::new(Self::FULL))
    }

    fn earn(&self) {
        self.change(|left| Some((left + 1).min(Self::FULL)));
    }

    /// Whether there was enough for one more retry.
    fn spend(&self) -> bool {
        self.change(|left| left.checked_sub(Self::RETRY))
    }

    fn change(&self, change: impl FnMut(u32) -> Option<u32>) -> bool {
        self.0.fetch_update(Ordering::Relaxed, Ordering::Relaxed, change).is_ok()
    }
}

/// How often and how long a temporary failure is tried again.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct RetryPolicy {
    /// Tries in all, the first included. Default: 5. To wait as long as the provider asks is no failed try; that is
    /// done up to four times as often.
    pub tries: u32,
    /// Time for all tries and the waits between them. Default: 10 minutes.
    pub within: Duration,
    /// The upper limit of the first wait, doubled for each further one. Default: 500 ms.
    pub first: Duration,
    /// No upper limit grows beyond this. Default: 30 s.
    pub cap: Duration,
}

impl Default for RetryPolicy {
    fn default() -> Self {
        Self {
            tries: 5,
            within: Duration::from_secs(600),
            first: Duration::from_millis(500),
            cap: Duration::from_secs(30),
        }
    }
}

impl RetryPolicy {
    /// One try, no waiting.
    pub fn never() -> Self {
        Self { tries: 1, ..Self::default() }
    }

    /// The default with another number of tries.
    pub fn tries(tries: u32) -> Self {
        Self { tries: tries.max(1), ..Self::default() }
    }

    /// Runs `attempt` until it succeeds, fails for good, or the policy is spent. The attempt's number counts from 1.
    pub(super) async fn run<'a, T: Send>(
        &self,
        clock: &Arc<dyn Clock>,
        rng: &Arc<Rng>,
        budget: &Budget,
        attempt: &'a (dyn Fn(u32) -> BoxFuture<'a, Result<T>> + Sync),
    ) -> Result<T> {
        let start = clock.monotonic();
        budget.earn();
        let tried = AtomicU32::new(0);
        let (failed, asked) = (AtomicU32::new(0), AtomicU32::new(0));
        let parked: Mutex<Option<Timestamp>> = Mutex::new(None);
        let backoff = FullJitter { rng: Arc::clone(rng), next: self.first, cap: self.cap };
        let sleeper = Arc::clone(clock);
        // In a box, because the compiler cannot see through backon's type that the whole may change threads.
        let retrying: BoxFuture<'_, Result<T>> = (|| attempt(tried.fetch_add(1, Ordering::Relaxed) + 1))
            .retry(backoff)
            .sleep(move |wait| {
                let clock = Arc::clone(&sleeper);
                async move { clock.sleep(wait).await }
            })
            .when(Error::is_temporary)
            .adjust(|error: &Error, backoff: Option<Duration>| {
                let now = clock.now();
                let (count, limit) = match error.retry_at() {
                    Some(_) if self.tries > 1 => (&asked, self.tries.saturating_mul(ASKED)),
                    _ => (&failed, self.tries),
                };
                let spent_up = count.fetch_add(1, Ordering::Relaxed) + 1 >= limit;
                let wait = match error.retry_at() {
                    Some(at) => {
                        let least = backoff.unwrap_or_default().max(at.since(now));
                        least + rng.up_to((least / 10).clamp(self.first, self.cap.max(self.first)))
                    }
                    // Full jitter may be next to nothing, which is no answer to "slow down".
                    None if error.kind() == ErrorKind::Throttled => self.first + backoff?,
                    None => backoff?,
                };
                if wait > LONGEST_WAIT {
                    *parked.lock().unwrap_or_else(PoisonError::into_inner) = Some(now + wait);
                    return None;
                }
                let spent = clock.monotonic().saturating_sub(start);
                let free = error.retry_at().is_some() || error.kind() == ErrorKind::Throttled;
                let again = !spent_up && spent + wait <= self.within && (free || budget.spend());
                again.then_some(wait)
            })
            .boxed();
        retrying.await.map_err(|error| {
            let tries = tried.into_inner();
            let error = if tries > 1 { error.with("tries", tries) } else { error };
            match parked.into_inner().unwrap_or_else(PoisonError::into_inner) {
                Some(at) => park(&error, at),
                None => error,
            }
        })
    }
}

/// The same failure as work that resumes later.
fn park(error: &Error, at: Timestamp) -> Error {
    let parked = Error::new(ErrorKind::Parked, format!("{}; work resumes at {at}", error.message())).at(at);
    let parked = match error.get_hint() {
        Some(hint) => parked.hint(hint),
        None => parked,
    };
    error.context().iter().fold(parked, |parked, (key, value)| parked.with(key, value))
}

/// Waits between zero and a limit that doubles: many clients that failed together do not come back together.
#[derive(Debug)]
struct FullJitter {
    rng: Arc<Rng>,
    next: Duration,
    cap: Duration,
}

impl Iterator for FullJitter {
    type Item = Duration;

    fn next(&mut self) -> Option<Duration> {
        let limit = self.next.min(self.cap);
        self.next = limit * 2;
        Some(self.rng.up_to(limit))
    }
}

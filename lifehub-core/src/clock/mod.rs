//! Time and randomness as parameters: a [`Clock`] that tests can move and an [`Rng`] with a seed.

mod instant;

use std::fmt;
use std::sync::Mutex;
use std::time::Duration;

use async_trait::async_trait;

pub use instant::{Day, Offset, Timestamp, Zone};

/// Where the time comes from, and how to wait.
#[async_trait]
pub trait Clock: Send + Sync + fmt::Debug {
    /// The current instant. It may jump when the machine's clock is set.
    fn now(&self) -> Timestamp;

    /// Time since an arbitrary start that never jumps, for durations and limits.
    fn monotonic(&self) -> Duration;

    /// Waits.
    async fn sleep(&self, duration: Duration);
}

/// The machine's clock.
#[derive(Debug)]
pub struct SystemClock {
    start: std::time::Instant,
}

impl Default for SystemClock {
    fn default() -> Self {
        Self { start: std::time::Instant::now() }
    }
}

#[async_trait]
impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        Timestamp::from(std::time::SystemTime::now())
    }

    fn monotonic(&self) -> Duration {
        self.start.elapsed()
    }

    async fn sleep(&self, duration: Duration) {
        tokio::time::sleep(duration).await;
    }
}

/// A clock for tests: it stands still, and whoever sleeps moves it on at once.
///
/// ```
/// # use lifehub_core::clock::{Clock, ManualClock, Timestamp};
/// # use std::time::Duration;
/// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
/// let clock = ManualClock::at("2026-03-01T08:00:00Z".parse().unwrap());
/// clock.sleep(Duration::from_secs(60)).await;
/// assert_eq!(clock.now().to_string(), "2026-03-01T08:01:00Z");
/// # });
/// ```
#[derive(Debug)]
pub struct ManualClock(Mutex<(Timestamp, Duration)>);

impl ManualClock {
    /// A clock that shows this instant until it is moved.
    pub fn at(now: Timestamp) -> Self {
        Self(Mutex::new((now, Duration::ZERO)))
    }

    /// Moves instant and monotonic time forward together.
    pub fn advance(&self, by: Duration) {
        let mut state = self.lock();
        state.0 = state.0 + by;
        state.1 += by;
    }

    /// Sets the instant as an operator or a time server would: monotonic time does not move.
    pub fn jump_to(&self, now: Timestamp) {
        self.lock().0 = now;
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, (Timestamp, Duration)> {
        self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

#[async_trait]
impl Clock for ManualClock {
    fn now(&self) -> Timestamp {
        self.lock().0
    }

    fn monotonic(&self) -> Duration {
        self.lock().1
    }

    async fn sleep(&self, duration: Duration) {
        self.advance(duration);
        tokio::task::yield_now().await;
    }
}

/// Randomness for jitter and ids. It makes no secrets.
#[derive(Debug)]
pub struct Rng(Mutex<fastrand::Rng>);

impl Rng {
    /// The same seed gives the same sequence.
    pub fn seeded(seed: u64) -> Self {
        Self(Mutex::new(fastrand::Rng::with_seed(seed)))
    }

    /// A sequence that differs in each process.
    pub fn from_entropy() -> Self {
        Self(Mutex::new(fastrand::Rng::new()))
    }

    /// A duration between zero and `limit`, both included.
    pub fn up_to(&self, limit: Duration) -> Duration {
        let nanos = u64::try_from(limit.as_nanos()).unwrap_or(u64::MAX);
        Duration::from_nanos(self.lock().u64(0..=nanos))
    }

    /// Fills a buffer.
    pub fn fill(&self, bytes: &mut [u8]) {
        self.lock().fill(bytes);
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, fastrand::Rng> {
        self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

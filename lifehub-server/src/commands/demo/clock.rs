//! The clock of a demo, which starts at the instant at which its made-up world stands.

use std::time::Duration;

use async_trait::async_trait;
use lifehub_core::clock::{Clock, SystemClock, Timestamp};

/// Goes as the machine's clock does, but from another instant: whatever day it is, a provider and who asks it agree on
/// "now", and every demo asks for the same days.
#[derive(Debug)]
pub(super) struct WorldClock {
    start: Timestamp,
    machine: SystemClock,
}

impl WorldClock {
    /// A clock that shows this instant now.
    pub(super) fn from(start: Timestamp) -> Self {
        Self { start, machine: SystemClock::default() }
    }
}

#[async_trait]
impl Clock for WorldClock {
    fn now(&self) -> Timestamp {
        self.start + self.machine.monotonic()
    }

    fn monotonic(&self) -> Duration {
        self.machine.monotonic()
    }

    async fn sleep(&self, duration: Duration) {
        self.machine.sleep(duration).await;
    }
}

//! Spotify's limits: calls within a rolling half minute, and a developer's quota that locks for hours.

use std::collections::VecDeque;
use std::time::Duration;

use lifehub_core::clock::Timestamp;

use super::fault::Refusal;

const WINDOW: Duration = Duration::from_secs(30);

#[derive(Debug, Default)]
pub(super) struct Limits {
    /// Calls that half a minute takes; any number if none.
    pub(super) calls: Option<usize>,
    /// Until then, every call is refused.
    pub(super) locked_until: Option<Timestamp>,
    /// When the calls of the window came.
    recent: VecDeque<Timestamp>,
}

impl Limits {
    /// Counts a call, or refuses it.
    pub(super) fn admit(&mut self, now: Timestamp) -> Result<(), Refusal> {
        let seconds_to = |end: Timestamp| end.since(now).as_secs_f64().ceil() as u64;
        if let Some(end) = self.locked_until.filter(|end| now < *end) {
            return Err(Refusal::locked(seconds_to(end)));
        }
        while self.recent.front().is_some_and(|first| *first + WINDOW <= now) {
            self.recent.pop_front();
        }
        if let Some(first) =
            self.recent.front().filter(|_| self.calls.is_some_and(|most| self.recent.len() >= most))
        {
            return Err(Refusal::throttled(seconds_to(*first + WINDOW)));
        }
        self.recent.push_back(now);
        Ok(())
    }
}

//! The free service's limits: weighted calls in a minute, an hour and a UTC day, each from its start by the clock.

use lifehub_core::clock::Timestamp;

use super::answer::Refusal;

/// How many weighted calls an address may make.
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub struct Limits {
    /// In a minute.
    pub minute: f64,
    /// In an hour.
    pub hour: f64,
    /// In a day.
    pub day: f64,
}

impl Limits {
    /// Limits for a minute, an hour and a day.
    pub fn new(minute: f64, hour: f64, day: f64) -> Self {
        Self { minute, hour, day }
    }
}

impl Default for Limits {
    /// Those of the free service.
    fn default() -> Self {
        Self::new(600.0, 5_000.0, 10_000.0)
    }
}

/// The lengths of the windows, in seconds.
const LENGTHS: [i64; 3] = [60, 3_600, 86_400];

/// A call is let through while the sum before it is below the limit, so that the last one may exceed it.
#[derive(Debug)]
pub(super) struct Counter {
    limits: Option<Limits>,
    used: [f64; 3],
    windows: [i64; 3],
}

impl Counter {
    pub(super) fn new(limits: Option<Limits>) -> Self {
        Self { limits, used: [0.0; 3], windows: [0; 3] }
    }

    pub(super) fn used_today(&self) -> f64 {
        self.used[2]
    }

    /// Refuses a call if a window is spent, the shortest first. A call that is refused here costs nothing.
    pub(super) fn admit(&mut self, at: Timestamp) -> Result<(), Refusal> {
        for (i, length) in LENGTHS.into_iter().enumerate() {
            let window = at.as_seconds().div_euclid(length);
            if self.windows[i] != window {
                (self.windows[i], self.used[i]) = (window, 0.0);
            }
        }
        let Some(limits) = self.limits else { return Ok(()) };
        let reason = if self.used[0] >= limits.minute {
            "Minutely API request limit exceeded. Please try again in one minute."
        } else if self.used[1] >= limits.hour {
            "Hourly API request limit exceeded. Please try again in the next hour."
        } else if self.used[2] >= limits.day {
            "Daily API request limit exceeded. Please try again tomorrow."
        } else {
            return Ok(());
        };
        Err(Refusal::throttled(reason))
    }

    pub(super) fn spend(&mut self, weight: f64) {
        self.used.iter_mut().for_each(|used| *used += weight);
    }
}

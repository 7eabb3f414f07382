//! How long an event is: days, which are as long as the clock has them, and seconds, which are exact.

use jiff::civil::DateTime;
use lifehub_core::clock::Timestamp;

use crate::time::{Stamp, WallClock};

/// A length. `DURATION` may have both parts; what `DTEND` tells is exact (RFC 5545, section 3.8.5.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Length {
    days: i64,
    seconds: i64,
}

/// Longer than any event, and far inside the calendar.
const LONGEST_S: i64 = 100 * 366 * 86_400;

impl Length {
    /// No length at all; a day for an event without a time of day.
    pub(crate) const NONE: Self = Self { days: 0, seconds: 0 };

    /// From a start to an end, none if that comes before.
    pub(crate) fn between(start: &Stamp, end: &Stamp) -> Self {
        match (start, end) {
            // Of two kinds the start's counts.
            (Stamp::Day(start), end) => {
                let days = start.until(end.local().date()).map_or(0, |span| i64::from(span.get_days()));
                Self { days: days.clamp(0, LONGEST_S / 86_400), seconds: 0 }
            }
            (Stamp::Time { at, clock, .. }, end) => {
                let end = match end {
                    Stamp::Time { at, .. } => *at,
                    Stamp::Day(_) => clock.instant(end.local()).unwrap_or(*at),
                };
                Self { days: 0, seconds: (end.as_seconds() - at.as_seconds()).clamp(0, LONGEST_S) }
            }
        }
    }

    /// Reads a `DURATION`, `P1DT2H` or `PT90M`. A negative one is none.
    pub(crate) fn read(text: &str) -> Option<Self> {
        let text = text.trim().to_ascii_uppercase();
        let (negative, text) = text.strip_prefix('-').map_or((false, text.as_str()), |rest| (true, rest));
        let (days, time) = match text.trim_start_matches('+').strip_prefix('P')?.split_once('T') {
            Some((days, time)) => (days, time),
            None => (text.trim_start_matches('+').strip_prefix('P')?, ""),
        };
        let days = sum(days, &[('W', 7), ('D', 1)])?;
        let seconds = sum(time, &[('H', 3600), ('M', 60), ('S', 1)])?;
        let fits = days <= LONGEST_S / 86_400 && seconds <= LONGEST_S;
        if negative { Some(Self::NONE) } else { fits.then_some(Self { days, seconds }) }
    }

    /// The whole days of an event without a time of day, at least one.
    pub(crate) fn whole_days(self) -> i64 {
        (self.days + self.seconds / 86_400).max(1)
    }

    /// When it is over, from a time on a clock.
    pub(crate) fn after(self, local: DateTime, at: Timestamp, clock: &WallClock) -> Option<Timestamp> {
        let begin = match self.days {
            0 => at,
            days => clock.instant(local.checked_add(jiff::Span::new().days(days)).ok()?)?,
        };
        Some(Timestamp::from_seconds(begin.as_seconds() + self.seconds))
    }
}

/// The sum of numbers that each bear one of these units.
fn sum(text: &str, units: &[(char, i64)]) -> Option<i64> {
    let (mut sum, mut number) = (0_i64, String::new());
    for c in text.chars() {
        if c.is_ascii_digit() {
            number.push(c);
        } else {
            let (_, unit) = units.iter().find(|(unit, _)| *unit == c)?;
            sum = sum.checked_add(std::mem::take(&mut number).parse::<i64>().ok()?.checked_mul(*unit)?)?;
        }
    }
    number.is_empty().then_some(sum)
}

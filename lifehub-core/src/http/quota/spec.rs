//! What a provider allows: quotas as it counts them.

use std::borrow::Cow;
use std::time::Duration;

use http::HeaderMap;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::clock::Timestamp;
use crate::error::{Error, ErrorKind, Result};

/// One quota of a provider. Several may hold at once; a request spends its weight in each that concerns its path.
///
/// ```
/// use std::time::Duration;
/// use lifehub_core::http::{QuotaReport, QuotaScope, QuotaSpec};
///
/// // Strava: 100 reads in each quarter of an hour for all users of an app, reported as "12,345" (quarter, day).
/// let quarter = QuotaSpec::fixed("quarter", QuotaScope::App, 100, Duration::from_secs(900))
///     .reported(QuotaReport::used("x-readratelimit-usage", 0));
/// // YNAB: 200 an hour for each user, counted back from now; at most 50 of them in one go.
/// let hour = QuotaSpec::sliding("hour", QuotaScope::Connection, 200, Duration::from_secs(3600)).burst(50);
/// # assert!(quarter.check().is_ok() && hour.check().is_ok());
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct QuotaSpec {
    /// A name that no other quota of the provider has.
    pub name: Cow<'static, str>,
    /// Who shares it.
    pub scope: QuotaScope,
    /// Over which time it counts.
    pub window: Window,
    /// How many requests (or units of weight) the window has.
    pub limit: u32,
    /// It counts only requests whose path, below the base URL, starts so. Default: all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path: Option<Cow<'static, str>>,
    /// The header in which the provider tells how much is spent. Of a sliding window only that nothing is left is heard.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub report: Option<QuotaReport>,
}

/// Who shares a quota.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum QuotaScope {
    /// All connections that use one client id (or one address), in all processes.
    App,
    /// Each connection has its own.
    Connection,
}

/// Over which time a quota counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
#[non_exhaustive]
pub enum Window {
    /// The counter starts at zero whenever the clock, in UTC, shows a multiple of this length.
    Fixed {
        /// The length, in seconds.
        #[serde(rename = "every_s", with = "seconds")]
        #[schemars(with = "u64")]
        every: Duration,
    },
    /// It counts back from each moment.
    Sliding {
        /// The length, in seconds.
        #[serde(rename = "per_s", with = "seconds")]
        #[schemars(with = "u64")]
        per: Duration,
        /// How much may be spent at once; the rest is spread evenly over the window, so that burst and refill
        /// together never exceed the limit: the larger the burst, the slower what follows. It is also the most that
        /// one request may weigh. Default: a twentieth of the limit, at least 1.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        burst: Option<u32>,
    },
}

/// How a provider reports a quota in its answers' headers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct QuotaReport {
    /// The header's name.
    pub header: Cow<'static, str>,
    /// Which of the figures, separated by commas, counting from 0.
    #[serde(default)]
    pub position: usize,
    /// Whether the figure is what is left, not what is used.
    #[serde(default)]
    pub remaining: bool,
}

impl QuotaReport {
    /// The header holds what is used.
    pub fn used(header: impl Into<Cow<'static, str>>, position: usize) -> Self {
        Self { header: header.into(), position, remaining: false }
    }

    /// The header holds what is left.
    pub fn remaining(header: impl Into<Cow<'static, str>>, position: usize) -> Self {
        Self { header: header.into(), position, remaining: true }
    }

    /// How much of `limit` is used, if the headers say so.
    pub(super) fn read(&self, headers: &HeaderMap, limit: u32) -> Option<u32> {
        let text = headers.get(self.header.as_ref())?.to_str().ok()?;
        let figure = text.split(',').nth(self.position)?.trim().parse().ok()?;
        Some(if self.remaining { limit.saturating_sub(figure) } else { figure })
    }
}

impl QuotaSpec {
    /// So many in each clock-aligned window.
    pub fn fixed(name: impl Into<Cow<'static, str>>, scope: QuotaScope, limit: u32, every: Duration) -> Self {
        Self { name: name.into(), scope, window: Window::Fixed { every }, limit, path: None, report: None }
    }

    /// So many within this time, counted back from each moment.
    pub fn sliding(name: impl Into<Cow<'static, str>>, scope: QuotaScope, limit: u32, per: Duration) -> Self {
        let window = Window::Sliding { per, burst: None };
        Self { name: name.into(), scope, window, limit, path: None, report: None }
    }

    /// How much of a sliding quota may be spent at once; a fixed one has no use for it.
    #[must_use]
    pub fn burst(mut self, at_once: u32) -> Self {
        if let Window::Sliding { burst, .. } = &mut self.window {
            *burst = Some(at_once);
        }
        self
    }

    /// It counts only requests whose path, below the base URL, starts so.
    #[must_use]
    pub fn only(mut self, path: impl Into<Cow<'static, str>>) -> Self {
        self.path = Some(path.into());
        self
    }

    /// The header in which the provider tells how much is spent.
    #[must_use]
    pub fn reported(mut self, report: QuotaReport) -> Self {
        self.report = Some(report);
        self
    }

    /// Whether the quota makes sense.
    ///
    /// # Errors
    /// [`ErrorKind::Invalid`] if it has no name, its limit, burst or window is zero, or the burst is above the limit.
    pub fn check(&self) -> Result<()> {
        let burst = match self.window {
            Window::Fixed { .. } => None,
            Window::Sliding { burst, .. } => burst,
        };
        let fault = if self.name.is_empty() {
            "it has no name"
        } else if self.limit == 0 {
            "its limit is 0"
        } else if self.length() < Duration::from_micros(1) {
            "its window has no length"
        } else if burst.is_some_and(|burst| burst == 0 || burst > self.limit) {
            "its burst is 0 or above its limit"
        } else {
            return Ok(());
        };
        Err(Error::new(ErrorKind::Invalid, format!("the quota {:?} is not usable: {fault}", self.name)))
    }

    /// The window's length.
    pub(super) fn length(&self) -> Duration {
        match self.window {
            Window::Fixed { every } => every,
            Window::Sliding { per, .. } => per,
        }
    }

    pub(super) fn concerns(&self, path: &str) -> bool {
        self.path.as_ref().is_none_or(|prefix| path.starts_with(prefix.as_ref()))
    }
}

/// A window that starts whenever the clock, in UTC, shows a multiple of its length.
#[derive(Debug, Clone, Copy)]
pub(super) struct Aligned(pub(super) Duration);

impl Aligned {
    pub(super) fn start(self, at: Timestamp) -> Timestamp {
        let length = i64::try_from(self.0.as_micros()).unwrap_or(i64::MAX).max(1);
        Timestamp::from_micros(at.as_micros().div_euclid(length) * length)
    }

    /// When the next one is open.
    pub(super) fn next(self, at: Timestamp) -> Timestamp {
        self.start(at) + self.0 + self.guard()
    }

    /// From when on requests may be sent, if they may not at this instant: one that is sent near a border may arrive
    /// beyond it, or be counted there, as the provider's clock is not quite ours.
    pub(super) fn opens(self, at: Timestamp) -> Option<Timestamp> {
        let (start, guard) = (self.start(at), self.guard());
        if at < start + guard {
            Some(start + guard)
        } else {
            (at >= start + self.0 - guard).then(|| self.next(at))
        }
    }

    /// When the last tenth of the window begins.
    pub(super) fn last_tenth(self, at: Timestamp) -> Timestamp {
        self.start(at) + self.0 / 10 * 9
    }

    /// How near to a border nothing is sent.
    fn guard(self) -> Duration {
        (self.0 / 20).min(Duration::from_secs(2))
    }
}

mod seconds {
    use serde::{Deserializer, Serializer};

    use super::{Deserialize, Duration};

    pub(super) fn serialize<S: Serializer>(value: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_u64(value.as_secs())
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
        u64::deserialize(deserializer).map(Duration::from_secs)
    }
}

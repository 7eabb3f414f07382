//! `event`: one entry of a calendar.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{known, span_s};
use crate::clock::Day;
use crate::record::When;
use crate::record::dataset::{Aggregation, Dataset, Metric, Point};

/// One entry of a calendar, or one occurrence of a recurring one.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Event {
    /// What it is called; absent where the calendar shows only that the time is taken.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// Notes, as text or HTML, as the calendar has them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// Where it takes place, in the words of the calendar.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub location: Option<String>,
    /// Whether it takes place.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<EventStatus>,
    /// Name or address of whoever called it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub organizer: Option<String>,
    /// Those invited.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub attendees: Vec<Attendee>,
    /// What the owner of the calendar answered to the invitation. One that is declined yields no metrics.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub response: Option<AttendeeResponse>,
    /// Id of the series of which this is one occurrence.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recurring_id: Option<String>,
    /// Last day, included, of an all-day event of several days. The record itself stands on the first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_day: Option<Day>,
    /// Page of the entry.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
}

/// Whether an event takes place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum EventStatus {
    /// It does.
    Confirmed,
    /// Perhaps.
    Tentative,
    /// It does not: such an event yields no metrics.
    Cancelled,
}

/// Someone invited to an event.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Attendee {
    /// Name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// E-mail address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
    /// What they answered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub response: Option<AttendeeResponse>,
}

/// The answer to an invitation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum AttendeeResponse {
    /// They will come.
    Accepted,
    /// They will not.
    Declined,
    /// Perhaps.
    Tentative,
    /// No answer yet.
    NeedsAction,
}

impl Dataset for Event {
    const NAME: &'static str = "event";
    const TITLE: &'static str = "Calendar events";
    const METRICS: &'static [Metric] = &[
        Metric { name: "calendar.events", unit: "count", aggregation: Aggregation::Sum },
        Metric { name: "calendar.time", unit: "s", aggregation: Aggregation::Sum },
    ];

    /// An all-day event counts, but has no time: a holiday is no meeting of 24 hours.
    fn points(&self, when: &When) -> Vec<Point> {
        let declined = self.response == Some(AttendeeResponse::Declined);
        if declined || self.status == Some(EventStatus::Cancelled) {
            return Vec::new();
        }
        known([("calendar.events", Some(1.0)), ("calendar.time", span_s(when))])
    }
}

//! The raw item: one event with all its exceptions, joined, because the format spreads them over a file.

use std::collections::BTreeMap;

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

/// What is stored of an event, and all that its records depend on.
///
/// Stamps of the moment at which a feed was made (`DTSTAMP`, `LAST-MODIFIED`) are not in it: a feed that is made anew
/// for each request stays unchanged.
#[derive(Debug, Default, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Body {
    /// The unfolded lines of each of its components: that of the event itself, if it is there, then the exceptions.
    pub(crate) parts: Vec<Vec<String>>,
    /// The definitions of zones whose names say nothing.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) zones: BTreeMap<String, Vec<String>>,
    /// The zone of times that name none, if it is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) zone: Option<String>,
    /// The year to whose end a series is expanded.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) through: Option<i16>,
    /// The first day of the month in which a series was read: where it stands moves on with it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) month: Option<Date>,
    /// A component has no end.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(crate) cut: bool,
}

/// The properties on which records depend.
pub(crate) const KEPT: [&str; 16] = [
    "UID",
    "RECURRENCE-ID",
    "DTSTART",
    "DTEND",
    "DURATION",
    "RRULE",
    "EXRULE",
    "RDATE",
    "EXDATE",
    "SUMMARY",
    "DESCRIPTION",
    "LOCATION",
    "STATUS",
    "ORGANIZER",
    "ATTENDEE",
    "URL",
];

//! `focus`: one stretch of tracked time.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{known, span_s};
use crate::record::When;
use crate::record::dataset::{Aggregation, Dataset, Metric, Point};

/// One stretch of tracked time: work on something, a meeting, a break.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Focus {
    /// What was done.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// What kind of time it was.
    pub kind: FocusKind,
    /// The project it was for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub project: Option<String>,
    /// The provider's or the person's category.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub category: Option<String>,
    /// Its length in seconds, where that is not the span of the record (a paused timer).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub duration_s: Option<f64>,
}

/// What kind of time was tracked.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum FocusKind {
    /// Work on something.
    Focus,
    /// With others.
    Meeting,
    /// A pause.
    Break,
    /// None of these, or the provider does not say.
    #[default]
    Other,
}

impl Dataset for Focus {
    const NAME: &'static str = "focus";
    const TITLE: &'static str = "Tracked time";
    const METRICS: &'static [Metric] = &[
        Metric { name: "focus.time", unit: "s", aggregation: Aggregation::Sum },
        Metric { name: "meeting.time", unit: "s", aggregation: Aggregation::Sum },
    ];

    fn points(&self, when: &When) -> Vec<Point> {
        let time = self.duration_s.or_else(|| span_s(when));
        match self.kind {
            FocusKind::Focus => known([("focus.time", time)]),
            FocusKind::Meeting => known([("meeting.time", time)]),
            FocusKind::Break | FocusKind::Other => Vec::new(),
        }
    }
}

//! `productivity`: the sums of a day of tracked time.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::known;
use crate::record::When;
use crate::record::dataset::{Aggregation, Dataset, Metric, Point};

/// The sums of a day (or of a part of it) that a time tracker tells. Absent members are unknown, not zero.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Productivity {
    /// Time of focused work, in seconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub focus_s: Option<f64>,
    /// Time in meetings, in seconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub meeting_s: Option<f64>,
    /// Time of breaks, in seconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub break_s: Option<f64>,
    /// All time tracked, in seconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tracked_s: Option<f64>,
    /// Seconds by category, in the words of the provider.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub categories: BTreeMap<String, f64>,
}

impl Dataset for Productivity {
    const NAME: &'static str = "productivity";
    const TITLE: &'static str = "Tracked time by day";
    const METRICS: &'static [Metric] = &[
        Metric { name: "productivity.tracked", unit: "s", aggregation: Aggregation::Sum },
        Metric { name: "productivity.focus", unit: "s", aggregation: Aggregation::Sum },
        Metric { name: "productivity.meeting", unit: "s", aggregation: Aggregation::Sum },
        Metric { name: "productivity.break", unit: "s", aggregation: Aggregation::Sum },
        Metric { name: "productivity.category", unit: "s", aggregation: Aggregation::Sum },
    ];

    /// The label of `productivity.category` is the category.
    fn points(&self, _: &When) -> Vec<Point> {
        let mut points = known([
            ("productivity.tracked", self.tracked_s),
            ("productivity.focus", self.focus_s),
            ("productivity.meeting", self.meeting_s),
            ("productivity.break", self.break_s),
        ]);
        points.extend(
            self.categories
                .iter()
                .map(|(name, seconds)| Point::new("productivity.category", *seconds).label(name.clone())),
        );
        points
    }
}

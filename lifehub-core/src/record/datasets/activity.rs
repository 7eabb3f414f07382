//! `activity`: movement over a day or a part of it.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::known;
use crate::record::When;
use crate::record::dataset::{Aggregation, Dataset, Metric, Point};

/// Movement over a day or a part of it, apart from single workouts. Absent members are unknown, not zero.
///
/// A connector gives each stretch of time once: totals of a day, or of its hours, not both.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Activity {
    /// Steps taken.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub steps: Option<u64>,
    /// Energy burnt by moving, in kilocalories.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub active_kcal: Option<f64>,
    /// All energy burnt, at rest too, in kilocalories.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub total_kcal: Option<f64>,
    /// Distance, in metres.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub distance_m: Option<f64>,
    /// Time awake without movement, in seconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sedentary_s: Option<f64>,
    /// The verdict of the provider, from 0 to 100.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub score: Option<f64>,
}

impl Dataset for Activity {
    const NAME: &'static str = "activity";
    const TITLE: &'static str = "Daily movement";
    const METRICS: &'static [Metric] = &[
        Metric { name: "activity.steps", unit: "count", aggregation: Aggregation::Sum },
        Metric { name: "activity.energy", unit: "kcal", aggregation: Aggregation::Sum },
        Metric { name: "activity.score", unit: "score", aggregation: Aggregation::Last },
    ];

    /// The energy is the active one: total energy is mostly that of being alive, and not all providers have it.
    fn points(&self, _: &When) -> Vec<Point> {
        known([
            ("activity.steps", self.steps.map(|steps| steps as f64)),
            ("activity.energy", self.active_kcal),
            ("activity.score", self.score),
        ])
    }
}

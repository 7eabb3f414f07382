//! `readiness`: how ready a day finds the body, in a provider's judgement.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::known;
use crate::record::When;
use crate::record::dataset::{Aggregation, Dataset, Metric, Point};

/// How ready a day finds the body, in the provider's judgement (recovery, body battery).
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Readiness {
    /// The verdict, from 0 to 100.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub score: Option<f64>,
    /// What went into it, by the provider's names (`resting_heart_rate`, `sleep_balance`), each from 0 to 100.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub contributors: BTreeMap<String, f64>,
    /// Body temperature against the person's own average, in degrees Celsius.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub temperature_deviation_c: Option<f64>,
}

impl Dataset for Readiness {
    const NAME: &'static str = "readiness";
    const TITLE: &'static str = "Readiness and recovery";
    const METRICS: &'static [Metric] =
        &[Metric { name: "readiness.score", unit: "score", aggregation: Aggregation::Last }];

    fn points(&self, _: &When) -> Vec<Point> {
        known([("readiness.score", self.score)])
    }
}

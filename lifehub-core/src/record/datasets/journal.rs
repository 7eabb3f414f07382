//! `journal`: what a person writes about a day.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::known;
use crate::record::When;
use crate::record::dataset::{Aggregation, Dataset, Metric, Point};

/// What a person writes about a day.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Journal {
    /// The entry.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// It in a few words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub summary: Option<String>,
    /// How good the day was, on the person's own scale.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub day_score: Option<f64>,
    /// How much got done, on the person's own scale.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub productivity_score: Option<f64>,
    /// Tags, in the order given.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tags: Vec<String>,
}

impl Dataset for Journal {
    const NAME: &'static str = "journal";
    const TITLE: &'static str = "Journal";
    const METRICS: &'static [Metric] = &[
        Metric { name: "journal.day_score", unit: "score", aggregation: Aggregation::Mean },
        Metric { name: "journal.productivity_score", unit: "score", aggregation: Aggregation::Mean },
    ];

    fn points(&self, _: &When) -> Vec<Point> {
        known([
            ("journal.day_score", self.day_score),
            ("journal.productivity_score", self.productivity_score),
        ])
    }
}

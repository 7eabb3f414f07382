//! `task`: something to do.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::clock::Day;
use crate::record::When;
use crate::record::dataset::{Aggregation, Dataset, Metric, Point};

/// Something to do. The record of a completed one stands at the moment of its completion.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Task {
    /// What is to be done.
    pub title: String,
    /// The project or list it belongs to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub project: Option<String>,
    /// The local day by which it should be done.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub due: Option<Day>,
    /// Whether it is done.
    pub completed: bool,
    /// How pressing it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub priority: Option<Priority>,
}

/// How pressing a task is. Providers number this up or down; the connector knows which way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Priority {
    /// Less than usual.
    Low,
    /// As usual.
    Normal,
    /// More than usual.
    High,
    /// More than all others.
    Urgent,
}

impl Dataset for Task {
    const NAME: &'static str = "task";
    const TITLE: &'static str = "Tasks";
    const METRICS: &'static [Metric] =
        &[Metric { name: "tasks.completed", unit: "count", aggregation: Aggregation::Sum }];

    fn points(&self, _: &When) -> Vec<Point> {
        if self.completed { vec![Point::new("tasks.completed", 1.0)] } else { Vec::new() }
    }
}

//! `contribution`: one piece of work on a code repository.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::record::When;
use crate::record::dataset::{Aggregation, Dataset, Metric, Point};

/// One piece of work on a code repository.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Contribution {
    /// What it was.
    pub kind: ContributionKind,
    /// The repository with its owner, `rust-lang/rust`.
    pub repository: String,
    /// Title of the pull request or issue, first line of the commit message.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// Its page.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
}

/// What was contributed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum ContributionKind {
    /// A commit.
    Commit,
    /// A pull request (or merge request) opened.
    PullRequest,
    /// An issue opened.
    Issue,
    /// A review of a pull request.
    Review,
}

impl Dataset for Contribution {
    const NAME: &'static str = "contribution";
    const TITLE: &'static str = "Work on code";
    const METRICS: &'static [Metric] =
        &[Metric { name: "code.contributions", unit: "count", aggregation: Aggregation::Sum }];

    fn points(&self, _: &When) -> Vec<Point> {
        vec![Point::new("code.contributions", 1.0)]
    }
}

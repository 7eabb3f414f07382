//! `entry`: one value that a person noted in a tracker of their own.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::record::When;
use crate::record::dataset::{Aggregation, Dataset, Metric, Point};

/// One value that a person noted in a tracker of their own.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Entry {
    /// The slug of the tracker, `coffee`: it names the metric.
    pub tracker: String,
    /// What was noted.
    pub value: EntryValue,
    /// A remark.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

/// What was noted. As JSON an object of one member, named by the kind: `{"number": 2.0}`, `{"duration_s": 1800.0}`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum EntryValue {
    /// A number, in the unit of the tracker.
    Number(f64),
    /// One of the choices of the tracker.
    Choice(String),
    /// Yes or no.
    Boolean(bool),
    /// A time, in seconds.
    DurationS(f64),
}

impl Dataset for Entry {
    const NAME: &'static str = "entry";
    const TITLE: &'static str = "Own trackers";
    const METRICS: &'static [Metric] =
        &[Metric { name: "tracker.*", unit: "value", aggregation: Aggregation::Sum }];

    /// The metric is `tracker.<slug>`: the number, the seconds, 1 or 0 for yes or no, and for a choice a 1 under the choice
    /// as label. The sum fits counts, times and habits; roll-ups also hold the mean that fits a tracker of moods.
    fn points(&self, _: &When) -> Vec<Point> {
        let metric = format!("tracker.{}", self.tracker);
        vec![match &self.value {
            EntryValue::Number(value) | EntryValue::DurationS(value) => Point::new(metric, *value),
            EntryValue::Boolean(yes) => Point::new(metric, f64::from(u8::from(*yes))),
            EntryValue::Choice(choice) => Point::new(metric, 1.0).label(choice.clone()),
        }]
    }
}

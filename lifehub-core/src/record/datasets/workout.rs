//! `workout`: one exercise session.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::record::When;
use crate::record::dataset::{Aggregation, Dataset, Metric, Point};

/// One exercise session. Absent members are unknown, not zero.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Workout {
    /// The kind of sport in the provider's words, `Run`, `WeightTraining`.
    pub sport: String,
    /// What the person called it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Time in motion, in seconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub moving_s: Option<f64>,
    /// Time from start to end, in seconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub elapsed_s: Option<f64>,
    /// Distance in metres.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub distance_m: Option<f64>,
    /// Metres climbed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub elevation_gain_m: Option<f64>,
    /// Energy burnt, in kilocalories.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub energy_kcal: Option<f64>,
    /// Average heart rate, in beats a minute.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub avg_hr_bpm: Option<f64>,
    /// Highest heart rate, in beats a minute.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_hr_bpm: Option<f64>,
    /// Average speed, in metres a second.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub avg_speed_mps: Option<f64>,
    /// The route as an encoded polyline of precision 5.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub polyline: Option<String>,
}

impl Dataset for Workout {
    const NAME: &'static str = "workout";
    const TITLE: &'static str = "Exercise sessions";
    const METRICS: &'static [Metric] = &[
        Metric { name: "workout.count", unit: "count", aggregation: Aggregation::Sum },
        Metric { name: "workout.time", unit: "s", aggregation: Aggregation::Sum },
        Metric { name: "workout.distance", unit: "m", aggregation: Aggregation::Sum },
        Metric { name: "workout.energy", unit: "kcal", aggregation: Aggregation::Sum },
    ];

    fn points(&self, _: &When) -> Vec<Point> {
        let mut points = vec![Point::new("workout.count", 1.0)];
        points.extend(self.moving_s.or(self.elapsed_s).map(|s| Point::new("workout.time", s)));
        points.extend(self.distance_m.map(|m| Point::new("workout.distance", m)));
        points.extend(self.energy_kcal.map(|kcal| Point::new("workout.energy", kcal)));
        points
    }
}

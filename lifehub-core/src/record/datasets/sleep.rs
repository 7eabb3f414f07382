//! `sleep`: one night or nap.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::known;
use crate::record::When;
use crate::record::dataset::{Aggregation, Dataset, Metric, Point};

/// One night or nap, or what a provider says about it apart (only a score, say). Absent members are unknown, not zero.
///
/// A span counts on the day of its end: that of waking.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Sleep {
    /// Night, nap or neither.
    pub kind: SleepKind,
    /// Time asleep, in seconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub asleep_s: Option<f64>,
    /// Time in bed, in seconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub in_bed_s: Option<f64>,
    /// Time awake in bed, in seconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub awake_s: Option<f64>,
    /// Light sleep, in seconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub light_s: Option<f64>,
    /// Deep sleep, in seconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deep_s: Option<f64>,
    /// REM sleep, in seconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rem_s: Option<f64>,
    /// Time from lying down to falling asleep, in seconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub latency_s: Option<f64>,
    /// Time asleep divided by time in bed, from 0 to 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub efficiency: Option<f64>,
    /// Average heart rate, in beats a minute.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub avg_hr_bpm: Option<f64>,
    /// Lowest heart rate, in beats a minute.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lowest_hr_bpm: Option<f64>,
    /// Heart rate variability, in milliseconds (the provider says of which kind, mostly RMSSD).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hrv_ms: Option<f64>,
    /// Breaths a minute.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub breath_rate_bpm: Option<f64>,
    /// The verdict of the provider, from 0 to 100.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub score: Option<f64>,
}

/// What kind of sleep it was.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum SleepKind {
    /// The long one of the day, mostly the night.
    #[default]
    Main,
    /// A shorter one beside it.
    Nap,
    /// Rest that the provider does not take for sleep: it yields no metrics.
    Rest,
}

impl Dataset for Sleep {
    const NAME: &'static str = "sleep";
    const TITLE: &'static str = "Nights and naps";
    const COUNTS_AT_END: bool = true;
    const METRICS: &'static [Metric] = &[
        Metric { name: "sleep.time", unit: "s", aggregation: Aggregation::Sum },
        Metric { name: "sleep.deep", unit: "s", aggregation: Aggregation::Sum },
        Metric { name: "sleep.rem", unit: "s", aggregation: Aggregation::Sum },
        Metric { name: "sleep.efficiency", unit: "ratio", aggregation: Aggregation::Mean },
        Metric { name: "sleep.hrv", unit: "ms", aggregation: Aggregation::Mean },
        Metric { name: "sleep.resting_hr", unit: "bpm", aggregation: Aggregation::Min },
        Metric { name: "sleep.score", unit: "score", aggregation: Aggregation::Mean },
    ];

    /// Naps add to the time asleep; they leave out what describes a night and would blur its mean.
    fn points(&self, _: &When) -> Vec<Point> {
        let night = |value: Option<f64>| value.filter(|_| self.kind == SleepKind::Main);
        if self.kind == SleepKind::Rest {
            return Vec::new();
        }
        known([
            ("sleep.time", self.asleep_s),
            ("sleep.deep", self.deep_s),
            ("sleep.rem", self.rem_s),
            ("sleep.efficiency", night(self.efficiency)),
            ("sleep.hrv", night(self.hrv_ms)),
            ("sleep.resting_hr", night(self.lowest_hr_bpm)),
            ("sleep.score", night(self.score)),
        ])
    }
}

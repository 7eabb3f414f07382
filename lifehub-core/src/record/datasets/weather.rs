//! `weather`: the weather of a place on a day.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::known;
use crate::record::When;
use crate::record::dataset::{Aggregation, Dataset, Metric, Point};

/// The weather of a place on a day. Absent members are unknown, not zero.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Weather {
    /// The place, as the person calls it.
    pub place: String,
    /// Lowest air temperature, in degrees Celsius.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub temperature_min_c: Option<f64>,
    /// Mean air temperature, in degrees Celsius.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub temperature_mean_c: Option<f64>,
    /// Highest air temperature, in degrees Celsius.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub temperature_max_c: Option<f64>,
    /// Rain, and melted snow and hail, in millimetres.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub precipitation_mm: Option<f64>,
    /// Strongest wind, gusts apart, in metres a second.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub wind_max_mps: Option<f64>,
    /// Sunshine, in seconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sunshine_s: Option<f64>,
    /// What the weather was like, as a WMO code (table 4677: 0 clear, 61 slight rain, 95 thunderstorm).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<u8>,
    /// Whether this is what was expected, not what was measured: a forecast turns into history later.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub forecast: bool,
}

impl Dataset for Weather {
    const NAME: &'static str = "weather";
    const TITLE: &'static str = "Weather";
    const METRICS: &'static [Metric] = &[
        Metric { name: "weather.temperature_min", unit: "°C", aggregation: Aggregation::Min },
        Metric { name: "weather.temperature_mean", unit: "°C", aggregation: Aggregation::Mean },
        Metric { name: "weather.temperature_max", unit: "°C", aggregation: Aggregation::Max },
        Metric { name: "weather.precipitation", unit: "mm", aggregation: Aggregation::Sum },
        Metric { name: "weather.wind_max", unit: "m/s", aggregation: Aggregation::Max },
        Metric { name: "weather.sunshine", unit: "s", aggregation: Aggregation::Sum },
    ];

    /// The label is the place: the rain of two places has no meaningful sum.
    fn points(&self, _: &When) -> Vec<Point> {
        let points = known([
            ("weather.temperature_min", self.temperature_min_c),
            ("weather.temperature_mean", self.temperature_mean_c),
            ("weather.temperature_max", self.temperature_max_c),
            ("weather.precipitation", self.precipitation_mm),
            ("weather.wind_max", self.wind_max_mps),
            ("weather.sunshine", self.sunshine_s),
        ]);
        points.into_iter().map(|point| point.label(self.place.clone())).collect()
    }
}

//! `play`: one listening of a track.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{known, span_s};
use crate::record::When;
use crate::record::dataset::{Aggregation, Dataset, Metric, Point};

/// One listening of a track.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Play {
    /// The title of the track.
    pub track: String,
    /// Who performs it, in the order of the provider.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub artists: Vec<String>,
    /// The title of the album.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub album: Option<String>,
    /// Length of the track, in milliseconds. Few providers tell how long it really played: those that do give the record
    /// a span.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub duration_ms: Option<u64>,
    /// International Standard Recording Code, `GBAYE0601498`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub isrc: Option<String>,
    /// Page of the track.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
}

impl Dataset for Play {
    const NAME: &'static str = "play";
    const TITLE: &'static str = "Tracks listened to";
    const METRICS: &'static [Metric] = &[
        Metric { name: "listening.plays", unit: "count", aggregation: Aggregation::Sum },
        Metric { name: "listening.time", unit: "s", aggregation: Aggregation::Sum },
    ];

    fn points(&self, when: &When) -> Vec<Point> {
        let length_s = self.duration_ms.map(|ms| ms as f64 / 1000.0);
        known([("listening.plays", Some(1.0)), ("listening.time", span_s(when).or(length_s))])
    }
}

//! What a dataset is: a documented struct with a published JSON Schema and the metrics that it yields.

use std::borrow::Cow;
use std::io;

use schemars::{JsonSchema, Schema};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::error::{Error, ErrorKind, Result};
use crate::record::When;

/// A kind of fact. The implementing struct is the body; units stand in its field names.
pub trait Dataset: Serialize + DeserializeOwned + JsonSchema + Send + Sync + 'static {
    /// The name in records, routes and exports.
    const NAME: &'static str;
    /// One line for people.
    const TITLE: &'static str;
    /// Whether a span counts on the day of its end instead of its start (sleep: of waking).
    const COUNTS_AT_END: bool = false;
    /// The metrics that bodies of this kind may yield.
    const METRICS: &'static [Metric];

    /// The measured values of one body.
    fn points(&self, when: &When) -> Vec<Point>;

    /// The body as JSON. It holds no null: what is unknown is left out.
    ///
    /// # Errors
    /// If a number is infinite or none at all, which JSON lacks, or a map has keys that are no strings.
    fn to_json(&self) -> Result<String> {
        let mut json = Vec::new();
        self.serialize(&mut serde_json::Serializer::with_formatter(&mut json, WithoutNull))
            .map_err(|e| e.to_string())
            .and_then(|()| String::from_utf8(json).map_err(|e| e.to_string()))
            .map_err(|e| {
                Error::new(ErrorKind::InvalidResponse, format!("a {} does not fit JSON: {e}", Self::NAME))
            })
    }
}

/// Compact JSON that refuses null. Serde writes one for NaN and the infinities, and a stored body that holds it in the
/// place of a number could not be read again.
struct WithoutNull;

impl serde_json::ser::Formatter for WithoutNull {
    fn write_null<W: ?Sized + io::Write>(&mut self, _: &mut W) -> io::Result<()> {
        Err(io::Error::other("it holds a number that is not finite, or a null"))
    }
}

/// A number over time that records yield.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Metric {
    /// Its name, `workout.distance`. A name that ends in `*` stands for a family (`vital.*`).
    pub name: &'static str,
    /// Its unit: `s`, `m`, `kcal`, `count`, `ratio`, `score`, …
    pub unit: &'static str,
    /// How the values of one day are shown as one.
    pub aggregation: Aggregation,
}

/// How the values of one day become one number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Aggregation {
    /// Their sum.
    Sum,
    /// Their arithmetic mean.
    Mean,
    /// That of the latest record.
    Last,
    /// The smallest.
    Min,
    /// The largest.
    Max,
}

/// One value of one metric, as a record yields it.
#[derive(Debug, Clone, PartialEq)]
pub struct Point {
    /// The metric's name.
    pub metric: Cow<'static, str>,
    /// What tells series of one metric apart (a currency, a category); mostly empty.
    pub label: Cow<'static, str>,
    /// The value, in the metric's unit.
    pub value: f64,
}

impl Point {
    /// A value of a metric without labels.
    pub fn new(metric: impl Into<Cow<'static, str>>, value: f64) -> Self {
        Self { metric: metric.into(), label: Cow::Borrowed(""), value }
    }

    /// A value under a label.
    #[must_use]
    pub fn label(mut self, label: impl Into<Cow<'static, str>>) -> Self {
        self.label = label.into();
        self
    }
}

/// A dataset as data: for catalogues, schemas and roll-ups.
#[derive(Debug, Clone, Copy)]
pub struct DatasetInfo {
    /// See [`Dataset::NAME`].
    pub name: &'static str,
    /// See [`Dataset::TITLE`].
    pub title: &'static str,
    /// See [`Dataset::COUNTS_AT_END`].
    pub counts_at_end: bool,
    /// See [`Dataset::METRICS`].
    pub metrics: &'static [Metric],
    /// The JSON Schema of the body.
    pub schema: fn() -> Schema,
    points: fn(&str, &When) -> Result<Vec<Point>>,
}

impl DatasetInfo {
    pub(crate) const fn of<D: Dataset>() -> Self {
        Self {
            name: D::NAME,
            title: D::TITLE,
            counts_at_end: D::COUNTS_AT_END,
            metrics: D::METRICS,
            schema: || schemars::schema_for!(D),
            points: |body, when| {
                serde_json::from_str::<D>(body).map(|body| body.points(when)).map_err(|e| {
                    Error::new(ErrorKind::Storage, format!("a stored {} is unreadable: {e}", D::NAME))
                })
            },
        }
    }

    /// The dataset of that name.
    pub fn find(name: &str) -> Option<&'static Self> {
        super::datasets::all().iter().find(|info| info.name == name)
    }

    /// The values that a stored body yields.
    ///
    /// # Errors
    /// If the body is not one of this dataset.
    pub fn points(&self, body: &str, when: &When) -> Result<Vec<Point>> {
        (self.points)(body, when)
    }
}

//! `custom`: a fact of a kind that no other dataset knows, such as a row of a spreadsheet.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::record::When;
use crate::record::dataset::{Aggregation, Dataset, Metric, Point};

/// A fact of a kind that no other dataset knows, such as a row of a spreadsheet.
///
/// Whoever makes it names its kind and says which of its numbers are to be followed over time. So a row
/// `[2026-08-01, 71.4, "after run"]` of a sheet for which the person chose the name `weight` and the number column `kg` is
///
/// ```
/// # use std::collections::BTreeMap;
/// # use lifehub_core::record::datasets::Custom;
/// let row = Custom {
///     schema: "weight".to_owned(),
///     fields: BTreeMap::from([("note".to_owned(), "after run".into())]),
///     metrics: BTreeMap::from([("kg".to_owned(), 71.4)]),
/// };
/// ```
///
/// on that day, and yields `custom.weight.kg`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
// The example above is for Rust; the published schema does without.
#[schemars(description = "A fact of a kind that no other dataset knows, such as a row of a spreadsheet.")]
pub struct Custom {
    /// Name of its kind, a slug that the person or the connector chose: `weight`. Facts of one kind have the same members.
    pub schema: String,
    /// What it says, by name.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub fields: BTreeMap<String, CustomValue>,
    /// Its numbers to follow over time, by name (with the unit in it, as everywhere): `kg`, `price_eur`. They do not stand
    /// in `fields` again.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub metrics: BTreeMap<String, f64>,
}

impl Custom {
    /// With a member, if its value is known: neither absent nor an empty text or list.
    #[must_use]
    pub fn with(mut self, name: &str, value: Option<impl Into<CustomValue>>) -> Self {
        let empty = |value: &CustomValue| match value {
            CustomValue::Text(text) => text.is_empty(),
            CustomValue::List(list) => list.is_empty(),
            _ => false,
        };
        if let Some(value) = value.map(Into::into).filter(|value| !empty(value)) {
            self.fields.insert(name.to_owned(), value);
        }
        self
    }

    /// With a number to follow over time, if it is known.
    #[must_use]
    pub fn metric(mut self, name: &str, value: Option<f64>) -> Self {
        self.metrics.extend(value.map(|value| (name.to_owned(), value)));
        self
    }
}

/// A value of a custom fact. There is no null: what is unknown is left out.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
#[non_exhaustive]
pub enum CustomValue {
    /// Yes or no.
    Boolean(bool),
    /// A number. Ids and exact amounts are better kept as text: beyond 2^53 this rounds.
    Number(f64),
    /// A text.
    Text(String),
    /// Several values.
    List(Vec<CustomValue>),
    /// Values with names.
    Object(BTreeMap<String, CustomValue>),
}

impl From<bool> for CustomValue {
    fn from(value: bool) -> Self {
        Self::Boolean(value)
    }
}

impl From<f64> for CustomValue {
    fn from(value: f64) -> Self {
        Self::Number(value)
    }
}

impl From<String> for CustomValue {
    fn from(value: String) -> Self {
        Self::Text(value)
    }
}

impl From<&str> for CustomValue {
    fn from(value: &str) -> Self {
        Self::Text(value.to_owned())
    }
}

impl From<Vec<String>> for CustomValue {
    fn from(values: Vec<String>) -> Self {
        Self::List(values.into_iter().map(Self::Text).collect())
    }
}

impl Dataset for Custom {
    const NAME: &'static str = "custom";
    const TITLE: &'static str = "Everything else";
    const METRICS: &'static [Metric] =
        &[Metric { name: "custom.*", unit: "value", aggregation: Aggregation::Mean }];

    /// The metrics are `custom.<schema>.<name>`. The mean fits readings; roll-ups also hold the sum that fits amounts.
    fn points(&self, _: &When) -> Vec<Point> {
        self.metrics
            .iter()
            .map(|(name, value)| Point::new(format!("custom.{}.{name}", self.schema), *value))
            .collect()
    }
}

//! Roll-ups: the points of one day's records, tallied in one defined order, so that the same records give the same
//! figures to the last bit.

use std::borrow::Cow;
use std::collections::BTreeMap;

use lifehub_core::clock::{Day, Timestamp};
use lifehub_core::record::{ConnectionId, DatasetInfo, Point, RecordId, When};
use serde::Serialize;

/// The figures of one metric on one day.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Tally {
    /// How many values.
    pub count: u64,
    /// Their sum.
    pub sum: f64,
    /// The smallest.
    pub min: f64,
    /// The largest.
    pub max: f64,
    /// That of the latest record.
    pub last: f64,
}

/// One row: a metric of a connection on a day.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct RollupRow {
    /// The connection whose records it sums up.
    pub connection: ConnectionId,
    /// The metric.
    pub metric: String,
    /// What tells series of the metric apart; mostly empty.
    pub label: String,
    /// The local day.
    pub day: Day,
    /// The figures.
    #[serde(flatten)]
    pub tally: Tally,
}

/// A row that does not say what its day's records give. There should be none.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct RollupDifference {
    /// The connection.
    pub connection: ConnectionId,
    /// The metric.
    pub metric: String,
    /// Its label.
    pub label: String,
    /// The day.
    pub day: Day,
    /// What is stored.
    pub stored: Option<Tally>,
    /// What the records give.
    pub expected: Option<Tally>,
}

/// What one live record adds to its day.
pub(crate) struct Fact {
    pub(crate) day: i32,
    pub(crate) sort: Timestamp,
    pub(crate) record: RecordId,
    pub(crate) points: Vec<Point>,
    /// Whether its dataset could read the body.
    pub(crate) readable: bool,
}

impl Fact {
    /// The points of a record. One whose body its dataset does not read (any more) adds nothing: it must not keep
    /// good records of its day from being stored, and `check` names it.
    pub(crate) fn of(record: RecordId, dataset: &str, body: &str, when: &When, day: i32) -> Self {
        let points = DatasetInfo::find(dataset).map_or(Ok(Vec::new()), |info| info.points(body, when));
        // The cause may quote the body: it is not repeated.
        let readable = points.is_ok();
        if !readable {
            tracing::warn!(%record, dataset, "the body of a stored record is not one of its dataset");
        }
        Self { day, sort: when.sort_key(), record, points: points.unwrap_or_default(), readable }
    }
}

/// Metric and label.
pub(crate) type Series = (Cow<'static, str>, Cow<'static, str>);

/// Tallies facts by day, those of a day in the order of their instants, ids among equals.
pub(crate) fn tally(mut facts: Vec<Fact>) -> BTreeMap<i32, BTreeMap<Series, Tally>> {
    facts.sort_unstable_by_key(|fact| (fact.day, fact.sort, fact.record));
    let mut days = BTreeMap::new();
    for Fact { day, points, .. } in facts {
        let rows: &mut BTreeMap<Series, Tally> = days.entry(day).or_default();
        for Point { metric, label, value } in points {
            // Neither JSON nor a chart has a place for an infinity.
            if value.is_finite() {
                let fresh = Tally { count: 0, sum: 0.0, min: value, max: value, last: value };
                let row = rows.entry((metric, label)).or_insert(fresh);
                row.count += 1;
                row.sum += value;
                row.min = row.min.min(value);
                row.max = row.max.max(value);
                row.last = value;
            }
        }
    }
    days
}

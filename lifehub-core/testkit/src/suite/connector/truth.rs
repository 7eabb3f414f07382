//! Comparing what is stored with what the simulator's own books say.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::account::Fact;
use crate::suite::{Failure, ensure};

/// Everything that a connection has stored: records as JSON, and what is in quarantine.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Stored {
    pub(super) records: Vec<Value>,
    /// External ids.
    pub(super) quarantine: BTreeSet<String>,
}

/// Stream, partition and external id.
type Key = (String, String, String);

fn text(record: &Value, member: &str) -> String {
    record[member].as_str().unwrap_or_default().to_owned()
}

pub(super) fn key(record: &Value) -> Key {
    (text(record, "stream"), text(record, "partition"), text(record, "external_id"))
}

impl Stored {
    /// Live records by their item.
    pub(super) fn live(&self) -> BTreeMap<Key, Vec<&Value>> {
        let mut live: BTreeMap<Key, Vec<&Value>> = BTreeMap::new();
        for record in self.records.iter().filter(|record| record["deleted"] == false) {
            live.entry(key(record)).or_default().push(record);
        }
        live
    }

    /// Every record without what may differ between equal stores, in an order of its own.
    pub(super) fn content(&self) -> Vec<String> {
        let stripped = self.records.iter().map(|record| {
            let mut record = record.clone();
            if let Some(members) = record.as_object_mut() {
                members.remove("id");
                members.remove("changed_at");
            }
            record.to_string()
        });
        let mut content: Vec<String> = stripped.collect();
        content.sort();
        content
    }

    /// Fails unless exactly these facts are stored.
    pub(super) fn equals(&self, facts: &[Fact]) -> Result<(), Failure> {
        let mut live = self.live();
        let mut kept = self.quarantine.clone();
        let mut nameless = 0;
        for fact in facts {
            let Some(id) = &fact.id else {
                nameless += 1;
                continue;
            };
            let stored = live.remove(&(fact.stream.clone(), fact.partition.clone(), id.clone()));
            let Some(records) = &fact.records else {
                ensure!(kept.remove(id), "the item {id} cannot be read, but is not in quarantine");
                continue;
            };
            ensure!(!kept.contains(id), "the item {id} is in quarantine");
            matches(id, records, &stored.unwrap_or_default())?;
        }
        if let Some(((_, _, id), records)) = live.into_iter().next() {
            return Err(Failure::new(format!("stored, but not at the provider: {id}: {}", records[0])));
        }
        ensure!(
            kept.len() == nameless,
            "{} items without an id are in quarantine, {nameless} were sent: {kept:?}",
            kept.len()
        );
        Ok(())
    }
}

/// Fails unless the stored records are the expected ones, one to one.
fn matches(id: &str, expected: &[Value], stored: &[&Value]) -> Result<(), Failure> {
    let mut left: Vec<&Value> = stored.to_vec();
    for fact in expected {
        let found = left.iter().position(|record| holds(record, fact));
        let Some(place) = found else {
            let near = left.first().map_or_else(|| "nothing".to_owned(), |record| record.to_string());
            return Err(Failure::new(format!("the item {id} should give {fact}, stored is {near}")));
        };
        left.swap_remove(place);
    }
    match left.first() {
        Some(more) => Err(Failure::new(format!("the item {id} gives a record too many: {more}"))),
        None => Ok(()),
    }
}

/// Whether `value` has all that `part` names.
fn holds(value: &Value, part: &Value) -> bool {
    match (value, part) {
        (Value::Object(value), Value::Object(part)) => part
            .iter()
            // A member that is absent is null.
            .all(|(name, part)| holds(value.get(name).unwrap_or(&Value::Null), part)),
        (Value::Array(value), Value::Array(part)) => {
            value.len() == part.len() && value.iter().zip(part).all(|(value, part)| holds(value, part))
        }
        (Value::Number(value), Value::Number(part)) => {
            let (value, part) = (value.as_f64().unwrap_or(f64::NAN), part.as_f64().unwrap_or(f64::NAN));
            // As many digits as any provider sends.
            (value - part).abs() <= 1e-9 * part.abs().max(1.0)
        }
        (value, part) => value == part,
    }
}

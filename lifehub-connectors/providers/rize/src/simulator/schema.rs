//! The part of Rize's schema that is simulated, as public clients agree on it, and checking queries against it.

use std::collections::BTreeSet;

use lifehub_core::clock::{Day, Timestamp};
use serde_json::{Map, Value};

use super::fault::Fault;
use super::graphql::{Argument, Field, Query};

/// The members of a type with their own types; a scalar has none.
fn members(kind: &str) -> &'static [(&'static str, &'static str)] {
    match kind {
        "Query" => &[("currentUser", "User"), ("sessions", "Session"), ("summaries", "TimeSummary")],
        "User" => &[("email", ""), ("name", ""), ("createdAt", ""), ("updatedAt", "")],
        "Session" => &[
            ("id", ""),
            ("title", ""),
            ("description", ""),
            ("type", ""),
            ("source", ""),
            ("startTime", ""),
            ("endTime", ""),
            ("createdAt", ""),
            ("updatedAt", ""),
            ("projects", "Project"),
            ("tasks", "Task"),
        ],
        "Project" | "Task" => &[("id", ""), ("name", "")],
        "TimeSummary" => &[
            ("startTime", ""),
            ("endTime", ""),
            ("bucketSize", ""),
            ("focusTime", ""),
            ("breakTime", ""),
            ("meetingTime", ""),
            ("trackedTime", ""),
            ("workHours", ""),
            ("buckets", "TimeSummaryBucket"),
        ],
        "TimeSummaryBucket" => &[
            ("date", ""),
            ("wday", ""),
            ("startTime", ""),
            ("endTime", ""),
            ("focusTime", ""),
            ("breakTime", ""),
            ("meetingTime", ""),
            ("trackedTime", ""),
            ("workHours", ""),
        ],
        _ => &[],
    }
}

/// The arguments of a root field with their types; those with an exclamation mark must be there.
fn parameters(field: &str) -> &'static [(&'static str, &'static str)] {
    match field {
        "sessions" => {
            &[("startTime", "ISO8601DateTime"), ("endTime", "ISO8601DateTime"), ("sort", "TimeEntrySortEnum")]
        }
        "summaries" => &[
            ("startDate", "ISO8601Date!"),
            ("endDate", "ISO8601Date!"),
            ("bucketSize", "String!"),
            ("includeCategories", "Boolean"),
        ],
        _ => &[],
    }
}

/// Members that the schema has lost: type and name.
pub(super) type Lost = BTreeSet<(String, String)>;

/// Whether all that is asked for is there, as GraphQL checks it before anything is run.
pub(super) fn check(query: &Query, lost: &Lost) -> Result<(), Fault> {
    fields(&query.fields, "Query", lost)?;
    for field in &query.fields {
        let known = parameters(&field.name);
        for (name, argument) in &field.arguments {
            let Some((_, kind)) = known.iter().find(|(known, _)| known == name) else {
                return Err(Fault::no_argument(&field.name, name));
            };
            if let Argument::Variable(variable) = argument {
                let declared = query.variables.iter().find(|(declared, _)| declared == variable);
                let (_, declared) = declared.ok_or_else(|| Fault::undeclared(variable))?;
                if declared != kind && declared.strip_suffix('!') != Some(kind) {
                    return Err(Fault::mismatch(variable, declared, name, kind));
                }
            }
        }
        for (name, _) in known.iter().filter(|(_, kind)| kind.ends_with('!')) {
            if !field.arguments.iter().any(|(given, _)| given == name) {
                return Err(Fault::missing(&field.name, name));
            }
        }
    }
    Ok(())
}

fn fields(asked: &[Field], kind: &str, lost: &Lost) -> Result<(), Fault> {
    for field in asked {
        let gone = lost.contains(&(kind.to_owned(), field.name.clone()));
        let member = members(kind).iter().find(|(name, _)| *name == field.name && !gone);
        let (_, of) = member.ok_or_else(|| Fault::no_field(&field.name, kind))?;
        if of.is_empty() != field.fields.is_empty() {
            return Err(Fault::selection(&field.name));
        }
        fields(&field.fields, of, lost)?;
    }
    Ok(())
}

/// The arguments of a field by name, with the variables' values in their places. One that is null is absent.
pub(super) fn arguments(
    field: &Field,
    query: &Query,
    variables: &Value,
) -> Result<Map<String, Value>, Fault> {
    let mut arguments = Map::new();
    for (name, argument) in &field.arguments {
        let value = match argument {
            Argument::Literal(value) => value.clone(),
            Argument::Variable(variable) => {
                let value = &variables[variable];
                let declared = query.variables.iter().find(|(declared, _)| declared == variable);
                let kind = declared.map_or("", |(_, kind)| kind.as_str());
                if (value.is_null() && kind.ends_with('!')) || !fits(value, kind.trim_end_matches('!')) {
                    return Err(Fault::bad_value(variable, kind, value));
                }
                value.clone()
            }
        };
        if !value.is_null() {
            arguments.insert(name.clone(), value);
        }
    }
    Ok(arguments)
}

fn fits(value: &Value, scalar: &str) -> bool {
    match (value, scalar) {
        (Value::Null, _) => true,
        (Value::String(text), "ISO8601DateTime") => text.parse::<Timestamp>().is_ok(),
        (Value::String(text), "ISO8601Date") => text.parse::<Day>().is_ok(),
        (Value::String(_), "String" | "TimeEntrySortEnum") | (Value::Bool(_), "Boolean") => true,
        _ => false,
    }
}

/// What was asked for of a value, and nothing else.
pub(super) fn selected(value: &Value, asked: &[Field]) -> Value {
    match value {
        Value::Object(_) if !asked.is_empty() => {
            let pick = |field: &Field| (field.key().to_owned(), selected(&value[&field.name], &field.fields));
            Value::Object(asked.iter().map(pick).collect())
        }
        Value::Array(values) => values.iter().map(|value| selected(value, asked)).collect(),
        value => value.clone(),
    }
}

//! Whether a parameter's text fits its schema: the part of JSON Schema that API descriptions use for parameters.

use lifehub_core::clock::{Day, Timestamp};
use serde_json::Value;

/// The document in which references point.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Root<'a>(pub(crate) &'a Value);

impl<'a> Root<'a> {
    /// What a reference stands for, or the value itself.
    pub(crate) fn resolved(self, value: &'a Value) -> &'a Value {
        let target = value["$ref"].as_str().and_then(|path| self.0.pointer(path.strip_prefix('#')?));
        match target {
            Some(target) => self.resolved(target),
            None => value,
        }
    }
}

/// Whether a text is a value of the schema.
///
/// # Errors
/// With what does not fit.
pub(crate) fn fits<'a>(root: Root<'a>, schema: &'a Value, text: &str) -> Result<(), String> {
    let schema = root.resolved(schema);
    let list = |name: &str| schema[name].as_array().map(Vec::as_slice).unwrap_or_default();
    for part in list("allOf") {
        fits(root, part, text)?;
    }
    for name in ["anyOf", "oneOf"] {
        let choices = list(name);
        if !choices.is_empty() && !choices.iter().any(|choice| fits(root, choice, text).is_ok()) {
            return Err(format!("{text:?} is none of {name}"));
        }
    }
    let kinds: Vec<&str> = match &schema["type"] {
        Value::String(kind) => vec![kind],
        Value::Array(kinds) => kinds.iter().filter_map(Value::as_str).collect(),
        _ => Vec::new(),
    };
    let mut faults: Vec<String> = Vec::new();
    for kind in &kinds {
        match of_kind(root, schema, kind, text) {
            Ok(()) => return of_enum(schema, text),
            Err(fault) => faults.push(fault),
        }
    }
    match faults.is_empty() {
        true => of_enum(schema, text),
        false => Err(faults.join("; ")),
    }
}

fn of_enum(schema: &Value, text: &str) -> Result<(), String> {
    let Some(allowed) = schema["enum"].as_array() else { return Ok(()) };
    let same = |value: &Value| match value {
        Value::String(value) => value == text,
        // As it is written in a query.
        value => format!("{value}") == text,
    };
    // A list is checked by its elements.
    match schema["type"] == "array" || allowed.iter().any(same) {
        true => Ok(()),
        false => Err(format!("{text:?} is none of the values {allowed:?}")),
    }
}

fn of_kind(root: Root<'_>, schema: &Value, kind: &str, text: &str) -> Result<(), String> {
    let wrong = || format!("{text:?} is no {kind}");
    match kind {
        "integer" => bounded(schema, text.parse::<i64>().map_err(|_| wrong())? as f64),
        "number" => bounded(schema, text.parse().map_err(|_| wrong())?),
        "boolean" => matches!(text, "true" | "false").then_some(()).ok_or_else(wrong),
        "array" => text.split(',').try_for_each(|part| fits(root, &schema["items"], part)),
        "string" => {
            let is = match schema["format"].as_str() {
                // Days are written with all their digits.
                Some("date") => text.len() == 10 && text.parse::<Day>().is_ok(),
                Some("date-time") => text.contains('T') && text.parse::<Timestamp>().is_ok(),
                _ => true,
            };
            is.then_some(()).ok_or_else(|| format!("{text:?} is no {}", schema["format"]))
        }
        _ => Err(wrong()),
    }
}

fn bounded(schema: &Value, number: f64) -> Result<(), String> {
    let bound = |name: &str| schema[name].as_f64();
    if bound("minimum").is_some_and(|least| number < least)
        || bound("maximum").is_some_and(|most| number > most)
    {
        return Err(format!("{number} is out of {:?}..={:?}", bound("minimum"), bound("maximum")));
    }
    Ok(())
}

//! The mask of the parameter `fields`: `properties(title,timeZone),sheets.properties`.

use std::collections::BTreeMap;

use serde_json::Value;

use super::refusal::Refusal;

/// Members that are asked for, and what of each; nothing more for all of it.
#[derive(Debug, Default, PartialEq, Eq)]
struct Mask(BTreeMap<String, Mask>);

/// What is left of an answer under a mask; without one, all of it.
pub(super) fn masked(answer: Value, mask: Option<&str>) -> Result<Value, Refusal> {
    let Some(text) = mask else { return Ok(answer) };
    match Mask::read(text) {
        Some((mask, "")) => Ok(mask.apply(answer)),
        _ => Err(Refusal::invalid("Request contains an invalid argument.")),
    }
}

impl Mask {
    /// Reads members up to the end or a closing bracket; returns the rest, too.
    fn read(text: &str) -> Option<(Self, &str)> {
        let mut mask = Self::default();
        let mut rest = mask.add(text)?;
        while let Some(next) = rest.strip_prefix(',') {
            rest = mask.add(next)?;
        }
        Some((mask, rest))
    }

    /// Reads one member, with what follows it in brackets or after a point.
    fn add<'a>(&mut self, text: &'a str) -> Option<&'a str> {
        let end = text.find([',', '(', ')', '.']).unwrap_or(text.len());
        let (name, rest) = text.split_at(end);
        let mut inner = Self::default();
        let rest = if let Some(list) = rest.strip_prefix('(') {
            let (list, rest) = Self::read(list)?;
            inner = list;
            rest.strip_prefix(')')?
        } else if let Some(path) = rest.strip_prefix('.') {
            inner.add(path)?
        } else {
            rest
        };
        self.0.insert(name.to_owned(), inner);
        (!name.is_empty()).then_some(rest)
    }

    fn apply(&self, value: Value) -> Value {
        match value {
            value if self.0.is_empty() => value,
            Value::Array(items) => items.into_iter().map(|item| self.apply(item)).collect(),
            Value::Object(members) => {
                let kept = members.into_iter().filter_map(|(name, value)| {
                    let inner = self.0.get(&name)?;
                    Some((name, inner.apply(value)))
                });
                Value::Object(kept.collect())
            }
            value => value,
        }
    }
}

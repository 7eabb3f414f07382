//! A plan's list as YNAB answers it, and the items that it becomes.

use std::collections::BTreeMap;

use lifehub_core::prelude::*;
use serde::{Deserialize, Serialize};
use serde_json::json;

/// Up to where a list was read, and what its objects do not say although their records depend on it.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Known {
    /// YNAB's `server_knowledge`: a call that names it is answered with what changed since.
    pub(crate) knowledge: i64,
    /// The plan's.
    pub(crate) currency: String,
    /// As [`day`] has it.
    pub(crate) day: Option<Day>,
    /// The names under which balances stand, by the ids of their accounts.
    pub(crate) names: BTreeMap<String, String>,
}

/// The day of a list's records: for balances that of asking, for categories the first of its month, both in UTC.
/// Transactions have their own.
pub(crate) fn day(stream: &str, today: Day) -> Option<Day> {
    match stream {
        "accounts" => Some(today),
        "categories" => Some(today.first_of_month()),
        _ => None,
    }
}

/// The objects of a list, and which of them are gone with their group: categories stand in groups.
pub(crate) fn objects(stream: &str, answer: &Answer) -> Result<Vec<(RawJson, bool)>> {
    if stream != "categories" {
        let objects = answer.items_at(&format!("data.{stream}"))?;
        return Ok(objects.into_iter().map(|object| (object, false)).collect());
    }
    let mut categories = Vec::new();
    // A group that cannot be read fails the list: what is in it would count as gone.
    for group in answer.items_at("data.category_groups")? {
        let group = Fields::read(&group)?;
        let gone = group.get("deleted")? == Some(true);
        categories.extend(group.items("categories")?.into_iter().map(|category| (category, gone)));
    }
    Ok(categories)
}

/// For what an answer to a call without knowledge is complete. Deltas tell what is gone; this is for what they missed.
pub(crate) fn covers(stream: &str, items: &[Item]) -> Coverage {
    let at = |item: &Item| match item {
        Item::Put(put) => put.at,
        _ => None,
    };
    match (stream, items.iter().filter_map(at).min()) {
        // Should YNAB clip the past although it is asked for, what it leaves out is not gone.
        ("transactions", Some(from)) => Coverage::Span { from, to: Timestamp::from_seconds(i64::MAX) },
        // Those of the month, which all have its first day; of other months nothing is said.
        ("categories", Some(month)) => Coverage::Span { from: month - DAY, to: month + DAY },
        _ => Coverage::Nothing,
    }
}

impl Known {
    /// The item of an object, with what that does not say.
    pub(crate) fn item(&mut self, stream: &str, object: RawJson, gone_with_group: bool) -> Item {
        let mut body = object.with("_currency", self.currency.as_str());
        if let Some(day) = self.day {
            body = body.with("_day", day.to_string());
        }
        Item::read(body, |object| {
            let id: String = object.need("id")?;
            let gone = gone_with_group || object.get("deleted")? == Some(true);
            let at = self.day.or(object.maybe("date")).map(Day::start_utc);
            // A deleted account is worth nothing from today on, but was worth something before.
            let key = ItemKey::new(self.on_day(&id)).at(at).gone_if(gone && stream != "accounts");
            if stream == "accounts" {
                self.names.extend(object.maybe("name").map(|name| (id, name)));
            }
            Ok(key)
        })
    }

    /// Adds what was known before. A balance under a name or in a currency that its account no longer has is zero from
    /// today on, or else the account would count twice: the items say so.
    pub(crate) fn follow(&mut self, before: Self) -> Result<Vec<Item>> {
        let Self { currency, names, .. } = before;
        let mut over = Vec::new();
        for (id, old) in names {
            if self.names.get(&id).is_some_and(|new| *new != old || currency != self.currency) {
                let account =
                    json!({ "id": id, "name": old, "balance": 0, "_currency": currency, "_day": self.day });
                over.push(Item::Put(RawItem {
                    id: format!("{}/{currency}/{old}", self.on_day(&id)),
                    at: None,
                    version: None,
                    body: RawJson::of(&account)?,
                }));
            }
            self.names.entry(id).or_insert(old);
        }
        Ok(over)
    }

    /// The id of an object's item.
    fn on_day(&self, id: &str) -> String {
        self.day.map_or_else(|| id.to_owned(), |day| format!("{id}@{day}"))
    }
}

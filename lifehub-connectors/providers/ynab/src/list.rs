//! A plan's list as YNAB answers it, and the items that it becomes.

use std::collections::BTreeMap;

use lifehub_core::error::json_fault;
use lifehub_core::prelude::*;
use serde::{Deserialize, Serialize};
use serde_json::json;
use serde_json::value::RawValue;

/// What an object does not say, and its records depend on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Frame {
    /// The plan's.
    pub(crate) currency: String,
    /// For balances the day of asking, for categories the first of its month, both in UTC; transactions have their own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) day: Option<Day>,
}

/// The body of an item: one of YNAB's objects as it came, and its frame.
#[derive(Serialize, Deserialize)]
pub(crate) struct Framed<F, T> {
    pub(crate) frame: F,
    pub(crate) object: T,
}

impl Frame {
    pub(crate) fn new(stream: &str, currency: String, now: Timestamp) -> Self {
        let today = now.utc_day();
        let month = || format!("{}01", today.to_string().trim_end_matches(|c| c != '-')).parse().ok();
        let day = match stream {
            "accounts" => Some(today),
            "categories" => month(),
            _ => None,
        };
        Self { currency, day }
    }

    /// The id of an object's item.
    fn id(&self, id: &str) -> String {
        self.day.map_or_else(|| id.to_owned(), |day| format!("{id}@{day}"))
    }
}

/// Up to where a list was read.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Known {
    /// YNAB's `server_knowledge`: a call that names it is answered with what changed since.
    pub(crate) knowledge: i64,
    /// What the items were framed with.
    pub(crate) frame: Frame,
    /// The names under which balances stand, by the ids of their accounts.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    names: BTreeMap<String, String>,
}

impl Known {
    /// Whether an item that did not change since is still right. A balance stays that of its day, but the amounts of a
    /// category are those of the current month.
    pub(crate) fn holds(&self, stream: &str, now: &Frame) -> bool {
        self.frame.currency == now.currency && (stream == "accounts" || self.frame.day == now.day)
    }
}

/// What was read of a list.
pub(crate) struct List {
    pub(crate) items: Vec<Item>,
    pub(crate) known: Known,
}

#[derive(Deserialize)]
struct Group<'a> {
    #[serde(default)]
    deleted: bool,
    #[serde(borrow, default)]
    categories: Vec<&'a RawValue>,
}

/// What is to be known of an object apart from its body.
#[derive(Deserialize)]
struct Head {
    id: String,
    #[serde(default)]
    name: Maybe<String>,
    #[serde(default)]
    date: Maybe<Day>,
    /// In deltas alone.
    #[serde(default)]
    deleted: bool,
}

impl List {
    /// Reads the list of a stream.
    pub(crate) fn read(stream: &str, frame: &Frame, answer: &Answer) -> Result<Self> {
        let knowledge = answer.member("data.server_knowledge")?;
        let known = Known { knowledge, frame: frame.clone(), names: BTreeMap::new() };
        let mut list = Self { items: Vec::new(), known };
        if stream != "categories" {
            let objects = answer.items_at(&format!("data.{stream}"))?;
            objects.iter().try_for_each(|object| list.add(stream, object, false))?;
            return Ok(list);
        }
        for group in answer.items_at("data.category_groups")? {
            match group.read() {
                Ok(Group { deleted, categories }) => {
                    categories.into_iter().try_for_each(|category| list.add(stream, category, deleted))?;
                }
                Err(e) => {
                    let reason = json_fault(&e);
                    list.items.push(Item::Broken { body: group, reason });
                }
            }
        }
        Ok(list)
    }

    fn add(&mut self, stream: &str, object: impl Serialize, gone_with_group: bool) -> Result<()> {
        let Self { items, known: Known { frame, names, .. } } = self;
        let body = RawJson::of(&Framed { frame: &*frame, object })?;
        let mut gone = gone_with_group;
        let item = Item::read(body, |Framed { object, .. }: Framed<Frame, Head>| {
            gone |= object.deleted;
            let key = ItemKey::new(frame.id(&object.id));
            if let (Some(name), "accounts") = (object.name.0, stream) {
                names.insert(object.id, name);
            }
            key.at(frame.day.or(object.date.0).map(Day::start_utc))
        });
        items.push(match item {
            // A deleted account is worth nothing from today on, but was worth something before.
            Item::Put(put) if gone && stream != "accounts" => Item::Gone { id: put.id, version: None },
            item => item,
        });
        Ok(())
    }

    /// Adds to what was read before. A balance under a name or in a currency that its account no longer has is zero from
    /// today on, or else the account would count twice.
    pub(crate) fn follow(&mut self, before: Known) -> Result<()> {
        let Self { items, known: Known { frame, names, .. } } = self;
        let Frame { currency, .. } = before.frame;
        for (id, old) in before.names {
            if names.get(&id).is_some_and(|new| *new != old || currency != frame.currency) {
                let on_day = frame.id(&id);
                let over = json!({ "id": id, "name": old, "balance": 0 });
                let frame = Frame { currency: currency.clone(), ..*frame };
                let body = RawJson::of(&Framed { frame, object: over })?;
                let id = format!("{on_day}/{currency}/{old}");
                items.push(Item::Put(RawItem { id, at: None, version: None, body }));
            }
            names.entry(id).or_insert(old);
        }
        Ok(())
    }

    /// For what an answer to a call without knowledge is complete. Deltas tell what is gone; this is for what they missed.
    pub(crate) fn covers(&self, stream: &str) -> Coverage {
        let at = |item: &Item| match item {
            Item::Put(put) => put.at,
            _ => None,
        };
        match (stream, self.items.iter().filter_map(at).min()) {
            // Should YNAB clip the past although it is asked for, what it leaves out is not gone.
            ("transactions", Some(from)) => Coverage::Span { from, to: Timestamp::from_seconds(i64::MAX) },
            // Those of the month; of earlier months nothing is said.
            ("categories", Some(month)) => {
                let at = month.as_micros();
                Coverage::Span { from: Timestamp::from_micros(at - 1), to: Timestamp::from_micros(at + 1) }
            }
            _ => Coverage::Nothing,
        }
    }
}

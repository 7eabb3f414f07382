//! Items that no connector can read: what a provider sends on a bad day.

use serde_json::{Map, Value, json};

/// A way for an item to be broken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Poison {
    /// There is no `id`.
    MissingId,
    /// `id` is null.
    NullId,
    /// `name` is null. A connector may well live with that.
    NullName,
    /// `distance` is a word.
    TextDistance,
    /// `sport_type` is a number.
    NumberSport,
    /// `sport_type` and the older `type` are numbers, all else is sound: nobody can tell what was done.
    NoSport,
    /// There is no `start_date`.
    MissingStart,
    /// `start_date` is no instant.
    BadStart,
    /// The item is the number 42.
    NotAnObject,
}

impl Poison {
    /// One of each kind.
    pub const EACH: [Self; 9] = [
        Self::MissingId,
        Self::NullId,
        Self::NullName,
        Self::TextDistance,
        Self::NumberSport,
        Self::NoSport,
        Self::MissingStart,
        Self::BadStart,
        Self::NotAnObject,
    ];

    /// Whether the item can still be told from others.
    pub(super) fn leaves_id(self) -> bool {
        !matches!(self, Self::MissingId | Self::NullId | Self::NotAnObject)
    }

    /// Whether what is left cannot be a workout.
    pub(super) fn spoils(self) -> bool {
        self != Self::NullName
    }

    /// The item with this harm done to it.
    pub(super) fn applied(self, mut item: Map<String, Value>) -> Value {
        let set = |item: &mut Map<String, Value>, member: &str, value| {
            item.insert(member.to_owned(), value);
        };
        match self {
            Self::MissingId => drop(item.remove("id")),
            Self::NullId => set(&mut item, "id", Value::Null),
            Self::NullName => set(&mut item, "name", Value::Null),
            Self::TextDistance => set(&mut item, "distance", json!("far")),
            Self::NumberSport => set(&mut item, "sport_type", json!(7)),
            Self::NoSport => {
                set(&mut item, "sport_type", json!(7));
                set(&mut item, "type", json!(7));
            }
            Self::MissingStart => drop(item.remove("start_date")),
            Self::BadStart => set(&mut item, "start_date", json!("yesterday")),
            Self::NotAnObject => return json!(42),
        }
        Value::Object(item)
    }
}

//! The items of one collection of a made-up account, and what happens to them: the part that simulated providers share.

use std::time::Duration;

use lifehub_core::clock::Timestamp;
use serde_json::Value;

use crate::account::{Change, Fact, Setup};
use crate::seeded::Seeded;

const DAY: Duration = Duration::from_secs(86_400);

/// What kind of items a [`Shelf`] holds: how one is made and changed, and which records stand for it.
pub trait Kind: Send + Sync + 'static {
    /// A sound item that bears this instant, as the provider's JSON. No two numbers are equal on a shelf, and the same
    /// arguments give the same item.
    fn make(&self, number: u64, at: Timestamp, dice: Seeded) -> Value;

    /// The id by which a client should know a sound item.
    fn id(&self, item: &Value) -> String;

    /// The records that a sound item stands for, as [`Fact::records`] has them.
    fn records(&self, item: &Value) -> Vec<Value>;

    /// Changes an item so that its records differ, each time anew. False if nobody edits such items.
    fn edit(&self, _item: &mut Value) -> bool {
        false
    }

    /// Breaks an item so that no normalizer can take it, but its id stays readable. False if that cannot be.
    fn spoil(&self, _item: &mut Value) -> bool {
        false
    }

    /// Takes an item's id. False if items have none of their own.
    fn unname(&self, _item: &mut Value) -> bool {
        false
    }
}

/// A collection with its history: every change gives an item a higher revision, and what goes leaves a stone behind, so
/// that a provider can tell what happened since.
///
/// ```
/// use lifehub_core::clock::Timestamp;
/// use lifehub_testkit::{Change, Kind, Seeded, Setup, Shelf};
/// use serde_json::{Value, json};
///
/// struct Notes;
///
/// impl Kind for Notes {
///     fn make(&self, number: u64, at: Timestamp, _: Seeded) -> Value {
///         json!({ "id": number, "at": at, "text": "made up" })
///     }
///     fn id(&self, item: &Value) -> String {
///         item["id"].to_string()
///     }
///     fn records(&self, item: &Value) -> Vec<Value> {
///         vec![json!({ "dataset": "entry", "start": item["at"] })]
///     }
/// }
///
/// let setup = Setup::new(1, "2026-08-10T12:00:00Z".parse()?).items(20);
/// let mut shelf = Shelf::stocked(Notes, &setup, 1.0);
/// assert!(shelf.change(&Change::Delete { from: 0, count: 2 }) && !shelf.change(&Change::Edit(0)));
/// assert_eq!((shelf.items().count(), shelf.since(20).count()), (18, 2));
/// # Ok::<(), lifehub_core::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct Shelf<K> {
    kind: K,
    dice: Seeded,
    now: Timestamp,
    /// By their instant, oldest first; what is gone among the others.
    items: Vec<Shelved>,
    made: u64,
    revision: u64,
}

/// An item on a [`Shelf`].
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Shelved {
    /// Its number, in the order in which items were made: from 1.
    pub number: u64,
    /// The instant that it bears.
    pub at: Timestamp,
    /// The item as it is meant.
    pub sound: Value,
    /// The item as the provider shows it: broken, if it is.
    pub shown: Value,
    /// The shelf's revision at the latest change of the item.
    pub revision: u64,
    /// Whether it is gone.
    pub gone: bool,
    harm: Option<Harm>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Harm {
    Spoiled,
    Unnamed,
}

impl<K: Kind> Shelf<K> {
    /// Without items, as it stands at `now`.
    pub fn empty(kind: K, seed: u64, now: Timestamp) -> Self {
        Self { kind, dice: Seeded::new(seed), now, items: Vec::new(), made: 0, revision: 0 }
    }

    /// With as many items as a setup asks for, or as so many a week give, at the instants of [`instants`].
    pub fn stocked(kind: K, setup: &Setup, a_week: f64) -> Self {
        let mut shelf = Self::empty(kind, setup.seed, setup.now);
        for at in instants(setup, a_week) {
            shelf.add(at);
        }
        shelf
    }

    /// Adds an item with this instant, and tells its number.
    pub fn add(&mut self, at: Timestamp) -> u64 {
        self.made += 1;
        self.revision += 1;
        let number = self.made;
        let sound = self.kind.make(number, at, self.dice.fork(number));
        let (shown, revision) = (sound.clone(), self.revision);
        let item = Shelved { number, at, sound, shown, revision, gone: false, harm: None };
        let place = self.items.partition_point(|other| other.at <= at);
        self.items.insert(place, item);
        number
    }

    /// The items that are there, oldest first.
    pub fn items(&self) -> impl DoubleEndedIterator<Item = &Shelved> + Clone {
        self.items.iter().filter(|item| !item.gone)
    }

    /// What changed after that revision, in the order of the changes; what is gone among it.
    pub fn since(&self, revision: u64) -> impl Iterator<Item = &Shelved> {
        let mut changed: Vec<_> = self.items.iter().filter(|item| item.revision > revision).collect();
        changed.sort_by_key(|item| item.revision);
        changed.into_iter()
    }

    /// The number of the latest change.
    pub fn revision(&self) -> u64 {
        self.revision
    }

    /// The kind of its items.
    pub fn kind(&self) -> &K {
        &self.kind
    }

    /// Changes the item at a position, counted from the newest; false if there is none, or the closure says so.
    pub fn rewrite(&mut self, position: usize, change: impl FnOnce(&mut Value) -> bool) -> bool {
        let Some(place) = self.place(position) else { return false };
        let item = &mut self.items[place];
        if !change(&mut item.sound) {
            return false;
        }
        (item.shown, item.harm) = (item.sound.clone(), None);
        self.touch(place);
        true
    }

    /// What [`Account::change`](crate::Account::change) asks for, as far as it concerns items. False if such items know
    /// no such change, or there is none at the position; then nothing happened.
    pub fn change(&mut self, change: &Change) -> bool {
        match *change {
            Change::Add => {
                let hour_ago = self.now - Duration::from_secs(3_600);
                let newest = self.items().next_back().map(|item| item.at + Duration::from_secs(1));
                self.add(newest.unwrap_or(hour_ago).max(hour_ago));
            }
            Change::AddLate(ago) => _ = self.add(self.now - ago),
            Change::Edit(position) => {
                let Some(place) = self.place(position) else { return false };
                let mut edited = self.items[place].sound.clone();
                return self.kind.edit(&mut edited)
                    && self.rewrite(position, |item| {
                        *item = edited;
                        true
                    });
            }
            Change::Delete { from, count } => {
                let places: Vec<usize> =
                    (from..from.saturating_add(count)).map_while(|p| self.place(p)).collect();
                if places.len() < count {
                    return false;
                }
                for place in places {
                    self.items[place].gone = true;
                    self.touch(place);
                }
            }
            Change::Poison(position) => return self.harm(position, Harm::Spoiled),
            Change::TakeId(position) => return self.harm(position, Harm::Unnamed),
            Change::Heal => {
                for place in 0..self.items.len() {
                    if self.items[place].harm.take().is_some() {
                        self.items[place].shown = self.items[place].sound.clone();
                        self.touch(place);
                    }
                }
            }
            _ => return false,
        }
        true
    }

    /// What a client should have of it.
    pub fn facts(&self, stream: &str, partition: &str) -> Vec<Fact> {
        let fact = |item: &Shelved| {
            let mut fact = Fact::new(stream, self.kind.id(&item.sound), self.kind.records(&item.sound));
            fact.partition = partition.to_owned();
            match item.harm {
                Some(Harm::Spoiled) => fact.records = None,
                Some(Harm::Unnamed) => (fact.id, fact.records) = (None, None),
                None => {}
            }
            fact
        };
        self.items().map(fact).collect()
    }

    fn harm(&mut self, position: usize, harm: Harm) -> bool {
        let Some(place) = self.place(position) else { return false };
        let mut shown = self.items[place].sound.clone();
        let done = match harm {
            Harm::Spoiled => self.kind.spoil(&mut shown),
            Harm::Unnamed => self.kind.unname(&mut shown),
        };
        if done {
            (self.items[place].shown, self.items[place].harm) = (shown, Some(harm));
            self.touch(place);
        }
        done
    }

    fn touch(&mut self, place: usize) {
        self.revision += 1;
        self.items[place].revision = self.revision;
    }

    /// Where the item at a position is, counted from the newest that is there.
    fn place(&self, position: usize) -> Option<usize> {
        let there = self.items.iter().enumerate().rev().filter(|(_, item)| !item.gone);
        there.map(|(place, _)| place).nth(position)
    }
}

/// The instants of a setup's items, oldest first, the newest within the last hours: exactly as many as it asks for, or as
/// so many a week give over all of its days; so many of them as it wants share one, in the middle.
pub fn instants(setup: &Setup, a_week: f64) -> Vec<Timestamp> {
    let days = f64::from(setup.days.max(1));
    let count = setup.items.unwrap_or((days * a_week / 7.0) as usize).max(1);
    let ties = setup.ties.min(count);
    let mut dice = Seeded::new(setup.seed).fork(0x5e1f);
    let span_s = days * DAY.as_secs_f64() - 7_200.0;
    let step_s = span_s / count as f64;
    let start = setup.now - Duration::from_secs_f64(span_s + 3_600.0);
    let at = |place: usize, dice: &mut Seeded| {
        let into_s = (place as f64 + dice.fraction(0.0, 0.9)) * step_s;
        Timestamp::from_seconds((start + Duration::from_secs_f64(into_s)).as_seconds())
    };
    let mut instants: Vec<Timestamp> = (0..count).map(|place| at(place, &mut dice)).collect();
    let first = (count - ties) / 2;
    let tie = instants.get(first).copied();
    for instant in instants.iter_mut().skip(first).take(ties) {
        *instant = tie.unwrap_or(*instant);
    }
    instants
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    struct Notes;

    impl Kind for Notes {
        fn make(&self, number: u64, _: Timestamp, _: Seeded) -> Value {
            json!({ "id": number, "edits": 0 })
        }
        fn id(&self, item: &Value) -> String {
            item["id"].to_string()
        }
        fn records(&self, item: &Value) -> Vec<Value> {
            vec![item.clone()]
        }
        fn edit(&self, item: &mut Value) -> bool {
            item["edits"] = json!(item["edits"].as_i64().unwrap_or(0) + 1);
            true
        }
        fn spoil(&self, item: &mut Value) -> bool {
            item["edits"] = json!("none");
            true
        }
    }

    fn setup() -> Setup {
        Setup::new(7, Timestamp::from_seconds(1_773_144_000)).days(20).items(40)
    }

    #[test]
    fn instants_ascend_up_to_the_last_hours_and_tie_in_the_middle() {
        let at = instants(&setup().ties(10), 1.0);
        assert!(at.len() == 40 && at.is_sorted());
        assert!(at[15..25].iter().all(|instant| *instant == at[15]) && at[14] < at[15] && at[25] > at[15]);
        assert!(at[39] < setup().now && setup().now.since(at[39]) < DAY);
        assert!(setup().now.since(at[0]) < 20 * DAY);
    }

    #[test]
    fn changes_are_told_in_their_order() {
        let mut shelf = Shelf::stocked(Notes, &setup(), 1.0);
        let start = shelf.revision();
        assert!(shelf.change(&Change::Edit(3)) && shelf.change(&Change::Delete { from: 0, count: 1 }));
        assert!(shelf.change(&Change::Poison(0)) && !shelf.change(&Change::TakeId(0)));
        assert!(!shelf.change(&Change::Edit(39)) && !shelf.change(&Change::Delete { from: 38, count: 2 }));
        let told: Vec<_> = shelf.since(start).map(|item| (item.number, item.gone)).collect();
        assert_eq!(told, [(37, false), (40, true), (39, false)]);
        let facts = shelf.facts("notes", "");
        assert_eq!((facts.len(), facts[38].records.is_none()), (39, true));
        assert!(shelf.change(&Change::Heal) && shelf.facts("notes", "")[38].records.is_some());
        assert_eq!(shelf.items().nth(36).unwrap().shown["edits"], 1);
    }
}

//! The athlete's account: what is in it, and what happens to it.

use std::collections::HashSet;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use lifehub_core::clock::Timestamp;
use lifehub_testkit::{Bytes, Fact, Place, Seeded};
use serde_json::{Map, Value, json};

use super::activity::{draft_at, settle};
use super::calendar::drafts;
use super::listing::{Listed, Query, page};
use super::options::WorldOptions;
use super::poison::Poison;
use super::truth::{Truth, fact};

/// A made-up athlete's account up to an instant. Clones are handles of the same world.
#[derive(Debug, Clone)]
pub struct World(Arc<Mutex<State>>);

struct State {
    seed: u64,
    now: Timestamp,
    options: WorldOptions,
    /// Sorted by start and id.
    entries: Vec<Entry>,
    next_id: i64,
}

impl fmt::Debug for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "World(seed {}, {} activities)", self.seed, self.entries.len())
    }
}

#[derive(Debug)]
struct Entry {
    start_s: i64,
    id: i64,
    /// Where its clock hangs.
    place: Place,
    only_me: bool,
    /// Its JSON before any harm.
    sound: Bytes,
    /// Its JSON as the list shows it.
    shown: Bytes,
    poison: Option<Poison>,
}

impl Entry {
    fn new(start_s: i64, id: i64, place: Place, body: Bytes) -> Self {
        let mut entry = Self {
            start_s,
            id,
            place,
            only_me: false,
            sound: Bytes::new(),
            shown: Bytes::new(),
            poison: None,
        };
        entry.write(body, None);
        entry
    }

    /// Takes a new content, and the harm done to it.
    fn write(&mut self, sound: Bytes, poison: Option<Poison>) {
        let members = object(&sound);
        self.only_me = members.get("private") == Some(&Value::Bool(true));
        let broken = poison.map(|poison| poison.applied(members).to_string().into());
        self.shown = broken.unwrap_or_else(|| sound.clone());
        (self.sound, self.poison) = (sound, poison);
    }

    fn start(&self) -> Timestamp {
        Timestamp::from_seconds(self.start_s)
    }
}

impl Listed for Entry {
    fn start_s(&self) -> i64 {
        self.start_s
    }

    fn only_me(&self) -> bool {
        self.only_me
    }

    fn json(&self) -> &Bytes {
        &self.shown
    }
}

impl World {
    /// Two years up to the day before `now`. The same arguments give the same bytes.
    pub fn seeded(seed: u64, now: Timestamp, options: WorldOptions) -> Self {
        let mut drafts = drafts(seed, now, options.days, options.activities);
        let ties = options.ties.min(drafts.len());
        let first = (drafts.len() - ties) / 2;
        if let Some(moment) = drafts.get(first).map(|draft| (draft.start, draft.place)) {
            for draft in drafts.iter_mut().skip(first).take(ties) {
                (draft.start, draft.place) = moment;
            }
        }
        let mut state = State {
            seed,
            now,
            entries: Vec::with_capacity(drafts.len()),
            next_id: if options.large_ids { 9_007_199_254_740_993 } else { 10_000_000_001 },
            options,
        };
        // Ids follow the order of uploads, and one upload in fifty is up to ten days late.
        let mut dice = Seeded::new(seed).fork(3);
        let mut uploads: Vec<_> = drafts
            .iter()
            .map(|draft| {
                let late_s = if dice.chance(0.02) { dice.whole(86_400, 864_000) } else { 7_200 };
                (draft.start.as_seconds() + late_s, draft)
            })
            .collect();
        uploads.sort_by_key(|(uploaded, _)| *uploaded);
        for (_, draft) in uploads {
            let id = state.new_id(dice.whole(1, 18));
            let body = settle(seed, draft, id, state.options.polyline_bytes);
            state.entries.push(Entry::new(draft.start.as_seconds(), id, draft.place, body));
        }
        state.entries.sort_by_key(|entry| (entry.start_s, entry.id));
        Self(Arc::new(Mutex::new(state)))
    }

    /// The instant at which the world stands.
    pub fn now(&self) -> Timestamp {
        self.state().now
    }

    /// What it was made from.
    pub(super) fn seed(&self) -> u64 {
        self.state().seed
    }

    /// What a client should have after it has read everything, oldest first.
    pub fn truth(&self) -> Vec<Truth> {
        let truth = |entry: &Entry| Truth {
            id: entry.id,
            start: entry.start(),
            body: entry.shown.clone(),
            poison: entry.poison,
        };
        self.state().seen().map(truth).collect()
    }

    /// The same as the records that a connector should make of it.
    pub(super) fn facts(&self) -> Vec<Fact> {
        let told = |entry: &Entry| match entry.poison {
            Some(poison) if !poison.spoils() => object(&entry.shown),
            _ => object(&entry.sound),
        };
        let fact = |entry: &Entry| {
            fact(entry.id, entry.start(), entry.place, &Value::Object(told(entry)), entry.poison)
        };
        self.state().seen().map(fact).collect()
    }

    /// Uploads a run that began at `start`, however long ago, with these members instead of drawn ones (`json!({})`
    /// for none). Gives its id, which is the highest so far.
    ///
    /// # Panics
    /// If `members` is no object.
    pub fn add(&self, start: Timestamp, members: Value) -> i64 {
        let mut state = self.state();
        let id = state.new_id(1);
        let draft = draft_at(start, u64::MAX - id.unsigned_abs());
        let body = settle(state.seed, &draft, id, state.options.polyline_bytes);
        let public = json!({ "private": false, "visibility": "followers_only" });
        let body = merged(&merged(&body, public), members);
        state.insert(Entry::new(draft.start.as_seconds(), id, draft.place, body));
        id
    }

    /// Replaces members: `json!({ "name": "Tempo", "distance": 5000.0, "sport_type": "TrailRun" })`. A new
    /// `start_date` moves it in the list. What is broken stays broken.
    ///
    /// # Panics
    /// If there is no such activity, or `members` is no object.
    pub fn edit(&self, id: i64, members: Value) {
        self.state().replace(id, members);
    }

    /// Replaces members of the activity at that position, counted from the newest, by what its sound JSON says. False if
    /// the list is shorter.
    pub(super) fn rewrite(&self, position: usize, members: impl FnOnce(&Value) -> Value) -> bool {
        let mut state = self.state();
        let found = state.seen().rev().nth(position).map(|entry| (entry.id, object(&entry.sound)));
        let Some((id, sound)) = found else { return false };
        state.replace(id, members(&Value::Object(sound)));
        true
    }

    /// Makes an activity visible to "Only You". A token without `activity:read_all` does not see it any more.
    ///
    /// # Panics
    /// If there is no such activity.
    pub fn make_private(&self, id: i64) {
        self.state().replace(id, json!({ "private": true, "visibility": "only_me" }));
    }

    /// Deletes activities.
    ///
    /// # Panics
    /// If one of them is not there.
    pub fn delete(&self, ids: impl IntoIterator<Item = i64>) {
        let mut state = self.state();
        let gone: HashSet<i64> = ids.into_iter().collect();
        let before = state.entries.len();
        state.entries.retain(|entry| !gone.contains(&entry.id));
        assert_eq!(before - state.entries.len(), gone.len(), "to delete: {gone:?}");
    }

    /// Breaks the activity at that position, counted from the newest, which is 0. Gives its id. What was broken before
    /// is broken in the new way alone.
    ///
    /// # Panics
    /// If the list is shorter.
    pub fn poison(&self, position: usize, poison: Poison) -> i64 {
        let mut state = self.state();
        let id = state.seen().rev().nth(position).map(|entry| entry.id);
        assert!(id.is_some(), "no position {position}");
        let entry = state.entry(id.unwrap_or_default());
        entry.write(entry.sound.clone(), Some(poison));
        entry.id
    }

    /// Undoes [`World::poison`].
    ///
    /// # Panics
    /// If there is no such activity, or nothing to undo.
    pub fn heal(&self, id: i64) {
        let mut state = self.state();
        let entry = state.entry(id);
        assert!(entry.poison.is_some(), "activity {id} is not poisoned");
        entry.write(entry.sound.clone(), None);
    }

    pub(super) fn list(&self, query: &Query) -> Bytes {
        page(&self.state().entries, query)
    }

    /// Whether the token of the account's owner sees what is visible to "Only You".
    pub(super) fn shows_private(&self) -> bool {
        self.state().options.sees_private
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// What the token of the account's owner sees.
    fn seen(&self) -> impl DoubleEndedIterator<Item = &Entry> {
        self.entries.iter().filter(|entry| self.options.sees_private || !entry.only_me)
    }

    /// The next id, an even step further, so that all are odd.
    fn new_id(&mut self, half_step: i64) -> i64 {
        let id = self.next_id;
        self.next_id += 2 * half_step;
        id
    }

    fn entry(&mut self, id: i64) -> &mut Entry {
        let found = self.entries.iter().position(|entry| entry.id == id);
        assert!(found.is_some(), "there is no activity {id}");
        &mut self.entries[found.unwrap_or_default()]
    }

    fn insert(&mut self, entry: Entry) {
        let key = (entry.start_s, entry.id);
        let place = self.entries.partition_point(|other| (other.start_s, other.id) < key);
        self.entries.insert(place, entry);
    }

    fn replace(&mut self, id: i64, members: Value) {
        let entry = self.entry(id);
        let body = merged(&entry.sound, members);
        let start = object(&body).get("start_date").and_then(Value::as_str).and_then(|t| t.parse().ok());
        let start_s = start.map_or(entry.start_s, Timestamp::as_seconds);
        let mut renewed = Entry::new(start_s, id, entry.place, body);
        renewed.write(renewed.sound.clone(), entry.poison);
        self.entries.retain(|entry| entry.id != id);
        self.insert(renewed);
    }
}

fn object(body: &Bytes) -> Map<String, Value> {
    serde_json::from_slice(body).unwrap_or_default()
}

fn merged(body: &Bytes, members: Value) -> Bytes {
    let Value::Object(members) = members else { panic!("members are an object, not {members}") };
    let mut whole = object(body);
    whole.extend(members);
    Value::Object(whole).to_string().into()
}

//! The athlete's account: what is in it, and what happens to it.

use std::collections::HashSet;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use lifehub_core::clock::Timestamp;
use lifehub_testkit::{Bytes, Seeded};
use serde_json::{Map, Value, json};

use super::activity::{Settled, draft_at, settle};
use super::calendar::drafts;
use super::listing::{Listed, Query, page};
use super::options::WorldOptions;
use super::poison::Poison;
use super::truth::{Change, Truth};

/// A made-up athlete's account up to an instant. Clones are handles of the same world.
#[derive(Debug, Clone)]
pub struct World(Arc<Mutex<State>>);

struct State {
    seed: u64,
    now: Timestamp,
    options: WorldOptions,
    /// Sorted by start and id; only what the token may see.
    entries: Vec<Entry>,
    next_id: i64,
    changes: Vec<Change>,
    hooks: Vec<(u64, Hook)>,
}

type Hook = Box<dyn FnOnce(&World) + Send>;

impl fmt::Debug for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "World(seed {}, {} activities)", self.seed, self.entries.len())
    }
}

#[derive(Debug)]
struct Entry {
    start_s: i64,
    id: i64,
    body: Bytes,
    /// The harm done to it, and its body before that.
    poison: Option<(Poison, Bytes)>,
}

impl Listed for Entry {
    fn start_s(&self) -> i64 {
        self.start_s
    }

    fn json(&self) -> &Bytes {
        &self.body
    }
}

impl World {
    /// Two years up to the day before `now`. The same arguments give the same bytes.
    pub fn seeded(seed: u64, now: Timestamp, options: WorldOptions) -> Self {
        let mut drafts = drafts(seed, now, options.activities);
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
            changes: Vec::new(),
            hooks: Vec::new(),
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
            let settled = settle(seed, draft, id, state.options.polyline_bytes);
            if state.options.sees_private || !settled.only_me {
                let start_s = draft.start.as_seconds();
                state.entries.push(Entry { start_s, id, body: settled.body, poison: None });
            }
        }
        state.entries.sort_by_key(|entry| (entry.start_s, entry.id));
        Self(Arc::new(Mutex::new(state)))
    }

    /// The instant at which the world stands.
    pub fn now(&self) -> Timestamp {
        self.state().now
    }

    /// What a client should have after it has read everything, oldest first.
    pub fn truth(&self) -> Vec<Truth> {
        let truth = |entry: &Entry| Truth {
            id: entry.id,
            start: Timestamp::from_seconds(entry.start_s),
            body: entry.body.clone(),
            poison: entry.poison.as_ref().map(|(poison, _)| *poison),
        };
        self.state().entries.iter().map(truth).collect()
    }

    /// Everything that was done to the world, in order.
    pub fn changes(&self) -> Vec<Change> {
        self.state().changes.clone()
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
        let Settled { body, .. } = settle(state.seed, &draft, id, state.options.polyline_bytes);
        let public = json!({ "private": false, "visibility": "followers_only" });
        let body = merged(&merged(&body, public), members);
        state.insert(Entry { start_s: draft.start.as_seconds(), id, body, poison: None });
        state.changes.push(Change::Added(id));
        id
    }

    /// Replaces members: `json!({ "name": "Tempo", "distance": 5000.0, "sport_type": "TrailRun" })`. A new
    /// `start_date` moves it in the list.
    ///
    /// # Panics
    /// If there is no such activity, it is poisoned, or `members` is no object.
    pub fn edit(&self, id: i64, members: Value) {
        let mut state = self.state();
        state.replace(id, members);
        state.changes.push(Change::Edited(id));
    }

    /// Makes an activity visible to "Only You". A token without `activity:read_all` does not see it any more.
    ///
    /// # Panics
    /// If there is no such activity, or it is poisoned.
    pub fn make_private(&self, id: i64) {
        let mut state = self.state();
        state.replace(id, json!({ "private": true, "visibility": "only_me" }));
        if !state.options.sees_private {
            state.entries.retain(|entry| entry.id != id);
        }
        state.changes.push(Change::MadePrivate(id));
    }

    /// Deletes activities.
    ///
    /// # Panics
    /// If one of them is not there.
    pub fn delete(&self, ids: impl IntoIterator<Item = i64>) {
        let mut state = self.state();
        let ids: Vec<i64> = ids.into_iter().collect();
        let gone: HashSet<i64> = ids.iter().copied().collect();
        let before = state.entries.len();
        state.entries.retain(|entry| !gone.contains(&entry.id));
        assert_eq!(before - state.entries.len(), gone.len(), "to delete: {ids:?}");
        state.changes.extend(ids.into_iter().map(Change::Deleted));
    }

    /// Breaks the activity at that position, counted from the newest, which is 0. Gives its id.
    ///
    /// # Panics
    /// If the list is shorter, or the activity is broken already.
    pub fn poison(&self, position: usize, poison: Poison) -> i64 {
        let mut state = self.state();
        let length = state.entries.len();
        assert!(position < length, "no position {position} among {length}");
        let entry = &mut state.entries[length - 1 - position];
        assert!(entry.poison.is_none(), "activity {} is poisoned already", entry.id);
        let broken = poison.applied(object(&entry.body)).to_string().into();
        entry.poison = Some((poison, std::mem::replace(&mut entry.body, broken)));
        let id = entry.id;
        state.changes.push(Change::Poisoned(id, poison));
        id
    }

    /// Undoes [`World::poison`].
    ///
    /// # Panics
    /// If there is no such activity, or nothing to undo.
    pub fn heal(&self, id: i64) {
        let mut state = self.state();
        let sound = state.entry(id).poison.take().map(|(_, sound)| sound);
        assert!(sound.is_some(), "activity {id} is not poisoned");
        state.entry(id).body = sound.unwrap_or_default();
        state.changes.push(Change::Healed(id));
    }

    /// Does something once, right after page `page` of a list is next answered: what happens while a client walks.
    pub fn after_page(&self, page: u64, change: impl FnOnce(&World) + Send + 'static) {
        self.state().hooks.push((page, Box::new(change)));
    }

    pub(super) fn list(&self, query: &Query) -> Bytes {
        page(&self.state().entries, query)
    }

    pub(super) fn page_served(&self, page: u64) {
        let mut state = self.state();
        let (due, later) = std::mem::take(&mut state.hooks).into_iter().partition(|(at, _)| *at == page);
        state.hooks = later;
        drop(state);
        // Without the lock: each of them changes the world through its public face.
        let due: Vec<(u64, Hook)> = due;
        due.into_iter().for_each(|(_, hook)| hook(self));
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
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
        assert!(entry.poison.is_none(), "activity {id} is poisoned: heal it first");
        let body = merged(&entry.body, members);
        let start = object(&body).get("start_date").and_then(Value::as_str).and_then(|t| t.parse().ok());
        let start_s = start.map_or(entry.start_s, Timestamp::as_seconds);
        self.entries.retain(|entry| entry.id != id);
        self.insert(Entry { start_s, id, body, poison: None });
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

//! The account: its shelves, what of them was told to whom when, and what happens to it.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use lifehub_core::clock::{Day, Offset, Timestamp};
use lifehub_testkit::{Change, Fact, Kind, Setup, Shelf, Shelved};
use serde_json::{Value, json};

use super::answer::MOST;
use super::kinds::{Entries, Favourites, Playlists, Plays, Saved};
use super::music;

const RANGES: [&str; 3] = ["short_term", "medium_term", "long_term"];

#[derive(Debug, Clone)]
pub(super) struct World {
    /// The stream in which changes happen.
    stream: String,
    now: Timestamp,
    pub(super) plays: Shelf<Plays>,
    pub(super) saved: Shelf<Saved>,
    pub(super) playlists: Shelf<Playlists>,
    /// By the number of their playlist.
    pub(super) entries: BTreeMap<u64, Shelf<Entries>>,
    /// Three of tracks, three of artists.
    tops: Vec<Shelf<Favourites>>,
    /// The numbers of the plays that somebody was shown while they were kept.
    heard: BTreeSet<u64>,
    /// The favourites that were told, each on its day, by stream and id.
    told: BTreeMap<(&'static str, String), Fact>,
}

impl World {
    pub(super) fn seeded(setup: &Setup) -> Self {
        // Where changes are to happen in one stream, nobody counts the items of the others.
        let stream = |name: &str| {
            let few = |count: usize| {
                if setup.stream.is_empty() || setup.stream == name { count } else { count.min(6) }
            };
            setup.items.map_or_else(|| setup.clone(), |count| setup.clone().items(few(count)))
        };
        // Each playlist that is open costs its reader requests: with a number of items, there are as few as can be.
        let (library, own) = match stream("playlists").items {
            Some(count) if setup.stream.is_empty() => (count.min(6), 2),
            Some(count) => (count, 2),
            None => (20, 8),
        };
        let mut world = Self {
            stream: setup.stream.clone(),
            now: setup.now,
            plays: Shelf::stocked(Plays, &stream("recently_played"), 14.0),
            saved: Shelf::stocked(Saved, &stream("saved_tracks"), 3.0),
            playlists: shelf(Playlists { own }, library, setup),
            entries: BTreeMap::new(),
            tops: Vec::new(),
            heard: BTreeSet::new(),
            told: BTreeMap::new(),
        };
        let items = stream("playlist_items").items;
        for number in (1..=library as u64).filter(|number| world.playlists.kind().opens(*number)) {
            let kind = Entries { playlist: music::id(6, number) };
            let second = items.map(|count| count.min(12) / 4);
            let entries = match items.zip(second) {
                Some((all, second)) => shelf(kind, if number == 1 { all - second } else { second }, setup),
                // An album that was put in at once, and some of it twice.
                None => Shelf::stocked(kind, &setup.clone().ties(14), if number == 1 { 2.0 } else { 0.4 }),
            };
            world.entries.insert(number, entries);
        }
        for place in 0..6 {
            let kind = Favourites { tracks: place < 3, range: RANGES[place % 3] };
            let third = |count: usize| ((count + 2 - place % 3) / 3).min(MOST);
            let count = stream(kind.stream()).items.map_or(MOST, third);
            world.tops.push(shelf(kind, count, setup));
        }
        world
    }

    /// Whether the stream in which changes happen has no links to further pages.
    pub(super) fn is_one_page(&self) -> bool {
        self.stream.starts_with("top_")
    }

    /// The plays that are kept, the newest first.
    pub(super) fn kept(&self) -> impl Iterator<Item = &Shelved> {
        self.plays.items().rev().take(MOST)
    }

    /// Notes that somebody was shown these plays.
    pub(super) fn hear(&mut self, numbers: impl IntoIterator<Item = u64>) {
        self.heard.extend(numbers);
    }

    /// The playlists as the list shows them, the newest first.
    pub(super) fn library(&self) -> Vec<Value> {
        self.playlists.items().rev().map(|playlist| self.listed(playlist)).collect()
    }

    fn listed(&self, playlist: &Shelved) -> Value {
        let mut shown = playlist.shown.clone();
        let revision = playlist.revision + self.entries.get(&playlist.number).map_or(0, Shelf::revision);
        shown["snapshot_id"] = json!(format!("AAAA{:04}Made{revision:08}", playlist.number));
        shown["items"]["total"] = json!(self.total(playlist.number));
        shown
    }

    fn total(&self, playlist: u64) -> usize {
        self.entries.get(&playlist).map_or(40 + playlist as usize, |shelf| shelf.items().count())
    }

    fn playlist_facts(&self) -> Vec<Fact> {
        let mut facts = self.playlists.facts("playlists", "");
        for (playlist, fact) in self.playlists.items().zip(&mut facts) {
            for record in fact.records.iter_mut().flatten() {
                record["body"]["fields"]["items"] = json!(self.total(playlist.number));
            }
        }
        facts
    }

    /// The favourites of one kind and range, as far as they are shown.
    pub(super) fn favourites(&self, tracks: bool, range: &str) -> Option<Vec<Value>> {
        let shelf = self.top(tracks, range)?;
        Some(shelf.items().take(MOST).map(|item| item.shown.clone()).collect())
    }

    fn top(&self, tracks: bool, range: &str) -> Option<&Shelf<Favourites>> {
        self.tops.iter().find(|shelf| shelf.kind().tracks == tracks && shelf.kind().range == range)
    }

    /// Notes that favourites were told on a day.
    pub(super) fn tell_favourites(&mut self, tracks: bool, range: &str, at: Timestamp) {
        let Some(shelf) = self.top(tracks, range) else { return };
        let (stream, facts) = (shelf.kind().stream(), top_facts(shelf, at.day_at(Offset::UTC)));
        self.told.extend(facts.into_iter().map(|(id, fact)| ((stream, id), fact)));
    }

    /// The playlist of that id, if it is in the library, and whether the user is let in.
    pub(super) fn playlist(&self, id: &str) -> Option<(u64, bool)> {
        let number = self.playlists.items().find(|item| music::id(6, item.number) == id)?.number;
        Some((number, self.entries.contains_key(&number)))
    }

    pub(super) fn truth(&self) -> Vec<Fact> {
        let kept: BTreeSet<u64> = self.kept().map(|play| play.number).collect();
        let numbered =
            self.plays.items().map(|play| play.number).zip(self.plays.facts("recently_played", ""));
        let plays = numbered.filter(|(number, _)| kept.contains(number) || self.heard.contains(number));
        let mut truth: Vec<Fact> = plays.map(|(_, fact)| fact).collect();
        truth.extend(self.saved.facts("saved_tracks", ""));
        truth.extend(self.entries.values().flat_map(entry_facts));
        truth.extend(self.playlist_facts());
        for stream in ["top_tracks", "top_artists"] {
            let told = self.told.iter().filter(|((of, _), _)| *of == stream);
            let told: Vec<Fact> = told.map(|(_, fact)| fact.clone()).collect();
            truth.extend(if told.is_empty() { self.foretold(stream) } else { told });
        }
        truth
    }

    /// What would be told of favourites if somebody asked.
    fn foretold(&self, stream: &str) -> Vec<Fact> {
        let shelves = self.tops.iter().filter(|shelf| shelf.kind().stream() == stream);
        let facts = shelves.flat_map(|shelf| top_facts(shelf, self.now.day_at(Offset::UTC)));
        facts.map(|(_, fact)| fact).collect()
    }

    /// Whatever may happen to one item of the stream in which changes happen. Spotify's history is not edited and
    /// nothing goes from it; plays surface late, and whoever saves a track may say when it was, but nothing else bears an
    /// instant of the past; a favourite stays a fact of its day, though it is none the day after.
    pub(super) fn change(&mut self, change: &Change) -> bool {
        use Change::{AddLate, Delete, Edit, TakeId};
        match self.stream.as_str() {
            "" | "recently_played" => !matches!(change, Edit(_) | Delete { .. }) && self.plays.change(change),
            "saved_tracks" => self.saved.change(change),
            "playlists" => !matches!(change, AddLate(_)) && self.playlists.change(change),
            "playlist_items" => {
                let first = self.entries.get_mut(&1);
                !matches!(change, AddLate(_)) && first.is_some_and(|shelf| shelf.change(change))
            }
            "top_tracks" | "top_artists" => {
                let place = if self.stream == "top_tracks" { 0 } else { 3 };
                !matches!(change, AddLate(_) | Delete { .. } | TakeId(_)) && self.tops[place].change(change)
            }
            _ => false,
        }
    }
}

/// A shelf of exactly so many items, none included.
fn shelf<K: Kind>(kind: K, count: usize, setup: &Setup) -> Shelf<K> {
    match count {
        0 => Shelf::empty(kind, setup.seed, setup.now),
        _ => Shelf::stocked(kind, &setup.clone().items(count), 1.0),
    }
}

/// What stands in a playlist, with what tells each entry from its like before it. What is gone from Spotify, or was
/// added nobody knows when, is no fact.
fn entry_facts(shelf: &Shelf<Entries>) -> Vec<Fact> {
    let mut before: HashMap<String, usize> = HashMap::new();
    let mut facts = shelf.facts("playlist_items", &shelf.kind().playlist);
    for id in facts.iter_mut().filter_map(|fact| fact.id.as_mut()) {
        let like = before.entry(id.clone()).or_default();
        if *like > 0 {
            id.push_str(&format!("|{like}"));
        }
        *like += 1;
    }
    facts.retain(|fact| fact.records.as_ref().is_none_or(|records| !records.is_empty()));
    facts
}

/// Favourites with their places, by which they are known on a day.
fn top_facts(shelf: &Shelf<Favourites>, day: Day) -> Vec<(String, Fact)> {
    let Favourites { tracks, range } = *shelf.kind();
    let kind = if tracks { "tracks" } else { "artists" };
    let ranked = shelf.facts(shelf.kind().stream(), "").into_iter().take(MOST).zip(1..);
    let told = ranked.map(|(mut fact, rank)| {
        let id = format!("{kind}:{range}:{day}:{rank}");
        fact.id = Some(id.clone());
        for record in fact.records.iter_mut().flatten() {
            record["day"] = json!(day.to_string());
            record["body"]["fields"]["rank"] = json!(rank);
        }
        (id, fact)
    });
    told.collect()
}

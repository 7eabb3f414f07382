//! What lies on the shelves of the account, and the records that stand for it.

use lifehub_core::clock::Timestamp;
use lifehub_testkit::{Kind, Seeded, date_time};
use serde_json::{Value, json};

use super::music::{artist, episode, id, local_file, track, user};

/// The user's id, which owns playlists. Another thing than the id of the account.
pub(super) const ME: &str = "31samplelistener";

/// Somebody whom the user follows.
const FRIEND: &str = "31sampleneighbour";

fn set(item: &mut Value, pointer: &str, value: Value) -> bool {
    item.pointer_mut(pointer).map(|place| *place = value).is_some()
}

fn remove(item: &mut Value, pointer: &str, name: &str) -> bool {
    let object = item.pointer_mut(pointer).and_then(Value::as_object_mut);
    object.is_some_and(|object| object.remove(name).is_some())
}

/// Gives something another name each time.
fn rename(item: &mut Value, pointer: &str) -> bool {
    let Some(name) = item.pointer(pointer).and_then(Value::as_str) else { return false };
    let name = format!("{name} (take two)");
    set(item, pointer, json!(name))
}

/// An instant in Unix milliseconds. Where it names none, they follow from its second, so that ties stay ties.
pub(super) fn millis(at: Timestamp) -> i64 {
    match at.as_micros().rem_euclid(1_000_000) / 1_000 {
        0 => at.as_seconds() * 1_000 + at.as_seconds().wrapping_mul(7_919).rem_euclid(1_000),
        _ => at.as_micros() / 1_000,
    }
}

/// As Spotify writes an instant of its history.
fn with_millis(at: Timestamp) -> String {
    let millis = millis(at);
    format!("{}.{:03}Z", date_time(millis.div_euclid(1_000)), millis.rem_euclid(1_000))
}

fn without_millis(at: Timestamp) -> String {
    format!("{}Z", date_time(at.as_seconds()))
}

/// The same instant as records have it, without zeros that say nothing.
fn instant(text: &Value) -> Value {
    let text = text.as_str().unwrap_or_default().trim_end_matches('Z');
    match text.split_once('.') {
        Some((seconds, fraction)) if fraction.trim_end_matches('0').is_empty() => {
            json!(format!("{seconds}Z"))
        }
        Some((seconds, fraction)) => json!(format!("{seconds}.{}Z", fraction.trim_end_matches('0'))),
        None => json!(format!("{text}Z")),
    }
}

fn at_instant(dataset: &str, at: &Value, body: Value) -> Vec<Value> {
    let start = instant(at);
    // Spotify tells no zone: what day it was is the user's to say, and the suite's user lives in UTC.
    let day = start.as_str().and_then(|text| text.get(..10)).unwrap_or_default();
    vec![json!({
        "dataset": dataset, "key": "", "start": start, "end": null, "zone": null, "day": day, "body": body,
    })]
}

/// A fact of a whole day.
fn on_day(day: &str, body: Value) -> Vec<Value> {
    vec![json!({
        "dataset": "custom", "key": "", "start": null, "end": null, "zone": null, "day": day, "body": body,
    })]
}

fn names(list: &Value) -> Vec<&Value> {
    let all = list.as_array().into_iter().flatten().map(|one| &one["name"]);
    all.filter(|name| name.as_str().is_some_and(|name| !name.is_empty())).collect()
}

/// What is known of a track.
fn track_fields(track: &Value) -> Value {
    let mut fields = json!({
        "track": track["name"], "uri": track["uri"], "duration_ms": track["duration_ms"],
        "isrc": track["external_ids"]["isrc"], "url": track["external_urls"]["spotify"],
        "show": track["show"]["name"],
    });
    if let Some(artists) = Some(names(&track["artists"])).filter(|names| !names.is_empty()) {
        fields["artists"] = json!(artists);
    }
    if track["album"]["name"] != "" {
        fields["album"] = track["album"]["name"].clone();
    }
    fields
}

/// The history. Forty favourites make a third of it.
#[derive(Debug, Clone)]
pub(super) struct Plays;

impl Kind for Plays {
    fn make(&self, number: u64, at: Timestamp, mut dice: Seeded) -> Value {
        let track = track(if number.is_multiple_of(3) { number / 3 % 40 } else { 40 + number % 360 });
        let playlist = id(6, 1);
        let context = json!({
            "type": "playlist", "href": format!("https://api.spotify.com/v1/playlists/{playlist}"),
            "external_urls": {}, "uri": format!("spotify:playlist:{playlist}"),
        });
        let context = if dice.chance(0.6) { context } else { Value::Null };
        json!({ "track": track, "played_at": with_millis(at), "context": context })
    }

    fn id(&self, item: &Value) -> String {
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        format!("{}|{}", text(&item["played_at"]), text(&item["track"]["uri"]))
    }

    fn records(&self, item: &Value) -> Vec<Value> {
        let track = &item["track"];
        let body = json!({
            "track": track["name"], "artists": names(&track["artists"]), "album": track["album"]["name"],
            "duration_ms": track["duration_ms"], "isrc": track["external_ids"]["isrc"],
            "url": track["external_urls"]["spotify"],
        });
        at_instant("play", &item["played_at"], body)
    }

    fn spoil(&self, item: &mut Value) -> bool {
        set(item, "/track/name", Value::Null)
    }

    fn unname(&self, item: &mut Value) -> bool {
        remove(item, "/track", "uri")
    }
}

/// Liked songs. No track is liked twice.
#[derive(Debug, Clone)]
pub(super) struct Saved;

impl Kind for Saved {
    fn make(&self, number: u64, at: Timestamp, _: Seeded) -> Value {
        json!({ "added_at": without_millis(at), "track": track(number) })
    }

    fn id(&self, item: &Value) -> String {
        item["track"]["uri"].as_str().unwrap_or_default().to_owned()
    }

    fn records(&self, item: &Value) -> Vec<Value> {
        let body = json!({ "schema": "saved_track", "fields": track_fields(&item["track"]) });
        at_instant("custom", &item["added_at"], body)
    }

    fn edit(&self, item: &mut Value) -> bool {
        rename(item, "/track/name")
    }

    fn spoil(&self, item: &mut Value) -> bool {
        set(item, "/track/name", Value::Null)
    }

    fn unname(&self, item: &mut Value) -> bool {
        remove(item, "/track", "uri")
    }
}

/// The playlists of the library: own ones, some that several people work on, and followed ones.
#[derive(Debug, Clone)]
pub(super) struct Playlists {
    /// Up to this number they are the user's own, but for the second and third, which are a friend's.
    pub(super) own: u64,
}

impl Playlists {
    /// Whether the user is let in: to their own, and to the second, on which they work.
    pub(super) fn opens(&self, number: u64) -> bool {
        number <= self.own && number != 3
    }
}

impl Kind for Playlists {
    fn make(&self, number: u64, _: Timestamp, mut dice: Seeded) -> Value {
        let (id, shared) = (id(6, number), number == 2 || number == 3);
        let mut owner = user(if number <= self.own && !shared { ME } else { FRIEND });
        // Not every user has a name.
        owner["display_name"] = if owner["id"] == ME { json!("Sample Listener") } else { Value::Null };
        json!({
            "collaborative": shared, "description": if dice.chance(0.3) { "Made & kept" } else { "" },
            "external_urls": { "spotify": format!("https://open.spotify.com/playlist/{id}") },
            "href": format!("https://api.spotify.com/v1/playlists/{id}"), "id": id, "images": [],
            "name": format!("Evening set {number}"), "owner": owner, "public": !shared && dice.chance(0.5),
            "snapshot_id": "", "items": { "href": format!("https://api.spotify.com/v1/playlists/{id}/items") },
            "primary_color": null, "type": "playlist", "uri": format!("spotify:playlist:{id}"),
        })
    }

    fn id(&self, item: &Value) -> String {
        item["id"].as_str().unwrap_or_default().to_owned()
    }

    fn records(&self, item: &Value) -> Vec<Value> {
        let owner = &item["owner"];
        let owner = if owner["display_name"].is_null() { &owner["id"] } else { &owner["display_name"] };
        let mut fields = json!({
            "playlist": item["id"], "name": item["name"], "owner": owner, "public": item["public"],
            "collaborative": item["collaborative"], "url": item["external_urls"]["spotify"], "items": null,
        });
        if item["description"] != "" {
            fields["description"] = item["description"].clone();
        }
        // It bears no instant, so it stands on the first of all days.
        on_day("1970-01-01", json!({ "schema": "playlist", "fields": fields }))
    }

    fn edit(&self, item: &mut Value) -> bool {
        rename(item, "/name")
    }

    fn spoil(&self, item: &mut Value) -> bool {
        set(item, "/name", Value::Null)
    }

    fn unname(&self, item: &mut Value) -> bool {
        remove(item, "", "id")
    }
}

/// What is in one playlist. The first four have seen much; after that each fifth is the track before it once more.
#[derive(Debug, Clone)]
pub(super) struct Entries {
    pub(super) playlist: String,
}

impl Kind for Entries {
    fn make(&self, number: u64, at: Timestamp, _: Seeded) -> Value {
        let item = match number {
            1 => Value::Null,
            3 => local_file(),
            4 => episode(number),
            _ => track(if number.is_multiple_of(5) { number + 6 } else { number + 7 }),
        };
        let added_at = if number > 2 { json!(without_millis(at)) } else { Value::Null };
        let added_by =
            if number > 2 { user(if number.is_multiple_of(4) { FRIEND } else { ME }) } else { Value::Null };
        json!({
            "added_at": added_at, "added_by": added_by, "is_local": number == 3, "item": item, "primary_color": null,
        })
    }

    /// Without what tells it from its like, which depends on what stands before it.
    fn id(&self, item: &Value) -> String {
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        format!("{}|{}", text(&item["added_at"]), text(&item["item"]["uri"]))
    }

    fn records(&self, item: &Value) -> Vec<Value> {
        if item["added_at"].is_null() || item["item"].is_null() {
            return Vec::new();
        }
        let mut fields = track_fields(&item["item"]);
        fields["playlist"] = json!(self.playlist);
        fields["added_by"] = item["added_by"]["id"].clone();
        at_instant("custom", &item["added_at"], json!({ "schema": "playlist_entry", "fields": fields }))
    }

    fn edit(&self, item: &mut Value) -> bool {
        rename(item, "/item/name")
    }

    fn spoil(&self, item: &mut Value) -> bool {
        set(item, "/item/name", Value::Null)
    }

    fn unname(&self, item: &mut Value) -> bool {
        remove(item, "/item", "uri")
    }
}

/// Favourites over one range of time, the first first.
#[derive(Debug, Clone)]
pub(super) struct Favourites {
    /// Tracks, or else artists.
    pub(super) tracks: bool,
    pub(super) range: &'static str,
}

impl Favourites {
    pub(super) fn stream(&self) -> &'static str {
        if self.tracks { "top_tracks" } else { "top_artists" }
    }
}

impl Kind for Favourites {
    fn make(&self, number: u64, _: Timestamp, _: Seeded) -> Value {
        let turn = number + 3 * self.range.len() as u64;
        if self.tracks { track(turn) } else { artist(turn) }
    }

    /// They are known by their place alone.
    fn id(&self, _: &Value) -> String {
        String::new()
    }

    fn records(&self, item: &Value) -> Vec<Value> {
        let (schema, mut fields) = if self.tracks {
            ("top_track", track_fields(item))
        } else {
            let url = &item["external_urls"]["spotify"];
            ("top_artist", json!({ "artist": item["name"], "uri": item["uri"], "url": url }))
        };
        fields["time_range"] = json!(self.range);
        fields["rank"] = Value::Null;
        // Of which day it is, and its place, are said when it is told.
        on_day("", json!({ "schema": schema, "fields": fields }))
    }

    /// Another one takes its place.
    fn edit(&self, item: &mut Value) -> bool {
        let turn = item["name"].as_str().map_or(0, |name| 100 + name.len() as u64);
        let other = if self.tracks { track(turn) } else { artist(turn) };
        let changed = other["uri"] != item["uri"];
        *item = other;
        changed || rename(item, "/name")
    }

    fn spoil(&self, item: &mut Value) -> bool {
        set(item, "/name", Value::Null)
    }
}

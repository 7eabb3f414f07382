//! A made-up catalogue of music, and the pieces of Spotify's JSON that show it.

use std::sync::LazyLock;

use lifehub_testkit::Seeded;
use serde_json::{Value, json};

/// How many tracks there are.
pub(super) const TRACKS: u64 = 400;

const ALBUMS: u64 = 80;
const ARTISTS: u64 = 64;

const FIRST: [&str; 8] =
    ["Paper", "Quiet", "Northern", "Hollow", "Copper", "Second", "Salt & \"Pepper\"", "Łódź"];
const LAST: [&str; 10] =
    ["Lanterns", "Engine", "Harbour", "Weather", "Index", "Gardens", "Radio", "Signals", "Ciné", "Maps 🗺"];

/// Twenty-two digits and letters, the same for the same thing.
pub(super) fn id(kind: u64, number: u64) -> String {
    const LETTERS: &[u8] = b"0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
    let mut dice = Seeded::new(kind).fork(number);
    (0..22).filter_map(|_| dice.pick(LETTERS).map(|letter| char::from(*letter))).collect()
}

fn title(number: u64, salt: u64) -> String {
    let mut dice = Seeded::new(salt).fork(number);
    let mut word = |words: &'static [&'static str]| dice.pick(words).copied().unwrap_or_default();
    format!("{} {}", word(&FIRST), word(&LAST))
}

/// Something as it stands inside of something else. Addresses and pictures are left out there: they make half of an
/// answer, and nobody reads them.
fn named(kind: &str, id: &str, name: &str) -> Value {
    json!({ "id": id, "name": name, "type": kind, "uri": format!("spotify:{kind}:{id}") })
}

/// The same by itself, with its addresses.
fn whole(kind: &str, id: &str, name: &str) -> Value {
    let addresses = json!({
        "external_urls": { "spotify": format!("https://open.spotify.com/{kind}/{id}") },
        "href": format!("https://api.spotify.com/v1/{kind}s/{id}"),
    });
    with(named(kind, id, name), addresses)
}

fn with(mut object: Value, members: Value) -> Value {
    if let (Some(object), Value::Object(members)) = (object.as_object_mut(), members) {
        object.extend(members);
    }
    object
}

fn artist_name(number: u64) -> (String, String) {
    let number = number % ARTISTS;
    (id(1, number), format!("The {}", title(number, 11)))
}

/// An artist without what Spotify took away from apps in development mode.
pub(super) fn artist(number: u64) -> Value {
    let (id, name) = artist_name(number);
    with(whole("artist", &id, &name), json!({ "images": [] }))
}

fn inner_artist(number: u64) -> Value {
    let (id, name) = artist_name(number);
    named("artist", &id, &name)
}

fn album(number: u64) -> Value {
    with(
        named("album", &id(2, number), &title(number, 12)),
        json!({
            "album_type": "album", "total_tracks": TRACKS / ALBUMS, "artists": [inner_artist(number)], "images": [],
            "release_date": format!("{}", 1971 + number % 55), "release_date_precision": "year",
        }),
    )
}

/// A track. They are made once: a suite makes thousands of accounts of them.
pub(super) fn track(number: u64) -> Value {
    static ALL: LazyLock<Vec<Value>> = LazyLock::new(|| (0..TRACKS).map(made).collect());
    ALL[(number % TRACKS) as usize].clone()
}

fn made(number: u64) -> Value {
    let (of_album, place) = (number % ALBUMS, number / ALBUMS + 1);
    let mut dice = Seeded::new(13).fork(number);
    let mut artists = vec![inner_artist(of_album)];
    if dice.chance(0.15) {
        artists.push(inner_artist(of_album + 1));
    }
    let codes = if dice.chance(0.9) { json!({ "isrc": format!("ZZXYZ{number:07}") }) } else { json!({}) };
    with(
        whole("track", &id(3, number), &title(number, 14)),
        json!({
            "album": album(of_album), "artists": artists, "disc_number": 1, "track_number": place,
            "duration_ms": dice.whole(95_000, 420_000), "explicit": dice.chance(0.1), "external_ids": codes,
            "is_local": false,
        }),
    )
}

/// An episode of a podcast, as it may stand in a playlist.
pub(super) fn episode(number: u64) -> Value {
    let show = with(named("show", &id(4, 1), "Made-up hour"), json!({ "publisher": "Example Radio" }));
    let name = format!("Episode {number}");
    let episode = whole("episode", &id(5, number), &name);
    with(
        episode,
        json!({ "show": show, "duration_ms": 1_800_000 + number, "explicit": false, "description": "" }),
    )
}

/// A file of the user's own, of which Spotify knows what its tags say.
pub(super) fn local_file() -> Value {
    json!({
        "album": { "id": null, "name": "", "type": "album", "uri": null, "artists": [], "images": [] },
        "artists": [{ "id": null, "name": "", "type": "artist", "uri": null, "external_urls": {} }],
        "duration_ms": 61_000, "explicit": false, "external_ids": {}, "external_urls": {}, "href": null, "id": null,
        "is_local": true, "name": "Rehearsal", "type": "track", "uri": "spotify:local:::Rehearsal:61",
    })
}

/// A user as the owner of playlists and of what is in them.
pub(super) fn user(id: &str) -> Value {
    json!({
        "external_urls": { "spotify": format!("https://open.spotify.com/user/{id}") },
        "href": format!("https://api.spotify.com/v1/users/{id}"), "id": id, "type": "user",
        "uri": format!("spotify:user:{id}"),
    })
}

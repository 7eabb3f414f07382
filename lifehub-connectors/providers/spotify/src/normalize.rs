//! Spotify's objects as records. Their instants end in a constant `Z`, which tells nothing of where the user was.

use lifehub_core::prelude::*;
use serde::de::IgnoredAny;

/// Makes the play of an entry of the history. `played_at` is the start in some reports and the end in others: it is taken
/// as it is. The duration is that of the whole track.
pub(crate) fn play(item: &RawItem) -> Records {
    let fields = Fields::of(item)?;
    let play = Play {
        track: fields.need("track.name")?,
        artists: artists(&fields, "track")?,
        album: fields.text("track.album.name")?,
        duration_ms: fields.get("track.duration_ms")?,
        isrc: fields.text("track.external_ids.isrc")?,
        url: fields.text("track.external_urls.spotify")?,
    };
    Ok(vec![Record::new(When::At(fields.need("played_at")?), &play)?])
}

/// Makes the fact that a track was saved.
pub(crate) fn saved_track(item: &RawItem) -> Records {
    let fields = Fields::of(item)?;
    let saved = track(&fields, "track", "saved_track")?;
    Ok(vec![Record::new(When::At(fields.need("added_at")?), &saved)?])
}

/// Makes the record of a playlist, which is of no day.
pub(crate) fn playlist(item: &RawItem) -> Records {
    // Of two members under one name the later counts, if it is there.
    const MEMBERS: [(&str, &str); 8] = [
        ("description", "description"),
        // Not everyone has a name.
        ("owner.id", "owner"),
        ("owner.display_name", "owner"),
        ("collaborative", "collaborative"),
        ("public", "public"),
        ("external_urls.spotify", "url"),
        // The name before February 2026.
        ("tracks.total", "items"),
        ("items.total", "items"),
    ];
    let fields = Fields::of(item)?;
    let (id, name): (String, String) = (fields.need("id")?, fields.need("name")?);
    let playlist = fields.custom("playlist", &MEMBERS)?.with("playlist", Some(id)).with("name", Some(name));
    Ok(vec![Record::new(When::Day(Day::from_number(0)), &playlist)?])
}

/// Makes the fact that something was put into a playlist. What is not there any more, or was added nobody knows when
/// (very old playlists), is none.
pub(crate) fn playlist_entry(item: &RawItem) -> Records {
    let fields = Fields::of(item)?;
    let there = |path| Ok::<_, Reject>(fields.get::<IgnoredAny>(path)?.map(|_| path));
    // The second is the name before February 2026.
    let path = there("entry.item")?.or(there("entry.track")?);
    let (Some(path), Some(added_at)) = (path, fields.get("entry.added_at")?) else { return Ok(vec![]) };
    let entry = track(&fields, path, "playlist_entry")?
        .with("playlist", fields.text("playlist")?)
        .with("added_by", fields.text("entry.added_by.id")?);
    Ok(vec![Record::new(When::At(added_at), &entry)?])
}

/// Makes the rank of a track on a day.
pub(crate) fn top_track(item: &RawItem) -> Records {
    let fields = Fields::of(item)?;
    ranked(&fields, track(&fields, "item", "top_track")?)
}

/// Makes the rank of an artist on a day.
pub(crate) fn top_artist(item: &RawItem) -> Records {
    let fields = Fields::of(item)?;
    let artist = fields.custom("top_artist", &[("item.external_urls.spotify", "url")])?;
    let (name, uri): (String, String) = (fields.need("item.name")?, fields.need("item.uri")?);
    ranked(&fields, artist.with("artist", Some(name)).with("uri", Some(uri)))
}

fn ranked(fields: &Fields<'_>, fact: Custom) -> Records {
    let (range, rank): (String, f64) = (fields.need("time_range")?, fields.need("rank")?);
    let fact = fact.with("time_range", Some(range)).with("rank", Some(rank));
    Ok(vec![Record::new(When::Day(fields.need("day")?), &fact)?])
}

/// What is known of a track, of a local file or, in playlists, of an episode of a podcast.
fn track(fields: &Fields<'_>, path: &str, schema: &str) -> Result<Custom, Reject> {
    const MEMBERS: [(&str, &str); 5] = [
        ("album.name", "album"),
        ("show.name", "show"),
        ("duration_ms", "duration_ms"),
        ("external_ids.isrc", "isrc"),
        ("external_urls.spotify", "url"),
    ];
    let mut fact = Custom { schema: schema.to_owned(), ..Custom::default() };
    for (from, name) in [("name", "track"), ("uri", "uri")] {
        fact = fact.with(name, Some(fields.need::<String>(&format!("{path}.{from}"))?));
    }
    for (from, name) in MEMBERS {
        fact = fact.with(name, fields.get::<CustomValue>(&format!("{path}.{from}"))?);
    }
    Ok(fact.with("artists", Some(artists(fields, path)?)))
}

/// The names of a track's artists. Those of a local file may be empty.
fn artists(fields: &Fields<'_>, path: &str) -> Result<Vec<String>, Reject> {
    let artists = fields.list(&format!("{path}.artists"))?;
    artists.iter().filter_map(|artist| artist.text("name").transpose()).collect()
}

//! Spotify's objects as records. Their instants end in a constant `Z`, which tells nothing of where the user was.

use lifehub_core::prelude::*;

/// Makes the play of an entry of the history. `played_at` is the start in some reports and the end in others: it is taken
/// as it is. The duration is that of the whole track.
pub(crate) fn play(item: &RawItem) -> Records {
    let fields = Fields::of(item)?;
    let track = fields.inner("track")?.ok_or_else(|| Reject::new("`track` is missing"))?;
    let play = Play {
        track: track.need("name")?,
        artists: artists(&track)?,
        album: track.text("album.name")?,
        duration_ms: track.get("duration_ms")?,
        isrc: track.text("external_ids.isrc")?,
        url: track.text("external_urls.spotify")?,
    };
    Ok(vec![Record::new(When::At(fields.need("played_at")?), &play)?])
}

/// Makes the fact that a track was saved.
pub(crate) fn saved_track(item: &RawItem) -> Records {
    let fields = Fields::of(item)?;
    let saved = fields.inner("track")?.ok_or_else(|| Reject::new("`track` is missing"))?;
    Ok(vec![Record::new(When::At(fields.need("added_at")?), &track(&saved, "saved_track")?)?])
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
    // The second is the name before February 2026.
    let added = fields.inner("item")?.or(fields.inner("track")?);
    let (Some(added), Some(added_at)) = (added, fields.get("added_at")?) else { return Ok(vec![]) };
    let entry = track(&added, "playlist_entry")?
        .with("playlist", fields.text("_playlist")?)
        .with("added_by", fields.text("added_by.id")?);
    Ok(vec![Record::new(When::At(added_at), &entry)?])
}

/// Makes the rank of a track on a day.
pub(crate) fn top_track(item: &RawItem) -> Records {
    let fields = Fields::of(item)?;
    ranked(&fields, track(&fields, "top_track")?)
}

/// Makes the rank of an artist on a day.
pub(crate) fn top_artist(item: &RawItem) -> Records {
    let fields = Fields::of(item)?;
    let artist = fields.custom("top_artist", &[("external_urls.spotify", "url")])?;
    let (name, uri): (String, String) = (fields.need("name")?, fields.need("uri")?);
    ranked(&fields, artist.with("artist", Some(name)).with("uri", Some(uri)))
}

fn ranked(fields: &Fields<'_>, fact: Custom) -> Records {
    let (range, rank): (String, f64) = (fields.need("_time_range")?, fields.need("_rank")?);
    let fact = fact.with("time_range", Some(range)).with("rank", Some(rank));
    Ok(vec![Record::new(When::Day(fields.need("_day")?), &fact)?])
}

/// What is known of a track, of a local file or, in playlists, of an episode of a podcast.
fn track(track: &Fields<'_>, schema: &str) -> Result<Custom, Reject> {
    const MEMBERS: [(&str, &str); 5] = [
        ("album.name", "album"),
        ("show.name", "show"),
        ("duration_ms", "duration_ms"),
        ("external_ids.isrc", "isrc"),
        ("external_urls.spotify", "url"),
    ];
    let (name, uri): (String, String) = (track.need("name")?, track.need("uri")?);
    let fact = track.custom(schema, &MEMBERS)?.with("track", Some(name)).with("uri", Some(uri));
    Ok(fact.with("artists", Some(artists(track)?)))
}

/// The names of a track's artists. Those of a local file may be empty.
fn artists(track: &Fields<'_>) -> Result<Vec<String>, Reject> {
    track.list("artists")?.iter().filter_map(|artist| artist.text("name").transpose()).collect()
}

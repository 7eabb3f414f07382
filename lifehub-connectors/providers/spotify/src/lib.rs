//! Spotify: what one listener plays, saves and likes best, and the playlists they keep.
//!
//! Facts are from Spotify's documentation (<https://developer.spotify.com/documentation/web-api>); see the README for
//! what is read, the limits, and the quirks.

mod list;
mod normalize;
mod playlists;
mod refusal;
#[cfg(feature = "simulator")]
pub mod simulator;

use lifehub_core::prelude::*;
use serde::{Deserialize, Serialize};

use list::List;

/// Reads Spotify.
#[derive(Debug)]
pub struct Spotify;

static MANIFEST: LazyLock<Manifest> = LazyLock::new(|| Manifest {
    id: "spotify",
    title: "Spotify",
    about: "Plays, saved tracks, playlists and favourites of one listener",
    docs: "https://developer.spotify.com/documentation/web-api",
    base_url: "https://api.spotify.com/v1",
    origins: &[],
    auth: Auth::oauth2(OAUTH),
    // Spotify names no figures. It counts over half a minute for each app, and over longer for each developer: users
    // tell of locks for most of a day after 800 calls and more.
    quotas: vec![
        QuotaSpec::sliding("half-minute", QuotaScope::App, 30, Duration::from_secs(30)).burst(10),
        QuotaSpec::fixed("day", QuotaScope::App, 600, DAY),
    ],
    streams: streams(),
    settings: no_settings(),
    terms: Terms {
        attribution: Some("Music data from Spotify"),
        ..Terms::owner_only("https://developer.spotify.com/terms")
    },
});

/// Spotify's consent (<https://developer.spotify.com/documentation/web-api/tutorials/code-flow>). It ends six months
/// after the user gave it, however often the tokens were renewed: there is no life that renewing them would prolong.
const OAUTH: OAuthSpec =
    OAuthSpec::new("https://accounts.spotify.com/authorize", "https://accounts.spotify.com/api/token")
        .scopes(&[
            "user-read-recently-played",
            "user-library-read",
            "playlist-read-private",
            "playlist-read-collaborative",
            "user-top-read",
        ])
        .consent_life(DAY.saturating_mul(180));

/// None of these lists tells what changed, so all but the plays are read whole, and that not often. Favourites are facts of
/// the day on which they were asked for: twice a day, so that no day goes without.
fn streams() -> Vec<StreamSpec> {
    vec![
        StreamSpec::incremental("recently_played", "Plays", &["play"], normalize::play)
            // No more than the last 50 are kept: at half a minute each, those of 25 minutes.
            .interval(Duration::from_secs(25 * 60))
            .scopes(&["user-read-recently-played"]),
        StreamSpec::snapshot("saved_tracks", "Saved tracks", &["custom"], normalize::saved_track)
            .absence(Absence::MeansGoneIfConfirmed)
            .interval(DAY)
            .scopes(&["user-library-read"]),
        StreamSpec::snapshot("playlists", "Playlists", &["custom"], normalize::playlist)
            .absence(Absence::MeansGoneIfConfirmed)
            .interval(DAY / 2)
            .scopes(&["playlist-read-private"]),
        StreamSpec::snapshot("playlist_items", "Tracks in playlists", &["custom"], normalize::playlist_entry)
            .absence(Absence::MeansGoneIfConfirmed)
            .interval(DAY)
            .scopes(&["playlist-read-private"]),
        StreamSpec::snapshot("top_tracks", "Top tracks", &["custom"], normalize::top_track)
            .interval(DAY / 2)
            .scopes(&["user-top-read"]),
        StreamSpec::snapshot("top_artists", "Top artists", &["custom"], normalize::top_artist)
            .interval(DAY / 2)
            .scopes(&["user-top-read"]),
    ]
}

/// A track's name for machines; a local file has no other.
const TRACK: &str = "track.uri";

/// The last plays, all that there are. Nothing says that one was taken back.
async fn plays(cx: &Context<'_>) -> Result<Page> {
    // Further back there are empty pages alone: what `next` leads to is not asked for.
    let list = List::first(cx.get("/me/player/recently-played")).await?;
    let key = |play: &Fields<'_>| {
        // With its milliseconds: a second may hold two plays.
        let (played_at, uri): (String, String) = (play.need("played_at")?, play.need(TRACK)?);
        Ok(ItemKey::new(format!("{played_at}|{uri}")))
    };
    let items = list.items.into_iter().map(|body| Item::read(body, key)).collect();
    Ok(Page { items, next: go_on(None::<PagePath>, Coverage::Nothing)? })
}

/// A page of a list that every pass reads whole, followed ones of others included; `id` is the path to an entry's id.
async fn whole(cx: &Context<'_>, path: &str, cursor: Option<&Cursor>, id: &str) -> Result<Page> {
    let list = List::at(cx, &resume(cursor)?, cx.get(path)).await?;
    let read = |body| Item::read(body, |entry| Ok(ItemKey::new(entry.id(id)?)));
    let items = list.items.into_iter().map(read).collect();
    Ok(Page { items, next: go_on(list.next, Coverage::Whole)? })
}

/// Over which time favourites are counted: about four weeks, six months, a year.
const RANGES: [&str; 3] = ["short_term", "medium_term", "long_term"];

/// At which of the ranges a walk through favourites stands.
#[derive(Default, Serialize, Deserialize)]
struct Range {
    range: usize,
}

/// What the user likes best over one range a page, as it stands today.
async fn top(cx: &Context<'_>, kind: &str, cursor: Option<&Cursor>) -> Result<Page> {
    let Range { range } = resume(cursor)?;
    let expired = || Error::new(ErrorKind::CursorExpired, "there are fewer ranges of favourites");
    let time_range = *RANGES.get(range).ok_or_else(expired)?;
    let list = List::first(cx.get("/me/top").segment(kind).query("time_range", time_range)).await?;
    if list.time_range.as_ref().is_some_and(|other| other != time_range) {
        // Nothing else in it would tell.
        let text = format!("Spotify gives favourites of another time than {time_range}");
        return Err(Error::new(ErrorKind::InvalidResponse, text).hint("the next sync asks again"));
    }
    let day = list.day;
    let ranked = list.items.into_iter().zip(1_u32..).map(|(item, rank)| {
        let body = item.with("_rank", rank).with("_time_range", time_range).with("_day", day.to_string());
        Item::Put(RawItem { id: format!("{kind}:{time_range}:{day}:{rank}"), at: None, version: None, body })
    });
    let items = ranked.collect();
    let next = Some(range + 1).filter(|next| *next < RANGES.len()).map(|range| Range { range });
    Ok(Page { items, next: go_on(next, Coverage::Nothing)? })
}

#[async_trait]
impl Connector for Spotify {
    fn manifest(&self) -> &Manifest {
        &MANIFEST
    }

    async fn identify(&self, cx: &Context<'_>) -> Result<Identity> {
        // Immutable, for account linking; `id` is not.
        cx.get("/me").parse(|me| Identity::of(me, "account_id", "display_name")).await
    }

    async fn partitions(&self, cx: &Context<'_>, stream: &str) -> Result<Vec<Partition>> {
        match stream {
            "playlist_items" => playlists::readable(cx).await,
            _ => Ok(vec![Partition::only()]),
        }
    }

    async fn fetch_page(&self, cx: &Context<'_>, at: Place<'_>, cursor: Option<&Cursor>) -> Result<Page> {
        match at.stream {
            "recently_played" => plays(cx).await,
            "saved_tracks" => whole(cx, "/me/tracks", cursor, TRACK).await,
            "playlists" => whole(cx, "/me/playlists", cursor, "id").await,
            "playlist_items" => playlists::entries(cx, at.partition, cursor).await,
            "top_tracks" => top(cx, "tracks", cursor).await,
            "top_artists" => top(cx, "artists", cursor).await,
            _ => Err(at.unknown()),
        }
    }

    fn classify(&self) -> Option<Classify> {
        Some(refusal::read)
    }
}

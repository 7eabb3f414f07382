//! A simulated Spotify: profile, history, library, playlists and favourites of one made-up listener, for an app in
//! development mode, and the way to its consent.
//!
//! It keeps to what Spotify's documentation says and to what clients have seen, also where they would like it
//! otherwise: the history ends after fifty plays whatever the cursor, entries of playlists have no id, what the user
//! neither owns nor works on is refused, and so is a user whom the app's owner did not name, in bare text.
//!
//! ```
//! use lifehub_testkit::{Account, Probe, Server, Setup};
//!
//! let now = "2026-08-10T12:00:00Z".parse()?;
//! let simulator = lifehub_spotify::simulator::SpotifySimulator::seeded(&Setup::new(1, now));
//! let server = Server::start(simulator.clone())?;
//! let access = simulator.access(&server.url());
//! let token = access.credentials.get("access_token").ok_or("no token")?;
//! let url = format!("{}/v1/me/player/recently-played?limit=50", server.url());
//! let reply = Probe::get(url).bearer(token.expose()).send()?;
//! assert_eq!(reply.json()?["items"].as_array().map(Vec::len), Some(50));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod account;
mod answer;
mod fault;
mod kinds;
mod limits;
mod music;
mod oauth;
mod world;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use lifehub_core::clock::Timestamp;
use lifehub_testkit::oauth::{AuthorizationServer, Grant, Refused};
use lifehub_testkit::{Change, SimRequest, SimResponse, Simulator};
use serde_json::{Value, json};

pub use account::account;

use answer::{Paging, Played, page, shown};
use fault::{Refusal, unregistered};
use limits::Limits;
use world::World;

/// Spotify's API over the account of one listener. Clones share everything, so keep one to change settings while a
/// server runs.
#[derive(Debug, Clone)]
pub struct SpotifySimulator {
    oauth: AuthorizationServer,
    state: Arc<Mutex<State>>,
}

#[derive(Debug)]
struct State {
    seed: u64,
    world: World,
    paging: Paging,
    limits: Limits,
    old_names: bool,
    unregistered: bool,
}

impl SpotifySimulator {
    /// The part that asks the listener and issues tokens, to change its rules and to read what it was asked.
    pub fn oauth(&self) -> &AuthorizationServer {
        &self.oauth
    }

    /// So many calls in a rolling half minute, for all tokens together; `None` for any number.
    pub fn set_limit(&self, calls: Option<usize>) {
        self.state().limits.calls = calls;
    }

    /// The developer's quota is spent until then: everything is refused with a `Retry-After` of as many seconds.
    pub fn lock_until(&self, end: Timestamp) {
        self.state().limits.locked_until = Some(end);
    }

    /// Whether lists have their names from before February 2026, as apps with an extended quota still get them: `track`
    /// for `item`, `tracks` for `items`, and entries at `/playlists/{id}/tracks` too.
    pub fn set_old_names(&self, old: bool) {
        self.state().old_names = old;
    }

    /// Whether the app's owner has named this user.
    pub fn set_registered(&self, registered: bool) {
        self.state().unregistered = !registered;
    }

    /// Plays a track at that instant, to the millisecond. What it pushes out of the last fifty is gone.
    pub fn play(&self, at: Timestamp) {
        self.state().world.plays.add(at);
    }

    /// Puts a track to the end of the first playlist at that instant, or another one before it that bears an earlier.
    pub fn put_into_playlist(&self, at: Timestamp) {
        if let Some(shelf) = self.state().world.entries.get_mut(&1) {
            shelf.add(at);
        }
    }

    /// Takes the entry at that position, counted from the last, out of the first playlist. False if there is none.
    pub fn take_out_of_playlist(&self, position: usize) -> bool {
        let first = &mut self.state().world.entries;
        first.get_mut(&1).is_some_and(|shelf| shelf.change(&Change::Delete { from: position, count: 1 }))
    }

    /// Unfollows or deletes the playlist at that position, counted from the newest. False if there is none.
    pub fn drop_playlist(&self, position: usize) -> bool {
        self.state().world.playlists.change(&Change::Delete { from: position, count: 1 })
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Who asks, or why nobody may.
    fn grant(&self, request: &SimRequest) -> Result<Grant, Refusal> {
        self.oauth.check(request.bearer(), request.at).map_err(|refused| match refused {
            Refused::NoToken => Refusal::NO_TOKEN,
            Refused::ExpiredToken => Refusal::EXPIRED,
            _ => Refusal::UNKNOWN_TOKEN,
        })
    }
}

impl State {
    fn answer(&mut self, request: &SimRequest, grant: &Grant) -> Result<SimResponse, Refusal> {
        let needs = |scope| if grant.allows(scope) { Ok(()) } else { Err(Refusal::SCOPE) };
        let segments = request.segments();
        match (request.method.as_str(), segments.as_slice()) {
            ("GET", ["v1", "me"]) => Ok(SimResponse::json(200, &self.profile())),
            ("GET", ["v1", "me", "player", "recently-played"]) => {
                needs("user-read-recently-played")?;
                self.history(request)
            }
            ("GET", ["v1", "me", "tracks"]) => {
                needs("user-library-read")?;
                // The newest first.
                let items: Vec<Value> =
                    self.world.saved.items().rev().map(|item| item.shown.clone()).collect();
                let places = shown(request, &self.paging, items.len())?;
                page(request, &self.paging, places.clone(), items.len(), &items[places])
            }
            ("GET", ["v1", "me", "playlists"]) => {
                needs("playlist-read-private")?;
                let items = self.world.library();
                let places = shown(request, &self.paging, items.len())?;
                let some = items[places.clone()].iter().map(|item| self.named(item, "items", "tracks"));
                page(request, &self.paging, places, items.len(), &some.collect::<Vec<_>>())
            }
            ("GET", ["v1", "playlists", id, list @ ("items" | "tracks")]) => {
                needs("playlist-read-private")?;
                let (number, open) = self.world.playlist(id).ok_or(Refusal::NOT_FOUND)?;
                if !open || (*list == "tracks" && !self.old_names) {
                    return Err(Refusal::FORBIDDEN);
                }
                let shelf = self.world.entries.get(&number).ok_or(Refusal::NOT_FOUND)?;
                let total = shelf.items().count();
                let places = shown(request, &self.paging, total)?;
                let some = shelf.items().skip(places.start).take(places.len());
                let some = some.map(|entry| self.named(&entry.shown, "item", "track"));
                page(request, &self.paging, places, total, &some.collect::<Vec<_>>())
            }
            ("GET", ["v1", "me", "top", kind @ ("artists" | "tracks")]) => {
                needs("user-top-read")?;
                let range = request.query("time_range").unwrap_or("medium_term");
                let tracks = *kind == "tracks";
                let items = self.world.favourites(tracks, range).ok_or(Refusal::bad("Invalid time range"))?;
                self.world.tell_favourites(tracks, range, request.at);
                // Ranks are asked for all at once: fifty is all there are.
                let whole = Paging { most: None, ..self.paging.clone() };
                let places = shown(request, &whole, items.len())?;
                page(request, &whole, places.clone(), items.len(), &items[places])
            }
            _ => Err(Refusal::NOT_FOUND),
        }
    }

    /// What an app in development mode still gets.
    fn profile(&self) -> Value {
        let mut profile = music::user(kinds::ME);
        profile["account_id"] = json!(format!("acc_{}", &music::id(7, self.seed)[..16]));
        profile["display_name"] = json!("Sample Listener");
        profile["images"] = json!([]);
        profile
    }

    /// The last plays. A cursor moves in them, and leads to none that are older.
    fn history(&mut self, request: &SimRequest) -> Result<SimResponse, Refusal> {
        let asked = Played::read(request)?;
        let plays = self.world.kept().filter(|play| asked.holds(play.at)).take(asked.limit);
        let plays: Vec<_> = plays.map(|play| (play.number, (play.at, play.shown.clone()))).collect();
        let (numbers, plays): (Vec<u64>, Vec<_>) = plays.into_iter().unzip();
        self.world.hear(numbers);
        Ok(asked.page(request, &self.paging, &plays))
    }

    /// The item, with the name that a member had before February 2026 if such names are wanted.
    fn named(&self, item: &Value, new: &str, old: &str) -> Value {
        let mut item = item.clone();
        if let Some(members) = item.as_object_mut().filter(|_| self.old_names) {
            let value = members.remove(new).unwrap_or_default();
            members.insert(old.to_owned(), value);
        }
        item
    }
}

impl Simulator for SpotifySimulator {
    fn handle(&self, request: &SimRequest) -> SimResponse {
        if let Some(answer) = self.consents(request) {
            return answer;
        }
        let grant = match self.grant(request) {
            Ok(grant) => grant,
            Err(refusal) => return refusal.into(),
        };
        let mut state = self.state();
        if state.unregistered {
            return unregistered();
        }
        let answer = state.limits.admit(request.at).and_then(|()| state.answer(request, &grant));
        answer.unwrap_or_else(Into::into)
    }

    fn refusal(&self, status: u16) -> SimResponse {
        Refusal::of(status).into()
    }
}

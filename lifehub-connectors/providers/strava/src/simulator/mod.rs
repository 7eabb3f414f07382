//! A simulated Strava: `GET /api/v3/athlete` and `GET /api/v3/athlete/activities` of one made-up athlete, and the OAuth
//! routes through which an app comes to a token.
//!
//! It keeps to what Strava's documentation says and to what its real answers have been seen to hold, also where a
//! client would like it otherwise: bounds are strict, the order of a list depends on its filters, the list ends with
//! an empty page and not with a short one, local times carry a `Z` that is a lie.
//!
//! ```
//! use lifehub_strava::simulator::{StravaSimulator, World, WorldOptions};
//! use lifehub_testkit::{Probe, Server};
//!
//! let now = "2026-08-10T12:00:00Z".parse()?;
//! let world = World::seeded(1, now, WorldOptions::default());
//! let server = Server::start(StravaSimulator::new(world.clone()))?;
//! let url = format!("{}/api/v3/athlete/activities?per_page=1", server.url());
//! let reply = Probe::get(url).bearer(StravaSimulator::TOKEN).send()?;
//! let newest = world.truth().pop();
//! assert_eq!(reply.json()?[0]["id"].as_i64(), newest.map(|activity| activity.id));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod account;
mod activity;
mod athlete;
mod calendar;
mod fault;
mod limits;
mod listing;
mod oauth;
mod options;
mod poison;
mod polyline;
mod sport;
mod truth;
mod webhook;
mod world;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use lifehub_testkit::oauth::AuthorizationServer;
use lifehub_testkit::{SimRequest, SimResponse, Simulator};

pub use account::account;
pub use limits::{Limits, Usage};
pub use options::WorldOptions;
pub use poison::Poison;
pub use truth::Truth;
pub use webhook::Happening;
pub use world::World;

use fault::Refusal;
use limits::Counter;
use listing::{Paging, Query};

/// The id of the made-up athlete.
pub const ATHLETE_ID: i64 = 900_001_234;

/// Strava's API over a [`World`]. Clones share everything, so keep one to change settings while a server runs.
#[derive(Debug, Clone)]
pub struct StravaSimulator {
    world: World,
    oauth: AuthorizationServer,
    state: Arc<Mutex<State>>,
}

#[derive(Debug)]
struct State {
    /// The token that did not come from the token endpoint.
    token: String,
    paging: Paging,
    counter: Counter,
}

impl StravaSimulator {
    /// The access token that is good until another is set.
    pub const TOKEN: &'static str = "sample-access-token";

    /// With [`StravaSimulator::TOKEN`], [`Limits::default`] and full pages.
    pub fn new(world: World) -> Self {
        let counter = Counter::new(Some(Limits::default()));
        let state = State { token: String::new(), paging: Paging::default(), counter };
        let oauth = oauth::server(world.seed());
        let simulator = Self { world, oauth, state: Arc::new(Mutex::new(state)) };
        simulator.set_token(Self::TOKEN);
        simulator
    }

    /// The world that it shows.
    pub fn world(&self) -> &World {
        &self.world
    }

    /// Accepts this access token from now on, besides those that the token endpoint issues: the one before is as good
    /// as revoked. It never expires and sees what [`WorldOptions`] say.
    pub fn set_token(&self, token: &str) {
        let before = std::mem::replace(&mut self.state().token, token.to_owned());
        self.oauth.withdraw(&before);
        let sees = if self.world.shows_private() { "activity:read_all" } else { "activity:read" };
        self.oauth.admit(token, &["read", sees]);
    }

    /// The part that asks the athlete and issues tokens, to change its rules and to read what it was asked.
    pub fn oauth(&self) -> &AuthorizationServer {
        &self.oauth
    }

    /// Sets the rate limits, or switches limits and their headers off. What was used so far is forgotten.
    pub fn set_limits(&self, limits: Option<Limits>) {
        self.state().counter = Counter::new(limits);
    }

    /// What the windows of the last request have counted.
    pub fn usage(&self) -> Usage {
        self.state().counter.usage()
    }

    /// With short pages, every third page (the second, the fifth, …) has fewer items than were asked for although more
    /// follow. Nothing is left out.
    pub fn set_short_pages(&self, short: bool) {
        self.state().paging.short = short;
    }

    /// Gives at most so many items a page, at least one, however many are asked for; `None` for as many as are asked
    /// for. Pages are counted by what they hold, so that nothing is left out, and the list still ends with an empty
    /// one.
    pub fn set_page_limit(&self, items: Option<usize>) {
        self.state().paging.most = items.map(|items| u64::try_from(items).unwrap_or(u64::MAX));
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What the token of a request allows.
    fn rights(&self, request: &SimRequest) -> Option<Rights> {
        let grant = self.oauth.check(request.bearer(), request.at).ok()?;
        let private = grant.allows("activity:read_all");
        Some(Rights { activities: private || grant.allows("activity:read"), private })
    }

    fn answer(&self, request: &SimRequest, rights: &Rights) -> Result<SimResponse, Refusal> {
        match (request.method.as_str(), request.segments().as_slice()) {
            ("GET", ["api", "v3", "athlete"]) => Ok(SimResponse::json_text(200, athlete::DETAILED)),
            ("GET", ["api", "v3", "athlete", "activities"]) => {
                if !rights.activities {
                    return Err(Refusal::UNREADABLE);
                }
                let now = request.at.max(self.world.now());
                let paging = self.state().paging;
                let query = Query::read(request, now, paging, rights.private)?;
                Ok(SimResponse::json_text(200, self.world.list(&query)))
            }
            _ => Err(Refusal::NOT_FOUND),
        }
    }
}

/// What a token may read besides the athlete.
#[derive(Debug)]
struct Rights {
    activities: bool,
    /// What is visible to "Only You", too.
    private: bool,
}

impl Simulator for StravaSimulator {
    fn handle(&self, request: &SimRequest) -> SimResponse {
        if let Some(answer) = self.consents(request) {
            return answer;
        }
        let Some(rights) = self.rights(request) else {
            // Limits are counted per app, and nobody knows which app this is.
            return Refusal::UNAUTHORIZED.into();
        };
        let allowed = self.state().counter.count(request.at, request.method == "GET");
        let answer = if allowed { self.answer(request, &rights) } else { Err(Refusal::THROTTLED) };
        self.state().counter.headers(answer.unwrap_or_else(Into::into))
    }

    fn refusal(&self, status: u16) -> SimResponse {
        Refusal::of(status).into()
    }
}

//! A simulated Strava: `GET /api/v3/athlete` and `GET /api/v3/athlete/activities` of one made-up athlete.
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

mod activity;
mod calendar;
mod fault;
mod limits;
mod listing;
mod options;
mod poison;
mod polyline;
mod sport;
mod truth;
mod world;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use lifehub_testkit::{SimRequest, SimResponse, Simulator};

pub use limits::{Limits, Usage};
pub use options::WorldOptions;
pub use poison::Poison;
pub use truth::{Change, Truth};
pub use world::World;

use fault::Refusal;
use limits::Counter;
use listing::Query;

/// The id of the made-up athlete.
pub const ATHLETE_ID: i64 = 900_001_234;

/// Strava's API over a [`World`]. Clones share everything, so keep one to change settings while a server runs.
#[derive(Debug, Clone)]
pub struct StravaSimulator {
    world: World,
    state: Arc<Mutex<State>>,
}

#[derive(Debug)]
struct State {
    token: String,
    short_pages: bool,
    counter: Counter,
}

impl StravaSimulator {
    /// The access token that is good until another is set.
    pub const TOKEN: &'static str = "sample-access-token";

    /// With [`StravaSimulator::TOKEN`], [`Limits::default`] and full pages.
    pub fn new(world: World) -> Self {
        let counter = Counter::new(Some(Limits::default()));
        let state = State { token: Self::TOKEN.to_owned(), short_pages: false, counter };
        Self { world, state: Arc::new(Mutex::new(state)) }
    }

    /// The world that it shows.
    pub fn world(&self) -> &World {
        &self.world
    }

    /// Accepts this access token from now on, and no other: the one before is as good as revoked.
    pub fn set_token(&self, token: &str) {
        token.clone_into(&mut self.state().token);
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
        self.state().short_pages = short;
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn answer(&self, request: &SimRequest) -> Result<SimResponse, Refusal> {
        match (request.method.as_str(), request.segments().as_slice()) {
            ("GET", ["api", "v3", "athlete"]) => Ok(SimResponse::json_text(200, ATHLETE)),
            ("GET", ["api", "v3", "athlete", "activities"]) => {
                let now = request.at.max(self.world.now());
                let query = Query::read(request, now, self.state().short_pages)?;
                let body = self.world.list(&query);
                // The page is out: whatever a test planned for "between this page and the next" happens here.
                self.world.page_served(query.page);
                Ok(SimResponse::json_text(200, body))
            }
            _ => Err(Refusal::NOT_FOUND),
        }
    }
}

impl Simulator for StravaSimulator {
    fn handle(&self, request: &SimRequest) -> SimResponse {
        let known = request.bearer() == Some(self.state().token.as_str());
        if !known {
            // Limits are counted per app, and nobody knows which app this is.
            return Refusal::UNAUTHORIZED.into();
        }
        let allowed = self.state().counter.count(request.at, request.method == "GET");
        let answer = if allowed { self.answer(request) } else { Err(Refusal::THROTTLED) };
        self.state().counter.headers(answer.unwrap_or_else(Into::into))
    }

    fn refusal(&self, status: u16) -> SimResponse {
        Refusal::of(status).into()
    }
}

const ATHLETE: &str = r#"{"id":900001234,"username":"sample_athlete","resource_state":3,"firstname":"Sample","lastname":"Athlete","city":"","state":"","country":"","sex":"F","premium":true,"summit":true,"created_at":"2019-02-10T09:00:00Z","updated_at":"2026-08-01T08:00:00Z","weight":61.5,"follower_count":12,"friend_count":10,"measurement_preference":"meters","ftp":null,"clubs":[],"bikes":[{"id":"b800001","primary":true,"name":"Example Bike","resource_state":2,"retired":false,"distance":5120400,"converted_distance":5120.4}],"shoes":[{"id":"g900001","primary":true,"name":"Example Shoe","resource_state":2,"retired":false,"distance":412300,"converted_distance":412.3}]}"#;

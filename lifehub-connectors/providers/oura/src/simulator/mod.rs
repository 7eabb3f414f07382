//! A simulated Oura: `GET /v2/usercollection/…` of one made-up person, and the OAuth routes through which an app comes to
//! a token.
//!
//! It keeps to what Oura's documentation says and to what its clients have measured, also where they disagree with each
//! other: whether the end of a list belongs to it differs by collection, workouts are cut by days in UTC, and a token
//! without a scope is refused like one that has ended. Where nobody knows, it is as hard as it may be.
//!
//! ```
//! use lifehub_oura::simulator::OuraSimulator;
//! use lifehub_testkit::{Account, Probe, Server, Setup};
//!
//! let setup = Setup::new(1, "2026-08-10T12:00:00Z".parse()?);
//! let simulator = OuraSimulator::seeded(&setup);
//! let server = Server::start(simulator.clone())?;
//! let url = format!("{}/v2/usercollection/daily_sleep?start_date=2026-08-01&end_date=2026-08-09", server.url());
//! let token = simulator.access(&server.url()).credentials;
//! let token = token.get("access_token").map(|token| token.expose().to_owned()).unwrap_or_default();
//! let reply = Probe::get(url).bearer(&token).send()?;
//! assert!(reply.json()?["data"].as_array().is_some_and(|days| days.len() > 5));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod account;
mod calendar;
mod collection;
mod limits;
mod listing;
mod movement;
mod night;
mod noted;
mod oauth;

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use lifehub_core::clock::Timestamp;
use lifehub_testkit::oauth::{AuthorizationServer, Grant};
use lifehub_testkit::{Setup, Shelf, SimRequest, SimResponse, Simulator};
use serde_json::json;

pub use account::account;
pub use collection::Collection;
pub use limits::Limits;
pub use oauth::Portal;

use collection::Documents;
use limits::Counter;
use listing::Paging;

/// Oura's API for one account. Clones share everything, so keep one to change settings while a server runs.
#[derive(Debug, Clone)]
pub struct OuraSimulator {
    oauth: AuthorizationServer,
    state: Arc<Mutex<State>>,
}

struct State {
    seed: u64,
    now: Timestamp,
    days: u16,
    shelves: Vec<Shelf<Documents>>,
    /// The collection in which changes happen.
    changes: Collection,
    paging: Paging,
    counter: Counter,
    portal: Portal,
    is_member: bool,
    names_scopes: bool,
}

impl fmt::Debug for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("State").field("seed", &self.seed).field("days", &self.days).finish_non_exhaustive()
    }
}

impl OuraSimulator {
    /// The account that a setup asks for; what there is one of a day keeps to the calendar. Without a number of items,
    /// every collection has what a life of that many days gives, but for the heart rate: see [`Collection::HeartRate`].
    ///
    /// The access token that [`lifehub_testkit::Account::access`] hands over derives from the seed, `oura-sim-…-access`,
    /// and never expires. There are no rate limits until [`OuraSimulator::set_limits`] sets some: the clock of a suite
    /// stands still, and a demo must not wait.
    pub fn seeded(setup: &Setup) -> Self {
        let stream = |own: &Collection| own.stream() == setup.stream;
        let state = State {
            seed: setup.seed,
            now: setup.now,
            days: setup.days,
            shelves: Collection::ALL.map(|collection| calendar::stocked(collection, setup)).into(),
            changes: Collection::ALL.into_iter().find(stream).unwrap_or(Collection::Sleep),
            paging: Paging::new(setup.page),
            counter: Counter::new(None),
            portal: Portal::Old,
            is_member: true,
            names_scopes: true,
        };
        Self { oauth: oauth::server(setup.seed), state: Arc::new(Mutex::new(state)) }
    }

    /// The part that asks the person and issues tokens, to change its rules and to read what it was asked.
    pub fn oauth(&self) -> &AuthorizationServer {
        &self.oauth
    }

    /// Sets the rate limit, or ends it. What was used so far is forgotten.
    pub fn set_limits(&self, limits: Option<Limits>) {
        self.state().counter = Counter::new(limits);
    }

    /// Where the app is registered: it decides which token endpoint serves it.
    pub fn set_portal(&self, portal: Portal) {
        self.state().portal = portal;
    }

    /// Whether the person pays for Oura's membership. Without, there is no data.
    pub fn set_member(&self, is_member: bool) {
        self.state().is_member = is_member;
    }

    /// Whether the refusal of a token without a scope names that scope, as Oura's page on errors has it, or says no more
    /// than for a token that has ended, as its API description has it.
    pub fn set_names_scopes(&self, names: bool) {
        self.state().names_scopes = names;
    }

    /// Refuses lists of more days than these; `None` refuses none.
    pub fn set_longest(&self, days: Option<u16>) {
        self.state().paging.longest = days.map(i32::from);
    }

    /// Gives with every page of a list the token of its second page, so that it never ends.
    pub fn set_repeats_tokens(&self, repeats: bool) {
        self.state().paging.repeats = repeats;
    }

    /// The person says in the app that the sleep at a position, counted from the newest, was none. False if there is no
    /// such sleep.
    pub fn say_no_sleep(&self, position: usize) -> bool {
        let mut state = self.state();
        let sleep = state.shelves.iter_mut().find(|shelf| shelf.kind().collection == Collection::Sleep);
        sleep.is_some_and(|shelf| {
            shelf.rewrite(position, |sleep| {
                sleep["type"] = json!("deleted");
                sleep["sleep_analysis_reason"] = json!("bedtime_edit");
                true
            })
        })
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn personal_info(&self, grant: &Grant) -> SimResponse {
        let if_allowed = |scope: &str, value| Some(value).filter(|_| grant.allows(scope));
        SimResponse::json(
            200,
            &json!({
                "id": format!("8f9a5221-0000-4000-8000-{:012x}", self.state().seed),
                "age": if_allowed("personal", json!(38)),
                "weight": if_allowed("personal", json!(71.4)),
                "height": if_allowed("personal", json!(1.78)),
                "biological_sex": if_allowed("personal", json!("female")),
                "email": if_allowed("email", json!("sample.user@example.com")),
            }),
        )
    }

    fn list(&self, collection: Collection, grant: &Grant, request: &SimRequest) -> SimResponse {
        let state = self.state();
        if !grant.allows(collection.scope()) {
            let named = format!("the token lacks the scope extapi:{}", collection.scope());
            return problem(401, if state.names_scopes { &named } else { ENDED });
        }
        if !state.is_member {
            return problem(403, "the membership has ended");
        }
        let shelf = state.shelves.iter().find(|shelf| shelf.kind().collection == collection);
        shelf.map_or_else(|| self.refusal(404), |shelf| state.paging.answer(shelf, request))
    }
}

const ENDED: &str = "the access token is not valid";

/// A refusal as <https://cloud.ouraring.com/docs/error-handling> describes it.
fn problem(status: u16, detail: &str) -> SimResponse {
    let title = match status {
        400 => "Bad Request",
        401 => "Unauthorized",
        403 => "Forbidden",
        404 => "Not Found",
        429 => "Too Many Requests",
        _ => "Internal Server Error",
    };
    SimResponse::json(status, &json!({ "status": status, "title": title, "detail": detail }))
}

impl Simulator for OuraSimulator {
    fn handle(&self, request: &SimRequest) -> SimResponse {
        let segments = request.segments();
        if let ["oauth", ..] = segments.as_slice() {
            return self.consents(request);
        }
        let Ok(grant) = self.oauth.check(request.bearer(), request.at) else { return self.refusal(401) };
        let throttled = self.state().counter.refused(request.at);
        if let Some(refusal) = throttled {
            return refusal;
        }
        match (request.method.as_str(), segments.as_slice()) {
            ("GET", ["v2", "usercollection", "personal_info"]) => self.personal_info(&grant),
            ("GET", ["v2", "usercollection", path]) => {
                let collection = Collection::ALL.into_iter().find(|collection| collection.path() == *path);
                collection.map_or_else(|| self.refusal(404), |own| self.list(own, &grant, request))
            }
            _ => self.refusal(404),
        }
    }

    fn refusal(&self, status: u16) -> SimResponse {
        match status {
            401 => problem(401, ENDED),
            404 => problem(404, "there is no such document"),
            429 => problem(429, "too many requests"),
            _ => problem(status, "something went wrong"),
        }
    }
}

//! A simulated Rize: `POST /api/v1/graphql` of one made-up person, who lives in Rome.
//!
//! Rize's schema is not public. This speaks the part of it on which public clients agree, checks queries as strictly as
//! GraphQL does, and has a switch wherever it is not known how Rize does something: which sessions a window has,
//! whether days without anything are listed.
//!
//! ```
//! use lifehub_rize::simulator::RizeSimulator;
//! use lifehub_testkit::{Account, Setup};
//!
//! let simulator = RizeSimulator::seeded(&Setup::new(1, "2026-08-10T12:00:00Z".parse()?).items(40));
//! let before = simulator.truth().len();
//! simulator.start_session();
//! assert_eq!(simulator.truth().len(), before + 1);
//! # Ok::<(), lifehub_core::Error>(())
//! ```

mod account;
mod days;
mod fault;
mod graphql;
mod schema;
mod sessions;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use lifehub_core::clock::{Day, Timestamp};
use lifehub_testkit::{Kind, Place, Seeded, Shelf, SimRequest, SimResponse, Simulator};
use serde_json::{Map, Value, json};

pub use account::account;

use days::Days;
use fault::Fault;
use graphql::Query;
use sessions::Sessions;

/// The person's own clock, by which Rize counts days.
const CLOCK: Place = Place::Rome;

/// Rize as one person sees it. Clones share everything, so keep one to change settings while a server runs.
#[derive(Debug, Clone)]
pub struct RizeSimulator(Arc<Mutex<State>>);

#[derive(Debug)]
struct State {
    seed: u64,
    /// The latest instant at which it was asked; at first that of the setup.
    now: Timestamp,
    /// The first day that the account asks for.
    start: Day,
    /// The stream in which changes happen.
    stream: String,
    sessions: Shelf<Sessions>,
    /// Sessions that the calendar has for later.
    planned: Vec<Value>,
    running: Option<Value>,
    days: Shelf<Days>,
    key: Option<String>,
    /// The status with which everything is refused.
    refused: Option<u16>,
    pace: Option<Duration>,
    /// When it was asked the last time.
    asked: Option<Timestamp>,
    lost: schema::Lost,
    window: Window,
    lists_empty_days: bool,
    heeds_bounds: bool,
    fails_halfway: bool,
}

/// Which sessions a window of time has. Rize does not say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Window {
    /// All that it touches.
    Overlapping,
    /// Those that begin in it.
    Beginning,
    /// Those that begin and end in it.
    Whole,
}

impl RizeSimulator {
    /// Accepts this key from now on, and no other; none accepts none, as after a deletion in the app.
    pub fn set_key(&self, key: Option<&str>) {
        self.state().key = key.map(str::to_owned);
    }

    /// Refuses whatever a good key asks for with this status, as for a plan that lost the API (403 or 402).
    pub fn refuse(&self, status: Option<u16>) {
        self.state().refused = status;
    }

    /// Refuses with 429 what comes sooner after the request before. Rize publishes no limit.
    pub fn set_pace(&self, pace: Option<Duration>) {
        self.state().pace = pace;
    }

    /// The schema has no such member any more (`Session`, `title`).
    pub fn lose(&self, kind: &str, member: &str) {
        self.state().lost.insert((kind.to_owned(), member.to_owned()));
    }

    /// The schema is whole again.
    pub fn restore_schema(&self) {
        self.state().lost.clear();
    }

    /// Which sessions a window has; at first [`Window::Overlapping`].
    pub fn set_window(&self, window: Window) {
        self.state().window = window;
    }

    /// Whether days without anything are listed, with zeros (the default), or left out.
    pub fn list_empty_days(&self, list: bool) {
        self.state().lists_empty_days = list;
    }

    /// Whether the bounds of a question are heeded (the default), or everything is answered to every question.
    pub fn heed_bounds(&self, heed: bool) {
        self.state().heeds_bounds = heed;
    }

    /// From now on, whether each answer has half of its data and an error beside it, with status 200.
    pub fn fail_halfway(&self, fail: bool) {
        self.state().fails_halfway = fail;
    }

    /// Starts a session, twenty minutes before the latest request. Until it is stopped, its end is the instant at which
    /// it is asked for. Tells its id.
    pub fn start_session(&self) -> String {
        let mut state = self.state();
        let start = state.now - Duration::from_secs(1_200);
        let mut session = Sessions.make(90_000, start, Seeded::new(state.seed));
        session["endTime"] = json!(state.now.to_string());
        let id = Sessions.id(&session);
        state.running = Some(session);
        id
    }

    /// Plans a session for that instant, and tells its id.
    pub fn plan_session(&self, at: Timestamp) -> String {
        let mut state = self.state();
        let number = 80_000 + state.planned.len() as u64;
        let session = Sessions.make(number, at, Seeded::new(state.seed).fork(number));
        let id = Sessions.id(&session);
        state.planned.push(session);
        id
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// An instant of an argument or a member.
fn instant(value: &Value) -> Option<Timestamp> {
    value.as_str()?.parse().ok()
}

impl State {
    fn answer(&mut self, request: &SimRequest) -> Result<SimResponse, Fault> {
        if (request.method.as_str(), request.path.as_str()) != ("POST", "/api/v1/graphql") {
            return Err(Fault::Status(404));
        }
        if self.key.is_none() || request.bearer() != self.key.as_deref() {
            return Err(Fault::Status(401));
        }
        self.now = self.now.max(request.at);
        let since = self.asked.replace(request.at).map(|asked| request.at.since(asked));
        if self.pace.is_some_and(|pace| since.is_some_and(|since| since < pace)) {
            return Err(Fault::Status(429));
        }
        if let Some(status) = self.refused {
            return Err(Fault::Status(status));
        }
        let body: Value = serde_json::from_slice(&request.body).map_err(|_| Fault::Status(400))?;
        let query = body["query"].as_str().and_then(Query::parse).ok_or_else(Fault::unreadable)?;
        schema::check(&query, &self.lost)?;
        let mut data = Map::new();
        let mut errors = Vec::new();
        for field in &query.fields {
            let arguments = schema::arguments(field, &query, &body["variables"])?;
            let mut value = schema::selected(&self.resolve(&field.name, &arguments), &field.fields);
            if self.fails_halfway {
                let list = if value.is_array() { &mut value } else { &mut value["buckets"] };
                list.as_array_mut().into_iter().for_each(|list| list.truncate(list.len() / 2));
                errors.push(Fault::failed(field.key()));
            }
            data.insert(field.key().to_owned(), value);
        }
        let mut answer = json!({ "data": data });
        if !errors.is_empty() {
            answer["errors"] = json!(errors);
        }
        Ok(SimResponse::json(200, &answer))
    }

    fn resolve(&mut self, field: &str, arguments: &Map<String, Value>) -> Value {
        let argument = |name: &str| arguments.get(name).filter(|_| self.heeds_bounds);
        match field {
            "currentUser" => json!({
                "email": "Sample.User@example.com",
                "name": "Sample User",
                "createdAt": "2024-02-01T09:00:00Z",
                "updatedAt": "2026-08-14T06:00:00Z",
            }),
            "sessions" => {
                let from = argument("startTime").and_then(instant);
                let to = argument("endTime").and_then(instant);
                self.window(from, to)
            }
            _ => {
                let day = |name: &str| argument(name)?.as_str()?.parse::<Day>().ok();
                let from = day("startDate").unwrap_or(self.start);
                let to = day("endDate").unwrap_or_else(|| CLOCK.day(self.now));
                self.buckets(from, to)
            }
        }
    }

    /// The sessions of a window, the latest first.
    fn window(&mut self, from: Option<Timestamp>, to: Option<Timestamp>) -> Value {
        let now = self.now;
        if let Some(running) = &mut self.running {
            running["endTime"] = json!(now.to_string());
        }
        let shelved = self.sessions.items().map(|item| (&item.sound, &item.shown));
        let others = self.planned.iter().chain(&self.running).map(|session| (session, session));
        let mut found: Vec<_> =
            shelved.chain(others).filter(|(sound, _)| self.is_in(sound, from, to)).collect();
        found.sort_by_key(|(sound, _)| std::cmp::Reverse(instant(&sound["startTime"])));
        found.into_iter().map(|(_, shown)| shown.clone()).collect()
    }

    fn is_in(&self, session: &Value, from: Option<Timestamp>, to: Option<Timestamp>) -> bool {
        let start = instant(&session["startTime"]).unwrap_or(Timestamp::EPOCH);
        let end = instant(&session["endTime"]).unwrap_or(start);
        let (low, high) = match self.window {
            Window::Overlapping => (end, start),
            Window::Beginning => (start, start),
            Window::Whole => (start, end),
        };
        from.is_none_or(|from| low >= from) && to.is_none_or(|to| high <= to)
    }

    fn buckets(&self, from: Day, to: Day) -> Value {
        let shown = |day: Day| {
            let tracked =
                self.days.items().find(|item| CLOCK.day(item.at) == day).map(|item| item.shown.clone());
            tracked.or_else(|| self.lists_empty_days.then(|| days::empty(day)))
        };
        let days = (from.as_number()..=to.as_number()).map(Day::from_number);
        days::summary(from, to, days.filter_map(shown).collect())
    }
}

impl Simulator for RizeSimulator {
    fn handle(&self, request: &SimRequest) -> SimResponse {
        self.state().answer(request).unwrap_or_else(Into::into)
    }

    fn refusal(&self, status: u16) -> SimResponse {
        Fault::Status(status).into()
    }
}

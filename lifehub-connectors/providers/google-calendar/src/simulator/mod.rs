//! A simulated Google Calendar: the calendars of one made-up account and their events, who the account is, and the
//! OAuth routes through which an app comes to a token.
//!
//! It keeps to Google's documentation and to what its answers have been seen to hold: pages may be empty and not the
//! last, sync tokens come with the last page and go with no bounds, what was cancelled may have only an id, offsets are
//! those of the calendar's clock whatever zone an event names, and one 403 asks to wait where another forbids.
//!
//! ```
//! use lifehub_google_calendar::simulator::GoogleCalendarSimulator;
//! use lifehub_testkit::{Account, Probe, Server, Setup};
//!
//! let simulator = GoogleCalendarSimulator::seeded(&Setup::new(1, "2026-08-10T12:00:00Z".parse()?));
//! let server = Server::start(simulator.clone())?;
//! let access = simulator.access(&server.url());
//! let token = access.credentials.get("access_token").map_or("", |token| token.expose());
//! let url = format!("{}/calendar/v3/users/me/calendarList", server.url());
//! let calendars = Probe::get(url).bearer(token).send()?.json()?;
//! assert_eq!(calendars["items"][2]["id"], "en.example#holiday@group.v.calendar.google.com");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod account;
mod agenda;
mod calendars;
mod event;
mod place;
mod query;
mod refusal;
mod series;
mod token;

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use lifehub_core::clock::Timestamp;
use lifehub_google::simulator::{App, Consent, PERSON, TESTING, person};
use lifehub_testkit::oauth::{AuthorizationServer, Grant};
use lifehub_testkit::{Fact, Setup, Shelf, SimRequest, SimResponse, Simulator};
use serde_json::{Value, json};

pub use account::account;
pub use calendars::OWNER;

use agenda::{Agenda, EVENTS};
use calendars::{Calendars, PROFILES};
use place::ROME;
use query::{Form, Manner, Query};
use refusal::Refusal;
use series::Rule;
use token::{Key, Stand};

/// How far ahead of the account's instant a client is expected to know of events.
const HORIZON: Duration = Duration::from_secs(366 * 86_400);

const MINUTE: Duration = Duration::from_secs(60);

/// The app that is registered.
const APP: App = App {
    name: "google-calendar-sim",
    client_id: GoogleCalendarSimulator::CLIENT_ID,
    client_secret: GoogleCalendarSimulator::CLIENT_SECRET,
};

const LIST_SCOPE: &str = "https://www.googleapis.com/auth/calendar.calendarlist.readonly";
const EVENTS_SCOPE: &str = "https://www.googleapis.com/auth/calendar.events.readonly";
/// Opens both.
const ALL_SCOPE: &str = "https://www.googleapis.com/auth/calendar.readonly";

const CALENDARS: Form =
    Form { known: &["showHidden", "showDeleted"], bounds: &["minAccessRole"], size: (100, 250) };

/// Google's API over one account. Clones share everything, so keep one to change it while a server runs.
#[derive(Debug, Clone)]
pub struct GoogleCalendarSimulator {
    consent: Consent,
    state: Arc<Mutex<State>>,
}

#[derive(Debug)]
struct State {
    /// The access token that suites have.
    token: String,
    now: Timestamp,
    calendars: Shelf<Calendars>,
    agendas: Vec<Agenda>,
    /// Whether changes happen to calendars, not to the events of the first.
    changes_calendars: bool,
    manner: Manner,
    /// Calls a minute for each user, and those of the latest.
    limit: Option<usize>,
    calls: VecDeque<Timestamp>,
    /// What so many further calls are refused with.
    throttle: Option<(Refusal, u32)>,
    /// Calendars that are refused.
    troubles: HashMap<String, Refusal>,
    configured: bool,
}

/// Why a calendar cannot be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Trouble {
    /// The account may not: 403 `forbidden`.
    Forbidden,
    /// It is gone, or not shared any more: 404 `notFound`.
    NotFound,
}

impl GoogleCalendarSimulator {
    /// The id of the app that is registered.
    pub const CLIENT_ID: &'static str = "000000000042-sim.apps.googleusercontent.com";

    /// Its secret.
    pub const CLIENT_SECRET: &'static str = "google-calendar-sim-client-secret";

    /// The id of the account, which never changes.
    pub const SUBJECT: &'static str = "100000000000000004242";

    /// The account that a setup asks for: exactly so many events in all of its four calendars, at most so many a page.
    /// A setup for changes in the stream `calendars` has so many calendars, too.
    ///
    /// Its access token derives from the seed, `google-calendar-sim-…-access`, and never ends. There are no rate
    /// limits, unless [`GoogleCalendarSimulator::set_limit`] sets one.
    pub fn seeded(setup: &Setup) -> Self {
        let consent = Consent::new(setup.seed, APP, &[LIST_SCOPE, EVENTS_SCOPE, ALL_SCOPE]);
        let token = format!("google-calendar-sim-{:016x}-access", setup.seed);
        consent.server().admit(&token, &[&PERSON[..], &[LIST_SCOPE, EVENTS_SCOPE]].concat());
        let mut calendars = Shelf::empty(Calendars, setup.seed, setup.now);
        // Each is a list of its own to who reads all events.
        let count = setup.items.filter(|_| setup.stream == "calendars").unwrap_or(PROFILES.len());
        for number in 0..count {
            calendars.add(setup.now - HORIZON + MINUTE * u32::try_from(number).unwrap_or(u32::MAX));
        }
        let state = State {
            token,
            now: setup.now,
            calendars,
            agendas: PROFILES.iter().map(|profile| Agenda::stocked(profile, setup)).collect(),
            changes_calendars: setup.stream != "events",
            manner: Manner { page: setup.page, gaps: false, sync_tokens: true, epoch: 0 },
            limit: None,
            calls: VecDeque::new(),
            throttle: None,
            troubles: HashMap::new(),
            configured: true,
        };
        Self { consent, state: Arc::new(Mutex::new(state)) }
    }

    /// The part that asks for consent and issues tokens, to change its rules and to read what it was asked.
    pub fn oauth(&self) -> &AuthorizationServer {
        self.consent.server()
    }

    /// The state Testing of a consent screen, in which refresh tokens end after seven days.
    pub fn set_testing(&self, testing: bool) {
        let life = testing.then_some(TESTING);
        self.oauth().set(|rules| rules.refresh_lifetime = life);
    }

    /// Without, last pages give no sync token, for reasons that Google keeps to itself.
    pub fn set_sync_tokens(&self, given: bool) {
        self.state().manner.sync_tokens = given;
    }

    /// So many calls in any minute; those beyond are refused with 403 `userRateLimitExceeded`.
    pub fn set_limit(&self, calls: Option<usize>) {
        self.state().limit = calls;
    }

    /// Refuses so many of the next calls for want of quota: with that status, 403 or 429, and that reason.
    pub fn throttle(&self, status: u16, reason: &'static str, calls: u32) {
        self.state().throttle = Some((Refusal::throttled(status, reason), calls));
    }

    /// Refuses one calendar's events, or ends that.
    pub fn trouble(&self, calendar: &str, trouble: Option<Trouble>) {
        let mut state = self.state();
        match trouble {
            Some(Trouble::Forbidden) => state.troubles.insert(calendar.to_owned(), Refusal::FORBIDDEN),
            Some(Trouble::NotFound) => state.troubles.insert(calendar.to_owned(), Refusal::NOT_FOUND),
            None => state.troubles.remove(calendar),
        };
    }

    /// Switches the Calendar API on or off in the app's project.
    pub fn set_configured(&self, configured: bool) {
        self.state().configured = configured;
    }

    /// Adds a weekly event of an hour to the owner's calendar, at noon in Rome; so many times, or without end. Tells
    /// its id, below which its instances are numbered from 0.
    pub fn add_series(&self, summary: &str, first: Timestamp, count: Option<usize>) -> String {
        let rule = Rule::Weekly { clock: ROME, second: 43_200, length_s: 3_600 };
        self.own(|own| own.add(summary, "default", rule, ROME.day(first), count)).unwrap_or_default()
    }

    /// Gives a series another name: Google tells of all its instances, however far ahead. False if there is none.
    pub fn rename_series(&self, series: &str, summary: &str) -> bool {
        self.own(|own| own.change(series, |series| series.summary = summary.to_owned())).unwrap_or(false)
    }

    /// Deletes a series: Google tells only of the instances of half a year to each side. False if there is none.
    pub fn delete_series(&self, series: &str) -> bool {
        self.own(|own| own.change(series, |series| series.gone = true)).unwrap_or(false)
    }

    /// Moves an instance of a series, or cancels it. False if there is no such series.
    pub fn except(&self, series: &str, instance: usize, moved: Option<Timestamp>) -> bool {
        self.own(|own| own.except(series, instance, moved)).unwrap_or(false)
    }

    /// Changes the members of one of the owner's single events, counted from the newest. False if there is none.
    pub fn rewrite(&self, position: usize, members: &Value) -> bool {
        let change = |event: &mut Value| {
            let members = members.as_object().into_iter().flatten();
            members.for_each(|(name, value)| event[name] = value.clone());
            true
        };
        self.own(|own| own.singles.rewrite(position, change)).unwrap_or(false)
    }

    /// What a client should have that keeps events which begin before that instant: those of the calendars that are
    /// listed.
    pub fn truth_before(&self, horizon: Timestamp) -> Vec<Fact> {
        let state = self.state();
        let calendars = state.calendars.facts("calendars", "");
        let listed = |agenda: &&Agenda| calendars.iter().any(|c| c.id.as_deref() == Some(agenda.calendar.id));
        let events = state.agendas.iter().filter(listed).flat_map(|agenda| agenda.facts(horizon));
        let events: Vec<Fact> = events.collect();
        [calendars, events].concat()
    }

    fn own<T>(&self, change: impl FnOnce(&mut Agenda) -> T) -> Option<T> {
        self.state().agendas.first_mut().map(change)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// Whether a call fits into the limits.
    fn meter(&mut self, now: Timestamp) -> Result<(), Refusal> {
        if let Some((refusal, calls)) = &mut self.throttle
            && *calls > 0
        {
            *calls -= 1;
            return Err(refusal.clone());
        }
        while self.calls.front().is_some_and(|call| now.since(*call) >= MINUTE) {
            self.calls.pop_front();
        }
        if self.limit.is_some_and(|limit| self.calls.len() >= limit) {
            return Err(Refusal::throttled(403, "userRateLimitExceeded"));
        }
        self.calls.push_back(now);
        if self.configured { Ok(()) } else { Err(Refusal::NOT_CONFIGURED) }
    }

    fn answer(&mut self, request: &SimRequest, grant: &Grant) -> Result<Value, Refusal> {
        let needs = |scope: &str| match grant.allows(scope) || grant.allows(ALL_SCOPE) {
            true => Ok(()),
            false => Err(Refusal::NO_SCOPE),
        };
        let path = request.segments();
        // An operator's own address stands for both of Google's hosts, and for the path on one of them.
        match path.strip_prefix(&["calendar", "v3"]).unwrap_or(&path) {
            ["v1", "userinfo"] => {
                person(grant, GoogleCalendarSimulator::SUBJECT, OWNER).ok_or(Refusal::BAD_TOKEN)
            }
            ["users", "me", "calendarList"] => {
                self.meter(request.at)?;
                needs(LIST_SCOPE)?;
                self.calendars(request)
            }
            ["calendars", id, "events"] => {
                self.meter(request.at)?;
                needs(EVENTS_SCOPE)?;
                self.events(request, &SimRequest::decoded(id))
            }
            _ => Err(Refusal::NOT_FOUND),
        }
    }

    fn calendars(&self, request: &SimRequest) -> Result<Value, Refusal> {
        let query = Query::read(request, &CALENDARS, self.manner)?;
        let hidden = query.since.is_some() || request.query("showHidden") == Some("true");
        let all: Vec<_> = match query.since {
            Some(since) => self.calendars.since(since.singles).collect(),
            None => self.calendars.items().collect(),
        };
        let listed = all.into_iter().filter(|item| hidden || item.shown["hidden"] != true).map(|item| {
            let mut entry = item.shown.clone();
            if item.gone {
                entry["deleted"] = json!(true);
            }
            ([0, 0, i64::try_from(item.number).unwrap_or(i64::MAX), 0], entry)
        });
        let stand = Stand { singles: self.calendars.revision(), series: 0 };
        let page = query.cut(listed.collect(), stand, true);
        Ok(page.answer(json!({ "kind": "calendar#calendarList", "etag": "\"p33example\"" }), Value::clone))
    }

    fn events(&mut self, request: &SimRequest, id: &str) -> Result<Value, Refusal> {
        let listed = self.calendars.items().any(|item| item.sound["id"] == id);
        if let Some(refusal) = self.troubles.get(id) {
            return Err(refusal.clone());
        }
        let Self { agendas, manner, .. } = self;
        match agendas.iter_mut().find(|agenda| agenda.calendar.id == id) {
            Some(agenda) if listed => agenda.list(request, *manner),
            // One to which the account subscribes, and nothing in it.
            None if listed => {
                let query = Query::read(request, &EVENTS, *manner)?;
                let page = query.cut(Vec::<(Key, Value)>::new(), Stand::default(), true);
                Ok(page.answer(json!({ "kind": "calendar#events" }), Value::clone))
            }
            _ => Err(Refusal::NOT_FOUND),
        }
    }
}

impl Simulator for GoogleCalendarSimulator {
    fn handle(&self, request: &SimRequest) -> SimResponse {
        if let Some(answer) = self.consent.answer(request) {
            return answer;
        }
        let answer = match self.oauth().check(request.bearer(), request.at) {
            Err(_) => Err(Refusal::BAD_TOKEN),
            Ok(_) if request.method != "GET" => Err(Refusal::NOT_FOUND),
            Ok(grant) => self.state().answer(request, &grant),
        };
        answer.map_or_else(SimResponse::from, |body| SimResponse::json(200, &body))
    }

    fn refusal(&self, status: u16) -> SimResponse {
        Refusal::of(status).into()
    }
}

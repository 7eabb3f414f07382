//! A simulated calendar server: `GET /calendars/<secret>/basic.ics` of one made-up person, who has meetings every week
//! in two zones, birthdays, holidays, and appointments over two years.
//!
//! The text is what calendar programs write: folded lines, Windows names of zones, exceptions, validators for
//! conditional requests. Instants come from the rules of summer time themselves ([`lifehub_testkit::Place`]) and days are
//! counted by hand, so that the truth owes nothing to whoever expands the rules that are written.
//!
//! ```
//! use lifehub_ical::simulator::CalendarSimulator;
//! use lifehub_testkit::{Account, Probe, Server, Setup};
//!
//! let calendar = CalendarSimulator::new(&Setup::new(1, "2026-08-10T12:00:00Z".parse()?));
//! let server = Server::start(calendar.clone())?;
//! let url = calendar.access(&server.url()).settings["url"].as_str().map(str::to_owned);
//! let reply = Probe::get(url.unwrap_or_default()).send()?;
//! assert!(reply.body.starts_with(b"BEGIN:VCALENDAR\r\n"));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod account;
mod entry;
mod plan;
mod text;
mod world;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use jiff::fmt::rfc2822::DateTimePrinter;
use lifehub_core::clock::Timestamp;
use lifehub_testkit::{Account, Setup, SimRequest, SimResponse, Simulator};

use world::World;

/// An account at the simulated calendar server.
pub fn account(setup: &Setup) -> Arc<dyn Account> {
    Arc::new(CalendarSimulator::new(setup))
}

/// The calendar server. Clones share everything, so keep one to change things while it runs.
#[derive(Debug, Clone)]
pub struct CalendarSimulator(Arc<Mutex<World>>);

impl CalendarSimulator {
    /// The calendar of that setup.
    pub fn new(setup: &Setup) -> Self {
        Self(Arc::new(Mutex::new(World::new(setup))))
    }

    /// Whether the file is made anew for each request, as many servers do it: with another `ETag` each time, without
    /// `Last-Modified`, and with the moment of the request in every event's `DTSTAMP`.
    pub fn set_made_per_request(&self, made: bool) {
        self.world().made_per_request = made;
    }

    /// Whether a copy answers that stands as before the latest change, with the validators of then.
    pub fn set_stale(&self, stale: bool) {
        self.world().set_stale(stale);
    }

    fn world(&self) -> MutexGuard<'_, World> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Simulator for CalendarSimulator {
    fn handle(&self, request: &SimRequest) -> SimResponse {
        let mut world = self.world();
        let token = world.token();
        let known = request.segments() == ["calendars", token.as_str(), "basic.ics"];
        if request.method.as_str() != "GET" || !known {
            return self.refusal(404);
        }
        world.answers += 1;
        let etag = match world.made_per_request {
            true => format!("\"made-{}\"", world.answers),
            false => format!("\"{}-{}\"", token.get(..8).unwrap_or(""), world.shown().revision),
        };
        let modified = http_date(world.modified());
        // RFC 9110, section 13.2.2: where `If-None-Match` stands, `If-Modified-Since` is not looked at.
        let unchanged = match request.header("if-none-match") {
            Some(tag) => tag == etag,
            None => !world.made_per_request && request.header("if-modified-since") == Some(modified.as_str()),
        };
        let mut answer = if unchanged { SimResponse::empty(304) } else { SimResponse::empty(200) };
        if !unchanged {
            let stamp = if world.made_per_request { request.at } else { world.now };
            answer.body = text::calendar(&world.shown().entries, stamp).into();
            answer = answer.header("content-type", "text/calendar; charset=utf-8");
        }
        let made = world.made_per_request;
        answer = answer.header("etag", etag);
        if made { answer } else { answer.header("last-modified", modified) }
    }

    fn refusal(&self, status: u16) -> SimResponse {
        SimResponse::html(
            status,
            format!("<!doctype html><title>{status}</title><p>Sorry, no calendar here."),
        )
    }
}

fn http_date(at: Timestamp) -> String {
    let at = jiff::Timestamp::from_second(at.as_seconds()).unwrap_or(jiff::Timestamp::UNIX_EPOCH);
    DateTimePrinter::new().timestamp_to_rfc9110_string(&at).unwrap_or_default()
}

//! A simulated Open-Meteo: `GET /v1/forecast` and `GET /v1/archive`, by day and for one place a request, as a
//! self-hosted server has them below one address.
//!
//! It keeps to what Open-Meteo's documentation and source say, also where a client would like it otherwise: one offset
//! from UTC for a whole answer, that of the moment at which it is asked; nulls for the archive's last days; limits
//! that count weighted calls in windows of the clock, and refusals that name no time to come back. It knows the daily
//! variables in [`VARIABLES`] alone, neither hours nor several places.
//!
//! ```
//! use lifehub_testkit::{Probe, Server, Setup};
//!
//! let setup = Setup::new(1, "2026-08-10T12:00:00Z".parse()?);
//! let server = Server::start(lifehub_open_meteo::simulator::account(&setup))?;
//! let query = "latitude=41.9&longitude=12.5&daily=precipitation_sum&start_date=2026-01-01&end_date=2026-01-02";
//! let reply = Probe::get(format!("{}/v1/archive?{query}", server.url())).send()?;
//! assert_eq!(reply.json()?["daily"]["time"][1], "2026-01-02");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod account;
mod answer;
mod climate;
mod limits;
mod query;
mod units;

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use lifehub_core::clock::{Day, Timestamp};
use lifehub_testkit::{SimRequest, SimResponse, Simulator};

pub use account::account;
pub use climate::Weather;
pub use limits::Limits;
pub use units::VARIABLES;

use answer::Refusal;
use climate::Climate;
use limits::Counter;
use query::Query;

/// The archive holds days that are at least this old.
const ARCHIVE_TRAILS: i32 = 5;

/// Open-Meteo on a day of its own making. Clones share everything, so keep one to change settings while a server runs.
#[derive(Debug, Clone)]
pub struct OpenMeteoSimulator(Arc<Mutex<State>>);

#[derive(Debug)]
struct State {
    seed: u64,
    /// The first day that the account asks for.
    start: Day,
    /// The latest instant at which it was asked; at first that of the setup.
    now: Timestamp,
    counter: Counter,
    /// How often each day was revised.
    revised: BTreeMap<Day, u32>,
    poisoned: BTreeSet<Day>,
    mishaps: VecDeque<Mishap>,
    /// How many answers there were, which differ in their timing.
    answers: u32,
}

/// What may go wrong with one answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Mishap {
    /// 429: other requests of the same address are under way.
    TooManyConcurrent,
    /// The status is 200 already when the data cannot be read: half of the JSON, then plain text.
    StreamingError,
    /// Temperatures in Fahrenheit, whatever was asked for, and units that say so.
    Fahrenheit,
    /// One column has a value too few.
    ShortColumn,
    /// The days are those after the ones that were asked for.
    OtherDays,
}

impl OpenMeteoSimulator {
    /// The next answer goes wrong in this way, one after another if there are several.
    pub fn mishap(&self, mishap: Mishap) {
        self.state().mishaps.push_back(mishap);
    }

    /// Sets the rate limits, or switches them off. What was used so far is forgotten.
    pub fn set_limits(&self, limits: Option<Limits>) {
        self.state().counter = Counter::new(limits);
    }

    /// What the weighted calls of the last request's day sum up to.
    pub fn used_today(&self) -> f64 {
        self.state().counter.used_today()
    }

    /// The weather that the archive has of a day at this place, cut at the midnights of a clock so many seconds ahead
    /// of UTC, without regard to the days that it lacks.
    pub fn archived(&self, latitude: f64, longitude: f64, day: Day, offset_s: i64) -> Weather {
        let state = self.state();
        state.archived(&Climate::new(state.seed, latitude, longitude), day, offset_s)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn archived(&self, climate: &Climate, day: Day, offset_s: i64) -> Weather {
        climate.day(day, offset_s).revised(self.revised.get(&day).copied().unwrap_or(0))
    }

    fn forecast(&self, climate: &Climate, day: Day, offset_s: i64, issued: Day) -> Weather {
        climate.forecast(day, offset_s, issued).revised(self.revised.get(&day).copied().unwrap_or(0))
    }

    fn answer(&mut self, request: &SimRequest) -> Result<SimResponse, Refusal> {
        let archive = match (request.method.as_str(), request.segments().as_slice()) {
            ("GET", ["v1", "forecast"]) => false,
            ("GET", ["v1", "archive"]) => true,
            _ => return Err(Refusal::not_found()),
        };
        self.now = self.now.max(request.at);
        self.counter.admit(self.now)?;
        let mishap = self.mishaps.pop_front();
        if mishap == Some(Mishap::TooManyConcurrent) {
            return Err(Refusal::throttled("Too many concurrent requests"));
        }
        let query = Query::read(request, archive, self.now).inspect_err(|_| self.counter.spend(1.0))?;
        self.counter.spend(query.weight());
        self.answers = self.answers.wrapping_add(1);
        Ok(answer::compose(self, &query, mishap))
    }
}

impl Simulator for OpenMeteoSimulator {
    fn handle(&self, request: &SimRequest) -> SimResponse {
        self.state().answer(request).unwrap_or_else(Into::into)
    }

    fn refusal(&self, status: u16) -> SimResponse {
        Refusal::of(status).into()
    }
}

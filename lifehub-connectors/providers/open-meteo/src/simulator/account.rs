//! A place that someone follows, as suites, the demo and benchmarks drive it.

use std::sync::Arc;

use lifehub_core::clock::Day;
use lifehub_core::secret::Credentials;
use lifehub_testkit::{Access, Account, Change, Fact, Place, Seeded, Setup};
use serde_json::{Map, json};

use super::climate::Climate;
use super::limits::Counter;
use super::query::{day_of, later};
use super::{ARCHIVE_TRAILS, OpenMeteoSimulator, State};

/// The place, in the zone of [`CLOCK`].
const NAME: &str = "Made-up Bay";
const LATITUDE: f64 = 41.6543;
const LONGITUDE: f64 = 12.3456;
const CLOCK: Place = Place::Rome;

/// The days of forecast that the account asks for, today included.
const AHEAD: i32 = 15;

/// A made-up place at the simulated Open-Meteo.
///
/// ```
/// use lifehub_testkit::{Account, Change, Setup};
///
/// let setup = Setup::new(1, "2026-08-10T12:00:00Z".parse()?).items(40);
/// let account = lifehub_open_meteo::simulator::account(&setup);
/// assert_eq!(account.truth().len(), 40);
/// assert!(account.change(Change::Edit(20)) && !account.change(Change::Add));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn account(setup: &Setup) -> Arc<dyn Account> {
    Arc::new(OpenMeteoSimulator::seeded(setup))
}

impl OpenMeteoSimulator {
    /// The world of a setup: days follow the calendar, so that a number of items only sets the first day that the
    /// account asks for, and there are neither ties nor pages.
    ///
    /// It has no rate limits: a suite asks more often than a minute allows while its clock stands still, and a demo
    /// must not wait. A test of limits asks for them with [`OpenMeteoSimulator::set_limits`].
    pub fn seeded(setup: &Setup) -> Self {
        let today = day_of(setup.now.as_seconds() + CLOCK.offset_s(setup.now));
        let back = match setup.items {
            None => 730,
            Some(items) => i32::try_from(items).unwrap_or(730).saturating_sub(AHEAD).max(1),
        };
        Self(Arc::new(std::sync::Mutex::new(State {
            seed: Seeded::new(setup.seed).whole(0, i64::MAX).unsigned_abs(),
            start: later(today, -back),
            now: setup.now,
            counter: Counter::new(None),
            revised: Default::default(),
            poisoned: Default::default(),
            mishaps: Default::default(),
            answers: 0,
        })))
    }
}

impl State {
    fn offset_s(&self) -> i64 {
        CLOCK.offset_s(self.now)
    }

    fn today(&self) -> Day {
        day_of(self.now.as_seconds() + self.offset_s())
    }

    /// The day at a position, which counts from the last day of the forecast.
    fn at(&self, position: usize) -> Option<Day> {
        let back = i32::try_from(position).ok()?;
        Some(later(self.today(), AHEAD - 1 - back)).filter(|day| *day >= self.start)
    }

    /// A day is what the archive has of it, or else what the forecast says.
    fn fact(&self, climate: &Climate, day: Day) -> Fact {
        let (today, offset_s) = (self.today(), self.offset_s());
        let measured = day <= later(today, -ARCHIVE_TRAILS);
        let weather = match measured {
            true => self.archived(climate, day, offset_s),
            false => self.forecast(climate, day, offset_s, today),
        };
        let mut record = json!({
            "dataset": "weather", "start": null, "end": null, "zone": null, "day": day,
            "body": {
                "place": NAME,
                "temperature_min_c": weather.min,
                "temperature_mean_c": weather.mean,
                "temperature_max_c": weather.max,
                "precipitation_mm": weather.precipitation,
                "wind_max_mps": weather.wind,
                "sunshine_s": weather.sunshine,
                "code": weather.code,
            },
        });
        if !measured {
            record["body"]["forecast"] = json!(true);
        }
        let mut fact = Fact::new("daily", day, vec![record]);
        fact.records = fact.records.filter(|_| !self.poisoned.contains(&day));
        fact
    }
}

/// Open-Meteo gives and takes no days, has no ids, versions, links or cursors: of all changes it knows that a day is
/// revised, or comes with a value that is none. A position that is not there changes nothing.
impl Account for OpenMeteoSimulator {
    fn access(&self, url: &str) -> Access {
        let state = self.state();
        let mut settings = Map::new();
        settings.insert("latitude".into(), json!(LATITUDE));
        settings.insert("longitude".into(), json!(LONGITUDE));
        settings.insert("place".into(), json!(NAME));
        settings.insert("timezone".into(), json!(CLOCK.zone()));
        settings.insert("start".into(), json!(state.start));
        settings.insert("forecast_days".into(), json!(AHEAD));
        Access {
            base_url: Some(url.to_owned()),
            credentials: Credentials::none(),
            settings: settings.into(),
            oauth: None,
        }
    }

    /// By the instant of the setup, or of the latest request if that is later.
    fn truth(&self) -> Vec<Fact> {
        let state = self.state();
        let climate = Climate::new(state.seed, LATITUDE, LONGITUDE);
        let last = later(state.today(), AHEAD - 1);
        let days = state.start.as_number()..=last.as_number();
        days.map(|number| state.fact(&climate, Day::from_number(number))).collect()
    }

    fn change(&self, change: Change) -> bool {
        let mut state = self.state();
        match change {
            Change::Edit(position) => match state.at(position) {
                Some(day) => *state.revised.entry(day).or_insert(0) += 1,
                None => return false,
            },
            Change::Poison(position) => match state.at(position) {
                Some(day) => _ = state.poisoned.insert(day),
                None => return false,
            },
            Change::Heal => state.poisoned.clear(),
            _ => return false,
        }
        true
    }
}

//! The person's account as suites, the demo and benchmarks drive it.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use lifehub_core::clock::{Day, Timestamp};
use lifehub_core::secret::{Credentials, Secret};
use lifehub_testkit::{Access, Account, Change, Fact, Kind, Seeded, Setup, Shelf, instants};
use serde_json::json;

use super::sessions::{self, Sessions};
use super::{CLOCK, RizeSimulator, State, Window, days, instant};

/// So many days before the first of its history the account's settings begin: few people remember the day.
const EARLY: i32 = 45;

/// The account of a made-up person at the simulated Rize.
///
/// ```
/// use lifehub_testkit::{Account, Change, Setup};
///
/// let setup = Setup::new(1, "2026-08-10T12:00:00Z".parse()?).items(40);
/// let account = lifehub_rize::simulator::account(&setup);
/// let sessions = |facts: Vec<_>| facts.iter().filter(|fact: &&lifehub_testkit::Fact| fact.stream == "sessions").count();
/// assert_eq!(sessions(account.truth()), 40);
/// assert!(account.change(Change::Add) && !account.change(Change::ExpireCursors));
/// assert_eq!(sessions(account.truth()), 41);
/// # Ok::<(), lifehub_core::Error>(())
/// ```
pub fn account(setup: &Setup) -> Arc<dyn Account> {
    Arc::new(RizeSimulator::seeded(setup))
}

impl RizeSimulator {
    /// The account that a setup asks for: exactly so many sessions, or those of so many days of habits, and three more
    /// that the calendar has for the next weeks. Days follow the calendar, so that a number of items does not concern
    /// them, and Rize has no pages.
    ///
    /// Its key derives from the seed, `rize-sim-…-key`. It has no rate limit; a test of one asks for it with
    /// [`RizeSimulator::set_pace`].
    pub fn seeded(setup: &Setup) -> Self {
        let today = CLOCK.day(setup.now).as_number();
        let first = today - i32::from(setup.days);
        let simulator = Self(Arc::new(Mutex::new(State {
            seed: setup.seed,
            now: setup.now,
            start: Day::from_number(first - EARLY),
            stream: setup.stream.clone(),
            sessions: match setup.items {
                Some(_) => spread(setup),
                None => of_habits(setup, first, today),
            },
            planned: Vec::new(),
            running: None,
            days: days::stocked(setup),
            key: Some(format!("rize-sim-{:016x}-key", setup.seed)),
            refused: None,
            pace: None,
            asked: None,
            lost: Default::default(),
            window: Window::Overlapping,
            lists_empty_days: true,
            heeds_bounds: true,
            fails_halfway: false,
        })));
        // The first within the day that a sync asks for anyway, but later than a suite's clock comes.
        for hours in [30, 219, 340] {
            simulator.plan_session(setup.now + Duration::from_secs(hours * 3_600));
        }
        simulator
    }
}

/// As many sessions as the setup asks for, more of them each week: who is new to a tool uses it little.
fn spread(setup: &Setup) -> Shelf<Sessions> {
    let mut shelf = Shelf::empty(Sessions, setup.seed, setup.now);
    let span_s = f64::from(setup.days.max(1)) * 86_400.0;
    for at in instants(setup, 7.0) {
        let back_s = span_s * (setup.now.since(at).as_secs_f64() / span_s).powf(1.25);
        shelf.add(Timestamp::from_seconds(setup.now.as_seconds() - back_s as i64));
    }
    shelf
}

/// The sessions of two years of habits, those that are over.
fn of_habits(setup: &Setup, first: i32, today: i32) -> Shelf<Sessions> {
    let mut shelf = Shelf::empty(Sessions, setup.seed, setup.now);
    let dice = Seeded::new(setup.seed).fork(0x5e55);
    for day in first + 1..=today {
        let instants = sessions::of_day(Day::from_number(day), dice.fork(day.unsigned_abs().into()));
        for at in instants.into_iter().filter(|at| *at + Duration::from_secs(7_200) <= setup.now) {
            shelf.add(at);
        }
    }
    shelf
}

/// Rize has no versions, no links and no cursors. Of days it knows that they are changed and emptied, but not that they
/// are added: those are the calendar's.
impl Account for RizeSimulator {
    fn access(&self, url: &str) -> Access {
        let state = self.state();
        let key = Secret::new(state.key.clone().unwrap_or_default());
        Access {
            base_url: Some(format!("{url}/api/v1")),
            credentials: Credentials::none().with("api_key", key),
            settings: json!({ "start": state.start }),
            oauth: None,
        }
    }

    /// By the instant of the setup, or of the latest request if that is later: planned sessions count from then on.
    fn truth(&self) -> Vec<Fact> {
        let state = self.state();
        let mut facts = state.sessions.facts("sessions", "");
        let others = state.planned.iter().chain(&state.running);
        let begun = others.filter(|session| instant(&session["startTime"]).is_some_and(|at| at <= state.now));
        facts.extend(
            begun.map(|session| Fact::new("sessions", Sessions.id(session), Sessions.records(session))),
        );
        facts.extend(state.days.facts("daily_summary", ""));
        facts
    }

    fn change(&self, change: Change) -> bool {
        let mut state = self.state();
        match (state.stream.as_str(), &change) {
            ("daily_summary", Change::Add | Change::AddLate(_)) => false,
            ("daily_summary", change) => state.days.change(change),
            (_, change) => state.sessions.change(change),
        }
    }
}

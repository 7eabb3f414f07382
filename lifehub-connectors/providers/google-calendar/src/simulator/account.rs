//! The account as suites, the demo and benchmarks drive it.

use std::sync::Arc;

use lifehub_core::secret::{Credentials, Secret};
use lifehub_testkit::{Access, Account, Change, Fact, Setup};
use serde_json::json;

use super::{APP, GoogleCalendarSimulator, HORIZON};

/// The account of a made-up person at the simulated Google Calendar.
///
/// ```
/// use lifehub_testkit::{Change, Server, Setup};
///
/// let setup = Setup::new(1, "2026-08-10T12:00:00Z".parse()?).items(50).page(20).stream("events");
/// let account = lifehub_google_calendar::simulator::account(&setup);
/// let server = Server::start(account.clone())?;
/// assert_eq!(account.access(&server.url()).base_url, Some(server.url()));
/// let events = || account.truth().iter().filter(|fact| fact.stream == "events").count();
/// assert_eq!(events(), 50);
/// assert!(account.change(Change::Add));
/// assert_eq!(events(), 51);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn account(setup: &Setup) -> Arc<dyn Account> {
    Arc::new(GoogleCalendarSimulator::seeded(setup))
}

/// Answers have no links to elsewhere, and nobody knows of copies that lag behind.
impl Account for GoogleCalendarSimulator {
    fn access(&self, url: &str) -> Access {
        Access {
            base_url: Some(url.to_owned()),
            credentials: Credentials::none().with("access_token", Secret::new(self.state().token.clone())),
            settings: json!({}),
            oauth: Some(APP.access(url)),
        }
    }

    /// Events up to a year from the account's instant: whoever keeps more has to ask [`Self::truth_before`].
    fn truth(&self) -> Vec<Fact> {
        let horizon = self.state().now + HORIZON;
        self.truth_before(horizon)
    }

    fn change(&self, change: Change) -> bool {
        let mut state = self.state();
        match change {
            Change::Withhold(scope) => self.oauth().withhold(scope.as_deref()),
            Change::EmptyPages(gaps) => state.manner.gaps = gaps,
            Change::ExpireCursors => state.manner.epoch += 1,
            // Calendars have no instant.
            Change::AddLate(_) if state.changes_calendars => return false,
            change if state.changes_calendars => return state.calendars.change(&change),
            change => {
                let own = state.agendas.first_mut();
                return own.is_some_and(|agenda| agenda.singles.change(&change));
            }
        }
        true
    }
}

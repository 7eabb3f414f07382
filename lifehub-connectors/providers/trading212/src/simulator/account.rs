//! The account as suites, the demo and benchmarks drive it.

use std::collections::HashSet;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use lifehub_core::clock::{Day, Timestamp};
use lifehub_core::secret::{Credentials, Secret};
use lifehub_testkit::{Access, Account, Change, Fact, Kind, Place, Setup, Shelf, instants};
use serde_json::json;

use super::cash::{Dividends, Transactions};
use super::orders::Orders;
use super::paging::Paging;
use super::positions::{Positions, Worth};
use super::{State, Trading212Simulator};

/// The account of a made-up person at the simulated Trading 212.
///
/// ```
/// use lifehub_testkit::{Change, Setup};
///
/// let setup = Setup::new(1, "2026-08-10T12:00:00Z".parse()?).items(50).stream("positions");
/// let account = lifehub_trading212::simulator::account(&setup);
/// // Four lists, and the worth of the account on one day.
/// assert_eq!(account.truth().len(), 201);
/// assert!(account.change(Change::Delete { from: 0, count: 2 }));
/// assert_eq!(account.truth().len(), 199);
/// # Ok::<(), lifehub_core::Error>(())
/// ```
pub fn account(setup: &Setup) -> Arc<dyn Account> {
    Arc::new(Trading212Simulator::seeded(setup))
}

impl Trading212Simulator {
    /// The account that a setup asks for, without rate limits: a suite asks more often than six times a minute while its
    /// clock stands still. Key and secret derive from the seed.
    pub fn seeded(setup: &Setup) -> Self {
        let few = setup.clone().items(setup.items.unwrap_or(12));
        Self(Arc::new(Mutex::new(State {
            key: format!("t212-sim-{:016x}-key", setup.seed),
            secret: format!("t212-sim-{:016x}-secret", setup.seed),
            withheld: HashSet::new(),
            limits: None,
            paging: Paging::of(setup.page),
            orders: stocked(Orders, setup, 4.0),
            dividends: stocked(Dividends, setup, 0.9),
            transactions: stocked(Transactions, setup, 0.7),
            positions: stocked(Positions, &few, 1.0),
            worth: Worth::seeded(setup.seed, setup.now),
            stream: setup.stream.clone(),
        })))
    }
}

fn stocked<K: Kind>(kind: K, setup: &Setup, a_week: f64) -> Shelf<K> {
    let mut shelf = Shelf::empty(kind, setup.seed, setup.now);
    for at in instants(setup, a_week) {
        shelf.add(at_work(at).min(setup.now - Duration::from_secs(60)));
    }
    shelf
}

/// The same day at an hour at which markets are open; what falls on a weekend, on the Friday before it. What comes later
/// comes later still.
fn at_work(at: Timestamp) -> Timestamp {
    let day = Place::Rome.day(at);
    let second = at.as_seconds() - Place::Rome.instant(day, 0).as_seconds();
    // 1970-01-01 was a Thursday.
    let after_friday = (day.as_number() - 1).rem_euclid(7);
    let (back, days) = if after_friday < 3 { (after_friday, 3) } else { (0, 1) };
    let opened_s = 8 * 3_600 + 30 * 60;
    let into_s = (i64::from(back) * 86_400 + second) * opened_s / (days * 86_400);
    let friday = Day::from_number(day.as_number() - back);
    Place::Rome.instant(friday, 9 * 3_600 + into_s)
}

/// The provider tells of no deletion in its histories, has no versions, and no item of the account's worth but that of the
/// day on which it is asked.
impl Account for Trading212Simulator {
    fn access(&self, url: &str) -> Access {
        let state = self.state();
        let credentials = Credentials::none()
            .with("api_key", Secret::new(state.key.clone()))
            .with("api_secret", Secret::new(state.secret.clone()));
        Access { base_url: Some(url.to_owned()), credentials, settings: json!({}), oauth: None }
    }

    fn truth(&self) -> Vec<Fact> {
        let state = self.state();
        let mut facts = state.orders.facts("orders", "");
        facts.extend(state.dividends.facts("dividends", ""));
        facts.extend(state.transactions.facts("transactions", ""));
        facts.extend(state.worth.facts(&state.positions));
        facts.extend(state.positions.facts("positions", ""));
        facts
    }

    fn change(&self, change: Change) -> bool {
        const SCOPES: [&str; 5] =
            ["history:orders", "history:dividends", "history:transactions", "account", "portfolio"];
        let mut state = self.state();
        match (&change, state.stream.as_str()) {
            // One answer has the whole of these.
            (Change::LeadTo(_) | Change::ExpireCursors, "account" | "positions") => return false,
            (Change::LeadTo(origin), _) => state.paging.lead_to.clone_from(origin),
            (Change::ExpireCursors, _) => state.paging.expire(),
            (Change::Withhold(None), _) => state.withheld.clear(),
            (Change::Withhold(Some(scope)), _) => {
                if !SCOPES.contains(&scope.as_str()) {
                    return false;
                }
                state.withheld.insert(scope.clone());
            }
            (_, "positions") => return state.positions.change(&change),
            (_, "account") => return state.worth.change(&change),
            (Change::Delete { .. }, _) => return false,
            (_, "dividends") => return state.dividends.change(&change),
            (_, "transactions") => return state.transactions.change(&change),
            _ => return state.orders.change(&change),
        }
        true
    }
}

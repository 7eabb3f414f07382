//! The person's account as suites, the demo and benchmarks drive it.

use std::sync::Arc;

use lifehub_core::secret::{Credentials, Secret};
use lifehub_testkit::{Access, Account, Change, Fact, OAuthAccess, Setup};
use serde_json::json;

use super::YnabSimulator;
use super::oauth::{Consent, SCOPE};
use super::plan::Plan;

/// The account of a made-up person at the simulated YNAB, with two plans.
///
/// ```
/// use lifehub_testkit::{Change, Server, Setup};
///
/// let setup = Setup::new(1, "2026-08-10T12:00:00Z".parse()?).items(50);
/// let account = lifehub_ynab::simulator::account(&setup);
/// let server = Server::start(account.clone())?;
/// assert_eq!(account.access(&server.url()).base_url, Some(format!("{}/v1", server.url())));
/// assert_eq!(account.truth().len(), 150, "transactions, accounts and categories");
/// assert!(account.change(Change::Add) && !account.change(Change::Stale(true)));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn account(setup: &Setup) -> Arc<dyn Account> {
    Arc::new(YnabSimulator::seeded(setup))
}

impl YnabSimulator {
    /// The account that a setup asks for: exactly so many transactions, accounts and categories, an eighth of them in
    /// the second plan. Lists come whole, however many a page should hold: YNAB has no pages. What changes, changes in the
    /// first plan.
    ///
    /// A personal access token derives from the seed, `ynab-sim-…-access`. There is no rate limit: a suite makes more
    /// requests than YNAB's two hundred an hour while its clock stands still, and a demo must not wait. A test of the limit
    /// asks for it with [`YnabSimulator::set_limit`].
    pub fn seeded(setup: &Setup) -> Self {
        let all = setup.items.map_or_else(|| Plan::habits(setup.days), |items| [items; 3]);
        let second = all.map(|count| count / 8);
        let first = [0, 1, 2].map(|place| all[place] - second[place]);
        let plans = vec![
            Plan::new(setup, 1, "Household", "EUR", first),
            Plan::new(setup, 2, "Year abroad", "USD", second),
        ];
        let consent = Consent::new(setup.seed);
        let token = format!("ynab-sim-{:016x}-access", setup.seed);
        consent.server.admit(&token, &[SCOPE]);
        Self::with(consent, setup, plans, token)
    }
}

/// YNAB's answers have no versions and no links, so that they cannot be stale or lead elsewhere; every token may read, so
/// that there is no scope to withhold.
impl Account for YnabSimulator {
    fn access(&self, url: &str) -> Access {
        Access {
            base_url: Some(format!("{url}/v1")),
            credentials: Credentials::none().with("access_token", Secret::new(self.state().token.as_str())),
            settings: json!({}),
            oauth: Some(OAuthAccess {
                client_id: Self::CLIENT_ID.to_owned(),
                client_secret: Some(Secret::new(Self::CLIENT_SECRET)),
                authorize_url: format!("{url}/oauth/authorize"),
                token_url: format!("{url}/oauth/token"),
                revoke_url: None,
            }),
        }
    }

    fn truth(&self) -> Vec<Fact> {
        self.state().plans.iter().flat_map(Plan::facts).collect()
    }

    fn change(&self, change: Change) -> bool {
        let mut state = self.state();
        let stream = state.stream.clone();
        match change {
            // What YNAB says to knowledge that is too old is not documented. It is refused like any wrong parameter.
            Change::ExpireCursors => {
                state.plans.iter_mut().for_each(Plan::forget_knowledge);
                true
            }
            change => state.plans.first_mut().is_some_and(|plan| plan.change(&stream, &change)),
        }
    }
}

//! The person's account as suites, the demo and benchmarks drive it.

use std::sync::Arc;
use std::time::Duration;

use lifehub_core::secret::{Credentials, Secret};
use lifehub_testkit::{Access, Account, Change, Fact, OAuthAccess, Place, Setup, Shelf};
use serde_json::json;

use super::collection::Documents;
use super::{OuraSimulator, oauth};

/// The account of a made-up person at the simulated Oura.
///
/// ```
/// use lifehub_testkit::{Change, Server, Setup};
///
/// let setup = Setup::new(1, "2026-08-10T12:00:00Z".parse()?).items(50).page(20).stream("tags");
/// let account = lifehub_oura::simulator::account(&setup);
/// let tags = || account.truth().iter().filter(|fact| fact.stream == "tags").count();
/// assert!(tags() == 50 && account.change(Change::Add));
/// assert_eq!(tags(), 51);
/// # Ok::<(), lifehub_core::Error>(())
/// ```
pub fn account(setup: &Setup) -> Arc<dyn Account> {
    Arc::new(OuraSimulator::seeded(setup))
}

/// Oura has no versions and no links, so it cannot be stale or lead elsewhere.
impl Account for OuraSimulator {
    /// The settings name the account's first day, so that nobody looks for years before it.
    fn access(&self, url: &str) -> Access {
        let state = self.state();
        let before = state.now - Duration::from_secs(86_400 * (u64::from(state.days) + 1));
        Access {
            base_url: Some(url.to_owned()),
            credentials: Credentials::none().with("access_token", Secret::new(oauth::token(state.seed))),
            settings: json!({ "start": Place::Rome.day(before) }),
            oauth: Some(OAuthAccess {
                client_id: Self::CLIENT_ID.to_owned(),
                client_secret: Some(Secret::new(Self::CLIENT_SECRET)),
                authorize_url: format!("{url}/oauth/authorize"),
                token_url: format!("{url}/oauth/token"),
                revoke_url: Some(format!("{url}/oauth/revoke")),
            }),
        }
    }

    fn truth(&self) -> Vec<Fact> {
        let facts = |shelf: &Shelf<Documents>| shelf.facts(shelf.kind().collection.stream(), "");
        self.state().shelves.iter().flat_map(facts).collect()
    }

    fn change(&self, change: Change) -> bool {
        let mut state = self.state();
        match change {
            Change::ExpireCursors => state.paging.forget(),
            Change::EmptyPages(gaps) => state.paging.gaps = gaps,
            Change::Withhold(scope) => self.oauth.withhold(scope.as_deref().map(oauth::bare)),
            change => {
                let changes = state.changes;
                let shelf = state.shelves.iter_mut().find(|shelf| shelf.kind().collection == changes);
                return shelf.is_some_and(|shelf| shelf.change(&change));
            }
        }
        true
    }
}

//! The listener's account as suites, the demo and benchmarks drive it.

use std::sync::{Arc, Mutex};

use lifehub_core::secret::{Credentials, Secret};
use lifehub_testkit::{Access, Account, Change, Fact, OAuthAccess, Setup};
use serde_json::json;

use super::answer::Paging;
use super::limits::Limits;
use super::oauth;
use super::world::World;
use super::{SpotifySimulator, State};

/// The account of a made-up listener at the simulated Spotify.
///
/// ```
/// use lifehub_testkit::{Change, Server, Setup};
///
/// let setup = Setup::new(1, "2026-08-10T12:00:00Z".parse()?).items(30).stream("saved_tracks");
/// let account = lifehub_spotify::simulator::account(&setup);
/// let server = Server::start(account.clone())?;
/// assert_eq!(account.access(&server.url()).base_url, Some(format!("{}/v1", server.url())));
/// let saved = || account.truth().into_iter().filter(|fact| fact.stream == "saved_tracks").count();
/// assert_eq!(saved(), 30);
/// assert!(account.change(Change::Add) && saved() == 31);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn account(setup: &Setup) -> Arc<dyn Account> {
    Arc::new(SpotifySimulator::seeded(setup))
}

impl SpotifySimulator {
    /// The account that a setup asks for, without rate limits: a suite asks more often than half a minute allows while
    /// its clock stands still, and a demo must not wait. A test of limits asks for them with
    /// [`SpotifySimulator::set_limit`] and [`SpotifySimulator::lock_until`].
    ///
    /// Of the history no more than fifty plays show, and favourites are no more. Where a number of items is asked for,
    /// playlists are few, unless changes happen among them; where changes happen in one stream, the others are short.
    pub fn seeded(setup: &Setup) -> Self {
        let state = State {
            seed: setup.seed,
            world: World::seeded(setup),
            paging: Paging { most: setup.page, lead_to: None },
            limits: Limits::default(),
            old_names: false,
            unregistered: false,
        };
        Self { oauth: oauth::server(setup.seed), state: Arc::new(Mutex::new(state)) }
    }
}

/// Spotify's lists have no versions, so they cannot be stale, and no cursors that end.
impl Account for SpotifySimulator {
    fn access(&self, url: &str) -> Access {
        let token = Secret::new(oauth::token(self.state().seed));
        Access {
            base_url: Some(format!("{url}/v1")),
            credentials: Credentials::none().with("access_token", token),
            settings: json!({}),
            oauth: Some(OAuthAccess {
                client_id: Self::CLIENT_ID.to_owned(),
                client_secret: Some(Secret::new(Self::CLIENT_SECRET)),
                authorize_url: format!("{url}/authorize"),
                token_url: format!("{url}/api/token"),
                revoke_url: None,
            }),
        }
    }

    fn truth(&self) -> Vec<Fact> {
        self.state().world.truth()
    }

    fn change(&self, change: Change) -> bool {
        match change {
            // Favourites come in one page, which leads nowhere.
            Change::LeadTo(_) if self.state().world.is_one_page() => return false,
            Change::LeadTo(origin) => self.state().paging.lead_to = origin,
            Change::Withhold(scope) => {
                if scope.as_ref().is_some_and(|scope| !oauth::SCOPES.contains(&scope.as_str())) {
                    return false;
                }
                self.oauth.withhold(scope.as_deref());
            }
            change => return self.state().world.change(&change),
        }
        true
    }
}

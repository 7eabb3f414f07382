//! The athlete's account as suites, the demo and benchmarks drive it.

use std::sync::Arc;
use std::time::Duration;

use lifehub_core::secret::{Credentials, Secret};
use lifehub_testkit::{Access, Account, Change, Fact, OAuthAccess, Setup};
use serde_json::{Value, json};

use super::StravaSimulator;
use super::options::WorldOptions;
use super::poison::Poison;
use super::world::World;

/// The account of a made-up athlete at the simulated Strava.
///
/// ```
/// use lifehub_testkit::{Change, Server, Setup};
///
/// let setup = Setup::new(1, "2026-08-10T12:00:00Z".parse()?).items(50).page(20);
/// let account = lifehub_strava::simulator::account(&setup);
/// let server = Server::start(account.clone())?;
/// assert_eq!(account.access(&server.url()).base_url, Some(format!("{}/api/v3", server.url())));
/// assert!(account.change(Change::Add));
/// assert_eq!(account.truth().len(), 51);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn account(setup: &Setup) -> Arc<dyn Account> {
    Arc::new(StravaSimulator::seeded(setup))
}

impl StravaSimulator {
    /// The account that a setup asks for: exactly so many activities, so many of them with one start, at most so many
    /// a page.
    ///
    /// Its access token derives from the seed, `strava-sim-…-access`. It has no rate limits: a suite makes more
    /// requests than Strava's hundred a quarter hour while its clock stands still, and a demo must not wait. A test of
    /// limits asks for them with [`StravaSimulator::set_limits`].
    pub fn seeded(setup: &Setup) -> Self {
        let mut options = WorldOptions::default().days(setup.days).ties(setup.ties);
        if let Some(count) = setup.items {
            options = options.activities(count);
        }
        let simulator = Self::new(World::seeded(setup.seed, setup.now, options));
        simulator.set_token(&format!("strava-sim-{:016x}-access", setup.seed));
        simulator.set_limits(None);
        simulator.set_page_limit(setup.page);
        simulator
    }
}

/// Strava's list has no versions, no links and no cursors, so it cannot be stale, lead elsewhere, or forget where a
/// client stood. A position that is not there changes nothing.
impl Account for StravaSimulator {
    fn access(&self, url: &str) -> Access {
        let token = Secret::new(&self.state().token);
        Access {
            base_url: Some(format!("{url}/api/v3")),
            credentials: Credentials::none().with("access_token", token),
            settings: json!({}),
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
        self.world.facts()
    }

    fn change(&self, change: Change) -> bool {
        let world = &self.world;
        let ids = || world.truth().into_iter().rev().map(|activity| activity.id).collect::<Vec<i64>>();
        match change {
            Change::Add => {
                let hour_ago = world.now() - Duration::from_secs(3_600);
                let newest = world.truth().pop().map(|activity| activity.start + Duration::from_secs(1));
                world.add(newest.unwrap_or(hour_ago).max(hour_ago), json!({}));
            }
            Change::AddLate(ago) => _ = world.add(world.now() - ago, json!({})),
            Change::Edit(position) => return world.rewrite(position, edited),
            Change::Delete { from, count } => {
                let ids = ids();
                let Some(gone) = ids.get(from..from.saturating_add(count)) else { return false };
                world.delete(gone.iter().copied());
            }
            Change::Poison(position) | Change::TakeId(position) if position >= ids().len() => return false,
            // A workout must say what was done.
            Change::Poison(position) => _ = world.poison(position, Poison::NoSport),
            Change::TakeId(position) => _ = world.poison(position, Poison::MissingId),
            Change::Heal => {
                let broken = world.truth().into_iter().filter(|activity| activity.poison.is_some());
                broken.for_each(|activity| world.heal(activity.id));
            }
            Change::Withhold(scope) => self.oauth().withhold(scope.as_deref()),
            _ => return false,
        }
        true
    }
}

/// What its owner may do to an activity: another name, and a hundred metres that the watch had missed.
fn edited(activity: &Value) -> Value {
    let name = activity["name"].as_str().unwrap_or_default();
    let distance = activity["distance"].as_f64().unwrap_or_default();
    json!({ "name": format!("{name}, edited"), "distance": distance + 100.0 })
}

//! Rule 9 in whole runs, at a simulated Strava that rotates refresh tokens and revokes all at a reuse.

use std::sync::Arc;
use std::time::Duration;

use lifehub_core::ErrorKind;
use lifehub_core::clock::{Clock as _, ManualClock, Rng, Zone};
use lifehub_core::engine::{Connection, Engine, Operator, Report, RunStatus, SyncEvent, SyncOptions};
use lifehub_core::http::ReqwestTransport;
use lifehub_core::memory::MemoryStore;
use lifehub_core::oauth::{Standing, Vault as _};
use lifehub_core::record::{ConnectionId, UserId};
use lifehub_core::registry::Registry;
use lifehub_core::secret::{Credentials, Secret};
use lifehub_strava::Strava;
use lifehub_strava::simulator::{StravaSimulator, World, WorldOptions};
use lifehub_testkit::Server;
use serde_json::json;

use crate::rig::start;
use crate::shelf::DAY;

const HOUR: Duration = Duration::from_secs(3600);
const ACTIVITIES: u64 = 40;

/// An athlete with four pages of activities, who is connected since now.
struct Athlete {
    clock: Arc<ManualClock>,
    simulator: StravaSimulator,
    server: Server,
    store: Arc<MemoryStore>,
    connection: Connection,
    access_token: String,
}

impl Athlete {
    /// `told` is how long the stored token says that it is good; in truth it is for six hours.
    fn new(told: Option<Duration>) -> Self {
        let clock = Arc::new(ManualClock::at(start()));
        let options = WorldOptions::default().activities(ACTIVITIES as usize);
        let simulator = StravaSimulator::new(World::seeded(9, start(), options));
        simulator.set_limits(None);
        simulator.set_page_limit(Some(10));
        simulator.oauth().set(|rules| (rules.reuse_revokes, rules.keep_while_left) = (true, None));
        let server = Server::builder().clock(clock.clone()).start(simulator.clone()).unwrap();
        let tokens = simulator.oauth().issue(&["read", "activity:read_all"], start());
        let fields = [
            ("access_token", Some(tokens.access_token.clone())),
            ("refresh_token", tokens.refresh_token.clone()),
            ("expires_at", told.map(|told| (start() + told).to_string())),
        ];
        let fields = fields.into_iter().filter_map(|(name, text)| Some((name, Secret::new(text?))));
        let rng = Rng::seeded(7);
        let connection = Connection {
            id: ConnectionId::new(start(), &rng),
            user: UserId::new(start(), &rng),
            provider: "strava".into(),
            account: None,
            settings: json!({}),
            zone: Zone::utc(),
        };
        let store = Arc::new(MemoryStore::with_clock(clock.clone()));
        let credentials = fields.fold(Credentials::none(), |all, (name, secret)| all.with(name, secret));
        store.set_credentials(connection.id, credentials);
        Self { clock, simulator, server, store, connection, access_token: tokens.access_token }
    }

    /// As a new process has it.
    fn engine(&self) -> Engine {
        let url = self.server.url();
        let operator: Operator = serde_json::from_value(json!({ "strava": {
            "base_url": format!("{url}/api/v3"),
            "token_url": format!("{url}/oauth/token"),
            "client_id": StravaSimulator::CLIENT_ID,
            "client_secret": StravaSimulator::CLIENT_SECRET,
            "quotas": "off",
        }}))
        .unwrap();
        let registry = Registry::new().with(Strava);
        let transport = Arc::new(ReqwestTransport::new().unwrap());
        Engine::builder(registry, self.store.clone(), transport)
            .clock(self.clock.clone())
            .rng(Rng::seeded(3))
            .operator(operator)
            .build()
    }

    async fn sync(&self) -> Report {
        // Hours pass in the middle of a run.
        let mut options = SyncOptions::default();
        options.max_time = DAY;
        self.engine().sync(&self.connection, &options).await.unwrap()
    }
}

#[tokio::test]
async fn rule_9_a_run_whose_token_ends_goes_on() {
    for told in [Some(6 * HOUR), Some(DAY), None] {
        let athlete = Athlete::new(told);
        let clock = athlete.clock.clone();
        athlete.server.after(1, move || clock.advance(7 * HOUR));
        let report = athlete.sync().await;
        assert_eq!((report.status, report.totals().inserted), (RunStatus::Ok, ACTIVITIES), "{report:?}");
        let tally = athlete.simulator.oauth().tally();
        assert_eq!((tally.token_calls, tally.refreshes), (1, 1), "{told:?}: {tally:?}");
        assert_eq!((tally.early, tally.reuses, tally.families_revoked), (0, 0, 0), "{told:?}: {tally:?}");
        let held = athlete.store.credentials(athlete.connection.id).await.unwrap();
        let family = athlete.simulator.oauth().families().remove(0);
        let kept = |name| held.credentials.get(name).map(|secret| secret.expose().to_owned());
        assert_eq!(kept("access_token"), Some(family.access_token));
        assert_eq!(kept("refresh_token"), family.refresh_token);
    }
}

#[tokio::test]
async fn rule_9_a_consent_that_was_taken_back_costs_one_call_a_day() {
    let athlete = Athlete::new(Some(6 * HOUR));
    let engine = athlete.engine();
    let mut events = engine.events();
    let (simulator, token) = (athlete.simulator.clone(), athlete.access_token.clone());
    athlete.server.after(1, move || assert!(simulator.oauth().withdraw(&token)));
    let report = engine.sync(&athlete.connection, &SyncOptions::default()).await.unwrap();
    let kept = athlete.store.records(athlete.connection.id).len();
    assert!(kept > 0 && kept < ACTIVITIES as usize, "what came before it is kept: {kept}");
    let error = report.streams[0].error.as_ref().unwrap();
    assert_eq!(error.kind, ErrorKind::Unauthorized, "{error:?}");
    assert!(error.hint.as_ref().is_some_and(|hint| hint.contains("connect the account again")), "{error:?}");
    let mut notices = 0;
    while let Ok(event) = events.try_recv() {
        notices += u32::from(matches!(event, SyncEvent::ReconnectRequired { .. }));
    }
    assert_eq!(notices, 1);

    let standing = async || athlete.store.credentials(athlete.connection.id).await.unwrap().standing;
    assert_eq!(standing().await, Standing::Refused { at: athlete.clock.now() });
    for day in 1..=2 {
        for _ in 0..3 {
            let report = athlete.sync().await;
            let error = report.streams[0].error.as_ref().unwrap();
            assert_eq!(error.kind, ErrorKind::Unauthorized, "{error:?}");
            assert_eq!(athlete.simulator.oauth().tally().token_calls, day);
        }
        athlete.clock.advance(DAY);
    }
    assert_eq!(athlete.store.records(athlete.connection.id).len(), kept);
}

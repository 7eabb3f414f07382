//! Rule 11: users of one app share its quota, and news goes before history.

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;
use lifehub_core::clock::{Clock, ManualClock, Rng, Zone};
use lifehub_core::engine::{Engine, Operator, ProviderSettings, Report, Runs};
use lifehub_core::http::ReqwestTransport;
use lifehub_core::record::ConnectionId;
use lifehub_core::registry::Registry;
use lifehub_core::schedule::{Schedule, WorkerOptions};
use lifehub_core::secret::{Credentials, Secret};
use lifehub_store::{NewConnection, Store};
use lifehub_strava::Strava;
use lifehub_strava::simulator::{Limits, StravaSimulator, World, WorldOptions};
use lifehub_testkit::Server;

use crate::rig::{Home, Kind, on_each_database, start};

const HOUR: Duration = Duration::from_secs(3_600);
const MINUTE: Duration = Duration::from_secs(60);

/// At the simulated Strava: 10 reads in a quarter of an hour for all users of the app.
struct App {
    clock: Arc<ManualClock>,
    store: Store,
    engine: Engine,
    _server: Server,
    _home: Home,
}

impl App {
    async fn new(kind: Kind<'_>, activities: usize) -> Self {
        let clock = Arc::new(ManualClock::at(start()));
        let world = World::seeded(4, start(), WorldOptions::default().activities(activities));
        let simulator = StravaSimulator::new(world);
        simulator.set_limits(Some(Limits::new((20, 20_000), (10, 10_000))));
        let server = Server::builder().clock(clock.clone()).start(simulator).unwrap();
        let home = Home::new(kind).await;
        let store = home.open(clock.clone()).await;
        let mut settings = ProviderSettings::default();
        settings.base_url = Some(format!("{}/api/v3", server.url()).parse().unwrap());
        settings.quotas = serde_json::from_value(serde_json::json!([
            { "name": "quarter", "scope": "app", "limit": 10, "window": { "kind": "fixed", "every_s": 900 } },
        ]))
        .unwrap();
        let transport = Arc::new(ReqwestTransport::local().unwrap());
        let engine = Engine::builder(Registry::new().with(Strava), Arc::new(store.clone()), transport)
            .clock(clock.clone())
            .rng(Rng::seeded(4))
            .operator(Operator::default().with("strava", settings))
            .build();
        Self { clock, store, engine, _server: server, _home: home }
    }

    async fn connect(&self, name: &str) -> ConnectionId {
        let user = self.store.create_user(&format!("{name}@example.org"), &Zone::utc()).await.unwrap();
        let token = Secret::new(StravaSimulator::TOKEN);
        let new = NewConnection::new(user, "strava", Credentials::none().with("access_token", token));
        self.store.connect(new).await.unwrap().0
    }

    /// What a worker does now.
    async fn round(&self) -> Vec<Report> {
        let due = self.store.claim_due(&["strava"], self.clock.now(), 8).await.unwrap();
        let options = WorkerOptions::default().sync;
        let runs = due.iter().map(|(connection, lease)| self.engine.sync_under(connection, lease, &options));
        join_all(runs).await.into_iter().map(Result::unwrap).collect()
    }

    async fn caught_up(&self, connection: ConnectionId) -> bool {
        let run = self.store.latest(connection).await.unwrap();
        run.is_some_and(|run| run.report.streams.iter().all(|stream| stream.caught_up))
    }
}

on_each_database! {
    #[tokio::test]
    async fn rule_11_long_histories_of_many_users_do_not_delay_news_of_another(kind: Kind) {
        // Eight requests for each user: together they need more windows of the quota than an hour has.
        let app = App::new(kind, 600).await;
        let early = app.connect("early").await;
        for _ in 0..200 {
            app.round().await;
            if app.caught_up(early).await {
                break;
            }
            app.clock.advance(MINUTE);
        }
        assert!(app.caught_up(early).await);
        let mut late = Vec::new();
        for n in 0..12 {
            late.push(app.connect(&format!("late{n}")).await);
        }
        let (mut minutes, mut news, mut longest) = (0, 0, Duration::ZERO);
        let mut due_since = app.store.latest(early).await.unwrap().unwrap().dues.first();
        while !all(&app, &late).await {
            minutes += 1;
            assert!(minutes < 1_000, "the histories come to their end too");
            for report in app.round().await {
                if report.id == early && report.streams.iter().all(|stream| stream.caught_up) {
                    longest = longest.max(app.clock.now().since(due_since));
                    due_since = app.store.latest(early).await.unwrap().unwrap().dues.first();
                    news += 1;
                }
            }
            let waited = app.clock.now().since(due_since);
            assert!(waited <= HOUR, "news waited for {waited:?} behind the histories of others");
            app.clock.advance(MINUTE);
        }
        println!("{minutes} minutes; news came {news} times, the longest wait was {longest:?}");
        assert!(news > 1, "there was news in the meantime");
    }
}

async fn all(app: &App, connections: &[ConnectionId]) -> bool {
    for connection in connections {
        if !app.caught_up(*connection).await {
            return false;
        }
    }
    true
}

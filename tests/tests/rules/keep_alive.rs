//! Connections that nothing uses: their refresh tokens must not age out.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use lifehub_core::Result;
use lifehub_core::clock::{Clock, ManualClock, Zone};
use lifehub_core::connector::{Connector, Context, Identity, Manifest};
use lifehub_core::engine::{Cancel, Engine, Operator, ProviderSettings};
use lifehub_core::http::ReqwestTransport;
use lifehub_core::oauth::Vault;
use lifehub_core::page::{Cursor, Page, Place};
use lifehub_core::registry::Registry;
use lifehub_core::schedule::{Worker, WorkerOptions};
use lifehub_core::secret::{Credentials, Secret};
use lifehub_store::NewConnection;
use lifehub_strava::Strava;
use lifehub_strava::simulator::{StravaSimulator, World, WorldOptions};
use lifehub_testkit::Server;

use crate::rig::{Home, Kind, on_each_database, start};
use crate::shelf::DAY;

/// Strava, if it let refresh tokens age out.
struct Aging(Manifest);

impl Aging {
    fn after(life: Duration) -> Self {
        let mut manifest = Strava.manifest().clone();
        manifest.auth.oauth.as_mut().unwrap().refresh_token_life = Some(life);
        Self(manifest)
    }
}

#[async_trait]
impl Connector for Aging {
    fn manifest(&self) -> &Manifest {
        &self.0
    }

    async fn identify(&self, cx: &Context<'_>) -> Result<Identity> {
        Strava.identify(cx).await
    }

    async fn fetch_page(&self, cx: &Context<'_>, at: Place<'_>, cursor: Option<&Cursor>) -> Result<Page> {
        Strava.fetch_page(cx, at, cursor).await
    }
}

on_each_database! {
    #[tokio::test]
    async fn rule_9_idle_connections_are_kept_alive(kind: Kind) {
        let life = 10 * DAY;
        let clock = Arc::new(ManualClock::at(start()));
        let simulator = StravaSimulator::new(World::seeded(6, start(), WorldOptions::default().activities(3)));
        simulator.oauth().set(|rules| {
            (rules.refresh_lifetime, rules.keep_while_left) = (Some(life), None);
        });
        let server = Server::builder().clock(clock.clone()).start(simulator.clone()).unwrap();
        let home = Home::new(kind).await;
        let store = home.open(clock.clone()).await;
        let user = store.create_user("a@example.org", &Zone::utc()).await.unwrap();
        let tokens = simulator.oauth().issue(&["read", "activity:read_all"], clock.now());
        let credentials = Credentials::none()
            .with("access_token", Secret::new(tokens.access_token))
            .with("refresh_token", Secret::new(tokens.refresh_token.unwrap()));
        let (id, _) = store.connect(NewConnection::new(user, "strava", credentials)).await.unwrap();
        let first = store.credentials(id).await.unwrap().revision;

        let mut settings = ProviderSettings::default();
        settings.base_url = Some(format!("{}/api/v3", server.url()).parse().unwrap());
        settings.token_url = Some(format!("{}/oauth/token", server.url()).parse().unwrap());
        settings.client_id = Some(StravaSimulator::CLIENT_ID.into());
        settings.client_secret = Some(Secret::new(StravaSimulator::CLIENT_SECRET));
        // Synced once, and then not for years.
        settings.interval = Some(1_000 * DAY);
        let transport = Arc::new(ReqwestTransport::local().unwrap());
        let engine =
            Engine::builder(Registry::new().with(Aging::after(life)), Arc::new(store.clone()), transport)
                .clock(clock.clone())
                .operator(Operator::default().with("strava", settings))
                .build();
        let mut options = WorkerOptions::default();
        options.poll = Duration::from_millis(1);
        let (worker, cancel) = (Worker::new(engine, Arc::new(store.clone()), options), Cancel::default());
        let asked = cancel.clone();
        let working = tokio::spawn(async move { worker.run(&asked).await });

        for rounds in 1..=10 {
            // Half of its life, and a little more.
            clock.advance(life / 2 + Duration::from_secs(3_600));
            while store.credentials(id).await.unwrap().revision < first + rounds {
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
        }
        cancel.cancel();
        working.await.unwrap();
        let tally = simulator.oauth().tally();
        assert_eq!((tally.refused, tally.reuses, tally.families_revoked), (0, 0, 0), "{tally:?}");
        assert_eq!((tally.token_calls, tally.refreshes), (10, 10), "no more often than needed");
    }
}

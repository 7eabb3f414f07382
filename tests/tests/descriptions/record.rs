//! What a connector asks: a full and a live sync of its simulated account, and whose account it is.

use std::sync::Arc;
use std::time::Duration;

use lifehub_core::clock::{ManualClock, Rng, Timestamp, Zone};
use lifehub_core::engine::{Connection, Engine, Operator, ProviderSettings, QuotaSetting, SyncOptions};
use lifehub_core::http::ReqwestTransport;
use lifehub_core::memory::MemoryStore;
use lifehub_core::record::{ConnectionId, UserId};
use lifehub_testkit::{Change, LoggedRequest, Server, Setup};

/// Every request of these two syncs and of the question whose account it is.
pub(crate) fn requests(provider: &str) -> Vec<LoggedRequest> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(synced(provider))
}

async fn synced(provider: &str) -> Vec<LoggedRequest> {
    let now = Timestamp::from_seconds(1_773_144_000);
    let make = lifehub_connectors::simulators().into_iter().find(|(id, _)| *id == provider).unwrap().1;
    // Enough for several pages.
    let account = make(&Setup::new(7, now).days(200).items(120).page(20));
    let clock = Arc::new(ManualClock::at(now));
    let server = Server::builder().clock(clock.clone()).start(account.clone()).unwrap();
    let access = account.access(&server.url());

    let registry = lifehub_connectors::registry();
    let manifest = registry.get(provider).unwrap().manifest();
    let mut settings = access.settings.clone();
    let credentials = manifest.settings.seal(&mut settings, access.credentials);
    let rng = Rng::seeded(7);
    let connection = Connection {
        id: ConnectionId::new(now, &rng),
        user: UserId::new(now, &rng),
        provider: provider.into(),
        account: None,
        settings,
        zone: Zone::utc(),
    };
    let store = Arc::new(MemoryStore::new());
    store.add_connection(connection.clone());
    store.set_credentials(connection.id, credentials.clone());
    let mut own = ProviderSettings::default();
    own.base_url = access.base_url.map(|url| url.parse().unwrap());
    own.quotas = Some(QuotaSetting::List(Vec::new()));
    let engine = Engine::builder(registry.clone(), store, Arc::new(ReqwestTransport::new().unwrap()))
        .clock(clock.clone())
        .operator(Operator::default().with(provider, own))
        .build();

    engine.identify(provider, &connection.settings, credentials).await.unwrap();
    for _ in ["full", "live"] {
        let report = engine.sync(&connection, &SyncOptions::default()).await.unwrap();
        for stream in &report.streams {
            assert!(stream.caught_up, "{provider} {}: {:?}", stream.stream, stream.error);
        }
        account.change(Change::Add);
        clock.advance(Duration::from_secs(3_600));
    }
    server.take_requests()
}

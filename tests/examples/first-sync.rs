//! The main job on a machine without any account: a simulated Strava on loopback, a database in a temporary folder, and
//! two syncs, of which the second has nothing to do.

use std::error::Error;
use std::io::Write;
use std::sync::Arc;

use lifehub_core::clock::Zone;
use lifehub_core::engine::{Engine, Operator, ProviderSettings, SyncOptions};
use lifehub_core::http::ReqwestTransport;
use lifehub_core::secret::{Credentials, Secret};
use lifehub_store::{KeySource, NewConnection, OpenOptions, Store};
use lifehub_strava::simulator::{StravaSimulator, World, WorldOptions};
use lifehub_testkit::Server;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut out = std::io::stdout();
    let now = std::time::SystemTime::now().into();
    let strava = Server::start(StravaSimulator::new(World::seeded(1, now, WorldOptions::default())))?;

    let folder = tempfile::tempdir()?;
    let (database, key) = (folder.path().join("life.db"), folder.path().join("life.key"));
    let store = Store::open(&database.display().to_string(), OpenOptions::new(KeySource::File(key))).await?;
    let user = store.create_user("you@example.org", &Zone::system()).await?;
    let credentials = Credentials::none().with("access_token", Secret::new(StravaSimulator::TOKEN));
    let (id, _) = store.connect(NewConnection::new(user, "strava", credentials)).await?;

    let mut settings = ProviderSettings::default();
    settings.base_url = Some(format!("{}/api/v3", strava.url()).parse()?);
    let (registry, transport) = (lifehub_connectors::registry(), ReqwestTransport::new()?);
    let engine = Engine::builder(registry, Arc::new(store.clone()), Arc::new(transport))
        .operator(Operator::default().with("strava", settings))
        .build();
    let connection = store.connection(id).await?.connection;
    for name in ["first", "second"] {
        let report = engine.sync(&connection, &SyncOptions::default()).await?;
        let total = report.totals();
        let (pages, new, ms) = (total.pages, total.inserted, report.duration_ms);
        writeln!(out, "The {name} sync: {pages} pages, {new} new records, {ms} ms")?;
    }
    let mut export = store.export(user, false);
    if let Some(record) = export.next_page().await?.and_then(|page| page.into_iter().next()) {
        writeln!(out, "One of them:\n{}", serde_json::to_string_pretty(&record)?)?;
    }
    Ok(())
}

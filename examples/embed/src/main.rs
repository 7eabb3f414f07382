//! A program with Lifehub inside: it syncs one provider into a store of its own, and shows what came.
//!
//! `cargo run -p embed` needs no account: the provider is a simulated Strava on this machine. The lines that say
//! "Simulated" are those that a real program leaves out; all others it needs as they stand.

use std::collections::BTreeMap;
use std::error::Error;
use std::io::{Write, stdout};
use std::sync::Arc;
use std::time::SystemTime;

use lifehub_core::clock::Zone;
use lifehub_core::engine::{Engine, Operator, ProviderSettings, SyncOptions};
use lifehub_core::http::ReqwestTransport;
use lifehub_core::record::datasets::Workout;
use lifehub_core::registry::Registry;
use lifehub_store::{KeySource, NewConnection, OpenOptions, RecordQuery, Store};
use lifehub_strava::Strava;
use lifehub_strava::simulator::account;
use lifehub_testkit::{Server, Setup};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    // Simulated: two years of a made-up athlete, and where to reach them. A real program has a token from its user,
    // `Credentials::none().with("access_token", token)`, and the connector knows the address.
    let athlete = account(&Setup::new(1, SystemTime::now().into()));
    let server = Server::start(athlete.clone())?;
    let access = athlete.access(&server.url());
    let mut simulated = ProviderSettings::default();
    simulated.base_url = access.base_url.map(|url| url.parse()).transpose()?;

    // Simulated: it vanishes with the program. A real one names files: "life.db", `KeySource::File("life.key".into())`.
    let store = Store::open("sqlite::memory:", OpenOptions::new(KeySource::Ephemeral)).await?;
    let user = store.create_user("you@example.org", &Zone::system()).await?;
    let (id, _) = store.connect(NewConnection::new(user, "strava", access.credentials)).await?;

    let registry = Registry::new().with(Strava);
    let engine = Engine::builder(registry, Arc::new(store.clone()), Arc::new(ReqwestTransport::new()?))
        .operator(Operator::default().with("strava", simulated)) // Simulated.
        .build();

    let mut out = stdout();
    let connection = store.connection(id).await?.connection;
    for name in ["first", "second"] {
        let report = engine.sync(&connection, &SyncOptions::default()).await?;
        let (pages, new) = (report.totals().pages, report.totals().inserted);
        writeln!(out, "The {name} sync: {pages} pages, {new} new records")?;
        // What stops one stream lets the others go on: it is no error of the sync, and stands in the report.
        for error in report.streams.iter().filter_map(|stream| stream.error.as_ref()) {
            writeln!(out, "  {} {}", error.message, error.hint.as_deref().unwrap_or_default())?;
        }
    }

    // Whatever the provider, a record of the dataset `workout` has a body of that type.
    let newest = RecordQuery { limit: 5, newest_first: true, ..RecordQuery::default() };
    for record in store.records(user, &newest).await?.items {
        let Workout { sport, name, .. } = serde_json::from_str(record.body.get())?;
        writeln!(out, "{} {sport}: {}", record.day, name.unwrap_or_default())?;
    }

    // Roll-ups are kept by day; weeks, months and years are sums of them.
    let mut months = BTreeMap::new();
    let (from, to) = ("2000-01-01".parse()?, "2100-01-01".parse()?);
    for row in store.rollups(user, "workout.distance", from, to).await? {
        *months.entry(row.day.to_string()[..7].to_owned()).or_insert(0.0) += row.tally.sum / 1000.0;
    }
    for (month, km) in months {
        writeln!(out, "{month} {km:7.1} km")?;
    }
    Ok(())
}

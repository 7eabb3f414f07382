//! The sync that is measured: the engine, Strava's connector and the store, as an embedder puts them together and as
//! the program `lifehub` runs them.

use std::sync::Arc;

use lifehub_core::clock::Zone;
use lifehub_core::engine::{
    Connection, Counts, Engine, Operator, ProviderSettings, QuotaSetting, Report, RunStatus, SyncOptions,
};
use lifehub_core::http::ReqwestTransport;
use lifehub_core::registry::Registry;
use lifehub_core::secret::{Credentials, Secret};
use lifehub_store::{ConnectionFilter, KeySource, NewConnection, OpenOptions, Store};
use lifehub_strava::Strava;
use lifehub_strava::simulator::StravaSimulator;

use crate::cli::{Pass, Place, ReadArgs};
use crate::process::Told;
use crate::{Outcome, runtime};

/// Syncs once.
pub(crate) fn run(args: &ReadArgs) -> Outcome<Told> {
    let counts = runtime()?.block_on(sync(args))?;
    Told::now(counts.inserted + counts.unchanged, counts.pages)
}

async fn sync(args: &ReadArgs) -> Outcome<Counts> {
    let store = open(&args.place).await?;
    let connection = connection(&store).await?;
    let mut settings = ProviderSettings::default();
    settings.base_url = Some(args.url.parse()?);
    settings.quotas = Some(QuotaSetting::List(Vec::new()));
    let registry = Registry::new().with(Strava);
    let engine = Engine::builder(registry, Arc::new(store.clone()), Arc::new(ReqwestTransport::new()?))
        .operator(Operator::default().with("strava", settings))
        .build();
    let mut options = SyncOptions::default();
    options.full = args.pass == Pass::Full;
    let report = engine.sync(&connection, &options).await?;
    store.close().await?;
    check(&report, args)
}

/// The store at that place, as `lifehub` opens its own.
pub(crate) async fn open(place: &Place) -> Outcome<Store> {
    let file = place.dir.join("lifehub.db").display().to_string();
    let key = KeySource::File(place.dir.join("master.key"));
    Ok(Store::open(place.postgres.as_ref().unwrap_or(&file), OpenOptions::new(key)).await?)
}

async fn connection(store: &Store) -> Outcome<Connection> {
    let found = store.connections(ConnectionFilter::default()).await?.pop();
    if let Some(info) = found {
        return Ok(info.connection);
    }
    let user = store.create_user("bench@example.org", &Zone::utc()).await?;
    let credentials = Credentials::none().with("access_token", Secret::new(StravaSimulator::TOKEN));
    let (id, _) = store.connect(NewConnection::new(user, "strava", credentials)).await?;
    Ok(store.connection(id).await?.connection)
}

/// A run that did something else than its pass must not count as fast.
fn check(report: &Report, args: &ReadArgs) -> Outcome<Counts> {
    let counts = report.totals();
    let Counts { inserted, unchanged, updated, deleted, quarantined, held, .. } = counts;
    let read = match args.pass {
        Pass::First => inserted == args.items && unchanged == 0,
        Pass::Live => inserted == 0 && unchanged > 0,
        // The live pass that goes before it reads the latest items once more.
        Pass::Full => inserted == 0 && unchanged >= args.items,
    };
    let sound = report.status == RunStatus::Ok && updated + deleted + quarantined + held == 0;
    if read && sound {
        return Ok(counts);
    }
    Err(format!("{:?} of {} items: {}", args.pass, args.items, serde_json::to_string(report)?).into())
}

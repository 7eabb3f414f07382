//! Runs over connections, one after another: what `sync` and `replay` share.

use std::sync::Arc;
use std::time::Instant;

use lifehub_core::connector::Manifest;
use lifehub_core::engine::{Connection, Engine, Report, RunStatus, Runs, SyncOptions};
use lifehub_core::record::ConnectionId;
use lifehub_core::{Error, ErrorKind, Result};
use lifehub_store::{ConnectionFilter, ConnectionInfo, ConnectionStatus, Store};

use super::user::named;
use crate::app::App;
use crate::cli::Selection;
use crate::failure::{Exit, Outcome, wrong};
use crate::network;
use crate::progress;
use crate::report::{Summary, not_run};
use crate::signals::Stopper;

/// What is done with each connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Task {
    Sync,
    Replay,
}

pub(super) async fn run(
    app: &App,
    task: Task,
    mut options: SyncOptions,
    selection: &Selection,
    user: Option<&str>,
    json: bool,
) -> Outcome {
    let ids = ids(selection)?;
    let store = match app.place.open_existing().await? {
        Some(store) => store,
        None if selection.all && user.is_none() => return nothing(app, json),
        None => return Err(app.place.no_data().into()),
    };
    let chosen = choose(app, &store, ids, user).await?;
    if chosen.is_empty() {
        store.close().await?;
        return nothing(app, json);
    }
    let transport = match task {
        Task::Sync => network::online(),
        Task::Replay => Ok(network::offline()),
    };
    let engine = transport.map(|transport| app.engine(Arc::new(store.clone()), transport));
    let stopper = Stopper::listen(&app.out);
    options.cancel = stopper.cancel();
    let summary = each(app, &engine, &store, task, &chosen, &options).await;
    close(app, &store).await;
    let printed = if json { app.out.json(&summary) } else { app.out.print(&summary.table()) };
    end(app, &stopper, &summary, printed)
}

/// Runs over these connections, one after another. Without an engine, every report has its error.
pub(super) async fn each(
    app: &App,
    engine: &Result<Engine>,
    store: &Store,
    task: Task,
    connections: &[Connection],
    options: &SyncOptions,
) -> Summary {
    let mut summary = Summary::default();
    for connection in connections {
        let report = match engine {
            Ok(engine) => one(app, engine, task, connection, options).await,
            Err(error) => not_run(connection, manifest(app, connection), Some(error)),
        };
        if report.status == RunStatus::Parked {
            tell_resume(app, store, connection).await;
        }
        summary.add(report);
    }
    summary
}

/// Closes the store. What is told does not hang on a last clean-up.
pub(super) async fn close(app: &App, store: &Store) {
    if let Err(error) = store.close().await {
        app.out.warn(&format!("the database did not close cleanly: {error}"));
    }
}

/// Tells what needs a person, and how the command ends.
pub(super) fn end(app: &App, stopper: &Stopper, summary: &Summary, printed: Outcome<()>) -> Outcome {
    summary.tell(&app.out);
    let exit = match stopper.got() {
        Some(signal) => Exit::Stopped(signal),
        None if summary.failed() => Exit::Failed,
        None => Exit::Done,
    };
    // A reader that left early makes no success of a failed run.
    if exit == Exit::Done { printed.map(|()| exit) } else { Ok(exit) }
}

/// The ids that were named; `None` for all.
fn ids(selection: &Selection) -> Result<Option<Vec<ConnectionId>>> {
    if selection.all {
        return Ok(None);
    }
    let mut ids: Vec<ConnectionId> = Vec::new();
    for text in &selection.connections {
        let id = id(text)?;
        if !ids.contains(&id) {
            ids.push(id);
        }
    }
    Ok(Some(ids))
}

const LISTED: &str = "`lifehub connections` lists them";

/// Reads the id of a connection.
pub(super) fn id(text: &str) -> Result<ConnectionId> {
    text.parse().map_err(|e: Error| e.hint(LISTED))
}

/// The connection of that id.
///
/// # Errors
/// If there is none.
pub(super) async fn connection(store: &Store, id: ConnectionId) -> Result<ConnectionInfo> {
    let filter = ConnectionFilter { user: None, id: Some(id) };
    store.connections(filter).await?.pop().ok_or_else(|| not_there(id))
}

/// The error of an id that is no connection's.
pub(super) fn not_there(id: ConnectionId) -> Error {
    wrong(format!("there is no connection {id}")).hint(LISTED)
}

async fn choose(
    app: &App,
    store: &Store,
    ids: Option<Vec<ConnectionId>>,
    user: Option<&str>,
) -> Result<Vec<Connection>> {
    let filter = match user {
        Some(email) => ConnectionFilter::of_user(named(store, email).await?.id),
        None => ConnectionFilter::default(),
    };
    let all = store.connections(filter).await?;
    let Some(ids) = ids else {
        let due = |info: &ConnectionInfo| {
            // Its user may have ended it.
            is_on(app, &info.connection.provider) && info.status != ConnectionStatus::Disconnected
        };
        return Ok(all.into_iter().filter(due).map(|info| info.connection).collect());
    };
    let find = |id: ConnectionId| {
        let found = all.iter().find(|info| info.connection.id == id).map(|info| info.connection.clone());
        found.ok_or_else(|| not_there(id))
    };
    ids.into_iter().map(find).collect()
}

/// Whether the operator lets a provider be synced; says so if not.
pub(super) fn is_on(app: &App, provider: &str) -> bool {
    let enabled = app.configuration.operator.of(provider).enabled;
    if !enabled {
        app.out.note(&format!("{provider}: left out, the provider is switched off in the configuration"));
    }
    enabled
}

fn nothing(app: &App, json: bool) -> Outcome {
    if json {
        app.out.json(&Summary::default())?;
    }
    app.out.note("there are no connections");
    app.out.hint("connect an account first: lifehub connect PROVIDER --user EMAIL");
    Ok(Exit::Done)
}

fn manifest<'a>(app: &'a App, connection: &Connection) -> Option<&'a Manifest> {
    app.registry.get(&connection.provider).ok().map(|connector| connector.manifest())
}

/// The report of one connection, whatever became of it.
async fn one(
    app: &App,
    engine: &Engine,
    task: Task,
    connection: &Connection,
    options: &SyncOptions,
) -> Report {
    let manifest = manifest(app, connection);
    if options.cancel.is_cancelled() {
        return not_run(connection, manifest, None);
    }
    let started = Instant::now();
    let run = async {
        match task {
            Task::Sync => engine.sync(connection, options).await,
            Task::Replay => engine.replay(connection, options).await,
        }
    };
    let result = progress::watch(&app.out, engine, connection, run).await;
    let error = match result {
        Ok(report) => return report,
        Err(error) if error.kind() == ErrorKind::Cancelled => None,
        Err(error) => Some(error),
    };
    let mut report = not_run(connection, manifest, error.as_ref());
    report.duration_ms = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
    if let (true, Some(error)) = (report.streams.is_empty(), &error) {
        // No stream is there to carry it.
        app.out.error(error);
    }
    report
}

async fn tell_resume(app: &App, store: &Store, connection: &Connection) {
    let run = store.latest(connection.id).await.ok().flatten();
    if let Some(at) = run.and_then(|run| run.resume_at) {
        let provider = &connection.provider;
        app.out.note(&format!("{provider}: the provider's quota is spent; a sync goes on from {at}"));
    }
}

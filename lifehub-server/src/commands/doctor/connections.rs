//! How the connections stand: credentials, last runs, quarantine.

use std::time::Duration;

use lifehub_core::Result;
use lifehub_core::clock::{Clock, SystemClock};
use lifehub_core::engine::{RunEntry, RunStatus, Runs};
use lifehub_store::{ConnectionFilter, ConnectionInfo, ConnectionStatus, Store};

use super::Check;
use crate::app::App;
use crate::commands::connections::consent_ends;

/// How long before its end a consent is worth a warning.
const SOON: Duration = Duration::from_secs(14 * 86_400);

/// The most items in quarantine that are counted.
const COUNTED: u32 = 500;

pub(super) async fn look(app: &App, store: &Store) -> Result<Vec<Check>> {
    let all = store.connections(ConnectionFilter::default()).await?;
    if all.is_empty() {
        return Ok(vec![Check::warn(
            "connections",
            "there are none",
            "connect an account: lifehub connect PROVIDER --user EMAIL",
        )]);
    }
    let mut checks = Vec::new();
    for info in all.iter().filter(|info| info.status != ConnectionStatus::Disconnected) {
        let last = store.latest(info.connection.id).await?;
        checks.push(state(app, info, last.as_ref()));
        checks.extend(consent(app, store, info).await);
        checks.extend(quarantine(store, info).await?);
    }
    Ok(checks)
}

fn state(
    app: &App,
    ConnectionInfo { connection, status, .. }: &ConnectionInfo,
    last: Option<&RunEntry>,
) -> Check {
    let name = format!("connection to {}", connection.provider);
    let id = connection.id;
    if app.registry.get(&connection.provider).is_err() {
        return Check::warn(
            name,
            format!("{id}: this version has no such provider"),
            "`lifehub connectors list` shows those it has",
        );
    }
    if *status == ConnectionStatus::ReconnectRequired {
        let again = format!("connect it again: lifehub connect {} --user EMAIL", connection.provider);
        return Check::warn(name, format!("{id}: the provider refuses its credentials"), again);
    }
    let Some(run) = last else {
        return Check::ok(name, format!("{id}: never synced"));
    };
    let when = run.finished_at.unwrap_or(run.started_at);
    let sync = format!("lifehub sync --connection {id}");
    match run.report.status {
        RunStatus::Failed => {
            let error = run.report.streams.iter().find_map(|stream| stream.error.as_ref());
            let message = error.map(|error| format!(": {}", error.message)).unwrap_or_default();
            let hint = error.and_then(|error| error.hint.clone()).unwrap_or(sync);
            Check::warn(name, format!("{id}: the last run failed at {when}{message}"), hint)
        }
        _ if run.report.totals().held > 0 => Check::warn(
            name,
            format!("{id}: {} deletes are held", run.report.totals().held),
            format!("if they are really gone: {sync} --accept-deletes"),
        ),
        _ => Check::ok(name, format!("{id}: last run at {when}")),
    }
}

/// A consent that ends soon: who connects the account again before that loses no day.
async fn consent(app: &App, store: &Store, info: &ConnectionInfo) -> Option<Check> {
    let ends = consent_ends(app, store, info).await?;
    let (provider, id) = (&info.connection.provider, info.connection.id);
    let name = format!("consent of {provider}");
    let message = format!("{id}: it ends on {}, however often it is used", ends.utc_day());
    let again = format!("connect the account again before: lifehub connect {provider} --connection {id}");
    Some(match ends < SystemClock::default().now() + SOON {
        true => Check::warn(name, message, again),
        false => Check::ok(name, message),
    })
}

async fn quarantine(
    store: &Store,
    ConnectionInfo { connection, .. }: &ConnectionInfo,
) -> Result<Option<Check>> {
    let found = store.quarantine(connection.id, COUNTED).await?;
    let Some(first) = found.first() else { return Ok(None) };
    let count = match found.len() {
        n if n < COUNTED as usize => n.to_string(),
        n => format!("{n} or more"),
    };
    Ok(Some(Check::warn(
        format!("quarantine of {}", connection.provider),
        format!(
            "{}: {count} items could not be read, one of {}: {}",
            connection.id, first.stream, first.reason
        ),
        "an update of Lifehub tries them again; their last good records stay",
    )))
}

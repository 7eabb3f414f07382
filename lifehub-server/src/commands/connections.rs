//! `lifehub connections`: which accounts are connected, and how they stand.

use lifehub_core::clock::Timestamp;
use lifehub_core::engine::{RunEntry, RunStatus, Runs};
use lifehub_core::oauth::Vault;
use lifehub_core::record::ConnectionId;
use lifehub_store::{ConnectionFilter, ConnectionInfo, ConnectionStatus, Store};
use serde::Serialize;

use super::user::named;
use crate::app::App;
use crate::cli::ConnectionsArgs;
use crate::failure::{Exit, Outcome};
use crate::table::Table;

/// One connection in the list.
#[derive(Debug, Serialize)]
struct Row {
    id: ConnectionId,
    user: String,
    provider: String,
    account: Option<String>,
    status: ConnectionStatus,
    /// When the user's consent ends, however often it is used; absent if it does not.
    #[serde(skip_serializing_if = "Option::is_none")]
    consent_ends_at: Option<Timestamp>,
    last_run: Option<LastRun>,
    /// When a worker syncs it next; none if that is at once, or never as its user ended it.
    next_at: Option<Timestamp>,
}

#[derive(Debug, Serialize)]
struct LastRun {
    status: RunStatus,
    started_at: Timestamp,
    finished_at: Option<Timestamp>,
    resume_at: Option<Timestamp>,
}

impl From<RunEntry> for LastRun {
    fn from(run: RunEntry) -> Self {
        Self {
            status: run.report.status,
            started_at: run.started_at,
            finished_at: run.finished_at,
            resume_at: run.resume_at,
        }
    }
}

pub(crate) async fn run(app: &App, args: ConnectionsArgs) -> Outcome {
    let store = app.place.open_to_read().await?;
    let users = match &args.user {
        Some(email) => vec![named(&store, email).await?],
        None => store.users().await?,
    };
    let mut rows = Vec::new();
    for user in users {
        for info in store.connections(ConnectionFilter::of_user(user.id)).await? {
            let consent_ends_at = consent_ends(app, &store, &info).await;
            let latest = store.latest(info.connection.id).await?;
            let due = latest.as_ref().map(|run| run.dues.first()).filter(|due| *due > Timestamp::EPOCH);
            rows.push(Row {
                id: info.connection.id,
                user: user.email.clone(),
                provider: info.connection.provider,
                account: info.connection.account,
                status: info.status,
                consent_ends_at,
                next_at: due.filter(|_| info.status != ConnectionStatus::Disconnected),
                last_run: latest.map(LastRun::from),
            });
        }
    }
    store.close().await?;
    if args.json.json {
        app.out.json(&rows)?;
    } else if rows.is_empty() {
        app.out.note("there are no connections");
        app.out.hint("connect an account first: lifehub connect PROVIDER --user EMAIL");
    } else {
        app.out.print(&table(rows).to_string())?;
    }
    Ok(Exit::Done)
}

/// When the consent of a connection ends, if its provider ends it by itself.
pub(super) async fn consent_ends(
    app: &App,
    store: &Store,
    ConnectionInfo { connection, status, .. }: &ConnectionInfo,
) -> Option<Timestamp> {
    let connector = app.registry.get(&connection.provider).ok()?;
    let spec = connector.manifest().auth.oauth.as_ref()?;
    if spec.consent_life.is_none() || *status != ConnectionStatus::Active {
        return None;
    }
    spec.consent_ends(&store.credentials(connection.id).await.ok()?.credentials)
}

fn table(rows: Vec<Row>) -> Table {
    let mut table = Table::new(&["ID", "PROVIDER", "ACCOUNT", "STATUS", "LAST RUN", "NEXT RUN", "USER"]);
    for row in rows {
        let last_run = row.last_run.map(|run| format!("{} {}", word(run.status), run.started_at));
        let next_run = match row.next_at {
            Some(at) => at.to_string(),
            None if row.status == ConnectionStatus::Disconnected => "never".into(),
            None => "at once".into(),
        };
        table.row([
            row.id.to_string(),
            row.provider,
            row.account.unwrap_or_default(),
            match row.consent_ends_at {
                Some(at) => format!("{} until {}", row.status.as_str(), at.utc_day()),
                None => row.status.as_str().replace('_', " "),
            },
            last_run.unwrap_or_else(|| "never".into()),
            next_run,
            row.user,
        ]);
    }
    table
}

pub(super) fn word(status: RunStatus) -> &'static str {
    match status {
        RunStatus::Running => "running",
        RunStatus::Ok => "ok",
        RunStatus::Incomplete => "incomplete",
        RunStatus::Parked => "parked",
        RunStatus::Failed => "failed",
        _ => "unknown",
    }
}

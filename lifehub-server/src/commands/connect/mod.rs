//! `lifehub connect`: an account of a user at a provider. Nothing is saved before all of it is right.

mod attempt;
mod browser;
mod door;
mod input;
mod owner;
mod page;

use std::sync::Arc;

use lifehub_core::Result;
use lifehub_core::connector::Manifest;
use lifehub_core::engine::Storage;
use lifehub_core::memory::MemoryStore;
use lifehub_core::record::ConnectionId;
use lifehub_store::Store;
use serde::Serialize;

use super::runs;
use crate::app::App;
use crate::cli::ConnectArgs;
use crate::failure::{Exit, Outcome, wrong};
use crate::network;
use crate::signals::Signals;
use attempt::Attempt;
use input::Input;

/// What was saved.
#[derive(Debug, Serialize)]
struct Connected<'a> {
    id: ConnectionId,
    provider: &'a str,
    user: &'a str,
    account: Option<&'a str>,
    title: Option<&'a str>,
    created: bool,
    checked: bool,
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    missing_scopes: &'a [String],
}

pub(crate) async fn run(app: &App, args: ConnectArgs) -> Outcome {
    let existing = app.place.open_existing().await?;
    let done = connect(app, existing.as_ref(), args).await;
    if let Some(store) = existing {
        runs::close(app, &store).await;
    }
    done
}

async fn connect(app: &App, store: Option<&Store>, args: ConnectArgs) -> Outcome {
    let ConnectArgs { provider, user, connection, settings, secrets, port, no_check, json } = args;
    let manifest = manifest(app, &provider)?;
    let mut owner = owner::find(store, manifest, user.as_deref(), connection.as_deref()).await?;
    let Input { settings, credentials, by_consent } =
        input::read(manifest, settings, secrets, owner.kept.take())?;
    if by_consent && no_check {
        let text = "--no-check goes with --secret: after a consent the provider is always asked";
        return Err(wrong(text).into());
    }
    // The quota that a question spends is counted where there is a place for it; nothing is made for it.
    let storage: Arc<dyn Storage> = match store {
        Some(store) => Arc::new(store.clone()),
        None => Arc::new(MemoryStore::new()),
    };
    let engine = app.engine(storage, network::online()?);
    let mut attempt =
        Attempt { app, store, engine: &engine, manifest, owner: &owner, signals: Signals::listen() };
    let (saved, missing_scopes) = match by_consent {
        true => attempt.by_consent(port, settings, credentials).await?,
        false => (attempt.by_credentials(no_check, settings, credentials).await?, Vec::new()),
    };
    let connected = Connected {
        id: saved.id,
        provider: manifest.id,
        user: &owner.email,
        account: saved.identity.as_ref().map(|identity| identity.account.as_str()),
        title: saved.identity.as_ref().and_then(|identity| identity.title.as_deref()),
        created: saved.created,
        checked: saved.identity.is_some(),
        missing_scopes: &missing_scopes,
    };
    if json.json {
        app.out.json(&connected)?;
    } else {
        app.out.print(&told(&connected, manifest))?;
    }
    Ok(Exit::Done)
}

/// The provider, if it is offered here.
fn manifest<'a>(app: &'a App, provider: &str) -> Result<&'a Manifest> {
    let manifest = app.registry.get(provider)?.manifest();
    match app.configuration.operator.of(provider).enabled {
        true => Ok(manifest),
        false => Err(wrong(format!("the provider {provider:?} is switched off"))
            .hint(format!("set providers.{provider}.enabled = true in the configuration"))),
    }
}

fn told(connected: &Connected<'_>, manifest: &Manifest) -> String {
    let account = attempt::account(connected.account, connected.title);
    let verb = if connected.created { "connected" } else { "renewed the connection to" };
    let id = connected.id;
    format!("{verb} {}{account}\nconnection {id}\nnext: lifehub sync --connection {id}", manifest.title)
}

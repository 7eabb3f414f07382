//! `lifehub disconnect`: gives the consent back and ends a connection. Its data stays.

use std::sync::Arc;
use std::time::Duration;

use lifehub_core::Result;
use lifehub_core::connector::Manifest;
use lifehub_core::oauth::{RefreshClaim, Vault};
use lifehub_core::record::ConnectionId;
use lifehub_store::{ConnectionInfo, ConnectionStatus, Store};
use serde::Serialize;

use super::{consent, runs};
use crate::app::App;
use crate::cli::DisconnectArgs;
use crate::failure::{Exit, Outcome};
use crate::network;

/// How often it looks whether a renewal that is under way has ended.
const POLL: Duration = Duration::from_millis(50);

/// What became of the consent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
enum Consent {
    /// The provider knows it no more.
    GivenBack,
    /// It stands as before: so it was asked for, or the provider did not take it back.
    Kept,
    /// There was none: the provider asks for none, or the connection was ended before.
    None,
}

/// What was done.
#[derive(Debug, Serialize)]
struct Disconnected<'a> {
    id: ConnectionId,
    provider: &'a str,
    account: Option<&'a str>,
    consent: Consent,
}

pub(crate) async fn run(app: &App, args: DisconnectArgs) -> Outcome {
    let id = runs::id(&args.connection)?;
    let store = app.place.open_existing().await?.ok_or_else(|| runs::not_there(id))?;
    let done = disconnect(app, &store, id, &args).await;
    runs::close(app, &store).await;
    done
}

async fn disconnect(app: &App, store: &Store, id: ConnectionId, args: &DisconnectArgs) -> Outcome {
    let ConnectionInfo { connection, status, .. } = runs::connection(store, id).await?;
    let manifest = app.registry.get(&connection.provider).ok().map(|connector| connector.manifest());
    let title = manifest.map_or(connection.provider.as_str(), |manifest| manifest.title);
    let asks = manifest.is_some_and(|manifest| manifest.auth.oauth.is_some());
    let consent = match manifest {
        _ if status == ConnectionStatus::Disconnected || !asks => Consent::None,
        Some(manifest) if !args.keep_consent => match give_back(app, store, manifest, id).await {
            Ok(()) => Consent::GivenBack,
            Err(error) => {
                app.out.warn(&format!("{title} did not take the consent back: {error}"));
                app.out.hint(consent::BY_HAND);
                Consent::Kept
            }
        },
        _ => Consent::Kept,
    };
    store.disconnect(id).await?;
    let account = connection.account.as_deref();
    if args.json.json {
        let provider = &connection.provider;
        app.out.json(&Disconnected { id, provider, account, consent })?;
        return Ok(Exit::Done);
    }
    let named = account.map(|account| format!(", account {account}")).unwrap_or_default();
    let verb =
        if status == ConnectionStatus::Disconnected { "was disconnected before:" } else { "disconnected" };
    let told = match consent {
        Consent::GivenBack => "\nthe consent is given back, its credentials are deleted",
        Consent::Kept => "\nits credentials are deleted; the consent at the provider stands",
        Consent::None => "",
    };
    app.out.print(&format!(
        "{verb} {title}{named}{told}\nwhat is stored stays; to go on: lifehub connect {} --connection {id}",
        connection.provider
    ))?;
    Ok(Exit::Done)
}

async fn give_back(app: &App, store: &Store, manifest: &Manifest, id: ConnectionId) -> Result<()> {
    let engine = app.engine(Arc::new(store.clone()), network::online()?);
    let client = engine.oauth(manifest.id)?;
    // Nobody renews them meanwhile: what a worker got then would outlive the consent.
    let credentials = loop {
        let held = store.credentials(id).await?;
        match store.claim_refresh(id, held.revision, client.time_limit() * 4).await? {
            RefreshClaim::Held(_) => break held.credentials,
            RefreshClaim::Busy => tokio::time::sleep(POLL).await,
            RefreshClaim::Stale => {}
        }
    };
    consent::give_back(&client, &credentials).await
}

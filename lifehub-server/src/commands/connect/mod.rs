//! `lifehub connect`: an account of a user at a provider. Nothing is saved before all of it is right.

mod browser;
mod door;
mod input;
mod owner;
mod page;

use std::sync::Arc;

use lifehub_core::connector::{Identity, Manifest};
use lifehub_core::engine::{Engine, Storage};
use lifehub_core::memory::MemoryStore;
use lifehub_core::oauth::OAuthClient;
use lifehub_core::record::ConnectionId;
use lifehub_core::secret::Credentials;
use lifehub_core::{Error, ErrorKind, Result};
use lifehub_store::{ConnectionFilter, ConnectionInfo, ConnectionStatus, NewConnection, Store};
use serde::Serialize;
use serde_json::Value;

use super::consent;
use super::runs;
use crate::app::App;
use crate::cli::ConnectArgs;
use crate::failure::{Exit, Outcome, wrong};
use crate::network;
use crate::signals::Signals;
use browser::Question;
use input::Input;
use owner::Owner;
use page::Page;

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

/// What is to be saved, once the provider has said whose it is.
struct Wanted<'a> {
    app: &'a App,
    /// The store, if it is there already.
    store: Option<&'a Store>,
    engine: &'a Engine,
    manifest: &'a Manifest,
    owner: &'a Owner,
    settings: &'a Value,
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
    let Input { settings, mut credentials, by_consent } =
        input::read(manifest, settings, secrets, owner.kept.take())?;
    // The quota that a question spends is counted where there is a place for it; nothing is made for it.
    let storage: Arc<dyn Storage> = match store {
        Some(store) => Arc::new(store.clone()),
        None => Arc::new(MemoryStore::new()),
    };
    let engine = app.engine(storage, network::online()?);
    let mut signals = Signals::listen();
    let wanted = Wanted { app, store, engine: &engine, manifest, owner: &owner, settings: &settings };
    let mut asked = None;
    let mut missing_scopes = Vec::new();
    if by_consent {
        if no_check {
            return Err(
                wrong("--no-check goes with --secret: after a consent the provider is always asked").into()
            );
        }
        let client = engine.oauth(manifest.id).map_err(|error| other_way(&error))?;
        let question = Question { manifest, user: owner.id, renew: owner.renew, port: port.unwrap_or(0) };
        let (authorized, browser) = or_stop(&mut signals, browser::ask(&app.out, &client, question)).await?;
        credentials = authorized.tokens.into_credentials(&credentials);
        missing_scopes = authorized.missing_scopes;
        asked = Some((client, browser));
    }
    let identity = match no_check {
        true => Ok(None),
        false => or_stop(&mut signals, wanted.check(credentials.clone())).await,
    };
    let account = identity.as_ref().ok().and_then(Option::as_ref).map(|identity| identity.account.clone());
    let saved = match identity {
        Ok(identity) => wanted.save(identity, credentials.clone()).await,
        Err(error) => Err(error),
    };
    if let Some((client, browser)) = asked {
        match &saved {
            Ok((_, _, identity)) => {
                let title = identity.as_ref().and_then(|identity| identity.title.as_deref());
                let account = account_of(account.as_deref(), title);
                browser.show(Page::connected(&format!("{}{account}", manifest.title))).await;
            }
            Err(error) => {
                browser.show(Page::not_connected(error)).await;
                let giving = wanted.give_back(&client, &credentials, account.as_deref());
                // Nobody waits for it a second time.
                tokio::select! {
                    () = giving => {}
                    _ = signals.next() => {}
                }
            }
        }
    }
    let (id, created, identity) = saved?;
    let connected = Connected {
        id,
        provider: manifest.id,
        user: &owner.email,
        account: identity.as_ref().map(|identity| identity.account.as_str()),
        title: identity.as_ref().and_then(|identity| identity.title.as_deref()),
        created,
        checked: identity.is_some(),
        missing_scopes: &missing_scopes,
    };
    if json.json {
        app.out.json(&connected)?;
    } else {
        app.out.print(&told(&connected, manifest))?;
    }
    if !missing_scopes.is_empty() {
        app.out.warn(&format!(
            "{} did not grant all: {} is missing",
            manifest.title,
            missing_scopes.join(", ")
        ));
        app.out.hint(&format!(
            "what needs it cannot be read; to grant it, leave every box ticked: lifehub connect {} --connection {id}",
            manifest.id
        ));
    }
    Ok(Exit::Done)
}

/// Waits for what a provider or a user says, unless a signal comes.
async fn or_stop<T>(signals: &mut Signals, wait: impl Future<Output = Result<T>>) -> Result<T> {
    tokio::select! {
        done = wait => done,
        _ = signals.next() => Err(Error::new(ErrorKind::Cancelled, "stopped, nothing was saved")),
    }
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

/// The error of a provider without an app: there is another way.
fn other_way(error: &Error) -> Error {
    let own = "or give a token that you have: --secret access_token";
    let hint = error.get_hint().map_or_else(|| own.to_owned(), |hint| format!("{hint}; {own}"));
    error.clone().hint(hint)
}

impl Wanted<'_> {
    /// Asks the provider whose account it is. A server that lacks the question leaves it unanswered.
    async fn check(&self, credentials: Credentials) -> Result<Option<Identity>> {
        match self.engine.identify(self.manifest.id, self.settings, credentials).await {
            Ok(identity) => Ok(Some(identity)),
            Err(error) if error.kind() == ErrorKind::NotFound => {
                self.app
                    .out
                    .warn(&format!("the account could not be checked, and is saved as it is: {error}"));
                Ok(None)
            }
            Err(error) => Err(refused(self.manifest, &error)),
        }
    }

    /// Saves the connection, and makes its user if there is none.
    async fn save(
        &self,
        identity: Option<Identity>,
        credentials: Credentials,
    ) -> Result<(ConnectionId, bool, Option<Identity>)> {
        let made = match self.store {
            Some(_) => None,
            None => Some(self.app.place.open_or_make().await?),
        };
        let store = self.store.or(made.as_ref()).ok_or_else(|| self.app.place.no_data())?;
        let user = match self.owner.id {
            Some(user) => user,
            None => owner::make(&self.app.out, store, &self.owner.email).await?,
        };
        let account = identity.as_ref().map(|identity| identity.account.clone());
        let new = NewConnection {
            account,
            renew: self.owner.renew,
            settings: self.settings.clone(),
            ..NewConnection::new(user, self.manifest.id, credentials)
        };
        let saved = store.connect(new).await;
        if let Some(made) = made {
            runs::close(self.app, &made).await;
        }
        saved.map(|(id, created)| (id, created, identity))
    }

    /// Gives a consent back that nobody keeps, unless another connection may live by it: some providers end all that
    /// they granted for an account at once.
    async fn give_back(&self, client: &OAuthClient, credentials: &Credentials, account: Option<&str>) {
        let others = match self.store {
            Some(store) => store.connections(ConnectionFilter::default()).await.unwrap_or_default(),
            None => Vec::new(),
        };
        let may_live_by_it = |info: &ConnectionInfo| {
            let other = info.connection.account.as_deref();
            info.connection.provider == self.manifest.id
                && info.status != ConnectionStatus::Disconnected
                && (account.is_none() || other.is_none() || account == other)
        };
        if others.iter().any(may_live_by_it) {
            return;
        }
        let title = self.manifest.title;
        match consent::give_back(client, credentials).await {
            Ok(()) => self.app.out.note(&format!("the consent was given back to {title}")),
            Err(error) => {
                self.app.out.warn(&format!("the consent could not be given back to {title}: {error}"));
                self.app.out.hint("remove the app in the account's settings at the provider");
            }
        }
    }
}

fn refused(manifest: &Manifest, error: &Error) -> Error {
    let text = format!("{} did not confirm the account, nothing was saved: {error}", manifest.title);
    let unchecked = "--no-check saves without asking";
    let hint = match error.get_hint() {
        Some(hint) if error.is_temporary() => format!("{hint}; {unchecked}"),
        Some(hint) => hint.to_owned(),
        None if matches!(error.kind(), ErrorKind::Unauthorized | ErrorKind::Forbidden) => {
            "check the credentials, and that they have not expired".to_owned()
        }
        None => unchecked.to_owned(),
    };
    Error::new(error.kind(), text).hint(hint)
}

fn told(connected: &Connected<'_>, manifest: &Manifest) -> String {
    let account = account_of(connected.account, connected.title);
    let verb = if connected.created { "connected" } else { "renewed the connection to" };
    let id = connected.id;
    format!("{verb} {}{account}\nconnection {id}\nnext: lifehub sync --connection {id}", manifest.title)
}

fn account_of(account: Option<&str>, title: Option<&str>) -> String {
    match (account, title) {
        (Some(account), Some(title)) => format!(": {title} (account {account})"),
        (Some(account), None) => format!(": account {account}"),
        _ => ", unchecked".to_owned(),
    }
}

//! One attempt to connect: whose account it is, and what becomes of a consent that nobody keeps.

use lifehub_core::connector::{AuthKind, Identity, Manifest};
use lifehub_core::engine::Engine;
use lifehub_core::oauth::OAuthClient;
use lifehub_core::record::ConnectionId;
use lifehub_core::secret::Credentials;
use lifehub_core::{Error, ErrorKind, Result};
use lifehub_store::{ConnectionFilter, ConnectionInfo, ConnectionStatus, NewConnection, Store};
use serde_json::Value;

use super::browser::{self, Question};
use super::owner::{self, Owner};
use super::page::Page;
use crate::app::App;
use crate::commands::{consent, runs};
use crate::signals::Signals;

/// What it takes.
pub(super) struct Attempt<'a> {
    pub(super) app: &'a App,
    /// The store, if it is there already.
    pub(super) store: Option<&'a Store>,
    pub(super) engine: &'a Engine,
    pub(super) manifest: &'a Manifest,
    pub(super) owner: &'a Owner,
    pub(super) signals: Signals,
}

/// What was saved.
pub(super) struct Saved {
    pub(super) id: ConnectionId,
    pub(super) created: bool,
    /// Whose account it is, if the provider said so.
    pub(super) identity: Option<Identity>,
}

impl Attempt<'_> {
    /// Connects with what the user handed over.
    pub(super) async fn by_credentials(
        &mut self,
        no_check: bool,
        settings: Value,
        mut credentials: Credentials,
    ) -> Result<Saved> {
        let spends = self.manifest.auth.kind == AuthKind::SetupToken;
        if spends {
            let claim = self.engine.claim_setup_token(self.manifest.id, credentials);
            credentials = or_stop(&mut self.signals, claim).await?;
        }
        let identity = match no_check {
            true => None,
            false => match self.check(&settings, &credentials).await {
                // The token is spent: what it became would be lost.
                Err(error) if spends && error.is_temporary() => {
                    self.warn_unchecked(&error);
                    None
                }
                answer => answer
                    .map_err(|error| refused(self.manifest, &error, "--no-check saves without asking"))?,
            },
        };
        self.save(settings, credentials, identity).await
    }

    /// Connects by a consent in the browser; says which scopes were not granted.
    pub(super) async fn by_consent(
        &mut self,
        port: Option<u16>,
        settings: Value,
        old: Credentials,
    ) -> Result<(Saved, Vec<String>)> {
        let manifest = self.manifest;
        let client = self.engine.oauth(manifest.id).map_err(|error| other_way(&error))?;
        let question =
            Question { manifest, user: self.owner.id, renew: self.owner.renew, port: port.unwrap_or(0) };
        let asking = browser::ask(&self.app.out, &client, question);
        let (authorized, browser) = or_stop(&mut self.signals, asking).await?;
        self.tell_missing(&authorized.missing_scopes);
        let credentials = authorized.tokens.into_credentials(&old);
        let identity = self.check(&settings, &credentials).await;
        let account =
            identity.as_ref().ok().and_then(Option::as_ref).map(|identity| identity.account.clone());
        let saved = match identity {
            Ok(identity) => self.save(settings, credentials.clone(), identity).await,
            Err(error) => Err(refused(manifest, &error, "start again")),
        };
        match saved {
            Ok(saved) => {
                let title = saved.identity.as_ref().and_then(|identity| identity.title.as_deref());
                let connected = format!("{}{}", manifest.title, self::account(account.as_deref(), title));
                browser.show(Page::connected(&connected)).await;
                Ok((saved, authorized.missing_scopes))
            }
            Err(error) => {
                browser.show(Page::not_connected(&error)).await;
                self.give_back(&client, &credentials, account.as_deref()).await;
                Err(error)
            }
        }
    }

    /// Asks the provider whose account it is. A server that lacks the question leaves it unanswered.
    async fn check(&mut self, settings: &Value, credentials: &Credentials) -> Result<Option<Identity>> {
        let question = self.engine.identify(self.manifest.id, settings, credentials.clone());
        match or_stop(&mut self.signals, question).await {
            Ok(identity) => Ok(Some(identity)),
            Err(error) if error.kind() == ErrorKind::NotFound => {
                self.warn_unchecked(&error);
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }

    fn warn_unchecked(&self, error: &Error) {
        self.app.out.warn(&format!("the account could not be checked, and is saved as it is: {error}"));
    }

    fn tell_missing(&self, scopes: &[String]) {
        if scopes.is_empty() {
            return;
        }
        let (Manifest { id, title, .. }, out) = (self.manifest, &self.app.out);
        out.warn(&format!("{title} did not grant all: {} is missing", scopes.join(", ")));
        let whose = match self.owner.renew {
            Some(connection) => format!("--connection {connection}"),
            None => format!("--user {}", self.owner.email),
        };
        out.hint(&format!(
            "what needs it cannot be read; to grant it, leave every box ticked: lifehub connect {id} {whose}"
        ));
    }

    /// Saves the connection, and makes its user if there is none.
    async fn save(
        &self,
        settings: Value,
        credentials: Credentials,
        identity: Option<Identity>,
    ) -> Result<Saved> {
        let made = match self.store {
            Some(_) => None,
            None => Some(self.app.place.open_or_make().await?),
        };
        let store = self.store.or(made.as_ref()).ok_or_else(|| self.app.place.no_data())?;
        let user = match self.owner.id {
            Some(user) => user,
            None => owner::make(&self.app.out, store, &self.owner.email).await?,
        };
        let new = NewConnection {
            account: identity.as_ref().map(|identity| identity.account.clone()),
            renew: self.owner.renew,
            settings,
            ..NewConnection::new(user, self.manifest.id, credentials)
        };
        let saved = store.connect(new).await;
        if let Some(made) = &made {
            runs::close(self.app, made).await;
        }
        saved.map(|(id, created)| Saved { id, created, identity })
    }

    /// Gives a consent back that nobody keeps, unless another connection may live by it: some providers end all that
    /// they granted for an account at once.
    async fn give_back(&mut self, client: &OAuthClient, credentials: &Credentials, account: Option<&str>) {
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
        let (title, out) = (self.manifest.title, &self.app.out);
        match or_stop(&mut self.signals, consent::give_back(client, credentials)).await {
            Ok(()) => out.note(&format!("the consent was given back to {title}")),
            Err(error) => {
                out.warn(&format!("the consent could not be given back to {title}: {error}"));
                out.hint(consent::BY_HAND);
            }
        }
    }
}

/// Waits for what a provider or a user says, unless a signal comes.
async fn or_stop<T>(signals: &mut Signals, wait: impl Future<Output = Result<T>>) -> Result<T> {
    tokio::select! {
        done = wait => done,
        _ = signals.next() => Err(Error::new(ErrorKind::Cancelled, "stopped, nothing was saved")),
    }
}

/// The error of a provider without an app: there is another way.
fn other_way(error: &Error) -> Error {
    let own = "or give a token that you have: --secret access_token";
    let hint = error.get_hint().map_or_else(|| own.to_owned(), |hint| format!("{hint}; {own}"));
    error.clone().hint(hint)
}

/// The error of a provider that did not say whose account it is.
fn refused(manifest: &Manifest, error: &Error, otherwise: &str) -> Error {
    if error.kind() == ErrorKind::Cancelled {
        return error.clone();
    }
    let text = format!("{} did not confirm the account, nothing was saved: {error}", manifest.title);
    let hint = match error.get_hint() {
        Some(hint) if error.is_temporary() => format!("{hint}; {otherwise}"),
        Some(hint) => hint.to_owned(),
        None if matches!(error.kind(), ErrorKind::Unauthorized | ErrorKind::Forbidden) => {
            "check the credentials, and that they have not expired".to_owned()
        }
        None => otherwise.to_owned(),
    };
    Error::new(error.kind(), text).hint(hint)
}

/// `: sample_athlete (account 900001234)`, as far as it is known.
pub(super) fn account(account: Option<&str>, title: Option<&str>) -> String {
    match (account, title) {
        (Some(account), Some(title)) => format!(": {title} (account {account})"),
        (Some(account), None) => format!(": account {account}"),
        _ => ", unchecked".to_owned(),
    }
}

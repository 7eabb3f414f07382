//! `lifehub connect`: an account of a user at a provider. Nothing is saved before all of it is right.

use std::sync::Arc;

use lifehub_core::clock::Zone;
use lifehub_core::connector::{Identity, Manifest};
use lifehub_core::engine::Storage;
use lifehub_core::memory::MemoryStore;
use lifehub_core::record::ConnectionId;
use lifehub_core::secret::{Credentials, Secret};
use lifehub_core::{Error, ErrorKind, Result};
use lifehub_store::NewConnection;
use serde::Serialize;
use serde_json::Value;

use super::user::address;
use crate::app::App;
use crate::cli::ConnectArgs;
use crate::credentials::Names;
use crate::failure::{Exit, Outcome, wrong};
use crate::network;
use crate::signals;

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
}

pub(crate) async fn run(app: &App, args: ConnectArgs) -> Outcome {
    let ConnectArgs { provider, user, settings, secrets, no_check, json } = args;
    let email = address(&user)?;
    let manifest = manifest(app, &provider)?;
    let (settings, credentials) = input(manifest, settings, secrets)?;
    let identity = match no_check {
        true => None,
        false => check(app, manifest, &settings, credentials.clone()).await?,
    };

    let store = app.place.open_or_make().await?;
    let owner = match store.user_by_email(email).await? {
        Some(user) => user.id,
        None => {
            let zone = Zone::system();
            let id = store.create_user(email, &zone).await?;
            app.out.note(&format!(
                "made the user {email}, in the time zone {zone} (lifehub user zone changes it)"
            ));
            id
        }
    };
    let account = identity.as_ref().map(|identity| identity.account.clone());
    let new = NewConnection { user: owner, provider: manifest.id.into(), account, settings, credentials };
    let (id, created) = store.connect(new).await?;
    store.close().await?;

    let connected = Connected {
        id,
        provider: manifest.id,
        user: email,
        account: identity.as_ref().map(|identity| identity.account.as_str()),
        title: identity.as_ref().and_then(|identity| identity.title.as_deref()),
        created,
        checked: identity.is_some(),
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

/// Checks names before values, so that nobody is asked for a token in vain; then puts secret settings among the
/// credentials.
fn input(manifest: &Manifest, settings: Vec<String>, secrets: Vec<String>) -> Result<(Value, Credentials)> {
    let names = Names::of(manifest);
    let mut pairs = pairs(manifest, settings)?;
    let given = names.parse(secrets)?;
    if !given.iter().any(|given| names.is_setting(&given.name)) {
        from_pairs(manifest, &pairs)?;
    }
    let mut credentials = Credentials::none();
    for one in given {
        let name = one.name.clone();
        let secret = one.read()?;
        if names.is_setting(&name) {
            pairs.push((name, secret));
        } else {
            credentials = credentials.with(name, secret);
        }
    }
    let mut settings = from_pairs(manifest, &pairs)?;
    make_absolute(manifest, &mut settings)?;
    let credentials = manifest.settings.seal(&mut settings, credentials);
    Ok((settings, credentials))
}

/// Settings as they were typed. Any of them may be secret, whichever way it came.
type Pairs = Vec<(String, Secret)>;

fn pairs(manifest: &Manifest, settings: Vec<String>) -> Result<Pairs> {
    let mut pairs = Pairs::new();
    for setting in settings {
        let Some((name, value)) = setting.split_once('=') else {
            return Err(wrong("--set takes NAME=VALUE")
                .hint(format!("`lifehub connectors show {}` lists the settings", manifest.id)));
        };
        if manifest.auth.fields.iter().any(|field| field.name == name) {
            return Err(wrong(format!("{name} is a credential, not a setting"))
                .hint(format!("write --secret {name}=@FILE, or --secret {name} to be asked for it")));
        }
        if pairs.iter().any(|(other, _)| other == name) {
            return Err(wrong(format!("the setting {name} is given twice")));
        }
        pairs.push((name.to_owned(), Secret::new(value)));
    }
    Ok(pairs)
}

fn from_pairs(manifest: &Manifest, pairs: &Pairs) -> Result<Value> {
    manifest.settings.from_pairs(pairs.iter().map(|(name, value)| (name.as_str(), value.expose())))
}

/// A sync may run in another directory than this command.
fn make_absolute(manifest: &Manifest, settings: &mut Value) -> Result<()> {
    for (name, value) in settings.as_object_mut().into_iter().flatten() {
        if let (true, Some(path)) = (manifest.settings.is_marked(name, "x-file"), value.as_str()) {
            let whole = std::path::absolute(path).ok().and_then(|path| path.to_str().map(str::to_owned));
            *value = Value::String(whole.ok_or_else(|| wrong(format!("the setting {name} names no file")))?);
        }
    }
    Ok(())
}

/// Asks the provider whose account it is. A server that lacks the question leaves it unanswered.
async fn check(
    app: &App,
    manifest: &Manifest,
    settings: &Value,
    credentials: Credentials,
) -> Result<Option<Identity>> {
    // The quota that the question spends is counted where there is a place for it; nothing is made for it.
    let existing = app.place.open_existing().await?;
    let storage: Arc<dyn Storage> = match &existing {
        Some(store) => Arc::new(store.clone()),
        None => Arc::new(MemoryStore::new()),
    };
    let engine = app.engine(storage, network::online()?);
    let answer = tokio::select! {
        answer = engine.identify(manifest.id, settings, credentials) => answer,
        _ = signals::next() => Err(Error::new(ErrorKind::Cancelled, "stopped, nothing was saved")),
    };
    if let Some(store) = existing {
        store.close().await?;
    }
    match answer {
        Ok(identity) => Ok(Some(identity)),
        Err(error) if error.kind() == ErrorKind::NotFound => {
            app.out.warn(&format!("the account could not be checked, and is saved as it is: {error}"));
            Ok(None)
        }
        Err(error) if error.kind() == ErrorKind::Cancelled => Err(error),
        Err(error) => Err(refused(manifest, &error)),
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
    let account = match (connected.account, connected.title) {
        (Some(account), Some(title)) => format!(": {title} (account {account})"),
        (Some(account), None) => format!(": account {account}"),
        _ => ", unchecked".to_owned(),
    };
    let verb = if connected.created { "connected" } else { "renewed the connection to" };
    let id = connected.id;
    format!("{verb} {}{account}\nconnection {id}\nnext: lifehub sync --connection {id}", manifest.title)
}

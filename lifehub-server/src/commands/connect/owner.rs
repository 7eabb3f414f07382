//! Whose account is connected, and which connection is renewed, if one was named.

use lifehub_core::clock::Zone;
use lifehub_core::connector::Manifest;
use lifehub_core::oauth::Vault;
use lifehub_core::record::{ConnectionId, UserId};
use lifehub_core::secret::Credentials;
use lifehub_core::{ErrorKind, Result};
use lifehub_store::Store;
use serde_json::Value;

use crate::commands::runs;
use crate::commands::user::address;
use crate::failure::wrong;
use crate::output::Output;

/// Whose account it is.
pub(super) struct Owner {
    pub(super) email: String,
    /// The user; none who is not made yet.
    pub(super) id: Option<UserId>,
    /// The connection that is to be renewed.
    pub(super) renew: Option<ConnectionId>,
    /// Its settings, with the credentials among which the secret ones are.
    pub(super) kept: Option<(Value, Credentials)>,
}

/// Finds what the arguments name. A connection names its user.
pub(super) async fn find(
    store: Option<&Store>,
    manifest: &Manifest,
    email: Option<&str>,
    connection: Option<&str>,
) -> Result<Owner> {
    let email = email.map(address).transpose()?;
    let Some(named) = connection else {
        let email =
            email.ok_or_else(|| wrong("it is not said whose account it is").hint("add --user EMAIL"))?;
        let user = match store {
            Some(store) => store.user_by_email(email).await?,
            None => None,
        };
        return Ok(Owner { email: email.to_owned(), id: user.map(|user| user.id), renew: None, kept: None });
    };
    let id = runs::id(named)?;
    let store = store.ok_or_else(|| runs::not_there(id))?;
    let found = runs::connection(store, id).await?.connection;
    if found.provider != manifest.id {
        return Err(wrong(format!("the connection {id} is not one to {}", manifest.title))
            .hint(format!("write: lifehub connect {} --connection {id}", found.provider)));
    }
    let user = store.users().await?.into_iter().find(|user| user.id == found.user);
    let user = user.ok_or_else(|| runs::not_there(id))?;
    if email.is_some_and(|email| !email.eq_ignore_ascii_case(&user.email)) {
        return Err(wrong(format!("the connection {id} is another user's"))
            .hint("leave --user out: the connection says whose it is"));
    }
    let kept = match store.credentials(id).await {
        Ok(held) => held.credentials,
        // Its user ended it, or they do not open any more: what was secret has to be given anew.
        Err(error) if matches!(error.kind(), ErrorKind::Unauthorized | ErrorKind::Storage) => {
            Credentials::none()
        }
        Err(error) => return Err(error),
    };
    Ok(Owner { email: user.email, id: Some(user.id), renew: Some(id), kept: Some((found.settings, kept)) })
}

/// Makes the user, unless another process did while this one waited.
pub(super) async fn make(out: &Output, store: &Store, email: &str) -> Result<UserId> {
    if let Some(user) = store.user_by_email(email).await? {
        return Ok(user.id);
    }
    let zone = Zone::system();
    let id = store.create_user(email, &zone).await?;
    out.note(&format!("made the user {email}, in the time zone {zone} (lifehub user zone changes it)"));
    Ok(id)
}

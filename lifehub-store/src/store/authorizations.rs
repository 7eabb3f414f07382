//! Consents under way. The state that names one is also the key that opens it, and only the user's browser has it: what
//! the database holds is of no use without it, and a new master key does not touch it.

use std::borrow::Cow;
use std::time::Duration;

use async_trait::async_trait;
use lifehub_core::clock::Timestamp;
use lifehub_core::oauth::{Authorizations, Pending};
use lifehub_core::record::{ConnectionId, UserId};
use lifehub_core::secret::Secret;
use lifehub_core::{Error, ErrorKind, Result};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use zeroize::Zeroizing;

use super::Store;
use crate::database::{Args, Durability, Scope, execute, get, row};
use crate::seal::SealKey;
use crate::sql::accounts as sql;

/// After that nobody comes back any more.
const TERM: Duration = Duration::from_secs(600);

/// Parts it from all else that is sealed.
const PLACE: &[u8] = b"lifehub 1\0authorizations\0";

/// A [`Pending`] as it is sealed. Its secret has no form of its own on purpose.
#[derive(Serialize, Deserialize)]
struct Form<'a> {
    provider: Cow<'a, str>,
    user: UserId,
    session: Cow<'a, str>,
    connection: Option<ConnectionId>,
    redirect: Cow<'a, str>,
    verifier: Option<Cow<'a, str>>,
    created_at: Timestamp,
}

fn seal(state: &Secret, pending: &Pending) -> Result<Vec<u8>> {
    let form = Form {
        provider: pending.provider.as_str().into(),
        user: pending.user,
        session: pending.session.as_str().into(),
        connection: pending.connection,
        redirect: pending.redirect.as_str().into(),
        verifier: pending.verifier.as_ref().map(|verifier| verifier.expose().into()),
        created_at: pending.created_at,
    };
    let clear = serde_json::to_vec(&form).map(Zeroizing::new);
    let clear = clear.map_err(|_| Error::new(ErrorKind::Internal, "the authorization is no JSON"))?;
    key(state)?.seal_bytes(PLACE, &clear)
}

fn open(state: &Secret, sealed: &[u8]) -> Result<Pending> {
    let clear = key(state)?.open_bytes(PLACE, sealed).ok_or_else(damaged)?;
    let form: Form<'_> = serde_json::from_slice(&clear).map_err(|_| damaged())?;
    Ok(Pending {
        provider: form.provider.into_owned(),
        user: form.user,
        session: form.session.into_owned(),
        connection: form.connection,
        redirect: form.redirect.parse().map_err(|_| damaged())?,
        verifier: form.verifier.map(|verifier| Secret::new(verifier.into_owned())),
        created_at: form.created_at,
    })
}

fn damaged() -> Error {
    Error::new(ErrorKind::Storage, "the stored authorization does not open: it was altered")
        .hint("start again")
}

/// The state is random enough to need no stretching. Hashes of two kinds: what names a row does not open it.
fn hash(kind: &[u8], state: &Secret) -> [u8; SealKey::BYTES] {
    Sha256::new().chain_update(kind).chain_update(state.expose()).finalize().into()
}

fn name(state: &Secret) -> [u8; SealKey::BYTES] {
    hash(b"lifehub authorization name\0", state)
}

fn key(state: &Secret) -> Result<SealKey> {
    let bytes = Zeroizing::new(hash(b"lifehub authorization key\0", state));
    SealKey::from_bytes(&*bytes)
        .ok_or_else(|| Error::new(ErrorKind::Internal, "a hash has another length than a key"))
}

#[async_trait]
impl Authorizations for Store {
    async fn put(&self, state: &Secret, pending: Pending) -> Result<()> {
        let sealed = seal(state, &pending)?;
        let now = pending.created_at;
        let mut tx = self.0.db.write(Scope::All, Durability::Full).await?;
        // Those that seem to be of the future too: clocks are set.
        let fresh = Args::new().with((now - TERM).as_micros()).with((now + TERM).as_micros());
        execute(&mut tx, sql::AUTHORIZATIONS_FORGET, fresh).await?;
        let args = Args::new().with(name(state).to_vec()).with(sealed).with(now.as_micros());
        execute(&mut tx, sql::AUTHORIZATION_PUT, args).await?;
        tx.commit().await
    }

    async fn take(&self, state: &Secret) -> Result<Option<Pending>> {
        let mut tx = self.0.db.write(Scope::All, Durability::Full).await?;
        let args = Args::new().with(name(state).to_vec());
        let taken = row(&mut tx, sql::AUTHORIZATION_TAKE, args).await?;
        tx.commit().await?;
        taken.map(|row| open(state, get::<&[u8]>(&row, 0)?)).transpose()
    }
}

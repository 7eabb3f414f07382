//! The credentials of a connection as its HTTP stack asks for them.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;

use super::refresher::{Refresher, Renewal};
use super::vault::{Held, Standing};
use crate::clock::Timestamp;
use crate::error::{Error, ErrorKind, Result};
use crate::http::CredentialSource;
use crate::record::ConnectionId;
use crate::secret::{Credentials, Secret};

/// A token is renewed when no more than this, or a tenth of its life, is left.
const AHEAD: Duration = Duration::from_secs(60);

/// The credentials of a connection out of a vault: renewed ahead of their end where the provider has a way to, read
/// again when it refuses them.
pub struct VaultCredentials {
    refresher: Refresher,
    connection: ConnectionId,
    renewal: Option<Arc<dyn Renewal>>,
    held: Mutex<Held>,
}

impl VaultCredentials {
    /// Those of a connection, as they were just read.
    pub fn new(
        refresher: Refresher,
        connection: ConnectionId,
        held: Held,
        renewal: Option<Arc<dyn Renewal>>,
    ) -> Self {
        Self { refresher, connection, renewal, held: Mutex::new(held) }
    }

    /// The credentials as they stand here, not renewed.
    pub fn as_read(&self) -> Credentials {
        self.held().credentials
    }

    /// Says that the provider answered as it should. Credentials that cannot be renewed and were refused before are
    /// good again.
    ///
    /// # Errors
    /// If the vault fails.
    pub async fn were_accepted(&self) -> Result<()> {
        let held = self.held();
        if held.standing != Standing::Good && !is_renewable(&held.credentials) {
            self.refresher.vault().set_standing(self.connection, held.revision, Standing::Good).await?;
        }
        Ok(())
    }

    /// Renews them now, whether or not their end is near: for connections that were idle for long.
    ///
    /// # Errors
    /// As [`Refresher::renew`]; [`ErrorKind::Unsupported`] if they cannot be renewed.
    pub async fn renew(&self) -> Result<()> {
        let held = self.held();
        match &self.renewal {
            Some(renewal) if is_renewable(&held.credentials) => {
                self.replace(&held, renewal).await.map(|_| ())
            }
            _ => Err(Error::new(ErrorKind::Unsupported, "these credentials cannot be renewed")),
        }
    }

    async fn replace(&self, held: &Held, renewal: &Arc<dyn Renewal>) -> Result<Credentials> {
        let renewal = Arc::clone(renewal);
        let renewed = self.refresher.renew(self.connection, held.revision, renewal).await?;
        let credentials = renewed.held.credentials.clone();
        *self.lock() = renewed.held;
        Ok(credentials)
    }

    fn held(&self) -> Held {
        self.lock().clone()
    }

    fn lock(&self) -> MutexGuard<'_, Held> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl CredentialSource for VaultCredentials {
    async fn current(&self) -> Result<Credentials> {
        let held = self.held();
        let Some(renewal) = self.renewal.as_ref().filter(|_| is_renewable(&held.credentials)) else {
            return Ok(held.credentials);
        };
        let now = self.refresher.clock().now();
        match left(&held.credentials, now) {
            Left::Enough => Ok(held.credentials),
            Left::Little => match self.replace(&held, renewal).await {
                // What is left of the token serves until the provider can be asked.
                Err(error) if error.is_temporary() => {
                    tracing::info!(connection = %self.connection, %error, "the access is renewed later");
                    Ok(held.credentials)
                }
                result => result,
            },
            Left::Nothing => self.replace(&held, renewal).await,
        }
    }

    async fn refused(&self, used: &Credentials) -> Result<Option<Credentials>> {
        let held = self.held();
        if token(&held.credentials) != token(used) {
            // Another request of this run was faster.
            return Ok(Some(held.credentials));
        }
        if let Some(renewal) = self.renewal.as_ref().filter(|_| is_renewable(&held.credentials)) {
            return self.replace(&held, renewal).await.map(Some);
        }
        let vault = self.refresher.vault();
        let now = vault.credentials(self.connection).await?;
        if now.revision != held.revision {
            let credentials = now.credentials.clone();
            *self.lock() = now;
            return Ok(Some(credentials));
        }
        if is_renewable(&held.credentials) {
            return Err(Error::new(
                ErrorKind::Unauthorized,
                "the access token has ended, and there is no app to renew it with",
            )
            .hint("set client_id and client_secret of the provider in the configuration"));
        }
        self.refresher.refuse(self.connection, held.revision).await?;
        Ok(None)
    }
}

/// How much of a token's life is left.
#[derive(Debug, PartialEq, Eq)]
enum Left {
    Enough,
    Little,
    Nothing,
}

/// An end that is not known is far: the provider's 401 tells.
fn left(credentials: &Credentials, now: Timestamp) -> Left {
    let text = |name| credentials.get(name).map(Secret::expose);
    let Some(end) = text("expires_at").and_then(|text| text.parse::<Timestamp>().ok()) else {
        return Left::Enough;
    };
    let life = text("expires_in").and_then(|text| text.parse().ok()).map(Duration::from_secs);
    let ahead = life.map_or(AHEAD, |life| AHEAD.min(life / 10));
    if end <= now {
        Left::Nothing
    } else if end - ahead <= now {
        Left::Little
    } else {
        Left::Enough
    }
}

fn is_renewable(credentials: &Credentials) -> bool {
    token_of(credentials, "refresh_token").is_some()
}

fn token(credentials: &Credentials) -> Option<&str> {
    token_of(credentials, "access_token")
}

fn token_of<'a>(credentials: &'a Credentials, name: &str) -> Option<&'a str> {
    credentials.get(name).map(Secret::expose).filter(|token| !token.is_empty())
}

impl fmt::Debug for VaultCredentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("VaultCredentials").field("connection", &self.connection).finish_non_exhaustive()
    }
}

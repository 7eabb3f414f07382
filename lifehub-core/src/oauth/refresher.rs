//! One token call per expiry: over all tasks by a flight in the process, over all processes by a claim in the vault.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

use async_trait::async_trait;
use tokio::sync::Mutex as Flight;

use super::vault::{Held, RefreshClaim, RefreshTicket, Standing, Vault};
use crate::clock::Clock;
use crate::error::{Error, ErrorKind, Result};
use crate::record::ConnectionId;
use crate::secret::Credentials;

/// How often whoever waits for another process's token call looks whether it has ended.
const POLL: Duration = Duration::from_millis(50);

/// For how long a vault that fails is asked again to take what a provider handed out. It exists nowhere else.
const SAVING: Duration = Duration::from_secs(60);

/// A provider that refused is asked no more often than this.
const ONCE: Duration = Duration::from_secs(24 * 3600);

/// How credentials of one provider are renewed: one call.
#[async_trait]
pub trait Renewal: Send + Sync {
    /// The longest that the call takes. A claim lasts twice as long.
    fn time_limit(&self) -> Duration;

    /// Asks the provider for others in place of these. They are complete: fields that did not change are in them.
    ///
    /// # Errors
    /// [`ErrorKind::Unauthorized`] if the provider refuses for good; any other kind says nothing about the account.
    async fn renew(&self, old: &Credentials) -> Result<Credentials>;
}

type Notice = dyn Fn(ConnectionId) + Send + Sync;

/// Renews the credentials of connections: once for each expiry, over all tasks, processes and nodes that share a vault.
/// Cheap to clone; all clones are one.
///
/// The new pair is durable before anyone uses it. Dropping a future that waits here does not stop a call under way:
/// it goes on and saves what it gets.
#[derive(Clone)]
pub struct Refresher(Arc<Inner>);

struct Inner {
    vault: Arc<dyn Vault>,
    clock: Arc<dyn Clock>,
    notice: Arc<Notice>,
    flights: Mutex<HashMap<ConnectionId, Weak<Flight<()>>>>,
}

impl Refresher {
    /// Over this vault, by this clock. `notice` is told once when a provider begins to refuse the credentials of a
    /// connection: of all processes that find it out, one is told.
    pub fn new(
        vault: Arc<dyn Vault>,
        clock: Arc<dyn Clock>,
        notice: impl Fn(ConnectionId) + Send + Sync + 'static,
    ) -> Self {
        Self(Arc::new(Inner { vault, clock, notice: Arc::new(notice), flights: Mutex::default() }))
    }

    /// The vault.
    pub fn vault(&self) -> &Arc<dyn Vault> {
        &self.0.vault
    }

    pub(super) fn clock(&self) -> &dyn Clock {
        self.0.clock.as_ref()
    }

    /// The credentials that take the place of those of the revision `seen`: others' if they were faster, else what the
    /// provider answers now.
    ///
    /// # Errors
    /// [`ErrorKind::Unauthorized`] if the provider refuses, or did so within the last day; what else kept the call from
    /// its end.
    pub async fn renew(
        &self,
        connection: ConnectionId,
        seen: u64,
        renewal: Arc<dyn Renewal>,
    ) -> Result<Renewed> {
        let this = self.clone();
        // A task of its own: between the provider's answer and the vault no caller that gives up may end it.
        let flight = async move { this.fly(connection, seen, renewal).await };
        match tokio::spawn(flight).await {
            Ok(result) => result,
            Err(_) => Err(Error::new(ErrorKind::Internal, "a renewal of credentials broke off")),
        }
    }

    /// Waits until no token call of that connection is under way in this process.
    pub async fn settled(&self, connection: ConnectionId) {
        drop(self.flight(connection).lock().await);
    }

    fn flight(&self, connection: ConnectionId) -> Arc<Flight<()>> {
        let mut flights = self.0.flights.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(flight) = flights.get(&connection).and_then(Weak::upgrade) {
            return flight;
        }
        flights.retain(|_, flight| flight.strong_count() > 0);
        let flight = Arc::new(Flight::new(()));
        flights.insert(connection, Arc::downgrade(&flight));
        flight
    }

    async fn fly(&self, connection: ConnectionId, seen: u64, renewal: Arc<dyn Renewal>) -> Result<Renewed> {
        let flight = self.flight(connection);
        let _turn = flight.lock().await;
        let vault = &*self.0.vault;
        loop {
            let held = vault.credentials(connection).await?;
            if held.revision != seen {
                return Ok(Renewed { held, asked: false });
            }
            self.may_ask(&held)?;
            match vault.claim_refresh(connection, seen, renewal.time_limit() * 2).await? {
                RefreshClaim::Held(ticket) => {
                    if let Some(renewed) = self.ask(&ticket, held, &*renewal).await? {
                        return Ok(renewed);
                    }
                }
                RefreshClaim::Busy => tokio::time::sleep(POLL).await,
                RefreshClaim::Stale => {}
            }
        }
    }

    /// Asks the provider under a claim, and ends it whatever comes; `None` if the claim is not good any more.
    async fn ask(
        &self,
        ticket: &RefreshTicket,
        held: Held,
        renewal: &dyn Renewal,
    ) -> Result<Option<Renewed>> {
        let done = self.call(ticket, held, renewal).await;
        // A save has ended it already.
        if !matches!(&done, Ok(Some(renewed)) if renewed.asked)
            && let Err(error) = self.0.vault.release_refresh(ticket).await
        {
            tracing::warn!(connection = %ticket.connection, %error, "a claim could not be given back; it runs out");
        }
        done
    }

    async fn call(
        &self,
        ticket: &RefreshTicket,
        held: Held,
        renewal: &dyn Renewal,
    ) -> Result<Option<Renewed>> {
        let vault = &*self.0.vault;
        // A process that slept since it claimed must not send: another may have claimed meanwhile.
        if !vault.may_refresh(ticket).await? {
            return Ok(None);
        }
        let limit = renewal.time_limit();
        let answer = match tokio::time::timeout(limit, renewal.renew(&held.credentials)).await {
            Ok(answer) => answer,
            Err(_) => Err(Error::new(
                ErrorKind::Unavailable,
                format!("the provider did not renew the access within {} s", limit.as_secs()),
            )),
        };
        let asked = match answer {
            Ok(fresh) => {
                if !self.save(ticket, &fresh).await? {
                    tracing::info!(connection = %ticket.connection, "others renewed the credentials meanwhile");
                }
                true
            }
            Err(error) if error.kind() == ErrorKind::Unauthorized => {
                if vault.credentials(ticket.connection).await?.revision == ticket.revision {
                    self.refuse(ticket.connection, ticket.revision).await?;
                    return Err(error.hint(CONNECT_AGAIN));
                }
                false
            }
            Err(error) => return Err(error),
        };
        let held = vault.credentials(ticket.connection).await?;
        Ok(Some(Renewed { held, asked }))
    }

    /// Notes that the provider refuses the credentials of that revision.
    pub(crate) async fn refuse(&self, connection: ConnectionId, revision: u64) -> Result<()> {
        let standing = Standing::Refused { at: self.0.clock.now() };
        if self.0.vault.set_standing(connection, revision, standing).await? {
            tracing::warn!(%connection, "the provider refuses the credentials: the account has to be connected again");
            (self.0.notice)(connection);
        }
        Ok(())
    }

    /// Saves what the provider handed out, whatever it takes.
    async fn save(&self, ticket: &RefreshTicket, fresh: &Credentials) -> Result<bool> {
        let start = tokio::time::Instant::now();
        loop {
            match self.0.vault.save(ticket, fresh).await {
                // Its user may have ended the connection: no later try will help.
                Err(error)
                    if matches!(error.kind(), ErrorKind::Storage | ErrorKind::StorageFull)
                        && start.elapsed() < SAVING =>
                {
                    tracing::warn!(connection = %ticket.connection, %error, "renewed credentials could not be saved yet");
                    tokio::time::sleep(POLL * 4).await;
                }
                result => return result,
            }
        }
    }

    fn may_ask(&self, held: &Held) -> Result<()> {
        let Standing::Refused { at } = held.standing else { return Ok(()) };
        if self.0.clock.now().since(at) >= ONCE {
            return Ok(());
        }
        let text = format!("the provider refused to renew the access at {at}");
        Err(Error::new(ErrorKind::Unauthorized, text).hint(CONNECT_AGAIN))
    }
}

const CONNECT_AGAIN: &str = "connect the account again; its data stays";

/// What a renewal came to.
#[derive(Debug, Clone)]
pub struct Renewed {
    /// The credentials that hold now.
    pub held: Held,
    /// Whether this caller's call to the provider brought them.
    pub asked: bool,
}

impl fmt::Debug for Refresher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Refresher").finish_non_exhaustive()
    }
}

impl fmt::Debug for dyn Renewal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Renewal")
    }
}

//! Credentials, and who may renew them: one at a time, and what a provider handed out last is kept.
//!
//! As with leases, who holds a claim is in memory and its epoch in the file. What is written of credentials is on the
//! disk before anyone is told so: a refresh token that was rotated exists nowhere else.

use std::collections::HashMap;
use std::time::Duration;

use async_trait::async_trait;
use lifehub_core::clock::Timestamp;
use lifehub_core::oauth::{Held, RefreshClaim, RefreshTicket, Standing, Vault};
use lifehub_core::record::ConnectionId;
use lifehub_core::secret::Credentials;
use lifehub_core::{Error, ErrorKind, Result};
use serde::{Deserialize, Serialize};

use crate::FileStore;
use crate::contents::{ConnectionRow, Contents};
use crate::seal::Sealed;

/// What the file has of a connection's credentials.
#[derive(Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Safe {
    sealed: Option<Sealed>,
    /// Rises whenever others are written.
    revision: u64,
    refused_at: Option<Timestamp>,
    /// That of the latest claim.
    epoch: u64,
}

impl Safe {
    pub(crate) fn put(&mut self, sealed: Option<Sealed>) {
        (self.sealed, self.refused_at) = (sealed, None);
        self.revision += 1;
    }

    fn standing(&self) -> Standing {
        self.refused_at.map_or(Standing::Good, |at| Standing::Refused { at })
    }
}

/// Who renews what: the time of the claims is monotonic, as that of leases.
#[derive(Default)]
pub(crate) struct Claims(HashMap<ConnectionId, Claimed>);

struct Claimed {
    epoch: u64,
    half: Duration,
    end: Duration,
}

impl Claims {
    fn is_claimed(&self, connection: ConnectionId, now: Duration) -> bool {
        self.0.get(&connection).is_some_and(|claim| now < claim.end)
    }

    fn may_send(&self, ticket: &RefreshTicket, now: Duration) -> bool {
        self.0.get(&ticket.connection).is_some_and(|claim| claim.epoch == ticket.epoch && now < claim.half)
    }

    fn release(&mut self, ticket: &RefreshTicket) {
        // It may be its successor's by now.
        if self.0.get(&ticket.connection).is_some_and(|claim| claim.epoch == ticket.epoch) {
            self.0.remove(&ticket.connection);
        }
    }
}

impl Contents {
    /// The revision of the credentials of a connection that its user did not end.
    fn revision(&self, connection: ConnectionId) -> Result<u64> {
        match self.connections.get(&connection) {
            Some(row) if row.ended => Err(ended()),
            row => Ok(row.map_or(0, |row| row.safe.revision)),
        }
    }

    /// The row of a connection that its user did not end, made if it is not there.
    pub(crate) fn still_on(&mut self, connection: ConnectionId) -> Result<&mut ConnectionRow> {
        let row = self.connections.entry(connection).or_default();
        if row.ended { Err(ended()) } else { Ok(row) }
    }
}

fn ended() -> Error {
    Error::new(ErrorKind::Invalid, "the connection was ended by its user").hint("make a new one")
}

#[async_trait]
impl Vault for FileStore {
    async fn credentials(&self, connection: ConnectionId) -> Result<Held> {
        let contents = self.read();
        contents.revision(connection)?;
        let Some(row) = contents.connections.get(&connection) else { return Ok(Held::default()) };
        let Safe { sealed, revision, .. } = &row.safe;
        let open = |sealed| self.0.key.open(connection, sealed);
        let credentials = sealed.as_ref().map(open).transpose()?.unwrap_or_default();
        Ok(Held { credentials, revision: *revision, standing: row.safe.standing() })
    }

    async fn claim_refresh(
        &self,
        connection: ConnectionId,
        revision: u64,
        term: Duration,
    ) -> Result<RefreshClaim> {
        let clock = self.0.clock.clone();
        self.exclusively(move |turn| {
            if turn.contents().revision(connection)? != revision {
                return Ok(RefreshClaim::Stale);
            }
            if turn.claims().is_claimed(connection, clock.monotonic()) {
                return Ok(RefreshClaim::Busy);
            }
            let epoch = turn.change(|contents| {
                let safe = &mut contents.still_on(connection)?.safe;
                safe.epoch += 1;
                Ok(safe.epoch)
            })?;
            let now = clock.monotonic();
            turn.claims().0.insert(connection, Claimed { epoch, half: now + term / 2, end: now + term });
            Ok(RefreshClaim::Held(RefreshTicket { connection, revision, epoch }))
        })
        .await
    }

    async fn may_refresh(&self, ticket: &RefreshTicket) -> Result<bool> {
        let (ticket, now) = (ticket.clone(), self.0.clock.monotonic());
        self.exclusively(move |turn| {
            let is_newest =
                turn.contents().revision(ticket.connection).is_ok_and(|now| now == ticket.revision);
            Ok(is_newest && turn.claims().may_send(&ticket, now))
        })
        .await
    }

    async fn save(&self, ticket: &RefreshTicket, credentials: &Credentials) -> Result<bool> {
        let sealed = self.0.key.seal(ticket.connection, credentials)?;
        let ticket = ticket.clone();
        self.exclusively(move |turn| {
            let is_newest = turn.contents().revision(ticket.connection)? == ticket.revision;
            if is_newest {
                turn.change(|contents| {
                    contents.still_on(ticket.connection)?.safe.put(Some(sealed));
                    Ok(())
                })?;
            }
            turn.claims().release(&ticket);
            Ok(is_newest)
        })
        .await
    }

    async fn release_refresh(&self, ticket: &RefreshTicket) -> Result<()> {
        let ticket = ticket.clone();
        self.exclusively(move |turn| {
            turn.claims().release(&ticket);
            Ok(())
        })
        .await
    }

    async fn set_standing(
        &self,
        connection: ConnectionId,
        revision: u64,
        standing: Standing,
    ) -> Result<bool> {
        self.exclusively(move |turn| {
            let contents = turn.contents();
            let row = contents.connections.get(&connection);
            let Some(row) = row.filter(|row| row.safe.revision == revision && !row.ended) else {
                return Ok(false);
            };
            let was = row.safe.standing();
            turn.change(|contents| {
                let row = contents.connections.entry(connection).or_default();
                row.safe.refused_at = match standing {
                    Standing::Good => None,
                    Standing::Refused { at } => Some(at),
                };
                Ok(())
            })?;
            Ok((was == Standing::Good) != (standing == Standing::Good))
        })
        .await
    }
}

//! Leases: one worker at a time on a connection; who lost its lease changes nothing.
//!
//! Who holds what is in memory: one process has the file open, so with the process every holder is gone, and the next
//! one finds all connections free. Epochs are in the file: they rise for ever, and the ledger of runs names them.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use lifehub_core::clock::Clock;
use lifehub_core::engine::{Claim, Lease, Leases};
use lifehub_core::record::ConnectionId;
use lifehub_core::{Error, ErrorKind, Result};

use crate::FileStore;

const TERM: Duration = Duration::from_secs(30);

/// Who holds what, and until when.
pub(crate) struct Holds {
    held: HashMap<ConnectionId, Hold>,
    /// Its monotonic time counts: a lease must not run out, or live on, because somebody sets the machine's clock.
    clock: Arc<dyn Clock>,
}

struct Hold {
    epoch: u64,
    until: Duration,
}

impl Holds {
    pub(crate) fn new(clock: Arc<dyn Clock>) -> Self {
        Self { held: HashMap::new(), clock }
    }

    /// The epoch under which somebody holds a connection.
    fn epoch(&self, connection: ConnectionId) -> Option<u64> {
        let hold = self.held.get(&connection)?;
        (self.clock.monotonic() < hold.until).then_some(hold.epoch)
    }

    fn hold(&mut self, lease: &Lease) {
        let until = self.clock.monotonic() + TERM;
        self.held.insert(lease.connection, Hold { epoch: lease.epoch, until });
    }

    /// Every write begins with this: whoever works keeps the lease, and whoever lost it learns so.
    pub(crate) fn renew(&mut self, lease: &Lease) -> Result<()> {
        // What has run out is not renewed, though nobody else may have claimed it: its holder may have been away for
        // long, and what it knows may be old.
        if self.epoch(lease.connection) != Some(lease.epoch) {
            return Err(Error::new(
                ErrorKind::LeaseLost,
                "another worker may have taken over the connection",
            ));
        }
        self.hold(lease);
        Ok(())
    }

    pub(crate) fn end(&mut self, connection: ConnectionId) {
        self.held.remove(&connection);
    }
}

#[async_trait]
impl Leases for FileStore {
    async fn claim(&self, connection: ConnectionId) -> Result<Claim> {
        self.exclusively(move |turn| {
            if let Some(epoch) = turn.holds().epoch(connection) {
                return Ok(Claim::Busy { epoch });
            }
            let epoch = turn.change(|contents| {
                let row = contents.still_on(connection)?;
                row.epoch += 1;
                Ok(row.epoch)
            })?;
            let lease = Lease { connection, epoch };
            turn.holds().hold(&lease);
            Ok(Claim::Held(lease))
        })
        .await
    }

    async fn renew(&self, lease: &Lease) -> Result<()> {
        let lease = lease.clone();
        self.exclusively(move |turn| turn.holds().renew(&lease)).await
    }

    async fn release(&self, lease: &Lease) -> Result<()> {
        let lease = lease.clone();
        self.exclusively(move |turn| {
            // It may be its successor's by now.
            if turn.holds().epoch(lease.connection) == Some(lease.epoch) {
                turn.holds().end(lease.connection);
            }
            Ok(())
        })
        .await
    }

    fn term(&self) -> Duration {
        TERM
    }
}

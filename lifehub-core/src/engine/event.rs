//! What happens while a run is under way, for progress bars and logs.

use crate::engine::report::{Counts, Report};
use crate::page::PassKind;
use crate::record::ConnectionId;

/// One step of a run.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum SyncEvent {
    /// A run begins.
    Started {
        /// The connection.
        connection: ConnectionId,
        /// Its provider.
        provider: String,
    },
    /// A run waits for the one that another process has under way.
    Waiting {
        /// The connection.
        connection: ConnectionId,
    },
    /// A pass begins or goes on.
    Pass {
        /// The connection.
        connection: ConnectionId,
        /// The stream.
        stream: String,
        /// The partition's id.
        partition: String,
        /// The kind of pass.
        kind: PassKind,
    },
    /// A page (or a chunk of a sweep) is committed.
    Committed {
        /// The connection.
        connection: ConnectionId,
        /// The stream.
        stream: String,
        /// The stream's figures in this run so far.
        counts: Counts,
    },
    /// The provider refuses the credentials, and did not before: the user has to connect the account again.
    ReconnectRequired {
        /// The connection.
        connection: ConnectionId,
    },
    /// A run ended.
    Finished {
        /// What it did.
        report: Report,
    },
}

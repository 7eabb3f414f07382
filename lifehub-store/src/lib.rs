//! The store of Lifehub: everything that a sync engine keeps, in one SQLite file, with a change feed, roll-ups by day,
//! and credentials that are sealed.
//!
//! [`Store`] is the whole face: it implements [`lifehub_core::engine::Storage`] for the engine, and answers the
//! questions of a server or a command line with typed rows. What knows SQLite lives in `sqlite`; what does not (sealing,
//! the JSON form of a record, tallying) lies beside it.

mod account;
mod key;
mod keyring;
mod options;
mod query;
mod record;
mod rollup;
mod seal;
mod sqlite;

pub use account::{ConnectionFilter, ConnectionInfo, ConnectionStatus, NewConnection, User};
pub use key::KeySource;
pub use options::OpenOptions;
pub use query::{Changes, DatasetCount, QuarantineEntry, RecordPage, RecordQuery};
pub use record::StoredRecord;
pub use rollup::{RollupDifference, RollupRow, Tally};
pub use sqlite::{Export, Finding, Rotation, Store};

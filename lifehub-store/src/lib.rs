//! The store of Lifehub: everything that a sync engine keeps, in one SQLite file or, with the feature `postgres`, on a
//! PostgreSQL server, with a change feed, roll-ups by day, and credentials that are sealed.
//!
//! [`Store`] is the whole face: it implements [`lifehub_core::engine::Storage`] for the engine, and answers the
//! questions of a server or a command line with typed rows. What it does lives in `store`, in the statements of
//! `sql`, which are written for each database; `database` runs them. What knows no database (sealing, the JSON form of a
//! record, tallying) lies beside these.

mod account;
mod copy;
mod database;
mod key;
mod keyring;
mod options;
mod query;
mod record;
mod rollup;
mod seal;
mod sql;
mod store;

pub use account::{ConnectionFilter, ConnectionInfo, ConnectionStatus, NewConnection, User};
pub use copy::{CopiedTable, CopyReport, CopyStep, copy};
pub use key::KeySource;
pub use options::OpenOptions;
pub use query::{Changes, DatasetCount, QuarantineEntry, RecordPage, RecordQuery};
pub use record::StoredRecord;
pub use rollup::{RollupDifference, RollupRow, Tally};
pub use store::{Export, Finding, Rotation, Store};

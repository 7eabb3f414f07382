//! A store of an embedder's own: everything in one JSON file, without SQL.
//!
//! It shows what [`lifehub_core::engine::Storage`] asks of a store, and how little that is: all thinking is the
//! engine's, a store does what a batch says, whole or not at all. `cargo test -p custom-store` puts it through the same
//! suite as SQLite, and kills it in the middle of a sync.
//!
//! ```
//! use std::sync::Arc;
//!
//! use custom_store::{FileStore, Key};
//! use lifehub_core::clock::SystemClock;
//!
//! # let folder = tempfile::tempdir()?;
//! # let path = folder.path().join("life.json");
//! let key = Key::new([7; 32]); // 32 bytes that the system's keychain keeps
//! let store = FileStore::open(path, key, Arc::new(SystemClock::default()))?;
//! // `Engine::builder(registry, Arc::new(store.clone()), transport)` takes it from here.
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Where to read
//!
//! | file | the promise that it keeps |
//! |---|---|
//! | `file.rs` | the file holds the state before a write or the one after it, whatever happens; one process has it open |
//! | `turn.rs` | one write at a time; who reads sees whole states, and waits for nobody |
//! | `leases.rs` | one worker at a time; who lost its lease changes nothing |
//! | `vault.rs`, `seal.rs` | one caller renews credentials, and none are lost; what is in the file opens with the key alone |
//! | `batch.rs` | a batch that makes no sense is refused |
//! | `contents.rs`, `item.rs` | what is kept; what the user deleted stays deleted |
//! | `inbox.rs` | what came by webhook waits until a commit takes it |
//! | `sync.rs`, `ledger.rs`, `quotas.rs` | the traits themselves: exact answers, counts that outlive the process |
//!
//! # What it is for
//!
//! Some thousands of items. Every commit writes the whole file anew, and everything is in memory: that is what makes it
//! short. With ten thousand items of a kilobyte the file has 16 MB, and the commit of a page takes about 50 ms. An
//! embedded database (redb, SQLite) writes what changed alone, and asks for tables, keys and indexes in return; who
//! needs that may as well take `lifehub-store`.
//!
//! It has no change feed, no roll-ups, no schedule and no users. Users and connections are the embedder's, who has a place
//! for them already. **Credentials** are handed over once, when an account is connected
//! ([`FileStore::set_credentials`]), and stand in the file sealed: the engine renews them, and a token that a provider
//! rotated exists nowhere else. The one [`Key`] that opens them is the embedder's to keep.

mod batch;
mod contents;
mod file;
mod inbox;
mod item;
mod leases;
mod ledger;
mod quotas;
mod seal;
mod sync;
mod turn;
mod vault;

use std::fmt;
use std::path::Path;
use std::sync::{Arc, Mutex, RwLock};

use lifehub_core::clock::Clock;
use lifehub_core::record::{ConnectionId, RecordId};
use lifehub_core::secret::Credentials;
use lifehub_core::{Error, ErrorKind, Result};

use crate::contents::Contents;
use crate::file::DataFile;
use crate::inbox::Account;
use crate::leases::Holds;
use crate::turn::Writer;
use crate::vault::Claims;

pub use crate::item::Published;
pub use crate::seal::Key;

/// What is in quarantine.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Quarantined {
    /// The stream from which it came.
    pub stream: String,
    /// The provider's id of the item.
    pub external_id: String,
    /// Why it was not taken.
    pub reason: String,
}

/// A store in one JSON file. Clones share it.
#[derive(Clone)]
pub struct FileStore(Arc<Inner>);

struct Inner {
    /// What is in the file. Readers take the whole of it and let go of the lock.
    contents: RwLock<Arc<Contents>>,
    writer: Mutex<Writer>,
    key: Key,
    clock: Arc<dyn Clock>,
}

impl FileStore {
    /// Opens the file, or begins a new one; the folder must exist. Credentials are sealed under the key, and
    /// leases run out by the clock. It reads the whole file before it returns.
    ///
    /// # Errors
    /// If another process (or another store in this one) has the file open, or if it cannot be read: it stays as it is
    /// then.
    pub fn open(path: impl AsRef<Path>, key: Key, clock: Arc<dyn Clock>) -> Result<Self> {
        let (file, contents) = DataFile::open(path.as_ref())?;
        let writer = Writer { file, holds: Holds::new(clock.clone()), claims: Claims::default() };
        Ok(Self(Arc::new(Inner {
            contents: RwLock::new(Arc::new(contents)),
            writer: Mutex::new(writer),
            key,
            clock,
        })))
    }

    /// Waits for the write that is under way and lets go of the file, so that it can be opened again. Whoever still has
    /// a clone can read on, and writes nothing more. A store that is dropped with its last clone does the same, but
    /// nobody knows when.
    ///
    /// # Errors
    /// If a write broke off, which is a bug.
    pub async fn close(&self) -> Result<()> {
        self.exclusively(|turn| {
            turn.close();
            Ok(())
        })
        .await
    }

    /// Hands over the credentials of a connection, in place of those that it has. They are durable when this returns.
    ///
    /// # Errors
    /// If its user ended the connection; those of the file.
    pub async fn set_credentials(&self, connection: ConnectionId, credentials: &Credentials) -> Result<()> {
        let sealed = self.0.key.seal(connection, credentials)?;
        self.exclusively(move |turn| {
            turn.change(|contents| {
                contents.still_on(connection)?.safe.put(Some(sealed));
                Ok(())
            })
        })
        .await
    }

    /// Says whose account a connection opens: what its provider sends of that account by webhook is kept from then on.
    ///
    /// # Errors
    /// If its user ended the connection; those of the file.
    pub async fn set_account(&self, connection: ConnectionId, provider: &str, account: &str) -> Result<()> {
        let account = Account { provider: provider.to_owned(), id: account.to_owned() };
        self.exclusively(move |turn| {
            turn.change(|contents| {
                contents.still_on(connection)?.account = Some(account);
                Ok(())
            })
        })
        .await
    }

    /// All records of a connection, tombstones included.
    pub fn records(&self, connection: ConnectionId) -> Vec<Published> {
        let contents = self.read();
        let rows = contents.items(connection).flat_map(|(.., item)| &item.records);
        rows.map(|row| row.published.clone()).collect()
    }

    /// What of a connection no normalizer took.
    pub fn quarantine(&self, connection: ConnectionId) -> Vec<Quarantined> {
        let contents = self.read();
        let items = contents.items(connection);
        items
            .filter_map(|(stream, id, item)| {
                let reason = item.quarantine.as_ref()?.reason.clone();
                Some(Quarantined { stream: stream.to_owned(), external_id: id.to_owned(), reason })
            })
            .collect()
    }

    /// Deletes a record as its user: what it says goes, and no sync brings it back. The raw item from which it came
    /// stays, for the item's other records.
    ///
    /// # Errors
    /// [`NotFound`](ErrorKind::NotFound) if there is none of that id; those of the file.
    pub async fn remove_record(&self, record: RecordId) -> Result<()> {
        let now = self.0.clock.now();
        self.exclusively(move |turn| turn.change(|contents| contents.remove(record, now))).await
    }

    /// Ends a connection as its user: who syncs it at this moment writes nothing more, and nobody claims it again. Its
    /// credentials are deleted, what came through it stays.
    ///
    /// # Errors
    /// Those of the file.
    pub async fn disconnect(&self, connection: ConnectionId) -> Result<()> {
        self.exclusively(move |turn| {
            turn.change(|contents| {
                let row = contents.connections.entry(connection).or_default();
                row.ended = true;
                row.safe.put(None);
                row.inbox.clear();
                Ok(())
            })?;
            turn.holds().end(connection);
            Ok(())
        })
        .await
    }
}

/// It shows how much there is, not what: that is personal.
impl fmt::Debug for FileStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FileStore")
            .field("connections", &self.read().connections.len())
            .finish_non_exhaustive()
    }
}

/// A batch, or a caller, that says what cannot be.
fn unsound(text: &str) -> Error {
    Error::new(ErrorKind::Internal, text)
}

//! The store: what it does, in the statements of `sql`, on whichever database `database` has open.

mod authorizations;
mod changes;
mod check;
mod commit;
mod connections;
mod days;
mod inbox;
mod items;
mod leases;
mod places;
mod quotas;
mod records;
mod refresh;
mod rotate;
mod rows;
mod runs;
mod schedule;
mod sync;
mod users;
mod vault;
mod zone;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use lifehub_core::clock::{Clock, Rng, Timestamp};
use lifehub_core::{Error, ErrorKind, Result};

use crate::copy;
use crate::database::sqlite::Holder;
use crate::database::{Database, Location};
use crate::key::KeySource;
use crate::keyring::Keyring;
use crate::options::OpenOptions;
use crate::seal::unique_name;
use places::Places;

pub use check::Finding;
pub use records::Export;
pub use rotate::Rotation;

/// A database of users, connections and their data. Cheap to clone; all clones are one.
///
/// ```
/// # use lifehub_core::clock::Zone;
/// # use lifehub_store::{KeySource, OpenOptions, Store};
/// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
/// let store = Store::open("sqlite::memory:", OpenOptions::new(KeySource::Ephemeral)).await?;
/// let user = store.create_user("ada@example.com", &Zone::utc()).await?;
/// assert_eq!(store.changes(user, 0, 100).await?.items.len(), 0);
/// # Ok::<(), lifehub_core::Error>(())
/// # }).unwrap();
/// ```
#[derive(Clone)]
pub struct Store(Arc<Inner>);

struct Inner {
    db: Database,
    keys: Keyring,
    holder: Holder,
    places: Places,
    clock: Arc<dyn Clock>,
    rng: Arc<Rng>,
    term: Duration,
}

impl Store {
    /// Opens a database, or makes it: `sqlite:///absolute/path`, `sqlite://relative/path`, a plain path, or
    /// `sqlite::memory:` for one that vanishes with this store. The folder must exist.
    ///
    /// With the feature `postgres` also `postgres://user:password@host/database`, which must exist and be empty the first
    /// time; `?options=-csearch_path%3DNAME` names a schema of it. It is PostgreSQL 13 or later, and connections to it are
    /// direct or pooled by session, not by transaction.
    ///
    /// # Errors
    /// If it is not a database of ours, is of a newer version (it stays untouched then) or cannot be used, if a [copy] into
    /// it is not finished, or if the master key is missing, unsafe or another one.
    ///
    /// [copy]: crate::copy()
    pub async fn open(location: &str, options: OpenOptions) -> Result<Self> {
        let location = Location::parse(location)?;
        let kept_nowhere = matches!(options.key, KeySource::Ephemeral);
        let holder = match &location {
            Location::Memory => Holder::unseen(unique_name()?),
            _ if kept_nowhere => {
                return Err(Error::new(
                    ErrorKind::Invalid,
                    "a database that outlives its process needs a master key that is kept",
                )
                .hint("name a key file, or pass the key as text"));
            }
            Location::File(path) => Holder::beside(path)?,
            #[cfg(feature = "postgres")]
            Location::Postgres(_) => Holder::unseen(unique_name()?),
        };
        let db = Database::open(location, &options).await?;
        copy::refuse_unfinished(&db).await?;
        let OpenOptions { key, clock, rng, term, .. } = options;
        let keys = vault::unlock(&db, key).await?;
        Ok(Self(Arc::new(Inner { db, keys, holder, places: Places::default(), clock, rng, term })))
    }

    /// Whether there is a database at that place, without making anything. One that is not ours counts too:
    /// [`Self::open`] says so.
    ///
    /// # Errors
    /// If that cannot be told.
    pub async fn exists(location: &str, options: &OpenOptions) -> Result<bool> {
        Database::exists(Location::parse(location)?, options).await
    }

    /// Waits for what is under way and closes the database. Clones of this store cannot be used afterwards.
    ///
    /// # Errors
    /// If the last connection does not close cleanly. Nothing is lost then.
    pub async fn close(&self) -> Result<()> {
        // Where the end of a process is not seen, it gives back what it holds. If that fails, its leases run out.
        let given_back = match self.0.holder.sees_others() {
            true => Ok(()),
            false => leases::give_all_back(self).await,
        };
        self.0.holder.release();
        self.0.db.close().await.and(given_back)
    }

    pub(crate) fn database(&self) -> &Database {
        &self.0.db
    }

    fn now(&self) -> Timestamp {
        self.0.clock.now()
    }
}

impl fmt::Debug for Store {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Store").finish_non_exhaustive()
    }
}

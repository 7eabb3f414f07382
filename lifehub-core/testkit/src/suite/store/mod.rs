//! The suite of stores: what `lifehub_core::engine::Storage` promises an engine, and what a store promises people beside
//! it, each as one case on a fresh store.
//!
//! A store of your own is put under test by a few lines: how one is opened ([`Subject`]), and what the suite must do
//! beyond the engine's traits ([`StoreUnderTest`]). Faces that a store does not have (a change feed, roll-ups) answer
//! `None`; the cases over them then say that they do not apply.
//!
//! ```
//! # mod example {
//! use std::sync::Arc;
//!
//! use lifehub_testkit::suite::store::{MemoryUnderTest, Subject};
//!
//! fn subject() -> Subject {
//!     Subject::new("memory", |clock| async { Ok(MemoryUnderTest::open(clock)) })
//! }
//!
//! lifehub_testkit::store_suite!(memory, super::subject());
//! # }
//! ```

mod apart;
mod authorizations;
mod batches;
mod bodies;
mod concurrent;
mod feed;
mod inbox;
mod leases;
mod ledger;
mod list;
mod lookups;
mod marks;
mod memory;
mod quotas;
mod records;
mod rollups;
mod schedule;
mod vault;
mod walk;
mod world;

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use lifehub_core::Result;
use lifehub_core::clock::{Clock, Day, Zone};
use lifehub_core::engine::{Connection, Storage};
use lifehub_core::oauth::Authorizations;
use lifehub_core::record::{RecordId, UserId};
use lifehub_core::schedule::Schedule;
use lifehub_core::secret::Credentials;
use serde_json::Value;

use super::{Case, Outcome, Tested, Verdict};

pub use self::list::CASES;
pub use self::memory::MemoryUnderTest;

/// A kind of store: how a fresh one is opened.
pub struct Subject {
    name: &'static str,
    missing: Option<&'static str>,
    open: Box<Open>,
}

type Opened = Pin<Box<dyn Future<Output = Result<Arc<dyn StoreUnderTest>>> + Send>>;
type Open = dyn Fn(Arc<dyn Clock>) -> Opened + Send + Sync;

impl Subject {
    /// `open` makes an empty store that takes the time of what it dates itself from the clock.
    pub fn new<F>(name: &'static str, open: impl Fn(Arc<dyn Clock>) -> F + Send + Sync + 'static) -> Self
    where
        F: Future<Output = Result<Arc<dyn StoreUnderTest>>> + Send + 'static,
    {
        Self { name, missing: None, open: Box::new(move |clock| Box::pin(open(clock))) }
    }

    /// The cases do not apply where something is missing that the store needs.
    #[must_use]
    pub fn unless(mut self, missing: Option<&'static str>) -> Self {
        self.missing = missing;
        self
    }

    /// An empty store.
    ///
    /// # Errors
    /// As the store's.
    pub async fn open(&self, clock: Arc<dyn Clock>) -> Result<Arc<dyn StoreUnderTest>> {
        (self.open)(clock).await
    }
}

impl Tested for Subject {
    // Cases over writers at the same time mean it.
    const THREADS: usize = 3;

    fn name(&self) -> &'static str {
        self.name
    }

    fn missing(&self) -> Option<&'static str> {
        self.missing
    }
}

impl fmt::Debug for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Subject({})", self.name)
    }
}

/// What is in quarantine, as a store shows it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Quarantined {
    /// The stream.
    pub stream: String,
    /// The provider's id of the item.
    pub external_id: String,
    /// Why it was not taken.
    pub reason: String,
}

/// The figures of one metric of a connection on one day.
#[derive(Debug, Clone, PartialEq)]
pub struct Rollup {
    /// The connection.
    pub connection: String,
    /// The metric.
    pub metric: String,
    /// What tells series of the metric apart.
    pub label: String,
    /// The local day.
    pub day: Day,
    /// How many values.
    pub count: u64,
    /// Their sum.
    pub sum: f64,
    /// The smallest.
    pub min: f64,
    /// The largest.
    pub max: f64,
    /// That of the latest record of the day.
    pub last: f64,
}

/// One open store, as the suite works with it. Every error is the store's own.
#[async_trait]
pub trait StoreUnderTest: Send + Sync {
    /// What the engine gets.
    fn storage(&self) -> Arc<dyn Storage>;

    /// What a scheduler gets of the same store; `None` if it schedules nothing.
    fn schedule(&self) -> Option<Arc<dyn Schedule>> {
        None
    }

    /// Where the same store keeps consents under way; `None` if it keeps none.
    fn authorizations(&self) -> Option<Arc<dyn Authorizations>> {
        None
    }

    /// Makes a user. Each call makes another one.
    async fn add_user(&self, zone: &Zone) -> Result<UserId>;

    /// Makes a connection of a user. Where the store knows connections, one to an account that the user has already
    /// takes the place of that.
    async fn add_connection(
        &self,
        user: UserId,
        provider: &str,
        account: &str,
        credentials: Credentials,
    ) -> Result<Connection>;

    /// All records of a connection as published JSON, tombstones included, in any order: `id`, `stream`,
    /// `external_id`, `key`, `dataset`, `start`, `end`, `zone`, `day`, `body`, `changed_at`, `deleted`, and what more
    /// the store has.
    async fn records(&self, connection: &Connection) -> Result<Vec<Value>>;

    /// What of a connection is in quarantine, in any order.
    async fn quarantine(&self, connection: &Connection) -> Result<Vec<Quarantined>>;

    /// Deletes a record as its user.
    async fn remove_record(&self, user: UserId, record: RecordId) -> Result<()>;

    /// Closes this store and opens what it kept, as a new process does; `None` if it forgets with its process.
    async fn reopen(&self) -> Result<Option<Arc<dyn StoreUnderTest>>>;

    /// Lets that much time pass for the leases and claims of this store; `None` if they do not run out.
    async fn pass_time(&self, _by: Duration) -> Result<Option<()>> {
        Ok(None)
    }

    /// Ends a connection as its user; `None` if the store has no such thing.
    async fn disconnect(&self, _connection: &Connection) -> Result<Option<()>> {
        Ok(None)
    }

    /// The user's change feed after a number, at most so many records by rising `seq`; `None` if there is no feed.
    async fn changes(&self, _user: UserId, _after: u64, _limit: u32) -> Result<Option<Vec<Value>>> {
        Ok(None)
    }

    /// All roll-ups of a user, in any order; `None` if there are none.
    async fn rollups(&self, _user: UserId) -> Result<Option<Vec<Rollup>>> {
        Ok(None)
    }

    /// Sets a user's zone; `None` if the store knows no zones.
    async fn set_zone(&self, _user: UserId, _zone: &Zone) -> Result<Option<()>> {
        Ok(None)
    }

    /// Every byte that the store wrote where others may read it; `None` if it writes nowhere.
    async fn written(&self) -> Result<Option<Vec<u8>>> {
        Ok(None)
    }
}

/// One case of this suite.
pub type StoreCase = Case<Subject>;

/// Makes one test of every case for a store, in a module of that name: `store_suite!(sqlite, subject())`. The second is
/// an expression of type [`Subject`](crate::suite::store::Subject), evaluated inside that module.
#[macro_export]
macro_rules! store_suite {
    ($name:ident, $subject:expr) => {
        mod $name {
            $crate::for_each_store_case! { $crate::store_suite_tests; $subject }
        }
    };
}

#[doc(hidden)]
#[macro_export]
macro_rules! store_suite_tests {
    ([$subject:expr] $($group:ident { $($case:ident: $about:literal, $double:literal;)* })*) => {
        $($(
            #[test]
            fn $case() {
                $crate::suite::assert_case($crate::suite::store::CASES, stringify!($case), &$subject);
            }
        )*)*
    };
}

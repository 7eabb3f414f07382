//! The store in memory under test.

use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use lifehub_core::Result;
use lifehub_core::clock::{Clock, Rng, Timestamp, Zone};
use lifehub_core::engine::{Connection, Storage};
use lifehub_core::memory::MemoryStore;
use lifehub_core::oauth::{Authorizations, MemoryAuthorizations};
use lifehub_core::record::{ConnectionId, RecordId, UserId};
use lifehub_core::schedule::Schedule;
use lifehub_core::secret::Credentials;
use serde_json::{Value, json};

use super::{Quarantined, StoreUnderTest};

/// [`MemoryStore`] with what the suite needs beside it: users and connections, which are nobody's in memory.
#[derive(Debug)]
pub struct MemoryUnderTest {
    store: Arc<MemoryStore>,
    authorizations: Arc<MemoryAuthorizations>,
    rng: Rng,
    zones: Mutex<Vec<(UserId, Zone)>>,
    connections: Mutex<Vec<Connection>>,
}

impl MemoryUnderTest {
    /// An empty one, by that clock.
    pub fn open(clock: Arc<dyn Clock>) -> Arc<dyn StoreUnderTest> {
        Arc::new(Self {
            store: Arc::new(MemoryStore::with_clock(clock)),
            authorizations: Arc::default(),
            rng: Rng::seeded(5),
            zones: Mutex::default(),
            connections: Mutex::default(),
        })
    }

    /// The connection of that account, made if the user has none.
    fn connection(&self, user: UserId, provider: &str, account: &str) -> Connection {
        let mut all = self.connections.lock().unwrap_or_else(PoisonError::into_inner);
        let is_it = |one: &&Connection| {
            one.user == user && one.provider == provider && one.account.as_deref() == Some(account)
        };
        if let Some(connection) = all.iter().find(is_it) {
            return connection.clone();
        }
        let zones = self.zones.lock().unwrap_or_else(PoisonError::into_inner);
        let zone = zones.iter().find(|(of, _)| *of == user).map_or_else(Zone::utc, |(_, zone)| zone.clone());
        let connection = Connection {
            id: ConnectionId::new(Timestamp::EPOCH, &self.rng),
            user,
            provider: provider.to_owned(),
            account: Some(account.to_owned()),
            settings: json!({}),
            zone,
        };
        all.push(connection.clone());
        connection
    }
}

#[async_trait]
impl StoreUnderTest for MemoryUnderTest {
    fn storage(&self) -> Arc<dyn Storage> {
        self.store.clone()
    }

    fn schedule(&self) -> Option<Arc<dyn Schedule>> {
        Some(self.store.clone())
    }

    fn authorizations(&self) -> Option<Arc<dyn Authorizations>> {
        Some(self.authorizations.clone())
    }

    async fn add_user(&self, zone: &Zone) -> Result<UserId> {
        let user = UserId::new(Timestamp::EPOCH, &self.rng);
        self.zones.lock().unwrap_or_else(PoisonError::into_inner).push((user, zone.clone()));
        Ok(user)
    }

    async fn add_connection(
        &self,
        user: UserId,
        provider: &str,
        account: &str,
        credentials: Credentials,
    ) -> Result<Connection> {
        let connection = self.connection(user, provider, account);
        self.store.set_credentials(connection.id, credentials);
        self.store.add_connection(connection.clone());
        Ok(connection)
    }

    async fn records(&self, connection: &Connection) -> Result<Vec<Value>> {
        let row = |row| {
            let mut record = serde_json::to_value(row).unwrap_or_default();
            record["connection"] = json!(connection.id);
            record["provider"] = json!(connection.provider);
            record
        };
        Ok(self.store.records(connection.id).into_iter().map(row).collect())
    }

    async fn quarantine(&self, connection: &Connection) -> Result<Vec<Quarantined>> {
        // One stream is all that a store in memory is used for here: it does not say which.
        let rows = self.store.quarantine(connection.id).into_iter();
        let entry = |(external_id, reason)| Quarantined { stream: String::new(), external_id, reason };
        Ok(rows.map(entry).collect())
    }

    async fn remove_record(&self, _user: UserId, record: RecordId) -> Result<()> {
        self.store.remove_record(record)
    }

    async fn reopen(&self) -> Result<Option<Arc<dyn StoreUnderTest>>> {
        Ok(None)
    }
}

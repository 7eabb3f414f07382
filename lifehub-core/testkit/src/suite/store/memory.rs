//! The store in memory under test.

use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use lifehub_core::Result;
use lifehub_core::clock::{Rng, Timestamp, Zone};
use lifehub_core::engine::{Connection, Storage};
use lifehub_core::memory::MemoryStore;
use lifehub_core::record::{ConnectionId, RecordId, UserId};
use lifehub_core::secret::Credentials;
use serde_json::{Value, json};

use super::{Quarantined, StoreUnderTest};

/// [`MemoryStore`] with what the suite needs beside it: users and connections, which are nobody's in memory.
#[derive(Debug)]
pub struct MemoryUnderTest {
    store: Arc<MemoryStore>,
    rng: Rng,
    zones: Mutex<Vec<(UserId, Zone)>>,
}

impl MemoryUnderTest {
    /// An empty one.
    pub fn open() -> Arc<dyn StoreUnderTest> {
        Arc::new(Self { store: Arc::default(), rng: Rng::seeded(5), zones: Mutex::default() })
    }
}

#[async_trait]
impl StoreUnderTest for MemoryUnderTest {
    fn storage(&self) -> Arc<dyn Storage> {
        self.store.clone()
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
        let id = ConnectionId::new(Timestamp::EPOCH, &self.rng);
        self.store.set_credentials(id, credentials);
        let zones = self.zones.lock().unwrap_or_else(PoisonError::into_inner);
        let zone = zones.iter().find(|(of, _)| *of == user).map_or_else(Zone::utc, |(_, zone)| zone.clone());
        Ok(Connection {
            id,
            user,
            provider: provider.to_owned(),
            account: Some(account.to_owned()),
            settings: json!({}),
            zone,
        })
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

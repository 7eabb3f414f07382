//! What people and programs read: listings, the change feed, exports, counts, quarantine; and the user's own delete.

use std::collections::BTreeSet;

use lifehub_core::Result;
use lifehub_core::clock::Timestamp;
use lifehub_core::engine::RecordState;
use lifehub_core::page::RawJson;
use lifehub_core::record::{ConnectionId, RecordId, UserId};

use super::database::Durability;
use super::fault::no_such;
use super::rows::{record_state, stored_record};
use super::statement::{Args, execute, get, get_u64, row, rows, signed};
use super::users::user_row;
use super::{Store, days, sql};
use crate::query::{
    Changes, DatasetCount, MAX_LIMIT, Position, QuarantineEntry, RecordPage, RecordQuery, clamp_limit,
};
use crate::record::StoredRecord;

impl Store {
    /// A page of a user's records in the order of their start, rows among equals.
    ///
    /// # Errors
    /// If the cursor is none of a listing, or the database fails.
    pub async fn records(&self, user: UserId, query: &RecordQuery) -> Result<RecordPage> {
        let limit = clamp_limit(query.limit) as usize;
        let after = query.cursor.as_deref().map(Position::from_cursor).transpose()?;
        let mut from = query.from.map_or(i64::MIN, Timestamp::as_micros);
        let mut to = query.to.map_or(i64::MAX, Timestamp::as_micros);
        // The range begins where the cursor stands, so that a deep page costs no more than the first.
        let (statement, start) = if query.newest_first {
            to = after.map_or(to, |after| to.min(after.sort.saturating_add(1)));
            (sql::RECORDS_BACKWARD, after.unwrap_or(Position { sort: i64::MAX, row: i64::MAX }))
        } else {
            from = after.map_or(from, |after| from.max(after.sort));
            (sql::RECORDS_FORWARD, after.unwrap_or(Position { sort: i64::MIN, row: i64::MIN }))
        };
        let args = Args::new()
            .with(user.as_bytes().as_slice())
            .with(query.dataset.as_deref())
            .with(query.provider.as_deref())
            .with(query.connection.map(|id| id.as_bytes().to_vec()))
            .with(from)
            .with(to)
            .with(start.sort)
            .with(start.row)
            .with(query.deleted)
            .with(signed(limit as u64 + 1));
        let found = rows(&mut *self.0.db.read().await?, statement, args).await?;
        let mut items = Vec::with_capacity(found.len().min(limit));
        let mut last = None;
        for row in found.iter().take(limit) {
            let (record, row, sort) = stored_record(row)?;
            items.push(record);
            last = Some(Position { sort, row });
        }
        let next_cursor = last.filter(|_| found.len() > limit).map(Position::to_cursor);
        Ok(RecordPage { items, next_cursor })
    }

    /// One record of a user.
    ///
    /// # Errors
    /// [`NotFound`](lifehub_core::ErrorKind::NotFound) if there is none of that id, or it is another user's.
    pub async fn record(&self, user: UserId, id: RecordId) -> Result<StoredRecord> {
        let args = Args::new().with(user.as_bytes().as_slice()).with(id.as_bytes().as_slice());
        let found = row(&mut *self.0.db.read().await?, sql::RECORD_GET, args).await?;
        Ok(stored_record(&found.ok_or_else(|| no_such("record"))?)?.0)
    }

    /// What changed in a user's records after a number of the feed: each record once, at its latest change, tombstones
    /// included. Whoever reads on from [`Changes::next`] misses nothing.
    ///
    /// # Errors
    /// If the database fails.
    pub async fn changes(&self, user: UserId, after: u64, limit: u32) -> Result<Changes> {
        self.feed(user, after, clamp_limit(limit), true).await
    }

    async fn feed(&self, user: UserId, after: u64, limit: u32, deleted: bool) -> Result<Changes> {
        let args =
            Args::new().with(user.as_bytes().as_slice()).with(signed(after)).with(deleted).with(limit + 1);
        let found = rows(&mut *self.0.db.read().await?, sql::FEED, args).await?;
        let read = found.iter().take(limit as usize).map(|row| Ok(stored_record(row)?.0));
        let items: Vec<_> = read.collect::<Result<_>>()?;
        let next = items.last().map_or(after, |record| record.seq);
        Ok(Changes { more: found.len() > items.len(), items, next })
    }

    /// All records of a user, page by page in the order of the feed. A record that changes while the export runs comes
    /// again, later, as it is then.
    pub fn export(&self, user: UserId, deleted: bool) -> Export {
        Export { store: self.clone(), user, deleted, after: Some(0) }
    }

    /// How many live records a user has of each dataset, by provider.
    ///
    /// # Errors
    /// If the database fails.
    pub async fn counts(&self, user: UserId) -> Result<Vec<DatasetCount>> {
        let args = Args::new().with(user.as_bytes().as_slice());
        let found = rows(&mut *self.0.db.read().await?, sql::COUNTS, args).await?;
        let count = |row| {
            Ok(DatasetCount { provider: get(row, 0)?, dataset: get(row, 1)?, records: get_u64(row, 2)? })
        };
        found.iter().map(count).collect()
    }

    /// The items of a connection that their normalizer did not take, the oldest first; at most 500.
    ///
    /// # Errors
    /// If the database fails.
    pub async fn quarantine(&self, connection: ConnectionId, limit: u32) -> Result<Vec<QuarantineEntry>> {
        let args = Args::new().with(connection.as_bytes().as_slice()).with(clamp_limit(limit));
        let found = rows(&mut *self.0.db.read().await?, sql::QUARANTINE, args).await?;
        let entry = |row| {
            Ok(QuarantineEntry {
                stream: get(row, 0)?,
                partition: get(row, 1)?,
                external_id: get(row, 2)?,
                reason: get(row, 3)?,
                normalizer: get(row, 4)?,
                since: Timestamp::from_micros(get(row, 5)?),
                body: RawJson::from_store(get(row, 6)?),
            })
        };
        found.iter().map(entry).collect()
    }

    /// Deletes a record as its user: its body is gone, a tombstone enters the feed, and no sync brings it back.
    /// Deleting it again changes nothing.
    ///
    /// # Errors
    /// [`NotFound`](lifehub_core::ErrorKind::NotFound) if there is none of that id, or it is another user's.
    pub async fn delete_record(&self, user: UserId, id: RecordId) -> Result<()> {
        let mut tx = self.0.db.write(Durability::Full).await?;
        let owner = user_row(&mut tx, user).await?;
        let args = Args::new().with(id.as_bytes().as_slice()).with(owner.id);
        let Some(found) = row(&mut tx, sql::RECORD_TO_REMOVE, args).await? else {
            tx.rollback().await?;
            return Err(no_such("record"));
        };
        let (record, connection): (i64, i64) = (get(&found, 0)?, get(&found, 1)?);
        let state = record_state(get(&found, 3)?);
        if state == RecordState::Removed {
            return tx.rollback().await;
        }
        let seq = signed(owner.seq + 1);
        let args = Args::new().with(record).with(self.now().as_micros()).with(seq);
        execute(&mut tx, sql::RECORD_REMOVE, args).await?;
        execute(&mut tx, sql::USER_SET_SEQ, Args::new().with(owner.id).with(seq)).await?;
        if state == RecordState::Live {
            days::recompute(&mut tx, connection, &BTreeSet::from([get(&found, 2)?])).await?;
        }
        tx.commit().await
    }
}

/// An export under way: pages of a bounded size, so that memory stays flat however long the history is.
#[derive(Debug)]
pub struct Export {
    store: Store,
    user: UserId,
    deleted: bool,
    after: Option<u64>,
}

impl Export {
    /// The next records; `None` at the end.
    ///
    /// # Errors
    /// If the database fails. The same page can then be asked for again.
    pub async fn next_page(&mut self) -> Result<Option<Vec<StoredRecord>>> {
        let Some(after) = self.after else { return Ok(None) };
        let page = self.store.feed(self.user, after, MAX_LIMIT, self.deleted).await?;
        self.after = page.more.then_some(page.next);
        Ok(Some(page.items).filter(|items| !items.is_empty()))
    }
}

//! What people and programs read: listings, the change feed, exports, counts, quarantine; and the user's own delete.

use std::collections::BTreeSet;

use lifehub_core::Result;
use lifehub_core::clock::Timestamp;
use lifehub_core::engine::RecordState;
use lifehub_core::page::RawJson;
use lifehub_core::record::{ConnectionId, RecordId, UserId};

use super::rows::{record_state, stored_record};
use super::{Store, days};
use crate::database::{
    Args, Durability, Place, Scope, execute, get, get_name, get_u64, no_such, row, rows, signed,
};
use crate::query::{
    Changes, DatasetCount, MAX_LIMIT, Position, QuarantineEntry, RecordPage, RecordQuery, clamp_limit,
};
use crate::record::StoredRecord;
use crate::sql::{commit, query as sql};

impl Store {
    /// A page of a user's records in the order of their start, rows among equals.
    ///
    /// # Errors
    /// If the cursor is none of a listing, or the database fails.
    pub async fn records(&self, user: UserId, query: &RecordQuery) -> Result<RecordPage> {
        let limit = clamp_limit(query.limit) as usize;
        let nothing = RecordPage { items: Vec::new(), next_cursor: None };
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
        let Some(user) = self.find_user(user).await? else { return Ok(nothing) };
        let connection = match query.connection {
            None => None,
            Some(id) => match self.find_place(id).await? {
                Some(place) => Some(place.connection),
                None => return Ok(nothing),
            },
        };
        let args = Args::of(user)
            .with(query.dataset.as_deref())
            .with(query.provider.as_deref())
            .with(connection)
            .with(from)
            .with(to)
            .with(start.sort)
            .with(start.row)
            .with(query.deleted)
            .with(signed(limit as u64 + 1));
        let found = rows(&mut self.0.db.read(Scope::User(user)).await?, statement, args).await?;
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
        let user = self.find_user(user).await?.ok_or_else(|| no_such("record"))?;
        let args = Args::of(user).with(id.as_bytes());
        let found = row(&mut self.0.db.read(Scope::User(user)).await?, sql::RECORD_GET, args).await?;
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
        let Some(user) = self.find_user(user).await? else {
            return Ok(Changes { more: false, items: Vec::new(), next: after });
        };
        let args = Args::of(user).with(signed(after)).with(deleted).with(limit + 1);
        let found = rows(&mut self.0.db.read(Scope::User(user)).await?, sql::FEED, args).await?;
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
        let Some(user) = self.find_user(user).await? else { return Ok(Vec::new()) };
        let mut conn = self.0.db.read(Scope::User(user)).await?;
        let found = rows(&mut conn, sql::COUNTS, Args::of(user)).await?;
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
        let Some(place) = self.find_place(connection).await? else { return Ok(Vec::new()) };
        let args = Args::at(place).with(clamp_limit(limit));
        let mut conn = self.0.db.read(Scope::Connection(place)).await?;
        let found = rows(&mut conn, sql::QUARANTINE, args).await?;
        let entry = |row| {
            Ok(QuarantineEntry {
                stream: get_name(row, 0)?,
                partition: get_name(row, 1)?,
                external_id: get_name(row, 2)?,
                reason: get_name(row, 3)?,
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
        let user = self.user_row(user).await?;
        let mut tx = self.0.db.write(Scope::User(user), Durability::Full).await?;
        let args = Args::of(user).with(id.as_bytes());
        let Some(found) = row(&mut tx, commit::RECORD_TO_REMOVE, args).await? else {
            tx.rollback().await?;
            return Err(no_such("record"));
        };
        let place = Place { user, connection: get(&found, 0)? };
        let state = record_state(get(&found, 2)?);
        if state == RecordState::Removed {
            return tx.rollback().await;
        }
        let args = Args::of(user).with(1i64).with(0i64).with(0i64);
        let before = row(&mut tx, commit::USER_ADVANCE, args).await?.ok_or_else(|| no_such("user"))?;
        let seq = get::<i64>(&before, 0)? + 1;
        let args = Args::of(user).with(id.as_bytes()).with(self.now().as_micros()).with(seq);
        execute(&mut tx, commit::RECORD_REMOVE, args).await?;
        if state == RecordState::Live {
            days::recompute(&mut tx, place, &BTreeSet::from([get(&found, 1)?])).await?;
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

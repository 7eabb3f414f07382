//! Writing the record changes of a batch: rows, places in the feed, roll-ups of the days that they touch.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use lifehub_core::Result;
use lifehub_core::clock::{Day, Zone};
use lifehub_core::engine::{RecordChange, RecordState};
use lifehub_core::record::{Digest, Record, RecordId};
use sqlx::sqlite::SqliteConnection;

use super::commit::{Base, expect_rows};
use super::rows::{WhenColumns, record_state};
use super::statement::{Args, CHUNK, execute, get, get_bytes, rows};
use super::{days, sql};
use crate::rollup::Fact;

/// The record changes of a batch.
#[derive(Default)]
pub(super) struct Changes {
    inserts: Vec<Content>,
    updates: Vec<Content>,
    deletes: Vec<RecordId>,
}

/// What a record says from now on.
struct Content {
    id: RecordId,
    item: i64,
    normalizer: u32,
    record: Record,
    day: Day,
    digest: Digest,
}

impl Content {
    /// The user's zone may have changed since the batch was made: at commit it decides.
    fn settle_day(&mut self, zone: &Zone) {
        let day = self.record.day(zone);
        if day != self.day {
            (self.day, self.digest) = (day, self.record.digest(day));
        }
    }

    fn fact(&self) -> Fact {
        let record = &self.record;
        Fact::of(self.id, record.dataset(), record.body(), record.when(), self.day.as_number())
    }

    /// Adds the columns from the start to the digest.
    fn push(&self, args: &mut Args) {
        WhenColumns::of(self.record.when(), self.day).push(args);
        args.push(self.record.when().sort_key().as_micros());
        args.push(self.day.as_number());
        args.push(self.record.body());
        args.push(self.digest.as_bytes().as_slice());
    }
}

/// A stored record that the batch changes.
struct Existing {
    row: i64,
    day: i32,
    state: RecordState,
}

impl Changes {
    pub(super) fn add(&mut self, item: i64, normalizer: u32, change: RecordChange) {
        match change {
            RecordChange::Insert { id, record, day, digest } => {
                self.inserts.push(Content { id, item, normalizer, record, day, digest });
            }
            RecordChange::Update { id, record, day, digest, .. } => {
                self.updates.push(Content { id, item, normalizer, record, day, digest });
            }
            RecordChange::Delete { id, .. } => self.deletes.push(id),
        }
    }

    pub(super) async fn write(mut self, conn: &mut SqliteConnection, base: &mut Base) -> Result<()> {
        let existing = self.existing(conn, base.connection).await?;
        // What the user deleted stays as it is; what is gone cannot go again.
        self.updates.retain(|change| existing[&change.id].state != RecordState::Removed);
        self.deletes.retain(|id| existing[id].state == RecordState::Live);
        for content in self.inserts.iter_mut().chain(&mut self.updates) {
            content.settle_day(&base.zone);
        }

        insert(conn, base, &self.inserts).await?;
        update(conn, base, &self.updates, &existing).await?;
        delete(conn, base, &self.deletes, &existing).await?;

        let left =
            self.updates.iter().map(|content| &content.id).chain(&self.deletes).map(|id| &existing[id]);
        let left = left.filter(|old| old.state == RecordState::Live).map(|old| old.day).collect();
        let known = self.updates.iter().map(|content| existing[&content.id].row).collect();
        let mut facts: BTreeMap<i32, Vec<Fact>> = BTreeMap::new();
        for content in self.inserts.iter().chain(&self.updates) {
            facts.entry(content.day.as_number()).or_default().push(content.fact());
        }
        roll_up(conn, base, left, known, facts).await
    }

    /// The stored rows of all that is updated or deleted. Their days count, not those that the batch remembers.
    async fn existing(
        &self,
        conn: &mut SqliteConnection,
        connection: i64,
    ) -> Result<HashMap<RecordId, Existing>> {
        let ids: Vec<_> = self.updates.iter().map(|content| &content.id).chain(&self.deletes).collect();
        let mut existing = HashMap::with_capacity(ids.len());
        for chunk in ids.chunks(CHUNK) {
            let mut args = Args::new().with(connection);
            chunk.iter().for_each(|id| args.push(id.as_bytes().as_slice()));
            for row in &rows(conn, sql::RECORDS_BY_UUID.sql(chunk.len()), args).await? {
                let id = RecordId::from_bytes(get_bytes(row, 1)?);
                let state = record_state(get(row, 3)?);
                existing.insert(id, Existing { row: get(row, 0)?, day: get(row, 2)?, state });
            }
        }
        expect_rows(existing.len() as u64, ids.len())?;
        Ok(existing)
    }
}

async fn insert(conn: &mut SqliteConnection, base: &mut Base, inserts: &[Content]) -> Result<()> {
    let mut row = base.last_record;
    for chunk in inserts.chunks(CHUNK) {
        let mut args = Args::new().with(base.user).with(base.connection).with(base.now).with(base.now);
        args.reserve(chunk.len() * 17);
        for content in chunk {
            row += 1;
            args.push(row);
            args.push(content.id.as_bytes().as_slice());
            args.push(content.item);
            args.push(content.record.get_key());
            args.push(content.record.dataset());
            args.push(base.next_seq());
            args.push(content.normalizer);
            content.push(&mut args);
        }
        execute(conn, sql::RECORDS_INSERT.sql(chunk.len()), args).await?;
    }
    Ok(())
}

async fn update(
    conn: &mut SqliteConnection,
    base: &mut Base,
    updates: &[Content],
    existing: &HashMap<RecordId, Existing>,
) -> Result<()> {
    for chunk in updates.chunks(CHUNK) {
        let mut args = Args::new().with(base.now);
        for content in chunk {
            args.push(existing[&content.id].row);
            args.push(base.next_seq());
            args.push(content.normalizer);
            content.push(&mut args);
        }
        execute(conn, sql::RECORDS_UPDATE.sql(chunk.len()), args).await?;
    }
    Ok(())
}

async fn delete(
    conn: &mut SqliteConnection,
    base: &mut Base,
    deletes: &[RecordId],
    existing: &HashMap<RecordId, Existing>,
) -> Result<()> {
    for chunk in deletes.chunks(CHUNK) {
        let mut args = Args::new().with(base.now);
        for id in chunk {
            args.push(existing[id].row);
            args.push(base.next_seq());
        }
        execute(conn, sql::RECORDS_DELETE.sql(chunk.len()), args).await?;
    }
    Ok(())
}

/// Recomputes every touched day: those that records left, and those of the facts at hand. The other records of these
/// days are read; what was just written (rows in `known`, and all new ones) is in `facts` and is not read again.
async fn roll_up(
    conn: &mut SqliteConnection,
    base: &Base,
    left: BTreeSet<i32>,
    known: HashSet<i64>,
    mut facts: BTreeMap<i32, Vec<Fact>>,
) -> Result<()> {
    let touched: BTreeSet<i32> = left.iter().chain(facts.keys()).copied().collect();
    let touched: Vec<i32> = touched.into_iter().collect();
    for some in touched.chunks(days::AT_ONCE) {
        let mut all = days::facts_of(conn, base.connection, some, base.last_record, &known).await?;
        // A day without an older record has no roll-up that could be stale.
        let with_others: BTreeSet<i32> = all.iter().map(|fact| fact.day).collect();
        let stale: Vec<i32> =
            some.iter().copied().filter(|day| with_others.contains(day) || left.contains(day)).collect();
        all.extend(some.iter().filter_map(|day| facts.remove(day)).flatten());
        days::replace(conn, base.connection, &stale, all).await?;
    }
    Ok(())
}

//! Writing the record changes of a batch: rows, places in the feed, roll-ups of the days that they touch.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use lifehub_core::Result;
use lifehub_core::clock::{Day, Zone};
use lifehub_core::engine::{RecordChange, RecordState};
use lifehub_core::record::{Digest, Record, RecordId};

use super::commit::{Base, expect_rows};
use super::days;
use super::rows::{WhenColumns, record_state};
use crate::database::{Args, Conn, Name, Rows, get, get_bytes};
use crate::rollup::Fact;
use crate::sql::commit as sql;

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
    fn push<'a>(&'a self, rows: &mut Rows<'a>) {
        WhenColumns::of(self.record.when(), self.day).push(rows);
        rows.push(self.record.when().sort_key().as_micros());
        rows.push(self.day.as_number());
        rows.push(self.record.body());
        rows.push(self.digest.as_bytes());
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

    pub(super) async fn write(mut self, conn: &mut Conn, base: &mut Base) -> Result<()> {
        let existing = self.existing(conn, base).await?;
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
    async fn existing(&self, conn: &mut Conn, base: &Base) -> Result<HashMap<RecordId, Existing>> {
        let ids: Vec<_> = self.updates.iter().map(|content| &content.id).chain(&self.deletes).collect();
        let mut rows = sql::RECORDS_BY_UUID.begin(ids.len());
        ids.iter().for_each(|id| rows.push(id.as_bytes()));
        let mut existing = HashMap::with_capacity(ids.len());
        for row in &rows.fetch(conn, Args::at(base.place)).await? {
            let id = RecordId::from_bytes(get_bytes(row, 1)?);
            let state = record_state(get(row, 3)?);
            existing.insert(id, Existing { row: get(row, 0)?, day: get(row, 2)?, state });
        }
        expect_rows(existing.len() as u64, ids.len())?;
        Ok(existing)
    }
}

async fn insert(conn: &mut Conn, base: &mut Base, inserts: &[Content]) -> Result<()> {
    let mut rows = sql::RECORDS_INSERT.begin(inserts.len());
    for (row, content) in (base.last_record + 1..).zip(inserts) {
        rows.push(row);
        rows.push(content.id.as_bytes());
        rows.push(content.item);
        rows.push(Name(content.record.get_key()));
        rows.push(content.record.dataset());
        rows.push(base.next_seq());
        rows.push(content.normalizer);
        content.push(&mut rows);
    }
    let args = Args::at(base.place).with(base.now).with(base.now);
    rows.execute(conn, args).await?;
    Ok(())
}

async fn update(
    conn: &mut Conn,
    base: &mut Base,
    updates: &[Content],
    existing: &HashMap<RecordId, Existing>,
) -> Result<()> {
    let mut rows = sql::RECORDS_UPDATE.begin(updates.len());
    for content in updates {
        rows.push(existing[&content.id].row);
        rows.push(content.id.as_bytes());
        rows.push(base.next_seq());
        rows.push(content.normalizer);
        content.push(&mut rows);
    }
    rows.execute(conn, Args::of(base.place.user).with(base.now)).await?;
    Ok(())
}

async fn delete(
    conn: &mut Conn,
    base: &mut Base,
    deletes: &[RecordId],
    existing: &HashMap<RecordId, Existing>,
) -> Result<()> {
    let mut rows = sql::RECORDS_DELETE.begin(deletes.len());
    for id in deletes {
        rows.push(existing[id].row);
        rows.push(id.as_bytes());
        rows.push(base.next_seq());
    }
    rows.execute(conn, Args::of(base.place.user).with(base.now)).await?;
    Ok(())
}

/// Recomputes every touched day: those that records left, and those of the facts at hand. The other records of these
/// days are read; what was just written (rows in `known`, and all new ones) is in `facts` and is not read again.
async fn roll_up(
    conn: &mut Conn,
    base: &Base,
    left: BTreeSet<i32>,
    known: HashSet<i64>,
    mut facts: BTreeMap<i32, Vec<Fact>>,
) -> Result<()> {
    let touched: BTreeSet<i32> = left.iter().chain(facts.keys()).copied().collect();
    let touched: Vec<i32> = touched.into_iter().collect();
    for some in touched.chunks(days::AT_ONCE) {
        let mut all = days::facts_of(conn, base.place, some, base.last_record, &known).await?;
        all.extend(some.iter().filter_map(|day| facts.remove(day)).flatten());
        let left: Vec<i32> = some.iter().copied().filter(|day| left.contains(day)).collect();
        days::replace(conn, base.place, &left, all).await?;
    }
    Ok(())
}

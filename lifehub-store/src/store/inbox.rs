//! What providers told by webhook: kept until a run takes it.

use std::collections::BTreeMap;

use async_trait::async_trait;
use lifehub_core::clock::Timestamp;
use lifehub_core::engine::{
    Arrival, Dues, Inbox, Lease, MOST_NEWS, PartitionKey, StreamNews, StreamNewsKind, Waiting,
};
use lifehub_core::page::{Item, RawItem, RawJson};
use lifehub_core::record::ConnectionId;
use lifehub_core::{Error, ErrorKind, Result};

use super::Store;
use super::leases::{fence_args, lost};
use crate::database::{
    Args, Conn, Durability, Name, Place, Row, Rows, Scope, Value, execute, get, get_bytes, get_name, get_u64,
    row, rows, signed,
};
use crate::sql::{sync, work as sql};

const CHANGED: i64 = 0;
const PUT: i64 = 1;
const GONE: i64 = 2;
const BROKEN: i64 = 3;

/// Moves the moment at which a connection is due to what its latest run and its inbox say.
pub(super) async fn set_due(conn: &mut Conn, place: Place, dues: &Dues) -> Result<()> {
    let woken = dues.0.keys().filter(|stream| dues.wakes(stream));
    let args = Args::at(place).with(dues.first().as_micros()).with(Value::names(woken));
    execute(conn, sql::DUE_SET, args).await?;
    Ok(())
}

/// The same, by the stored entry of its latest run.
async fn set_due_again(conn: &mut Conn, place: Place) -> Result<()> {
    let found = row(conn, sql::SCHEDULE_LATEST, Args::at(place)).await?;
    let dues = found.map_or(Ok(Dues::default()), |row| {
        serde_json::from_str(get(&row, 0)?)
            .map_err(|_| Error::new(ErrorKind::Storage, "the stored schedule of a run is unreadable"))
    })?;
    set_due(conn, place, &dues).await
}

/// Takes items of a partition out of the inbox.
pub(super) async fn take(conn: &mut Conn, place: Place, partition: &PartitionKey, up_to: u64) -> Result<()> {
    let args = Args::at(place).with(Name(partition.stream.as_str()));
    let args = args.with(Name(partition.partition.as_str())).with(signed(up_to));
    execute(conn, sql::INBOX_TAKE, args).await?;
    Ok(())
}

async fn put(conn: &mut Conn, place: Place, observed: Timestamp, news: &[StreamNews]) -> Result<()> {
    let (marks, items): (Vec<_>, Vec<_>) = news.iter().partition(|news| news.what == StreamNewsKind::Changed);
    let marks: BTreeMap<&str, &StreamNews> =
        marks.into_iter().map(|mark| (mark.stream.as_str(), mark)).collect();
    for stream in marks.keys() {
        // The latest mark stands: a run that began before it may not forget it.
        execute(conn, sql::INBOX_UNMARK, Args::at(place).with(Name(*stream))).await?;
    }
    let mut rows = sql::INBOX_INSERT.begin(news.len());
    for StreamNews { stream, what } in items.into_iter().chain(marks.into_values()) {
        rows.push(Name(stream.as_str()));
        push(&mut rows, what);
    }
    rows.execute(conn, Args::at(place).with(observed.as_micros())).await?;
    Ok(())
}

/// Adds the columns from the kind on.
fn push<'a>(rows: &mut Rows<'a>, what: &'a StreamNewsKind) {
    let (partition, item) = match what {
        StreamNewsKind::Changed => (None, None),
        StreamNewsKind::Item { partition, item } => (Some(partition.as_str()), Some(item)),
    };
    let (kind, id, version, at, reason, body) = match item {
        Some(Item::Put(RawItem { id, at, version, body })) => {
            (PUT, Some(id.as_str()), *version, *at, None, Some(body))
        }
        Some(Item::Gone { id, version }) => (GONE, Some(id.as_str()), *version, None, None, None),
        Some(Item::Broken { body, reason }) => (BROKEN, None, None, None, Some(reason.as_str()), Some(body)),
        _ => (CHANGED, None, None, None, None, None),
    };
    rows.push(kind);
    rows.push(Name(partition));
    rows.push(Name(id));
    rows.push(version.map(u64::cast_signed));
    rows.push(at.map(Timestamp::as_micros));
    rows.push(Name(reason));
    rows.push(body.map(RawJson::as_bytes));
}

fn arrival(row: &Row) -> Result<Arrival> {
    let id = || get_name(row, 4);
    let version = get::<Option<i64>>(row, 5)?.map(i64::cast_unsigned);
    let body = || Ok::<_, Error>(RawJson::from_store(get(row, 8)?));
    let item = match get(row, 3)? {
        PUT => {
            let at = get::<Option<i64>>(row, 6)?.map(Timestamp::from_micros);
            Item::Put(RawItem { id: id()?, at, version, body: body()? })
        }
        GONE => Item::Gone { id: id()?, version },
        _ => Item::Broken { body: body()?, reason: get_name(row, 7)? },
    };
    let observed = Timestamp::from_micros(get(row, 1)?);
    Ok(Arrival { seq: get_u64(row, 0)?, observed, partition: get_name(row, 2)?, item })
}

/// All that waits for a connection, and this too, becomes a mark for each stream of it.
async fn collapse(conn: &mut Conn, place: Place, observed: Timestamp, news: &[StreamNews]) -> Result<()> {
    let found = rows(conn, sql::INBOX_STREAMS, Args::at(place)).await?;
    let mut streams = found.iter().map(|row| get_name(row, 0)).collect::<Result<Vec<String>>>()?;
    streams.extend(news.iter().map(|news| news.stream.clone()));
    streams.sort_unstable();
    streams.dedup();
    execute(conn, sql::INBOX_CLEAR, Args::at(place)).await?;
    let mark = |stream| StreamNews { stream, what: StreamNewsKind::Changed };
    put(conn, place, observed, &streams.into_iter().map(mark).collect::<Vec<_>>()).await
}

#[async_trait]
impl Inbox for Store {
    async fn deliver(
        &self,
        provider: &str,
        account: &str,
        observed: Timestamp,
        news: &[StreamNews],
    ) -> Result<Vec<ConnectionId>> {
        let args = || Args::new().with(provider).with(account);
        // Anybody may send what concerns nobody: that takes no turn at writing.
        let mut conn = self.0.db.read(Scope::All).await?;
        let found = rows(&mut conn, sql::CONNECTIONS_OF_ACCOUNT, args()).await?;
        drop(conn);
        let ids =
            |found: &[Row]| found.iter().map(|row| get_bytes(row, 2).map(ConnectionId::from_bytes)).collect();
        if found.is_empty() || news.is_empty() {
            return ids(&found);
        }
        let mut tx = self.0.db.write(Scope::All, Durability::Full).await?;
        // Locked until the end: numbers of a connection appear in their order, so that who forgets what it knew does not
        // forget what it could not see yet.
        let found = rows(&mut tx, sql::ACCOUNT_LOCK, args()).await?;
        for reached in &found {
            let place = Place { user: get(reached, 0)?, connection: get(reached, 1)? };
            let waits = row(&mut tx, sql::INBOX_COUNT, Args::at(place)).await?;
            let waits = waits.map_or(Ok(0), |row| get_u64(&row, 0))?;
            match waits + news.len() as u64 <= MOST_NEWS as u64 {
                true => put(&mut tx, place, observed, news).await?,
                false => collapse(&mut tx, place, observed, news).await?,
            }
            set_due_again(&mut tx, place).await?;
        }
        tx.tell_due().await?;
        tx.commit().await?;
        ids(&found)
    }

    async fn waiting(&self, connection: ConnectionId) -> Result<Vec<Waiting>> {
        let Some(place) = self.find_place(connection).await? else { return Ok(Vec::new()) };
        let mut conn = self.0.db.read(Scope::Connection(place)).await?;
        let found = rows(&mut conn, sql::INBOX_WAITING, Args::at(place)).await?;
        found.iter().map(|row| Ok(Waiting { stream: get_name(row, 0)?, last: get_u64(row, 1)? })).collect()
    }

    async fn arrivals(
        &self,
        connection: ConnectionId,
        stream: &str,
        after: u64,
        limit: u32,
    ) -> Result<Vec<Arrival>> {
        let Some(place) = self.find_place(connection).await? else { return Ok(Vec::new()) };
        let mut conn = self.0.db.read(Scope::Connection(place)).await?;
        let args = Args::at(place).with(Name(stream)).with(signed(after)).with(limit);
        rows(&mut conn, sql::INBOX_ITEMS, args).await?.iter().map(arrival).collect()
    }

    async fn forget(&self, lease: &Lease, stream: &str, up_to: u64) -> Result<()> {
        let Some(place) = self.find_place(lease.connection).await? else { return Err(lost(lease)) };
        let mut tx = self.0.db.write(Scope::Connection(place), Durability::Page).await?;
        if row(&mut tx, sync::LEASE_HOLDS, fence_args(place, lease)).await?.is_none() {
            tx.rollback().await?;
            return Err(lost(lease));
        }
        execute(&mut tx, sql::INBOX_FORGET, Args::at(place).with(Name(stream)).with(signed(up_to))).await?;
        set_due_again(&mut tx, place).await?;
        tx.commit().await
    }
}

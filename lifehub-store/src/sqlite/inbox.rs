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
use sqlx::sqlite::{SqliteConnection, SqliteRow};

use super::database::Durability;
use super::leases::{fence_args, lost};
use super::rows::text_list;
use super::statement::{Args, CHUNK, execute, get, get_bytes, get_u64, row, rows, signed};
use super::{Store, sql};

const CHANGED: i64 = 0;
const PUT: i64 = 1;
const GONE: i64 = 2;
const BROKEN: i64 = 3;

/// Moves the moment at which a connection is due to what its latest run and its inbox say.
pub(super) async fn set_due(conn: &mut SqliteConnection, connection: i64, dues: &Dues) -> Result<()> {
    let woken: Vec<&str> = dues.0.keys().map(String::as_str).filter(|stream| dues.wakes(stream)).collect();
    let args = Args::new().with(connection).with(dues.first().as_micros()).with(text_list(&woken));
    execute(conn, sql::DUE_SET, args).await?;
    Ok(())
}

/// The same, by the stored entry of its latest run.
async fn set_due_again(conn: &mut SqliteConnection, connection: i64) -> Result<()> {
    let found = row(conn, sql::SCHEDULE_LATEST, Args::new().with(connection)).await?;
    let dues = found.map_or(Ok(Dues::default()), |row| {
        serde_json::from_str(get(&row, 0)?)
            .map_err(|_| Error::new(ErrorKind::Storage, "the stored schedule of a run is unreadable"))
    })?;
    set_due(conn, connection, &dues).await
}

/// Takes items of a partition out of the inbox.
pub(super) async fn take(
    conn: &mut SqliteConnection,
    connection: i64,
    partition: &PartitionKey,
    up_to: u64,
) -> Result<()> {
    let args = Args::new().with(connection).with(partition.stream.as_str());
    let args = args.with(partition.partition.as_str()).with(signed(up_to));
    execute(conn, sql::INBOX_TAKE, args).await?;
    Ok(())
}

async fn put(
    conn: &mut SqliteConnection,
    connection: i64,
    observed: Timestamp,
    news: &[StreamNews],
) -> Result<()> {
    let (marks, items): (Vec<_>, Vec<_>) = news.iter().partition(|news| news.what == StreamNewsKind::Changed);
    let marks: BTreeMap<&str, &StreamNews> =
        marks.into_iter().map(|mark| (mark.stream.as_str(), mark)).collect();
    for stream in marks.keys() {
        // The latest mark stands: a run that began before it may not forget it.
        execute(conn, sql::INBOX_UNMARK, Args::new().with(connection).with(*stream)).await?;
    }
    let all: Vec<&StreamNews> = items.into_iter().chain(marks.into_values()).collect();
    for chunk in all.chunks(CHUNK) {
        let mut args = Args::new().with(connection).with(observed.as_micros());
        args.reserve(chunk.len() * 8);
        for StreamNews { stream, what } in chunk {
            args.push(stream.as_str());
            push(&mut args, what);
        }
        execute(conn, sql::INBOX_INSERT.sql(chunk.len()), args).await?;
    }
    Ok(())
}

/// Adds the columns from the kind on.
fn push(args: &mut Args, what: &StreamNewsKind) {
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
    args.push(kind);
    args.push(partition);
    args.push(id);
    args.push(version.map(u64::cast_signed));
    args.push(at.map(Timestamp::as_micros));
    args.push(reason);
    args.push(body.map(RawJson::as_bytes));
}

fn arrival(row: &SqliteRow) -> Result<Arrival> {
    let id = || get::<String>(row, 4);
    let version = get::<Option<i64>>(row, 5)?.map(i64::cast_unsigned);
    let body = || Ok::<_, Error>(RawJson::from_store(get(row, 8)?));
    let item = match get(row, 3)? {
        PUT => {
            let at = get::<Option<i64>>(row, 6)?.map(Timestamp::from_micros);
            Item::Put(RawItem { id: id()?, at, version, body: body()? })
        }
        GONE => Item::Gone { id: id()?, version },
        _ => Item::Broken { body: body()?, reason: get(row, 7)? },
    };
    let observed = Timestamp::from_micros(get(row, 1)?);
    Ok(Arrival { seq: get_u64(row, 0)?, observed, partition: get(row, 2)?, item })
}

/// All that waits for a connection, and this too, becomes a mark for each stream of it.
async fn collapse(
    conn: &mut SqliteConnection,
    connection: i64,
    observed: Timestamp,
    news: &[StreamNews],
) -> Result<()> {
    let found = rows(conn, sql::INBOX_STREAMS, Args::new().with(connection)).await?;
    let mut streams = found.iter().map(|row| get(row, 0)).collect::<Result<Vec<String>>>()?;
    streams.extend(news.iter().map(|news| news.stream.clone()));
    streams.sort_unstable();
    streams.dedup();
    execute(conn, sql::INBOX_CLEAR, Args::new().with(connection)).await?;
    let mark = |stream| StreamNews { stream, what: StreamNewsKind::Changed };
    put(conn, connection, observed, &streams.into_iter().map(mark).collect::<Vec<_>>()).await
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
        let found = rows(&mut *self.0.db.read().await?, sql::CONNECTIONS_OF_ACCOUNT, args()).await?;
        let ids = |found: &[SqliteRow]| {
            found.iter().map(|row| get_bytes(row, 1).map(ConnectionId::from_bytes)).collect()
        };
        if found.is_empty() || news.is_empty() {
            return ids(&found);
        }
        let mut tx = self.0.db.write(Durability::Full).await?;
        let found = rows(&mut tx, sql::CONNECTIONS_OF_ACCOUNT, args()).await?;
        for reached in &found {
            let connection: i64 = get(reached, 0)?;
            let waits = row(&mut tx, sql::INBOX_COUNT, Args::new().with(connection)).await?;
            let waits = waits.map_or(Ok(0), |row| get_u64(&row, 0))?;
            match waits + news.len() as u64 <= MOST_NEWS as u64 {
                true => put(&mut tx, connection, observed, news).await?,
                false => collapse(&mut tx, connection, observed, news).await?,
            }
            set_due_again(&mut tx, connection).await?;
        }
        tx.commit().await?;
        ids(&found)
    }

    async fn waiting(&self, connection: ConnectionId) -> Result<Vec<Waiting>> {
        let args = Args::new().with(connection.as_bytes().as_slice());
        let found = rows(&mut *self.0.db.read().await?, sql::INBOX_WAITING, args).await?;
        found.iter().map(|row| Ok(Waiting { stream: get(row, 0)?, last: get_u64(row, 1)? })).collect()
    }

    async fn arrivals(
        &self,
        connection: ConnectionId,
        stream: &str,
        after: u64,
        limit: u32,
    ) -> Result<Vec<Arrival>> {
        let args = Args::new().with(connection.as_bytes().as_slice()).with(stream);
        let args = args.with(signed(after)).with(limit);
        rows(&mut *self.0.db.read().await?, sql::INBOX_ITEMS, args).await?.iter().map(arrival).collect()
    }

    async fn forget(&self, lease: &Lease, stream: &str, up_to: u64) -> Result<()> {
        let mut tx = self.0.db.write(Durability::Page).await?;
        let Some(held) = row(&mut tx, sql::LEASE_HOLDS, fence_args(lease)).await? else {
            tx.rollback().await?;
            return Err(lost(lease));
        };
        let connection: i64 = get(&held, 0)?;
        execute(&mut tx, sql::INBOX_FORGET, Args::new().with(connection).with(stream).with(signed(up_to)))
            .await?;
        set_due_again(&mut tx, connection).await?;
        tx.commit().await
    }
}

//! Copying a whole store into an empty one, of the same database or the other.
//!
//! Rows go page by page, each page with a note of how far the copy came in one transaction: who is killed goes on there.
//! As long as that note stands, the target opens for nothing else. It goes when every row was read back and compared.

mod rows;

use lifehub_core::{Error, ErrorKind, Result};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use self::rows::{Cells, Pages, Shifts, Sum, count_all};
use crate::database::{Args, Conn, Database, Durability, Location, Scope, each_row, execute, get, row};
use crate::options::OpenOptions;
use crate::sql::accounts::META_GET;
use crate::sql::copy::{self as sql, TABLES, Table};
use crate::store::Store;

/// The row that says that a copy is under way.
const NOTE: &str = "copy";

/// What a copy is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum CopyStep {
    /// It copies rows.
    Copying,
    /// It reads the rows of both and compares them.
    Checking,
}

/// What a copy came to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct CopyReport {
    /// How many rows each table has, in both.
    pub tables: Vec<CopiedTable>,
    /// How many rows were there already, from a copy that was stopped.
    pub resumed: u64,
}

/// A table that was copied.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct CopiedTable {
    /// Its name.
    pub name: &'static str,
    /// How many rows it has.
    pub rows: u64,
}

impl CopyReport {
    /// The rows of all tables.
    pub fn rows(&self) -> u64 {
        self.tables.iter().map(|table| table.rows).sum()
    }
}

/// Copies a whole store into an empty one: SQLite to PostgreSQL, back, or to another of its kind. Both are named as
/// [`Store::open`] takes them. Nobody may work on the source meanwhile. `progress` hears how many rows of how many are
/// done.
///
/// Ids, feed numbers and sealed credentials stay as they are, and the same master key opens them. Rows keep their
/// numbers too, but for those of items and records where two users of a PostgreSQL store share one: in SQLite, where
/// they cannot, those of each user begin behind those of the users before. Nobody holds a lease of the new store, and
/// those of the old one are of older epochs.
///
/// If it is stopped, at any moment and in any way, the same call goes on where it stood. It needs memory for a few
/// pages, and a few bytes for each user.
///
/// # Errors
/// [`ErrorKind::Invalid`], with nothing written, if somebody works on the source, its credentials do not open, or the
/// target holds anything but the beginning of this copy. [`ErrorKind::Storage`] if a database fails or, in the end, the
/// two are not equal.
pub async fn copy(
    from: &str,
    to: &str,
    options: OpenOptions,
    mut progress: impl FnMut(CopyStep, u64, u64) + Send,
) -> Result<CopyReport> {
    let target = Location::parse(to)?;
    if let Location::Memory = &target {
        return Err(Error::new(ErrorKind::Invalid, "a database in memory would end with this process")
            .hint("name a file, or a database on a server"));
    }
    if let Location::File(path) = Location::parse(from)?
        && !path.exists()
    {
        return Err(Error::new(ErrorKind::NotFound, "there is no database to copy")
            .with("database", path.display())
            .hint("name the file of a store, or the URL of its server"));
    }
    let source = Store::open(from, options.clone()).await?;
    let copied = Box::pin(copy_into(target, &source, &options, &mut progress)).await;
    let closed = source.close().await;
    copied.and_then(|report| closed.map(|()| report))
}

async fn copy_into(
    target: Location,
    source: &Store,
    options: &OpenOptions,
    progress: &mut (impl FnMut(CopyStep, u64, u64) + Send),
) -> Result<CopyReport> {
    ready(source).await?;
    let target = Database::open(target, options).await?;
    let report = run(source.database(), &target, progress).await?;
    target.close().await?;
    Ok(report)
}

/// Refuses a database into which a copy is not finished.
pub(crate) async fn refuse_unfinished(database: &Database) -> Result<()> {
    match note(&mut database.read(Scope::All).await?).await? {
        None => Ok(()),
        Some(_) => Err(Error::new(ErrorKind::Invalid, "the copy into this database is not finished")
            .hint("run the same `lifehub store copy` again: it goes on where it stood")),
    }
}

/// Whether the source can be copied: it rests, and the key opens what it holds.
async fn ready(source: &Store) -> Result<()> {
    if source.is_worked_on(sql::HOLDERS).await? {
        return Err(Error::new(ErrorKind::Invalid, "somebody works on the store that is to be copied").hint(
            "stop every worker and sync that uses it; what one held that was killed is free half a minute later",
        ));
    }
    match source.count_unopened().await? {
        0 => Ok(()),
        unopened => Err(Error::new(ErrorKind::Invalid, "the master key does not open all credentials")
            .with("credentials", unopened)
            .hint("`lifehub doctor` tells more; connect those accounts again")),
    }
}

/// How far a copy came.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Note {
    /// Which source it is of.
    source: String,
    table: usize,
    /// The key of the table's last row that is there, in the source's order.
    after: Option<Cells>,
    rows: u64,
}

async fn note(conn: &mut Conn) -> Result<Option<Vec<u8>>> {
    row(conn, META_GET, Args::new().with(NOTE)).await?.map(|row| get(&row, 0)).transpose()
}

/// A copy under way.
struct Copying<'a> {
    target: &'a Database,
    note: Note,
    /// The note as it stands in the target.
    stored: Vec<u8>,
}

async fn run(
    source: &Database,
    target: &Database,
    progress: &mut (impl FnMut(CopyStep, u64, u64) + Send),
) -> Result<CopyReport> {
    let mut copying = Copying::begin(source, target).await?;
    let resumed = copying.note.rows;
    let all = count_all(source).await?;
    let shifts = Shifts::between(source, target).await?;
    progress(CopyStep::Copying, resumed, all);
    for (number, table) in TABLES.iter().enumerate().skip(copying.note.table) {
        let after = copying.note.after.take().filter(|_| number == copying.note.table);
        let mut pages = Pages::new(source, table, &shifts, after).await?;
        let mut next = pages.next().await?;
        while let Some(page) = next {
            let after = pages.after.clone();
            // The next page is read while this one is written.
            let (written, read) = tokio::join!(copying.write(number, page, after), pages.next());
            written?;
            next = read?;
            progress(CopyStep::Copying, copying.note.rows, all);
        }
    }
    let mut checked = 0;
    let mut tables = Vec::with_capacity(TABLES.len());
    for table in &TABLES {
        let unmoved = Shifts::default();
        let told = |rows| {
            checked += rows;
            progress(CopyStep::Checking, checked, all);
        };
        let (there, here) =
            tokio::try_join!(sum(source, table, &shifts, told), sum(target, table, &unmoved, |_| {}))?;
        if there != here {
            return Err(differs(table, &there, &here));
        }
        tables.push(CopiedTable { name: table.name, rows: here.rows });
    }
    copying.end().await?;
    Ok(CopyReport { tables, resumed })
}

impl<'a> Copying<'a> {
    /// Begins a copy into an empty target, or goes on with the one that is under way.
    async fn begin(source: &Database, target: &'a Database) -> Result<Self> {
        let source = name_of(source).await?;
        let mut tx = target.write(Scope::All, Durability::Full).await?;
        let begun = match note(&mut tx).await? {
            Some(stored) => match serde_json::from_slice::<Note>(&stored) {
                Ok(note) if note.source == source => Ok(Self { target, note, stored }),
                _ => Err(Error::new(
                    ErrorKind::Invalid,
                    "the target holds the beginning of another copy, it was left untouched",
                )
                .hint("copy from the store from which it was begun, or name an empty database")),
            },
            None if row(&mut tx, sql::ANYTHING, Args::new())
                .await?
                .map_or(Ok(true), |row| get(&row, 0))? =>
            {
                Err(Error::new(ErrorKind::Invalid, "the target is not empty, it was left untouched")
                    .hint("name an empty database: a new file, or `createdb NAME` on the server"))
            }
            None => {
                let note = Note { source, table: 0, after: None, rows: 0 };
                let stored = written(&note)?;
                match execute(&mut tx, sql::BEGIN, Args::new().with(stored.as_slice())).await? {
                    0 => Err(overtaken()),
                    _ => Ok(Self { target, note, stored }),
                }
            }
        };
        match begun {
            Ok(begun) => tx.commit().await.map(|()| begun),
            Err(error) => tx.rollback().await.and(Err(error)),
        }
    }

    /// Writes a page and how far the copy came with it.
    async fn write(&mut self, table: usize, page: Vec<Cells>, after: Cells) -> Result<()> {
        let count = page.len() as u64;
        let note = Note {
            source: self.note.source.clone(),
            table,
            after: Some(after),
            rows: self.note.rows + count,
        };
        let stored = written(&note)?;
        let mut tx = self.target.write(Scope::All, Durability::Page).await?;
        let args = Args::new().with(self.stored.as_slice()).with(stored.as_slice());
        if execute(&mut tx, sql::ADVANCE, args).await? == 0 {
            return tx.rollback().await.and(Err(overtaken()));
        }
        let mut rows = TABLES[table].write.begin(page.len());
        page.into_iter().flatten().for_each(|cell| rows.push(cell));
        if rows.execute(&mut tx, Args::new()).await? != count {
            return Err(Error::new(ErrorKind::Internal, "a page was not written as a whole"));
        }
        tx.commit().await?;
        (self.note, self.stored) = (note, stored);
        Ok(())
    }

    /// The target is a store from now on.
    async fn end(self) -> Result<()> {
        let mut tx = self.target.write(Scope::All, Durability::Full).await?;
        tx.take_time().await?;
        if execute(&mut tx, sql::END, Args::new().with(self.stored)).await? == 0 {
            return tx.rollback().await.and(Err(overtaken()));
        }
        match &mut *tx {
            // Its numbers follow from its rows.
            Conn::Sqlite(_) => {}
            #[cfg(feature = "postgres")]
            Conn::Postgres(conn) => conn.run(sql::NUMBERS).await?,
        }
        tx.commit().await
    }
}

fn written(note: &Note) -> Result<Vec<u8>> {
    serde_json::to_vec(note)
        .map_err(|e| Error::new(ErrorKind::Internal, format!("a place does not fit JSON: {e}")))
}

/// A name that tells a source from others: what it is, and a digest of who its users are.
async fn name_of(source: &Database) -> Result<String> {
    let kind = match source {
        Database::Sqlite(_) => "sqlite",
        #[cfg(feature = "postgres")]
        Database::Postgres(_) => "postgres",
    };
    let mut hash = Sha256::new();
    let mut conn = source.read(Scope::All).await?;
    each_row(&mut conn, sql::USERS, Args::new(), |row| {
        hash.update(get::<&[u8]>(row, 0)?);
        hash.update(get::<i64>(row, 1)?.to_be_bytes());
        Ok(())
    })
    .await?;
    let digest: String = hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
    Ok(format!("{kind} {digest}"))
}

/// What a table holds, by the rows that are read back.
async fn sum(
    database: &Database,
    table: &'static Table,
    shifts: &Shifts,
    mut told: impl FnMut(u64),
) -> Result<Sum> {
    let mut pages = Pages::new(database, table, shifts, None).await?;
    let mut sum = Sum::default();
    while let Some(page) = pages.next().await? {
        page.iter().for_each(|cells| sum.add(cells));
        told(page.len() as u64);
    }
    Ok(sum)
}

fn overtaken() -> Error {
    Error::new(ErrorKind::Invalid, "another process copies into the same target")
        .hint("let it end, or stop it and run this again")
}

fn differs(table: &Table, there: &Sum, here: &Sum) -> Error {
    Error::new(ErrorKind::Storage, "the copy is not equal to its source")
        .with("table", table.name)
        .with("rows", there.rows)
        .with("copied", here.rows)
        .hint(
            "most likely something wrote to the source meanwhile: stop whatever uses it, empty the target and copy \
             again; the source is as it was",
        )
}

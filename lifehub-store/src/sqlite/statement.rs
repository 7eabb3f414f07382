//! Running statements: binding, reading columns, and statements over many rows whose text never varies.

use std::sync::OnceLock;

use futures_util::TryStreamExt as _;
use lifehub_core::{Error, ErrorKind, Result};
use sqlx::sqlite::{Sqlite, SqliteArguments, SqliteConnection, SqliteRow};
use sqlx::{Arguments as _, Decode, Encode, Row as _, Type};

use super::fault::fault;

/// The parameters of one statement.
#[derive(Debug, Default)]
pub(crate) struct Args {
    values: SqliteArguments,
    failed: bool,
}

impl Args {
    pub(crate) fn new() -> Self {
        Self::default()
    }

    /// Adds one, for chains.
    pub(crate) fn with<'q, T: Encode<'q, Sqlite> + Type<Sqlite>>(mut self, value: T) -> Self {
        self.push(value);
        self
    }

    /// Adds one.
    pub(crate) fn push<'q, T: Encode<'q, Sqlite> + Type<Sqlite>>(&mut self, value: T) {
        self.failed |= self.values.add(value).is_err();
    }

    pub(crate) fn reserve(&mut self, parameters: usize) {
        self.values.reserve(parameters, 0);
    }

    fn ready(self) -> Result<SqliteArguments> {
        if self.failed {
            return Err(Error::new(ErrorKind::Internal, "a value does not fit the database"));
        }
        Ok(self.values)
    }
}

/// Runs a statement; says how many rows it changed.
pub(crate) async fn execute(conn: &mut SqliteConnection, sql: &'static str, args: Args) -> Result<u64> {
    let done = sqlx::query_with(sql, args.ready()?).execute(conn).await;
    done.map(|done| done.rows_affected()).map_err(fault)
}

/// Runs a statement and takes all its rows.
pub(crate) async fn rows(
    conn: &mut SqliteConnection,
    sql: &'static str,
    args: Args,
) -> Result<Vec<SqliteRow>> {
    sqlx::query_with(sql, args.ready()?).fetch_all(conn).await.map_err(fault)
}

/// Runs a statement and hands each row over as it comes, so that a long answer is never in memory as a whole.
pub(crate) async fn each_row(
    conn: &mut SqliteConnection,
    sql: &'static str,
    args: Args,
    mut take: impl FnMut(&SqliteRow) -> Result<()>,
) -> Result<()> {
    let mut found = sqlx::query_with(sql, args.ready()?).fetch(conn);
    while let Some(row) = found.try_next().await.map_err(fault)? {
        take(&row)?;
    }
    Ok(())
}

/// Runs a statement and takes its only row, if there is one.
pub(crate) async fn row(
    conn: &mut SqliteConnection,
    sql: &'static str,
    args: Args,
) -> Result<Option<SqliteRow>> {
    // A statement that writes must run to its end: all rows are taken.
    Ok(rows(conn, sql, args).await?.pop())
}

/// Reads a column.
pub(crate) fn get<'r, T: Decode<'r, Sqlite> + Type<Sqlite>>(row: &'r SqliteRow, column: usize) -> Result<T> {
    row.try_get(column).map_err(fault)
}

/// Reads a column of bytes of one length.
pub(crate) fn get_bytes<const N: usize>(row: &SqliteRow, column: usize) -> Result<[u8; N]> {
    get::<&[u8]>(row, column)?.try_into().map_err(|_| fault(sqlx::Error::Decode("wrong length".into())))
}

/// Reads a count or sequence.
pub(crate) fn get_u64(row: &SqliteRow, column: usize) -> Result<u64> {
    get::<i64>(row, column).map(|number| u64::try_from(number).unwrap_or(0))
}

/// A number as SQLite holds it.
pub(crate) fn signed(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

/// How many rows a statement of a [`Bulk`] can take. Few sizes, so that each is prepared once.
const SIZES: [usize; 3] = [8, 64, 256];

/// The most rows that one bulk statement takes.
pub(crate) const CHUNK: usize = SIZES[SIZES.len() - 1];

/// A statement over up to [`CHUNK`] rows. Parameters of rows that are not there stay unbound, thus NULL: the statement
/// leaves such rows out by itself (`WHERE column1 IS NOT NULL`), so that few texts serve every number of rows.
pub(crate) struct Bulk {
    head: &'static str,
    columns: usize,
    tail: &'static str,
    sql: [OnceLock<String>; SIZES.len()],
}

impl Bulk {
    /// Rows of so many columns stand between `head` and `tail`, as in `VALUES (?,?),(?,?)`.
    pub(crate) const fn rows(head: &'static str, columns: usize, tail: &'static str) -> Self {
        Self { head, columns, tail, sql: [const { OnceLock::new() }; SIZES.len()] }
    }

    /// Plain parameters stand between `head` and `tail`, as in `IN (?,?)`.
    pub(crate) const fn list(head: &'static str, tail: &'static str) -> Self {
        Self::rows(head, 0, tail)
    }

    /// The statement for that many rows.
    pub(crate) fn sql(&'static self, count: usize) -> &'static str {
        let size = SIZES.iter().position(|size| count <= *size).unwrap_or(SIZES.len() - 1);
        self.sql[size].get_or_init(|| {
            let row = match self.columns {
                0 => "?".to_owned(),
                n => format!("({})", vec!["?"; n].join(",")),
            };
            [self.head, &vec![row; SIZES[size]].join(","), self.tail].concat()
        })
    }

    /// The statement in all its sizes.
    #[cfg(test)]
    pub(crate) fn all(&'static self) -> impl Iterator<Item = &'static str> {
        SIZES.iter().map(|size| self.sql(*size))
    }
}

//! Running statements, each of which stands in the words of every database, and statements over many rows whose text
//! never varies.

#[cfg(feature = "postgres")]
use std::borrow::Cow;
use std::collections::VecDeque;
use std::sync::OnceLock;

use futures_util::TryStreamExt as _;
use lifehub_core::{Error, ErrorKind, Result};
#[cfg(feature = "postgres")]
use sqlx::postgres::PgArguments;
use sqlx::sqlite::SqliteArguments;
use sqlx::{Arguments, Database, Encode, Type};

#[cfg(feature = "postgres")]
use super::value::index_key;
use super::value::{Args, Kind, Value};
use super::{Conn, Row, fault};

/// A statement.
///
/// Its parameters are numbered (`$1`). Where it is about a user, the row of that user is the first; SQLite, which has
/// one file for all of them, needs it nowhere but in tables keyed by user.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Sql {
    pub(crate) sqlite: &'static str,
    #[cfg(feature = "postgres")]
    pub(crate) postgres: &'static str,
}

/// Runs a statement; says how many rows it changed.
pub(crate) async fn execute(conn: &mut Conn, sql: Sql, args: Args<'_>) -> Result<u64> {
    match conn {
        Conn::Sqlite(conn) => {
            let done = sqlx::query_with(sql.sqlite, sqlite_args(args)?).execute(&mut **conn).await;
            done.map(|done| done.rows_affected()).map_err(fault)
        }
        #[cfg(feature = "postgres")]
        Conn::Postgres(conn) => {
            let (conn, turn) = conn.turn();
            let run = sqlx::query_with(sql.postgres, postgres_args(args)?).execute(conn);
            turn.run(run).await.map(|done| done.rows_affected())
        }
    }
}

/// Runs a statement and takes all its rows.
pub(crate) async fn rows(conn: &mut Conn, sql: Sql, args: Args<'_>) -> Result<Vec<Row>> {
    match conn {
        Conn::Sqlite(conn) => {
            let found = sqlx::query_with(sql.sqlite, sqlite_args(args)?).fetch_all(&mut **conn).await;
            Ok(found.map_err(fault)?.into_iter().map(Row::Sqlite).collect())
        }
        #[cfg(feature = "postgres")]
        Conn::Postgres(conn) => {
            let (conn, turn) = conn.turn();
            let run = sqlx::query_with(sql.postgres, postgres_args(args)?).fetch_all(conn);
            Ok(turn.run(run).await?.into_iter().map(Row::Postgres).collect())
        }
    }
}

/// Runs a statement and hands each row over as it comes, so that a long answer is never in memory as a whole.
pub(crate) async fn each_row(
    conn: &mut Conn,
    sql: Sql,
    args: Args<'_>,
    mut take: impl FnMut(&Row) -> Result<()> + Send,
) -> Result<()> {
    match conn {
        Conn::Sqlite(conn) => {
            let mut found = sqlx::query_with(sql.sqlite, sqlite_args(args)?).fetch(&mut **conn);
            while let Some(row) = found.try_next().await.map_err(fault)? {
                take(&Row::Sqlite(row))?;
            }
            Ok(())
        }
        #[cfg(feature = "postgres")]
        Conn::Postgres(conn) => {
            let (conn, turn) = conn.turn();
            let mut found = sqlx::query_with(sql.postgres, postgres_args(args)?).fetch(conn);
            let mut taken = Ok(());
            let run = async {
                while let Some(row) = found.try_next().await? {
                    // What is left of the answer is read all the same: the connection is used again.
                    if taken.is_ok() {
                        taken = take(&Row::Postgres(row));
                    }
                }
                Ok(())
            };
            turn.run(run).await?;
            taken
        }
    }
}

/// Runs a statement and takes its only row, if there is one.
pub(crate) async fn row(conn: &mut Conn, sql: Sql, args: Args<'_>) -> Result<Option<Row>> {
    // A statement that writes must run to its end: all rows are taken.
    Ok(rows(conn, sql, args).await?.pop())
}

fn sqlite_args(args: Args<'_>) -> Result<SqliteArguments> {
    let mut bound = SqliteArguments::default();
    bound.reserve(args.0.len(), 0);
    for value in args.0 {
        bind_sqlite(&mut bound, value)?;
    }
    Ok(bound)
}

/// SQLite has no lists: they are JSON, which `json_each` reads.
fn bind_sqlite(bound: &mut SqliteArguments, value: Value<'_>) -> Result<()> {
    match value {
        Value::Flag(flag) => add(bound, flag),
        Value::Int(number) => add(bound, number),
        Value::Real(number) => add(bound, number),
        Value::Text(text) | Value::Name(text) => add(bound, text.as_deref()),
        Value::Bytes(bytes) => add(bound, bytes.as_deref()),
        Value::Ints(numbers) => {
            let list = numbers.iter().map(i64::to_string).collect::<Vec<_>>().join(",");
            add(bound, format!("[{list}]"))
        }
        Value::Texts(texts) | Value::Names(texts) => {
            add(bound, serde_json::Value::from_iter(texts.iter().map(|t| &**t)).to_string())
        }
    }
}

fn add<'q, D, T>(bound: &mut impl Arguments<Database = D>, value: T) -> Result<()>
where
    D: Database,
    T: Encode<'q, D> + Type<D>,
{
    bound.add(value).map_err(|_| Error::new(ErrorKind::Internal, "a value does not fit the database"))
}

#[cfg(feature = "postgres")]
fn postgres_args(args: Args<'_>) -> Result<PgArguments> {
    let mut bound = PgArguments::default();
    for value in args.0 {
        match value {
            Value::Flag(flag) => add(&mut bound, flag),
            Value::Int(number) => add(&mut bound, number),
            Value::Real(number) => add(&mut bound, number),
            Value::Text(text) => add(&mut bound, text.as_deref()),
            Value::Name(text) => add(&mut bound, text.as_deref().map(str::as_bytes)),
            Value::Bytes(bytes) => add(&mut bound, bytes.as_deref()),
            Value::Ints(numbers) => add(&mut bound, numbers),
            Value::Texts(texts) => add(&mut bound, texts.iter().map(|text| &**text).collect::<Vec<&str>>()),
            Value::Names(names) => {
                add(&mut bound, names.iter().map(|name| name.as_bytes()).collect::<Vec<_>>())
            }
        }?;
    }
    Ok(bound)
}

/// How many rows a statement of a [`Bulk`] can take in SQLite. Few sizes, so that each is prepared once.
const SIZES: [usize; 3] = [8, 64, 256];

/// The most rows that one bulk statement takes.
pub(crate) const CHUNK: usize = SIZES[SIZES.len() - 1];

/// A statement over many rows.
///
/// In SQLite they stand in its text as `VALUES (?,?),(?,?)` or `IN (?,?)`. Parameters of rows that are not there stay
/// unbound, thus NULL: the statement leaves such rows out by itself (`WHERE column1 IS NOT NULL`), so that few texts
/// serve every number of rows. The parameters before the rows are bound in their order, but for the user's row, which is
/// left out.
///
/// In PostgreSQL each column is one array. They follow the other parameters and stand in the text where it says
/// `$rows`, as in `unnest($rows)`, or as columns of a `SELECT`, which takes half the time, where it says `$columns`.
#[derive(Debug)]
pub(crate) struct Bulk {
    head: &'static str,
    tail: &'static str,
    columns: &'static [Kind],
    /// Whether the rows are a list of plain parameters.
    plain: bool,
    /// Whether SQLite binds the user's row too.
    of_user: bool,
    sqlite: [OnceLock<String>; SIZES.len()],
    #[cfg(feature = "postgres")]
    postgres: (usize, &'static str, OnceLock<String>),
}

impl Bulk {
    /// Rows stand between `head` and `tail`, as in `VALUES (?,?),(?,?)`. The text for PostgreSQL comes with how many
    /// of the parameters before the rows it needs.
    pub(crate) const fn rows(
        columns: &'static [Kind],
        (head, tail): (&'static str, &'static str),
        #[cfg_attr(not(feature = "postgres"), expect(unused_variables))] postgres: (usize, &'static str),
    ) -> Self {
        Self {
            head,
            tail,
            columns,
            plain: false,
            of_user: false,
            sqlite: [const { OnceLock::new() }; SIZES.len()],
            #[cfg(feature = "postgres")]
            postgres: (postgres.0, postgres.1, OnceLock::new()),
        }
    }

    /// Plain parameters stand between `head` and `tail`, as in `IN (?,?)`.
    pub(crate) const fn list(
        column: &'static [Kind; 1],
        sqlite: (&'static str, &'static str),
        postgres: (usize, &'static str),
    ) -> Self {
        let mut list = Self::rows(column, sqlite, postgres);
        list.plain = true;
        list
    }

    /// Also in SQLite the first parameter is the user's row.
    pub(crate) const fn of_user(mut self) -> Self {
        self.of_user = true;
        self
    }

    /// The statement for that many rows in SQLite.
    pub(crate) fn sqlite(&'static self, count: usize) -> &'static str {
        let size = SIZES.iter().position(|size| count <= *size).unwrap_or(SIZES.len() - 1);
        self.sqlite[size].get_or_init(|| {
            let row = vec!["?"; self.columns.len()].join(",");
            let row = if self.plain { row } else { format!("({row})") };
            [self.head, &vec![row; SIZES[size]].join(","), self.tail].concat()
        })
    }

    /// The statement in all its sizes.
    #[cfg(test)]
    pub(crate) fn all_sqlite(&'static self) -> impl Iterator<Item = &'static str> {
        SIZES.iter().map(|size| self.sqlite(*size))
    }

    /// The statement for PostgreSQL.
    #[cfg(feature = "postgres")]
    pub(crate) fn postgres(&'static self) -> &'static str {
        let (head, text, sql) = &self.postgres;
        sql.get_or_init(|| {
            // An indexed name fills two columns.
            let arrays = self.columns.iter().flat_map(|kind| {
                std::iter::repeat_n(kind.postgres(), if *kind == Kind::Indexed { 2 } else { 1 })
            });
            let array = |(column, kind)| format!("${}::{kind}[]", head + column + 1);
            let arrays: Vec<String> = arrays.enumerate().map(array).collect();
            let columns: Vec<String> = arrays.iter().map(|array| format!("unnest({array})")).collect();
            text.replace("$rows", &arrays.join(", ")).replace("$columns", &columns.join(", "))
        })
    }

    /// Begins rows for this statement.
    pub(crate) fn begin<'a>(&'static self, expected: usize) -> Rows<'a> {
        Rows { bulk: self, cells: VecDeque::with_capacity(expected * self.columns.len()) }
    }
}

/// Rows for a statement, cell by cell.
#[derive(Debug)]
pub(crate) struct Rows<'a> {
    bulk: &'static Bulk,
    cells: VecDeque<Value<'a>>,
}

impl<'a> Rows<'a> {
    /// Adds the next cell.
    pub(crate) fn push(&mut self, value: impl Into<Value<'a>>) {
        self.cells.push_back(value.into());
    }

    /// Runs the statement over all rows; says how many it changed. Without a row it does nothing.
    pub(crate) async fn execute(mut self, conn: &mut Conn, args: Args<'_>) -> Result<u64> {
        let mut changed = 0;
        match conn {
            Conn::Sqlite(conn) => {
                while let Some((sql, args)) = self.next_sqlite(&args)? {
                    let done = sqlx::query_with(sql, args).execute(&mut **conn).await.map_err(fault)?;
                    changed += done.rows_affected();
                }
            }
            #[cfg(feature = "postgres")]
            Conn::Postgres(conn) => {
                while let Some((sql, args)) = self.next_postgres(&args)? {
                    let (conn, turn) = conn.turn();
                    changed += turn.run(sqlx::query_with(sql, args).execute(conn)).await?.rows_affected();
                }
            }
        }
        Ok(changed)
    }

    /// Runs the statement over all rows and takes what it answers.
    pub(crate) async fn fetch(mut self, conn: &mut Conn, args: Args<'_>) -> Result<Vec<Row>> {
        let mut all = Vec::new();
        match conn {
            Conn::Sqlite(conn) => {
                while let Some((sql, args)) = self.next_sqlite(&args)? {
                    let found = sqlx::query_with(sql, args).fetch_all(&mut **conn).await.map_err(fault)?;
                    all.extend(found.into_iter().map(Row::Sqlite));
                }
            }
            #[cfg(feature = "postgres")]
            Conn::Postgres(conn) => {
                while let Some((sql, args)) = self.next_postgres(&args)? {
                    let (conn, turn) = conn.turn();
                    let found = turn.run(sqlx::query_with(sql, args).fetch_all(conn)).await?;
                    all.extend(found.into_iter().map(Row::Postgres));
                }
            }
        }
        Ok(all)
    }

    /// Takes the next rows, at most so many, as their cells.
    fn take(&mut self, rows: usize) -> Option<Vec<Value<'a>>> {
        let count = self.cells.len().min(rows * self.bulk.columns.len());
        (count > 0).then(|| self.cells.drain(..count).collect())
    }

    fn next_sqlite(&mut self, head: &Args<'_>) -> Result<Option<(&'static str, SqliteArguments)>> {
        let Some(cells) = self.take(CHUNK) else { return Ok(None) };
        let sql = self.bulk.sqlite(cells.len() / self.bulk.columns.len());
        let mut bound = SqliteArguments::default();
        bound.reserve(head.0.len() + cells.len(), 0);
        head.0
            .iter()
            .skip(usize::from(!self.bulk.of_user))
            .cloned()
            .try_for_each(|value| bind_sqlite(&mut bound, value))?;
        cells.into_iter().try_for_each(|value| bind_sqlite(&mut bound, value))?;
        Ok(Some((sql, bound)))
    }

    #[cfg(feature = "postgres")]
    fn next_postgres(&mut self, head: &Args<'_>) -> Result<Option<(&'static str, PgArguments)>> {
        let Some(cells) = self.take(ARRAY) else { return Ok(None) };
        let mut bound = postgres_args(Args(head.0.iter().take(self.bulk.postgres.0).cloned().collect()))?;
        let columns = self.bulk.columns;
        for (column, kind) in columns.iter().enumerate() {
            bind_array(&mut bound, *kind, cells.iter().skip(column).step_by(columns.len()))?;
        }
        Ok(Some((self.bulk.postgres(), bound)))
    }
}

/// The most rows of one statement in PostgreSQL: its message stays small enough to be held on both sides.
#[cfg(feature = "postgres")]
const ARRAY: usize = 4096;

/// Binds the cells of a column as an array.
#[cfg(feature = "postgres")]
fn bind_array<'c>(
    bound: &mut PgArguments,
    kind: Kind,
    cells: impl Iterator<Item = &'c Value<'c>> + Clone,
) -> Result<()> {
    macro_rules! array {
        ($of:ty, $($shape:pat => $value:expr),*) => {{
            let cells: Option<Vec<Option<$of>>> =
                cells.clone().map(|cell| match cell { $($shape => Some($value),)* _ => None }).collect();
            cells.map(|cells| add(bound, cells))
        }};
    }
    let added = match kind {
        Kind::Flag => array!(bool, Value::Flag(flag) => Some(*flag)),
        Kind::Int => array!(i64, Value::Int(number) => *number),
        Kind::Real => array!(f64, Value::Real(number) => Some(*number)),
        Kind::Text => array!(&str, Value::Text(text) => text.as_deref()),
        Kind::Name => array!(&[u8], Value::Name(name) => name.as_deref().map(str::as_bytes)),
        Kind::Key => {
            let keys: Option<Vec<Option<Cow<'_, [u8]>>>> = cells
                .map(|cell| match cell {
                    Value::Name(name) => Some(name.as_deref().map(index_key)),
                    _ => None,
                })
                .collect();
            keys.map(|keys| add(bound, keys.iter().map(Option::as_deref).collect::<Vec<_>>()))
        }
        Kind::Indexed => {
            bind_array(bound, Kind::Key, cells.clone())?;
            let differs = |name: &&str| matches!(index_key(name), Cow::Owned(_));
            array!(&[u8], Value::Name(name) => name.as_deref().filter(differs).map(str::as_bytes))
        }
        Kind::Bytes => array!(&[u8], Value::Bytes(bytes) => bytes.as_deref()),
    };
    added
        .unwrap_or_else(|| Err(Error::new(ErrorKind::Internal, "a value is of another type than its column")))
}

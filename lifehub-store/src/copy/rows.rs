//! Rows on their way from one database to another.

use std::borrow::Cow;

use lifehub_core::Result;
use sha2::{Digest as _, Sha256};

use crate::database::{Args, Conn, Database, Kind, Name, Row, Scope, Value, each_row, get, get_u64, row};
use crate::sql::copy::{SHIFTS, TABLES, Table};

/// The most rows of a page.
const MOST: usize = 4096;
/// A page ends behind the row with which it becomes so large.
const LARGE: usize = 8 << 20;

/// The cells of a row.
pub(super) type Cells = Vec<Value<'static>>;

/// Reads a table page by page, so that it can be read on from the end of any of them.
pub(super) struct Pages<'a> {
    conn: Conn,
    table: &'static Table,
    shifts: &'a Shifts,
    /// The key of the last row that was read.
    pub(super) after: Cells,
    key: &'static [usize],
    limit: usize,
    done: bool,
}

impl<'a> Pages<'a> {
    /// Begins behind that key, or at the first row.
    pub(super) async fn new(
        database: &Database,
        table: &'static Table,
        shifts: &'a Shifts,
        after: Option<Cells>,
    ) -> Result<Self> {
        let key = match database {
            Database::Sqlite(_) => table.key.sqlite,
            #[cfg(feature = "postgres")]
            Database::Postgres(_) => table.key.postgres,
        };
        let after = after.unwrap_or_else(|| key.iter().map(|column| least(table.columns[*column])).collect());
        let mut conn = database.read(Scope::All).await?;
        conn.take_time().await?;
        Ok(Self { conn, table, shifts, after, key, limit: MOST, done: false })
    }

    /// The next page; none behind the last one.
    pub(super) async fn next(&mut self) -> Result<Option<Vec<Cells>>> {
        if self.done {
            return Ok(None);
        }
        let limit = i64::try_from(self.limit).unwrap_or(i64::MAX);
        let args = self.after.iter().cloned().fold(Args::new().with(limit), Args::with);
        let (mut page, mut size, mut left) = (Vec::new(), 0, false);
        each_row(&mut self.conn, self.table.read, args, |row| {
            if size > LARGE {
                left = true;
                return Ok(());
            }
            let cells = read(row, self.table.columns)?;
            size += cells.iter().filter_map(bytes).map(|bytes| bytes.len()).sum::<usize>();
            page.push(cells);
            Ok(())
        })
        .await?;
        self.done = !left && page.len() < self.limit;
        // Of large rows no more are asked for than fit.
        self.limit = if left { page.len() } else { MOST.min(self.limit * 2) };
        let Some(last) = page.last() else { return Ok(None) };
        self.after = self.key.iter().map(|column| last[*column].clone()).collect();
        page.iter_mut().for_each(|cells| self.shifts.apply(self.table, cells));
        Ok(Some(page))
    }
}

/// A value that comes before all that stand in a key.
fn least(kind: Kind) -> Value<'static> {
    match kind {
        Kind::Flag => false.into(),
        Kind::Int => i64::MIN.into(),
        Kind::Real => f64::NEG_INFINITY.into(),
        Kind::Text => "".into(),
        Kind::Name | Kind::Key | Kind::Indexed => Name("").into(),
        Kind::Bytes => (&[]).into(),
    }
}

fn read(row: &Row, columns: &[Kind]) -> Result<Cells> {
    let cell = |(column, kind): (usize, &Kind)| {
        Ok(match kind {
            Kind::Flag => get::<bool>(row, column)?.into(),
            Kind::Int => get::<Option<i64>>(row, column)?.into(),
            Kind::Real => get::<f64>(row, column)?.into(),
            Kind::Text => get::<Option<String>>(row, column)?.into(),
            Kind::Name | Kind::Key | Kind::Indexed => {
                Value::Name(get::<Name<Option<String>>>(row, column)?.0.map(Cow::Owned))
            }
            Kind::Bytes => get::<Option<&[u8]>>(row, column)?.map(<[u8]>::to_vec).into(),
        })
    };
    columns.iter().enumerate().map(cell).collect()
}

/// What a cell holds, whichever database it is from; nothing if it is empty.
fn bytes<'a>(value: &'a Value<'_>) -> Option<Cow<'a, [u8]>> {
    match value {
        Value::Flag(flag) => Some(vec![u8::from(*flag)].into()),
        Value::Int(number) => number.map(|number| number.to_be_bytes().to_vec().into()),
        // SQLite keeps no sign of a zero.
        Value::Real(number) => Some((number + 0.0).to_be_bytes().to_vec().into()),
        Value::Text(text) | Value::Name(text) => text.as_ref().map(|text| text.as_bytes().into()),
        Value::Bytes(bytes) => bytes.as_deref().map(Cow::Borrowed),
        Value::Ints(_) | Value::Texts(_) | Value::Names(_) => None,
    }
}

/// How many rows, and a checksum of them that does not depend on their order: each row's digest, added up.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Sum {
    pub(super) rows: u64,
    digests: u128,
}

impl Sum {
    pub(super) fn add(&mut self, cells: &[Value<'_>]) {
        let mut hash = Sha256::new();
        for cell in cells {
            let bytes = bytes(cell);
            // No cell looks like two, or like none.
            hash.update(bytes.as_ref().map_or(u64::MAX, |bytes| bytes.len() as u64).to_be_bytes());
            hash.update(bytes.unwrap_or_default());
        }
        let mut digest = [0; 16];
        digest.copy_from_slice(&hash.finalize()[..16]);
        self.rows += 1;
        self.digests = self.digests.wrapping_add(u128::from_be_bytes(digest));
    }
}

/// By how much the numbers of items and records are moved, for each user for whom they are.
///
/// In PostgreSQL they are a user's, in SQLite those of a whole file. Where no two users share one, all stay as they are;
/// otherwise those of each user begin behind those of the users before.
#[derive(Debug, Default)]
pub(super) struct Shifts(Vec<(i64, i64, i64)>);

impl Shifts {
    pub(super) async fn between(source: &Database, target: &Database) -> Result<Self> {
        let mut shifts = Vec::new();
        match target {
            Database::Sqlite(_) => {}
            #[cfg(feature = "postgres")]
            Database::Postgres(_) => return Ok(Self(shifts)),
        }
        let mut conn = source.read(Scope::All).await?;
        conn.take_time().await?;
        each_row(&mut conn, SHIFTS, Args::new(), |row| {
            let (user, items, records) = (get(row, 0)?, get(row, 1)?, get(row, 2)?);
            if (items, records) != (0, 0) {
                shifts.push((user, items, records));
            }
            Ok(())
        })
        .await?;
        Ok(Self(shifts))
    }

    fn apply(&self, table: &Table, cells: &mut [Value<'_>]) {
        if table.items.is_empty() {
            return;
        }
        let Some(Value::Int(Some(user))) = cells.first() else { return };
        let Ok(found) = self.0.binary_search_by_key(user, |shift| shift.0) else { return };
        let (_, items, records) = self.0[found];
        for (columns, shift) in [(table.items, items), (table.records, records)] {
            for column in columns {
                if let Value::Int(Some(number)) = &mut cells[*column] {
                    *number += shift;
                }
            }
        }
    }
}

/// How many rows all tables have.
pub(super) async fn count_all(database: &Database) -> Result<u64> {
    let mut conn = database.read(Scope::All).await?;
    conn.take_time().await?;
    let mut all = 0;
    for table in &TABLES {
        let counted = row(&mut conn, table.count, Args::new()).await?;
        all += counted.map_or(Ok(0), |row| get_u64(&row, 0))?;
    }
    Ok(all)
}

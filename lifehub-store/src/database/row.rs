//! Reading the columns of a row, whichever database it is from.

use lifehub_core::Result;
#[cfg(feature = "postgres")]
use sqlx::postgres::PgRow;
use sqlx::sqlite::SqliteRow;

use super::{Name, fault};

/// A row of an answer.
#[derive(Debug)]
pub(crate) enum Row {
    Sqlite(SqliteRow),
    #[cfg(feature = "postgres")]
    Postgres(PgRow),
}

/// A type that a column is read as.
pub(crate) trait Column<'r>: Sized {
    fn of_sqlite(row: &'r SqliteRow, column: usize) -> sqlx::Result<Self>;
    #[cfg(feature = "postgres")]
    fn of_postgres(row: &'r PgRow, column: usize) -> sqlx::Result<Self>;
}

macro_rules! columns {
    ($($of:ty),*) => {$(
        impl<'r> Column<'r> for $of {
            fn of_sqlite(row: &'r SqliteRow, column: usize) -> sqlx::Result<Self> {
                sqlx::Row::try_get(row, column)
            }
            #[cfg(feature = "postgres")]
            fn of_postgres(row: &'r PgRow, column: usize) -> sqlx::Result<Self> {
                sqlx::Row::try_get(row, column)
            }
        }
        )*
    };
}

columns!(bool, i64, f64, &'r str, String, &'r [u8], Vec<u8>);
columns!(Option<bool>, Option<i64>, Option<&'r str>, Option<String>, Option<&'r [u8]>);

impl<'r> Column<'r> for Name<Option<String>> {
    fn of_sqlite(row: &'r SqliteRow, column: usize) -> sqlx::Result<Self> {
        Column::of_sqlite(row, column).map(Name)
    }
    #[cfg(feature = "postgres")]
    fn of_postgres(row: &'r PgRow, column: usize) -> sqlx::Result<Self> {
        let bytes = Option::<&[u8]>::of_postgres(row, column)?.map(<[u8]>::to_vec);
        let text = bytes.map(String::from_utf8).transpose();
        text.map(Name).map_err(|_| sqlx::Error::Decode("a name is not valid text".into()))
    }
}

/// Every integer fills 64 bits in a database.
macro_rules! narrow {
    ($($of:ty),*) => {$(
        impl<'r> Column<'r> for $of {
            fn of_sqlite(row: &'r SqliteRow, column: usize) -> sqlx::Result<Self> {
                narrow(i64::of_sqlite(row, column)?)
            }
            #[cfg(feature = "postgres")]
            fn of_postgres(row: &'r PgRow, column: usize) -> sqlx::Result<Self> {
                narrow(i64::of_postgres(row, column)?)
            }
        }
        impl<'r> Column<'r> for Option<$of> {
            fn of_sqlite(row: &'r SqliteRow, column: usize) -> sqlx::Result<Self> {
                Option::<i64>::of_sqlite(row, column)?.map(narrow).transpose()
            }
            #[cfg(feature = "postgres")]
            fn of_postgres(row: &'r PgRow, column: usize) -> sqlx::Result<Self> {
                Option::<i64>::of_postgres(row, column)?.map(narrow).transpose()
            }
        }
        )*
    };
}

narrow!(i32, u32);

fn narrow<T: TryFrom<i64>>(number: i64) -> sqlx::Result<T> {
    T::try_from(number).map_err(|_| sqlx::Error::Decode("a number is out of range".into()))
}

/// Reads a column.
pub(crate) fn get<'r, T: Column<'r>>(row: &'r Row, column: usize) -> Result<T> {
    match row {
        Row::Sqlite(row) => T::of_sqlite(row, column),
        #[cfg(feature = "postgres")]
        Row::Postgres(row) => T::of_postgres(row, column),
    }
    .map_err(fault)
}

/// Reads a column that holds a [`Name`].
pub(crate) fn get_name(row: &Row, column: usize) -> Result<String> {
    get::<Name<Option<String>>>(row, column).map(|name| name.0.unwrap_or_default())
}

/// Reads a column of bytes of one length.
pub(crate) fn get_bytes<const N: usize>(row: &Row, column: usize) -> Result<[u8; N]> {
    let bytes = get::<&[u8]>(row, column)?;
    bytes.try_into().map_err(|_| fault(sqlx::Error::Decode("wrong length".into())))
}

/// Reads a count or sequence.
pub(crate) fn get_u64(row: &Row, column: usize) -> Result<u64> {
    get::<i64>(row, column).map(|number| u64::try_from(number).unwrap_or(0))
}

/// A number as a database holds it.
pub(crate) fn signed(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

//! Every statement, in one place, in the words of each database, where a test prepares each against a real one.
//!
//! Where a statement is about a user, `$1` is the row of that user, and `$2` mostly that of a connection. Instants are
//! microseconds. `now!()` is the database's own clock, which alone decides over leases. A plus sign before a
//! column (`+ 0` behind it in PostgreSQL) keeps a planner, which knows no sizes, from an index that would lead through far
//! too many rows.

macro_rules! statements {
    ($($(#[$doc:meta])* $name:ident = $sql:expr;)*) => {
        $($(#[$doc])* pub(crate) const $name: $crate::database::Sql = $sql;)*
        #[cfg(test)]
        pub(super) const STATEMENTS: &[(&str, $crate::database::Sql)] = &[$((stringify!($name), $name)),*];
    };
}
macro_rules! bulk {
    ($($(#[$doc:meta])* $name:ident = $bulk:expr;)*) => {
        $($(#[$doc])* pub(crate) static $name: $crate::database::Bulk = $bulk;)*
        #[cfg(test)]
        pub(super) static BULKS: &[(&str, &$crate::database::Bulk)] = &[$((stringify!($name), &$name)),*];
    };
}
macro_rules! now {
    (sqlite) => {
        "CAST(unixepoch('subsec') * 1000000 AS INTEGER)"
    };
    // Not the beginning of the transaction: it may have waited.
    (postgres) => {
        "(extract(epoch FROM clock_timestamp()) * 1000000)::bigint"
    };
}
pub(crate) mod accounts;
pub(crate) mod commit;
pub(crate) mod copy;
pub(crate) mod query;
pub(crate) mod sync;
pub(crate) mod work;

use crate::database::Sql;

/// The same words for every database.
const fn both(sql: &'static str) -> Sql {
    each(sql, sql)
}

/// The words for SQLite and those for PostgreSQL.
const fn each(
    sqlite: &'static str,
    #[cfg_attr(not(feature = "postgres"), expect(unused_variables))] postgres: &'static str,
) -> Sql {
    Sql {
        sqlite,
        #[cfg(feature = "postgres")]
        postgres,
    }
}

#[cfg(test)]
mod tests;

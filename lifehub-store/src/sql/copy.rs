//! Copying a store: how each table is read, and written elsewhere, in one form for every database.

use super::{both, each};
use crate::database::Kind::{Bytes, Flag, Indexed, Int, Name, Real, Text};
use crate::database::{Bulk, Kind, Sql};

/// A table. The columns that are read of a row are those that are written and compared. They are the same in every
/// database, and where rows are a user's, the user comes first.
#[derive(Debug)]
pub(crate) struct Table {
    pub(crate) name: &'static str,
    pub(crate) columns: &'static [Kind],
    /// The next rows in the order of a key: at most so many, behind a place in that order.
    pub(crate) read: Sql,
    /// Which columns make up that place, for each database.
    pub(crate) key: Key,
    pub(crate) count: Sql,
    pub(crate) write: Bulk,
    /// Which columns hold the row of an item.
    pub(crate) items: &'static [usize],
    /// Which columns hold the row of a record.
    pub(crate) records: &'static [usize],
}

#[derive(Debug)]
pub(crate) struct Key {
    pub(crate) sqlite: &'static [usize],
    #[cfg_attr(not(feature = "postgres"), expect(dead_code, reason = "there is no such database"))]
    pub(crate) postgres: &'static [usize],
}

impl Table {
    const fn items(mut self, columns: &'static [usize]) -> Self {
        self.items = columns;
        self
    }

    const fn records(mut self, columns: &'static [usize]) -> Self {
        self.records = columns;
        self
    }
}

/// The parameters for the columns of a key.
#[rustfmt::skip]
macro_rules! after {
    ($a:literal) => { "$2" };
    ($a:literal $b:literal) => { "$2, $3" };
    ($a:literal $b:literal $c:literal) => { "$2, $3, $4" };
    ($a:literal $b:literal $c:literal $d:literal) => { "$2, $3, $4, $5" };
    ($a:literal $b:literal $c:literal $d:literal $e:literal) => { "$2, $3, $4, $5, $6" };
}

macro_rules! page {
    ($columns:expr, $from:expr, $key:literal $($more:literal)*) => {
        concat!("SELECT ", $columns, " FROM ", $from, " WHERE (", $key, $(", ", $more,)* ") > (",
            after!($key $($more)*), ") ORDER BY ", $key, $(", ", $more,)* " LIMIT $1")
    };
}

/// A table. A key is its columns, each with its number among those that are read.
macro_rules! table {
    // For each database the columns that are read and those into which they are written. What is read has other names
    // where it is no column.
    ($table:literal $columns:tt from $from:expr;
        sqlite $read:expr, $named:expr, $into:expr, [$key:literal $at:literal $(, $more:literal $more_at:literal)*];
        postgres $pg_read:expr, $pg_into:expr, $pg_rows:expr, [$($pg_key:literal $pg_at:literal),*]) => {
        Table {
            name: $table,
            columns: &$columns,
            read: each(page!($read, $from, $key $($more)*), page!($pg_read, $from, $($pg_key)*)),
            key: Key { sqlite: &[$at $(, $more_at)*], postgres: &[$($pg_at),*] },
            count: both(concat!("SELECT count(*) FROM ", $from)),
            write: Bulk::rows(
                &$columns,
                (
                    concat!("WITH r (", $named, ") AS (VALUES "),
                    concat!(") INSERT INTO ", $table, " (", $into, ") SELECT ", $into, " FROM r WHERE ", $key,
                        " IS NOT NULL"),
                ),
                // Numbers are kept, also those that the database gives.
                (0, concat!("INSERT INTO ", $table, " (", $pg_into, ") OVERRIDING SYSTEM VALUE ", $pg_rows)),
            ),
            items: &[],
            records: &[],
        }
    };
    // All alike.
    ($table:literal $columns:tt from $from:literal; $names:literal, $key:tt) => {
        table!($table $columns from $from; $names, $key; postgres $key)
    };
    ($table:literal $columns:tt from $from:literal; $names:literal, $key:tt; postgres $pg_key:tt) => {
        table!($table $columns from $from;
            sqlite $names, $names, $names, $key;
            postgres $names, $names, "SELECT * FROM unnest($rows)", $pg_key)
    };
    // A user's, whom SQLite has to look for.
    ($table:literal $columns:tt of $owner:expr; $names:expr, $key:tt; postgres $pg_key:tt) => {
        table!($table $columns of $owner; $names, $names, $key; postgres $pg_key)
    };
    ($table:literal $columns:tt of $owner:expr; $read:expr, $into:expr, $key:tt; postgres $pg_key:tt) => {
        table!($table $columns from $table;
            sqlite concat!("(", $owner, "), ", $read), concat!("user_id, ", $into), $into, $key;
            postgres concat!("user_id, ", $read), concat!("user_id, ", $into), "SELECT * FROM unnest($rows)", $pg_key)
    };
    // With a name by which rows are found.
    ($table:literal $columns:tt of $owner:expr; $before:literal, $name:literal by $index:literal, $behind:literal,
        $key:tt; postgres $pg_key:tt) => {
        table!($table $columns from $table;
            sqlite concat!("(", $owner, "), ", $before, ", ", $name, ", ", $behind),
                concat!("user_id, ", $before, ", ", $name, ", ", $behind),
                concat!($before, ", ", $name, ", ", $behind), $key;
            postgres concat!("user_id, ", $before, ", coalesce(", $name, ", ", $index, "), ", $behind),
                concat!("user_id, ", $before, ", ", $index, ", ", $name, ", ", $behind),
                "SELECT * FROM unnest($rows)", $pg_key)
    };
}

/// Whose a row is. No user is an error, of which the row that is written tells.
#[rustfmt::skip]
macro_rules! user_of {
    (connection) => { "SELECT c.user_id FROM connections c WHERE c.id = connection_id" };
    (partition) => {
        "SELECT c.user_id FROM partitions p JOIN connections c ON c.id = p.connection_id WHERE p.id = partition_id"
    };
    (item) => {
        "SELECT c.user_id FROM items i JOIN partitions p ON p.id = i.partition_id
            JOIN connections c ON c.id = p.connection_id WHERE i.id = item_id"
    };
}

/// The columns of a record; in PostgreSQL its key is two.
macro_rules! record_columns {
    ($key:literal) => {
        concat!(
            "user_id, uuid, id, connection_id, item_id, ",
            $key,
            ", dataset, start_us, start_offset, end_us, end_offset,
            zone, end_zone, sort_us, day, body, digest, normalizer, first_seen, changed_at, seq, state"
        )
    };
}

/// Every table, each behind those to which it refers.
pub(crate) static TABLES: [Table; 18] = [
    table!("meta" [Text, Bytes] from "(SELECT * FROM meta WHERE name <> 'copy') AS m"; "name, value", ["name" 0]),
    table!("users" [Int, Bytes, Text, Text, Int, Int] from "users"; "id, uuid, email, zone, seq, created_at", ["id" 0]),
    table!("connections" [Int, Int, Bytes, Text, Text, Text, Text, Int, Int, Int, Int, Int] from "connections";
        "user_id, id, uuid, provider, account, settings, status, created_at, changed_at, revision, refused_at, due_at",
        ["id" 1]),
    table!("credentials" [Int, Int, Bytes, Bytes, Bytes, Bytes, Int] of user_of!(connection);
        "connection_id, master_key, data_key_id, data_key, credentials, changed_at",
        ["connection_id" 1]; postgres ["user_id" 0, "connection_id" 1]),
    // Nobody holds anything yet, and what was held before is of an older epoch.
    table!("leases" [Int, Int, Int, Int] of user_of!(connection);
        "connection_id, epoch, CAST(0 AS BIGINT)", "connection_id, epoch, expires_at",
        ["connection_id" 1]; postgres ["user_id" 0, "connection_id" 1]),
    table!("refreshes" [Int, Int, Int, Int, Int] of user_of!(connection);
        "connection_id, epoch, CAST(0 AS BIGINT), CAST(0 AS BIGINT)", "connection_id, epoch, half_at, expires_at",
        ["connection_id" 1]; postgres ["user_id" 0, "connection_id" 1]),
    table!("runs" [Int, Int, Int, Bytes, Int, Int, Int, Int, Text, Text] of user_of!(connection);
        "connection_id, id, uuid, epoch, started_at, finished_at, resume_at, report, schedule",
        ["id" 2]; postgres ["user_id" 0, "connection_id" 1, "id" 2]),
    table!("partitions" [Int, Int, Int, Name, Name, Text] from "partitions";
        sqlite concat!("(", user_of!(connection), "), id, connection_id, stream, partition, state"),
            "user_id, id, connection_id, stream, partition, state", "id, connection_id, stream, partition, state",
            ["id" 1];
        postgres "user_id, id, connection_id, stream, partition, state",
            "user_id, id, connection_id, name, stream, partition, state",
            "SELECT user_id, id, connection_id,
                sha256(int8send(octet_length(stream)::bigint) || stream || partition), stream, partition, state
                FROM unnest($rows) AS r (user_id, id, connection_id, stream, partition, state)",
            ["user_id" 0, "id" 1]),
    table!("items" [Int, Int, Int, Indexed, Bytes, Int, Int, Int, Int, Int, Int, Flag, Flag] of user_of!(partition);
        "id, partition_id", "external_id" by "external_key",
        "hash, normalizer, generation, at, version, observed, state, quarantined, held",
        ["id" 1]; postgres ["user_id" 0, "id" 1])
    .items(&[1]),
    table!("bodies" [Int, Int, Bytes] of user_of!(item);
        "item_id, body", ["item_id" 1]; postgres ["user_id" 0, "item_id" 1])
    .items(&[1]),
    table!("quarantine" [Int, Int, Name, Bytes, Int, Int] of user_of!(item);
        "item_id, reason, body, normalizer, since", ["item_id" 1]; postgres ["user_id" 0, "item_id" 1])
    .items(&[1]),
    table!("records" [Int, Bytes, Int, Int, Int, Indexed, Text, Int, Int, Int, Int, Text, Text, Int, Int, Text, Bytes,
            Int, Int, Int, Int, Int] from "records";
        sqlite record_columns!("key"), record_columns!("key"), record_columns!("key"), ["id" 2];
        postgres record_columns!("coalesce(key, record_key)"), record_columns!("record_key, key"),
            "SELECT * FROM unnest($rows)", ["user_id" 0, "uuid" 1])
    .items(&[4])
    .records(&[2]),
    table!("rollups" [Int, Int, Int, Text, Indexed, Int, Real, Real, Real, Real] of user_of!(connection);
        "connection_id, day, metric", "label" by "label_key", "count, sum, min, max, last",
        ["connection_id" 1, "day" 2, "metric" 3, "label" 4];
        postgres ["user_id" 0, "connection_id" 1, "day" 2, "metric" 3, "coalesce(label, label_key)" 4]),
    table!("inbox" [Int, Int, Int, Name, Int, Int, Name, Name, Int, Int, Name, Bytes] of user_of!(connection);
        "connection_id, id, stream, observed, kind, partition, external_id, version, at, reason, body",
        ["id" 2]; postgres ["user_id" 0, "connection_id" 1, "id" 2]),
    table!("authorizations" [Bytes, Bytes, Int] from "authorizations"; "state, sealed, created_at", ["state" 0]),
    table!("quotas" [Text, Text, Text, Int, Int, Int, Int] from "quotas";
        "provider, quota, scope, window_start, used, granted, id",
        ["provider" 0, "quota" 1, "scope" 2, "window_start" 3]),
    table!("paces" [Text, Text, Text, Int, Flag] from "paces";
        "provider, quota, scope, owed_until, granted", ["provider" 0, "quota" 1, "scope" 2]),
    table!("gates" [Text, Text, Text, Int] from "gates";
        "provider, quota, scope, blocked_until", ["provider" 0, "quota" 1, "scope" 2]),
];

statements! {
    /// What tells this source from others.
    USERS = both("SELECT uuid, created_at FROM users ORDER BY id");
    /// Who works on anything at the moment.
    HOLDERS = each(
        concat!("SELECT holder FROM leases WHERE holder IS NOT NULL AND expires_at > ", now!(sqlite), "
            UNION SELECT holder FROM refreshes WHERE holder IS NOT NULL AND expires_at > ", now!(sqlite)),
        concat!("SELECT holder FROM leases WHERE holder IS NOT NULL AND expires_at > ", now!(postgres), "
            UNION SELECT holder FROM refreshes WHERE holder IS NOT NULL AND expires_at > ", now!(postgres)),
    );
    /// Whether a database holds anything: all other rows are those of a user.
    ANYTHING = both("SELECT EXISTS (SELECT 1 FROM users) OR EXISTS (SELECT 1 FROM meta)
        OR EXISTS (SELECT 1 FROM authorizations) OR EXISTS (SELECT 1 FROM quotas)
        OR EXISTS (SELECT 1 FROM paces) OR EXISTS (SELECT 1 FROM gates)");
    // Where another process was faster, these change no row.
    BEGIN = both("INSERT INTO meta (name, value) VALUES ('copy', $1) ON CONFLICT DO NOTHING");
    ADVANCE = both("UPDATE meta SET value = $2 WHERE name = 'copy' AND value = $1");
    END = both("DELETE FROM meta WHERE name = 'copy' AND value = $1");
    /// By how much the numbers of each user's items and records are moved, so that no two users share one.
    SHIFTS = each(
        "SELECT id, 0, 0 FROM users ORDER BY id",
        "SELECT id,
            CASE WHEN EXISTS (SELECT FROM items GROUP BY id HAVING count(*) > 1)
                THEN (sum(last_item) OVER before)::bigint - last_item ELSE 0 END,
            CASE WHEN EXISTS (SELECT FROM records GROUP BY id HAVING count(*) > 1)
                THEN (sum(last_record) OVER before)::bigint - last_record ELSE 0 END
            FROM users WINDOW before AS (ORDER BY id) ORDER BY id",
    );
}

/// Where the numbers that PostgreSQL gives next come from. Sequences belong to whom the tables belong to, who may not be
/// the one that works with them.
#[cfg(feature = "postgres")]
pub(crate) const NUMBERS: &str = "
    UPDATE users SET last_item = coalesce((SELECT max(id) FROM items WHERE user_id = users.id), 0),
        last_record = coalesce((SELECT max(id) FROM records WHERE user_id = users.id), 0);
    SET LOCAL ROLE NONE;
    SELECT setval(pg_get_serial_sequence('users', 'id'), coalesce(max(id), 0) + 1, false) FROM users;
    SELECT setval(pg_get_serial_sequence('connections', 'id'), coalesce(max(id), 0) + 1, false) FROM connections;
    SELECT setval(pg_get_serial_sequence('runs', 'id'), coalesce(max(id), 0) + 1, false) FROM runs;
    SELECT setval(pg_get_serial_sequence('partitions', 'id'), coalesce(max(id), 0) + 1, false) FROM partitions;
    SELECT setval(pg_get_serial_sequence('inbox', 'id'), coalesce(max(id), 0) + 1, false) FROM inbox;
    SELECT setval(pg_get_serial_sequence('quotas', 'id'), coalesce(max(id), 0) + 1, false) FROM quotas";

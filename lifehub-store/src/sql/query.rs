//! What people, programs and `doctor` ask.

use super::{both, each};

macro_rules! record_columns {
    (sqlite) => {
        record_columns!("i.external_id", "r.key")
    };
    (postgres) => {
        record_columns!("coalesce(i.external_id, i.external_key)", "coalesce(r.key, r.record_key)")
    };
    ($id:literal, $key:literal) => {
        concat!("r.id, r.uuid, c.uuid, c.provider, p.stream, ", $id, ", ", $key, ", r.dataset, r.start_us,
         r.start_offset, r.end_us, r.end_offset, r.zone, r.day, r.body, r.seq, r.changed_at, r.state, r.sort_us")
    };
}

macro_rules! record_tables {
    () => {
        "records r JOIN items i ON i.id = r.item_id JOIN partitions p ON p.id = i.partition_id
         JOIN connections c ON c.id = p.connection_id"
    };
}

/// Records that a condition finds, in their order, no more than a limit.
///
/// The planner of PostgreSQL knows little of one user's share of a table, and would walk all that a user has. Here it
/// has no choice: the records are found first, and all else is looked up for each.
macro_rules! found {
    (sqlite, $condition:expr, $order:expr, $limit:expr) => {
        concat!("SELECT ", record_columns!(sqlite), " FROM ", record_tables!(), "
            WHERE ", $condition, " ORDER BY ", $order, " LIMIT ", $limit)
    };
    (postgres, $condition:expr, $order:expr, $limit:expr) => {
        concat!("SELECT ", record_columns!(postgres), "
            FROM (SELECT * FROM records r WHERE ", $condition, " ORDER BY ", $order, " LIMIT ", $limit, ") AS r
                CROSS JOIN LATERAL (SELECT * FROM items WHERE user_id = $1 AND id = r.item_id OFFSET 0) AS i
                CROSS JOIN LATERAL (SELECT * FROM partitions WHERE user_id = $1 AND id = i.partition_id OFFSET 0) AS p
                CROSS JOIN LATERAL (SELECT * FROM connections WHERE user_id = $1 AND id = p.connection_id OFFSET 0) AS c
            ORDER BY ", $order)
    };
}

/// User, dataset, provider, connection, from, to, sort instant and row of the cursor, tombstones too, limit.
macro_rules! listing {
    ($database:ident, $beyond:literal, $order:literal) => {
        found!(
            $database,
            concat!(
                "r.user_id = $1
                AND (CAST($2 AS TEXT) IS NULL OR r.dataset = $2)
                AND (CAST($3 AS TEXT) IS NULL OR r.connection_id IN
                    (SELECT id FROM connections WHERE user_id = $1 AND provider = $3))
                AND (CAST($4 AS BIGINT) IS NULL OR r.connection_id = $4)
                AND r.sort_us >= $5 AND r.sort_us < $6 AND (r.sort_us, r.id) ",
                $beyond,
                " ($7, $8)
                AND (r.state = 0 OR $9)"
            ),
            $order,
            "$10"
        )
    };
}

macro_rules! feed {
    ($database:ident) => {
        found!($database, "r.user_id = $1 AND r.seq > $2 AND (r.state = 0 OR $3)", "r.seq", "$4")
    };
}

statements! {
    RECORDS_FORWARD = each(
        listing!(sqlite, ">", "r.sort_us, r.id"),
        listing!(postgres, ">", "r.sort_us, r.id"),
    );
    RECORDS_BACKWARD = each(
        listing!(sqlite, "<", "r.sort_us DESC, r.id DESC"),
        listing!(postgres, "<", "r.sort_us DESC, r.id DESC"),
    );
    RECORD_GET = each(
        found!(sqlite, "r.uuid = $2 AND r.user_id = $1", "r.id", "1"),
        found!(postgres, "r.uuid = $2 AND r.user_id = $1", "r.id", "1"),
    );
    FEED = each(feed!(sqlite), feed!(postgres));
    ROLLUPS = each(
        "SELECT c.uuid, o.metric, o.label, o.day, o.count, o.sum, o.min, o.max, o.last
            FROM connections c CROSS JOIN rollups o ON o.connection_id = c.id
            WHERE c.user_id = $1 AND o.day BETWEEN $3 AND $4 AND o.metric = $2
            ORDER BY o.day, o.label, c.id",
        "SELECT c.uuid, o.metric, coalesce(o.label, o.label_key), o.day, o.count, o.sum, o.min, o.max, o.last
            FROM connections c JOIN rollups o ON o.user_id = $1 AND o.connection_id = c.id
            WHERE c.user_id = $1 AND o.day BETWEEN $3 AND $4 AND o.metric = $2
            ORDER BY o.day, o.label_key, c.id",
    );
    COUNTS = each(
        "SELECT c.provider, r.dataset, count(*) FROM records r JOIN connections c ON c.id = r.connection_id
            WHERE r.user_id = $1 AND r.state = 0
            GROUP BY c.provider, r.dataset ORDER BY c.provider, r.dataset",
        "SELECT c.provider, r.dataset, count(*)
            FROM records r JOIN connections c ON c.user_id = $1 AND c.id = r.connection_id
            WHERE r.user_id = $1 AND r.state = 0
            GROUP BY c.provider, r.dataset ORDER BY c.provider COLLATE \"C\", r.dataset COLLATE \"C\"",
    );
    QUARANTINE = each(
        "SELECT p.stream, p.partition, i.external_id, q.reason, q.normalizer, q.since, q.body
            FROM quarantine q JOIN items i ON i.id = q.item_id JOIN partitions p ON p.id = i.partition_id
            WHERE p.connection_id = $2 ORDER BY q.since, q.item_id LIMIT $3",
        "SELECT p.stream, p.partition, coalesce(i.external_id, i.external_key), q.reason, q.normalizer, q.since, q.body
            FROM quarantine q JOIN items i ON i.user_id = $1 AND i.id = q.item_id
                JOIN partitions p ON p.user_id = $1 AND p.id = i.partition_id
            WHERE q.user_id = $1 AND p.connection_id = $2 ORDER BY q.since, q.item_id LIMIT $3",
    );

    // Checks.
    INTEGRITY = each(
        "PRAGMA integrity_check(20)",
        "SELECT 'index ' || c.relname || ' is not valid' FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid
            WHERE c.relnamespace = current_schema()::regnamespace AND NOT (i.indisvalid AND i.indisready)",
    );
    /// How many rows refer to what is not there.
    ORPHANS = each(
        "SELECT (SELECT count(*) FROM pragma_foreign_key_check)
            + (SELECT count(*) FROM records r
                LEFT JOIN connections c ON c.id = r.connection_id AND c.user_id = r.user_id WHERE c.id IS NULL)
            + (SELECT count(*) FROM rollups o LEFT JOIN connections c ON c.id = o.connection_id WHERE c.id IS NULL)
            + (SELECT count(*) FROM records r JOIN users u ON u.id = r.user_id WHERE r.seq > u.seq)",
        "SELECT (SELECT count(*) FROM items i
                LEFT JOIN partitions p ON p.user_id = i.user_id AND p.id = i.partition_id WHERE p.id IS NULL)
            + (SELECT count(*) FROM bodies b
                LEFT JOIN items i ON i.user_id = b.user_id AND i.id = b.item_id WHERE i.id IS NULL)
            + (SELECT count(*) FROM quarantine q
                LEFT JOIN items i ON i.user_id = q.user_id AND i.id = q.item_id WHERE i.id IS NULL)
            + (SELECT count(*) FROM records r
                LEFT JOIN items i ON i.user_id = r.user_id AND i.id = r.item_id WHERE i.id IS NULL)
            + (SELECT count(*) FROM records r
                LEFT JOIN connections c ON c.user_id = r.user_id AND c.id = r.connection_id WHERE c.id IS NULL)
            + (SELECT count(*) FROM rollups o
                LEFT JOIN connections c ON c.user_id = o.user_id AND c.id = o.connection_id WHERE c.id IS NULL)
            + (SELECT count(*) FROM items i JOIN users u ON u.id = i.user_id WHERE i.id > u.last_item)
            + (SELECT count(*) FROM records r JOIN users u ON u.id = r.user_id
                WHERE r.seq > u.seq OR r.id > u.last_record)",
    );
    ALL_CONNECTIONS = both("SELECT user_id, id, uuid FROM connections ORDER BY id");
    DAYS_OF_CONNECTION = each(
        "SELECT min(day), max(day) FROM (SELECT day FROM records WHERE connection_id = $2
            UNION ALL SELECT day FROM rollups WHERE connection_id = $2)",
        "SELECT min(day), max(day) FROM (SELECT day FROM records WHERE user_id = $1 AND connection_id = $2
            UNION ALL SELECT day FROM rollups WHERE user_id = $1 AND connection_id = $2) AS d",
    );
    ROLLUPS_OF_SPAN = each(
        "SELECT day, metric, label, count, sum, min, max, last FROM rollups
            WHERE connection_id = $2 AND day BETWEEN $3 AND $4",
        "SELECT day, metric, coalesce(label, label_key), count, sum, min, max, last FROM rollups
            WHERE user_id = $1 AND connection_id = $2 AND day BETWEEN $3 AND $4",
    );
}

//! What the engine reads.

use super::each;
use crate::database::Bulk;
use crate::database::Kind::Key;

/// An identity row. In SQLite it is one JSON array: as columns of their own its values cost more to hand over than to
/// read.
macro_rules! identity {
    (sqlite) => {
        "json_array(i.id, i.external_id, hex(i.hash), i.normalizer, i.generation, i.at, i.version, i.observed, i.state,
            i.quarantined, i.held)"
    };
    (postgres) => {
        "i.id, coalesce(i.external_id, i.external_key), i.hash, i.normalizer, i.generation, i.at, i.version, i.observed, i.state, i.quarantined,
            i.held"
    };
}

/// Live items of a partition inside a span of `at`, or all. From `$2` on: partition, covers everything, from, to.
macro_rules! covered {
    () => {
        "i.partition_id = $2 AND i.state = 0 AND ($3 OR (i.at > $4 AND i.at < $5))"
    };
}

statements! {
    /// Row and state. After the connection: a digest of stream and partition, stream, partition.
    PARTITION = each(
        "SELECT id, state FROM partitions WHERE connection_id = $2 AND stream = $4 AND partition = $5",
        "SELECT id, state FROM partitions WHERE user_id = $1 AND connection_id = $2 AND name = $3",
    );
    PARTITIONS = each(
        "SELECT partition FROM partitions WHERE connection_id = $2 AND stream = $3 ORDER BY partition",
        "SELECT partition FROM partitions WHERE user_id = $1 AND connection_id = $2 AND stream = $3
            ORDER BY partition",
    );
    RECORDS_OF = each(
        "SELECT item_id, uuid, dataset, key, digest, day, state FROM records
            WHERE item_id IN (SELECT value FROM json_each($3)) AND +connection_id = $2",
        "SELECT r.* FROM unnest($3::bigint[]) AS n (item), LATERAL (
                SELECT item_id, uuid, dataset, coalesce(key, record_key), digest, day, state FROM records
                WHERE user_id = $1 AND item_id = n.item AND connection_id + 0 = $2 OFFSET 0) AS r",
    );
    COUNT = each(
        concat!("SELECT count(*), ifnull(sum(i.generation < $6), 0), ifnull(sum(i.generation < $6 AND i.held), 0)
            FROM items i WHERE ", covered!()),
        concat!("SELECT count(*), count(*) FILTER (WHERE i.generation < $6),
                count(*) FILTER (WHERE i.generation < $6 AND i.held)
            FROM items i WHERE i.user_id = $1 AND ", covered!()),
    );
    MISSING = each(
        concat!("SELECT ", identity!(sqlite), " FROM items i WHERE ", covered!(), " AND i.generation < $6
            AND (i.held OR NOT $7) LIMIT $8"),
        concat!("SELECT ", identity!(postgres), " FROM items i WHERE i.user_id = $1 AND ", covered!(), "
            AND i.generation < $6 AND (i.held OR NOT $7) LIMIT $8"),
    );
    /// The body comes first.
    RAW = each(
        concat!("SELECT ifnull(q.body, b.body), ", identity!(sqlite), "
            FROM items i LEFT JOIN bodies b ON b.item_id = i.id LEFT JOIN quarantine q ON q.item_id = i.id
            WHERE +i.partition_id = $2 AND i.id > $3 AND i.state = 0 AND ifnull(q.body, b.body) IS NOT NULL
            ORDER BY i.id LIMIT $4"),
        concat!("SELECT coalesce(q.body, b.body), ", identity!(postgres), "
            FROM items i
                LEFT JOIN LATERAL (SELECT body FROM bodies WHERE user_id = $1 AND item_id = i.id OFFSET 0) AS b ON TRUE
                LEFT JOIN LATERAL (SELECT body FROM quarantine WHERE user_id = $1 AND item_id = i.id OFFSET 0) AS q ON TRUE
            WHERE i.user_id = $1 AND i.partition_id + 0 = $2 AND i.id > $3 AND i.state = 0
                AND coalesce(q.body, b.body) IS NOT NULL
            ORDER BY i.id LIMIT $4"),
    );
    RUN_LATEST = each(
        "SELECT uuid, epoch, started_at, finished_at, resume_at, report, schedule FROM runs
            WHERE connection_id = $2 ORDER BY id DESC LIMIT $3",
        "SELECT uuid, epoch, started_at, finished_at, resume_at, report, schedule FROM runs
            WHERE user_id = $1 AND connection_id = $2 ORDER BY id DESC LIMIT $3",
    );
    /// Whether a lease holds.
    LEASE_HOLDS = each(
        concat!("SELECT 1 FROM leases
            WHERE connection_id = $2 AND epoch = $3 AND holder IS NOT NULL AND expires_at > ", now!(sqlite)),
        concat!("SELECT 1 FROM leases
            WHERE user_id = $1 AND connection_id = $2 AND epoch = $3 AND holder IS NOT NULL
                AND expires_at > ", now!(postgres)),
    );
}

bulk! {
    /// User, connection, a digest of stream and partition, stream, partition; a list of external ids. SQLite gives all
    /// rows as one text.
    KNOWN = Bulk::list(
        &[Key],
        (
            concat!("SELECT '[' || group_concat(", identity!(sqlite), ", ',') || ']'
                FROM items i WHERE i.partition_id = (SELECT id FROM partitions
                    WHERE connection_id = ? AND ? IS NOT NULL AND stream = ? AND partition = ?)
                AND i.external_id IN ("),
            ")",
        ),
        (3, concat!("SELECT ", identity!(postgres), " FROM unnest($rows) AS n (key), LATERAL (
                SELECT * FROM items WHERE user_id = $1 AND external_key = n.key AND partition_id =
                    (SELECT id FROM partitions WHERE user_id = $1 AND connection_id = $2 AND name = $3) OFFSET 0) AS i")),
    );
}

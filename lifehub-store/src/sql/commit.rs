//! The commit of a batch: what runs for every page.

use super::{both, each};
use crate::database::Bulk;
use crate::database::Kind::{Bytes, Flag, Indexed, Int, Name, Real, Text};

macro_rules! zone_candidates {
    ($key:literal) => {
        concat!(
            "SELECT id, connection_id, ",
            $key,
            ", dataset, start_us, start_offset, end_us, end_offset, zone,
                end_zone, day, body, uuid, sort_us
            FROM records
            WHERE user_id = $1 AND (sort_us, id) > ($2, $3) AND start_us IS NOT NULL
                AND (start_offset IS NULL OR (end_us IS NOT NULL AND end_offset IS NULL))
            ORDER BY sort_us, id LIMIT $4"
        )
    };
}

macro_rules! insert_items {
    (sqlite) => {
        "INSERT INTO items (partition_id, held, id, external_id, hash, normalizer, generation, at, version, observed,
             state, quarantined)
         SELECT ?, 0, * FROM (VALUES "
    };
    (postgres) => {
        "INSERT INTO items AS i (user_id, partition_id, held, id, external_key, external_id, hash, normalizer,
             generation, at, version, observed, state, quarantined)
         SELECT $1, $2, FALSE, $columns"
    };
}

macro_rules! insert_bodies {
    (sqlite) => {
        "INSERT INTO bodies (item_id, body) SELECT * FROM (VALUES "
    };
    (postgres) => {
        "INSERT INTO bodies (user_id, item_id, body) SELECT $1, $columns"
    };
}

statements! {
    /// Renews a lease that holds; no row changes if it does not.
    FENCE = each(
        concat!("UPDATE leases SET expires_at = ", now!(sqlite), " + $4
            WHERE connection_id = $2 AND epoch = $3 AND holder IS NOT NULL AND expires_at > ", now!(sqlite)),
        // Whoever tells the connection of news waits until all of this is committed, and the other way round.
        concat!("WITH c AS (SELECT id FROM connections WHERE user_id = $1 AND id = $2 FOR NO KEY UPDATE)
            UPDATE leases SET expires_at = ", now!(postgres), " + $4 FROM c
            WHERE user_id = $1 AND connection_id = c.id AND epoch = $3 AND holder IS NOT NULL
                AND expires_at > ", now!(postgres)),
    );
    /// Takes so many numbers of the user's feed, items and records, and tells those before them, and the user's zone.
    USER_ADVANCE = each(
        "UPDATE users SET seq = seq + $2 WHERE id = $1
            RETURNING seq - $2, zone, (SELECT ifnull(max(id), 0) FROM items), (SELECT ifnull(max(id), 0) FROM records)",
        "UPDATE users SET seq = seq + $2, last_item = last_item + $3, last_record = last_record + $4 WHERE id = $1
            RETURNING seq - $2, zone, last_item - $3, last_record - $4",
    );
    /// After the connection: a digest of stream and partition, stream, partition, state.
    PARTITION_UPSERT = each(
        "INSERT INTO partitions (connection_id, stream, partition, state) VALUES ($2, $4, $5, $6)
            ON CONFLICT DO UPDATE SET state = excluded.state RETURNING id",
        "INSERT INTO partitions (user_id, connection_id, name, stream, partition, state)
            VALUES ($1, $2, $3, $4, $5, $6)
            ON CONFLICT (user_id, connection_id, name) DO UPDATE SET state = excluded.state RETURNING id",
    );
    BODIES_DELETE = each(
        "DELETE FROM bodies WHERE item_id IN (SELECT value FROM json_each($2))",
        "DELETE FROM bodies WHERE user_id = $1 AND item_id = ANY ($2)",
    );
    QUARANTINE_DELETE = each(
        "DELETE FROM quarantine WHERE item_id IN (SELECT value FROM json_each($2))",
        "DELETE FROM quarantine WHERE user_id = $1 AND item_id = ANY ($2)",
    );
    ITEMS_SEEN = each(
        "UPDATE items SET generation = $4, observed = max(observed, $5), held = 0
            WHERE id IN (SELECT value FROM json_each($3)) AND +partition_id = $2",
        "UPDATE items SET generation = $4, observed = greatest(observed, $5), held = FALSE
            WHERE user_id = $1 AND ctid = ANY (ARRAY(
                SELECT i.ctid FROM unnest($3::bigint[]) AS n (id), LATERAL (
                    SELECT ctid FROM items WHERE user_id = $1 AND id = n.id AND partition_id + 0 = $2 OFFSET 0) AS i))",
    );
    ITEMS_HOLD = each(
        "UPDATE items AS i SET held = 1
            WHERE i.partition_id = $2 AND i.state = 0 AND ($3 OR (i.at > $4 AND i.at < $5)) AND i.generation < $6",
        "UPDATE items AS i SET held = TRUE
            WHERE i.user_id = $1 AND i.partition_id = $2 AND i.state = 0 AND ($3 OR (i.at > $4 AND i.at < $5))
                AND i.generation < $6",
    );
    /// What the live records of some days, up to a row, add to them. A day may have very many records. No zone: the
    /// figures of a day do not depend on its name.
    ///
    /// SQLite gives up to 256 of them in one JSON array: each row that is handed from one thread to another costs more
    /// than to read it.
    FACTS_OF_DAYS = each(
        "SELECT '[' || group_concat(
                (SELECT json_array(r.id, hex(r.uuid), r.dataset, r.start_us, r.start_offset, r.end_us, r.end_offset,
                    r.day, r.body) FROM records r WHERE r.id = f.id AND r.state = 0), ',') || ']'
            FROM (SELECT id FROM records
                WHERE connection_id = $2 AND day IN (SELECT value FROM json_each($3)) AND id <= $4) f
            GROUP BY f.id >> 8",
        "SELECT r.* FROM unnest($3::bigint[]) AS n (day), LATERAL (
                SELECT id, uuid, dataset, start_us, start_offset, end_us, end_offset, day, body FROM records
                WHERE user_id = $1 AND connection_id = $2 AND day = n.day AND id <= $4 AND state = 0 OFFSET 0) AS r",
    );
    ROLLUPS_DELETE = each(
        "DELETE FROM rollups WHERE connection_id = $2 AND day IN (SELECT value FROM json_each($3))",
        "DELETE FROM rollups WHERE user_id = $1 AND ctid = ANY (ARRAY(
            SELECT o.ctid FROM unnest($3::bigint[]) AS n (day), LATERAL (
                SELECT ctid FROM rollups WHERE user_id = $1 AND connection_id = $2 AND day = n.day OFFSET 0) AS o))",
    );
    RUN_UPSERT = each(
        "INSERT INTO runs (connection_id, uuid, epoch, started_at, finished_at, resume_at, report, schedule)
            VALUES ($2, $3, $4, $5, $6, $7, $8, $9)
            ON CONFLICT DO UPDATE SET epoch = excluded.epoch, started_at = excluded.started_at,
                finished_at = excluded.finished_at, resume_at = excluded.resume_at, report = excluded.report,
                schedule = excluded.schedule
            WHERE connection_id = excluded.connection_id",
        "INSERT INTO runs AS r (user_id, connection_id, uuid, epoch, started_at, finished_at, resume_at, report, schedule)
            VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
            ON CONFLICT (user_id, uuid) DO UPDATE SET epoch = excluded.epoch, started_at = excluded.started_at,
                finished_at = excluded.finished_at, resume_at = excluded.resume_at, report = excluded.report,
                schedule = excluded.schedule
            WHERE r.connection_id = excluded.connection_id",
    );
    RECORD_REMOVE = both("UPDATE records SET state = 2, body = '{}', changed_at = $3, seq = $4
        WHERE user_id = $1 AND uuid = $2");
    RECORD_TO_REMOVE = both("SELECT connection_id, day, state FROM records WHERE user_id = $1 AND uuid = $2");
    /// Records whose provider told no offset, in the order of a listing.
    ZONE_CANDIDATES = each(zone_candidates!("key"), zone_candidates!("coalesce(key, record_key)"));
}

bulk! {
    /// User, connection; a list of ids: what a commit must know of the records that it changes.
    RECORDS_BY_UUID = Bulk::list(
        &[Bytes],
        ("SELECT id, uuid, day, state FROM records WHERE +connection_id = ? AND uuid IN (", ")"),
        (2, "SELECT r.* FROM unnest($rows) AS n (uuid), LATERAL (
            SELECT id, uuid, day, state FROM records
            WHERE user_id = $1 AND uuid = n.uuid AND connection_id + 0 = $2 OFFSET 0) AS r"),
    );
    /// User, partition; each row: id, external id, hash, normalizer, generation, at, version, observed, state,
    /// quarantined.
    ///
    /// What is new has a statement of its own: PostgreSQL takes half as long again for a row that may be there.
    ITEMS_INSERT = Bulk::rows(
        &[Int, Indexed, Bytes, Int, Int, Int, Int, Int, Int, Flag],
        (insert_items!(sqlite), ") WHERE column1 IS NOT NULL"),
        (2, insert_items!(postgres)),
    );
    /// As above. Only rows of that partition and those ids are replaced.
    ITEMS_UPSERT = Bulk::rows(
        &[Int, Indexed, Bytes, Int, Int, Int, Int, Int, Int, Flag],
        (
            insert_items!(sqlite),
            ") WHERE column1 IS NOT NULL
             ON CONFLICT (id) DO UPDATE SET hash = excluded.hash, normalizer = excluded.normalizer,
                 generation = excluded.generation, at = excluded.at, version = excluded.version,
                 observed = excluded.observed, state = excluded.state, quarantined = excluded.quarantined, held = 0
             WHERE partition_id = excluded.partition_id AND external_id = excluded.external_id",
        ),
        (2, concat!(insert_items!(postgres), "
         ON CONFLICT (user_id, id) DO UPDATE SET hash = excluded.hash, normalizer = excluded.normalizer,
             generation = excluded.generation, at = excluded.at, version = excluded.version,
             observed = excluded.observed, state = excluded.state, quarantined = excluded.quarantined, held = FALSE
         WHERE i.partition_id = excluded.partition_id AND i.external_key = excluded.external_key")),
    );
    /// User; each row: item, body. The item is new.
    BODIES_INSERT = Bulk::rows(
        &[Int, Bytes],
        (insert_bodies!(sqlite), ") WHERE column1 IS NOT NULL"),
        (1, insert_bodies!(postgres)),
    );
    /// As above.
    BODIES_UPSERT = Bulk::rows(
        &[Int, Bytes],
        (
            insert_bodies!(sqlite),
            ") WHERE column1 IS NOT NULL ON CONFLICT DO UPDATE SET body = excluded.body",
        ),
        (1, concat!(insert_bodies!(postgres), "
         ON CONFLICT (user_id, item_id) DO UPDATE SET body = excluded.body")),
    );
    /// User, since when; each row: item, reason, body, normalizer.
    QUARANTINE_UPSERT = Bulk::rows(
        &[Int, Name, Bytes, Int],
        (
            "INSERT INTO quarantine (since, item_id, reason, body, normalizer) SELECT ?, * FROM (VALUES ",
            ") WHERE column1 IS NOT NULL
             ON CONFLICT DO UPDATE SET reason = excluded.reason, body = excluded.body, normalizer = excluded.normalizer",
        ),
        (2, "INSERT INTO quarantine (user_id, since, item_id, reason, body, normalizer)
         SELECT $1, $2, $columns
         ON CONFLICT (user_id, item_id) DO UPDATE SET reason = excluded.reason, body = excluded.body,
             normalizer = excluded.normalizer"),
    );
    /// User, connection, now twice; each row: id, uuid, item, key, dataset, seq, normalizer, start, its
    /// offset, end, its offset, zone, zone of the end, sort instant, day, body, digest.
    RECORDS_INSERT = Bulk::rows(
        &[Int, Bytes, Int, Indexed, Text, Int, Int, Int, Int, Int, Int, Text, Text, Int, Int, Text, Bytes],
        (
            "INSERT INTO records (user_id, connection_id, first_seen, changed_at, state, id, uuid, item_id, key, dataset,
                 seq, normalizer, start_us, start_offset, end_us, end_offset, zone, end_zone, sort_us, day, body, digest)
             SELECT ?, ?, ?, ?, 0, * FROM (VALUES ",
            ") WHERE column1 IS NOT NULL",
        ),
        (4, "INSERT INTO records (user_id, connection_id, first_seen, changed_at, state, id, uuid, item_id, record_key, key,
             dataset, seq, normalizer, start_us, start_offset, end_us, end_offset, zone, end_zone, sort_us, day, body,
             digest)
         SELECT $1, $2, $3, $4, 0, $columns"),
    )
    .of_user();
    /// User, now; each row: id, uuid, seq, normalizer, and as above from the start on.
    RECORDS_UPDATE = Bulk::rows(
        &[Int, Bytes, Int, Int, Int, Int, Int, Int, Text, Text, Int, Int, Text, Bytes],
        (
            "UPDATE records SET changed_at = ?, state = 0, seq = column3, normalizer = column4, start_us = column5,
                 start_offset = column6, end_us = column7, end_offset = column8, zone = column9, end_zone = column10,
                 sort_us = column11, day = column12, body = column13, digest = column14
             FROM (VALUES ",
            ") WHERE records.id = column1",
        ),
        (2, "UPDATE records AS r SET changed_at = $2, state = 0, seq = n.seq, normalizer = n.normalizer, start_us = n.start_us,
             start_offset = n.start_offset, end_us = n.end_us, end_offset = n.end_offset, zone = n.zone,
             end_zone = n.end_zone, sort_us = n.sort_us, day = n.day, body = n.body, digest = n.digest
         FROM (SELECT $1::bigint AS user_id, * FROM unnest($rows) OFFSET 0) AS n (user_id, id, uuid, seq, normalizer, start_us,
             start_offset, end_us, end_offset, zone, end_zone, sort_us, day, body, digest)
         WHERE r.user_id = n.user_id AND r.uuid = n.uuid"),
    );
    /// User, now; each row: id, uuid, seq.
    RECORDS_DELETE = Bulk::rows(
        &[Int, Bytes, Int],
        (
            "UPDATE records SET changed_at = ?, state = 1, seq = column3 FROM (VALUES ",
            ") WHERE records.id = column1",
        ),
        (2, "UPDATE records AS r SET changed_at = $2, state = 1, seq = n.seq
         FROM (SELECT $1::bigint AS user_id, * FROM unnest($rows) OFFSET 0) AS n (user_id, id, uuid, seq)
         WHERE r.user_id = n.user_id AND r.uuid = n.uuid"),
    );
    /// User, now; each row: id, uuid, seq, day, digest.
    RECORDS_RESET_DAY = Bulk::rows(
        &[Int, Bytes, Int, Int, Bytes],
        (
            "UPDATE records SET changed_at = ?, seq = column3, day = column4, digest = column5 FROM (VALUES ",
            ") WHERE records.id = column1",
        ),
        (2, "UPDATE records AS r SET changed_at = $2, seq = n.seq, day = n.day, digest = n.digest
         FROM (SELECT $1::bigint AS user_id, * FROM unnest($rows) OFFSET 0) AS n (user_id, id, uuid, seq, day, digest)
         WHERE r.user_id = n.user_id AND r.uuid = n.uuid"),
    );
    /// User, connection; each row: day, metric, label, count, sum, min, max, last.
    ROLLUPS_UPSERT = Bulk::rows(
        &[Int, Text, Indexed, Int, Real, Real, Real, Real],
        (
            "INSERT INTO rollups (connection_id, day, metric, label, count, sum, min, max, last)
             SELECT ?, * FROM (VALUES ",
            ") WHERE column1 IS NOT NULL
             ON CONFLICT DO UPDATE SET count = excluded.count, sum = excluded.sum, min = excluded.min,
                 max = excluded.max, last = excluded.last",
        ),
        (2, "INSERT INTO rollups (user_id, connection_id, day, metric, label_key, label, count, sum, min, max, last)
         SELECT $1, $2, $columns
         ON CONFLICT (user_id, connection_id, day, metric, label_key) DO UPDATE SET count = excluded.count,
             sum = excluded.sum, min = excluded.min, max = excluded.max, last = excluded.last"),
    );
}

//! Every statement, in one place, where a test prepares each against a real database.
//!
//! Instants are microseconds. `now!()` is the database's own clock, which alone decides over leases. A plus sign before
//! a column keeps the planner, which knows no sizes, from an index that would lead through far too many rows.

use super::statement::Bulk;

macro_rules! now {
    () => {
        "CAST(unixepoch('subsec') * 1000000 AS INTEGER)"
    };
}

macro_rules! connection {
    ($of:literal) => {
        concat!("(SELECT id FROM connections WHERE uuid = ", $of, ")")
    };
}

/// The row of the partition named by three parameters, which come first.
macro_rules! partition {
    () => {
        "(SELECT p.id FROM partitions p JOIN connections c ON c.id = p.connection_id
          WHERE c.uuid = ? AND p.stream = ? AND p.partition = ?)"
    };
}

/// An identity row as one JSON array: as columns of their own its values cost more to hand over than to read.
macro_rules! identity {
    () => {
        "json_array(i.id, i.external_id, hex(i.hash), i.normalizer, i.generation, i.at, i.version, i.observed, i.state,
            i.quarantined, i.held)"
    };
}

macro_rules! record_columns {
    () => {
        "r.id, r.uuid, c.uuid, c.provider, p.stream, i.external_id, r.key, r.dataset, r.start_us, r.start_offset,
         r.end_us, r.end_offset, r.zone, r.day, r.body, r.seq, r.changed_at, r.state, r.sort_us"
    };
}

macro_rules! record_tables {
    () => {
        "records r JOIN items i ON i.id = r.item_id JOIN partitions p ON p.id = i.partition_id
         JOIN connections c ON c.id = p.connection_id"
    };
}

/// Live items of a partition inside a span of `at`, unless the first of its borders is NULL. Numbered from `?1`:
/// partition row, covers everything, from, to.
macro_rules! covered {
    () => {
        "i.partition_id = ?1 AND i.state = 0 AND (?2 OR (i.at > ?3 AND i.at < ?4))"
    };
}

macro_rules! statements {
    ($($(#[$doc:meta])* $name:ident = $sql:expr;)*) => {
        $($(#[$doc])* pub(super) const $name: &str = $sql;)*
        #[cfg(test)]
        const STATEMENTS: &[(&str, &str)] = &[$((stringify!($name), $name)),*];
    };
}

statements! {
    // Users and connections.
    USER_INSERT = "INSERT INTO users (uuid, email, zone, created_at) VALUES (?1, ?2, ?3, ?4)";
    USER_BY_EMAIL = "SELECT uuid, email, zone, created_at FROM users WHERE email = ?1";
    USERS = "SELECT uuid, email, zone, created_at FROM users ORDER BY id";
    USER_ROW = "SELECT id, seq, zone FROM users WHERE uuid = ?1";
    USER_SET_ZONE = "UPDATE users SET zone = ?2 WHERE id = ?1";
    USER_SET_SEQ = "UPDATE users SET seq = ?2 WHERE id = ?1";
    CONNECTION_UPSERT = "INSERT INTO connections
            (uuid, user_id, provider, account, settings, status, created_at, changed_at)
        VALUES (?1, ?2, ?3, ?4, ?5, 'active', ?6, ?6)
        ON CONFLICT (user_id, provider, ifnull(account, '')) DO UPDATE
            SET settings = excluded.settings, status = 'active', changed_at = excluded.changed_at, due_at = 0
        RETURNING id, uuid";
    CONNECTION_ROW = "SELECT c.id, u.uuid, c.provider, c.account FROM connections c JOIN users u ON u.id = c.user_id
        WHERE c.uuid = ?1";
    CONNECTION_OF_ACCOUNT = "SELECT uuid FROM connections
        WHERE user_id = ?1 AND provider = ?2 AND ifnull(account, '') = ?3";
    CONNECTION_RENEW = "UPDATE connections
        SET account = ?2, settings = ?3, status = 'active', changed_at = ?4, due_at = 0 WHERE id = ?1";
    CONNECTIONS = "SELECT c.uuid, u.uuid, c.provider, c.account, c.settings, u.zone, c.status, c.created_at,
            c.changed_at
        FROM connections c JOIN users u ON u.id = c.user_id
        WHERE (?1 IS NULL OR u.uuid = ?1) AND (?2 IS NULL OR c.uuid = ?2)
        ORDER BY c.id";
    /// What its user ended stays ended until the account is connected again.
    CONNECTION_SET_STATUS = "UPDATE connections
        SET status = CASE status WHEN 'disconnected' THEN status ELSE ?2 END, changed_at = ?3
        WHERE uuid = ?1 RETURNING id";

    // Credentials and the key that seals them.
    META_GET = "SELECT value FROM meta WHERE name = ?1";
    META_SET = "INSERT INTO meta (name, value) VALUES (?1, ?2) ON CONFLICT DO UPDATE SET value = excluded.value";
    ANY_CREDENTIALS = "SELECT EXISTS (SELECT 1 FROM credentials)";
    /// In one statement, so that revision and credentials are of the same moment.
    CREDENTIALS_GET = "SELECT c.id, u.uuid, c.status, c.revision, c.refused_at,
            k.master_key, k.data_key_id, k.data_key, k.credentials
        FROM connections c JOIN users u ON u.id = c.user_id LEFT JOIN credentials k ON k.connection_id = c.id
        WHERE c.uuid = ?1";
    CREDENTIALS_RAISE = "UPDATE connections SET revision = revision + 1, refused_at = NULL, changed_at = ?2,
            status = CASE status WHEN 'reconnect_required' THEN 'active' ELSE status END
        WHERE id = ?1";
    CREDENTIALS_SET = "INSERT INTO credentials
            (connection_id, master_key, data_key_id, data_key, credentials, changed_at)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6)
        ON CONFLICT DO UPDATE SET master_key = excluded.master_key, data_key_id = excluded.data_key_id,
            data_key = excluded.data_key, credentials = excluded.credentials, changed_at = excluded.changed_at";
    /// The connections that have credentials.
    CREDENTIALS_OF = "SELECT c.uuid FROM credentials k JOIN connections c ON c.id = k.connection_id ORDER BY c.id";
    /// Data keys that another master key seals.
    REWRAP_COUNT = "SELECT count(*) FROM credentials WHERE master_key <> ?1";
    REWRAP_NEXT = "SELECT k.connection_id, u.uuid, c.uuid, k.master_key, k.data_key
        FROM credentials k CROSS JOIN connections c ON c.id = k.connection_id CROSS JOIN users u ON u.id = c.user_id
        WHERE k.connection_id > ?1 AND k.master_key <> ?2 ORDER BY k.connection_id LIMIT ?3";
    REWRAP_SET = "UPDATE credentials SET master_key = ?2, data_key = ?3 WHERE connection_id = ?1";
    CREDENTIALS_DELETE = "DELETE FROM credentials WHERE connection_id = ?1";

    // Who renews credentials.
    REFRESH_GET = concat!("SELECT holder, expires_at > ", now!(), " FROM refreshes WHERE connection_id = ?1");
    REFRESH_CLAIM = concat!("INSERT INTO refreshes (connection_id, epoch, holder, half_at, expires_at)
        VALUES (?1, 1, ?2, ", now!(), " + ?3 / 2, ", now!(), " + ?3)
        ON CONFLICT DO UPDATE SET epoch = epoch + 1, holder = excluded.holder, half_at = excluded.half_at,
            expires_at = excluded.expires_at
        RETURNING epoch");
    REFRESH_MAY = concat!("SELECT 1 FROM refreshes r JOIN connections c ON c.id = r.connection_id
        WHERE c.uuid = ?1 AND r.epoch = ?2 AND r.holder IS NOT NULL AND r.half_at > ", now!(), " AND c.revision = ?3
            AND c.status <> 'disconnected'");
    REFRESH_END = concat!("UPDATE refreshes SET holder = NULL
        WHERE connection_id = ", connection!("?1"), " AND epoch = ?2");
    STANDING_SET = "UPDATE connections SET status = ?2, refused_at = ?3, changed_at = ?4 WHERE id = ?1";

    // Consents under way.
    AUTHORIZATION_PUT = "INSERT INTO authorizations (state, sealed, created_at) VALUES (?1, ?2, ?3)
        ON CONFLICT DO UPDATE SET sealed = excluded.sealed, created_at = excluded.created_at";
    AUTHORIZATION_TAKE = "DELETE FROM authorizations WHERE state = ?1 RETURNING sealed";
    AUTHORIZATIONS_FORGET = "DELETE FROM authorizations WHERE created_at NOT BETWEEN ?1 AND ?2";

    // Leases.
    LEASE_GET = concat!("SELECT c.id, c.status, l.epoch, l.holder, l.expires_at > ", now!(), "
        FROM connections c LEFT JOIN leases l ON l.connection_id = c.id WHERE c.uuid = ?1");
    LEASE_CLAIM = concat!("INSERT INTO leases (connection_id, epoch, holder, expires_at)
        VALUES (?1, 1, ?2, ", now!(), " + ?3)
        ON CONFLICT DO UPDATE SET epoch = epoch + 1, holder = excluded.holder, expires_at = excluded.expires_at
        RETURNING epoch");
    LEASE_RENEW = concat!("UPDATE leases SET expires_at = ", now!(), " + ?3
        WHERE connection_id = ", connection!("?1"), " AND epoch = ?2 AND holder IS NOT NULL AND expires_at > ", now!(),
        " RETURNING connection_id");
    LEASE_RELEASE = concat!("UPDATE leases SET holder = NULL
        WHERE connection_id = ", connection!("?1"), " AND epoch = ?2");
    /// Nobody holds it from now on, and what was claimed before is of an older epoch.
    LEASE_REVOKE = "INSERT INTO leases (connection_id, epoch, holder, expires_at) VALUES (?1, 1, NULL, 0)
        ON CONFLICT DO UPDATE SET epoch = epoch + 1, holder = NULL";

    // The commit of a batch.
    /// Renews the lease if it holds, and tells what the commit builds on; no row if it does not hold.
    FENCE = concat!("UPDATE leases SET expires_at = ", now!(), " + ?3
        WHERE connection_id = ", connection!("?1"), " AND epoch = ?2 AND holder IS NOT NULL AND expires_at > ", now!(),
        " RETURNING connection_id,
            (SELECT user_id FROM connections WHERE uuid = ?1),
            (SELECT u.seq FROM users u JOIN connections c ON c.user_id = u.id WHERE c.uuid = ?1),
            (SELECT u.zone FROM users u JOIN connections c ON c.user_id = u.id WHERE c.uuid = ?1),
            (SELECT ifnull(max(id), 0) FROM items),
            (SELECT ifnull(max(id), 0) FROM records)");
    PARTITION_UPSERT = "INSERT INTO partitions (connection_id, stream, partition, state) VALUES (?1, ?2, ?3, ?4)
        ON CONFLICT DO UPDATE SET state = excluded.state RETURNING id";
    BODIES_DELETE = "DELETE FROM bodies WHERE item_id IN (SELECT value FROM json_each(?1))";
    QUARANTINE_DELETE = "DELETE FROM quarantine WHERE item_id IN (SELECT value FROM json_each(?1))";
    ITEMS_SEEN = "UPDATE items SET generation = ?3, observed = max(observed, ?4), held = 0
        WHERE id IN (SELECT value FROM json_each(?2)) AND +partition_id = ?1";
    ITEMS_HOLD = concat!("UPDATE items AS i SET held = 1 WHERE ", covered!(), " AND i.generation < ?5");
    /// What the live records of some days, up to a row, add to them: up to 256 records in one JSON
    /// array. A day may have very many records, and each row handed from one thread to another costs more than
    /// to read it. No zone: the figures of a day do not depend on its name.
    FACTS_OF_DAYS = "SELECT '[' || group_concat(
            (SELECT json_array(r.id, hex(r.uuid), r.dataset, r.start_us, r.start_offset, r.end_us, r.end_offset,
                r.day, r.body) FROM records r WHERE r.id = f.id AND r.state = 0), ',') || ']'
        FROM (SELECT id FROM records
            WHERE connection_id = ?1 AND day IN (SELECT value FROM json_each(?2)) AND id <= ?3) f
        GROUP BY f.id >> 8";
    ROLLUPS_DELETE = "DELETE FROM rollups WHERE connection_id = ?1 AND day IN (SELECT value FROM json_each(?2))";
    RUN_UPSERT = "INSERT INTO runs (uuid, connection_id, epoch, started_at, finished_at, resume_at, report, schedule)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)
        ON CONFLICT DO UPDATE SET epoch = excluded.epoch, started_at = excluded.started_at,
            finished_at = excluded.finished_at, resume_at = excluded.resume_at, report = excluded.report,
            schedule = excluded.schedule
        WHERE connection_id = excluded.connection_id";

    // What a scheduler reads and writes.
    /// When its latest run says, or since news came of a stream that it wakes. Most pages move it nowhere: then nothing
    /// is written.
    DUE_SET = "UPDATE connections SET due_at = due.at
        FROM (SELECT min(?2, ifnull((SELECT min(observed) FROM inbox
            WHERE connection_id = ?1 AND stream IN (SELECT value FROM json_each(?3))), ?2)) AS at) AS due
        WHERE id = ?1 AND due_at <> due.at";
    SCHEDULE_LATEST = "SELECT schedule FROM runs WHERE connection_id = ?1 ORDER BY id DESC LIMIT 1";
    /// The account was connected anew: whatever its last run came to, it is due.
    DUE_NOW = "UPDATE runs SET schedule = '{}' WHERE id = (SELECT max(id) FROM runs WHERE connection_id = ?1)";
    HOLDERS = concat!("SELECT DISTINCT holder FROM leases WHERE holder IS NOT NULL AND expires_at > ", now!());
    /// Due connections of these providers that nobody holds but those who are known to have ended.
    DUE = concat!("SELECT c.uuid, u.uuid, c.provider, c.account, c.settings, u.zone, c.id
        FROM connections c JOIN users u ON u.id = c.user_id LEFT JOIN leases l ON l.connection_id = c.id
        WHERE c.due_at <= ?1 AND c.status <> 'disconnected' AND c.provider IN (SELECT value FROM json_each(?2))
            AND (l.holder IS NULL OR l.expires_at <= ", now!(), " OR l.holder IN (SELECT value FROM json_each(?3)))
        ORDER BY c.due_at, c.id LIMIT ?4");
    NEXT_DUE = "SELECT min(due_at) FROM connections WHERE due_at > ?1 AND status <> 'disconnected'";
    IDLE = "SELECT c.uuid FROM connections c JOIN credentials k ON k.connection_id = c.id
        WHERE c.provider = ?1 AND k.changed_at < ?2 AND c.status = 'active' ORDER BY k.changed_at LIMIT ?3";

    // What came by webhook.
    CONNECTIONS_OF_ACCOUNT = "SELECT id, uuid FROM connections
        WHERE provider = ?1 AND account = ?2 AND status <> 'disconnected'";
    INBOX_COUNT = "SELECT count(*) FROM inbox WHERE connection_id = ?1";
    INBOX_STREAMS = "SELECT DISTINCT stream FROM inbox WHERE connection_id = ?1";
    INBOX_CLEAR = "DELETE FROM inbox WHERE connection_id = ?1";
    INBOX_UNMARK = "DELETE FROM inbox WHERE connection_id = ?1 AND stream = ?2 AND kind = 0";
    INBOX_TAKE = "DELETE FROM inbox WHERE connection_id = ?1 AND stream = ?2 AND partition = ?3 AND id <= ?4";
    INBOX_FORGET = "DELETE FROM inbox WHERE connection_id = ?1 AND stream = ?2 AND id <= ?3";
    INBOX_WAITING = concat!("SELECT stream, max(id) FROM inbox WHERE connection_id = ", connection!("?1"), "
        GROUP BY stream");
    INBOX_ITEMS = concat!("SELECT id, observed, partition, kind, external_id, version, at, reason, body FROM inbox
        WHERE connection_id = ", connection!("?1"), " AND stream = ?2 AND id > ?3 AND kind <> 0
        ORDER BY id LIMIT ?4");

    // What the engine reads.
    RESUME = concat!("SELECT state FROM partitions WHERE id = ", partition!());
    PARTITIONS = "SELECT p.partition FROM partitions p JOIN connections c ON c.id = p.connection_id
        WHERE c.uuid = ?1 AND p.stream = ?2 ORDER BY p.partition";
    PARTITION_ROW = concat!("SELECT ", partition!());
    RECORDS_OF = concat!("SELECT item_id, uuid, dataset, key, digest, day, state FROM records
        WHERE item_id IN (SELECT value FROM json_each(?2)) AND +connection_id = ", connection!("?1"));
    COUNT = concat!("SELECT count(*), ifnull(sum(i.generation < ?5), 0), ifnull(sum(i.generation < ?5 AND i.held), 0)
        FROM items i WHERE ", covered!());
    MISSING = concat!("SELECT ", identity!(), " FROM items i WHERE ", covered!(), " AND i.generation < ?5
        AND (i.held OR NOT ?6) LIMIT ?7");
    RAW = concat!("SELECT ", identity!(), ", ifnull(q.body, b.body)
        FROM items i LEFT JOIN bodies b ON b.item_id = i.id LEFT JOIN quarantine q ON q.item_id = i.id
        WHERE +i.partition_id = ?1 AND i.id > ?2 AND i.state = 0 AND ifnull(q.body, b.body) IS NOT NULL
        ORDER BY i.id LIMIT ?3");
    RUN_LATEST = concat!("SELECT uuid, epoch, started_at, finished_at, resume_at, report, schedule FROM runs
        WHERE connection_id = ", connection!("?1"), " ORDER BY id DESC LIMIT ?2");
    /// Whether a lease holds.
    LEASE_HOLDS = concat!("SELECT connection_id FROM leases WHERE connection_id = ", connection!("?1"), "
        AND epoch = ?2 AND holder IS NOT NULL AND expires_at > ", now!());

    // What people and programs read.
    RECORDS_FORWARD = concat!("SELECT ", record_columns!(), " FROM ", record_tables!(), "
        WHERE r.user_id = (SELECT id FROM users WHERE uuid = ?1)
            AND (?2 IS NULL OR r.dataset = ?2)
            AND (?3 IS NULL OR r.connection_id IN (SELECT id FROM connections WHERE provider = ?3))
            AND (?4 IS NULL OR r.connection_id = ", connection!("?4"), ")
            AND r.sort_us >= ?5 AND r.sort_us < ?6 AND (r.sort_us, r.id) > (?7, ?8)
            AND (r.state = 0 OR ?9)
        ORDER BY r.sort_us, r.id LIMIT ?10");
    RECORDS_BACKWARD = concat!("SELECT ", record_columns!(), " FROM ", record_tables!(), "
        WHERE r.user_id = (SELECT id FROM users WHERE uuid = ?1)
            AND (?2 IS NULL OR r.dataset = ?2)
            AND (?3 IS NULL OR r.connection_id IN (SELECT id FROM connections WHERE provider = ?3))
            AND (?4 IS NULL OR r.connection_id = ", connection!("?4"), ")
            AND r.sort_us >= ?5 AND r.sort_us < ?6 AND (r.sort_us, r.id) < (?7, ?8)
            AND (r.state = 0 OR ?9)
        ORDER BY r.sort_us DESC, r.id DESC LIMIT ?10");
    RECORD_GET = concat!("SELECT ", record_columns!(), " FROM ", record_tables!(), "
        WHERE r.uuid = ?2 AND r.user_id = (SELECT id FROM users WHERE uuid = ?1)");
    FEED = concat!("SELECT ", record_columns!(), " FROM ", record_tables!(), "
        WHERE r.user_id = (SELECT id FROM users WHERE uuid = ?1) AND r.seq > ?2 AND (r.state = 0 OR ?3)
        ORDER BY r.seq LIMIT ?4");
    RECORD_REMOVE = "UPDATE records SET state = 2, body = '{}', changed_at = ?2, seq = ?3 WHERE id = ?1";
    RECORD_TO_REMOVE = "SELECT id, connection_id, day, state FROM records WHERE uuid = ?1 AND user_id = ?2";
    ROLLUPS = "SELECT c.uuid, o.metric, o.label, o.day, o.count, o.sum, o.min, o.max, o.last
        FROM connections c CROSS JOIN rollups o ON o.connection_id = c.id
        WHERE c.user_id = (SELECT id FROM users WHERE uuid = ?1) AND o.day BETWEEN ?3 AND ?4 AND o.metric = ?2
        ORDER BY o.day, o.label, c.id";
    COUNTS = "SELECT c.provider, r.dataset, count(*) FROM records r JOIN connections c ON c.id = r.connection_id
        WHERE r.user_id = (SELECT id FROM users WHERE uuid = ?1) AND r.state = 0
        GROUP BY c.provider, r.dataset ORDER BY c.provider, r.dataset";
    QUARANTINE = concat!("SELECT p.stream, p.partition, i.external_id, q.reason, q.normalizer, q.since, q.body
        FROM quarantine q JOIN items i ON i.id = q.item_id JOIN partitions p ON p.id = i.partition_id
        WHERE p.connection_id = ", connection!("?1"), " ORDER BY q.since, q.item_id LIMIT ?2");

    // Changing a user's zone.
    ZONE_CANDIDATES = "SELECT id, connection_id, key, dataset, start_us, start_offset, end_us, end_offset, zone,
            end_zone, day, body
        FROM records
        WHERE +user_id = ?1 AND id > ?2 AND start_us IS NOT NULL
            AND (start_offset IS NULL OR (end_us IS NOT NULL AND end_offset IS NULL))
        ORDER BY id LIMIT ?3";

    // Checks.
    INTEGRITY = "PRAGMA integrity_check(20)";
    FOREIGN_KEYS = "PRAGMA foreign_key_check";
    ALL_CONNECTIONS = "SELECT id, uuid FROM connections ORDER BY id";
    DAYS_OF_CONNECTION = "SELECT min(day), max(day) FROM
        (SELECT day FROM records WHERE connection_id = ?1 UNION ALL SELECT day FROM rollups WHERE connection_id = ?1)";
    ROLLUPS_OF_SPAN = "SELECT day, metric, label, count, sum, min, max, last FROM rollups
        WHERE connection_id = ?1 AND day BETWEEN ?2 AND ?3";
    ORPHANS = "SELECT
        (SELECT count(*) FROM records r LEFT JOIN connections c ON c.id = r.connection_id AND c.user_id = r.user_id
            WHERE c.id IS NULL)
        + (SELECT count(*) FROM rollups o LEFT JOIN connections c ON c.id = o.connection_id WHERE c.id IS NULL)
        + (SELECT count(*) FROM records r JOIN users u ON u.id = r.user_id WHERE r.seq > u.seq)";

    // Quotas.
    QUOTA_GET = "SELECT used FROM quotas WHERE provider = ?1 AND quota = ?2 AND scope = ?3 AND window_start = ?4";
    QUOTA_SET = "INSERT INTO quotas (provider, quota, scope, window_start, used) VALUES (?1, ?2, ?3, ?4, ?5)
        ON CONFLICT DO UPDATE SET used = excluded.used";
    /// Forgets all windows of a quota but those that were first asked for last.
    QUOTA_FORGET = "DELETE FROM quotas WHERE provider = ?1 AND quota = ?2 AND scope = ?3 AND id NOT IN
        (SELECT id FROM quotas WHERE provider = ?1 AND quota = ?2 AND scope = ?3 ORDER BY id DESC LIMIT ?4)";
    OWED_GET = "SELECT owed_until FROM paces WHERE provider = ?1 AND quota = ?2 AND scope = ?3";
    OWED_SET = "INSERT INTO paces (provider, quota, scope, owed_until) VALUES (?1, ?2, ?3, ?4)
        ON CONFLICT DO UPDATE SET owed_until = excluded.owed_until";
    GATE_SET = "INSERT INTO gates (provider, quota, scope, blocked_until) VALUES (?1, ?2, ?3, ?4)
        ON CONFLICT DO UPDATE SET blocked_until = max(blocked_until, excluded.blocked_until)";
    GATE_GET = "SELECT blocked_until FROM gates WHERE provider = ?1 AND quota = ?2 AND scope = ?3";
}

macro_rules! bulk {
    ($($(#[$doc:meta])* $name:ident = $bulk:expr;)*) => {
        $($(#[$doc])* pub(super) static $name: Bulk = $bulk;)*
        #[cfg(test)]
        static BULKS: &[(&str, &Bulk)] = &[$((stringify!($name), &$name)),*];
    };
}

bulk! {
    /// All rows as one text.
    KNOWN = Bulk::list(
        concat!("SELECT '[' || group_concat(", identity!(), ", ',') || ']'
            FROM items i WHERE i.partition_id = ", partition!(), " AND i.external_id IN ("),
        ")",
    );
    /// Of one connection: what a commit must know of the records that it changes.
    RECORDS_BY_UUID = Bulk::list(
        "SELECT id, uuid, day, state FROM records WHERE +connection_id = ? AND uuid IN (",
        ")",
    );
    /// One partition; each row: id, external id, hash, normalizer, generation, at, version, observed, state,
    /// quarantined.
    ITEMS_UPSERT = Bulk::rows(
        "INSERT INTO items (partition_id, held, id, external_id, hash, normalizer, generation, at, version, observed,
             state, quarantined)
         SELECT ?, 0, * FROM (VALUES ",
        10,
        ") WHERE column1 IS NOT NULL
         ON CONFLICT (id) DO UPDATE SET hash = excluded.hash, normalizer = excluded.normalizer,
             generation = excluded.generation, at = excluded.at, version = excluded.version,
             observed = excluded.observed, state = excluded.state, quarantined = excluded.quarantined, held = 0
         WHERE partition_id = excluded.partition_id AND external_id = excluded.external_id",
    );
    BODIES_UPSERT = Bulk::rows(
        "INSERT INTO bodies (item_id, body) SELECT * FROM (VALUES ",
        2,
        ") WHERE column1 IS NOT NULL ON CONFLICT DO UPDATE SET body = excluded.body",
    );
    /// Since when; each row: item, reason, body, normalizer.
    QUARANTINE_UPSERT = Bulk::rows(
        "INSERT INTO quarantine (since, item_id, reason, body, normalizer) SELECT ?, * FROM (VALUES ",
        4,
        ") WHERE column1 IS NOT NULL
         ON CONFLICT DO UPDATE SET reason = excluded.reason, body = excluded.body, normalizer = excluded.normalizer",
    );
    /// User, connection, now twice; each row: id, uuid, item, key, dataset, seq, normalizer, start, its offset, end,
    /// its offset, zone, zone of the end, sort instant, day, body, digest.
    RECORDS_INSERT = Bulk::rows(
        "INSERT INTO records (user_id, connection_id, first_seen, changed_at, state, id, uuid, item_id, key, dataset,
             seq, normalizer, start_us, start_offset, end_us, end_offset, zone, end_zone, sort_us, day, body, digest)
         SELECT ?, ?, ?, ?, 0, * FROM (VALUES ",
        17,
        ") WHERE column1 IS NOT NULL",
    );
    /// Now; each row: id, seq, normalizer, and as above from the start on.
    RECORDS_UPDATE = Bulk::rows(
        "UPDATE records SET changed_at = ?, state = 0, seq = column2, normalizer = column3, start_us = column4,
             start_offset = column5, end_us = column6, end_offset = column7, zone = column8, end_zone = column9,
             sort_us = column10, day = column11, body = column12, digest = column13
         FROM (VALUES ",
        13,
        ") WHERE records.id = column1",
    );
    /// Now; each row: id, seq.
    RECORDS_DELETE = Bulk::rows(
        "UPDATE records SET changed_at = ?, state = 1, seq = column2 FROM (VALUES ",
        2,
        ") WHERE records.id = column1",
    );
    /// Now; each row: id, seq, day, digest.
    RECORDS_RESET_DAY = Bulk::rows(
        "UPDATE records SET changed_at = ?, seq = column2, day = column3, digest = column4 FROM (VALUES ",
        4,
        ") WHERE records.id = column1",
    );
    /// Connection, observed; each row: stream, kind, partition, external id, version, at, reason, body.
    INBOX_INSERT = Bulk::rows(
        "INSERT INTO inbox (connection_id, observed, stream, kind, partition, external_id, version, at, reason, body)
         SELECT ?, ?, * FROM (VALUES ",
        8,
        ") WHERE column1 IS NOT NULL",
    );
    /// Connection; each row: day, metric, label, count, sum, min, max, last.
    ROLLUPS_INSERT = Bulk::rows(
        "INSERT INTO rollups (connection_id, day, metric, label, count, sum, min, max, last)
         SELECT ?, * FROM (VALUES ",
        8,
        ") WHERE column1 IS NOT NULL",
    );
}

#[cfg(test)]
mod tests {
    use sqlx::{Connection as _, Executor as _, Row as _, SqliteConnection};

    use super::*;
    use crate::sqlite::migrate;

    #[tokio::test]
    async fn every_statement_prepares() {
        let mut conn = SqliteConnection::connect("sqlite::memory:").await.unwrap();
        migrate::run(&mut conn).await.unwrap();
        let bulks = BULKS.iter().flat_map(|(name, bulk)| bulk.all().map(move |sql| (*name, sql)));
        for (name, sql) in STATEMENTS.iter().copied().chain(bulks) {
            let prepared = conn.prepare(sqlx::SqlSafeStr::into_sql_str(sql)).await;
            assert!(prepared.is_ok(), "{name}: {}", prepared.unwrap_err());
        }
    }

    /// What runs for each page finds its rows by a key of theirs.
    #[tokio::test]
    async fn no_statement_of_the_hot_path_walks_a_table() {
        let mut conn = SqliteConnection::connect("sqlite::memory:").await.unwrap();
        migrate::run(&mut conn).await.unwrap();
        for (sql, key) in [
            (KNOWN.sql(1), "partition_id=? AND external_id=?"),
            (RECORDS_OF, "item_id=?"),
            (RECORDS_BY_UUID.sql(1), "uuid=?"),
            (ITEMS_SEEN, "rowid=?"),
            (FACTS_OF_DAYS, "connection_id=? AND day=?"),
            (ROLLUPS_DELETE, "connection_id=? AND day=?"),
            (INBOX_TAKE, "connection_id=? AND stream=?"),
            (CONNECTIONS_OF_ACCOUNT, "provider=? AND account=?"),
            (RAW, "INTEGER PRIMARY KEY (rowid>?)"),
            (FEED, "user_id=? AND seq>?"),
            (RECORDS_FORWARD, "user_id=? AND sort_us>? AND sort_us<?"),
            (RECORDS_BACKWARD, "user_id=? AND sort_us>? AND sort_us<?"),
            (ZONE_CANDIDATES, "rowid>?"),
        ] {
            let plan = sqlx::query(sqlx::AssertSqlSafe(format!("EXPLAIN QUERY PLAN {sql}")));
            let plan: Vec<String> =
                plan.fetch_all(&mut conn).await.unwrap().iter().map(|row| row.get(3)).collect();
            assert!(plan[0].contains(key), "{sql}: {plan:?}");
            // Only the numbers of the rows of some days are sorted on the way.
            let sorts = plan.iter().any(|step| step.contains("TEMP B-TREE"));
            assert_eq!(sorts, sql == FACTS_OF_DAYS, "{sql}: {plan:?}");
        }
    }
}

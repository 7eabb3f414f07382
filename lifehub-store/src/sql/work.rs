//! Who works on what and when: leases, schedule, inbox, quotas.

use super::{both, each};
use crate::database::Bulk;
use crate::database::Kind::{Bytes, Int, Name};

statements! {
    // Leases.
    LEASE_GET = each(
        concat!("SELECT c.status, l.epoch, CASE WHEN l.expires_at > ", now!(sqlite), " THEN l.holder END
            FROM connections c LEFT JOIN leases l ON l.connection_id = c.id WHERE c.id = $2"),
        concat!("SELECT c.status, l.epoch, CASE WHEN l.expires_at > ", now!(postgres), " THEN l.holder END
            FROM connections c LEFT JOIN leases l ON l.user_id = c.user_id AND l.connection_id = c.id
            WHERE c.user_id = $1 AND c.id = $2"),
    );
    /// Claims what is free or is held by somebody who is known to have ended; no row if it is not.
    LEASE_CLAIM = each(
        concat!("INSERT INTO leases (connection_id, epoch, holder, expires_at)
            VALUES ($2, 1, $3, ", now!(sqlite), " + $4)
            ON CONFLICT DO UPDATE SET epoch = epoch + 1, holder = excluded.holder, expires_at = excluded.expires_at
            WHERE holder IS NULL OR expires_at <= ", now!(sqlite), " OR holder IN (SELECT value FROM json_each($5))
            RETURNING epoch"),
        concat!("INSERT INTO leases AS l (user_id, connection_id, epoch, holder, expires_at)
            VALUES ($1, $2, 1, $3, ", now!(postgres), " + $4)
            ON CONFLICT (user_id, connection_id) DO UPDATE SET epoch = l.epoch + 1, holder = excluded.holder,
                expires_at = excluded.expires_at
            WHERE l.holder IS NULL OR l.expires_at <= ", now!(postgres), " OR l.holder = ANY ($5)
            RETURNING epoch"),
    );
    LEASE_RELEASE = each(
        "UPDATE leases SET holder = NULL WHERE connection_id = $2 AND epoch = $3",
        "UPDATE leases SET holder = NULL WHERE user_id = $1 AND connection_id = $2 AND epoch = $3",
    );
    /// Nobody holds it from now on, and what was claimed before is of an older epoch.
    LEASE_REVOKE = each(
        "INSERT INTO leases (connection_id, epoch, holder, expires_at) VALUES ($2, 1, NULL, 0)
            ON CONFLICT DO UPDATE SET epoch = epoch + 1, holder = NULL",
        "INSERT INTO leases AS l (user_id, connection_id, epoch, holder, expires_at) VALUES ($1, $2, 1, NULL, 0)
            ON CONFLICT (user_id, connection_id) DO UPDATE SET epoch = l.epoch + 1, holder = NULL",
    );
    /// Gives back all that a process holds.
    LEASES_OF_HOLDER = both("UPDATE leases SET holder = NULL WHERE holder = $1");
    REFRESHES_OF_HOLDER = both("UPDATE refreshes SET holder = NULL WHERE holder = $1");
    /// Who holds leases.
    HOLDERS = each(
        concat!("SELECT DISTINCT holder FROM leases WHERE holder IS NOT NULL AND expires_at > ", now!(sqlite)),
        concat!("SELECT DISTINCT holder FROM leases WHERE holder IS NOT NULL AND expires_at > ", now!(postgres)),
    );

    // The schedule.
    /// When its latest run says, or since news came of a stream that it wakes. Most pages move it nowhere: then nothing
    /// is written.
    DUE_SET = each(
        "UPDATE connections SET due_at = due.at
            FROM (SELECT min($3, ifnull((SELECT min(observed) FROM inbox
                WHERE connection_id = $2 AND stream IN (SELECT value FROM json_each($4))), $3)) AS at) AS due
            WHERE id = $2 AND due_at <> due.at",
        "UPDATE connections SET due_at = due.at
            FROM (SELECT least($3, (SELECT min(observed) FROM inbox
                WHERE user_id = $1 AND connection_id = $2 AND stream = ANY ($4))) AS at) AS due
            WHERE user_id = $1 AND id = $2 AND due_at <> due.at",
    );
    SCHEDULE_LATEST = each(
        "SELECT schedule FROM runs WHERE connection_id = $2 ORDER BY id DESC LIMIT 1",
        "SELECT schedule FROM runs WHERE user_id = $1 AND connection_id = $2 ORDER BY id DESC LIMIT 1",
    );
    /// The account was connected anew: whatever its last run came to, it is due.
    DUE_NOW = each(
        "UPDATE runs SET schedule = '{}' WHERE id = (SELECT max(id) FROM runs WHERE connection_id = $2)",
        "UPDATE runs SET schedule = '{}' WHERE user_id = $1 AND connection_id = $2
            AND id = (SELECT max(id) FROM runs WHERE user_id = $1 AND connection_id = $2)",
    );
    /// Due connections of these providers that nobody holds but those who are known to have ended: of each provider
    /// those that have been due the longest, and one provider after the other, beginning with who has the fewest in
    /// work.
    DUE = each(
        concat!("SELECT uuid, owner, provider, account, settings, zone, user_id, id FROM (
            SELECT c.uuid, u.uuid AS owner, c.provider, c.account, c.settings, u.zone, c.user_id, c.id, c.due_at,
                row_number() OVER (PARTITION BY c.provider ORDER BY c.due_at, c.id)
                    + (SELECT count(*) FROM leases h JOIN connections o ON o.id = h.connection_id
                        WHERE o.provider = c.provider AND h.holder IS NOT NULL AND h.expires_at > ", now!(sqlite), "
                            AND h.holder NOT IN (SELECT value FROM json_each($3))) AS turn
            FROM connections c JOIN users u ON u.id = c.user_id LEFT JOIN leases l ON l.connection_id = c.id
            WHERE c.due_at <= $1 AND c.status <> 'disconnected' AND c.provider IN (SELECT value FROM json_each($2))
                AND (l.holder IS NULL OR l.expires_at <= ", now!(sqlite), "
                    OR l.holder IN (SELECT value FROM json_each($3))))
            ORDER BY turn, due_at, id LIMIT $4"),
        concat!("SELECT d.uuid, u.uuid, d.provider, d.account, d.settings, u.zone, d.user_id, d.id FROM (
            SELECT c.*, row_number() OVER (PARTITION BY c.provider ORDER BY c.due_at, c.id)
                + (SELECT count(*) FROM leases h JOIN connections o ON o.user_id = h.user_id AND o.id = h.connection_id
                    WHERE o.provider = p.provider AND h.holder IS NOT NULL AND h.expires_at > ", now!(postgres), ") AS turn
            FROM unnest($2::text[]) AS p (provider) CROSS JOIN LATERAL (
                SELECT c.* FROM connections c
                    LEFT JOIN leases l ON l.user_id = c.user_id AND l.connection_id = c.id
                WHERE c.provider = p.provider AND c.due_at <= $1 AND c.status <> 'disconnected'
                    AND (l.holder IS NULL OR l.expires_at <= ", now!(postgres), " OR l.holder = ANY ($3))
                ORDER BY c.due_at, c.id LIMIT $4 FOR NO KEY UPDATE OF c SKIP LOCKED) AS c) AS d
            JOIN users u ON u.id = d.user_id
            ORDER BY d.turn, d.due_at, d.id LIMIT $4"),
    );
    /// Whether there is any such connection.
    ANY_DUE = each(
        concat!("SELECT EXISTS (SELECT 1 FROM connections c LEFT JOIN leases l ON l.connection_id = c.id
            WHERE c.due_at <= $1 AND c.status <> 'disconnected' AND c.provider IN (SELECT value FROM json_each($2))
                AND (l.holder IS NULL OR l.expires_at <= ", now!(sqlite), "
                    OR l.holder IN (SELECT value FROM json_each($3))))"),
        concat!("SELECT EXISTS (SELECT FROM connections c
                LEFT JOIN leases l ON l.user_id = c.user_id AND l.connection_id = c.id
            WHERE c.provider = ANY ($2) AND c.due_at <= $1 AND c.status <> 'disconnected'
                AND (l.holder IS NULL OR l.expires_at <= ", now!(postgres), " OR l.holder = ANY ($3)))"),
    );
    NEXT_DUE = each(
        "SELECT min(due_at) FROM connections WHERE due_at > $1 AND status <> 'disconnected'
            AND provider IN (SELECT value FROM json_each($2))",
        "SELECT min(n.due_at) FROM unnest($2::text[]) AS p (provider) CROSS JOIN LATERAL (
            SELECT c.due_at FROM connections c
            WHERE c.provider = p.provider AND c.due_at > $1 AND c.status <> 'disconnected'
            ORDER BY c.due_at LIMIT 1) AS n",
    );
    IDLE = each(
        "SELECT c.uuid FROM connections c JOIN credentials k ON k.connection_id = c.id
            WHERE c.provider = $1 AND k.changed_at < $2 AND c.status = 'active' ORDER BY k.changed_at LIMIT $3",
        "SELECT c.uuid FROM connections c JOIN credentials k ON k.user_id = c.user_id AND k.connection_id = c.id
            WHERE c.provider = $1 AND k.changed_at < $2 AND c.status = 'active' ORDER BY k.changed_at LIMIT $3",
    );

    // What came by webhook.
    CONNECTIONS_OF_ACCOUNT = both("SELECT user_id, id, uuid FROM connections
        WHERE provider = $1 AND account = $2 AND status <> 'disconnected' ORDER BY id");
    ACCOUNT_LOCK = each(
        "SELECT user_id, id, uuid FROM connections
            WHERE provider = $1 AND account = $2 AND status <> 'disconnected' ORDER BY id",
        "SELECT user_id, id, uuid FROM connections
            WHERE provider = $1 AND account = $2 AND status <> 'disconnected' ORDER BY id FOR NO KEY UPDATE",
    );
    INBOX_COUNT = each(
        "SELECT count(*) FROM inbox WHERE connection_id = $2",
        "SELECT count(*) FROM inbox WHERE user_id = $1 AND connection_id = $2",
    );
    INBOX_STREAMS = each(
        "SELECT DISTINCT stream FROM inbox WHERE connection_id = $2",
        "SELECT DISTINCT stream FROM inbox WHERE user_id = $1 AND connection_id = $2",
    );
    INBOX_CLEAR = each(
        "DELETE FROM inbox WHERE connection_id = $2",
        "DELETE FROM inbox WHERE user_id = $1 AND connection_id = $2",
    );
    INBOX_UNMARK = each(
        "DELETE FROM inbox WHERE connection_id = $2 AND stream = $3 AND kind = 0",
        "DELETE FROM inbox WHERE user_id = $1 AND connection_id = $2 AND stream = $3 AND kind = 0",
    );
    INBOX_TAKE = each(
        "DELETE FROM inbox WHERE connection_id = $2 AND stream = $3 AND partition = $4 AND id <= $5",
        "DELETE FROM inbox WHERE user_id = $1 AND connection_id = $2 AND stream = $3 AND partition = $4 AND id <= $5",
    );
    INBOX_FORGET = each(
        "DELETE FROM inbox WHERE connection_id = $2 AND stream = $3 AND id <= $4",
        "DELETE FROM inbox WHERE user_id = $1 AND connection_id = $2 AND stream = $3 AND id <= $4",
    );
    INBOX_WAITING = each(
        "SELECT stream, max(id) FROM inbox WHERE connection_id = $2 GROUP BY stream",
        "SELECT stream, max(id) FROM inbox WHERE user_id = $1 AND connection_id = $2 GROUP BY stream",
    );
    INBOX_ITEMS = each(
        "SELECT id, observed, partition, kind, external_id, version, at, reason, body FROM inbox
            WHERE connection_id = $2 AND stream = $3 AND id > $4 AND kind <> 0 ORDER BY id LIMIT $5",
        "SELECT id, observed, partition, kind, external_id, version, at, reason, body FROM inbox
            WHERE user_id = $1 AND connection_id = $2 AND stream = $3 AND id > $4 AND kind <> 0 ORDER BY id LIMIT $5",
    );

    // Quotas.
    QUOTA_GET = both("SELECT used FROM quotas
        WHERE provider = $1 AND quota = $2 AND scope = $3 AND window_start = $4");
    /// Grants what is left, at most `$5` of `$6`.
    QUOTA_DRAW = each(
        "INSERT INTO quotas (provider, quota, scope, window_start, used, granted)
            VALUES ($1, $2, $3, $4, min($5, $6), min($5, $6))
            ON CONFLICT (provider, quota, scope, window_start) DO UPDATE
                SET granted = max(0, min($5, $6 - used)), used = used + max(0, min($5, $6 - used))
            RETURNING granted, used",
        "INSERT INTO quotas AS q (provider, quota, scope, window_start, used, granted)
            VALUES ($1, $2, $3, $4, least($5::bigint, $6::bigint), least($5::bigint, $6::bigint))
            ON CONFLICT (provider, quota, scope, window_start) DO UPDATE
                SET granted = greatest(0, least($5::bigint, $6::bigint - q.used)), used = q.used + greatest(0, least($5::bigint, $6::bigint - q.used))
            RETURNING granted, used",
    );
    QUOTA_RAISE = each(
        "INSERT INTO quotas (provider, quota, scope, window_start, used) VALUES ($1, $2, $3, $4, $5)
            ON CONFLICT (provider, quota, scope, window_start) DO UPDATE SET used = max(used, excluded.used)",
        "INSERT INTO quotas AS q (provider, quota, scope, window_start, used, granted) VALUES ($1, $2, $3, $4, $5, 0)
            ON CONFLICT (provider, quota, scope, window_start) DO UPDATE SET used = greatest(q.used, excluded.used)",
    );
    /// Forgets all windows of a quota but those that were first asked for last.
    QUOTA_FORGET = both("DELETE FROM quotas WHERE provider = $1 AND quota = $2 AND scope = $3 AND id NOT IN
        (SELECT id FROM quotas WHERE provider = $1 AND quota = $2 AND scope = $3 ORDER BY id DESC LIMIT $4)");
    OWED_GET = both("SELECT owed_until FROM paces WHERE provider = $1 AND quota = $2 AND scope = $3");
    /// See `PaceTerms`. After the key: now, the cost, the furthest instant, the instant up to which may be spent.
    OWED_TAKE = each(
        "INSERT INTO paces (provider, quota, scope, owed_until, granted)
            VALUES ($1, $2, $3, $4 + CASE WHEN $4 + $5 <= $7 THEN $5 ELSE 0 END, $4 + $5 <= $7)
            ON CONFLICT (provider, quota, scope) DO UPDATE SET
                granted = max($4, min($6, owed_until)) + $5 <= $7,
                owed_until = max($4, min($6, owed_until))
                    + CASE WHEN max($4, min($6, owed_until)) + $5 <= $7 THEN $5 ELSE 0 END
            RETURNING owed_until, granted",
        "INSERT INTO paces AS p (provider, quota, scope, owed_until, granted)
            VALUES ($1, $2, $3, $4::bigint + CASE WHEN $4 + $5 <= $7 THEN $5::bigint ELSE 0 END, $4 + $5 <= $7::bigint)
            ON CONFLICT (provider, quota, scope) DO UPDATE SET
                granted = greatest($4, least($6::bigint, p.owed_until)) + $5 <= $7,
                owed_until = greatest($4, least($6, p.owed_until))
                    + CASE WHEN greatest($4, least($6, p.owed_until)) + $5 <= $7 THEN $5 ELSE 0 END
            RETURNING owed_until, granted",
    );
    GATE_SET = each(
        "INSERT INTO gates (provider, quota, scope, blocked_until) VALUES ($1, $2, $3, $4)
            ON CONFLICT (provider, quota, scope) DO UPDATE
                SET blocked_until = max(blocked_until, excluded.blocked_until)",
        "INSERT INTO gates AS g (provider, quota, scope, blocked_until) VALUES ($1, $2, $3, $4)
            ON CONFLICT (provider, quota, scope) DO UPDATE
                SET blocked_until = greatest(g.blocked_until, excluded.blocked_until)",
    );
    GATE_GET = both("SELECT blocked_until FROM gates WHERE provider = $1 AND quota = $2 AND scope = $3");
}

bulk! {
    /// User, connection, observed; each row: stream, kind, partition, external id, version, at, reason, body.
    INBOX_INSERT = Bulk::rows(
        &[Name, Int, Name, Name, Int, Int, Name, Bytes],
        (
            "INSERT INTO inbox (connection_id, observed, stream, kind, partition, external_id, version, at, reason,
                 body)
             SELECT ?, ?, * FROM (VALUES ",
            ") WHERE column1 IS NOT NULL",
        ),
        (3, "INSERT INTO inbox (user_id, connection_id, observed, stream, kind, partition, external_id, version, at, reason,
             body)
         SELECT $1, $2, $3, stream, kind, partition, external_id, version, at, reason, body
         FROM unnest($rows) WITH ORDINALITY
             AS r (stream, kind, partition, external_id, version, at, reason, body, nr) ORDER BY nr"),
    );
}

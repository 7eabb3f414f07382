//! Users, connections, credentials, and the consents by which they come.

use super::{both, each};

statements! {
    // Users.
    USER_INSERT = both("INSERT INTO users (uuid, email, zone, created_at) VALUES ($1, $2, $3, $4)
        ON CONFLICT DO NOTHING RETURNING id");
    USER_BY_EMAIL = each(
        "SELECT uuid, email, zone, created_at FROM users WHERE email = $1",
        "SELECT uuid, email, zone, created_at FROM users WHERE lower(email COLLATE \"C\") = lower($1 COLLATE \"C\")",
    );
    USERS = both("SELECT uuid, email, zone, created_at FROM users ORDER BY id");
    USER_ROW = both("SELECT id FROM users WHERE uuid = $1");
    USER_SET_ZONE = both("UPDATE users SET zone = $2 WHERE id = $1");

    // Connections.
    PLACE = both("SELECT user_id, id FROM connections WHERE uuid = $1");
    CONNECTION_UPSERT = each(
        "INSERT INTO connections (user_id, uuid, provider, account, settings, status, created_at, changed_at)
            VALUES ($1, $2, $3, $4, $5, 'active', $6, $6)
            ON CONFLICT (user_id, provider, ifnull(account, '')) DO UPDATE
                SET settings = excluded.settings, status = 'active', changed_at = excluded.changed_at, due_at = 0
            RETURNING id, uuid",
        "INSERT INTO connections (user_id, uuid, provider, account, settings, status, created_at, changed_at)
            VALUES ($1, $2, $3, $4, $5, 'active', $6, $6)
            ON CONFLICT (user_id, provider, coalesce(account, '')) DO UPDATE
                SET settings = excluded.settings, status = 'active', changed_at = excluded.changed_at, due_at = 0
            RETURNING id, uuid",
    );
    CONNECTION_ROW = both("SELECT provider, account FROM connections WHERE user_id = $1 AND id = $2");
    CONNECTION_OF_ACCOUNT = both("SELECT uuid FROM connections
        WHERE user_id = $1 AND provider = $2 AND account = $3");
    CONNECTION_RENEW = both("UPDATE connections
        SET account = $3, settings = $4, status = 'active', changed_at = $5, due_at = 0
        WHERE user_id = $1 AND id = $2");
    CONNECTIONS = both("SELECT c.uuid, u.uuid, c.provider, c.account, c.settings, u.zone, c.status, c.created_at,
            c.changed_at
        FROM connections c JOIN users u ON u.id = c.user_id
        WHERE (CAST($1 AS BIGINT) IS NULL OR c.user_id = $1) AND (CAST($2 AS BYTEA) IS NULL OR c.uuid = $2)
        ORDER BY c.id");
    /// What its user ended stays ended until the account is connected again.
    CONNECTION_SET_STATUS = both("UPDATE connections
        SET status = CASE status WHEN 'disconnected' THEN status ELSE $3 END, changed_at = $4
        WHERE user_id = $1 AND id = $2");

    // Credentials and the key that seals them.
    META_GET = both("SELECT value FROM meta WHERE name = $1");
    META_SET = both("INSERT INTO meta (name, value) VALUES ($1, $2)
        ON CONFLICT (name) DO UPDATE SET value = excluded.value");
    ANY_CREDENTIALS = both("SELECT EXISTS (SELECT 1 FROM credentials)");
    /// In one statement, so that revision and credentials are of the same moment.
    CREDENTIALS_GET = each(
        "SELECT u.uuid, c.status, c.revision, c.refused_at, k.master_key, k.data_key_id, k.data_key, k.credentials
            FROM connections c JOIN users u ON u.id = c.user_id LEFT JOIN credentials k ON k.connection_id = c.id
            WHERE c.id = $2",
        "SELECT u.uuid, c.status, c.revision, c.refused_at, k.master_key, k.data_key_id, k.data_key, k.credentials
            FROM connections c JOIN users u ON u.id = c.user_id
                LEFT JOIN credentials k ON k.user_id = c.user_id AND k.connection_id = c.id
            WHERE c.user_id = $1 AND c.id = $2",
    );
    CREDENTIALS_RAISE = both("UPDATE connections SET revision = revision + 1, refused_at = NULL, changed_at = $3,
            status = CASE status WHEN 'reconnect_required' THEN 'active' ELSE status END
        WHERE user_id = $1 AND id = $2");
    CREDENTIALS_SET = each(
        "INSERT INTO credentials (connection_id, master_key, data_key_id, data_key, credentials, changed_at)
            VALUES ($2, $3, $4, $5, $6, $7)
            ON CONFLICT DO UPDATE SET master_key = excluded.master_key, data_key_id = excluded.data_key_id,
                data_key = excluded.data_key, credentials = excluded.credentials, changed_at = excluded.changed_at",
        "INSERT INTO credentials (user_id, connection_id, master_key, data_key_id, data_key, credentials, changed_at)
            VALUES ($1, $2, $3, $4, $5, $6, $7)
            ON CONFLICT (user_id, connection_id) DO UPDATE SET master_key = excluded.master_key,
                data_key_id = excluded.data_key_id, data_key = excluded.data_key, credentials = excluded.credentials,
                changed_at = excluded.changed_at",
    );
    CREDENTIALS_DELETE = each(
        "DELETE FROM credentials WHERE connection_id = $2",
        "DELETE FROM credentials WHERE user_id = $1 AND connection_id = $2",
    );
    /// The connections that have credentials.
    CREDENTIALS_OF = both("SELECT c.user_id, c.id, c.uuid FROM credentials k JOIN connections c ON c.id = k.connection_id
        ORDER BY c.id");
    /// Data keys that another master key seals.
    REWRAP_COUNT = both("SELECT count(*) FROM credentials WHERE master_key <> $1");
    REWRAP_NEXT = each(
        "SELECT k.connection_id, u.uuid, c.uuid, k.master_key, k.data_key, c.user_id
            FROM credentials k CROSS JOIN connections c ON c.id = k.connection_id
                CROSS JOIN users u ON u.id = c.user_id
            WHERE k.connection_id > $1 AND k.master_key <> $2 ORDER BY k.connection_id LIMIT $3",
        "SELECT c.id, u.uuid, c.uuid, k.master_key, k.data_key, c.user_id
            FROM connections c JOIN credentials k ON k.user_id = c.user_id AND k.connection_id = c.id
                JOIN users u ON u.id = c.user_id
            WHERE c.id > $1 AND k.master_key <> $2 ORDER BY c.id LIMIT $3",
    );
    REWRAP_SET = each(
        "UPDATE credentials SET master_key = $3, data_key = $4 WHERE connection_id = $2",
        "UPDATE credentials SET master_key = $3, data_key = $4 WHERE user_id = $1 AND connection_id = $2",
    );

    // Who renews credentials.
    REFRESH_CLAIM = each(
        concat!("INSERT INTO refreshes (connection_id, epoch, holder, half_at, expires_at)
            VALUES ($2, 1, $3, ", now!(sqlite), " + $4 / 2, ", now!(sqlite), " + $4)
            ON CONFLICT DO UPDATE SET epoch = epoch + 1, holder = excluded.holder, half_at = excluded.half_at,
                expires_at = excluded.expires_at
            WHERE holder IS NULL OR expires_at <= ", now!(sqlite), " OR holder IN (SELECT value FROM json_each($5))
            RETURNING epoch"),
        concat!("INSERT INTO refreshes AS r (user_id, connection_id, epoch, holder, half_at, expires_at)
            VALUES ($1, $2, 1, $3, ", now!(postgres), " + $4 / 2, ", now!(postgres), " + $4)
            ON CONFLICT (user_id, connection_id) DO UPDATE SET epoch = r.epoch + 1, holder = excluded.holder,
                half_at = excluded.half_at, expires_at = excluded.expires_at
            WHERE r.holder IS NULL OR r.expires_at <= ", now!(postgres), " OR r.holder = ANY ($5)
            RETURNING epoch"),
    );
    REFRESHERS = each(
        concat!("SELECT holder FROM refreshes
            WHERE connection_id = $2 AND holder IS NOT NULL AND expires_at > ", now!(sqlite)),
        concat!("SELECT holder FROM refreshes WHERE user_id = $1 AND connection_id = $2 AND holder IS NOT NULL
            AND expires_at > ", now!(postgres)),
    );
    REFRESH_MAY = each(
        concat!("SELECT 1 FROM refreshes r JOIN connections c ON c.id = r.connection_id
            WHERE c.id = $2 AND r.epoch = $3 AND r.holder IS NOT NULL AND r.half_at > ", now!(sqlite), "
                AND c.revision = $4 AND c.status <> 'disconnected'"),
        concat!("SELECT 1 FROM refreshes r JOIN connections c ON c.user_id = r.user_id AND c.id = r.connection_id
            WHERE r.user_id = $1 AND r.connection_id = $2 AND r.epoch = $3 AND r.holder IS NOT NULL
                AND r.half_at > ", now!(postgres), " AND c.revision = $4 AND c.status <> 'disconnected'"),
    );
    REFRESH_END = each(
        "UPDATE refreshes SET holder = NULL WHERE connection_id = $2 AND epoch = $3",
        "UPDATE refreshes SET holder = NULL WHERE user_id = $1 AND connection_id = $2 AND epoch = $3",
    );
    STANDING_SET = both("UPDATE connections SET status = $3, refused_at = $4, changed_at = $5
        WHERE user_id = $1 AND id = $2");

    // Consents under way.
    AUTHORIZATION_PUT = both("INSERT INTO authorizations (state, sealed, created_at) VALUES ($1, $2, $3)
        ON CONFLICT (state) DO UPDATE SET sealed = excluded.sealed, created_at = excluded.created_at");
    AUTHORIZATION_TAKE = both("DELETE FROM authorizations WHERE state = $1 RETURNING sealed");
    AUTHORIZATIONS_FORGET = both("DELETE FROM authorizations WHERE created_at NOT BETWEEN $1 AND $2");
}

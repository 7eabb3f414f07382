-- Rows refer to each other by narrow integers; people and programs outside see UUIDs.
-- Instants are microseconds since 1970 UTC, days are days since 1970-01-01.

CREATE TABLE meta (
    name  TEXT PRIMARY KEY,
    value BLOB NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE users (
    id         INTEGER PRIMARY KEY,
    uuid       BLOB NOT NULL UNIQUE,
    email      TEXT NOT NULL COLLATE NOCASE UNIQUE,
    zone       TEXT NOT NULL,
    seq        INTEGER NOT NULL DEFAULT 0, -- the latest number of the user's change feed
    created_at INTEGER NOT NULL
) STRICT;

CREATE TABLE connections (
    id         INTEGER PRIMARY KEY,
    uuid       BLOB NOT NULL UNIQUE,
    user_id    INTEGER NOT NULL REFERENCES users (id),
    provider   TEXT NOT NULL,
    account    TEXT,
    settings   TEXT NOT NULL,
    status     TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    changed_at INTEGER NOT NULL
) STRICT;
CREATE UNIQUE INDEX connections_by_account ON connections (user_id, provider, ifnull(account, ''));

-- `data_key` is sealed by the master key named in `master_key`, `credentials` by that data key: rotating the master
-- key rewrites the first two alone. A sealed value is its nonce followed by the ciphertext.
CREATE TABLE credentials (
    connection_id INTEGER PRIMARY KEY REFERENCES connections (id),
    master_key    BLOB NOT NULL,
    data_key_id   BLOB NOT NULL,
    data_key      BLOB NOT NULL,
    credentials   BLOB NOT NULL,
    changed_at    INTEGER NOT NULL
) STRICT;

CREATE TABLE leases (
    connection_id INTEGER PRIMARY KEY REFERENCES connections (id),
    epoch         INTEGER NOT NULL,
    holder        TEXT, -- NULL once it is given back
    expires_at    INTEGER NOT NULL
) STRICT;

CREATE TABLE runs (
    id            INTEGER PRIMARY KEY,
    uuid          BLOB NOT NULL UNIQUE,
    connection_id INTEGER NOT NULL REFERENCES connections (id),
    epoch         INTEGER NOT NULL,
    started_at    INTEGER NOT NULL,
    finished_at   INTEGER,
    resume_at     INTEGER,
    report        TEXT NOT NULL
) STRICT;
CREATE INDEX runs_by_connection ON runs (connection_id);

CREATE TABLE partitions (
    id            INTEGER PRIMARY KEY,
    connection_id INTEGER NOT NULL REFERENCES connections (id),
    stream        TEXT NOT NULL,
    partition     TEXT NOT NULL,
    state         TEXT NOT NULL,
    UNIQUE (connection_id, stream, partition)
) STRICT;

-- The narrow identity of an item, apart from its body: a pass over unchanged items touches nothing else.
CREATE TABLE items (
    id           INTEGER PRIMARY KEY,
    partition_id INTEGER NOT NULL REFERENCES partitions (id),
    external_id  TEXT NOT NULL,
    hash         BLOB NOT NULL,
    normalizer   INTEGER NOT NULL,
    generation   INTEGER NOT NULL,
    at           INTEGER,
    version      INTEGER,
    observed     INTEGER NOT NULL,
    state        INTEGER NOT NULL, -- 0 live, 1 gone
    quarantined  INTEGER NOT NULL,
    held         INTEGER NOT NULL,
    UNIQUE (partition_id, external_id)
) STRICT;

CREATE TABLE bodies (
    item_id INTEGER PRIMARY KEY REFERENCES items (id),
    body    BLOB NOT NULL
) STRICT;

CREATE TABLE quarantine (
    item_id    INTEGER PRIMARY KEY REFERENCES items (id),
    reason     TEXT NOT NULL,
    body       BLOB NOT NULL,
    normalizer INTEGER NOT NULL,
    since      INTEGER NOT NULL
) STRICT;

CREATE TABLE records (
    id            INTEGER PRIMARY KEY,
    uuid          BLOB NOT NULL UNIQUE,
    user_id       INTEGER NOT NULL,
    connection_id INTEGER NOT NULL,
    item_id       INTEGER NOT NULL REFERENCES items (id),
    key           TEXT NOT NULL,
    dataset       TEXT NOT NULL,
    start_us      INTEGER, -- NULL for a fact of a whole day
    start_offset  INTEGER, -- seconds ahead of UTC; NULL if the provider does not tell
    end_us        INTEGER,
    end_offset    INTEGER,
    zone          TEXT,
    end_zone      TEXT,    -- only where it is another than `zone`; '' for none
    sort_us       INTEGER NOT NULL,
    day           INTEGER NOT NULL,
    body          TEXT NOT NULL,
    digest        BLOB NOT NULL,
    normalizer    INTEGER NOT NULL,
    first_seen    INTEGER NOT NULL,
    changed_at    INTEGER NOT NULL,
    seq           INTEGER NOT NULL,
    state         INTEGER NOT NULL, -- 0 live, 1 gone, 2 removed by the user
    UNIQUE (item_id, dataset, key)
) STRICT;
CREATE UNIQUE INDEX records_feed ON records (user_id, seq);
-- It holds all that a listing filters by, so that a rare dataset is found without reading the others' rows.
CREATE INDEX records_listing ON records (user_id, sort_us, id, dataset, connection_id, state);
CREATE INDEX records_by_day ON records (connection_id, day);

-- The key begins with the day: the rows that a commit replaces lie side by side.
CREATE TABLE rollups (
    connection_id INTEGER NOT NULL,
    day           INTEGER NOT NULL,
    metric        TEXT NOT NULL,
    label         TEXT NOT NULL,
    count         INTEGER NOT NULL,
    sum           REAL NOT NULL,
    min           REAL NOT NULL,
    max           REAL NOT NULL,
    last          REAL NOT NULL,
    PRIMARY KEY (connection_id, day, metric, label)
) STRICT, WITHOUT ROWID;

-- The windows of each quota that were asked for lately.
CREATE TABLE quotas (
    id           INTEGER PRIMARY KEY,
    provider     TEXT NOT NULL,
    quota        TEXT NOT NULL,
    scope        TEXT NOT NULL,
    window_start INTEGER NOT NULL,
    used         INTEGER NOT NULL,
    UNIQUE (provider, quota, scope, window_start)
) STRICT;

-- Until when a provider asked to be left alone.
CREATE TABLE gates (
    provider      TEXT NOT NULL,
    quota         TEXT NOT NULL,
    scope         TEXT NOT NULL,
    blocked_until INTEGER NOT NULL,
    PRIMARY KEY (provider, quota, scope)
) STRICT, WITHOUT ROWID;

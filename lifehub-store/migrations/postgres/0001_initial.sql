-- Rows refer to each other by integers; people and programs outside see UUIDs.
-- Instants are microseconds since 1970 UTC, days are days since 1970-01-01.
--
-- What belongs to a user has the user first in its key: it can be distributed by user, and a policy shows it to nobody
-- else. Texts of providers are bytes: they may hold what a text of PostgreSQL cannot. The tables into which every page writes refer to others without a foreign key, which would look up each row;
-- `lifehub doctor` looks instead.

CREATE TABLE lifehub_schema (
    version BIGINT NOT NULL,
    oldest  BIGINT NOT NULL -- nodes below this version refuse to work
);
INSERT INTO lifehub_schema VALUES (0, 0);

-- Whose rows are seen: 0 is everybody's, nothing is nobody's.
CREATE FUNCTION lifehub_owner() RETURNS BIGINT LANGUAGE sql STABLE PARALLEL SAFE
    AS $$ SELECT nullif(current_setting('lifehub.owner', true), '')::bigint $$;

CREATE TABLE meta (
    name  TEXT PRIMARY KEY,
    value BYTEA NOT NULL
);

CREATE TABLE users (
    id          BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    uuid        BYTEA NOT NULL UNIQUE,
    email       TEXT NOT NULL,
    zone        TEXT NOT NULL,
    seq         BIGINT NOT NULL DEFAULT 0, -- the latest number of the user's change feed
    last_item   BIGINT NOT NULL DEFAULT 0, -- the latest rows of the user
    last_record BIGINT NOT NULL DEFAULT 0,
    created_at  BIGINT NOT NULL
) WITH (fillfactor = 50);
CREATE UNIQUE INDEX users_by_email ON users (lower(email COLLATE "C"));

CREATE TABLE connections (
    user_id    BIGINT NOT NULL REFERENCES users (id),
    id         BIGINT GENERATED ALWAYS AS IDENTITY UNIQUE,
    uuid       BYTEA NOT NULL UNIQUE,
    provider   TEXT NOT NULL,
    account    TEXT,
    settings   TEXT NOT NULL,
    status     TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    changed_at BIGINT NOT NULL,
    revision   BIGINT NOT NULL DEFAULT 0, -- rises whenever credentials are written or deleted
    refused_at BIGINT,                    -- when the provider last refused the credentials
    due_at     BIGINT NOT NULL DEFAULT 0, -- when a scheduler is to sync it next; 0 at once
    PRIMARY KEY (user_id, id)
) WITH (fillfactor = 70);
CREATE UNIQUE INDEX connections_by_account ON connections (user_id, provider, coalesce(account, ''));
CREATE INDEX connections_of_account ON connections (provider, account);
CREATE INDEX connections_due ON connections (provider, due_at, id) WHERE status <> 'disconnected';

-- `data_key` is sealed by the master key named in `master_key`, `credentials` by that data key: rotating the master
-- key rewrites the first two alone. A sealed value is its nonce followed by the ciphertext.
CREATE TABLE credentials (
    user_id       BIGINT NOT NULL,
    connection_id BIGINT NOT NULL,
    master_key    BYTEA NOT NULL,
    data_key_id   BYTEA NOT NULL,
    data_key      BYTEA NOT NULL,
    credentials   BYTEA NOT NULL,
    changed_at    BIGINT NOT NULL,
    PRIMARY KEY (user_id, connection_id),
    FOREIGN KEY (user_id, connection_id) REFERENCES connections (user_id, id)
) WITH (fillfactor = 70);

CREATE TABLE leases (
    user_id       BIGINT NOT NULL,
    connection_id BIGINT NOT NULL,
    epoch         BIGINT NOT NULL,
    holder        TEXT, -- NULL once it is given back
    expires_at    BIGINT NOT NULL,
    PRIMARY KEY (user_id, connection_id),
    FOREIGN KEY (user_id, connection_id) REFERENCES connections (user_id, id)
) WITH (fillfactor = 50);

-- Who renews credentials at the moment.
CREATE TABLE refreshes (
    user_id       BIGINT NOT NULL,
    connection_id BIGINT NOT NULL,
    epoch         BIGINT NOT NULL,
    holder        TEXT, -- NULL once it is given back
    half_at       BIGINT NOT NULL, -- from then on nobody sends under this claim
    expires_at    BIGINT NOT NULL,
    PRIMARY KEY (user_id, connection_id),
    FOREIGN KEY (user_id, connection_id) REFERENCES connections (user_id, id)
) WITH (fillfactor = 50);

CREATE TABLE runs (
    user_id       BIGINT NOT NULL,
    connection_id BIGINT NOT NULL,
    id            BIGINT GENERATED ALWAYS AS IDENTITY,
    uuid          BYTEA NOT NULL,
    epoch         BIGINT NOT NULL,
    started_at    BIGINT NOT NULL,
    finished_at   BIGINT,
    resume_at     BIGINT,
    report        TEXT NOT NULL,
    schedule      TEXT NOT NULL, -- when each stream is due again
    PRIMARY KEY (user_id, connection_id, id),
    UNIQUE (user_id, uuid),
    FOREIGN KEY (user_id, connection_id) REFERENCES connections (user_id, id)
) WITH (fillfactor = 50);

CREATE TABLE partitions (
    user_id       BIGINT NOT NULL,
    id            BIGINT GENERATED ALWAYS AS IDENTITY,
    connection_id BIGINT NOT NULL,
    name          BYTEA NOT NULL, -- a digest of the next two
    stream        BYTEA NOT NULL,
    partition     BYTEA NOT NULL,
    state         TEXT NOT NULL,
    PRIMARY KEY (user_id, id),
    UNIQUE (user_id, connection_id, name),
    FOREIGN KEY (user_id, connection_id) REFERENCES connections (user_id, id)
) WITH (fillfactor = 50);

-- The narrow identity of an item, apart from its body: a pass over unchanged items touches nothing else, and has room to
-- write beside the row.
CREATE TABLE items (
    user_id      BIGINT NOT NULL,
    id           BIGINT NOT NULL,
    partition_id BIGINT NOT NULL,
    external_key BYTEA NOT NULL,
    external_id  BYTEA, -- where it is longer than an index takes
    hash         BYTEA NOT NULL,
    normalizer   BIGINT NOT NULL,
    generation   BIGINT NOT NULL,
    at           BIGINT,
    version      BIGINT,
    observed     BIGINT NOT NULL,
    state        BIGINT NOT NULL, -- 0 live, 1 gone
    quarantined  BOOLEAN NOT NULL,
    held         BOOLEAN NOT NULL,
    PRIMARY KEY (user_id, id),
    UNIQUE (user_id, partition_id, external_key)
) WITH (fillfactor = 80);

CREATE TABLE bodies (
    user_id BIGINT NOT NULL,
    item_id BIGINT NOT NULL,
    body    BYTEA NOT NULL,
    PRIMARY KEY (user_id, item_id)
);

CREATE TABLE quarantine (
    user_id    BIGINT NOT NULL,
    item_id    BIGINT NOT NULL,
    reason     BYTEA NOT NULL,
    body       BYTEA NOT NULL,
    normalizer BIGINT NOT NULL,
    since      BIGINT NOT NULL,
    PRIMARY KEY (user_id, item_id)
);

CREATE TABLE records (
    user_id       BIGINT NOT NULL,
    id            BIGINT NOT NULL,
    uuid          BYTEA NOT NULL,
    connection_id BIGINT NOT NULL,
    item_id       BIGINT NOT NULL,
    record_key    BYTEA NOT NULL,
    key           BYTEA, -- where it is longer than an index takes
    dataset       TEXT NOT NULL,
    start_us      BIGINT, -- NULL for a fact of a whole day
    start_offset  BIGINT, -- seconds ahead of UTC; NULL if the provider does not tell
    end_us        BIGINT,
    end_offset    BIGINT,
    zone          TEXT,
    end_zone      TEXT,   -- only where it is another than `zone`; '' for none
    sort_us       BIGINT NOT NULL,
    day           BIGINT NOT NULL,
    body          TEXT NOT NULL,
    digest        BYTEA NOT NULL,
    normalizer    BIGINT NOT NULL,
    first_seen    BIGINT NOT NULL,
    changed_at    BIGINT NOT NULL,
    seq           BIGINT NOT NULL,
    state         BIGINT NOT NULL, -- 0 live, 1 gone, 2 removed by the user
    PRIMARY KEY (user_id, uuid),
    UNIQUE (user_id, item_id, dataset, record_key)
);
CREATE UNIQUE INDEX records_feed ON records (user_id, seq);
-- It holds all that a listing filters by, so that a rare dataset is found without reading the others' rows.
CREATE INDEX records_listing ON records (user_id, sort_us, id, dataset, connection_id, state);
CREATE INDEX records_by_day ON records (user_id, connection_id, day);

CREATE TABLE rollups (
    user_id       BIGINT NOT NULL,
    connection_id BIGINT NOT NULL,
    day           BIGINT NOT NULL,
    metric        TEXT NOT NULL,
    label_key     BYTEA NOT NULL,
    label         BYTEA, -- where it is longer than an index takes
    count         BIGINT NOT NULL,
    sum           DOUBLE PRECISION NOT NULL,
    min           DOUBLE PRECISION NOT NULL,
    max           DOUBLE PRECISION NOT NULL,
    last          DOUBLE PRECISION NOT NULL,
    PRIMARY KEY (user_id, connection_id, day, metric, label_key)
);

-- What providers told by webhook and no run has taken yet.
CREATE TABLE inbox (
    user_id       BIGINT NOT NULL,
    connection_id BIGINT NOT NULL,
    id            BIGINT GENERATED ALWAYS AS IDENTITY,
    stream        BYTEA NOT NULL,
    observed      BIGINT NOT NULL,
    kind          BIGINT NOT NULL, -- 0 the stream changed, 1 an item, 2 an item is gone, 3 an item without an id
    partition     BYTEA,           -- NULL where the stream changed, as all below
    external_id   BYTEA,
    version       BIGINT,
    at            BIGINT,
    reason        BYTEA,
    body          BYTEA,
    PRIMARY KEY (user_id, connection_id, id),
    FOREIGN KEY (user_id, connection_id) REFERENCES connections (user_id, id)
);

-- Consents under way. What names one is a hash of its state, and what it holds is sealed under that state, which only
-- the user's browser has.
CREATE TABLE authorizations (
    state      BYTEA PRIMARY KEY,
    sealed     BYTEA NOT NULL,
    created_at BIGINT NOT NULL
);

-- The windows of each quota that were asked for lately.
CREATE TABLE quotas (
    provider     TEXT NOT NULL,
    quota        TEXT NOT NULL,
    scope        TEXT NOT NULL,
    window_start BIGINT NOT NULL,
    used         BIGINT NOT NULL,
    granted      BIGINT NOT NULL, -- to who asked last
    id           BIGINT GENERATED ALWAYS AS IDENTITY,
    PRIMARY KEY (provider, quota, scope, window_start)
) WITH (fillfactor = 50);

-- How far each sliding quota is spent ahead, in microseconds.
CREATE TABLE paces (
    provider   TEXT NOT NULL,
    quota      TEXT NOT NULL,
    scope      TEXT NOT NULL,
    owed_until BIGINT NOT NULL,
    granted    BOOLEAN NOT NULL, -- whether whoever asked last got what it wanted
    PRIMARY KEY (provider, quota, scope)
) WITH (fillfactor = 50);

-- Until when a provider asked to be left alone.
CREATE TABLE gates (
    provider      TEXT NOT NULL,
    quota         TEXT NOT NULL,
    scope         TEXT NOT NULL,
    blocked_until BIGINT NOT NULL,
    PRIMARY KEY (provider, quota, scope)
) WITH (fillfactor = 50);

DO $$
DECLARE
    owned TEXT;
BEGIN
    FOREACH owned IN ARRAY ARRAY['connections', 'credentials', 'leases', 'refreshes', 'runs', 'partitions', 'items',
        'bodies', 'quarantine', 'records', 'rollups', 'inbox']
    LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY', owned);
        EXECUTE format('CREATE POLICY of_user ON %I
            USING (user_id = (SELECT lifehub_owner()) OR (SELECT lifehub_owner()) = 0)', owned);
    END LOOP;
    ALTER TABLE users ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
    CREATE POLICY of_user ON users
        USING (id = (SELECT lifehub_owner()) OR (SELECT lifehub_owner()) = 0);
END $$;

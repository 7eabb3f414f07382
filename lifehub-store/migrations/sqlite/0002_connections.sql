-- `revision` rises whenever credentials are written or deleted: whoever renews them replaces those that it read, or none.
ALTER TABLE connections ADD COLUMN revision INTEGER NOT NULL DEFAULT 0;
ALTER TABLE connections ADD COLUMN refused_at INTEGER; -- when the provider last refused the credentials
-- When a scheduler is to sync it next; 0 at once.
ALTER TABLE connections ADD COLUMN due_at INTEGER NOT NULL DEFAULT 0;
CREATE INDEX connections_due ON connections (due_at, id) WHERE status <> 'disconnected';

ALTER TABLE runs ADD COLUMN schedule TEXT NOT NULL DEFAULT '{}'; -- when each stream is due again

-- Who renews credentials at the moment.
CREATE TABLE refreshes (
    connection_id INTEGER PRIMARY KEY REFERENCES connections (id),
    epoch         INTEGER NOT NULL,
    holder        TEXT, -- NULL once it is given back
    half_at       INTEGER NOT NULL, -- from then on nobody sends under this claim
    expires_at    INTEGER NOT NULL
) STRICT;

-- Consents under way. What names one is a hash of its state, and what it holds is sealed under that state, which only
-- the user's browser has.
CREATE TABLE authorizations (
    state      BLOB PRIMARY KEY,
    sealed     BLOB NOT NULL,
    created_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- How far each sliding quota is spent ahead, in microseconds.
CREATE TABLE paces (
    provider   TEXT NOT NULL,
    quota      TEXT NOT NULL,
    scope      TEXT NOT NULL,
    owed_until INTEGER NOT NULL,
    PRIMARY KEY (provider, quota, scope)
) STRICT, WITHOUT ROWID;

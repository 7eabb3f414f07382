-- What providers told by webhook and no run has taken yet. A number is never given twice: who forgets what it knew must
-- not take what came later.
CREATE TABLE inbox (
    id            INTEGER PRIMARY KEY AUTOINCREMENT,
    connection_id INTEGER NOT NULL REFERENCES connections (id),
    stream        TEXT NOT NULL,
    observed      INTEGER NOT NULL,
    kind          INTEGER NOT NULL, -- 0 the stream changed, 1 an item, 2 an item is gone, 3 an item without an id
    partition     TEXT,             -- NULL where the stream changed, as all below
    external_id   TEXT,
    version       INTEGER,
    at            INTEGER,
    reason        TEXT,
    body          BLOB
) STRICT;
CREATE INDEX inbox_by_stream ON inbox (connection_id, stream, id);
CREATE INDEX connections_of_account ON connections (provider, account);

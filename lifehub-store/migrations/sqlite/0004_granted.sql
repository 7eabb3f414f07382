-- What whoever asked last was granted: told by the statement that counts it.
ALTER TABLE quotas ADD COLUMN granted INTEGER NOT NULL DEFAULT 0;
ALTER TABLE paces ADD COLUMN granted INTEGER NOT NULL DEFAULT 0;

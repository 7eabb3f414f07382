//! What the codes of SQLite mean.

use lifehub_core::{Error, ErrorKind};

const BUSY: i32 = 5;
const LOCKED: i32 = 6;
const READONLY: i32 = 8;
const IOERR: i32 = 10;
const CORRUPT: i32 = 11;
const FULL: i32 = 13;
const CANTOPEN: i32 = 14;
const CONSTRAINT: i32 = 19;
const NOTADB: i32 = 26;
/// The shared memory beside a WAL could not be made larger: there is no space.
const IOERR_SHMSIZE: i32 = IOERR | 19 << 8;

/// Translates a code of SQLite. Its own texts name tables and columns, never values.
pub(crate) fn of_code(code: i32, message: &str) -> Error {
    let storage = |text: &str| Error::new(ErrorKind::Storage, text).with("code", code);
    if code == IOERR_SHMSIZE {
        return of_code(FULL, message);
    }
    match code & 0xff {
        FULL => Error::new(ErrorKind::StorageFull, "there is no space left where the database lives")
            .with("code", code)
            .hint("free some space and run it again: what was stored is unharmed, nothing was half written"),
        BUSY | LOCKED => storage("the database stayed locked by another process")
            .temporary(true)
            .hint("wait for the other process to end, or stop it, and try again"),
        READONLY => storage("the database cannot be written")
            .hint("make the database file and its folder writable for this user"),
        IOERR => storage("reading or writing the database failed")
            .hint("check the disk and the system's log; what was committed before is unharmed"),
        CANTOPEN => storage("the database cannot be opened")
            .hint("its folder must exist and be writable for this user"),
        CORRUPT | NOTADB => {
            storage("the database is damaged").hint("run `lifehub doctor`, and restore a backup if it agrees")
        }
        CONSTRAINT => Error::new(ErrorKind::Internal, format!("the database refused a row: {message}")),
        _ => storage(&format!("the database failed: {message}")),
    }
}

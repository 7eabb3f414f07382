//! What an error of the database means to its caller: a kind, a plain sentence and what to do about it.

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

/// Translates an error of the database layer. SQLite's own texts name tables and columns, never values.
pub(crate) fn fault(error: sqlx::Error) -> Error {
    match &error {
        sqlx::Error::Database(inner) => {
            let code = inner.code().and_then(|code| code.parse().ok()).unwrap_or(0);
            of_code(code, inner.message())
        }
        sqlx::Error::PoolTimedOut => {
            Error::new(ErrorKind::Storage, "every connection to the database stayed busy").temporary(true)
        }
        sqlx::Error::Io(e) => Error::new(ErrorKind::Storage, format!("the database failed: {}", e.kind())),
        sqlx::Error::ColumnDecode { .. } | sqlx::Error::Decode(_) => {
            Error::new(ErrorKind::Storage, "a stored value is not what it should be")
                .hint("run `lifehub doctor`")
        }
        other => Error::new(ErrorKind::Storage, format!("the database failed: {other}")),
    }
}

fn of_code(code: i32, message: &str) -> Error {
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

/// The error of something that was looked for by id and is not there.
pub(crate) fn no_such(what: &str) -> Error {
    Error::new(ErrorKind::NotFound, format!("there is no such {what}"))
}

//! What the codes of PostgreSQL mean.

use lifehub_core::{Error, ErrorKind};

/// Translates a code of PostgreSQL (appendix A of its manual: the first two letters are a class).
pub(crate) fn of_code(code: &str, message: &str) -> Error {
    let storage = |text: &str| Error::new(ErrorKind::Storage, text).with("code", code);
    let invalid = |text: &str| Error::new(ErrorKind::Invalid, text).with("code", code);
    match code {
        "53100" => Error::new(ErrorKind::StorageFull, "there is no space left where the database lives")
            .with("code", code)
            .hint("free some space and run it again: what was stored is unharmed, nothing was half written"),
        "53300" => storage("the database server has no connection left")
            .temporary(true)
            .hint("run fewer processes, or raise max_connections of the server"),
        "40001" | "40P01" | "55P03" | "57014" => {
            storage("the database stayed busy with the work of others, or was too slow").temporary(true)
        }
        "25P03" => storage("a transaction was ended, as its process had been stopped in it").temporary(true),
        "25006" => storage("the database cannot be written")
            .hint("the URL may name a standby: name the primary server"),
        "28000" | "28P01" => invalid("the database server refuses the login")
            .hint("check user and password in the database's URL"),
        "3D000" => invalid("there is no such database on the server")
            .hint("make it: createdb NAME, or name another in the database's URL"),
        "3F000" => invalid("there is no such schema in the database")
            .hint("make it: CREATE SCHEMA NAME, or name another in the database's URL"),
        "42501" => invalid("the database's user may not do what is needed")
            .with("said", message)
            .hint("the tables must belong to the user in the database's URL, or it needs all rights on them"),
        "22021" | "22P05" => invalid("a text holds a character that PostgreSQL cannot keep (U+0000)"),
        _ => match code.get(..2).unwrap_or_default() {
            "08" | "57" => storage("the database server is going away, or coming back")
                .temporary(true)
                .hint("it is tried again"),
            "53" => {
                storage("the database server is short of something").temporary(true).with("said", message)
            }
            "58" => storage("the database server failed")
                .hint("check its disk and its log; what was committed before is unharmed"),
            "XX" => storage("the database is damaged")
                .hint("see the server's log, and restore a backup if it agrees"),
            "23" => Error::new(ErrorKind::Internal, format!("the database refused a row: {message}")),
            _ => storage(&format!("the database failed: {message}")),
        },
    }
}

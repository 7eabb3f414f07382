//! What an error of the database means to its caller: a kind, a plain sentence and what to do about it.

use lifehub_core::{Error, ErrorKind};

#[cfg(feature = "postgres")]
use super::postgres;
use super::sqlite;

/// Translates an error of the database layer.
pub(crate) fn fault(error: sqlx::Error) -> Error {
    let storage = |text: String| Error::new(ErrorKind::Storage, text);
    match &error {
        #[cfg(feature = "postgres")]
        sqlx::Error::Database(inner)
            if inner.try_downcast_ref::<sqlx::postgres::PgDatabaseError>().is_some() =>
        {
            postgres::fault::of_code(inner.code().as_deref().unwrap_or_default(), inner.message())
        }
        sqlx::Error::Database(inner) => {
            let code = inner.code().and_then(|code| code.parse().ok()).unwrap_or(0);
            sqlite::fault::of_code(code, inner.message())
        }
        sqlx::Error::PoolTimedOut => storage("every connection to the database stayed busy".into())
            .temporary(true)
            .hint("the database may be away, or slow: it is tried again"),
        sqlx::Error::Io(e) => storage(format!("the database cannot be reached: {}", e.kind()))
            .temporary(true)
            .hint("is it running, and does its URL name it?"),
        sqlx::Error::Tls(e) => storage(format!("the connection to the database cannot be encrypted: {e}"))
            .hint("see `sslmode` in the database's URL"),
        sqlx::Error::PoolClosed => storage("the store was closed".into()),
        sqlx::Error::ColumnDecode { .. } | sqlx::Error::Decode(_) => {
            storage("a stored value is not what it should be".into()).hint("run `lifehub doctor`")
        }
        other => storage(format!("the database failed: {other}")),
    }
}

/// The error of something that was looked for by id and is not there.
pub(crate) fn no_such(what: &str) -> Error {
    Error::new(ErrorKind::NotFound, format!("there is no such {what}"))
}

//! Where a database is: a file, memory, or a server.

use std::path::PathBuf;

#[cfg(feature = "postgres")]
use lifehub_core::secret::Secret;
use lifehub_core::{Error, ErrorKind, Result};

/// Where a database is.
#[derive(Debug, Clone)]
pub(crate) enum Location {
    Memory,
    File(PathBuf),
    /// The URL of a database on a PostgreSQL server, which may hold a password.
    #[cfg(feature = "postgres")]
    Postgres(Secret),
}

impl Location {
    /// Reads `sqlite:///absolute/path`, `sqlite://relative/path`, `sqlite::memory:`, a plain path, or
    /// `postgres://user:password@host/database`. A path is taken as it stands, without escapes or options.
    pub(crate) fn parse(text: &str) -> Result<Self> {
        let path = match text.strip_prefix("sqlite:") {
            Some(rest) => rest.strip_prefix("//").unwrap_or(rest),
            None if text.starts_with("postgres://") || text.starts_with("postgresql://") => {
                return Self::server(text);
            }
            // What it holds may be a password: it is not repeated.
            None if text.contains("://") => {
                return Err(Error::new(ErrorKind::Invalid, "the database's URL has an unknown scheme").hint(
                    "use sqlite:///path/to/lifehub.db, postgres://user@host/database, or a plain path",
                ));
            }
            None => text,
        };
        match path {
            ":memory:" => Ok(Self::Memory),
            "" => Err(Error::new(ErrorKind::Invalid, "the database has no path")
                .hint("use sqlite:///path/to/lifehub.db, or a plain path")),
            _ if text.starts_with("sqlite:") && path.contains('?') => {
                Err(Error::new(ErrorKind::Invalid, "the database's URL has options, which are not supported")
                    .hint("remove everything from the question mark on"))
            }
            path => Ok(Self::File(PathBuf::from(path))),
        }
    }

    #[cfg(feature = "postgres")]
    fn server(url: &str) -> Result<Self> {
        Ok(Self::Postgres(Secret::new(url)))
    }

    #[cfg(not(feature = "postgres"))]
    fn server(_: &str) -> Result<Self> {
        Err(Error::new(ErrorKind::Unsupported, "this program was built without PostgreSQL")
            .hint("use sqlite:///path/to/lifehub.db, or build it with the feature `postgres`"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_and_paths() {
        for (text, expected) in [
            ("sqlite:///var/lib/life hub.db", "/var/lib/life hub.db"),
            ("sqlite://data/lifehub.db", "data/lifehub.db"),
            ("sqlite:lifehub.db", "lifehub.db"),
            ("lifehub.db", "lifehub.db"),
            ("/srv/what?.db", "/srv/what?.db"),
        ] {
            let location = Location::parse(text).unwrap();
            assert!(matches!(location, Location::File(path) if path.as_os_str() == expected), "{text}");
        }
        for text in ["sqlite::memory:", "sqlite://:memory:"] {
            assert!(matches!(Location::parse(text), Ok(Location::Memory)), "{text}");
        }
        for text in ["", "sqlite:", "sqlite://", "sqlite://a.db?mode=ro", "mysql://u:secret@h/d"] {
            let error = Location::parse(text).unwrap_err();
            assert!(error.get_hint().is_some() && !error.to_string().contains("secret"), "{text}");
        }
    }

    #[cfg(feature = "postgres")]
    #[test]
    fn a_server_is_named_and_its_password_is_not_shown() {
        for text in ["postgres://u:hunter2@h/d", "postgresql://u:hunter2@h/d?sslmode=require"] {
            let location = Location::parse(text).unwrap();
            assert!(!format!("{location:?}").contains("hunter2"), "{location:?}");
            assert!(matches!(location, Location::Postgres(url) if url.expose() == text));
        }
    }
}

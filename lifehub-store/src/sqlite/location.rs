//! Where a database is: a file, or memory.

use std::path::PathBuf;

use lifehub_core::{Error, ErrorKind, Result};

/// Where a database is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Location {
    Memory,
    File(PathBuf),
}

impl Location {
    /// Reads `sqlite:///absolute/path`, `sqlite://relative/path`, `sqlite::memory:` or a plain path. A path is taken as
    /// it stands, without escapes or options.
    pub(crate) fn parse(text: &str) -> Result<Self> {
        let path = match text.strip_prefix("sqlite:") {
            Some(rest) => rest.strip_prefix("//").unwrap_or(rest),
            None if text.starts_with("postgres:") || text.starts_with("postgresql:") => {
                return Err(Error::new(ErrorKind::Unsupported, "this version stores in SQLite only")
                    .hint("use sqlite:///path/to/lifehub.db"));
            }
            // What it holds may be a password: it is not repeated.
            None if text.contains("://") => {
                return Err(Error::new(ErrorKind::Invalid, "the database's URL has an unknown scheme")
                    .hint("use sqlite:///path/to/lifehub.db, or a plain path"));
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
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_and_paths() {
        let file = |path: &str| Location::File(path.into());
        for (text, expected) in [
            ("sqlite:///var/lib/life hub.db", file("/var/lib/life hub.db")),
            ("sqlite://data/lifehub.db", file("data/lifehub.db")),
            ("sqlite:lifehub.db", file("lifehub.db")),
            ("lifehub.db", file("lifehub.db")),
            ("/srv/what?.db", file("/srv/what?.db")),
            ("sqlite::memory:", Location::Memory),
            ("sqlite://:memory:", Location::Memory),
        ] {
            assert_eq!(Location::parse(text).unwrap(), expected, "{text}");
        }
        for text in
            ["", "sqlite:", "sqlite://", "sqlite://a.db?mode=ro", "mysql://u:secret@h/d", "postgres://h/d"]
        {
            let error = Location::parse(text).unwrap_err();
            assert!(error.get_hint().is_some() && !error.to_string().contains("secret"), "{text}");
        }
    }
}

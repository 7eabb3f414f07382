//! Where the program has its data: a folder, with the database in it or on a PostgreSQL server.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use lifehub_scratch::Scratch;
use lifehub_store::{KeySource, OpenOptions, Store};
use tempfile::TempDir;

/// Which database a test is run on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Sqlite,
    Postgres,
}

/// A data folder, and a schema on the server unless the database lies in that folder.
pub(crate) struct Home {
    pub(crate) data: PathBuf,
    pub(crate) schema: Option<Scratch>,
    /// Kept until the end of the test.
    _folder: Option<TempDir>,
}

impl Home {
    /// An empty one.
    pub(crate) fn new(kind: Kind) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let schema = (kind == Kind::Postgres).then(|| block_on(Scratch::new()).unwrap());
        Self { data: folder.path().to_owned(), schema, _folder: Some(folder) }
    }

    /// In a folder that somebody else keeps, which need not be there yet; with the database in it.
    pub(crate) fn at(data: impl Into<PathBuf>) -> Self {
        Self { data: data.into(), schema: None, _folder: None }
    }

    /// The file of a database in the folder.
    pub(crate) fn file(&self) -> PathBuf {
        self.data.join("lifehub.db")
    }

    /// What the store is opened by.
    pub(crate) fn url(&self) -> String {
        match &self.schema {
            Some(schema) => schema.url(),
            None => self.file().to_str().unwrap().to_owned(),
        }
    }

    /// The store, as another process has it.
    pub(crate) async fn store(&self) -> Store {
        open(&self.url(), &self.data).await
    }

    /// The program with these arguments, under the command before it, if there is one.
    pub(crate) fn command(&self, wrapper: &[&str], args: &[&str]) -> Command {
        let mut words = wrapper.iter().map(Into::into).chain([program().into_os_string()]);
        let mut command = Command::new(words.next().unwrap());
        command
            .args(words)
            .args(args)
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("LIFEHUB_DATA_DIR", &self.data)
            .env("LIFEHUB_PROVIDERS__STRAVA__QUOTAS", "off")
            .current_dir("/")
            .stdin(Stdio::null());
        if let Some(schema) = &self.schema {
            command.env("LIFEHUB_DATABASE_URL", schema.url());
        }
        command
    }
}

/// A store whose master key lies in this folder.
pub(crate) async fn open(url: &str, folder: &Path) -> Store {
    let options = OpenOptions::new(KeySource::File(folder.join("master.key")));
    // A server has only so many for all processes of a test.
    Store::open(url, options.connections(4)).await.unwrap()
}

/// The program as `cargo test --workspace` builds it, beside the test's own.
fn program() -> PathBuf {
    let mut folder = std::env::current_exe().unwrap();
    folder.pop();
    if folder.ends_with("deps") {
        folder.pop();
    }
    let program = folder.join("lifehub");
    assert!(program.exists(), "{} is not built: run `cargo build --workspace` first", program.display());
    program
}

pub(crate) fn block_on<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(future)
}

/// Makes one test for each database.
macro_rules! on_each_database {
    ($(#[test] fn $name:ident($kind:ident: Kind) $body:block)*) => {$(
        mod $name {
            use super::*;
            #[test]
            fn in_sqlite() {
                let $kind = Kind::Sqlite;
                $body
            }
            #[test]
            fn in_postgres() {
                if lifehub_scratch::missing().is_some() {
                    return;
                }
                let $kind = Kind::Postgres;
                $body
            }
        }
    )*};
}
pub(crate) use on_each_database;

//! Where the data of this installation lies, and how its store is opened.

use std::io::ErrorKind as IoKind;
use std::path::{Path, PathBuf};
use std::time::Duration;

use lifehub_core::secret::Secret;
use lifehub_core::{Error, ErrorKind, Result};
use lifehub_store::{KeySource, OpenOptions, Store};

use crate::configuration::Configuration;
use crate::failure::wrong;

/// The data directory with the database and the key.
#[derive(Debug)]
pub(crate) struct Place {
    dir: PathBuf,
    database_url: Option<Secret>,
    master_key: Option<Secret>,
    lease: Option<Duration>,
}

impl Place {
    /// As the configuration has it, with the defaults of this machine.
    ///
    /// # Errors
    /// If neither names a data directory.
    pub(crate) fn of(configuration: &Configuration) -> Result<Self> {
        let dir = match &configuration.data_dir {
            Some(dir) => dir.clone(),
            None => default_dir()?,
        };
        let dir = std::path::absolute(&dir)
            .map_err(|_| wrong("the data directory has no path").hint("name it with --data-dir"))?;
        Ok(Self {
            dir,
            database_url: configuration.database_url.clone(),
            master_key: configuration.master_key.clone(),
            lease: configuration.lease,
        })
    }

    /// The data directory.
    pub(crate) fn dir(&self) -> &Path {
        &self.dir
    }

    /// The file of the database; `None` if it is no file.
    pub(crate) fn database(&self) -> Option<PathBuf> {
        let Some(url) = &self.database_url else { return Some(self.dir.join("lifehub.db")) };
        let path = match url.expose().strip_prefix("sqlite:") {
            Some(rest) => rest.strip_prefix("//").unwrap_or(rest),
            None if url.expose().contains("://") => return None,
            None => url.expose(),
        };
        (path != ":memory:").then(|| PathBuf::from(path))
    }

    /// Host and name of the database, if it is on a server: all of its URL that may be shown.
    pub(crate) fn server(&self) -> Option<String> {
        let (scheme, rest) = self.database_url.as_ref()?.expose().split_once("://")?;
        let rest = rest.rsplit_once('@').map_or(rest, |(_, host)| host);
        scheme.starts_with("postgres").then(|| rest.split('?').next().unwrap_or_default().to_owned())
    }

    /// The file of the master key; `None` if the configuration holds the key itself.
    pub(crate) fn key_file(&self) -> Option<PathBuf> {
        self.master_key.is_none().then(|| self.dir.join("master.key"))
    }

    /// Whether there is a database to be read.
    ///
    /// # Errors
    /// If that cannot be told.
    pub(crate) async fn has_data(&self) -> Result<bool> {
        let Some(path) = self.database() else {
            let Some(url) = self.database_url.as_ref().filter(|_| self.server().is_some()) else {
                return Ok(true);
            };
            return Store::exists(url.expose(), &self.options()).await;
        };
        match path.try_exists() {
            // A file where the directory should be holds no data either.
            Err(e) if e.kind() != IoKind::NotADirectory => Err(unusable(&path, &e)),
            found => Ok(found.unwrap_or(false)),
        }
    }

    /// Opens the store if there is one; makes nothing.
    ///
    /// # Errors
    /// If it cannot be opened.
    pub(crate) async fn open_existing(&self) -> Result<Option<Store>> {
        if self.has_data().await? { self.open().await.map(Some) } else { Ok(None) }
    }

    /// Opens the store for a command that reads.
    ///
    /// # Errors
    /// If there is none yet, or it cannot be opened.
    pub(crate) async fn open_to_read(&self) -> Result<Store> {
        self.open_existing().await?.ok_or_else(|| self.no_data())
    }

    /// Opens the store, and makes what is missing of it.
    ///
    /// # Errors
    /// If the directory cannot be made or the store cannot be opened.
    pub(crate) async fn open_or_make(&self) -> Result<Store> {
        self.make_dir()?;
        self.open().await
    }

    /// Makes the data directory, for its owner alone, if it is not there.
    ///
    /// # Errors
    /// If it cannot be made.
    pub(crate) fn make_dir(&self) -> Result<()> {
        make_private(&self.dir).map_err(|e| unusable(&self.dir, &e))
    }

    async fn open(&self) -> Result<Store> {
        let url = match &self.database_url {
            Some(url) => url.clone(),
            None => Secret::new(path_text(&self.dir.join("lifehub.db"))?),
        };
        Store::open(url.expose(), self.options()).await
    }

    /// How a store of this installation is opened.
    pub(crate) fn options(&self) -> OpenOptions {
        let options = OpenOptions::new(self.key());
        match self.lease {
            Some(term) => options.lease_term(term),
            None => options,
        }
    }

    fn key(&self) -> KeySource {
        match &self.master_key {
            Some(key) => KeySource::Text(key.clone()),
            None => KeySource::File(self.dir.join("master.key")),
        }
    }

    /// The error of a command that needs data where there is none.
    pub(crate) fn no_data(&self) -> Error {
        Error::new(ErrorKind::NotFound, "there is no data yet")
            .with("data directory", self.dir.display())
            .hint("connect an account first: lifehub connect PROVIDER --user EMAIL; if there is data elsewhere, name its directory with --data-dir")
    }
}

fn default_dir() -> Result<PathBuf> {
    // The XDG base directory specification: what is not absolute is to be ignored.
    let xdg = std::env::var_os("XDG_DATA_HOME").map(PathBuf::from).filter(|path| path.is_absolute());
    let home =
        || std::env::home_dir().filter(|path| path.is_absolute()).map(|home| home.join(".local/share"));
    xdg.or_else(home).map(|base| base.join("lifehub")).ok_or_else(|| {
        wrong("it is not known where your data lies: neither XDG_DATA_HOME nor HOME is set")
            .hint("name a directory with --data-dir or LIFEHUB_DATA_DIR")
    })
}

fn path_text(path: &Path) -> Result<String> {
    path.to_str().map(Into::into).ok_or_else(|| {
        wrong("the path of the data directory is not valid text")
            .hint("name another directory with --data-dir")
    })
}

/// Makes a directory for its owner alone. One that is there stays as it is.
fn make_private(dir: &Path) -> std::io::Result<()> {
    if dir.is_dir() {
        return Ok(());
    }
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(dir)
}

fn unusable(path: &Path, e: &std::io::Error) -> Error {
    let (kind, text) = match e.kind() {
        IoKind::NotADirectory | IoKind::AlreadyExists => {
            (ErrorKind::Storage, "is not a directory".to_owned())
        }
        IoKind::StorageFull => (ErrorKind::StorageFull, "cannot be made: there is no space left".to_owned()),
        kind => (ErrorKind::Storage, format!("cannot be used: {kind}")),
    };
    Error::new(kind, format!("the data directory {text}"))
        .with("path", path.display())
        .hint("name a directory that this user may write with --data-dir or LIFEHUB_DATA_DIR")
}

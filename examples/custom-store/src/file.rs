//! The file on disk: it holds the state before a write or the one after it, and one process has it open.
//!
//! A write goes into a draft beside the file, is forced to the disk, and takes the file's name in one step. Who dies
//! before that step leaves a draft, which nobody reads and the next write replaces.

use std::ffi::OsString;
use std::fs::{self, File, TryLockError};
use std::io::{self, BufWriter, ErrorKind as IoKind, Write};
use std::path::{Path, PathBuf};

use lifehub_core::error::json_fault;
use lifehub_core::{Error, ErrorKind, Result};
use serde::Deserialize;

use crate::contents::{Contents, FORMAT};

pub(crate) struct DataFile {
    path: PathBuf,
    /// Locked while the store is open. It is a file of its own, because the data file is another one after each write.
    /// The system drops the lock with the process, however that ends; the empty file stays.
    lock: Option<File>,
}

impl DataFile {
    pub(crate) fn open(path: &Path) -> Result<(Self, Contents)> {
        let path = std::path::absolute(path).map_err(|e| failed(path, &e))?;
        let lock = create(&beside(&path, ".lock")).map_err(|e| failed(&path, &e))?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                return Err(Error::new(ErrorKind::Storage, "another program has the store open")
                    .with("path", path.display())
                    .hint("end that program, or give each a file of its own"));
            }
            Err(TryLockError::Error(e)) => return Err(failed(&path, &e)),
        }
        let contents = match fs::read(&path) {
            Ok(bytes) => parse(&bytes).map_err(|e| e.with("path", path.display()))?,
            Err(e) if e.kind() == IoKind::NotFound => Contents::default(),
            Err(e) => return Err(failed(&path, &e)),
        };
        Ok((Self { path, lock: Some(lock) }, contents))
    }

    /// Writes these contents in place of what is there.
    pub(crate) fn replace(&self, contents: &Contents) -> Result<()> {
        if self.lock.is_none() {
            return Err(Error::new(ErrorKind::Storage, "the store is closed"));
        }
        let draft = beside(&self.path, ".new");
        let write = || -> io::Result<()> {
            let mut out = BufWriter::new(create(&draft)?);
            serde_json::to_writer(&mut out, contents)?;
            out.flush()?;
            // Before the new name, or a power loss could leave the name with an empty file behind it.
            out.get_ref().sync_all()?;
            fs::rename(&draft, &self.path)?;
            sync_folder(&self.path)
        };
        write().map_err(|e| failed(&self.path, &e))
    }

    pub(crate) fn close(&mut self) {
        self.lock = None;
    }
}

/// An empty file. What will stand in it is personal: its owner alone may read it.
fn create(path: &Path) -> io::Result<File> {
    let mut options = File::options();
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.write(true).create(true).truncate(true).open(path)
}

/// Makes the new name durable. Only Unix lets a program open a folder.
fn sync_folder(path: &Path) -> io::Result<()> {
    match path.parent() {
        Some(folder) if cfg!(unix) => File::open(folder)?.sync_all(),
        _ => Ok(()),
    }
}

fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = OsString::from(path);
    name.push(suffix);
    name.into()
}

/// A file that is not understood is refused and left as it is: to begin anew in its place would lose everything.
fn parse(bytes: &[u8]) -> Result<Contents> {
    #[derive(Deserialize)]
    struct Head {
        format: u32,
    }
    let damaged = |e: serde_json::Error| {
        let text = format!("the file is no store, or damaged: {}", json_fault(&e));
        Error::new(ErrorKind::Storage, text).hint("name another file, or restore this one from a backup")
    };
    let Head { format } = serde_json::from_slice(bytes).map_err(damaged)?;
    if format != FORMAT {
        return Err(Error::new(
            ErrorKind::Unsupported,
            format!("the file has format {format}, not {FORMAT}"),
        )
        .hint("open it with the version of the program that wrote it"));
    }
    serde_json::from_slice(bytes).map_err(damaged)
}

fn failed(path: &Path, e: &io::Error) -> Error {
    let error = match e.kind() {
        IoKind::StorageFull | IoKind::QuotaExceeded => {
            Error::new(ErrorKind::StorageFull, "there is no space left for the store").hint("free some space")
        }
        IoKind::NotFound => {
            Error::new(ErrorKind::Storage, "the folder of the store does not exist").hint("make it")
        }
        kind => Error::new(ErrorKind::Storage, format!("the store cannot be used: {kind}"))
            .hint("make the file and its folder readable and writable for this user"),
    };
    error.with("path", path.display())
}

//! Who holds leases: each open store, known by a name and a locked file. The operating system drops the lock with the
//! process, however it ends, and its leases are free at once.

use std::fs::{self, File, TryLockError};
use std::io::ErrorKind as IoKind;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use lifehub_core::{Error, ErrorKind, Result};

use crate::key::private_options;
use crate::seal::unique_name;

pub(crate) struct Holder {
    name: String,
    /// `None` where there is no folder that all processes share.
    folder: Option<PathBuf>,
    lock: Mutex<Option<Lock>>,
}

struct Lock {
    path: PathBuf,
    _file: File,
}

impl Holder {
    /// One that no other holder can see, and that sees no others: their leases run out.
    pub(crate) fn unseen(name: String) -> Self {
        Self { name, folder: None, lock: Mutex::new(None) }
    }

    pub(crate) fn sees_others(&self) -> bool {
        self.folder.is_some()
    }

    pub(crate) fn beside(database: &Path) -> Result<Self> {
        let absolute = std::path::absolute(database).map_err(|e| failed(database, &e))?;
        let mut folder = absolute.into_os_string();
        folder.push(".holders");
        Ok(Self { name: unique_name()?, folder: Some(folder.into()), lock: Mutex::new(None) })
    }

    /// The name, with its file locked: made with the first claim, so that whoever only reads leaves nothing behind.
    pub(crate) fn name(&self) -> Result<&str> {
        if let Some(folder) = &self.folder {
            let mut lock = self.lock();
            if lock.is_none() {
                *lock = Some(self.make(folder)?);
            }
        }
        Ok(&self.name)
    }

    /// Whether the process that holds leases under that name has ended. What cannot be told is taken for alive: its
    /// leases run out.
    pub(crate) fn is_dead(&self, name: &str) -> bool {
        let Some(folder) = &self.folder else { return false };
        if name == self.name {
            return false;
        }
        let path = folder.join(format!("{name}.lock"));
        let file = match File::open(&path) {
            Ok(file) => file,
            Err(e) => return e.kind() == IoKind::NotFound,
        };
        match file.try_lock() {
            Ok(()) => {
                // Of no use any more, whether or not it can be removed.
                let _ = fs::remove_file(&path);
                true
            }
            Err(TryLockError::WouldBlock | TryLockError::Error(_)) => false,
        }
    }

    /// Gives all leases up by name.
    pub(crate) fn release(&self) {
        if let Some(lock) = self.lock().take() {
            // A file that stays is taken for that of a dead process, which is what it is.
            let _ = fs::remove_file(lock.path);
        }
    }

    /// The file appears under its name when it is locked already: nobody can take it for that of a dead process.
    fn make(&self, folder: &Path) -> Result<Lock> {
        let (path, draft) =
            (folder.join(format!("{}.lock", self.name)), folder.join(format!("{}.new", self.name)));
        let make = || {
            match fs::create_dir(folder) {
                Err(e) if e.kind() != IoKind::AlreadyExists => return Err(e),
                _ => {}
            }
            let file = private_options().write(true).create_new(true).open(&draft)?;
            match file.try_lock() {
                // A file system without locks: leases of dead processes run out there.
                Ok(()) | Err(TryLockError::Error(_)) => {}
                Err(TryLockError::WouldBlock) => return Err(IoKind::WouldBlock.into()),
            }
            fs::rename(&draft, &path)?;
            Ok(file)
        };
        let file = make().map_err(|e| failed(folder, &e))?;
        Ok(Lock { path, _file: file })
    }

    fn lock(&self) -> MutexGuard<'_, Option<Lock>> {
        self.lock.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Holder {
    fn drop(&mut self) {
        self.release();
    }
}

fn failed(path: &Path, e: &std::io::Error) -> Error {
    let kind = if e.kind() == IoKind::StorageFull { ErrorKind::StorageFull } else { ErrorKind::Storage };
    Error::new(kind, format!("the lock that tells other processes of this one cannot be made: {}", e.kind()))
        .with("path", path.display())
        .hint("make the folder of the database writable for this user")
}

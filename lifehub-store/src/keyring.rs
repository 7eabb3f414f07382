//! The master keys that a process knows. Another process may replace the key at any time: a key that is not known yet is
//! looked for where the keys come from, so that nobody has to be started anew.

use std::sync::{PoisonError, RwLock, RwLockReadGuard};

use lifehub_core::{Error, ErrorKind, Result};

use crate::key::{KeySource, replace};
use crate::seal::{KeyId, Ring, SealKey};

/// The keys of a source, as they were read last.
#[derive(Debug)]
pub(crate) struct Keyring {
    source: KeySource,
    ring: RwLock<Ring>,
}

impl Keyring {
    /// Reads the keys. A missing key file is made only where `may_create` allows it.
    pub(crate) fn load(source: KeySource, may_create: bool) -> Result<Self> {
        let ring = RwLock::new(source.load(may_create)?);
        Ok(Self { source, ring })
    }

    /// The key of that name, if there is one.
    pub(crate) fn find(&self, id: KeyId) -> Result<Option<SealKey>> {
        let known = self.ring().get(id).cloned();
        match known {
            Some(key) => Ok(Some(key)),
            None => {
                self.reload()?;
                Ok(self.ring().get(id).cloned())
            }
        }
    }

    /// The key that comes first.
    pub(crate) fn first(&self) -> SealKey {
        self.ring().first.clone()
    }

    /// What is wrong with the way in which the keys are kept, if anything.
    pub(crate) fn problem(&self) -> Option<Error> {
        self.source.problem()
    }

    /// The key that is to replace the present one: that of a rotation under way, or a new one, which is durable in the
    /// key file when this returns. One process at a time.
    pub(crate) fn begin(&self, present: KeyId) -> Result<SealKey> {
        self.reload()?;
        let ring = self.ring().clone();
        let present = ring.get(present).ok_or_else(another_key)?;
        match &self.source {
            KeySource::File(path) if ring.others.is_empty() => {
                let next = SealKey::generate()?;
                replace(path, &Ring { first: next.clone(), others: vec![present.clone()] })?;
                self.reload()?;
                Ok(next)
            }
            KeySource::Text(_) if ring.others.is_empty() => {
                Err(Error::new(ErrorKind::Invalid, "there is no new master key to rotate to").hint(
                    "make one with `openssl rand -base64 32`, set LIFEHUB_MASTER_KEY to NEW,OLD for every process, \
                     run this again, then drop OLD",
                ))
            }
            KeySource::Ephemeral => {
                Err(Error::new(ErrorKind::Invalid, "the master key of this database is kept nowhere")
                    .hint("a database in memory ends with its process, and its key with it"))
            }
            _ => Ok(ring.first),
        }
    }

    /// Removes every key but this one from the key file, if it comes first there. One process at a time.
    pub(crate) fn end(&self, next: &SealKey) -> Result<()> {
        let KeySource::File(path) = &self.source else { return Ok(()) };
        self.reload()?;
        let ring = self.ring().clone();
        if ring.others.is_empty() || ring.first.id() != next.id() {
            return Ok(());
        }
        replace(path, &Ring { first: ring.first, others: Vec::new() })?;
        self.reload()
    }

    /// Reads the key file again. Other sources do not change.
    fn reload(&self) -> Result<()> {
        if let KeySource::File(_) = self.source {
            let ring = self.source.load(false)?;
            *self.ring.write().unwrap_or_else(PoisonError::into_inner) = ring;
        }
        Ok(())
    }

    fn ring(&self) -> RwLockReadGuard<'_, Ring> {
        self.ring.read().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The error of keys among which the database's own is missing.
pub(crate) fn another_key() -> Error {
    Error::new(ErrorKind::Invalid, "this is not the master key of this database").hint(
        "restore the key that the database was made with, or last rotated to: no other opens its credentials",
    )
}

//! One write at a time, each on a copy; who reads sees whole states and waits for nobody.
//!
//! A write takes its turn on a thread that may block, and goes on to its end there even if whoever asked for it is
//! gone: a future may be dropped at any point, a half-written file may not be left to a second writer.

use std::sync::{Arc, MutexGuard, PoisonError};

use lifehub_core::Result;

use crate::contents::Contents;
use crate::file::DataFile;
use crate::leases::Holds;
use crate::vault::Claims;
use crate::{FileStore, Inner, unsound};

/// What only one at a time may touch. Leases are in it, so that none changes hands while a commit under it is written.
pub(crate) struct Writer {
    pub(crate) file: DataFile,
    pub(crate) holds: Holds,
    pub(crate) claims: Claims,
}

/// The right to write, until it is dropped.
pub(crate) struct Turn<'a> {
    inner: &'a Inner,
    writer: MutexGuard<'a, Writer>,
}

impl FileStore {
    /// All that is stored, as one state. It does not change under its reader.
    pub(crate) fn read(&self) -> Arc<Contents> {
        self.0.contents.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(crate) async fn exclusively<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Turn<'_>) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let store = self.clone();
        let turn = move || {
            let inner = &*store.0;
            let writer = inner.writer.lock().unwrap_or_else(PoisonError::into_inner);
            work(&mut Turn { inner, writer })
        };
        tokio::task::spawn_blocking(turn).await.map_err(|_| unsound("a write of the store broke off"))?
    }
}

impl Turn<'_> {
    /// Changes a copy, writes it, and only then lets it be seen: an error at any point leaves all as it was.
    pub(crate) fn change<T>(&mut self, change: impl FnOnce(&mut Contents) -> Result<T>) -> Result<T> {
        let mut next = Contents::clone(&self.contents());
        let done = change(&mut next)?;
        self.writer.file.replace(&next)?;
        *self.inner.contents.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(next);
        Ok(done)
    }

    /// The state that this turn would change.
    pub(crate) fn contents(&self) -> Arc<Contents> {
        self.inner.contents.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(crate) fn holds(&mut self) -> &mut Holds {
        &mut self.writer.holds
    }

    pub(crate) fn claims(&mut self) -> &mut Claims {
        &mut self.writer.claims
    }

    pub(crate) fn close(&mut self) {
        self.writer.file.close();
    }
}

//! The made-up world of a data directory: what everything in it derives from, kept beside the database.

use std::fs::{File, TryLockError};
use std::hash::{BuildHasher, Hasher, RandomState};
use std::io::{self, ErrorKind as IoKind, Read, Write};
use std::path::Path;
use std::time::Duration;

use lifehub_core::clock::{Clock, SystemClock, Timestamp};
use lifehub_core::{Error, ErrorKind, Result};
use lifehub_testkit::{Seeded, Setup};
use serde::{Deserialize, Serialize};

use crate::output::Output;

/// The file in the data directory. That it is there says that the database is a demo's.
pub(super) const FILE: &str = "demo.json";

/// How often a demo looks whether the one before it has ended.
const POLL: Duration = Duration::from_millis(200);

/// The part of the seed's sequences that makes the password.
const PASSWORD: u64 = 0x70_61_73_73;

/// What a demo derives from. It is chosen once, so that every demo of a data directory is the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct World {
    seed: u64,
    /// When it is "now" in this world.
    pub(super) instant: Timestamp,
}

/// The right to work on a data directory's demo: one process at a time has it.
#[derive(Debug)]
pub(super) struct Held {
    pub(super) world: World,
    // Locked until it is closed, which the system does for a process that dies.
    _file: File,
}

impl World {
    /// A new world, at the last full hour.
    fn new() -> Self {
        // The standard library seeds its hash tables from the operating system. As many bits as any reader of JSON
        // keeps.
        let seed = RandomState::new().build_hasher().finish() >> 11;
        let now = SystemClock::default().now().as_seconds();
        // From a full hour on no midnight is near, in any zone, on which the runs of two demos could lie apart.
        Self { seed, instant: Timestamp::from_seconds(now - now.rem_euclid(3600)) }
    }

    /// The accounts of its people at the providers.
    pub(super) fn setup(self) -> Setup {
        Setup::new(self.seed, self.instant)
    }

    /// A password for the demo's user. As everything here it is made up, and opens nothing else.
    pub(super) fn password(self) -> String {
        // Without letters and digits that look alike.
        const SIGNS: &[u8] = b"abcdefghijkmnpqrstuvwxyz23456789";
        let mut dice = Seeded::new(self.seed).fork(PASSWORD);
        let mut group =
            || (0..4).filter_map(|_| dice.pick(SIGNS).copied().map(char::from)).collect::<String>();
        [group(), group(), group(), group()].join("-")
    }
}

/// Chooses a world for that directory, unless another process does so at the same moment.
///
/// # Errors
/// If the file cannot be written.
pub(super) fn make(dir: &Path) -> Result<()> {
    let path = dir.join(FILE);
    let write = || {
        let mut draft = tempfile::Builder::new().prefix(".demo-").tempfile_in(dir)?;
        serde_json::to_writer(&mut draft, &World::new())?;
        draft.write_all(b"\n")?;
        draft.as_file().sync_all()?;
        match draft.persist_noclobber(&path) {
            Err(e) if e.error.kind() != IoKind::AlreadyExists => Err(e.error),
            // Without it, what will be in the database could not be told from a person's data.
            _ => sync(dir),
        }
    };
    write().map_err(|e| failed("written", &path, &e))
}

fn sync(dir: &Path) -> io::Result<()> {
    if cfg!(unix) { File::open(dir)?.sync_all() } else { Ok(()) }
}

/// Reads the world of that directory, and keeps other demos from it. Waits for one that is under way.
///
/// # Errors
/// If the file cannot be read, or says nothing of a world.
pub(super) async fn hold(out: &Output, dir: &Path) -> Result<Held> {
    let path = dir.join(FILE);
    let unreadable = |e: io::Error| failed("read", &path, &e);
    let mut file = File::options().read(true).write(true).open(&path).map_err(unreadable)?;
    let mut told = false;
    // A file system without locks: there the connections' leases alone keep two demos apart.
    while let Err(TryLockError::WouldBlock) = file.try_lock() {
        if !told {
            out.note("another demo is under way in this data directory, waiting for it");
            told = true;
        }
        tokio::time::sleep(POLL).await;
    }
    let mut text = String::new();
    file.read_to_string(&mut text).map_err(unreadable)?;
    let world = serde_json::from_str(&text).map_err(|_| {
        Error::new(ErrorKind::Storage, "the file of the demo says nothing of a made-up world")
            .with("file", path.display())
            .hint("name another directory for the demo with --data-dir")
    })?;
    Ok(Held { world, _file: file })
}

fn failed(what: &str, path: &Path, e: &io::Error) -> Error {
    let kind = match e.kind() {
        IoKind::StorageFull => ErrorKind::StorageFull,
        _ => ErrorKind::Storage,
    };
    Error::new(kind, format!("the file of the demo cannot be {what}: {}", e.kind()))
        .with("file", path.display())
        .hint("name a directory that this user may write with --data-dir")
}

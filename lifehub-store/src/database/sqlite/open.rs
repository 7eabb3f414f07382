//! Opening a database: what is not ours is refused untouched, what is new is made in one transaction.

use std::fs::{self, File};
use std::io::{ErrorKind as IoKind, Read as _};
use std::path::{Path, PathBuf};

use lifehub_core::{Error, ErrorKind, Result};
use sqlx::sqlite::SqliteConnection;
use sqlx::{ConnectOptions as _, Row as _};

use super::connect::{Database, Place, connect_options};
use super::migrate::{self, APPLICATION_ID, VERSION, single};
use crate::database::fault;
use crate::key::{private_options, sync_folder};
use crate::options::OpenOptions;
use crate::seal::unique_name;

/// SQLite of an earlier version can damage a WAL when a writer and a checkpoint meet.
const SQLITE_FLOOR: [u32; 3] = [3, 51, 3];
/// The WAL's switch cannot be waited for, only tried again.
const SWITCH_TRIES: u32 = 250;
const SWITCH_PAUSE: std::time::Duration = std::time::Duration::from_millis(20);

/// Opens the database in that file, or one in memory.
pub(crate) async fn open(file: Option<&Path>, options: &OpenOptions) -> Result<Database> {
    let place = match file {
        None => Place::Memory(format!("lifehub-{}", unique_name()?)),
        Some(path) => {
            let path = std::path::absolute(path).map_err(|e| unreadable(path, &e))?;
            prepare(&path, options).await.map_err(|e| e.with("database", path.display()))?;
            Place::File(path)
        }
    };
    let of_place = |e: Error| match &place {
        Place::File(path) => e.with("database", path.display()),
        Place::Memory(_) => e,
    };
    let connect = connect_options(&place, options.busy_timeout);
    let mut conn = connect.connect().await.map_err(fault).map_err(of_place)?;
    assert_version(&mut conn).await?;
    migrate::run(&mut conn).await.map_err(of_place)?;
    if let Place::File(_) = place {
        switch_to_wal(&mut conn, options).await.map_err(of_place)?;
    }
    Ok(Database::new(&place, connect, conn))
}

/// Whether there is a file.
pub(crate) fn exists(path: &Path) -> Result<bool> {
    path.try_exists().map_err(|e| unreadable(path, &e))
}

/// Looks at a file before SQLite does, and makes an empty one, for its owner alone, where there is none.
async fn prepare(path: &Path, options: &OpenOptions) -> Result<()> {
    let Some(head) = read_head(path)? else { return create_empty(path) };
    let hot_journal = read_head(&beside(path, "-journal"))?
        .is_some_and(|head| head.starts_with(&[0xd9, 0xd5, 0x05, 0xf9, 0x20, 0xa1, 0x63, 0xd7]));
    let number = |at: usize| {
        let bytes = head.get(at..at + 4).and_then(|bytes| bytes.try_into().ok());
        bytes.map_or(0, u32::from_be_bytes)
    };
    if !head.starts_with(b"SQLite format 3\0") {
        // Empty, or cut while it was made: SQLite rolls it back, and `migrate` looks again.
        return if head.is_empty() || hot_journal { Ok(()) } else { Err(foreign("is not a database")) };
    }
    if number(68) != APPLICATION_ID.cast_unsigned() {
        return Err(foreign("is a database of another program"));
    }
    if number(60) > VERSION {
        return Err(newer(number(60)));
    }
    let wal = fs::metadata(beside(path, "-wal")).is_ok_and(|meta| meta.len() > 0);
    if wal && !hot_journal {
        // The version may still stand in the WAL alone; closing a connection that writes would move it over.
        let connect = connect_options(&Place::File(path.into()), options.busy_timeout).read_only(true);
        if let Ok(mut conn) = connect.connect().await {
            let version = migrate::version(&mut conn).await;
            sqlx::Connection::close(conn).await.map_err(fault)?;
            if let Ok(version) = version
                && version > VERSION
            {
                return Err(newer(version));
            }
        }
    }
    Ok(())
}

/// The first bytes of a file, up to the length of a database's header. `None` if there is no file.
fn read_head(path: &Path) -> Result<Option<Vec<u8>>> {
    let mut head = Vec::new();
    match File::open(path).and_then(|file| file.take(100).read_to_end(&mut head)) {
        Ok(_) => Ok(Some(head)),
        Err(e) if e.kind() == IoKind::NotFound => Ok(None),
        Err(e) => Err(unreadable(path, &e)),
    }
}

fn create_empty(path: &Path) -> Result<()> {
    match private_options().write(true).create_new(true).open(path) {
        Ok(_) => sync_folder(path).map_err(|e| unreadable(path, &e)),
        // Another process was faster.
        Err(e) if e.kind() == IoKind::AlreadyExists => Ok(()),
        Err(e) => Err(unreadable(path, &e)),
    }
}

fn unreadable(path: &Path, e: &std::io::Error) -> Error {
    let failed = |kind, text: &str| Error::new(kind, text);
    match e.kind() {
        IoKind::NotFound => failed(ErrorKind::Storage, "the folder of the database does not exist")
            .hint(format!("make it: {}", path.parent().unwrap_or(path).display())),
        IoKind::PermissionDenied | IoKind::ReadOnlyFilesystem => {
            failed(ErrorKind::Storage, "the database or its folder is not accessible")
                .hint("make both readable and writable for this user")
        }
        IoKind::IsADirectory => failed(ErrorKind::Invalid, "the path of the database is a folder")
            .hint("name a file in it, for example lifehub.db"),
        IoKind::StorageFull => {
            failed(ErrorKind::StorageFull, "there is no space left for the database").hint("free some space")
        }
        kind => failed(ErrorKind::Storage, &format!("the database cannot be opened: {kind}")),
    }
}

/// The name of a file that SQLite keeps beside the database.
fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}

pub(super) fn foreign(what: &str) -> Error {
    Error::new(ErrorKind::Invalid, format!("the file {what}, it was left untouched"))
        .hint("choose another path for the database of Lifehub")
}

pub(super) fn newer(version: u32) -> Error {
    Error::new(
        ErrorKind::Invalid,
        "the database was written by a newer version of Lifehub; it was left untouched",
    )
    .with("schema", version)
    .with("supported", VERSION)
    .hint("run that newer version, or restore a backup from before")
}

async fn assert_version(conn: &mut SqliteConnection) -> Result<()> {
    let found: String = single(conn, "SELECT sqlite_version()").await?;
    let numbers: Vec<u32> = found.split('.').filter_map(|part| part.parse().ok()).collect();
    if numbers.as_slice() >= SQLITE_FLOOR.as_slice() {
        return Ok(());
    }
    Err(Error::new(ErrorKind::Unsupported, format!("SQLite {found} is too old"))
        .hint("build with the bundled SQLite: 3.51.3 or later"))
}

async fn switch_to_wal(conn: &mut SqliteConnection, options: &OpenOptions) -> Result<()> {
    let mut tries = 0;
    loop {
        let switched = sqlx::raw_sql("PRAGMA journal_mode = WAL").fetch_one(&mut *conn).await.map_err(fault);
        tries += 1;
        match switched {
            Ok(row) if row.try_get::<&str, _>(0).is_ok_and(|mode| mode == "wal") => return Ok(()),
            Ok(_) => {
                return Err(Error::new(
                    ErrorKind::Storage,
                    "the file system cannot hold a database with a WAL",
                )
                .hint("keep the database on a local disk, not on a network share"));
            }
            Err(e) if e.is_temporary() && tries < SWITCH_TRIES => options.clock.sleep(SWITCH_PAUSE).await,
            Err(e) => return Err(e),
        }
    }
}

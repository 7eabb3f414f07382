//! The master key: 32 bytes in a file that only its owner can read, or given as text.

use std::fs::{self, File};
use std::io::{ErrorKind as IoKind, Write};
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use lifehub_core::secret::Secret;
use lifehub_core::{Error, ErrorKind, Result};
use zeroize::Zeroizing;

use crate::seal::{SealKey, unique_name};

/// Where the master key comes from.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum KeySource {
    /// A file of 32 bytes. It is made with the first database, readable by its owner alone.
    File(PathBuf),
    /// 32 bytes as base64 text, as a secret manager or an environment variable hands them over.
    Text(Secret),
    /// A new key that nobody keeps: for databases in memory.
    Ephemeral,
}

impl KeySource {
    /// The key. A missing file is made only where `may_create` says that nothing is sealed under an older one.
    pub(crate) fn load(&self, may_create: bool) -> Result<SealKey> {
        match self {
            Self::Ephemeral => SealKey::generate(),
            Self::Text(text) => from_text(text),
            Self::File(path) => match read(path)? {
                Some(key) => Ok(key),
                None if may_create => create(path),
                None => Err(Error::new(ErrorKind::Invalid, "the master key of this database is missing")
                    .with("file", path.display())
                    .hint(
                        "restore the key file from your backup: without it the credentials cannot be opened",
                    )),
            },
        }
    }

    /// What is wrong with the way in which the key is kept, if anything.
    pub(crate) fn problem(&self) -> Option<Error> {
        match self {
            Self::File(path) => read(path).err(),
            _ => None,
        }
    }
}

fn from_text(text: &Secret) -> Result<SealKey> {
    let bytes = STANDARD.decode(text.expose().trim()).map(Zeroizing::new).ok();
    bytes.and_then(|bytes| SealKey::from_bytes(&bytes)).ok_or_else(|| {
        Error::new(ErrorKind::Invalid, "the master key is not 32 bytes in base64")
            .hint("make one with `openssl rand -base64 32`")
    })
}

fn read(path: &Path) -> Result<Option<SealKey>> {
    let failed = |e: &std::io::Error| {
        Error::new(ErrorKind::Storage, format!("the master key cannot be read: {}", e.kind()))
            .with("file", path.display())
    };
    let meta = match fs::metadata(path) {
        Ok(meta) => meta,
        Err(e) if e.kind() == IoKind::NotFound => return Ok(None),
        Err(e) => return Err(failed(&e)),
    };
    if readable_by_others(&meta) {
        return Err(Error::new(ErrorKind::Invalid, "others than its owner can read the master key")
            .with("file", path.display())
            .hint(format!("run `chmod 600 {}`", path.display())));
    }
    let bytes = fs::read(path).map(Zeroizing::new).map_err(|e| failed(&e))?;
    SealKey::from_bytes(&bytes).map(Some).ok_or_else(|| {
        Error::new(ErrorKind::Invalid, format!("the master key has {} bytes instead of 32", bytes.len()))
            .with("file", path.display())
            .hint("restore the key file from your backup")
    })
}

/// Writes a new key beside its place and links it there: whoever sees the file sees all of it, and of two processes
/// that make one at once, the second takes the first one's.
fn create(path: &Path) -> Result<SealKey> {
    let failed = |e: std::io::Error| {
        Error::new(ErrorKind::Storage, format!("the master key cannot be written: {}", e.kind()))
            .with("file", path.display())
            .hint("the key's folder must exist and be writable, on a file system that has permissions")
    };
    let key = SealKey::generate()?;
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(format!(".{}.new", unique_name()?));
    let draft = path.with_file_name(name);
    let written = write_private(&draft, key.as_bytes()).and_then(|()| fs::hard_link(&draft, path));
    // What is left is either the second name of the key or of no use.
    let removed = fs::remove_file(&draft);
    match written {
        Err(e) if e.kind() == IoKind::AlreadyExists => {
            return read(path)?.ok_or_else(|| failed(IoKind::NotFound.into()));
        }
        written => written.and(removed).map_err(failed)?,
    }
    sync_folder(path).map_err(failed)?;
    Ok(key)
}

fn write_private(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    let mut file = private_options().write(true).create_new(true).open(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}

/// Options under which a file is made that only its owner reads.
pub(crate) fn private_options() -> fs::OpenOptions {
    let mut options = File::options();
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options
}

/// Makes the name of a new file durable. An empty parent is the current folder.
pub(crate) fn sync_folder(path: &Path) -> std::io::Result<()> {
    let folder = path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
    if cfg!(unix) { File::open(folder)?.sync_all() } else { Ok(()) }
}

#[cfg(unix)]
fn readable_by_others(meta: &fs::Metadata) -> bool {
    std::os::unix::fs::MetadataExt::mode(meta) & 0o077 != 0
}

#[cfg(not(unix))]
fn readable_by_others(_: &fs::Metadata) -> bool {
    false
}

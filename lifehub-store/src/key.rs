//! Where master keys come from: a file of 32 bytes each that only its owner can read, or text.

use std::fs::{self, File};
use std::io::{ErrorKind as IoKind, Read as _, Write as _};
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use lifehub_core::secret::Secret;
use lifehub_core::{Error, ErrorKind, Result};
use zeroize::Zeroizing;

use crate::seal::{Ring, SealKey, unique_name};

/// Where the master key comes from.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum KeySource {
    /// A file of 32 bytes. It is made with the first database, readable by its owner alone. While a rotation is under
    /// way, it holds the new key and then the old one. One file belongs to one database.
    File(PathBuf),
    /// 32 bytes as base64 text, as a secret manager or an environment variable hands them over; for a rotation the new
    /// key, a comma and the old one.
    Text(Secret),
    /// A new key that nobody keeps: for databases in memory.
    Ephemeral,
}

impl KeySource {
    /// The keys. A missing file is made only where `may_create` says that nothing is sealed under an older one.
    pub(crate) fn load(&self, may_create: bool) -> Result<Ring> {
        match self {
            Self::Ephemeral => SealKey::generate().map(of_one),
            Self::Text(text) => from_text(text),
            Self::File(path) => match read(path)? {
                Some(keys) => Ok(keys),
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

fn of_one(key: SealKey) -> Ring {
    Ring { first: key, others: Vec::new() }
}

fn from_text(text: &Secret) -> Result<Ring> {
    let key = |part: &str| {
        let bytes = STANDARD.decode(part.trim()).map(Zeroizing::new).ok()?;
        SealKey::from_bytes(&bytes)
    };
    let keys: Option<Vec<SealKey>> = text.expose().split(',').map(key).collect();
    keys.and_then(Ring::new).ok_or_else(|| {
        Error::new(ErrorKind::Invalid, "the master key is not 32 bytes in base64")
            .hint("make one with `openssl rand -base64 32`; several have commas between them")
    })
}

fn read(path: &Path) -> Result<Option<Ring>> {
    let failed = |e: std::io::Error| {
        Error::new(ErrorKind::Storage, format!("the master key cannot be read: {}", e.kind()))
            .with("file", path.display())
    };
    let mut file = match File::open(path) {
        Ok(file) => file,
        Err(e) if e.kind() == IoKind::NotFound => return Ok(None),
        Err(e) => return Err(failed(e)),
    };
    let meta = file.metadata().map_err(failed)?;
    if readable_by_others(&meta) {
        return Err(Error::new(ErrorKind::Invalid, "others than its owner can read the master key")
            .with("file", path.display())
            .hint(format!("run `chmod 600 {}`", path.display())));
    }
    // Of the file's own length, so that no growing leaves a copy behind.
    let mut bytes = Zeroizing::new(vec![0; usize::try_from(meta.len()).unwrap_or(0)]);
    file.read_exact(&mut bytes).map_err(failed)?;
    Ring::from_bytes(&bytes).map(Some).ok_or_else(|| {
        Error::new(ErrorKind::Invalid, format!("the key file has {} bytes, but a key has 32", bytes.len()))
            .with("file", path.display())
            .hint("restore the key file from your backup")
    })
}

/// Writes a new key beside its place and links it there: whoever sees the file sees all of it, and of two processes
/// that make one at once, the second takes the first one's.
fn create(path: &Path) -> Result<Ring> {
    let failed = |e| unwritable(path, &e);
    let keys = of_one(SealKey::generate()?);
    let draft = beside(path, &format!("{}.new", unique_name()?));
    let written = make_private(&draft, &keys).and_then(|_| fs::hard_link(&draft, path));
    // What is left is either the second name of the key or of no use.
    let removed = fs::remove_file(&draft);
    match written {
        Err(e) if e.kind() == IoKind::AlreadyExists => {
            return read(path)?.ok_or_else(|| failed(IoKind::NotFound.into()));
        }
        written => written.and(removed).map_err(failed)?,
    }
    sync_folder(path).map_err(failed)?;
    Ok(keys)
}

/// Replaces the keys in a file: whoever reads it sees all the old ones or all the new ones, also after a power loss.
/// The draft always has the same name, so that none with keys in it outlives the next rotation: one at a time.
pub(crate) fn replace(path: &Path, keys: &Ring) -> Result<()> {
    let write = || {
        // A link stays one.
        let path = fs::canonicalize(path)?;
        let draft = beside(&path, "new");
        match fs::remove_file(&draft) {
            Err(e) if e.kind() != IoKind::NotFound => return Err(e),
            _ => {}
        }
        let file = make_private(&draft, keys)?;
        keep_owner(&fs::metadata(&path)?, &file)?;
        fs::rename(&draft, &path)?;
        sync_folder(&path)
    };
    write().map_err(|e| unwritable(path, &e))
}

fn unwritable(path: &Path, e: &std::io::Error) -> Error {
    let kind = if e.kind() == IoKind::StorageFull { ErrorKind::StorageFull } else { ErrorKind::Storage };
    Error::new(kind, format!("the master key cannot be written: {}", e.kind()))
        .with("file", path.display())
        .hint("the key's folder must exist and be writable, on a file system that has permissions")
}

fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(format!(".{suffix}"));
    path.with_file_name(name)
}

fn make_private(path: &Path, keys: &Ring) -> std::io::Result<File> {
    let mut file = private_options().write(true).create_new(true).open(path)?;
    file.write_all(&keys.to_bytes())?;
    file.sync_all()?;
    Ok(file)
}

/// An administrator who rotates does not take the key away from the service that reads it.
#[cfg(unix)]
fn keep_owner(old: &fs::Metadata, new: &File) -> std::io::Result<()> {
    use std::os::unix::fs::{MetadataExt as _, fchown};
    if new.metadata()?.uid() == old.uid() {
        return Ok(());
    }
    fchown(new, Some(old.uid()), Some(old.gid()))
}

#[cfg(not(unix))]
fn keep_owner(_: &fs::Metadata, _: &File) -> std::io::Result<()> {
    Ok(())
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

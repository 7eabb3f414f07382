//! `lifehub export`: a user's records as JSON Lines, page by page, so that memory stays flat.

use std::fs::{File, Metadata};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use lifehub_core::{Error, ErrorKind, Result};
use lifehub_store::{Export, Store, User};
use tempfile::NamedTempFile;

use super::user::named;
use crate::app::App;
use crate::cli::{ExportArgs, ExportFormat};
use crate::failure::{Exit, Failure, Outcome, wrong};
use crate::signals;
use crate::table::grouped;

pub(crate) async fn run(app: &App, args: ExportArgs) -> Outcome {
    let ExportFormat::Jsonl = args.format;
    let target = args.out.as_deref().filter(|path| *path != Path::new("-")).map(Target::of).transpose()?;
    let store = app.place.open_to_read().await?;
    let user = owner(&store, args.user.as_deref()).await?;
    let export = store.export(user.id, args.deleted);
    let Some(target) = target else {
        // Written straight through: a signal may end the program between two lines.
        let mut out = BufWriter::new(io::stdout().lock());
        write(export, &mut out, Failure::Stdout).await?;
        store.close().await?;
        return Ok(Exit::Done);
    };
    let failed = |e: io::Error| Failure::Error(target.failed(&e));
    let draft = target.open()?;
    let mut out = BufWriter::new(draft.file());
    let written = tokio::select! {
        biased;
        // What was begun goes with `draft`.
        signal = signals::next() => return Ok(Exit::Stopped(signal)),
        written = write(export, &mut out, failed) => written?,
    };
    drop(out);
    store.close().await?;
    draft.finish(&target)?;
    app.out.note(&format!("{} records are in {}", grouped(written), target.path.display()));
    Ok(Exit::Done)
}

/// Whose records: the user that is named, or the only one.
async fn owner(store: &Store, email: Option<&str>) -> Result<User> {
    if let Some(email) = email {
        return named(store, email).await;
    }
    let mut users = store.users().await?;
    match (users.pop(), users.len()) {
        (Some(user), 0) => Ok(user),
        (None, _) => {
            Err(Error::new(ErrorKind::NotFound, "there is no user yet, so there is nothing to export")
                .hint("connect an account first: lifehub connect PROVIDER --user EMAIL"))
        }
        (Some(_), others) => Err(wrong(format!("there are {} users, and none is named", others + 1))
            .hint("add --user EMAIL; `lifehub user list` lists them")),
    }
}

/// Writes all records, one on each line, and counts them.
async fn write(
    mut export: Export,
    out: &mut impl Write,
    failed: impl Fn(io::Error) -> Failure,
) -> Outcome<u64> {
    let mut written = 0;
    while let Some(records) = export.next_page().await? {
        for record in &records {
            let line = serde_json::to_writer(&mut *out, record).map_err(io::Error::from);
            line.and_then(|()| out.write_all(b"\n")).map_err(&failed)?;
        }
        written += records.len() as u64;
        // So that whoever reads a pipe gets what is there, and the signal above a chance.
        out.flush().map_err(&failed)?;
        tokio::task::yield_now().await;
    }
    out.flush().map_err(&failed)?;
    Ok(written)
}

/// The file to be written.
struct Target {
    path: PathBuf,
    /// Whether it is a device or pipe, which is written into and not replaced.
    is_special: bool,
}

/// What is written until it is whole.
enum Draft {
    /// A file beside the target, for its owner alone. It is removed if it is not finished.
    Beside(NamedTempFile),
    Through(File),
}

impl Target {
    /// Where to write. A link is followed, so that it stays one.
    fn of(path: &Path) -> Result<Self> {
        let meta = std::fs::metadata(path).ok();
        if meta.as_ref().is_some_and(Metadata::is_dir) {
            return Err(wrong("the path behind --out is a directory")
                .with("path", path.display())
                .hint("name a file in it"));
        }
        if meta.is_some_and(|meta| !meta.is_file()) {
            return Ok(Self { path: path.to_owned(), is_special: true });
        }
        Ok(Self { path: path.canonicalize().unwrap_or_else(|_| path.to_owned()), is_special: false })
    }

    fn open(&self) -> Result<Draft> {
        if self.is_special {
            return File::options()
                .write(true)
                .open(&self.path)
                .map(Draft::Through)
                .map_err(|e| self.failed(&e));
        }
        let folder = self.path.parent().filter(|folder| !folder.as_os_str().is_empty());
        tempfile::Builder::new()
            .prefix(".lifehub-export-")
            .tempfile_in(folder.unwrap_or(Path::new(".")))
            .map(Draft::Beside)
            .map_err(|e| self.failed(&e))
    }

    fn failed(&self, e: &io::Error) -> Error {
        let kind = match e.kind() {
            io::ErrorKind::StorageFull => ErrorKind::StorageFull,
            _ => ErrorKind::Storage,
        };
        Error::new(kind, format!("the export cannot be written: {}", e.kind()))
            .with("path", self.path.display())
            .hint("the folder must exist, be writable and have room; nothing was left half written")
    }
}

impl Draft {
    fn file(&self) -> &File {
        match self {
            Self::Beside(file) => file.as_file(),
            Self::Through(file) => file,
        }
    }

    fn finish(self, target: &Target) -> Result<()> {
        let Self::Beside(file) = self else { return Ok(()) };
        file.as_file().sync_all().map_err(|e| target.failed(&e))?;
        file.persist(&target.path).map_err(|e| target.failed(&e.error))?;
        Ok(())
    }
}

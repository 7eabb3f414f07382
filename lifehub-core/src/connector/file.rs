//! The disk, as far as a connector may touch it: files that the user named in a setting, streamed and capped.

use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::task::{Context as TaskContext, Poll};

use tokio::io::{AsyncRead, AsyncSeek, ReadBuf};

use crate::error::{Error, ErrorKind, Result};

/// Which files a connector may open, and how large they may be.
#[derive(Debug, Clone)]
pub enum FileAccess {
    /// None: the settings came from afar.
    Denied,
    /// Those that the settings name, up to this many bytes each.
    Allowed {
        /// The size limit, in bytes.
        max_bytes: u64,
    },
}

impl FileAccess {
    pub(super) async fn open(&self, setting: &str, path: &Path) -> Result<LocalFile> {
        let Self::Allowed { max_bytes } = *self else {
            return Err(Error::new(
                ErrorKind::Forbidden,
                format!("the setting {setting:?} names a local file"),
            )
            .hint("local files are read on the command line only; over the API, upload the file"));
        };
        let fault = |e: std::io::Error| {
            Error::new(
                ErrorKind::Invalid,
                format!("the file of the setting {setting:?} cannot be read: {}", e.kind()),
            )
            .hint("check that the path exists and that this user may read it")
        };
        let file = tokio::fs::File::open(path).await.map_err(fault)?;
        let meta = file.metadata().await.map_err(fault)?;
        if !meta.is_file() {
            return Err(Error::new(
                ErrorKind::Invalid,
                format!("the setting {setting:?} names no plain file"),
            ));
        }
        if meta.len() > max_bytes {
            let size = meta.len();
            return Err(Error::new(
                ErrorKind::TooLarge,
                format!("the file of the setting {setting:?} is too large"),
            )
            .with("bytes", size)
            .with("limit", max_bytes));
        }
        Ok(LocalFile { file, size: meta.len(), left: max_bytes, path: path.to_owned() })
    }
}

/// An open file: it streams and seeks, and gives no more bytes in all than the limit, even when the file grows.
#[derive(Debug)]
pub struct LocalFile {
    file: tokio::fs::File,
    size: u64,
    left: u64,
    path: PathBuf,
}

impl LocalFile {
    /// Its size when it was opened, in bytes.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// Its name without the folder.
    pub fn name(&self) -> String {
        self.path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
    }
}

impl AsyncRead for LocalFile {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut TaskContext<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<std::io::Result<()>> {
        let before = buf.filled().len();
        std::task::ready!(Pin::new(&mut self.file).poll_read(cx, buf))?;
        let read = u64::try_from(buf.filled().len() - before).unwrap_or(u64::MAX);
        match self.left.checked_sub(read) {
            Some(left) => {
                self.left = left;
                Poll::Ready(Ok(()))
            }
            None => Poll::Ready(Err(std::io::Error::new(
                std::io::ErrorKind::FileTooLarge,
                "more was read from the file than the limit allows",
            ))),
        }
    }
}

impl AsyncSeek for LocalFile {
    fn start_seek(mut self: Pin<&mut Self>, position: std::io::SeekFrom) -> std::io::Result<()> {
        Pin::new(&mut self.file).start_seek(position)
    }

    fn poll_complete(mut self: Pin<&mut Self>, cx: &mut TaskContext<'_>) -> Poll<std::io::Result<u64>> {
        Pin::new(&mut self.file).poll_complete(cx)
    }
}

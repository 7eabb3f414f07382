//! Rule 13: a connector reaches the world only through its context; here: the disk.

use std::sync::Arc;

use lifehub_core::clock::Timestamp;
use lifehub_core::connector::{Context, FileAccess};
use lifehub_core::http::Http;
use lifehub_core::page::{Pass, PassKind};
use lifehub_core::secret::Credentials;
use lifehub_core::{Error, ErrorKind, Result};
use tokio::io::{AsyncReadExt, AsyncSeekExt};

use crate::rig::NoNetwork;

/// Opens the file of the setting `path` as a connector would.
async fn read(path: &str, files: FileAccess) -> Result<String> {
    let http = Http::builder(Arc::new(NoNetwork), "https://shelf.example".parse().unwrap()).build()?;
    let pass = Pass { kind: PassKind::Full, from: None, to: Timestamp::EPOCH };
    let settings = serde_json::json!({ "path": path });
    let cx = Context::new(&http, &settings, &Credentials::none(), files, pass, Timestamp::EPOCH);
    assert_eq!(cx.file("another").await.unwrap_err().kind(), ErrorKind::Invalid, "only what a setting names");
    let mut file = cx.file("path").await?;
    let mut text = String::new();
    let broken = |_| Error::new(ErrorKind::TooLarge, "read too much");
    file.read_to_string(&mut text).await.map_err(broken)?;
    let again = text.clone();
    file.seek(std::io::SeekFrom::Start(0)).await.unwrap();
    file.read_to_string(&mut text).await.map_err(broken)?;
    assert_eq!(text, again.repeat(2), "files seek");
    Ok(again)
}

#[tokio::test]
async fn rule_13_files_are_those_that_settings_name_and_capped() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("export.csv");
    std::fs::write(&path, "a,b\n1,2\n").unwrap();
    let path = path.to_str().unwrap();
    let allowed = |max_bytes| FileAccess::Allowed { max_bytes };
    assert_eq!(read(path, allowed(100)).await.unwrap(), "a,b\n1,2\n");
    assert_eq!(read(path, allowed(7)).await.unwrap_err().kind(), ErrorKind::TooLarge);
    let denied = read(path, FileAccess::Denied).await.unwrap_err();
    assert_eq!(denied.kind(), ErrorKind::Forbidden);
    let missing = read("/nonexistent/file", allowed(100)).await.unwrap_err();
    let folder = read(folder.path().to_str().unwrap(), allowed(100)).await.unwrap_err();
    for error in [denied, missing, folder] {
        assert!(!error.to_string().contains('/'), "no path stands in an error: {error}");
    }
}

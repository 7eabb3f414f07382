//! What lies on the disk, looked at from outside: nothing is made, and no key is read.

use std::fs::Metadata;
use std::io::ErrorKind as IoKind;
use std::path::Path;

use super::Check;
use crate::configuration::Configuration;
use crate::place::Place;

/// Bytes of a master key. While it is rotated, its file holds several.
const KEY_BYTES: u64 = 32;

pub(super) fn configuration(configuration: &Configuration) -> Check {
    let name = "configuration";
    let Some(file) = &configuration.file else {
        return Check::ok(name, "no file; defaults, environment and flags");
    };
    let shown = file.display();
    let holds_secrets = configuration.master_key.is_some()
        || configuration
            .operator
            .names()
            .map(|provider| configuration.operator.of(provider))
            .any(|provider| provider.client_secret.is_some() || provider.webhook_token.is_some());
    match std::fs::metadata(file) {
        Ok(meta) if holds_secrets && others_may(&meta, 0o044) => Check::warn(
            name,
            format!("{shown} may hold secrets, and others can read it"),
            format!("chmod 600 {shown}"),
        ),
        _ => Check::ok(name, shown.to_string()),
    }
}

pub(super) fn data_dir(place: &Place) -> Check {
    let name = "data directory";
    let dir = place.dir();
    let shown = dir.display();
    match std::fs::metadata(dir) {
        Err(e) if e.kind() == IoKind::NotFound => Check::warn(
            name,
            format!("{shown} is not there yet"),
            "the first `lifehub connect` makes it; if there is data elsewhere, name it with --data-dir",
        ),
        Err(e) => Check::fail(name, format!("{shown} cannot be read: {}", e.kind()), "check its permissions"),
        Ok(meta) if !meta.is_dir() => {
            Check::fail(name, format!("{shown} is not a directory"), "name another with --data-dir")
        }
        Ok(meta) if meta.permissions().readonly() => {
            Check::fail(name, format!("{shown} cannot be written"), format!("chmod 700 {shown}"))
        }
        Ok(meta) if others_may(&meta, 0o077) => Check::warn(
            name,
            format!("{shown} is open to others on this machine"),
            format!("chmod 700 {shown}"),
        ),
        Ok(_) => Check::ok(name, shown.to_string()),
    }
}

/// The key file. What is wrong with a key in the configuration shows when the database is opened.
pub(super) fn master_key(place: &Place, has_data: bool) -> Option<Check> {
    let name = "key file";
    let Some(path) = place.key_file() else {
        return Some(Check::ok("master key source", "the configuration or the environment"));
    };
    let shown = path.display();
    Some(match std::fs::metadata(&path) {
        // Before there is a database, there is no key.
        Err(e) if is_absent(&e) && !has_data => return None,
        Err(e) if is_absent(&e) => Check::fail(
            name,
            format!("{shown} is missing"),
            "restore it from your backup: without it the credentials cannot be opened",
        ),
        Err(e) => Check::fail(name, format!("{shown} cannot be read: {}", e.kind()), "check its permissions"),
        Ok(meta) if !meta.is_file() || meta.len() == 0 || !meta.len().is_multiple_of(KEY_BYTES) => {
            Check::fail(
                name,
                format!("{shown} is not a key of {KEY_BYTES} bytes"),
                "restore it from your backup",
            )
        }
        Ok(meta) if others_may(&meta, 0o077) => Check::fail(
            name,
            format!("{shown} is open to others on this machine"),
            format!("chmod 600 {shown}"),
        ),
        Ok(meta) if meta.len() > KEY_BYTES => Check::warn(
            name,
            format!("{shown} holds several keys: a rotation is under way, or was stopped"),
            "`lifehub keys rotate` ends it",
        ),
        Ok(_) => Check::ok(name, shown.to_string()),
    })
}

pub(super) fn database(place: &Place) -> Check {
    let name = "database";
    let Some(path) = place.database() else {
        let shown = place.server().map_or("in memory".into(), |server| format!("PostgreSQL at {server}"));
        return Check::ok(name, shown);
    };
    let shown = path.display();
    let next = "connect an account: lifehub connect PROVIDER --user EMAIL";
    match std::fs::metadata(&path) {
        Err(e) if is_absent(&e) => Check::warn(name, format!("{shown} is not there yet"), next),
        Err(e) => Check::fail(name, format!("{shown} cannot be read: {}", e.kind()), "check its permissions"),
        Ok(meta) if !meta.is_file() => {
            Check::fail(name, format!("{shown} is not a file"), "name another in database_url")
        }
        // Opening it would make it a database.
        Ok(meta) if meta.len() == 0 => Check::warn(name, format!("{shown} is empty"), next),
        Ok(meta) => match is_writable(&path) {
            Err(kind) => Check::fail(
                name,
                format!("{shown} cannot be written: {kind}"),
                "make the file and its folder writable for this user",
            ),
            Ok(()) => Check::ok(name, format!("{shown}, {} MiB", meta.len().div_ceil(1 << 20))),
        },
    }
}

/// Whether the file opens for writing. Nothing is written.
fn is_writable(path: &Path) -> Result<(), IoKind> {
    std::fs::OpenOptions::new().write(true).open(path).map(drop).map_err(|e| e.kind())
}

fn is_absent(e: &std::io::Error) -> bool {
    matches!(e.kind(), IoKind::NotFound | IoKind::NotADirectory)
}

#[cfg(unix)]
fn others_may(meta: &Metadata, bits: u32) -> bool {
    std::os::unix::fs::MetadataExt::mode(meta) & bits != 0
}

#[cfg(not(unix))]
fn others_may(_: &Metadata, _: u32) -> bool {
    false
}

//! The machine that it was measured on.

use std::path::Path;
use std::process::Command;

use serde::Serialize;

/// What of a machine explains its figures.
#[derive(Debug, Serialize)]
pub(crate) struct Machine {
    /// The processor's name.
    pub(crate) cpu: String,
    /// How many threads run at once.
    pub(crate) cores: usize,
    pub(crate) memory_gib: u64,
    pub(crate) kernel: String,
    /// The database server, if one was measured.
    pub(crate) server: Option<String>,
    /// Of the folder with the databases.
    pub(crate) file_system: String,
    pub(crate) rustc: String,
    /// `release`, or `debug`, whose figures say nothing.
    pub(crate) build: &'static str,
}

impl Machine {
    /// This one, with the databases in that folder and on that server.
    pub(crate) fn of(dir: &Path, server: Option<String>) -> Self {
        let rustc = Command::new("rustc").arg("--version").output().ok().filter(|o| o.status.success());
        let kib =
            value("/proc/meminfo", "MemTotal").and_then(|text| text.split(' ').next()?.parse::<u64>().ok());
        Self {
            cpu: value("/proc/cpuinfo", "model name").unwrap_or_else(unknown),
            cores: std::thread::available_parallelism().map_or(1, usize::from),
            memory_gib: kib.map_or(0, |kib| (kib + (1 << 19)) >> 20),
            kernel: text("/proc/sys/kernel/osrelease")
                .map_or_else(unknown, |text| format!("Linux {}", text.trim())),
            server,
            file_system: file_system(dir).unwrap_or_else(unknown),
            rustc: rustc
                .map_or_else(unknown, |output| String::from_utf8_lossy(&output.stdout).trim().to_owned()),
            build: if cfg!(debug_assertions) { "debug" } else { "release" },
        }
    }
}

fn unknown() -> String {
    "unknown".to_owned()
}

fn text(path: &str) -> Option<String> {
    std::fs::read_to_string(path).ok()
}

/// The first value of that name in a file of lines `NAME : VALUE`.
fn value(path: &str, name: &str) -> Option<String> {
    let text = text(path)?;
    let line = text.lines().find_map(|line| line.strip_prefix(name)?.trim_start().strip_prefix(':'))?;
    Some(line.trim().to_owned())
}

/// The type of what is mounted deepest above that folder.
fn file_system(dir: &Path) -> Option<String> {
    let (dir, mounts) = (dir.canonicalize().ok()?, text("/proc/self/mounts")?);
    let above = mounts.lines().filter_map(|line| {
        let mut words = line.split(' ').skip(1);
        Some((Path::new(words.next()?), words.next()?))
    });
    let deepest = above
        .filter(|(place, _)| dir.starts_with(place))
        // Of two at one place the later one covers the other.
        .max_by_key(|(place, _)| place.components().count());
    deepest.map(|(_, kind)| kind.to_owned())
}

//! What a test needs of the machine. Where it is missing, the test says so and ends; where `LIFEHUB_TEST_REQUIRE` names
//! it, as in CI, the test fails instead.

use std::process::{Command, Stdio};

use lifehub_scratch::Cluster;

/// Whether strace can trace here.
pub(crate) fn strace() -> bool {
    let works = Command::new("strace").args(["-f", "-o", "/dev/null", "true"]).stderr(Stdio::null()).status();
    have("strace", works.is_ok_and(|status| status.success()), "install strace")
}

/// Whether a tmpfs can be mounted here.
pub(crate) fn tmpfs() -> bool {
    let folder = tempfile::tempdir().unwrap();
    let mounted = Tmpfs::mount(folder, 1).is_some();
    have("tmpfs", mounted, "run as root, where mounting is allowed")
}

/// A PostgreSQL server of the test's own.
pub(crate) fn cluster() -> Option<Cluster> {
    let cluster = Cluster::start().unwrap();
    have("postgres", cluster.is_some(), "install PostgreSQL");
    cluster
}

fn have(what: &str, there: bool, hint: &str) -> bool {
    let required = std::env::var("LIFEHUB_TEST_REQUIRE").unwrap_or_default();
    if !there {
        assert!(!required.split(',').any(|name| name == what), "{what} is required, but not to be had here");
        println!("SKIPPED: this test needs {what}; to run it, {hint}");
    }
    there
}

/// A small file system in memory, gone when dropped.
pub(crate) struct Tmpfs(tempfile::TempDir);

impl Tmpfs {
    pub(crate) fn mount(folder: tempfile::TempDir, mebibytes: u32) -> Option<Self> {
        let size = format!("size={mebibytes}m");
        let mut mount = Command::new("mount");
        mount.args(["-t", "tmpfs", "-o", &size, "tmpfs"]).arg(folder.path());
        Self::run(&mut mount).then(|| Self(folder))
    }

    pub(crate) fn path(&self) -> &std::path::Path {
        self.0.path()
    }

    pub(crate) fn grow_to(&self, mebibytes: u32) {
        let size = format!("remount,size={mebibytes}m");
        assert!(Self::run(Command::new("mount").args(["-o", &size]).arg(self.path())));
    }

    fn run(command: &mut Command) -> bool {
        command.stderr(Stdio::null()).status().is_ok_and(|status| status.success())
    }
}

impl Drop for Tmpfs {
    fn drop(&mut self) {
        let lazily = ["-l"];
        Self::run(Command::new("umount").args(lazily).arg(self.0.path()));
    }
}

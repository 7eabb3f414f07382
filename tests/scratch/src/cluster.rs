//! A PostgreSQL server of a test's own, to be restarted at will.

use std::io::{Error, Result};
use std::net::{Ipv4Addr, TcpListener};
use std::path::PathBuf;
use std::process::{Command, Stdio};

/// A server on a port of its own, whose data goes when it is dropped.
#[derive(Debug)]
pub struct Cluster {
    programs: PathBuf,
    folder: PathBuf,
    port: u16,
}

/// How a server is stopped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stop {
    /// Its clients are sent away, and it writes what it has.
    Fast,
    /// As if it crashed: it recovers when it starts.
    Immediate,
}

impl Cluster {
    /// Makes and starts one; `None` where the programs of PostgreSQL are not to be had.
    ///
    /// # Errors
    /// If they are, but do not work.
    pub fn start() -> Result<Option<Self>> {
        let Some(programs) = programs() else { return Ok(None) };
        let port = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port();
        let folder = std::env::temp_dir().join(format!("lifehub-cluster-{}-{port}", std::process::id()));
        let cluster = Self { programs, folder, port };
        std::fs::create_dir(&cluster.folder)?;
        if is_root() {
            // PostgreSQL refuses to be root.
            succeed(Command::new("chown").arg("postgres").arg(&cluster.folder))?;
        }
        cluster.run("initdb", &["--auth=trust", "--username=postgres", "--encoding=UTF8", "--locale=C"])?;
        cluster.go()?;
        Ok(Some(cluster))
    }

    /// The URL of its database.
    pub fn url(&self) -> String {
        format!("postgres://postgres@127.0.0.1:{}/postgres", self.port)
    }

    /// Stops it and starts it again.
    ///
    /// # Errors
    /// If it does not come back.
    pub fn restart(&self, stop: Stop) -> Result<()> {
        self.stop(stop)?;
        self.go()
    }

    /// Stops it.
    ///
    /// # Errors
    /// If it does not stop.
    pub fn stop(&self, stop: Stop) -> Result<()> {
        let mode = match stop {
            Stop::Fast => "--mode=fast",
            Stop::Immediate => "--mode=immediate",
        };
        self.run("pg_ctl", &["stop", "--wait", mode])
    }

    /// Starts it, and waits until it serves.
    ///
    /// # Errors
    /// If it does not start.
    pub fn go(&self) -> Result<()> {
        let options = format!("-p {} -c listen_addresses=127.0.0.1 -c unix_socket_directories=", self.port);
        let log = self.folder.join("log");
        let log = format!("--log={}", log.display());
        self.run("pg_ctl", &["start", "--wait", &log, "-o", &options])
    }

    fn run(&self, program: &str, args: &[&str]) -> Result<()> {
        let program = self.programs.join(program);
        let mut command = if is_root() {
            let mut command = Command::new("setpriv");
            command.args(["--reuid=postgres", "--regid=postgres", "--init-groups"]).arg(program);
            command
        } else {
            Command::new(program)
        };
        succeed(command.args(args).arg("--pgdata").arg(self.folder.join("data")).current_dir("/"))
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        // What fails here is found by the next look at the machine's processes.
        let _ = self.stop(Stop::Immediate);
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

fn is_root() -> bool {
    std::fs::metadata("/proc/self").is_ok_and(|meta| std::os::unix::fs::MetadataExt::uid(&meta) == 0)
}

/// The folder of the newest server's programs: in the path, or where Debian puts them.
fn programs() -> Option<PathBuf> {
    let in_path = std::env::var_os("PATH").unwrap_or_default();
    let debian = std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let mut debian: Vec<_> = debian.map(|version| version.path().join("bin")).collect();
    debian.sort();
    std::env::split_paths(&in_path)
        .collect::<Vec<_>>()
        .into_iter()
        .chain(debian.into_iter().rev())
        .find(|folder| folder.join("initdb").is_file() && folder.join("pg_ctl").is_file())
}

fn succeed(command: &mut Command) -> Result<()> {
    let output = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped()).output()?;
    if output.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    Err(Error::other(format!("{command:?}: {said}")))
}

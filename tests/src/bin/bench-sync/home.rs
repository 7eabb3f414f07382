//! Where a program keeps what it stores in one round: a folder and, on a PostgreSQL server, a schema. Both are empty, and
//! gone when dropped.

use std::path::Path;
use std::process::Command;

use lifehub_scratch::Scratch;
use sqlx::{Executor as _, PgConnection};
use tempfile::TempDir;
use tokio::runtime::Runtime;

use crate::cli::Database;
use crate::{Outcome, runtime};

/// How many ticks a second has in which Linux tells processor time.
const TICKS: f64 = 100.0;

/// A folder and, where it is needed, a schema.
#[derive(Debug)]
pub(crate) struct Home {
    folder: TempDir,
    schema: Option<Schema>,
}

impl Home {
    pub(crate) fn new(database: Database, dir: &Path) -> Outcome<Self> {
        Ok(Self {
            folder: tempfile::Builder::new().prefix("bench-sync-").tempdir_in(dir)?,
            schema: (database == Database::Postgres).then(Schema::new).transpose()?,
        })
    }

    /// Says to a command where it is.
    pub(crate) fn tell(&self, command: &mut Command) {
        command.arg("--dir").arg(self.folder.path());
        if let Some(schema) = &self.schema {
            command.args(["--postgres", &schema.scratch.url()]);
        }
    }

    /// Writes down what the server still holds in memory, so that every run finds it alike.
    pub(crate) fn settle(&mut self) -> Outcome<()> {
        if let Some(Schema { runtime, conn, .. }) = &mut self.schema {
            runtime.block_on(conn.execute("CHECKPOINT"))?;
        }
        Ok(())
    }

    /// Processor time of the server so far. SQLite has none.
    pub(crate) fn server_cpu_s(&self) -> Outcome<f64> {
        self.schema.as_ref().map_or(Ok(0.0), |schema| cpu_s(schema.postmaster))
    }
}

/// A schema on the server of the tests, which has to be on this machine: its processes are looked at.
#[derive(Debug)]
pub(crate) struct Schema {
    runtime: Runtime,
    conn: PgConnection,
    scratch: Scratch,
    /// The process whose children the server's other processes are.
    postmaster: u32,
}

impl Schema {
    pub(crate) fn new() -> Outcome<Self> {
        let runtime = runtime()?;
        let scratch = runtime.block_on(Scratch::new()).ok_or("there is no PostgreSQL server")?;
        let mut conn = runtime.block_on(scratch.connect());
        let pid: i32 =
            runtime.block_on(sqlx::query_scalar("SELECT pg_backend_pid()").fetch_one(&mut conn))?;
        let process = Process::of(u32::try_from(pid)?).filter(|process| process.name == "postgres");
        let process = process.ok_or("the PostgreSQL server is not on this machine")?;
        Ok(Self { runtime, conn, scratch, postmaster: process.parent })
    }

    /// The server's version.
    pub(crate) fn version(&mut self) -> Outcome<String> {
        let version = sqlx::query_scalar("SHOW server_version").fetch_one(&mut self.conn);
        let version: String = self.runtime.block_on(version)?;
        Ok(format!("PostgreSQL {version}"))
    }
}

/// Processor time of a process and of all its children, also of those that have ended.
fn cpu_s(parent: u32) -> Outcome<f64> {
    loop {
        let before = Process::of(parent).ok_or("the PostgreSQL server has ended")?;
        let mut ticks = before.own + before.reaped;
        for entry in std::fs::read_dir("/proc")? {
            let pid = entry?.file_name().to_str().and_then(|name| name.parse().ok());
            // One that has just ended counts there.
            let child = pid.and_then(Process::of).filter(|process| process.parent == parent);
            ticks += child.map_or(0, |child| child.own);
        }
        if Process::of(parent).is_some_and(|after| after.reaped == before.reaped) {
            return Ok(ticks as f64 / TICKS);
        }
    }
}

/// What `/proc` tells of a process.
struct Process {
    name: String,
    parent: u32,
    /// Its processor time.
    own: u64,
    /// That of its children that have ended.
    reaped: u64,
}

impl Process {
    /// Nothing if there is none of that number.
    fn of(pid: u32) -> Option<Self> {
        Self::parse(&std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?)
    }

    /// Reads `PID (NAME) STATE PARENT …`; a name may hold anything.
    fn parse(stat: &str) -> Option<Self> {
        let (head, tail) = stat.rsplit_once(')')?;
        let words: Vec<&str> = tail.split_whitespace().collect();
        // The manual counts from 1, and the state is its third.
        let number = |field: usize| words.get(field - 3)?.parse::<u64>().ok();
        Some(Self {
            name: head.split_once('(')?.1.to_owned(),
            parent: u32::try_from(number(4)?).ok()?,
            own: number(14)? + number(15)?,
            reaped: number(16)? + number(17)?,
        })
    }
}

#[cfg(test)]
mod tests {
    use std::io::Read as _;
    use std::process::Stdio;

    use super::*;

    #[test]
    fn a_line_of_proc_is_read_by_its_fields() {
        let line = "12 (a) (b) S 7 8 9 10 11 12 13 14 15 16 140 150 1600 1700 20 0 1 0 99\n";
        let process = Process::parse(line).unwrap();
        assert_eq!((process.name.as_str(), process.parent), ("a) (b", 7));
        assert_eq!((process.own, process.reaped), (290, 3300));
        assert!(Process::parse("12 (a) S 7").is_none());
    }

    #[test]
    fn the_time_of_children_counts_while_they_live_and_afterwards() {
        let parent = std::process::id();
        let before = cpu_s(parent).unwrap();
        let busy = "i=0; while [ $i -lt 400000 ]; do i=$((i+1)); done; echo; read end";
        let mut command = Command::new("sh");
        command.args(["-c", busy]).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().unwrap();
        child.stdout.take().unwrap().read_exact(&mut [0]).unwrap();
        let living = cpu_s(parent).unwrap();
        assert!(living > before, "{before} {living}");
        drop(child.stdin.take());
        child.wait().unwrap();
        assert!(cpu_s(parent).unwrap() >= living);
    }
}

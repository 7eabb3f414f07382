//! The other processes as the one that measures sees them: started, waited for, and what they cost.

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::time::Instant;

use nix::sys::resource::{Usage, UsageWho, getrusage};
use nix::sys::time::TimeValLike as _;
use serde::{Deserialize, Serialize};

use crate::Outcome;
use crate::cli::{Pass, Program, name};
use crate::home::Home;
use crate::provider::Ready;

/// What a measured process says at its end.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Told {
    /// Items that it read.
    pub(crate) items: u64,
    /// Pages that it read.
    pub(crate) pages: u64,
    /// The most memory that it has had resident, in bytes.
    pub(crate) peak_bytes: u64,
}

impl Told {
    /// With the memory of this process, which must be about to end.
    pub(crate) fn now(items: u64, pages: u64) -> Outcome<Self> {
        // Linux counts in KiB.
        let peak_bytes = u64::try_from(getrusage(UsageWho::RUSAGE_SELF)?.max_rss())? * 1024;
        Ok(Self { items, pages, peak_bytes })
    }
}

/// What one measured process cost.
#[derive(Debug, Clone, Copy, Serialize)]
pub(crate) struct Run {
    /// From its start to its end.
    pub(crate) wall_s: f64,
    /// Processor time in its own code.
    pub(crate) user_s: f64,
    /// Processor time in the kernel for it.
    pub(crate) system_s: f64,
    /// Processor time of the database server meanwhile; none with SQLite.
    pub(crate) server_s: f64,
    /// The most memory that it has had resident.
    pub(crate) peak_bytes: u64,
    /// Processor time of the provider meanwhile.
    pub(crate) provider_cpu_s: f64,
    /// Items that it read.
    pub(crate) items: u64,
    /// Pages that it read.
    pub(crate) pages: u64,
}

impl Run {
    /// Processor time of the process and of the database server together.
    pub(crate) fn cpu_s(&self) -> f64 {
        self.user_s + self.system_s + self.server_s
    }
}

/// A provider under way. Dropped, it ends.
#[derive(Debug)]
pub(crate) struct Provider {
    child: Child,
    stdin: Option<ChildStdin>,
    pub(crate) ready: Ready,
    items: String,
}

impl Provider {
    /// Starts it, and waits until it can be asked.
    pub(crate) fn start(items: usize, per_page: usize, latency_ms: u64) -> Outcome<Self> {
        let numbers = [items.to_string(), per_page.to_string(), latency_ms.to_string()];
        let mut child = again("provider")?
            .args(["--items", &numbers[0], "--per-page", &numbers[1], "--latency-ms", &numbers[2]])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let (stdin, stdout) = (child.stdin.take(), child.stdout.take());
        let mut line = String::new();
        if let Some(stdout) = stdout {
            BufReader::new(stdout).read_line(&mut line)?;
        }
        let ready = serde_json::from_str(&line).map_err(|_| "the provider did not start")?;
        let [items, ..] = numbers;
        Ok(Self { child, stdin, ready, items })
    }

    /// Runs a program over its pages to the end.
    pub(crate) fn measure(&self, program: Program, pass: Pass, home: &mut Home) -> Outcome<Run> {
        let mut command = again(&match program {
            Program::Lifehub => "sync".to_owned(),
            Program::Floor => "floor".to_owned(),
        })?;
        command.args(["--url", &self.ready.url, "--pass", &name(&pass), "--items", &self.items]);
        home.tell(&mut command);
        command.stdin(Stdio::null()).stderr(Stdio::inherit());
        home.settle()?;
        // Children that were waited for: no other ends in between.
        let (before, provider) = (getrusage(UsageWho::RUSAGE_CHILDREN)?, self.cpu_s()?);
        let server = home.server_cpu_s()?;
        let started = Instant::now();
        let output = command.output()?;
        let wall_s = started.elapsed().as_secs_f64();
        let server_s = home.server_cpu_s()? - server;
        let (after, provider_cpu_s) = (getrusage(UsageWho::RUSAGE_CHILDREN)?, self.cpu_s()? - provider);
        if !output.status.success() {
            return Err(format!("{program:?} failed in its {pass:?} pass").into());
        }
        let Told { items, pages, peak_bytes } = serde_json::from_slice(&output.stdout)?;
        let user_s = seconds(&after, Usage::user_time) - seconds(&before, Usage::user_time);
        let system_s = seconds(&after, Usage::system_time) - seconds(&before, Usage::system_time);
        Ok(Run { wall_s, user_s, system_s, server_s, peak_bytes, provider_cpu_s, items, pages })
    }

    /// Fails unless the program has every item in its database there.
    pub(crate) fn count(&self, program: Program, home: &Home) -> Outcome<()> {
        let mut command = again("count")?;
        command.args(["--program", &name(&program), "--items", &self.items]);
        home.tell(&mut command);
        match command.stdin(Stdio::null()).status()?.success() {
            true => Ok(()),
            false => Err(format!("{program:?} did not store every item").into()),
        }
    }

    /// Processor time of its threads so far, none of which ends before it does.
    fn cpu_s(&self) -> Outcome<f64> {
        let mut nanoseconds = 0.0;
        for thread in std::fs::read_dir(format!("/proc/{}/task", self.child.id()))? {
            let text = std::fs::read_to_string(thread?.path().join("schedstat"))?;
            nanoseconds += text.split(' ').next().unwrap_or_default().parse::<f64>()?;
        }
        Ok(nanoseconds / 1e9)
    }
}

impl Drop for Provider {
    fn drop(&mut self) {
        drop(self.stdin.take());
        // It has nothing left to do, and whether it ended well says nothing about what was measured.
        let _ = self.child.wait();
    }
}

/// This very program in another role, even if its file was replaced meanwhile.
fn again(role: &str) -> Outcome<Command> {
    let own = Path::new("/proc/self/exe");
    let mut command = Command::new(if own.exists() { own.into() } else { std::env::current_exe()? });
    command.arg(role);
    Ok(command)
}

fn seconds(usage: &Usage, time: impl Fn(&Usage) -> nix::sys::time::TimeVal) -> f64 {
    time(usage).num_microseconds() as f64 / 1e6
}

//! A home directory with nothing in it, and the program run there.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use lifehub_connectors::strava::simulator::{StravaSimulator, World, WorldOptions};
use lifehub_testkit::Server;
use serde_json::Value;
use tempfile::TempDir;

pub(crate) const EMAIL: &str = "ada@example.org";
pub(crate) const ACTIVITIES: usize = 60;

/// A home directory.
pub(crate) struct Home {
    folder: TempDir,
    variables: Vec<(String, String)>,
}

/// What a run of the program came to.
#[derive(Debug)]
pub(crate) struct Run {
    pub(crate) code: i32,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Run {
    /// Checks the exit code, and goes on with the rest.
    #[track_caller]
    pub(crate) fn exits(self, code: i32) -> Self {
        assert_eq!(self.code, code, "{self:#?}");
        self
    }

    /// Standard output as the one JSON document that it must be.
    #[track_caller]
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.out).unwrap_or_else(|e| panic!("{e}: {self:#?}"))
    }

    /// Checks that standard error holds these parts and standard output nothing.
    #[track_caller]
    pub(crate) fn says(&self, parts: &[&str]) {
        assert_eq!(self.out, "", "{self:#?}");
        for part in parts {
            assert!(self.err.contains(part), "{part:?} is not in {self:#?}");
        }
    }
}

impl Home {
    pub(crate) fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap(), variables: Vec::new() }
    }

    /// A home whose Strava is that server.
    pub(crate) fn beside(server: &Server) -> Self {
        Self::new()
            .with("LIFEHUB_PROVIDERS__STRAVA__BASE_URL", &format!("{}/api/v3", server.url()))
            .with("LIFEHUB_PROVIDERS__STRAVA__QUOTAS", "off")
    }

    pub(crate) fn with(mut self, name: &str, value: &str) -> Self {
        self.variables.push((name.into(), value.into()));
        self
    }

    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }

    pub(crate) fn data(&self) -> PathBuf {
        self.path().join(".local/share/lifehub")
    }

    /// Whether nothing was made in it.
    pub(crate) fn is_untouched(&self) -> bool {
        std::fs::read_dir(self.path()).unwrap().next().is_none()
    }

    pub(crate) fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_lifehub"));
        command
            .args(args)
            .current_dir(self.path())
            .env_clear()
            .env("HOME", self.path())
            .env("TZ", "UTC")
            .envs(self.variables.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::null());
        command
    }

    pub(crate) fn run(&self, args: &[&str]) -> Run {
        finished(self.command(args))
    }

    /// The same with something on standard input.
    pub(crate) fn run_with_input(&self, args: &[&str], input: &str) -> Run {
        let mut command = self.command(args);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        // The program may end without having read.
        let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
        of(&child.wait_with_output().unwrap())
    }

    /// Connects the simulated account; gives the connection's id.
    #[track_caller]
    pub(crate) fn connect(&self) -> String {
        let secret = format!("access_token={}", StravaSimulator::TOKEN);
        let run = self.run(&["connect", "strava", "--user", EMAIL, "--secret", &secret, "--json"]).exits(0);
        run.json()["id"].as_str().unwrap().to_owned()
    }
}

pub(crate) fn finished(mut command: Command) -> Run {
    of(&command.output().unwrap())
}

fn of(output: &std::process::Output) -> Run {
    Run {
        code: output.status.code().unwrap_or(-1),
        out: String::from_utf8(output.stdout.clone()).unwrap(),
        err: String::from_utf8(output.stderr.clone()).unwrap(),
    }
}

/// A simulated Strava with some activities.
pub(crate) fn strava() -> (Server, World) {
    let now = "2026-08-10T12:00:00Z".parse().unwrap();
    let world = World::seeded(7, now, WorldOptions::default().activities(ACTIVITIES));
    (Server::start(StravaSimulator::new(world.clone())).unwrap(), world)
}

//! The program in a home of its own, connected to a simulated Strava.

use std::process::{Command, Output};

use lifehub_core::clock::Timestamp;
use lifehub_strava::simulator::{StravaSimulator, World, WorldOptions};
use lifehub_testkit::Server;
use serde_json::Value;

use crate::home::{Home, Kind};

pub(crate) const USER: &str = "a@example.org";

/// A simulated Strava that serves over loopback.
pub(crate) struct Strava {
    pub(crate) world: World,
    pub(crate) server: Server,
}

impl Strava {
    /// Of an athlete with that many activities, of which some begin in the same second.
    pub(crate) fn with(seed: u64, activities: usize, ties: usize) -> Self {
        let now: Timestamp = std::time::SystemTime::now().into();
        let world = World::seeded(seed, now, WorldOptions::default().activities(activities).ties(ties));
        let simulator = StravaSimulator::new(world.clone());
        simulator.set_limits(None);
        Self { server: Server::start(simulator).unwrap(), world }
    }

    pub(crate) fn base_url(&self) -> String {
        format!("{}/api/v3", self.server.url())
    }

    /// External id and name of every activity that can be read.
    pub(crate) fn truth(&self) -> Vec<(String, Value)> {
        let mut truth: Vec<_> = self.world.truth().into_iter().filter(|t| t.poison.is_none()).collect();
        truth.sort_by_key(|t| t.id.to_string());
        truth.into_iter().map(|t| (t.id.to_string(), t.json()["name"].clone())).collect()
    }
}

/// The program where it has its data.
pub(crate) struct Lifehub {
    pub(crate) home: Home,
    base_url: String,
}

impl Lifehub {
    /// With a connection to this Strava, in a home of its own.
    pub(crate) fn connected(kind: Kind, strava: &Strava) -> Self {
        let lifehub = Self::at(Home::new(kind), strava);
        lifehub.connect();
        lifehub
    }

    pub(crate) fn at(home: Home, strava: &Strava) -> Self {
        Self { home, base_url: strava.base_url() }
    }

    pub(crate) fn connect(&self) {
        let token = format!("access_token={}", StravaSimulator::TOKEN);
        self.ok(&["connect", "strava", "--user", USER, "--secret", &token]);
    }

    /// The program with these arguments, under the command before it, if there is one.
    pub(crate) fn under(&self, wrapper: &[&str], args: &[&str]) -> Command {
        let mut command = self.home.command(wrapper, args);
        command.env("LIFEHUB_PROVIDERS__STRAVA__BASE_URL", &self.base_url);
        command
    }

    pub(crate) fn command(&self, args: &[&str]) -> Command {
        self.under(&[], args)
    }

    pub(crate) fn run(&self, args: &[&str]) -> Output {
        self.command(args).output().unwrap()
    }

    /// Runs it, and wants exit code 0.
    pub(crate) fn ok(&self, args: &[&str]) -> String {
        let output = self.run(args);
        assert!(output.status.success(), "{args:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    }

    /// A sync of everything, by its JSON report; the exit code is the caller's to judge.
    pub(crate) fn sync(&self) -> Value {
        let output = self.run(&["sync", "--all", "--json"]);
        serde_json::from_slice(&output.stdout)
            .unwrap_or_else(|e| panic!("{e}: {}", String::from_utf8_lossy(&output.stderr)))
    }

    /// The export, line by line, in the order of the external ids.
    pub(crate) fn export(&self) -> Vec<Value> {
        let text = self.ok(&["export", "--user", USER, "--format", "jsonl"]);
        let mut lines: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        lines.sort_by_key(|line| line["external_id"].to_string());
        lines
    }

    /// External id and name of every record in the export.
    pub(crate) fn names(&self) -> Vec<(String, Value)> {
        let lines = self.export().into_iter();
        lines
            .map(|line| (line["external_id"].as_str().unwrap().to_owned(), line["body"]["name"].clone()))
            .collect()
    }
}

/// What of exported records is equal in equal stores.
pub(crate) fn content(mut lines: Vec<Value>) -> Vec<Value> {
    for line in &mut lines {
        let members = line.as_object_mut().unwrap();
        for name in ["id", "connection", "seq", "changed_at"] {
            members.remove(name);
        }
    }
    lines
}

/// The figures of a report's totals: inserted, updated, deleted.
pub(crate) fn changes(report: &Value) -> (u64, u64, u64) {
    let figure = |name: &str| report["totals"][name].as_u64().unwrap();
    (figure("inserted"), figure("updated"), figure("deleted"))
}

//! A simulated Strava with an app, a home whose configuration names it, and a browser.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use lifehub_connectors::strava::simulator::{StravaSimulator, World, WorldOptions};
use lifehub_testkit::{Probe, Reply, Server, SimRequest, SimResponse, Simulator};

use crate::home::{ACTIVITIES, EMAIL, Home, Run};
use crate::running::Running;

/// Strava with two athletes: whoever logs in at its website is one of them.
pub(crate) struct House {
    pub(crate) home: Home,
    pub(crate) simulator: StravaSimulator,
    pub(crate) server: Server,
    other: Arc<AtomicBool>,
}

struct TwoAthletes(StravaSimulator, Arc<AtomicBool>);

impl Simulator for TwoAthletes {
    fn handle(&self, request: &SimRequest) -> SimResponse {
        let answer = self.0.handle(request);
        let other = request.path == "/api/v3/athlete" && self.1.load(Ordering::Relaxed);
        if other && self.0.oauth().check(request.bearer(), request.at).is_ok() {
            return SimResponse::json_text(200, r#"{"id": 900009999, "username": "another_athlete"}"#);
        }
        answer
    }

    fn refusal(&self, status: u16) -> SimResponse {
        self.0.refusal(status)
    }
}

impl House {
    pub(crate) fn new() -> Self {
        let now = "2026-08-10T12:00:00Z".parse().unwrap();
        let simulator =
            StravaSimulator::new(World::seeded(7, now, WorldOptions::default().activities(ACTIVITIES)));
        simulator.set_limits(None);
        let other = Arc::new(AtomicBool::new(false));
        let server = Server::start(TwoAthletes(simulator.clone(), other.clone())).unwrap();
        let home = Home::beside(&server);
        let home = [
            ("CLIENT_ID", StravaSimulator::CLIENT_ID.to_owned()),
            ("CLIENT_SECRET", StravaSimulator::CLIENT_SECRET.to_owned()),
            ("AUTHORIZE_URL", format!("{}/oauth/authorize", server.url())),
            ("TOKEN_URL", format!("{}/oauth/token", server.url())),
            ("REVOKE_URL", format!("{}/oauth/revoke", server.url())),
        ]
        .iter()
        .fold(home, |home, (key, value)| home.with(&format!("LIFEHUB_PROVIDERS__STRAVA__{key}"), value));
        Self { home, simulator, server, other }
    }

    /// From now on the other athlete is logged in.
    pub(crate) fn log_in_the_other(&self) {
        self.other.store(true, Ordering::Relaxed);
    }

    /// Begins to connect.
    pub(crate) fn connecting(&self, args: &[&str]) -> Connecting {
        let mut running = Running::start(self.home.command(&[&["connect", "strava"], args].concat()));
        let url = running.line("http://").trim().to_owned();
        running.line("waiting up to ten minutes");
        Connecting { running, url }
    }

    /// Connects by a consent; gives the result as JSON.
    #[track_caller]
    pub(crate) fn connect(&self) -> serde_json::Value {
        let connecting = self.connecting(&["--user", EMAIL, "--json"]);
        let reply = connecting.agree();
        assert_eq!(reply.status, 200, "{}", text(&reply));
        connecting.end().exits(0).json()
    }

    /// How many consents stand.
    pub(crate) fn standing(&self) -> usize {
        self.simulator.oauth().families().iter().filter(|family| !family.revoked).count()
    }
}

/// The command, waiting for its browser.
pub(crate) struct Connecting {
    pub(crate) running: Running,
    /// The consent page that it names.
    pub(crate) url: String,
}

impl Connecting {
    /// Where the consent page sends the browser back to.
    pub(crate) fn back(&self) -> String {
        let reply = Probe::get(&self.url).send().unwrap();
        assert_eq!(reply.status, 302, "{}", text(&reply));
        reply.header("location").unwrap().to_owned()
    }

    /// Agrees, or refuses if the simulator is told to; gives the page in the browser.
    pub(crate) fn agree(&self) -> Reply {
        visit(&self.back())
    }

    #[track_caller]
    pub(crate) fn end(self) -> Run {
        self.running.end()
    }
}

pub(crate) fn visit(url: &str) -> Reply {
    Probe::get(url).send().unwrap()
}

pub(crate) fn text(reply: &Reply) -> String {
    String::from_utf8_lossy(&reply.body).into_owned()
}

/// A parameter of an address.
pub(crate) fn parameter<'a>(address: &'a str, name: &str) -> &'a str {
    let query = address.split_once('?').unwrap().1;
    query.split('&').find_map(|pair| pair.strip_prefix(name)?.strip_prefix('=')).unwrap()
}

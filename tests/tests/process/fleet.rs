//! Many connections to a simulated Strava whose access tokens end soon, in one database, and the program that works on
//! them.

use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use lifehub_core::clock::{Clock, SystemClock, Timestamp, Zone};
use lifehub_core::engine::Runs;
use lifehub_core::record::ConnectionId;
use lifehub_core::secret::{Credentials, Secret};
use lifehub_store::{ConnectionFilter, ConnectionStatus, NewConnection};
use lifehub_strava::simulator::{StravaSimulator, World, WorldOptions};
use lifehub_testkit::Server;
use lifehub_testkit::oauth::{AuthorizationServer, Issued};

use crate::home::{Home, Kind, block_on, open};

/// A number out of the environment: how far a campaign reaches.
pub(crate) fn reach(name: &str, default: u64) -> u64 {
    std::env::var(name).ok().and_then(|n| n.parse().ok()).unwrap_or(default)
}

/// What a fleet's provider is like.
pub(crate) struct Provider {
    /// How long a refresh token lives on after it was replaced.
    pub(crate) leeway: Duration,
    /// How long an access token is good.
    pub(crate) life: Duration,
    /// How many activities the athlete has.
    pub(crate) activities: usize,
}

/// Connections and their provider.
pub(crate) struct Fleet {
    pub(crate) simulator: StravaSimulator,
    pub(crate) server: Server,
    pub(crate) connections: Vec<ConnectionId>,
    pub(crate) home: Home,
}

impl Fleet {
    /// So many connections, each with a consent of its own, at a provider that keeps the machine's time.
    pub(crate) fn of(kind: Kind, connections: usize, provider: &Provider) -> Self {
        Self::at(kind, connections, provider, Arc::new(SystemClock::default()))
    }

    /// The same at a provider with this clock.
    pub(crate) fn at(kind: Kind, connections: usize, provider: &Provider, clock: Arc<dyn Clock>) -> Self {
        let options = WorldOptions::default().activities(provider.activities);
        let simulator = StravaSimulator::new(World::seeded(9, clock.now(), options));
        simulator.set_limits(None);
        simulator.oauth().set(|rules| {
            (rules.leeway, rules.access_lifetime) = (provider.leeway, Some(provider.life));
            (rules.reuse_revokes, rules.keep_while_left) = (true, None);
        });
        let server = Server::builder().clock(Arc::clone(&clock)).start(simulator.clone()).unwrap();
        let mut fleet = Self { simulator, server, connections: Vec::new(), home: Home::new(kind) };
        fleet.connections = block_on(fleet.connect(connections, clock.now()));
        fleet
    }

    async fn connect(&self, count: usize, now: Timestamp) -> Vec<ConnectionId> {
        let store = self.home.store().await;
        let user = store.create_user("a@example.org", &Zone::utc()).await.unwrap();
        let mut connections = Vec::new();
        for n in 0..count {
            let tokens = self.oauth().issue(&["read", "activity:read_all"], now);
            let mut new = NewConnection::new(user, "strava", credentials(&tokens));
            new.account = Some(format!("athlete {n}"));
            connections.push(store.connect(new).await.unwrap().0);
        }
        store.close().await.unwrap();
        connections
    }

    /// A view of the first connection's run, for another thread.
    pub(crate) fn pages(&self) -> Pages {
        Pages { url: self.home.url(), folder: self.home.data.clone(), connection: self.connections[0] }
    }

    pub(crate) fn oauth(&self) -> &AuthorizationServer {
        self.simulator.oauth()
    }

    /// The program on them, under the command before it, if there is one.
    pub(crate) fn command(&self, wrapper: &[&str], args: &[&str]) -> Command {
        let mut command = self.home.command(wrapper, args);
        let (url, provider) = (self.server.url(), "LIFEHUB_PROVIDERS__STRAVA__");
        command
            .env(format!("{provider}BASE_URL"), format!("{url}/api/v3"))
            .env(format!("{provider}TOKEN_URL"), format!("{url}/oauth/token"))
            .env(format!("{provider}CLIENT_ID"), StravaSimulator::CLIENT_ID)
            .env(format!("{provider}CLIENT_SECRET"), StravaSimulator::CLIENT_SECRET)
            .env(format!("{provider}INTERVAL"), "300ms")
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        command
    }

    /// A worker that works on one connection at a time, which others may have soon after it was killed.
    pub(crate) fn worker(&self) -> Child {
        self.command(&[], &["worker", "--concurrency", "1"]).env("LIFEHUB_LEASE", "2s").spawn().unwrap()
    }

    /// How many connections stand so.
    pub(crate) fn standing(&self, status: ConnectionStatus) -> usize {
        block_on(async {
            let store = self.home.store().await;
            let all = store.connections(ConnectionFilter::default()).await.unwrap();
            store.close().await.unwrap();
            all.iter().filter(|one| one.status == status).count()
        })
    }
}

/// How many pages of a run are committed.
pub(crate) struct Pages {
    url: String,
    folder: PathBuf,
    connection: ConnectionId,
}

impl Pages {
    /// Waits until there are so many. It may be called inside of a runtime.
    pub(crate) fn wait_for(self, pages: u64) {
        let wait = async move {
            let store = open(&self.url, &self.folder).await;
            while store
                .latest(self.connection)
                .await
                .unwrap()
                .is_none_or(|run| run.report.totals().pages < pages)
            {
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
            store.close().await.unwrap();
        };
        std::thread::spawn(|| block_on(wait)).join().unwrap();
    }
}

pub(crate) fn credentials(tokens: &Issued) -> Credentials {
    let secret = |text: &str| Secret::new(text);
    let mut all = Credentials::none().with("access_token", secret(&tokens.access_token));
    if let Some(refresh) = &tokens.refresh_token {
        all = all.with("refresh_token", secret(refresh));
    }
    if let (Some(at), Some(life)) = (tokens.expires_at, tokens.expires_in_s) {
        all = all.with("expires_at", secret(&at.to_string())).with("expires_in", secret(&life.to_string()));
    }
    all
}

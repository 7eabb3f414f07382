//! Many worker processes on one PostgreSQL server: each item once, each lease by one at a time, whoever is killed and
//! even while the server itself is restarted.

use std::path::Path;
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use lifehub_core::clock::{Clock, SystemClock, Zone};
use lifehub_core::secret::{Credentials, Secret};
use lifehub_scratch::{Cluster, Stop};
use lifehub_store::{NewConnection, Store};
use lifehub_strava::simulator::{StravaSimulator, World, WorldOptions};
use lifehub_testkit::{Proxy, Seeded, Server, Toxic, Toxics};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use sqlx::{Connection as _, Executor as _, PgConnection};

use crate::fleet::reach;
use crate::home::{Home, block_on, open};
use crate::need;

/// For how long a lease holds here: a killed worker's connections are free after that.
const LEASE: Duration = Duration::from_secs(5);
/// Connections of one user.
const OF_USER: u64 = 4;

/// Notes each claim of a lease that was not given back: for how long it had been over by then, and for how long it had
/// been over and its connection due. (One that broke off again and again is not due at once.)
const AUDIT: &str = "
    CREATE TABLE audit (connection_id BIGINT, epoch BIGINT, over_us BIGINT, waited_us BIGINT);
    CREATE FUNCTION audit() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$
    DECLARE
        now BIGINT := extract(epoch FROM clock_timestamp()) * 1000000;
        due BIGINT;
    BEGIN
        PERFORM set_config('lifehub.owner', '0', true);
        SELECT due_at INTO due FROM connections WHERE id = NEW.connection_id;
        INSERT INTO audit
            VALUES (NEW.connection_id, NEW.epoch, now - OLD.expires_at, now - greatest(OLD.expires_at, due));
        RETURN NEW;
    END $$;
    CREATE TRIGGER audit AFTER UPDATE ON leases FOR EACH ROW
        WHEN (NEW.epoch <> OLD.epoch AND OLD.holder IS NOT NULL) EXECUTE FUNCTION audit()";
/// Items, records and partitions that are not as they should be in each connection: `{items}` of each.
const ODD: &str = "SELECT count(*) FROM (
    SELECT c.id FROM connections c
        LEFT JOIN partitions p ON p.user_id = c.user_id AND p.connection_id = c.id AND p.stream = convert_to('activities', 'UTF8')
        LEFT JOIN items i ON i.user_id = c.user_id AND i.partition_id = p.id
        LEFT JOIN records r ON r.user_id = c.user_id AND r.item_id = i.id
    GROUP BY c.id
    HAVING count(DISTINCT i.external_key) <> {items} OR count(i.id) <> {items} OR count(r.id) <> {items}
        OR bool_or(i.state <> 0 OR r.state <> 0) OR count(DISTINCT r.seq) <> {items}) AS odd";

/// A server, a provider, and connections that were never synced.
struct Nodes {
    cluster: Cluster,
    proxy: Proxy,
    _server: Server,
    folder: tempfile::TempDir,
    connections: u64,
    items: u64,
    concurrency: u64,
}

impl Nodes {
    fn new(connections: u64, items: u64, concurrency: u64, latency: Duration) -> Option<Self> {
        let cluster = need::cluster()?;
        let now = SystemClock::default().now();
        let options = WorldOptions::default().activities(usize::try_from(items).unwrap());
        let simulator = StravaSimulator::new(World::seeded(9, now, options));
        simulator.set_limits(None);
        let server = Server::start(simulator).unwrap();
        let proxy = Proxy::start(&server.url(), 9).unwrap();
        if !latency.is_zero() {
            proxy.set(Toxics::none().to_client(Toxic::Latency { delay: latency, jitter: Duration::ZERO }));
        }
        let folder = tempfile::tempdir().unwrap();
        let nodes = Self { cluster, proxy, _server: server, folder, connections, items, concurrency };
        block_on(nodes.connect());
        Some(nodes)
    }

    async fn connect(&self) {
        let store = self.store().await;
        let token = Secret::new(StravaSimulator::TOKEN);
        for user in 0..self.connections.div_ceil(OF_USER) {
            let id = store.create_user(&format!("u{user}@example.org"), &Zone::utc()).await.unwrap();
            for n in (0..OF_USER).take_while(|n| user * OF_USER + n < self.connections) {
                let mut new =
                    NewConnection::new(id, "strava", Credentials::none().with("access_token", token.clone()));
                new.account = Some(format!("athlete {n}"));
                store.connect(new).await.unwrap();
            }
        }
        store.close().await.unwrap();
        self.database().await.execute(AUDIT).await.unwrap();
    }

    async fn store(&self) -> Store {
        open(&self.cluster.url(), self.folder.path()).await
    }

    async fn database(&self) -> PgConnection {
        PgConnection::connect(&self.cluster.url()).await.unwrap()
    }

    /// One number that the database answers; `None` while it is away.
    async fn ask(&self, sql: &str) -> Option<i64> {
        let mut conn = PgConnection::connect(&self.cluster.url()).await.ok()?;
        sqlx::query_scalar(sqlx::AssertSqlSafe(sql)).fetch_one(&mut conn).await.ok()
    }

    fn worker(&self) -> Child {
        let (provider, url) = ("LIFEHUB_PROVIDERS__STRAVA__", self.proxy.url());
        Home::at(self.folder.path())
            .command(&[], &["worker", "--concurrency", &self.concurrency.to_string()])
            .env("LIFEHUB_DATABASE_URL", self.cluster.url())
            .env("LIFEHUB_LEASE", format!("{}s", LEASE.as_secs()))
            .env(format!("{provider}BASE_URL"), format!("{url}/api/v3"))
            .env(format!("{provider}INTERVAL"), "12h")
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap()
    }

    /// How many connections are not at their end yet; `None` while the database is away.
    async fn left(&self) -> Option<u64> {
        let hour = SystemClock::default().now() + Duration::from_secs(3600);
        let left = self
            .ask(&format!("SELECT count(*) FROM connections WHERE due_at < {}", hour.as_micros()))
            .await?;
        u64::try_from(left).ok()
    }

    /// Asks workers to stop: each does so in order, in no time.
    fn stop(workers: Vec<Child>) {
        for worker in &workers {
            kill(Pid::from_raw(worker.id().cast_signed()), Signal::SIGTERM).unwrap();
        }
        let asked = Instant::now();
        for mut worker in workers {
            let status = worker.wait().unwrap();
            assert_eq!(status.code(), Some(143), "a worker that was asked to stop: {status}");
        }
        assert!(asked.elapsed() < Duration::from_secs(15), "{:?} to stop", asked.elapsed());
    }

    /// Every item is there once, as a record of its own in its user's feed, and no lease was held twice.
    async fn assert_whole(&self) {
        let mut conn = self.database().await;
        conn.execute("ANALYZE").await.unwrap();
        let odd = ODD.replace("{items}", &self.items.to_string());
        assert_eq!(
            self.ask(&odd).await,
            Some(0),
            "connections whose items or records are not each there once"
        );
        let all = self.ask("SELECT count(*) FROM records").await;
        assert_eq!(all, i64::try_from(self.connections * self.items).ok());
        let twice = "SELECT count(*) FROM audit WHERE over_us < 0";
        assert_eq!(self.ask(twice).await, Some(0), "leases that were held twice");
        let store = self.store().await;
        for finding in store.check().await.unwrap() {
            assert!(finding.problems.is_empty(), "{finding:?}");
        }
        store.close().await.unwrap();
    }
}

/// How long what killed workers left was left alone at most: from the last renewal of its lease.
async fn recovery(nodes: &Nodes) -> Duration {
    let longest = nodes.ask("SELECT coalesce(max(waited_us), 0) FROM audit").await;
    LEASE + Duration::from_micros(longest.unwrap().try_into().unwrap())
}

/// One worker is killed each second, and the server is restarted twice: once as if it crashed, once in order. The whole
/// reach is in docs/performance.md.
#[test]
fn workers_that_are_killed_on_a_server_that_is_restarted_lose_and_double_nothing() {
    let seed = reach("LIFEHUB_SEED", 6);
    let count = reach("LIFEHUB_NODES", 3);
    let Some(nodes) = Nodes::new(
        reach("LIFEHUB_NODE_CONNECTIONS", 40),
        reach("LIFEHUB_NODE_ITEMS", 250),
        8,
        Duration::from_millis(reach("LIFEHUB_NODE_LATENCY_MS", 30)),
    ) else {
        return;
    };
    println!("{count} workers, {} connections of {} items, seed {seed}", nodes.connections, nodes.items);
    let mut random = Seeded::new(seed);
    let mut workers: Vec<Child> = (0..count).map(|_| nodes.worker()).collect();
    let mut restarts =
        vec![(nodes.connections / 3, Stop::Fast), (nodes.connections * 2 / 3, Stop::Immediate)];
    let begun = Instant::now();
    let (mut kills, mut stopped, most) = (0, 0, reach("LIFEHUB_NODE_KILLS", 6));
    loop {
        std::thread::sleep(Duration::from_secs(1));
        let Some(left) = block_on(nodes.left()) else { continue };
        if left == 0 {
            break;
        }
        if let Some((at, how)) = restarts.last().copied()
            && left <= at
        {
            // The one that is due last comes first in the list.
            restarts.pop();
            nodes.cluster.restart(how).unwrap();
            stopped += 1;
            println!("{:.0} s: restarted, {how:?}", begun.elapsed().as_secs_f64());
        }
        if kills == most {
            continue;
        }
        let one = usize::try_from(random.whole(0, i64::try_from(count).unwrap() - 1)).unwrap();
        workers[one].kill().unwrap();
        workers[one].wait().unwrap();
        workers[one] = nodes.worker();
        kills += 1;
        assert!(
            begun.elapsed() < Duration::from_secs(1800),
            "{left} connections are left after half an hour"
        );
    }
    let took = begun.elapsed();
    Nodes::stop(workers);
    let recovered = block_on(recovery(&nodes));
    println!(
        "{:.0} s, {kills} kills, {stopped} restarts; what was left was taken after {recovered:?}",
        took.as_secs_f64()
    );
    block_on(nodes.assert_whole());
    assert!(recovered <= Duration::from_secs(10), "{recovered:?}");
}

/// What one worker does in a time, two do in half of it, as long as there are processors for them: each waits for the
/// provider most of its time here. How fast they are is judged at the named reach alone (docs/performance.md): here other
/// tests run beside it.
#[test]
fn twice_as_many_workers_take_half_the_time() {
    let speed = |count: u64| {
        let connections = reach("LIFEHUB_NODE_CONNECTIONS", 16);
        let items = reach("LIFEHUB_NODE_ITEMS", 200);
        let latency = Duration::from_millis(reach("LIFEHUB_NODE_LATENCY_MS", 100));
        let nodes = Nodes::new(connections, items, reach("LIFEHUB_NODE_CONCURRENCY", 2), latency)?;
        let begun = Instant::now();
        let workers: Vec<Child> = (0..count).map(|_| nodes.worker()).collect();
        while block_on(nodes.left()) != Some(0) {
            std::thread::sleep(Duration::from_millis(50));
            assert!(begun.elapsed() < Duration::from_secs(1800), "it takes too long");
        }
        let took = begun.elapsed().as_secs_f64();
        Nodes::stop(workers);
        block_on(nodes.assert_whole());
        let speed = (connections * items) as f64 / took;
        println!("{count} workers: {took:.1} s, {speed:.0} items/s, load {}", load());
        Some(speed)
    };
    let Some(one) = speed(1) else { return };
    let mut last = one;
    for count in [2, 4, 8].into_iter().filter(|count| *count <= reach("LIFEHUB_NODES", 2)) {
        last = speed(count).unwrap();
        println!("{count} workers are {:.2} times as fast as one", last / one);
    }
    let judged = reach("LIFEHUB_NODES", 2) > 2;
    assert!(!judged || last > one * 1.3, "{last} items/s after {one}");
}

fn load() -> String {
    let load = std::fs::read_to_string(Path::new("/proc/loadavg")).unwrap_or_default();
    load.split(' ').next().unwrap_or_default().to_owned()
}

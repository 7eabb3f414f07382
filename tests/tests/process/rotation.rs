//! The master key is rotated by a program that is killed, beside one that reads and saves: every credential opens at
//! every moment.

use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use lifehub_core::clock::Zone;
use lifehub_core::oauth::Vault;
use lifehub_core::record::ConnectionId;
use lifehub_core::secret::{Credentials, Secret};
use lifehub_store::{NewConnection, Store};
use lifehub_testkit::Seeded;
use serde_json::Value;
use sqlx::{Connection as _, SqliteConnection};

use crate::fleet::reach;
use crate::home::{Home, Kind, block_on, on_each_database};
use crate::lifehub::{Lifehub, Strava};

const KILLS: u32 = 10;

/// How many credentials; the full reach is named in docs/performance.md.
fn count() -> usize {
    reach("LIFEHUB_CREDENTIALS", 200) as usize
}

/// Connections whose tokens are their numbers.
struct Sealed {
    lifehub: Lifehub,
    connections: Vec<ConnectionId>,
}

impl Sealed {
    fn with(kind: Kind, count: usize) -> Self {
        let lifehub = Lifehub::at(Home::new(kind), &Strava::with(1, 1, 0));
        let connections = block_on(async {
            let store = lifehub.home.store().await;
            let user = store.create_user("a@example.org", &Zone::utc()).await.unwrap();
            let mut connections = Vec::new();
            for n in 0..count {
                let account = Some(n.to_string());
                let new = NewConnection { account, ..NewConnection::new(user, "strava", token(n)) };
                connections.push(store.connect(new).await.unwrap().0);
            }
            store.close().await.unwrap();
            connections
        });
        Self { lifehub, connections }
    }

    fn start_rotation(&self) -> Child {
        let mut command = self.lifehub.command(&["keys", "rotate", "--json"]);
        command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
    }

    /// How many keys the file holds.
    fn keys(&self) -> u64 {
        std::fs::metadata(self.lifehub.home.data.join("master.key")).unwrap().len() / 32
    }

    /// The names of the keys in the database.
    async fn names(&self) -> Vec<String> {
        let keys =
            "SELECT value FROM meta WHERE name = 'master_key' UNION SELECT master_key FROM credentials";
        let keys: Vec<Vec<u8>> = match &self.lifehub.home.schema {
            Some(schema) => sqlx::query_scalar(keys).fetch_all(&mut schema.connect().await).await,
            None => {
                let mut conn = SqliteConnection::connect(&self.lifehub.home.url()).await.unwrap();
                sqlx::query_scalar(keys).fetch_all(&mut conn).await
            }
        }
        .unwrap();
        keys.iter().map(|key| key.iter().map(|byte| format!("{byte:02x}")).collect()).collect()
    }
}

fn token(n: usize) -> Credentials {
    Credentials::none().with("access_token", Secret::new(n.to_string()))
}

async fn assert_opens(store: &Store, connection: ConnectionId, n: usize) {
    let held = store.credentials(connection).await.unwrap();
    assert_eq!(held.credentials.get("access_token").unwrap().expose(), n.to_string());
}

async fn assert_all_open(store: &Store, connections: &[ConnectionId]) {
    for (n, connection) in connections.iter().enumerate() {
        assert_opens(store, *connection, n).await;
    }
}

/// The report of a rotation that ran to its end.
fn report(child: Child) -> Value {
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

/// Kills it after that time; false if it was faster.
fn kill_after(mut child: Child, wait: Duration) -> bool {
    let begun = Instant::now();
    while begun.elapsed() < wait {
        if child.try_wait().unwrap().is_some() {
            report(child);
            return false;
        }
        std::thread::sleep(Duration::from_micros(500));
    }
    child.kill().unwrap();
    !child.wait().unwrap().success()
}

on_each_database! {
    #[test]
    fn a_rotation_that_is_killed_leaves_every_credential_readable(kind: Kind) {
        let seed = reach("LIFEHUB_SEED", 30);
        println!("{} credentials, {KILLS} kills, seed {seed}", count());
        let mut random = Seeded::new(seed);
        let sealed = Sealed::with(kind, count());
        block_on(async {
            // It runs all the while.
            let worker = sealed.lifehub.home.store().await;
            let begun = Instant::now();
            let whole = report(sealed.start_rotation());
            assert_eq!(whole["rewrapped"], count());
            let whole = begun.elapsed();
            println!("a whole rotation takes {whole:?}");
            let (mut kills, mut halves) = (0, 0);
            while kills < KILLS {
                let wait = whole.mul_f64(random.fraction(0.0, 1.0));
                if kill_after(sealed.start_rotation(), wait) {
                    kills += 1;
                }
                let halfway = sealed.names().await.len() > 1;
                halves += u32::from(halfway);
                assert!(sealed.keys() == 2 || !halfway, "the file has both keys as long as both are needed");
                assert_all_open(&sealed.lifehub.home.store().await, &sealed.connections).await;
                assert_all_open(&worker, &sealed.connections).await;
            }
            println!("{halves} of {kills} kills were halfway through the rows");
            let last = report(sealed.start_rotation());
            assert_eq!(sealed.names().await, [last["key"].as_str().unwrap()]);
            assert_eq!(sealed.keys(), 1);
            assert_all_open(&worker, &sealed.connections).await;
            sealed.lifehub.ok(&["doctor"]);
        });
    }

    #[test]
    fn another_process_reads_and_saves_while_keys_rotate(kind: Kind) {
        let sealed = Sealed::with(kind, 50);
        block_on(async {
            let store = sealed.lifehub.home.store().await;
            let mut work = 0;
            let mut last = Value::Null;
            for _ in 0..5 {
                let mut child = sealed.start_rotation();
                while child.try_wait().unwrap().is_none() {
                    let at = work % sealed.connections.len();
                    let connection = sealed.connections[at];
                    assert_opens(&store, connection, at).await;
                    store.save_credentials(connection, &token(at)).await.unwrap();
                    work += 1;
                }
                last = report(child);
            }
            println!("{work} times read and saved");
            assert!(work > 5);
            assert_all_open(&store, &sealed.connections).await;
            assert_eq!(sealed.names().await, [last["key"].as_str().unwrap()]);
        });
    }
}

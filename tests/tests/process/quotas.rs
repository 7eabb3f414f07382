//! Quotas over ten processes that share one database, as the provider counts what arrives.

use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use futures_util::future::join_all;
use lifehub_core::clock::{Clock, ManualClock, Rng, SystemClock, Timestamp};
use lifehub_core::http::{
    Http, QuotaScope, QuotaSpec, Quotas, Request, ReqwestTransport, Response, Transport,
};
use lifehub_core::{ErrorKind, Result};
use lifehub_store::Store;
use lifehub_testkit::{Server, SimRequest, SimResponse, Simulator};

use crate::home::{Home, Kind, block_on, on_each_database, open};

const LIMIT: usize = 100;
const WINDOW: Duration = Duration::from_secs(4);
const WORKERS: usize = 10;

/// How many windows are watched; the full reach is named in docs/performance.md.
fn windows() -> u32 {
    std::env::var("LIFEHUB_QUOTA_WINDOWS").ok().and_then(|n| n.parse().ok()).unwrap_or(3)
}

/// What a worker is told, by name: the program of these tests runs itself.
const QUOTA: &str = "LIFEHUB_TEST_QUOTA";
const DATABASE: &str = "LIFEHUB_TEST_QUOTA_DATABASE";
const FOLDER: &str = "LIFEHUB_TEST_QUOTA_FOLDER";
const URL: &str = "LIFEHUB_TEST_QUOTA_URL";
const FROM: &str = "LIFEHUB_TEST_QUOTA_FROM";

fn client(ledger: Store, spec: QuotaSpec, transport: Arc<dyn Transport>, clock: Arc<dyn Clock>) -> Http {
    let rng = Arc::new(Rng::from_entropy());
    let quotas = Quotas::new("test", "app", vec![spec], Arc::new(ledger), clock.clone(), rng).unwrap();
    let base = std::env::var(URL).unwrap_or_else(|_| "http://127.0.0.1:1".into()).parse().unwrap();
    Http::builder(transport, base).clock(clock).quotas(Arc::new(quotas), "c").build().unwrap()
}

fn spec(quota: &str) -> QuotaSpec {
    match quota {
        "fixed" => QuotaSpec::fixed("fixed", QuotaScope::App, LIMIT as u32, WINDOW),
        _ => QuotaSpec::sliding("sliding", QuotaScope::App, LIMIT as u32, WINDOW),
    }
}

/// One of the ten: asks as fast as it may. On its own it does nothing.
#[tokio::test]
async fn a_worker_that_the_other_tests_start() {
    let Ok(quota) = std::env::var(QUOTA) else { return };
    let variable = |name| std::env::var(name).unwrap();
    let clock = Arc::new(SystemClock::default());
    let transport = Arc::new(ReqwestTransport::new().unwrap());
    let ledger = open(&variable(DATABASE), variable(FOLDER).as_ref()).await;
    let http = client(ledger, spec(&quota), transport, clock.clone());
    let from: Timestamp = variable(FROM).parse().unwrap();
    clock.sleep(from.since(clock.now())).await;
    while clock.now() < from + WINDOW * windows() {
        http.get("/x").send().await.unwrap();
    }
}

/// Answers everything.
struct Yes;

impl Simulator for Yes {
    fn handle(&self, _: &SimRequest) -> SimResponse {
        SimResponse::json_text(200, "{}")
    }
}

/// When the requests of ten processes arrive that begin with a window.
fn arrivals(kind: Kind, quota: &str) -> (Timestamp, Vec<Timestamp>) {
    let (home, server) = (Home::new(kind), Server::start(Yes).unwrap());
    // It makes the database ready, so that nobody waits for that.
    block_on(async { home.store().await.close().await }).unwrap();
    let length = WINDOW.as_micros() as i64;
    let soon = SystemClock::default().now() + Duration::from_millis(1_500);
    let from = Timestamp::from_micros((soon.as_micros() / length + 1) * length);
    let worker = |_| {
        Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "quotas::a_worker_that_the_other_tests_start"])
            .env(QUOTA, quota)
            .env(DATABASE, home.url())
            .env(FOLDER, &home.data)
            .env(URL, server.url())
            .env(FROM, from.to_string())
            .stdout(Stdio::null())
            .spawn()
            .unwrap()
    };
    let workers: Vec<_> = (0..WORKERS).map(worker).collect();
    for mut worker in workers {
        assert!(worker.wait().unwrap().success(), "a worker failed");
    }
    let mut arrived: Vec<Timestamp> = server.requests().into_iter().map(|request| request.at).collect();
    arrived.sort();
    (from, arrived)
}

/// How many arrived in each of the windows that were watched.
fn in_each(from: Timestamp, arrived: &[Timestamp]) -> Vec<usize> {
    let in_window = |n: u32| {
        let start = from + WINDOW * n;
        arrived.iter().filter(|at| (start..start + WINDOW).contains(at)).count()
    };
    // The last is the one after them, where the requests arrive that were waiting when the time was up.
    (0..=windows()).map(in_window).collect()
}

/// Watches ten processes. What `most` finds is never above the limit; the windows are nearly full, but for a machine
/// that has no time for ten processes, which gets two more chances.
fn check(kind: Kind, quota: &str, most: impl Fn(Timestamp, &[Timestamp]) -> Option<usize>) {
    let mut full = Vec::new();
    for _ in 0..3 {
        let (from, arrived) = arrivals(kind, quota);
        let most = most(from, &arrived);
        full = in_each(from, &arrived);
        println!("{quota}: at most {most:?} of {LIMIT}, in each window {full:?}");
        assert!(most <= Some(LIMIT), "{most:?}");
        full.pop();
        if full.iter().all(|&count| count >= LIMIT * 9 / 10) {
            return;
        }
    }
    panic!("less than nine tenths were used: {full:?}");
}

on_each_database! {
    #[test]
    fn rule_11_ten_processes_spend_a_fixed_window_once_and_nearly_whole(kind: Kind) {
        check(kind, "fixed", |from, arrived| in_each(from, arrived).into_iter().max());
    }

    #[test]
    fn rule_11_ten_processes_spend_a_sliding_window_once_and_nearly_whole(kind: Kind) {
        let within = |from: usize, arrived: &[Timestamp]| {
            arrived[from..].iter().take_while(|at| at.since(arrived[from]) < WINDOW).count()
        };
        check(kind, "sliding", move |_, arrived| (0..arrived.len()).map(|i| within(i, arrived)).max());
    }

    #[test]
    fn rule_11_what_one_process_is_told_to_wait_all_wait(kind: Kind) {
        let home = Home::new(kind);
        block_on(all_wait(&home));
    }
}

/// Refuses the next request if it is told to, and remembers when it was asked.
struct Refusing {
    clock: Arc<ManualClock>,
    retry_after: Mutex<Option<&'static str>>,
    asked: Mutex<Vec<Timestamp>>,
}

#[async_trait]
impl Transport for Refusing {
    async fn send(&self, _: Request) -> Result<Response> {
        self.asked.lock().unwrap().push(self.clock.now());
        let mut response = Response::new("200".parse().unwrap(), "{}");
        if let Some(seconds) = self.retry_after.lock().unwrap().take() {
            response.status = "429".parse().unwrap();
            response.headers.insert("retry-after", seconds.parse().unwrap());
        }
        Ok(response)
    }
}

/// Ten clients of one provider, each with a store of its own.
async fn all_wait(home: &Home) {
    let clock = Arc::new(ManualClock::at("2026-03-01T08:01:00Z".parse().unwrap()));
    let provider =
        Arc::new(Refusing { clock: clock.clone(), retry_after: Mutex::default(), asked: Mutex::default() });
    let day = QuotaSpec::fixed("day", QuotaScope::App, 1_000_000, Duration::from_secs(86_400));
    let mut handles = Vec::new();
    for _ in 0..WORKERS {
        handles.push(client(home.store().await, day.clone(), provider.clone(), clock.clone()));
    }
    for round in 0..5 {
        *provider.retry_after.lock().unwrap() = Some("120");
        let refused = handles[round].get("/x").send().await.map(|_| ()).unwrap_err();
        assert_eq!(refused.kind(), ErrorKind::Parked);
        let opens = clock.now() + Duration::from_secs(120);
        provider.asked.lock().unwrap().clear();
        let storm = async || join_all((0..200).map(|i| handles[i % WORKERS].get("/x").send())).await;
        for parked in storm().await {
            let parked = parked.map(|_| ()).unwrap_err();
            assert!(parked.kind() == ErrorKind::Parked && parked.retry_at() >= Some(opens), "{parked:?}");
        }
        assert_eq!(provider.asked.lock().unwrap().len(), 0, "nothing was sent");
        // Near the end it is waited for.
        clock.advance(Duration::from_secs(90));
        // (Whoever waits moves the one clock for all: some find that they have waited long enough, and park.)
        let sent = storm().await.iter().filter(|one| one.is_ok()).count();
        let asked = provider.asked.lock().unwrap();
        let early = asked.iter().filter(|at| **at < opens).count();
        assert!(early == 0 && asked.len() == sent && sent > 0, "{early} of {sent} came early");
    }
}

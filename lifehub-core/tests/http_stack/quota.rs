//! Quotas: never overspent, shared by whom they concern, raised by the provider's figures.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use lifehub_core::clock::{Clock, ManualClock, Timestamp};
use lifehub_core::http::Priority::{Backfill, Live};
use lifehub_core::http::{
    MemoryLedger, Pace, QuotaKey, QuotaLedger, QuotaReport, QuotaScope, QuotaSpec, Quotas, Window,
};
use lifehub_core::{ErrorKind, Result};

use crate::script::{Script, at, clock, error, json, rng, start};

const MINUTE: Duration = Duration::from_secs(60);

fn quotas(clock: &Arc<ManualClock>, ledger: &Arc<impl QuotaLedger + 'static>, specs: &[QuotaSpec]) -> Quotas {
    Quotas::new("test", "app", specs.to_vec(), ledger.clone(), clock.clone(), rng()).unwrap()
}

/// When each of so many requests is let through, by several processes in turn; parked ones wait for their time.
async fn let_through(clock: &Arc<ManualClock>, processes: &[Quotas], count: usize) -> Vec<Timestamp> {
    let mut sent = Vec::new();
    while sent.len() < count {
        for process in processes {
            match process.acquire("c", "/x", 1, Live).await {
                Ok(()) => sent.push(clock.now()),
                Err(parked) => {
                    assert_eq!(parked.kind(), ErrorKind::Parked);
                    clock.advance(parked.retry_at().unwrap().since(clock.now()));
                }
            }
        }
    }
    sent
}

#[tokio::test]
async fn rule_11_quotas_are_spent_once_in_process() {
    let spec = QuotaSpec::fixed("quarter", QuotaScope::App, 100, 15 * MINUTE);
    let (clock, ledger) = (clock(), Arc::new(MemoryLedger::default()));
    let processes: Vec<Quotas> =
        (0..3).map(|_| quotas(&clock, &ledger, std::slice::from_ref(&spec))).collect();
    let sent = let_through(&clock, &processes, 450).await;
    let mut by_window = std::collections::BTreeMap::<i64, u32>::new();
    for at in sent {
        *by_window.entry(at.as_seconds() / 900).or_default() += 1;
    }
    assert!(by_window.values().all(|&count| count <= 100), "{by_window:?}");
    // What a process drew ahead and did not use is lost with the window: at most a block each.
    assert!(by_window.values().take(4).all(|&count| count >= 90), "{by_window:?}");
}

#[tokio::test]
async fn rule_11_a_sliding_quota_is_never_exceeded_in_any_window() {
    for (limit, burst, per, processes) in [
        (120, None, 60, 1),
        (120, None, 60, 3),
        (5, None, 10, 1),
        (5, Some(4), 10, 2),
        (2, None, 10, 3),
        (100, Some(100), 60, 2),
        (7, Some(3), 30, 2),
    ] {
        let per = Duration::from_secs(per);
        let mut spec = QuotaSpec::sliding("s", QuotaScope::App, limit, per);
        if let Some(burst) = burst {
            spec = spec.burst(burst);
        }
        let (clock, ledger) = (clock(), Arc::new(MemoryLedger::default()));
        clock.advance(Duration::from_millis(3_217));
        let processes: Vec<Quotas> =
            (0..processes).map(|_| quotas(&clock, &ledger, std::slice::from_ref(&spec))).collect();
        let mut sent = let_through(&clock, &processes, limit as usize * 2).await;
        clock.advance(per * 3);
        sent.extend(let_through(&clock, &processes, limit as usize * 2).await);
        for (i, first) in sent.iter().enumerate() {
            let within = sent[i..].iter().take_while(|at| at.since(*first) <= per).count();
            assert!(within <= limit as usize, "{within} of {limit}");
        }
    }
}

#[tokio::test]
async fn rule_11_nine_tenths_of_a_sliding_quota_can_be_used_and_the_network_may_jitter() {
    let jitter = rng();
    for (limit, priority) in
        [40, 41, 59, 60, 99, 100, 119, 1_000].map(|limit| [(limit, Live), (limit, Backfill)]).concat()
    {
        let (clock, ledger) = (clock(), Arc::new(MemoryLedger::default()));
        let spec = QuotaSpec::sliding("s", QuotaScope::App, limit, MINUTE);
        let quotas = quotas(&clock, &ledger, &[spec]);
        let mut arrived = Vec::new();
        while clock.now() < start() + 4 * MINUTE {
            quotas.acquire("c", "/x", 1, priority).await.unwrap();
            arrived.push(clock.now() + jitter.up_to(MINUTE / 100));
        }
        arrived.sort();
        for (i, first) in arrived.iter().enumerate() {
            let within = arrived[i..].iter().take_while(|at| at.since(*first) < MINUTE).count();
            assert!(within <= limit as usize, "{within} of {limit}");
            let is_whole = first.since(start()) < 3 * MINUTE;
            assert!(!is_whole || within >= limit as usize * 9 / 10, "{within} of {limit} for {priority:?}");
        }
    }
}

#[tokio::test]
async fn rule_11_the_provider_counts_no_more_than_the_limit_by_a_clock_of_its_own() {
    let spec = QuotaSpec::fixed("minute", QuotaScope::App, 10, MINUTE);
    for skew in [-1_900, 0, 1_900] {
        let (clock, ledger) = (clock(), Arc::new(MemoryLedger::default()));
        let processes: Vec<Quotas> =
            (0..10).map(|_| quotas(&clock, &ledger, std::slice::from_ref(&spec))).collect();
        let mut by_window = std::collections::BTreeMap::<i64, u32>::new();
        let moments = rng();
        for _ in 0..300 {
            // All that a window has, from any moment of it.
            for process in &processes {
                process.acquire("c", "/x", 1, Live).await.unwrap();
                let seen = clock.now().as_micros() + skew * 1000;
                *by_window.entry(seen.div_euclid(60_000_000)).or_default() += 1;
            }
            clock.advance(moments.up_to(2 * MINUTE));
        }
        assert!(by_window.values().all(|&count| count <= 10), "{skew} ms: {by_window:?}");
    }
}

#[tokio::test]
async fn near_the_border_of_a_window_a_request_waits() {
    for (now, sent) in [
        ("2026-03-01T08:15:00Z", "2026-03-01T08:15:02Z"),
        ("2026-03-01T08:15:01.999Z", "2026-03-01T08:15:02Z"),
        ("2026-03-01T08:15:02Z", "2026-03-01T08:15:02Z"),
        ("2026-03-01T08:29:57.999Z", "2026-03-01T08:29:57.999Z"),
        ("2026-03-01T08:29:58Z", "2026-03-01T08:30:02Z"),
    ] {
        let clock = Arc::new(ManualClock::at(at(now)));
        let spec = QuotaSpec::fixed("quarter", QuotaScope::App, 100, 15 * MINUTE);
        quotas(&clock, &Arc::new(MemoryLedger::default()), &[spec])
            .acquire("c", "/x", 1, Live)
            .await
            .unwrap();
        assert_eq!(clock.now(), at(sent));
    }
}

#[tokio::test]
async fn several_quotas_hold_at_once() {
    let clock = clock();
    let specs = [
        QuotaSpec::sliding("second", QuotaScope::Connection, 5, Duration::from_secs(1)),
        QuotaSpec::sliding("minute", QuotaScope::Connection, 60, MINUTE),
        QuotaSpec::fixed("hour", QuotaScope::App, 150, 60 * MINUTE),
    ];
    let one = [quotas(&clock, &Arc::new(MemoryLedger::default()), &specs)];
    let sent = let_through(&clock, &one, 300).await;
    let most = |per: Duration| {
        let within = |i: usize| sent[i..].iter().take_while(|at| at.since(sent[i]) < per).count();
        (0..sent.len()).map(within).max().unwrap()
    };
    assert!(most(Duration::from_secs(1)) <= 5 && most(MINUTE) <= 60);
    assert_eq!(sent.iter().filter(|at| **at < crate::script::at("2026-03-01T09:00:00Z")).count(), 150);
}

#[tokio::test]
async fn connections_have_their_own_and_share_the_apps() {
    let clock = clock();
    let specs = [
        QuotaSpec::fixed("own", QuotaScope::Connection, 2, 60 * MINUTE),
        QuotaSpec::fixed("app", QuotaScope::App, 5, 60 * MINUTE),
    ];
    let quotas = quotas(&clock, &Arc::new(MemoryLedger::default()), &specs);
    let mut granted = Vec::new();
    for connection in ["a", "a", "a", "b", "b", "b", "c", "c"] {
        granted.push(quotas.acquire(connection, "/x", 1, Live).await.is_ok());
    }
    assert_eq!(granted, [true, true, false, true, true, false, true, false]);
}

#[tokio::test]
async fn a_quota_of_a_path_leaves_the_others_alone() {
    let clock = clock();
    let specs = [
        QuotaSpec::fixed("history", QuotaScope::Connection, 1, 60 * MINUTE).only("/history"),
        QuotaSpec::fixed("all", QuotaScope::Connection, 3, 60 * MINUTE),
    ];
    let quotas = quotas(&clock, &Arc::new(MemoryLedger::default()), &specs);
    let mut granted = Vec::new();
    for path in ["/history/a", "/history/b", "/cash", "/cash", "/cash"] {
        granted.push(quotas.acquire("c", path, 1, Live).await.is_ok());
    }
    assert_eq!(granted, [true, false, true, true, false], "a refused request spends nothing");
}

#[tokio::test]
async fn the_path_of_a_quota_is_below_the_base_url() {
    let clock = clock();
    let script = Script::new(&clock, [json(200, "{}")]);
    let spec = QuotaSpec::fixed("x", QuotaScope::Connection, 1, 60 * MINUTE).only("/x");
    let quotas = Arc::new(quotas(&clock, &Arc::new(MemoryLedger::default()), &[spec]));
    let http = script.http().quotas(quotas, "c").build().unwrap();
    http.get("/x/1").send().await.unwrap();
    http.get("/y").send().await.unwrap();
    assert_eq!(error(http.get("/x/2").send().await).kind(), ErrorKind::Parked);
}

#[tokio::test]
async fn requests_spend_their_weight() {
    let clock = clock();
    let specs = [QuotaSpec::fixed("hour", QuotaScope::App, 100, 60 * MINUTE)];
    let quotas = quotas(&clock, &Arc::new(MemoryLedger::default()), &specs);
    for _ in 0..4 {
        quotas.acquire("c", "/x", 24, Live).await.unwrap();
    }
    assert_eq!(error(quotas.acquire("c", "/x", 5, Live).await).kind(), ErrorKind::Parked);
    quotas.acquire("c", "/x", 4, Live).await.unwrap();
    quotas.acquire("c", "/x", 0, Live).await.unwrap();
    assert_eq!(
        error(quotas.acquire("c", "/x", 101, Live).await).kind(),
        ErrorKind::Invalid,
        "it would never fit"
    );
}

#[tokio::test]
async fn a_short_wait_is_waited_and_a_long_one_parks_with_its_end() {
    let clock = Arc::new(ManualClock::at(at("2026-03-01T08:05:00Z")));
    let specs = [QuotaSpec::fixed("quarter", QuotaScope::App, 1, 15 * MINUTE)];
    let quotas = quotas(&clock, &Arc::new(MemoryLedger::default()), &specs);
    quotas.acquire("c", "/x", 1, Live).await.unwrap();
    let parked = error(quotas.acquire("c", "/x", 1, Live).await);
    assert_eq!((parked.kind(), parked.retry_at()), (ErrorKind::Parked, Some(at("2026-03-01T08:15:02Z"))));
    assert_eq!(clock.now(), at("2026-03-01T08:05:00Z"));
    clock.advance(9 * MINUTE + MINUTE / 2);
    quotas.acquire("c", "/x", 1, Live).await.unwrap();
    assert_eq!(clock.now(), at("2026-03-01T08:15:02Z"));
}

/// Counts what is asked of it.
#[derive(Default)]
struct Watched {
    inner: MemoryLedger,
    draws: AtomicU32,
    largest: AtomicU32,
    raises: AtomicU32,
}

#[async_trait]
impl QuotaLedger for Watched {
    async fn draw(&self, key: &QuotaKey, start: Timestamp, want: u32, limit: u32) -> Result<u32> {
        self.draws.fetch_add(1, Ordering::Relaxed);
        self.largest.fetch_max(want, Ordering::Relaxed);
        self.inner.draw(key, start, want, limit).await
    }

    async fn used(&self, key: &QuotaKey, start: Timestamp, used: u32) -> Result<()> {
        self.raises.fetch_add(1, Ordering::Relaxed);
        self.inner.used(key, start, used).await
    }

    async fn take(&self, key: &QuotaKey, now: Timestamp, units: u32, pace: Pace) -> Result<Option<Duration>> {
        self.inner.take(key, now, units, pace).await
    }

    async fn block(&self, key: &QuotaKey, until: Timestamp) -> Result<()> {
        self.inner.block(key, until).await
    }

    async fn blocked_until(&self, key: &QuotaKey) -> Result<Option<Timestamp>> {
        self.inner.blocked_until(key).await
    }
}

#[tokio::test]
async fn rule_11_app_counts_are_drawn_in_blocks_of_a_hundredth_of_the_tightest_window() {
    let specs = [
        QuotaSpec::fixed("quarter", QuotaScope::App, 1_000, 15 * MINUTE),
        QuotaSpec::fixed("day", QuotaScope::App, 10_000, 1440 * MINUTE),
        QuotaSpec::fixed("own", QuotaScope::Connection, 10, 15 * MINUTE),
    ];
    let ledger = Arc::new(Watched::default());
    let quotas = quotas(&clock(), &ledger, &specs);
    for connection in 0..100 {
        quotas.acquire(&connection.to_string(), "/x", 1, Live).await.unwrap();
    }
    assert_eq!(ledger.largest.load(Ordering::Relaxed), 10);
    assert_eq!(ledger.draws.load(Ordering::Relaxed), 20);
}

#[tokio::test]
async fn rule_11_counts_rise_to_the_providers_figure() {
    let spec = QuotaSpec::fixed("quarter", QuotaScope::App, 100, 15 * MINUTE)
        .reported(QuotaReport::used("x-usage", 0));
    let (clock, ledger) = (clock(), Arc::new(Watched::default()));
    let (one, other) = (
        Arc::new(quotas(&clock, &ledger, std::slice::from_ref(&spec))),
        quotas(&clock, &ledger, std::slice::from_ref(&spec)),
    );
    let replies = ["1,1", "2,2", "90,500"].map(|usage| json(200, "{}").with("x-usage", usage));
    let script = Script::new(&clock, replies);
    let http = script.http().quotas(one, "c").build().unwrap();
    http.get("/x").send().await.unwrap();
    http.get("/x").send().await.unwrap();
    assert_eq!(ledger.raises.load(Ordering::Relaxed), 0, "what was drawn is counted already");
    http.get("/x").send().await.unwrap();
    assert_eq!(ledger.raises.load(Ordering::Relaxed), 1);
    // Another process, too, has ten left.
    for _ in 0..10 {
        other.acquire("d", "/x", 1, Live).await.unwrap();
    }
    assert_eq!(error(other.acquire("d", "/x", 1, Live).await).kind(), ErrorKind::Parked);
}

#[tokio::test]
async fn what_is_held_is_counted_on_top_of_the_providers_figure() {
    let spec = QuotaSpec::fixed("hour", QuotaScope::App, 1_000, 60 * MINUTE)
        .reported(QuotaReport::used("x-usage", 0));
    let (clock, ledger) = (clock(), Arc::new(MemoryLedger::default()));
    let one = Arc::new(quotas(&clock, &ledger, std::slice::from_ref(&spec)));
    let script = Script::new(&clock, [json(200, "{}").with("x-usage", "950")]);
    script.http().quotas(one, "c").build().unwrap().get("/x").send().await.unwrap();
    // Of its block of ten, nine are still to be spent.
    let key = QuotaKey::new("test", "hour", "app");
    assert_eq!(ledger.draw(&key, start(), 100, 1_000).await.unwrap(), 41);
}

#[tokio::test]
async fn what_the_provider_calls_spent_is_spent_until_the_window_ends() {
    let clock = clock();
    let spec = QuotaSpec::fixed("hour", QuotaScope::App, 60, 60 * MINUTE)
        .reported(QuotaReport::remaining("x-remaining", 0));
    let quotas = Arc::new(quotas(&clock, &Arc::new(MemoryLedger::default()), &[spec]));
    let script = Script::new(&clock, [json(200, "{}").with("x-remaining", "0")]);
    let http = script.http().quotas(quotas, "c").build().unwrap();
    http.get("/x").send().await.unwrap();
    let parked = error(http.get("/x").send().await);
    assert_eq!((parked.kind(), script.count()), (ErrorKind::Parked, 1));
    clock.advance(60 * MINUTE);
    http.get("/x").send().await.unwrap();
}

#[tokio::test]
async fn a_clock_that_is_set_back_does_not_lock_the_quota() {
    let clock = clock();
    let specs = [QuotaSpec::fixed("day", QuotaScope::App, 10, 1440 * MINUTE)];
    let quotas = quotas(&clock, &Arc::new(MemoryLedger::default()), &specs);
    quotas.acquire("c", "/x", 1, Live).await.unwrap();
    clock.jump_to(start() + 1440 * MINUTE);
    quotas.acquire("c", "/x", 1, Live).await.unwrap();
    clock.jump_to(start());
    quotas.acquire("c", "/x", 1, Live).await.unwrap();
}

#[test]
fn a_quota_that_makes_no_sense_is_refused() {
    let check = |specs: Vec<QuotaSpec>| {
        let made =
            Quotas::new("test", "", specs, Arc::new(MemoryLedger::default()), clock(), rng()).map(|_| ());
        assert_eq!(error(made).kind(), ErrorKind::Invalid);
    };
    check(vec![QuotaSpec::fixed("a", QuotaScope::App, 0, MINUTE)]);
    check(vec![QuotaSpec::fixed("a", QuotaScope::App, 1, Duration::ZERO)]);
    check(vec![QuotaSpec::fixed("", QuotaScope::App, 1, MINUTE)]);
    check(vec![QuotaSpec::sliding("a", QuotaScope::App, 5, MINUTE).burst(6)]);
    check(vec![QuotaSpec::sliding("a", QuotaScope::App, 5, MINUTE).burst(0)]);
    check(vec![QuotaSpec::fixed("a", QuotaScope::App, 1, MINUTE); 2]);
}

#[test]
fn quotas_are_written_with_units_and_unknown_words_are_refused() {
    let text = r#"{"name":"day","scope":"app","window":{"kind":"fixed","every_s":86400},"limit":1000}"#;
    let spec: QuotaSpec = serde_json::from_str(text).unwrap();
    assert_eq!(spec, QuotaSpec::fixed("day", QuotaScope::App, 1000, 1440 * MINUTE));
    assert_eq!(serde_json::to_string(&spec).unwrap(), text);
    let text = r#"{"name":"h","scope":"connection","window":{"kind":"sliding","per_s":60,"burst":5},"limit":9,"path":"/me"}"#;
    let spec: QuotaSpec = serde_json::from_str(text).unwrap();
    assert!(matches!(spec.window, Window::Sliding { per: MINUTE, burst: Some(5), .. }));
    assert_eq!(serde_json::to_string(&spec).unwrap(), text);
    for (from, to) in [("limit", "limits"), ("per_s", "per"), ("sliding", "slide")] {
        assert!(serde_json::from_str::<QuotaSpec>(&text.replace(from, to)).is_err(), "{to}");
    }
}

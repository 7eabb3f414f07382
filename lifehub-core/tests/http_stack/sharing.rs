//! Who goes first where connections share a quota: news before history, and nobody asks in vain.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use lifehub_core::clock::{Clock, ManualClock, Timestamp};
use lifehub_core::http::Priority::{Backfill, Live};
use lifehub_core::http::{
    MemoryLedger, Pace, Priority, QuotaKey, QuotaLedger, QuotaReport, QuotaScope, QuotaSpec, Quotas,
};
use lifehub_core::{ErrorKind, Result};

use crate::script::{Script, at, clock, error, json, rng, start};

const MINUTE: Duration = Duration::from_secs(60);
const QUARTER: Duration = Duration::from_secs(900);

fn quotas(clock: &Arc<ManualClock>, ledger: &Arc<impl QuotaLedger + 'static>, spec: &QuotaSpec) -> Quotas {
    Quotas::new("test", "app", vec![spec.clone()], ledger.clone(), clock.clone(), rng()).unwrap()
}

/// How many requests of this priority are let through without a wait longer than a minute.
async fn spent(quotas: &Quotas, connection: &str, priority: Priority) -> u32 {
    for count in 0.. {
        if let Err(parked) = quotas.acquire(connection, "/x", 1, priority).await {
            assert_eq!(parked.kind(), ErrorKind::Parked);
            return count;
        }
    }
    unreachable!()
}

#[tokio::test]
async fn rule_11_a_backfill_leaves_a_tenth_of_a_window_to_news_until_its_last_tenth() {
    let spec = QuotaSpec::fixed("quarter", QuotaScope::App, 1_000, QUARTER);
    let (clock, ledger) = (clock(), Arc::new(MemoryLedger::default()));
    let (one, other) = (quotas(&clock, &ledger, &spec), quotas(&clock, &ledger, &spec));
    assert_eq!(spent(&one, "history", Backfill).await, 900);
    let parked = error(one.acquire("history", "/x", 1, Backfill).await);
    assert_eq!(parked.retry_at(), Some(at("2026-03-01T08:13:30Z")));
    // News comes through, here and in another process, and history does not take what news drew.
    for _ in 0..20 {
        for process in [&one, &other] {
            process.acquire("news", "/x", 1, Live).await.unwrap();
            assert_eq!(spent(&one, "history", Backfill).await, 0);
        }
    }
    assert!(clock.now() < start() + MINUTE, "nobody waited");
    // What news did not need is not lost. (The other process holds what is left of its block.)
    clock.jump_to(at("2026-03-01T08:13:30Z"));
    assert!((50..=60).contains(&spent(&one, "history", Backfill).await));
    // News that comes after that waits for the next window, no longer.
    assert!(spent(&other, "news", Live).await < 10);
    let parked = error(other.acquire("news", "/x", 1, Live).await);
    assert_eq!(parked.retry_at(), Some(at("2026-03-01T08:15:02Z")));
}

#[tokio::test]
async fn rule_11_where_all_is_history_nine_tenths_are_used() {
    for limit in [1, 5, 10, 11, 100] {
        let spec = QuotaSpec::fixed("quarter", QuotaScope::App, limit, QUARTER);
        let (clock, ledger) = (clock(), Arc::new(MemoryLedger::default()));
        let quotas = quotas(&clock, &ledger, &spec);
        let first = spent(&quotas, "history", Backfill).await;
        assert_eq!(first, limit - limit / 10);
        clock.jump_to(at("2026-03-01T08:13:30Z"));
        assert_eq!(first + spent(&quotas, "history", Backfill).await, limit);
    }
}

#[tokio::test]
async fn rule_11_news_does_not_wait_for_a_backfill_of_a_sliding_quota() {
    for (limit, burst) in [(40, None), (100, None), (10, Some(2)), (1_000, None)] {
        let mut spec = QuotaSpec::sliding("minute", QuotaScope::App, limit, MINUTE);
        spec = burst.map_or(spec.clone(), |burst| spec.burst(burst));
        let (clock, ledger) = (clock(), Arc::new(MemoryLedger::default()));
        let (one, other) = (quotas(&clock, &ledger, &spec), quotas(&clock, &ledger, &spec));
        for round in 0..limit * 3 {
            one.acquire("history", "/x", 1, Backfill).await.unwrap();
            if round % 7 == 0 {
                let before = clock.now();
                let process = if round % 2 == 0 { &one } else { &other };
                process.acquire("news", "/x", 1, Live).await.unwrap();
                assert_eq!(clock.now(), before, "round {round} of {limit}");
            }
        }
    }
}

#[tokio::test]
async fn a_connections_own_quota_is_all_its_own() {
    let spec = QuotaSpec::fixed("quarter", QuotaScope::Connection, 100, QUARTER);
    assert_eq!(spent(&quotas(&clock(), &Arc::new(MemoryLedger::default()), &spec), "c", Backfill).await, 100);
}

/// Counts how often units are asked for, and may take five seconds to draw some.
#[derive(Default)]
struct Asked {
    inner: MemoryLedger,
    takes: AtomicU32,
    slow: Option<Arc<ManualClock>>,
}

#[async_trait]
impl QuotaLedger for Asked {
    async fn draw(&self, key: &QuotaKey, start: Timestamp, want: u32, limit: u32) -> Result<u32> {
        if let Some(clock) = &self.slow {
            clock.advance(Duration::from_secs(5));
        }
        self.inner.draw(key, start, want, limit).await
    }

    async fn used(&self, key: &QuotaKey, start: Timestamp, used: u32) -> Result<()> {
        self.inner.used(key, start, used).await
    }

    async fn take(&self, key: &QuotaKey, now: Timestamp, units: u32, pace: Pace) -> Result<Option<Duration>> {
        self.takes.fetch_add(1, Ordering::Relaxed);
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
async fn of_many_who_wait_one_asks_the_ledger() {
    let spec = QuotaSpec::sliding("hour", QuotaScope::App, 100, 60 * MINUTE);
    let (clock, ledger) = (clock(), Arc::new(Asked::default()));
    let quotas = quotas(&clock, &ledger, &spec);
    for _ in 0..5 {
        quotas.acquire("c", "/x", 1, Live).await.unwrap();
    }
    let waiting = (0..50).map(|_| quotas.acquire("c", "/x", 1, Live));
    let granted = futures_util::future::join_all(waiting).await.into_iter().filter(Result::is_ok).count();
    let takes = ledger.takes.load(Ordering::Relaxed) as usize;
    assert!(granted >= 1 && takes <= 5 + 2 * granted + 2, "{takes} takes for {granted} more");
}

#[tokio::test]
async fn a_sliding_quota_is_left_alone_when_the_provider_says_that_nothing_remains() {
    let clock = clock();
    let spec = QuotaSpec::sliding("hour", QuotaScope::App, 100, 60 * MINUTE)
        .reported(QuotaReport::remaining("x-left", 0));
    let quotas = Arc::new(quotas(&clock, &Arc::new(MemoryLedger::default()), &spec));
    let script = Script::new(&clock, ["1", "0"].map(|left| json(200, "{}").with("x-left", left)));
    let http = script.http().quotas(quotas, "c").build().unwrap();
    http.get("/x").send().await.unwrap();
    http.get("/x").send().await.unwrap();
    assert_eq!(clock.now(), start());
    let parked = error(http.get("/x").send().await);
    let wait = parked.retry_at().unwrap().since(start());
    assert!(parked.kind() == ErrorKind::Parked && wait > 3 * MINUTE && wait < 4 * MINUTE, "{wait:?}");
}

#[tokio::test]
async fn a_clock_that_is_set_back_does_not_lock_a_sliding_quota() {
    let clock = clock();
    let spec = QuotaSpec::sliding("day", QuotaScope::App, 100, 1440 * MINUTE);
    let quotas = quotas(&clock, &Arc::new(MemoryLedger::default()), &spec);
    clock.jump_to(start() + 365 * 1440 * MINUTE);
    assert_eq!(spent(&quotas, "c", Live).await, 5);
    clock.jump_to(start());
    let parked = error(quotas.acquire("c", "/x", 1, Live).await);
    clock.jump_to(parked.retry_at().unwrap());
    assert!(clock.now() < start() + 90 * MINUTE);
    quotas.acquire("c", "/x", 1, Live).await.unwrap();
}

#[tokio::test]
async fn units_of_a_window_are_not_spent_in_the_next_one() {
    let clock = Arc::new(ManualClock::at(at("2026-03-01T08:14:55Z")));
    let ledger = Arc::new(Asked { slow: Some(clock.clone()), ..Asked::default() });
    let spec = QuotaSpec::fixed("quarter", QuotaScope::App, 10, QUARTER);
    quotas(&clock, &ledger, &spec).acquire("c", "/x", 1, Live).await.unwrap();
    assert_eq!(clock.now(), at("2026-03-01T08:15:07Z"));
    let key = QuotaKey::new("test", "quarter", "app");
    let left = ledger.inner.draw(&key, at("2026-03-01T08:15:00Z"), 10, 10).await.unwrap();
    assert_eq!(left, 9, "it was counted in the window in which it was sent");
}

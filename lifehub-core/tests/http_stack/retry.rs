//! Trying again: how often, how long between, and when not.

use std::sync::Arc;
use std::time::Duration;

use lifehub_core::ErrorKind;
use lifehub_core::clock::{Clock, ManualClock, Timestamp};
use lifehub_core::http::{MemoryLedger, QuotaReport, QuotaScope, QuotaSpec, Quotas, RetryPolicy};

use crate::script::{Reply, Script, at, clock, error, json, rng, start, status};

const MINUTE: Duration = Duration::from_secs(60);

fn quotas(clock: &Arc<ManualClock>, specs: Vec<QuotaSpec>) -> Arc<Quotas> {
    let ledger = Arc::new(MemoryLedger::default());
    Arc::new(Quotas::new("test", "app", specs, ledger, clock.clone(), rng()).unwrap())
}

/// Seconds as an HTTP date.
fn date(at: Timestamp) -> String {
    let since = Duration::from_secs(u64::try_from(at.as_seconds()).unwrap());
    httpdate::fmt_http_date(std::time::SystemTime::UNIX_EPOCH + since)
}

#[tokio::test]
async fn temporary_failures_are_tried_five_times_and_keep_their_kind() {
    for (reply, kind) in [
        (status(500), ErrorKind::Unavailable),
        (status(503), ErrorKind::Unavailable),
        (status(408), ErrorKind::Unavailable),
        (status(429), ErrorKind::Throttled),
        (Reply::Cut, ErrorKind::Unavailable),
        (json(200, r#"{"a":"#), ErrorKind::InvalidResponse),
        (json(200, r#"{"a":1} oops"#), ErrorKind::InvalidResponse),
        (json(502, "").with("content-type", "text/html"), ErrorKind::Unavailable),
    ] {
        let script = Script::new(&clock(), [reply]);
        let failed = error(script.http().build().unwrap().get("/x").json::<serde_json::Value>().await);
        assert_eq!((failed.kind(), script.count()), (kind, 5), "{failed:?}");
        assert!(failed.to_string().contains("tries: 5"), "{failed}");
        assert!(failed.to_string().contains("GET https://api.test/v3/x"), "{failed}");
    }
}

#[tokio::test]
async fn to_wait_as_long_as_the_provider_asks_is_no_failed_try() {
    let asked = || status(429).with("retry-after", "1");
    let failures = [status(503), status(500), Reply::Cut, json(200, r#"{"a":"#)];
    let mut replies: Vec<Reply> =
        failures.into_iter().flat_map(|failure| [asked(), asked(), failure]).collect();
    replies.push(json(200, "{}"));
    let script = Script::new(&clock(), replies);
    let done = script.http().build().unwrap().get("/x").json::<serde_json::Value>().await;
    assert_eq!((done.unwrap(), script.count()), (serde_json::json!({}), 13));

    // Who asks for ever is left alone in the end.
    let script = Script::new(&clock(), [asked()]);
    let failed = error(script.http().build().unwrap().get("/x").json::<serde_json::Value>().await);
    assert_eq!((failed.kind(), script.count()), (ErrorKind::Throttled, 20), "{failed:?}");
}

#[tokio::test]
async fn what_trying_again_cannot_mend_is_tried_once() {
    for (reply, kind) in [
        (status(400), ErrorKind::Invalid),
        (status(401), ErrorKind::Unauthorized),
        (status(402), ErrorKind::Forbidden),
        (status(403), ErrorKind::Forbidden),
        (status(404), ErrorKind::NotFound),
        (status(410), ErrorKind::CursorExpired),
        (status(302), ErrorKind::InvalidResponse),
        (json(200, r#"{"a":"text"}"#), ErrorKind::InvalidResponse),
        (json(200, "<html>").with("content-type", "text/html; charset=utf-8"), ErrorKind::InvalidResponse),
        (json(200, "Invalid start").with("content-type", "text/plain"), ErrorKind::InvalidResponse),
        (json(204, ""), ErrorKind::InvalidResponse),
    ] {
        #[derive(Debug, serde::Deserialize)]
        struct Shape {
            #[expect(dead_code, reason = "only its type matters")]
            a: u32,
        }
        let script = Script::new(&clock(), [reply]);
        let failed = error(script.http().build().unwrap().get("/x").json::<Shape>().await);
        assert_eq!((failed.kind(), script.count()), (kind, 1), "{failed:?}");
    }
}

#[tokio::test]
async fn a_temporary_failure_that_passes_is_not_seen() {
    let replies = [status(500), Reply::Cut, json(200, r#"[1,"#), json(200, "[1,2]")];
    let script = Script::new(&clock(), replies);
    let numbers: Vec<u32> = script.http().build().unwrap().get("/x").json().await.unwrap();
    assert_eq!((numbers, script.count()), (vec![1, 2], 4));
}

#[tokio::test]
async fn waits_have_full_jitter_below_a_limit_that_doubles() {
    let mut longest = [Duration::ZERO; 4];
    for seed in 0..200 {
        let script = Script::new(&clock(), [status(500)]);
        let http = script.http().rng(Arc::new(lifehub_core::clock::Rng::seeded(seed))).build().unwrap();
        error(http.get("/x").send().await);
        for (longest, wait) in longest.iter_mut().zip(script.waits()) {
            *longest = wait.max(*longest);
        }
    }
    for (i, longest) in longest.into_iter().enumerate() {
        let limit = Duration::from_millis(500) * (1 << i);
        assert!(longest <= limit && longest > limit * 9 / 10, "{i}: {longest:?}");
    }
}

#[tokio::test]
async fn the_policys_time_ends_the_tries() {
    let clock = clock();
    let script = Script::slow(&clock, Duration::from_secs(50), [status(500)]);
    let mut policy = RetryPolicy::tries(1000);
    policy.within = Duration::from_secs(600);
    error(script.http().retry(policy).build().unwrap().get("/x").send().await);
    assert!(clock.now().since(start()) <= Duration::from_secs(651), "{}", clock.now());
    assert!(script.count() > 5);
}

#[tokio::test]
async fn rule_11_retry_after_is_never_cut_short() {
    let http_date = |seconds: u64| date(start() + Duration::from_secs(seconds));
    let hour = Duration::from_secs(3600);
    for (reply, least) in [
        (status(429).with("retry-after", "30"), 30),
        (status(503).with("retry-after", "30"), 30),
        (status(429).with("retry-after", "29.2"), 30),
        (status(429).with("retry-after", http_date(30)), 30),
        // The provider's clock is an hour ahead or behind: its own Date says how long it means.
        (
            status(429)
                .with("retry-after", date(start() + hour + Duration::from_secs(30)))
                .with("date", date(start() + hour)),
            30,
        ),
        (
            status(429)
                .with("retry-after", date(start() - hour + Duration::from_secs(30)))
                .with("date", date(start() - hour)),
            30,
        ),
        (status(429).with("retry-after", "0"), 0),
        (status(429).with("retry-after", http_date(0)), 0),
    ] {
        for seed in 0..50 {
            let script = Script::slow(&clock(), Duration::from_secs(2), [reply.clone(), json(200, "{}")]);
            let rng = Arc::new(lifehub_core::clock::Rng::seeded(seed));
            script.http().rng(rng).build().unwrap().get("/x").send().await.unwrap();
            // Counted from the answer, which took two seconds; a date without a Date is absolute.
            let wait = script.waits()[0];
            let least = Duration::from_secs(least);
            assert!(wait >= least && wait < least + Duration::from_secs(10), "{wait:?} after {least:?}");
        }
    }
}

#[tokio::test]
async fn a_long_wait_parks_and_nothing_is_sent_before_its_end() {
    let clock = clock();
    let script = Script::new(&clock, [status(429).with("retry-after", "13749"), json(200, "{}")]);
    let http = script.http().build().unwrap();
    let end = start() + Duration::from_secs(13_749);

    let parked = error(http.get("/x").send().await);
    assert_eq!(parked.kind(), ErrorKind::Parked);
    assert!(parked.retry_at().unwrap() >= end, "{parked:?}");
    assert_eq!(clock.now(), start(), "no worker waited");

    let parked = error(http.get("/y").send().await);
    assert_eq!(parked.kind(), ErrorKind::Parked);
    assert!(parked.retry_at().unwrap() >= end);
    assert_eq!(script.count(), 1, "the second call sent nothing");

    clock.advance(Duration::from_secs(13_749 - 30));
    http.get("/y").send().await.unwrap();
    assert!(script.seen()[1].at >= end);
}

#[tokio::test]
async fn rule_11_a_throttled_app_holds_back_all_of_its_connections() {
    let clock = clock();
    let app = vec![QuotaSpec::fixed("day", QuotaScope::App, 100_000, Duration::from_secs(86_400))];
    let own = vec![QuotaSpec::fixed("day", QuotaScope::Connection, 100_000, Duration::from_secs(86_400))];
    for (specs, later) in [(app, ErrorKind::Parked), (own, ErrorKind::NotFound)] {
        let script = Script::new(&clock, [status(429).with("retry-after", "600"), status(404)]);
        let quotas = quotas(&clock, specs);
        let call = async |connection: usize| {
            let http = script.http().quotas(quotas.clone(), format!("connection {connection}"));
            error(http.build().unwrap().get("/x").send().await).kind()
        };
        assert_eq!(call(0).await, ErrorKind::Parked);
        for connection in 1..200 {
            assert_eq!(call(connection).await, later);
        }
        assert_eq!(call(0).await, ErrorKind::Parked);
    }
}

#[tokio::test]
async fn quotas_that_are_off_still_obey_the_provider() {
    let clock = clock();
    let spec = QuotaSpec::fixed("minute", QuotaScope::App, 1, MINUTE);
    let off = Quotas::new("test", "", vec![spec], Arc::new(MemoryLedger::default()), clock.clone(), rng());
    let off = Arc::new(off.unwrap().off());
    let replies = [json(200, "{}"), json(200, "{}"), status(429).with("retry-after", "600")];
    let script = Script::new(&clock, replies);
    let http = script.http().quotas(off, "c").build().unwrap();
    http.get("/x").send().await.unwrap();
    http.get("/x").send().await.unwrap();
    assert_eq!(clock.now(), start(), "nothing is counted");
    assert_eq!(error(http.get("/x").send().await).kind(), ErrorKind::Parked);
    assert_eq!(error(http.get("/x").send().await).kind(), ErrorKind::Parked);
    assert_eq!(script.count(), 3);
}

#[tokio::test]
async fn throttling_without_a_time_waits_for_the_end_of_the_shortest_window() {
    let quarter = QuotaSpec::fixed("quarter", QuotaScope::App, 100, 15 * MINUTE)
        .reported(QuotaReport::used("x-usage", 0));
    let day = QuotaSpec::fixed("day", QuotaScope::App, 1000, 1440 * MINUTE)
        .reported(QuotaReport::used("x-usage", 1));
    let check = async |now: &str, reply: Reply, resumes: &str| {
        let clock = Arc::new(ManualClock::at(at(now)));
        let script = Script::new(&clock, [reply, json(200, "{}")]);
        let quotas = quotas(&clock, vec![quarter.clone(), day.clone()]);
        let result = script.http().quotas(quotas, "c").build().unwrap().get("/x").send().await;
        let resumed = match result {
            Ok(answer) => answer.sent,
            Err(parked) => {
                assert_eq!((parked.kind(), script.count()), (ErrorKind::Parked, 1), "{parked:?}");
                parked.retry_at().unwrap()
            }
        };
        let due = at(resumes);
        assert!(resumed > due && resumed.since(due) < 15 * MINUTE / 10, "{resumed} for {resumes}");
    };
    check("2026-03-01T08:14:30Z", status(429), "2026-03-01T08:15:00Z").await;
    check("2026-03-01T08:05:00Z", status(429), "2026-03-01T08:15:00Z").await;
    check("2026-03-01T08:05:00Z", status(429).with("x-usage", "100,400"), "2026-03-01T08:15:00Z").await;
    check("2026-03-01T08:05:00Z", status(429).with("x-usage", "30,1000"), "2026-03-02T00:00:00Z").await;
    check("2026-03-01T08:05:00Z", status(429).with("x-usage", "100,1000"), "2026-03-02T00:00:00Z").await;
}

#[tokio::test]
async fn a_connectors_reading_comes_first_for_every_answer() {
    fn toggl(answer: &lifehub_core::http::Answer) -> Option<lifehub_core::Error> {
        let wait = answer.header("x-resets-in")?.parse().ok()?;
        let error = lifehub_core::Error::new(ErrorKind::Throttled, "the hourly quota is spent");
        Some(error.at(answer.received + Duration::from_secs(wait)))
    }
    for code in [200, 302, 402, 403] {
        let replies = [json(code, "{}").with("x-resets-in", "20").with("location", "/v3/y"), json(200, "{}")];
        let script = Script::new(&clock(), replies);
        script.http().classify(toggl).build().unwrap().get("/x").send().await.unwrap();
        assert_eq!(script.count(), 2);
        assert!(script.waits()[0] >= Duration::from_secs(20));
    }
}

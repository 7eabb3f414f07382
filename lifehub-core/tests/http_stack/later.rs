//! When to come back, as headers say it, and a storm of refusals.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;
use lifehub_core::ErrorKind;
use lifehub_core::clock::{Clock, ManualClock, Rng};
use lifehub_core::http::{Http, MemoryLedger, QuotaScope, QuotaSpec, Quotas};

use crate::script::{Reply, Script, clock, error, json, start, status};

const DAY: u64 = 86_400;

fn http(clock: &Arc<ManualClock>, script: &Arc<Script>, seed: u64) -> Http {
    let spec = QuotaSpec::fixed("day", QuotaScope::App, 1_000_000, Duration::from_secs(DAY));
    let (ledger, rng) = (Arc::new(MemoryLedger::default()), Arc::new(Rng::seeded(seed)));
    let quotas = Quotas::new("test", "app", vec![spec], ledger, clock.clone(), rng).unwrap();
    script.http().quotas(Arc::new(quotas), "c").build().unwrap()
}

/// For how many seconds nothing is sent after an answer with these headers.
async fn closed_for(headers: &[(&'static str, &str)]) -> u64 {
    let clock = clock();
    clock.advance(Duration::from_secs(60));
    let answer = headers.iter().fold(json(200, "{}"), |reply, (name, value)| reply.with(name, *value));
    let script = Script::new(&clock, [answer, json(200, "{}")]);
    let http = http(&clock, &script, 1);
    http.get("/x").send().await.unwrap();
    match http.get("/x").send().await {
        Ok(_) => script.waits()[0].as_secs(),
        Err(parked) => {
            assert_eq!((parked.kind(), script.count()), (ErrorKind::Parked, 1));
            parked.retry_at().unwrap().since(clock.now()).as_secs()
        }
    }
}

#[tokio::test]
async fn rule_11_what_headers_call_spent_closes_the_gate_until_it_is_not() {
    const LIMIT: &str = "ratelimit";
    const REMAINING: &str = "ratelimit-remaining";
    const RESET: &str = "ratelimit-reset";
    const X_REMAINING: &str = "x-ratelimit-remaining";
    const X_RESET: &str = "x-ratelimit-reset";
    let now = (start().as_seconds() + 60) as u64;
    let (in_a_minute, past, far) =
        ((now + 90).to_string(), (now - 5).to_string(), (now + 33 * DAY).to_string());
    let (ahead, ahead_and_a_half) = ("Sun, 01 Mar 2026 09:01:00 GMT", (now + 3600 + 90).to_string());
    for (headers, expected) in [
        // The structured field.
        (vec![(LIMIT, r#""default";r=50;t=30"#)], 0),
        (vec![(LIMIT, r#""default";r=0;t=30"#)], 30),
        (vec![(LIMIT, r#""default"; r=0; t=30"#)], 30),
        (vec![(LIMIT, r#""default";t=30;pk=:c3BhcmUtMA==:;r=0"#)], 30),
        (vec![(LIMIT, r#""burst";r=0;t=30, "day";r=0;t=600, "month";r=4;t=9000"#)], 600),
        (vec![(LIMIT, r#""a,b;r=0;t=9\";";r=5;t=30"#)], 0),
        (vec![(LIMIT, r#""a\"";r=0;t=30"#)], 30),
        (vec![(LIMIT, r#""default";r=0"#)], 0),
        (vec![(LIMIT, "0")], 0),
        // The elder form.
        (vec![(REMAINING, "0"), (RESET, "30")], 30),
        (vec![(REMAINING, "1"), (RESET, "30")], 0),
        (vec![(REMAINING, "0")], 0),
        (vec![(RESET, "30")], 0),
        (vec![(REMAINING, "0"), (RESET, "29.5")], 30),
        (vec![(REMAINING, "0"), (RESET, "soon")], 0),
        (vec![(REMAINING, "0"), (RESET, "-30")], 0),
        (vec![(REMAINING, "0"), (RESET, "0")], 0),
        // With X-, and an instant.
        (vec![(X_REMAINING, "0"), (X_RESET, &in_a_minute)], 90),
        (vec![(X_REMAINING, "7"), (X_RESET, &in_a_minute)], 0),
        (vec![(X_REMAINING, "0"), (X_RESET, "90")], 90),
        (vec![(X_REMAINING, "0"), (X_RESET, &past)], 0),
        (vec![(X_REMAINING, "0"), (X_RESET, &far)], 0),
        (vec![(X_REMAINING, "0"), (X_RESET, "99999999999999999999999")], 0),
        (vec![(X_REMAINING, "0"), (X_RESET, &ahead_and_a_half), ("date", ahead)], 90),
        // The longest counts.
        (vec![(X_REMAINING, "0"), (X_RESET, "90"), (LIMIT, r#""a";r=0;t=300"#)], 300),
    ] {
        let closed = closed_for(&headers).await;
        assert!((expected..=expected + 1).contains(&closed), "{headers:?}: {closed} s");
    }
}

#[tokio::test]
async fn a_refusal_without_retry_after_waits_as_long_as_its_other_headers_say() {
    let clock = clock();
    clock.advance(Duration::from_secs(60));
    let refused = status(429).with("x-ratelimit-remaining", "0").with("x-ratelimit-reset", "40");
    let script = Script::new(&clock, [refused, json(200, "{}")]);
    http(&clock, &script, 1).get("/x").send().await.unwrap();
    let waited = script.waits()[0].as_secs();
    assert!((40..50).contains(&waited), "not until the day ends: {waited} s");
}

#[tokio::test]
async fn no_provider_is_believed_to_mean_more_than_a_month() {
    for asked in ["99999999", "1e300", "Fri, 01 Jan 2100 00:00:00 GMT"] {
        let clock = clock();
        let script = Script::new(&clock, [status(429).with("retry-after", asked)]);
        let parked = error(script.http().build().unwrap().get("/x").send().await);
        let days = parked.retry_at().unwrap().since(start()).as_secs() / DAY;
        assert!((32..36).contains(&days), "{asked}: {days} days");
    }
}

#[tokio::test]
async fn rule_11_a_storm_of_refusals_sees_no_early_request() {
    for seed in 0..20 {
        let clock = clock();
        clock.advance(Duration::from_secs(60));
        let refusals = (0..30).map(|i| status(429).with("retry-after", (1 + i % 7).to_string()));
        let replies: Vec<Reply> = refusals.chain([json(200, "{}")]).collect();
        let script = Script::slow(&clock, Duration::from_millis(3), replies);
        let http = http(&clock, &script, seed);
        let all = join_all((0..200).map(|_| http.get("/x").send())).await;
        let failed: BTreeSet<_> =
            all.iter().filter_map(|one| one.as_ref().err().map(|e| e.kind().as_str())).collect();
        assert!(failed.iter().all(|kind| *kind == "parked"), "seed {seed}: {failed:?}");
        let seen = script.seen();
        for (i, refused) in seen.iter().take(30).enumerate() {
            let opens = refused.at + Duration::from_millis(3) + Duration::from_secs(1 + i as u64 % 7);
            let early = seen[i + 1..].iter().filter(|later| later.at < opens).count();
            assert_eq!(early, 0, "seed {seed}: after the refusal {i}");
        }
    }
}

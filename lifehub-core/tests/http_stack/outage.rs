//! A provider that is down: few retries, and soon none.

use std::sync::Arc;
use std::time::Duration;

use lifehub_core::clock::{Clock, ManualClock, Rng};
use lifehub_core::http::{Http, HttpBuilder, Quotas, RetryPolicy};
use lifehub_core::{Error, ErrorKind};

use crate::script::{Reply, Script, clock, error, json, status};

/// Connections that share what they know of a provider.
fn connections(clock: &Arc<ManualClock>, script: &Arc<Script>, seed: u64) -> impl Fn(u32) -> HttpBuilder {
    let quotas = Arc::new(Quotas::none(clock.clone(), Arc::new(Rng::seeded(seed))));
    let script = script.clone();
    move |connection| script.http().quotas(quotas.clone(), connection.to_string())
}

async fn call(http: HttpBuilder) -> Result<(), Error> {
    let http: Http = http.build().unwrap();
    http.get("/x").send().await.map(|_| ())
}

#[tokio::test]
async fn where_a_fifth_of_the_first_tries_fail_a_success_takes_one_call_and_a_fifth() {
    const CALLS: u32 = 1_000;
    let clock = clock();
    let replies = (0..CALLS + CALLS / 5).map(|i| if i % 6 == 0 { status(503) } else { json(200, "{}") });
    let script = Script::new(&clock, replies.collect::<Vec<Reply>>());
    let http = connections(&clock, &script, 1);
    for connection in 0..CALLS {
        call(http(connection)).await.unwrap();
    }
    assert_eq!(script.count() as u32, CALLS + CALLS / 5);
}

#[tokio::test]
async fn in_an_outage_hardly_anything_is_tried_again() {
    const CALLS: usize = 1_000;
    for reply in [status(500), Reply::Cut] {
        let clock = clock();
        let script = Script::new(&clock, [reply]);
        let http = connections(&clock, &script, 1);
        for connection in 0..CALLS as u32 {
            let failed = error(call(http(connection).without_breaker()).await);
            assert_eq!(failed.kind(), ErrorKind::Unavailable);
        }
        // Ten retries were saved up, and five first tries earn one.
        assert!(script.count() <= CALLS + 10 + CALLS / 5, "{} calls", script.count());
    }
}

#[tokio::test]
async fn to_wait_as_the_provider_asks_costs_no_retry() {
    let clock = clock();
    let asked = [status(429).with("retry-after", "1"), status(503).with("retry-after", "1"), status(429)];
    let replies = asked.iter().cycle().take(30);
    let replies = replies.flat_map(|reply| std::iter::repeat_n(reply.clone(), 3).chain([json(200, "{}")]));
    let script = Script::new(&clock, replies);
    let http = connections(&clock, &script, 1);
    for connection in 0..30 {
        call(http(connection)).await.unwrap();
    }
}

#[tokio::test]
async fn a_provider_that_is_down_is_left_alone_and_asked_now_and_then() {
    for seed in 0..20 {
        let clock = clock();
        let script = Script::new(&clock, [status(503)]);
        let http = connections(&clock, &script, seed);
        let mut connection = 0;
        let mut next = async || {
            connection += 1;
            error(call(http(connection).retry(RetryPolicy::never())).await)
        };
        for _ in 0..20 {
            assert_eq!(next().await.kind(), ErrorKind::Unavailable);
        }
        for (sent, length) in (20..).zip([30, 60, 120, 240, 480, 600, 600]) {
            for _ in 0..5 {
                let parked = next().await;
                assert_eq!((parked.kind(), script.count()), (ErrorKind::Parked, sent), "{parked:?}");
                assert!(parked.message().contains("failed 20 times in a row"), "{parked}");
            }
            let wait = next().await.retry_at().unwrap().since(clock.now());
            let least = Duration::from_secs(length);
            assert!(wait >= least && wait <= least + least / 10, "seed {seed}: {wait:?} of {least:?}");
            clock.advance(wait - Duration::from_millis(1));
            assert_eq!(next().await.kind(), ErrorKind::Parked);
            clock.advance(Duration::from_millis(1));
            assert_eq!(next().await.kind(), ErrorKind::Unavailable, "the probe");
        }
    }
}

/// Twenty failures, and the time until a probe is let through.
async fn fell_over(clock: &ManualClock, http: &impl Fn(u32) -> HttpBuilder) {
    for connection in 0..20 {
        error(call(http(connection).retry(RetryPolicy::never())).await);
    }
    let parked = error(call(http(20)).await);
    assert_eq!(parked.kind(), ErrorKind::Parked);
    clock.advance(parked.retry_at().unwrap().since(clock.now()));
}

#[tokio::test]
async fn one_answer_of_a_provider_that_is_up_again_is_enough() {
    // Any answer will do: a provider that knows no path is up.
    for (answer, kind) in [(json(200, "{}"), None), (status(404), Some(ErrorKind::NotFound))] {
        let clock = clock();
        let mut replies = vec![status(503); 20];
        replies.push(answer);
        replies.extend(vec![status(503); 19]);
        replies.push(json(200, "{}"));
        let script = Script::new(&clock, replies);
        let http = connections(&clock, &script, 1);
        fell_over(&clock, &http).await;
        assert_eq!(call(http(21)).await.err().map(|error| error.kind()), kind);
        // It counts from the beginning again.
        for connection in 0..19 {
            let failed = error(call(http(connection).retry(RetryPolicy::never())).await);
            assert_eq!(failed.kind(), ErrorKind::Unavailable);
        }
        call(http(0)).await.unwrap();
    }
}

#[tokio::test]
async fn while_one_request_probes_the_others_are_parked() {
    let clock = clock();
    let replies = vec![status(503); 20].into_iter().chain([json(200, "{}")]);
    let script = Script::hanging(&clock, 20, replies);
    let http = connections(&clock, &script, 1);
    fell_over(&clock, &http).await;
    let probe = tokio::spawn(call(http(0)));
    while script.count() < 21 {
        tokio::task::yield_now().await;
    }
    for connection in 1..10 {
        let parked = error(call(http(connection)).await);
        let wait = parked.retry_at().unwrap().since(clock.now());
        assert!(parked.kind() == ErrorKind::Parked && wait >= Duration::from_secs(10), "{parked:?}");
    }
    // A probe that nobody waits for any more makes room for another.
    probe.abort();
    assert!(probe.await.unwrap_err().is_cancelled());
    call(http(1)).await.unwrap();
    call(http(2)).await.unwrap();
}

#[tokio::test]
async fn what_was_not_sent_says_nothing_about_the_provider() {
    let clock = clock();
    let script = Script::new(&clock, [status(429).with("retry-after", "3600")]);
    let http = connections(&clock, &script, 1);
    // All wait for the gate of one connection.
    for _ in 0..40 {
        assert_eq!(error(call(http(0)).await).kind(), ErrorKind::Parked);
    }
    assert_eq!(script.count(), 1);
}

//! Every fault, as a client sees it on the wire.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking, its helpers too")]

use std::io::ErrorKind;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use lifehub_core::clock::ManualClock;
use lifehub_testkit::{Fault, FaultPlan, Probe, Reply, Server, SimRequest, SimResponse, Simulator};
use serde_json::json;

/// Counts what it hears.
#[derive(Debug, Default)]
struct Counter(AtomicU64);

impl Simulator for Counter {
    fn handle(&self, request: &SimRequest) -> SimResponse {
        let heard = self.0.fetch_add(1, Ordering::Relaxed) + 1;
        match request.segments().as_slice() {
            ["count"] => SimResponse::json(200, &json!({ "heard": heard, "name": request.query("name") })),
            ["echo"] => SimResponse::json(200, &json!({ "form": request.form(), "token": request.bearer() })),
            ["empty"] => SimResponse::empty(204),
            _ => self.refusal(404),
        }
    }
}

/// A reply (or its error) to the one request that fails, what the simulator has heard of it, and whether the same
/// request goes through right after.
fn check(fault: Fault) -> (std::io::Result<Reply>, u64) {
    let counter = Arc::new(Counter::default());
    let clock = Arc::new(ManualClock::at("2026-03-01T08:00:00Z".parse().unwrap()));
    let server = Server::builder().clock(clock).start(Arc::clone(&counter)).unwrap();
    let probe = Probe::get(format!("{}/count?name=a%20b", server.url()));
    assert_eq!(probe.send().unwrap().json().unwrap(), json!({ "heard": 1, "name": "a b" }));

    server.set_faults(FaultPlan::none().at(1, fault));
    let reply = probe.send();
    let heard = counter.0.load(Ordering::Relaxed) - 1;
    assert_eq!(probe.send().unwrap().status, 200, "the next request is whole again");

    let log = server.requests();
    assert_eq!(log.iter().map(|r| r.number).collect::<Vec<_>>(), [1, 2, 3]);
    assert_eq!(log.iter().map(|r| r.fault).collect::<Vec<_>>(), [None, Some(fault), None]);
    assert_eq!(log[1].status, reply.as_ref().ok().map(|r| r.status));
    assert_eq!((log[1].method.as_str(), log[1].path.as_str()), ("GET", "/count"));
    assert_eq!(log[1].query, "name=a%20b");
    assert_eq!(log[1].at.to_string(), "2026-03-01T08:00:00Z");
    (reply, heard)
}

#[test]
fn throttled_in_seconds() {
    let (reply, heard) = check(Fault::RetryAfterSeconds(7));
    let reply = reply.unwrap();
    assert_eq!((reply.status, reply.header("retry-after"), heard), (429, Some("7"), 0));
    assert!(reply.json().is_ok());
}

#[test]
fn throttled_until_a_date() {
    let (reply, heard) = check(Fault::RetryAfterDate(90));
    let reply = reply.unwrap();
    assert_eq!((reply.status, heard), (429, 0));
    assert_eq!(reply.header("retry-after"), Some("Sun, 01 Mar 2026 08:01:30 GMT"));
    assert_eq!(reply.header("date"), Some("Sun, 01 Mar 2026 08:00:00 GMT"));
}

#[test]
fn unavailable_with_a_web_page() {
    let (reply, heard) = check(Fault::Unavailable);
    let reply = reply.unwrap();
    assert_eq!((reply.status, heard), (503, 0));
    assert_eq!(reply.header("content-type"), Some("text/html; charset=utf-8"));
    assert!(reply.body.starts_with(b"<!DOCTYPE html>"));
}

#[test]
fn server_error_in_the_providers_format() {
    let (reply, heard) = check(Fault::ServerError);
    let reply = reply.unwrap();
    assert_eq!((reply.status, heard), (500, 0));
    assert_eq!(reply.json().unwrap(), json!({ "error": { "status": 500 } }));
}

#[test]
fn reset_before_and_after_the_simulator_has_heard() {
    for (fault, expected) in [(Fault::ResetBefore, 0), (Fault::Reset, 1)] {
        let (reply, heard) = check(fault);
        assert_eq!(reply.unwrap_err().kind(), ErrorKind::ConnectionReset, "{fault:?}");
        assert_eq!(heard, expected, "{fault:?}");
    }
}

#[test]
fn cut_body_announces_the_whole() {
    let (reply, heard) = check(Fault::CutBody);
    let reply = reply.unwrap();
    assert_eq!((reply.status, heard), (200, 1));
    assert_eq!(reply.announced().unwrap() / 2, reply.body.len());
    assert!(reply.json().is_err());
}

#[test]
fn short_body_announces_what_it_has() {
    let (reply, heard) = check(Fault::ShortBody);
    let reply = reply.unwrap();
    assert_eq!((reply.status, heard), (200, 1));
    assert_eq!(reply.announced().unwrap(), reply.body.len());
    assert!(!reply.body.is_empty() && reply.json().is_err());
}

#[test]
fn web_page_instead_of_the_answer() {
    let (reply, heard) = check(Fault::WebPage);
    let reply = reply.unwrap();
    assert_eq!((reply.status, heard), (200, 1));
    assert_eq!(reply.header("content-type"), Some("text/html; charset=utf-8"));
}

#[test]
fn error_inside_a_good_status() {
    let (reply, heard) = check(Fault::ErrorInside);
    let reply = reply.unwrap();
    assert_eq!((reply.status, heard), (200, 1));
    assert_eq!(reply.json().unwrap(), json!({ "error": { "status": 500 } }));
}

#[test]
fn delay_comes_late_and_whole() {
    let before = Instant::now();
    let (reply, heard) = check(Fault::Delay(Duration::from_millis(15)));
    assert!(before.elapsed() >= Duration::from_millis(15));
    assert_eq!((reply.unwrap().status, heard), (200, 1));
}

#[test]
fn a_share_of_all_kinds_lets_every_retry_through() {
    let server = Server::start(Counter::default()).unwrap();
    server.set_faults(FaultPlan::share(3, 0.6).at_most_in_a_row(2));
    for item in 0..60 {
        let probe = Probe::get(format!("{}/count?name={item}", server.url()));
        let whole = |reply: Reply| reply.json().is_ok_and(|body| body["heard"].is_u64());
        let tries = (1..=4).find(|_| probe.send().is_ok_and(whole));
        assert!(tries.is_some_and(|tries| tries <= 3), "item {item} took {tries:?} tries");
    }
    let faults: std::collections::HashSet<_> =
        server.requests().into_iter().filter_map(|r| r.fault).collect();
    assert_eq!(faults.len(), Fault::EACH.len(), "seed 3 shows each kind in 60 items");
}

#[test]
fn a_large_body_comes_whole_and_is_cut_in_its_middle() {
    struct Large;
    impl Simulator for Large {
        fn handle(&self, _: &SimRequest) -> SimResponse {
            SimResponse::json_text(200, vec![b' '; 8 << 20])
        }
    }
    let server = Server::start(Large).unwrap();
    let probe = Probe::get(format!("{}/", server.url()));
    assert_eq!(probe.send().unwrap().body.len(), 8 << 20);
    server.set_faults(FaultPlan::none().at(1, Fault::CutBody));
    let reply = probe.send().unwrap();
    assert_eq!((reply.announced(), reply.body.len()), (Some(8 << 20), 4 << 20));
}

#[test]
fn forms_tokens_and_empty_answers() {
    let server = Server::start(Counter::default()).unwrap();
    let form =
        Probe::post_form(format!("{}/echo", server.url()), "a=1&b=x%26y").bearer("t0ken").send().unwrap();
    assert_eq!(form.json().unwrap(), json!({ "form": [["a", "1"], ["b", "x&y"]], "token": "t0ken" }));
    let empty = Probe::get(format!("{}/empty", server.url())).send().unwrap();
    assert_eq!((empty.status, empty.body.len()), (204, 0));
}

#[test]
fn a_port_is_held_until_the_server_is_dropped() {
    let server = Server::start(Counter::default()).unwrap();
    let (url, port) = (server.url(), server.url().rsplit(':').next().unwrap().parse().unwrap());
    let second = Server::builder().port(port).start(Counter::default());
    assert_eq!(second.unwrap_err().kind(), ErrorKind::AddrInUse);
    drop(server);
    assert_eq!(Probe::get(format!("{url}/count")).send().unwrap_err().kind(), ErrorKind::ConnectionRefused);
}

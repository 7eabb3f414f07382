//! The main job on a provider with bad days: everything comes, nothing twice, and every change is found and counted.

use std::process::Stdio;
use std::time::Duration;

use lifehub_testkit::{Fault, FaultPlan};
use serde_json::json;

use crate::home::{Kind, on_each_database};
use crate::lifehub::{Lifehub, Strava, changes};

/// The ways to fail that heal by themselves.
const PASSING: [Fault; 7] = [
    Fault::RetryAfterSeconds(0),
    Fault::RetryAfterDate(1),
    Fault::Unavailable,
    Fault::ServerError,
    Fault::CutBody,
    Fault::ShortBody,
    Fault::Reset,
];

on_each_database! {
    #[test]
    fn a_thousand_activities_with_ties_come_through_every_fault(kind: Kind) {
        let strava = Strava::with(1, 1000, 400);
        let lifehub = Lifehub::connected(kind, &strava);
        let plan = FaultPlan::share(1, 0.4).of(PASSING);
        println!("{plan}");
        strava.server.set_faults(plan);
        let report = lifehub.sync();
        assert_eq!(changes(&report), (1000, 0, 0), "{report:#}");
        assert_eq!(report["connections"][0]["status"], "ok");
        let stream = &report["connections"][0]["streams"][0];
        assert_eq!(stream["caught_up"], true);
        assert_eq!(stream["error"], json!(null));
        assert!(strava.server.requests().iter().any(|r| r.status == Some(429)), "no fault was drawn");
        strava.server.set_faults(FaultPlan::none());
        assert_eq!(lifehub.names(), strava.truth());

        // Right after it there is nothing to do.
        let report = lifehub.sync();
        assert_eq!(changes(&report), (0, 0, 0), "{report:#}");

        // Late uploads, edits and deletions inside the window.
        let now = strava.world.now();
        let day = Duration::from_secs(86_400);
        for days in [1, 9, 20] {
            strava.world.add(now - day * days, json!({ "name": format!("uploaded late, {days} days old") }));
        }
        let recent: Vec<i64> = {
            let truth = strava.world.truth();
            let recent = truth.iter().filter(|t| t.start > now - day * 28 && t.start < now - day);
            recent.map(|t| t.id).take(6).collect()
        };
        strava.world.edit(recent[0], json!({ "name": "edited" }));
        strava.world.edit(recent[1], json!({ "distance": 4321.5 }));
        // A kudo changes the body, but no record.
        strava.world.edit(recent[2], json!({ "kudos_count": 77 }));
        strava.world.delete([recent[3], recent[4]]);
        strava.server.set_faults(FaultPlan::share(2, 0.3).of(PASSING));
        let report = lifehub.sync();
        assert_eq!(changes(&report), (3, 2, 2), "{report:#}");
        strava.server.set_faults(FaultPlan::none());
        assert_eq!(lifehub.names(), strava.truth());
        let id = recent[1].to_string();
        let edited = lifehub.export().into_iter().find(|r| r["external_id"] == id).unwrap();
        assert_eq!(edited["body"]["distance_m"], json!(4321.5));
    }

    #[test]
    fn a_wrong_answer_is_never_taken_for_an_empty_page(kind: Kind) {
        let strava = Strava::with(2, 450, 0);
        let lifehub = Lifehub::connected(kind, &strava);
        // Each kind of wrong answer at each request of the first pass; what came before it stays.
        for fault in [Fault::WebPage, Fault::ErrorInside] {
            for request in 1..=4 {
                let lifehub = Lifehub::connected(kind, &strava);
                strava.server.set_faults(FaultPlan::none().at(request, fault));
                let output = lifehub.run(&["sync", "--all", "--json"]);
                assert_eq!(output.status.code(), Some(1), "{fault:?} at request {request}");
                let report: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
                let error = &report["connections"][0]["streams"][0]["error"];
                assert_eq!(error["kind"], "invalid_response", "{error}");
                assert!(error["hint"].is_string(), "{error}");
                let whole_pages = ((request - 1) * 200).min(450);
                assert_eq!(lifehub.names().len() as u64, whole_pages, "{fault:?} at request {request}");
                assert_eq!(lifehub.sync()["totals"]["inserted"], 450 - whole_pages);
                assert_eq!(lifehub.names(), strava.truth());
            }
        }
        drop(lifehub);
    }

    #[test]
    fn a_second_sync_of_a_connection_in_work_waits_and_reports_that_run(kind: Kind) {
        let strava = Strava::with(9, 600, 0);
        let lifehub = Lifehub::connected(kind, &strava);
        let late = Fault::Delay(Duration::from_millis(150));
        strava.server.set_faults(FaultPlan::share(1, 1.0).of([late]));
        strava.server.take_requests();
        let first = lifehub.command(&["sync", "--all", "--json"]).stdout(Stdio::piped()).spawn().unwrap();
        while strava.server.requests().is_empty() {
            std::thread::yield_now();
        }
        let second = lifehub.sync();
        let first: serde_json::Value = serde_json::from_slice(&first.wait_with_output().unwrap().stdout).unwrap();
        assert_eq!(changes(&first), (600, 0, 0), "{first:#}");
        assert_eq!(second, first, "it reports the run that it waited for");
        assert_eq!(strava.server.requests().len(), 4, "nothing was fetched twice");
    }

    #[test]
    fn a_long_wait_parks_the_work_and_outlives_the_process(kind: Kind) {
        let strava = Strava::with(10, 500, 0);
        let lifehub = Lifehub::connected(kind, &strava);
        strava.server.set_faults(FaultPlan::none().at(2, Fault::RetryAfterSeconds(3600)));
        for (requests, inserted) in [(2, 200), (0, 0)] {
            strava.server.take_requests();
            let output = lifehub.run(&["sync", "--all", "--json"]);
            assert_eq!(output.status.code(), Some(0), "to be parked is no error");
            let report: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
            assert_eq!(report["connections"][0]["status"], "parked", "{report:#}");
            let stream = &report["connections"][0]["streams"][0];
            assert_eq!((&stream["caught_up"], &stream["error"]), (&json!(false), &json!(null)));
            assert_eq!((strava.server.take_requests().len(), changes(&report).0), (requests, inserted));
        }
    }
}

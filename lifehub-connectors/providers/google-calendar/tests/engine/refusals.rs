//! What Google refuses: what is waited for, what stops one calendar, what stops a stream, and what all.

use std::time::Duration;

use http::StatusCode;
use lifehub_core::ErrorKind;
use lifehub_core::clock::{Clock, Timestamp};
use lifehub_core::connector::Connector;
use lifehub_core::engine::{ErrorReport, Report, RunStatus, Runs, SyncOptions};
use lifehub_core::error::Extent;
use lifehub_core::http::Answer;
use lifehub_google_calendar::GoogleCalendar;
use lifehub_google_calendar::simulator::Trouble;
use lifehub_testkit::{Change, Setup};
use serde_json::json;

use crate::rig::{JOURNEYS, OWNER, Rig, now};

const CALENDARS: &str = "https://www.googleapis.com/auth/calendar.calendarlist.readonly";

fn errors(report: &Report) -> Vec<(&str, &ErrorReport)> {
    report.streams.iter().filter_map(|s| Some((s.stream.as_str(), s.error.as_ref()?))).collect()
}

#[tokio::test]
async fn a_403_that_throttles_is_waited_for() {
    for (status, reason) in
        [(403, "rateLimitExceeded"), (403, "userRateLimitExceeded"), (429, "rateLimitExceeded")]
    {
        let rig = Rig::new(40);
        rig.simulator.throttle(status, reason, 3);
        let begun = rig.clock.now();
        rig.sync().await;
        rig.agrees();
        let waited = rig.clock.now().since(begun + Duration::from_secs(60));
        assert!(waited > Duration::from_millis(1_500), "half a second and more each time: {waited:?}");
        assert!(waited < Duration::from_secs(20), "{waited:?}");
    }
}

#[tokio::test]
async fn a_spent_quota_parks_until_it_comes_back() {
    // Midnight on the Pacific is seven in the morning in UTC in summer.
    let cases = [("dailyLimitExceeded", "2026-08-11T07:00:00Z"), ("quotaExceeded", "2026-08-10T13:01:00Z")];
    for (reason, back) in cases {
        let rig = Rig::new(40);
        rig.simulator.throttle(403, reason, 1);
        let report = rig.run(&SyncOptions::default()).await;
        assert_eq!((report.status, errors(&report).len()), (RunStatus::Parked, 0), "{reason}: {report:?}");
        assert_eq!(rig.server.request_count(), 1, "{reason}: nothing more is asked");
        let at = rig.store.latest(rig.connection.id).await.unwrap().unwrap().resume_at.unwrap();
        let back: Timestamp = back.parse().unwrap();
        assert!(at >= back && at.since(back) < Duration::from_secs(120), "{reason}: {at}");
        rig.clock.advance(at.since(rig.clock.now()));
        rig.sync().await;
        rig.agrees();
    }
}

#[tokio::test]
async fn the_quotas_keep_below_googles_limits() {
    // Those of the manifest, and Google's, at a tenth.
    let mut rig = Rig::of(&Setup::new(7, now()).days(100).items(130).page(1).stream("events"));
    let window = json!({ "kind": "sliding", "per_s": 60 });
    rig.operator["quotas"] =
        json!([{ "name": "user", "scope": "connection", "window": window, "limit": 60 }]);
    rig.simulator.set_limit(Some(60));
    let mut options = SyncOptions::default();
    options.streams.push("events".to_owned());
    assert_eq!(rig.run(&options).await.status, RunStatus::Ok);
    let requests = rig.server.requests();
    assert!(requests.len() > 130 && requests.iter().all(|request| request.status == Some(200)));
    let took = rig.clock.now().since(now());
    assert!(took > Duration::from_secs(130) && took < Duration::from_secs(300), "{took:?}");
    rig.agrees();
    let connector = GoogleCalendar;
    let figures: Vec<_> =
        connector.manifest().quotas.iter().map(|quota| (quota.name.as_ref(), quota.limit)).collect();
    assert_eq!(figures, [("project", 10_000), ("user", 600)]);
}

#[tokio::test]
async fn a_calendar_that_is_refused_stops_no_other() {
    for (trouble, kind) in
        [(Trouble::Forbidden, ErrorKind::Forbidden), (Trouble::NotFound, ErrorKind::NotFound)]
    {
        let rig = Rig::new(60);
        rig.sync().await;
        let before = rig.keys();
        rig.simulator.trouble(JOURNEYS, Some(trouble));
        rig.change(Change::Add);
        let report = rig.run(&SyncOptions::default()).await;
        let errors = errors(&report);
        let [("events", error)] = errors.as_slice() else { panic!("{report:?}") };
        assert_eq!((error.kind, error.partition.as_deref()), (kind, Some(JOURNEYS)));
        assert!(error.hint.as_ref().is_some_and(|hint| hint.contains("shared again")), "{error:?}");
        assert_eq!(
            (report.totals().inserted, report.totals().deleted),
            (1 + 4, 0),
            "four calendars, an event"
        );
        assert!(before.is_subset(&rig.keys()));
        rig.simulator.trouble(JOURNEYS, None);
        rig.sync().await;
        rig.agrees();
    }
}

#[tokio::test]
async fn an_api_that_is_switched_off_stops_everything_with_one_error() {
    let rig = Rig::new(60);
    rig.sync().await;
    let before = rig.stored();
    rig.simulator.set_configured(false);
    let report = rig.run(&SyncOptions::default()).await;
    let errors = errors(&report);
    let [("calendars", error)] = errors.as_slice() else { panic!("{report:?}") };
    assert_eq!(error.kind, ErrorKind::Forbidden);
    assert!(error.message.contains("switched off") && error.hint.is_some(), "{error:?}");
    assert_eq!(rig.stored(), before);
    rig.simulator.set_configured(true);
    rig.sync().await;
}

#[tokio::test]
async fn without_the_list_of_calendars_the_own_one_is_read() {
    let rig = Rig::new(60);
    rig.change(Change::Withhold(Some(CALENDARS.to_owned())));
    let report = rig.run(&SyncOptions::default()).await;
    let errors = errors(&report);
    let [("calendars", error)] = errors.as_slice() else { panic!("{report:?}") };
    assert_eq!(error.kind, ErrorKind::Forbidden);
    assert!(error.hint.as_ref().is_some_and(|hint| hint.contains("every box")), "{error:?}");
    let mut own = rig.truth();
    own.retain(|(calendar, _)| calendar == OWNER);
    assert_eq!(rig.keys(), own);
    // In the partition that it has with the list, too.
    rig.change(Change::Withhold(None));
    rig.sync().await;
    rig.agrees();
}

#[tokio::test]
async fn a_revoked_token_is_said_once_and_loses_nothing() {
    let rig = Rig::new(60);
    rig.run(&SyncOptions::default()).await;
    let before = rig.stored();
    assert!(rig.simulator.oauth().withdraw("google-calendar-sim-0000000000000007-access"));
    let report = rig.run(&SyncOptions::default()).await;
    let errors = errors(&report);
    let [("calendars", error)] = errors.as_slice() else { panic!("{report:?}") };
    assert_eq!(
        (error.kind, error.hint.as_deref()),
        (ErrorKind::Unauthorized, Some("connect the account again"))
    );
    assert_eq!(rig.stored(), before);
}

#[test]
fn reasons_decide_and_statuses_alone_do_not() {
    let classify = GoogleCalendar.classify().unwrap();
    let read = |status: u16, reason: &str| {
        let error = json!({ "domain": "made-up", "reason": reason, "message": "of sample.user@example.com" });
        let body = json!({ "error": { "errors": [error], "code": status, "message": "of sample.user@example.com" } });
        classify(&Answer::new(StatusCode::from_u16(status).unwrap(), body.to_string(), now()))
    };
    for (status, reason, kind, extent) in [
        (403, "rateLimitExceeded", ErrorKind::Throttled, Extent::Partition),
        (403, "userRateLimitExceeded", ErrorKind::Throttled, Extent::Partition),
        (403, "quotaExceeded", ErrorKind::Throttled, Extent::Partition),
        (429, "quotaExceeded", ErrorKind::Throttled, Extent::Partition),
        (429, "dailyLimitExceeded", ErrorKind::Throttled, Extent::Partition),
        (403, "insufficientPermissions", ErrorKind::Forbidden, Extent::Stream),
        (403, "forbidden", ErrorKind::Forbidden, Extent::Partition),
        (403, "accessNotConfigured", ErrorKind::Forbidden, Extent::Connection),
        (404, "notFound", ErrorKind::NotFound, Extent::Partition),
    ] {
        let error = read(status, reason).unwrap();
        assert_eq!((error.kind(), error.extent()), (kind, extent), "{status} {reason}");
        assert!(!format!("{error:?}").contains("sample.user"), "{error:?}");
    }
    // These say enough by their status.
    for (status, reason) in [
        (400, "invalid"),
        (401, "authError"),
        (429, "rateLimitExceeded"),
        (403, "new"),
        (410, "fullSyncRequired"),
        (500, "backendError"),
    ] {
        assert!(read(status, reason).is_none(), "{status} {reason}");
    }
    let bare = |body: &'static str| classify(&Answer::new(StatusCode::FORBIDDEN, body, now()));
    assert!(bare("<html>no</html>").is_none() && bare(r#"{"error":"invalid_request"}"#).is_none());
}

//! The engine over the simulated Rize: what ends up in the store, and what is said when something is wrong.
#![cfg(test)]
#![expect(clippy::disallowed_types, reason = "`tokio::test` builds a runtime")]

use std::collections::BTreeMap;
use std::ops::{Deref, DerefMut};
use std::time::Duration;

use lifehub_core::ErrorKind;
use lifehub_core::clock::{Clock, Day, Timestamp};
use lifehub_core::engine::{Counts, ErrorReport, Report, RunStatus, SyncOptions};
use lifehub_core::secret::{Credentials, Secret};
use lifehub_rize::Rize;
use lifehub_rize::simulator::{RizeSimulator, Window};
use lifehub_testkit::{Account, Change, Fact, Setup};
use serde_json::{Value, json};

const HOUR: Duration = Duration::from_secs(3_600);
const DAY: Duration = Duration::from_secs(86_400);

/// A Tuesday, noon in UTC.
const NOON: &str = "2026-03-10T12:00:00Z";

struct Rig(lifehub_testkit::Rig<RizeSimulator>);

impl Deref for Rig {
    type Target = lifehub_testkit::Rig<RizeSimulator>;

    fn deref(&self) -> &Self::Target {
        &self.0
    }
}

impl DerefMut for Rig {
    fn deref_mut(&mut self) -> &mut Self::Target {
        &mut self.0
    }
}

fn setup(now: &str) -> Setup {
    Setup::new(7, now.parse().unwrap()).days(20).items(40)
}

impl Rig {
    /// Its requests are paced by the quota of the manifest.
    fn new(setup: &Setup) -> Self {
        let simulator = RizeSimulator::seeded(setup).into();
        Self(lifehub_testkit::Rig::new(Rize, simulator, setup.now).unwrap().with_quotas())
    }

    /// After a first sync.
    async fn synced(setup: &Setup) -> Self {
        let rig = Self::new(setup);
        rig.sync().await;
        rig.equals_truth();
        rig.server.take_requests();
        rig
    }

    async fn run(&self, full: bool) -> Report {
        let mut options = SyncOptions::default();
        options.full = full;
        self.clock.advance(Duration::from_secs(1));
        self.engine().sync(&self.connection, &options).await.unwrap()
    }

    /// Syncs; whatever stops it fails the test.
    async fn sync(&self) -> Counts {
        let report = self.run(false).await;
        assert_eq!(report.status, RunStatus::Ok, "{report:?}");
        report.totals()
    }

    async fn sync_full(&self) -> Counts {
        let report = self.run(true).await;
        assert_eq!(report.status, RunStatus::Ok, "{report:?}");
        report.totals()
    }

    /// The live records as they are published, by their item.
    fn stored(&self) -> BTreeMap<String, Value> {
        let records = self.records("").into_iter();
        records.map(|record| (record.external_id.clone(), serde_json::to_value(&record).unwrap())).collect()
    }

    /// Fails unless the stored items are those of the simulator's books, with their values.
    #[track_caller]
    fn equals_truth(&self) {
        let stored = self.stored();
        let truth = self.simulator.truth();
        let ids = truth.iter().map(|fact| fact.id.clone().unwrap());
        assert_eq!(stored.keys().cloned().collect::<Vec<_>>(), sorted(ids));
        for fact in &truth {
            let (record, told) = (&stored[fact.id.as_deref().unwrap()], &fact.records.as_ref().unwrap()[0]);
            for (name, value) in told["body"].as_object().unwrap() {
                assert!(equal(&record["body"][name], value), "{name} of {record} is not {value}");
            }
            assert_eq!((&record["start"], &record["end"]), (&told["start"], &told["end"]), "{record}");
        }
    }

    /// One run with what is wrong now; nothing that is stored may change. Gives the errors by stream.
    async fn fails(&self, full: bool) -> Vec<Option<ErrorReport>> {
        let before = self.stored();
        let report = self.run(full).await;
        assert_eq!(report.status, RunStatus::Failed, "{report:?}");
        assert_eq!((report.totals().deleted, report.totals().held), (0, 0), "{report:?}");
        assert!(self.stored() == before);
        report.streams.into_iter().map(|stream| stream.error).collect()
    }
}

fn sorted(ids: impl Iterator<Item = String>) -> Vec<String> {
    let mut ids: Vec<_> = ids.collect();
    ids.sort();
    ids
}

fn equal(one: &Value, other: &Value) -> bool {
    match (one.as_f64(), other.as_f64()) {
        (Some(one), Some(other)) => one == other,
        _ => match (one, other) {
            (Value::Object(one), Value::Object(other)) => {
                one.len() == other.len() && other.iter().all(|(name, value)| equal(&one[name], value))
            }
            _ => one == other,
        },
    }
}

fn of_stream<'a>(facts: &'a [Fact], stream: &str) -> Vec<&'a Fact> {
    facts.iter().filter(|fact| fact.stream == stream).collect()
}

#[tokio::test]
async fn errors_with_status_200_are_one_clear_error_and_no_empty_page() {
    let rig = Rig::synced(&setup(NOON)).await;
    rig.simulator.lose("Session", "title");
    let errors = rig.fails(true).await;
    let requests = rig.server.take_requests();
    assert!(requests.iter().all(|request| request.status == Some(200)), "{requests:?}");
    assert_eq!(
        requests.len(),
        5,
        "one for the sessions, and it is final; a live and a full pass of the days"
    );
    let error = errors[0].as_ref().unwrap();
    assert_eq!(error.kind, ErrorKind::InvalidResponse);
    assert!(error.message.contains("errors instead of data"), "{error:?}");
    assert!(error.hint.as_deref().unwrap().contains("look for a newer connector"), "{error:?}");
    assert_eq!(errors[1], None, "the days have nothing to do with it");
    rig.simulator.restore_schema();
    rig.sync_full().await;
    rig.equals_truth();
}

#[tokio::test]
async fn an_error_beside_half_of_the_data_is_no_page_either() {
    let rig = Rig::synced(&setup(NOON)).await;
    rig.simulator.fail_halfway(true);
    for full in [false, true] {
        for error in rig.fails(full).await {
            assert_eq!(error.unwrap().kind, ErrorKind::InvalidResponse);
        }
    }
    assert!(rig.server.requests().iter().all(|request| request.status == Some(200)));
    rig.simulator.fail_halfway(false);
    rig.sync_full().await;
    rig.equals_truth();
}

#[tokio::test]
async fn the_end_of_a_running_session_moves_within_one_record() {
    let rig = Rig::synced(&setup(NOON)).await;
    let id = rig.simulator.start_session();
    assert_eq!(rig.sync().await.inserted, 1);
    rig.equals_truth();
    let first = rig.stored().remove(&id).unwrap();
    for _ in 0..3 {
        rig.clock.advance(HOUR / 6);
        let counts = rig.sync().await;
        assert_eq!((counts.inserted, counts.updated, counts.deleted), (0, 1, 0));
        rig.equals_truth();
    }
    let last = rig.stored().remove(&id).unwrap();
    assert_eq!((&first["id"], &first["start"]), (&last["id"], &last["start"]));
    let end = |record: &Value| record["end"].as_str().unwrap().parse::<Timestamp>().unwrap();
    assert!(end(&last).since(end(&first)) >= Duration::from_secs(1_800), "{first} {last}");
}

#[tokio::test]
async fn a_planned_session_counts_once_it_has_begun() {
    let rig = Rig::synced(&setup(NOON)).await;
    let id = rig.simulator.plan_session(rig.clock.now() + 2 * HOUR);
    for full in [false, true] {
        let counts = if full { rig.sync_full().await } else { rig.sync().await };
        assert_eq!((counts.inserted, rig.stored().contains_key(&id)), (0, false));
    }
    rig.clock.advance(2 * HOUR);
    assert_eq!(rig.sync().await.inserted, 1);
    assert!(rig.stored().contains_key(&id));
    // Those that the account had planned from the start are one, nine and fourteen days ahead.
    rig.clock.advance(10 * DAY);
    assert_eq!(rig.sync().await.inserted, 2);
    rig.equals_truth();
}

#[tokio::test]
async fn what_is_missing_in_the_last_week_is_removed_by_every_sync_and_older_ones_by_a_full_pass() {
    let rig = Rig::synced(&setup(NOON)).await;
    // Two sessions a day: one of three days ago, and one of fifteen.
    assert!(rig.simulator.change(Change::Delete { from: 6, count: 1 }));
    assert!(rig.simulator.change(Change::Delete { from: 29, count: 1 }));
    let counts = rig.sync().await;
    assert_eq!((counts.deleted, rig.server.take_requests().len()), (1, 2), "a request a stream");
    assert_eq!(rig.stored().len(), rig.simulator.truth().len() + 1);
    assert_eq!(rig.sync_full().await.deleted, 1);
    rig.equals_truth();
}

#[tokio::test]
async fn a_day_without_anything_goes_whether_it_is_listed_or_not() {
    for list in [true, false] {
        let rig = Rig::new(&setup(NOON).stream("daily_summary"));
        rig.simulator.list_empty_days(list);
        rig.sync().await;
        rig.equals_truth();
        let days = of_stream(&rig.simulator.truth(), "daily_summary").len();
        assert!((10..20).contains(&days), "{days} of 20: some days have nothing, and no record says so");
        assert!(rig.simulator.change(Change::Delete { from: 1, count: 1 }));
        assert_eq!(rig.sync().await.deleted, 1, "{list}");
        rig.equals_truth();
    }
}

#[tokio::test]
async fn days_are_those_of_the_users_calendar_not_of_utc() {
    // In Rome it is the tenth already, for half an hour.
    let mut rig = Rig::new(&setup("2026-08-09T22:30:00Z"));
    // What the clock of Lifehub's user shows does not matter.
    rig.connection.zone = "America/New_York".parse().unwrap();
    rig.sync().await;
    let today = rig.stored().remove("2026-08-10").unwrap();
    assert_eq!(
        (&today["day"], &today["start"], &today["zone"]),
        (&json!("2026-08-10"), &json!(null), &json!(null))
    );
    rig.equals_truth();
    // A session has an instant without an offset: there the user's own clock counts.
    let session = rig.stored().into_values().find(|record| record["stream"] == "sessions").unwrap();
    let start = session["start"].as_str().unwrap();
    let day = rig.connection.zone.day_at(start.parse().unwrap());
    assert!(start.ends_with('Z') && session["day"] == json!(day), "{session}");
    // Five days later the days in between are read too, at both ends.
    rig.clock.advance(5 * DAY);
    assert_eq!(rig.sync().await.deleted, 0);
    rig.equals_truth();
}

#[tokio::test]
async fn it_does_not_matter_which_sessions_a_window_has() {
    let setup = Setup::new(7, NOON.parse().unwrap()).days(70).items(100);
    for window in [Window::Overlapping, Window::Beginning, Window::Whole] {
        let rig = Rig::new(&setup);
        rig.simulator.set_window(window);
        // One across each midnight, so that some lie across the borders.
        for days in 1..70 {
            rig.simulator.plan_session(setup.now - days * DAY + Duration::from_secs(12 * 3_600 - 60));
        }
        rig.sync().await;
        rig.equals_truth();
        assert_eq!(rig.sync().await.deleted, 0);
    }
}

#[tokio::test]
async fn bounds_that_rize_does_not_heed_stop_the_stream_and_delete_nothing() {
    let rig = Rig::synced(&setup(NOON)).await;
    rig.simulator.heed_bounds(false);
    for error in rig.fails(false).await {
        let error = error.unwrap();
        assert_eq!(error.kind, ErrorKind::InvalidResponse);
        assert!(error.message.contains("other days than it was asked for"), "{error:?}");
    }
}

#[tokio::test]
async fn a_key_that_was_deleted_asks_for_a_new_one() {
    let mut rig = Rig::synced(&setup(NOON)).await;
    rig.simulator.set_key(Some("another-made-up-key"));
    let errors = rig.fails(true).await;
    let error = errors.iter().flatten().next().unwrap();
    assert_eq!(error.kind, ErrorKind::Unauthorized);
    assert!(error.message.contains("does not accept the API key"), "{error:?}");
    assert!(error.hint.as_deref().unwrap().contains("Settings > API"), "{error:?}");
    assert_eq!(rig.server.take_requests().len(), 1, "what concerns the connection is asked once");
    let credentials = Credentials::none().with("api_key", Secret::new("another-made-up-key".to_owned()));
    rig.set_credentials(credentials.clone());
    rig.sync_full().await;
    rig.equals_truth();
    rig.connection.settings = json!({});
    let identity = rig.engine().identify("rize", &rig.connection.settings, credentials).await.unwrap();
    assert_eq!(identity.account, "sample.user@example.com", "in small letters");
    assert_eq!(identity.title.as_deref(), Some("Sample User"));
}

#[tokio::test]
async fn a_plan_that_lost_the_api_is_told_once() {
    let rig = Rig::synced(&setup(NOON)).await;
    for status in [403, 402] {
        rig.simulator.refuse(Some(status));
        let errors: Vec<_> = rig.fails(true).await.into_iter().flatten().collect();
        assert_eq!((errors.len(), rig.server.take_requests().len()), (1, 1), "{errors:?}");
        assert_eq!(errors[0].kind, ErrorKind::Forbidden);
        assert!(errors[0].hint.as_deref().unwrap().contains("plan"), "{errors:?}");
    }
    rig.simulator.refuse(None);
    rig.sync().await;
    rig.equals_truth();
}

#[tokio::test]
async fn requests_are_half_a_second_apart() {
    let rig = Rig::new(&Setup::new(7, NOON.parse().unwrap()));
    rig.simulator.set_pace(Some(Duration::from_millis(500)));
    rig.sync().await;
    rig.equals_truth();
    let requests = rig.server.take_requests();
    assert_eq!(requests.len(), 52, "two years and 45 days in windows of 30 days, twice");
    assert!(requests.iter().all(|request| request.status == Some(200)), "{requests:?}");
}

#[tokio::test]
async fn history_is_read_from_the_day_that_is_set() {
    let mut rig = Rig::synced(&setup(NOON)).await;
    // What lies before a start that was moved is not gone. Each stream has a live pass of one window, then the full one.
    let stored = rig.stored();
    rig.connection.settings = json!({ "start": "2026-03-01" });
    rig.sync_full().await;
    assert!(rig.stored() == stored);
    assert_eq!(rig.server.take_requests().len(), 4);
    // One in the future asks for next to nothing.
    rig.connection.settings = json!({ "start": "2031-01-01" });
    rig.sync_full().await;
    assert!(rig.stored() == stored);
    assert_eq!(rig.server.take_requests().len(), 4);
    // Without one it is 2021.
    rig.connection.settings = json!({});
    rig.sync_full().await;
    assert!(rig.stored() == stored);
    let day = |text: &str| text.parse::<Day>().unwrap().as_number() as usize;
    let windows = (day("2026-03-11") - day("2021-01-01") + 1).div_ceil(30);
    assert_eq!(rig.server.take_requests().len(), 2 * (1 + windows));
}

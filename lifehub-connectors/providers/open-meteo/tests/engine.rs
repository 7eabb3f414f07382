//! The engine over the simulated Open-Meteo: what ends up in the store, what it costs, and when it waits.
#![cfg(test)]
#![expect(clippy::disallowed_types, reason = "`tokio::test` builds a runtime")]

use std::collections::BTreeMap;
use std::ops::{Deref, DerefMut};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use lifehub_core::clock::Clock;
use lifehub_core::engine::{Counts, Report, RunStatus, Runs, SyncOptions};
use lifehub_core::http::{Request, Response, Transport};
use lifehub_core::{ErrorKind, Result};
use lifehub_open_meteo::OpenMeteo;
use lifehub_open_meteo::simulator::{Limits, Mishap, OpenMeteoSimulator};
use lifehub_testkit::{Account, Change, Fact, Setup};
use serde_json::{Value, json};

const DAY: Duration = Duration::from_secs(86_400);

/// Leads every request to the simulator, whatever its host, and remembers where it was meant to go.
struct Wire {
    server: String,
    inner: Arc<dyn Transport>,
    seen: Mutex<Vec<Request>>,
}

#[async_trait]
impl Transport for Wire {
    async fn send(&self, mut request: Request) -> Result<Response> {
        self.seen.lock().unwrap().push(request.clone());
        request.url = format!("{}{}", self.server, split(&request).1).parse().unwrap();
        self.inner.send(request).await
    }
}

/// The origin of a request, and its path and query.
fn split(request: &Request) -> (&str, &str) {
    let url = request.url.as_str();
    let host = url.find("://").unwrap() + 3;
    url.split_at(host + url[host..].find('/').unwrap())
}

struct Rig {
    base: lifehub_testkit::Rig<OpenMeteoSimulator>,
    wire: Arc<Wire>,
}

impl Deref for Rig {
    type Target = lifehub_testkit::Rig<OpenMeteoSimulator>;

    fn deref(&self) -> &Self::Target {
        &self.base
    }
}

impl DerefMut for Rig {
    fn deref_mut(&mut self) -> &mut Self::Target {
        &mut self.base
    }
}

impl Rig {
    fn new(now: &str) -> Self {
        Self::with(now, |_| ())
    }

    /// An account whose settings are not quite those of the simulator. Its calls are counted against the quotas of the
    /// manifest.
    fn with(now: &str, change: impl FnOnce(&mut Value)) -> Self {
        let now = now.parse().unwrap();
        let simulator = OpenMeteoSimulator::seeded(&Setup::new(7, now)).into();
        let mut base = lifehub_testkit::Rig::new(OpenMeteo, simulator, now).unwrap().with_quotas();
        change(&mut base.connection.settings);
        let (server, inner) = (base.server.url(), base.transport.clone());
        let wire = Arc::new(Wire { server, inner, seen: Mutex::default() });
        base.transport = wire.clone();
        Self { base, wire }
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

    /// The live records by their day.
    fn stored(&self) -> BTreeMap<String, Value> {
        let body = |text: &str| serde_json::from_str(text).unwrap();
        let records = self.records("").into_iter();
        records.map(|record| (record.external_id.clone(), body(record.record.body()))).collect()
    }

    fn body(&self, day: &str) -> Value {
        self.stored().remove(day).unwrap()
    }

    /// Path and query of the requests since this was last called.
    fn asked(&self) -> Vec<String> {
        let requests = self.server.take_requests();
        requests.into_iter().map(|request| format!("{}?{}", request.path, request.query)).collect()
    }
}

/// The bodies of the records that there should be, by their day.
fn bodies(truth: Vec<Fact>) -> BTreeMap<String, Value> {
    let readable = truth.into_iter().filter_map(|fact| Some((fact.id.unwrap(), fact.records?)));
    readable.map(|(day, mut records)| (day, records.remove(0)["body"].take())).collect()
}

#[tokio::test]
async fn a_first_sync_gives_the_truth_and_a_second_changes_nothing() {
    let rig = Rig::new("2026-06-10T12:07:30Z");
    let first = rig.sync().await;
    assert_eq!(rig.stored(), bodies(rig.simulator.truth()));
    assert_eq!((first.inserted, first.quarantined, first.pages), (745, 0, 3), "two years and 15 days");
    let asked = rig.asked();
    let part = |request: &str, name: &str| {
        let value = request.split(['?', '&']).find_map(|pair| pair.strip_prefix(&format!("{name}=")));
        value.unwrap_or("").to_owned()
    };
    let spans = asked.iter().map(|request| {
        let path = request.split('?').next().unwrap();
        format!("{path} {} {}", part(request, "start_date"), part(request, "end_date"))
    });
    assert_eq!(
        spans.collect::<Vec<_>>(),
        [
            "/v1/archive 2024-06-10 2025-06-10",
            "/v1/archive 2025-06-11 2026-06-09",
            "/v1/forecast 2026-06-06 2026-06-24",
        ]
    );
    let units =
        ["temperature_unit=celsius", "wind_speed_unit=ms", "precipitation_unit=mm", "timezone=Europe%2FRome"];
    assert!(asked.iter().all(|request| units.iter().all(|unit| request.contains(unit))), "{asked:?}");

    let second = rig.sync().await;
    assert_eq!((second.inserted, second.updated, second.deleted, second.pages), (0, 0, 0, 2));
    assert_eq!(rig.stored(), bodies(rig.simulator.truth()));
}

#[tokio::test]
async fn forecasts_turn_into_history() {
    let rig = Rig::new("2026-06-10T12:07:30Z");
    rig.sync().await;
    let before = rig.stored();
    rig.clock.advance(10 * DAY);
    let counts = rig.sync().await;
    let (after, truth) = (rig.stored(), bodies(rig.simulator.truth()));
    assert_eq!(after, truth);
    let changed: Vec<&str> =
        before.iter().filter(|(day, body)| after[*day] != **body).map(|(day, _)| day.as_str()).collect();
    // The archive had days up to the 5th, and has them up to the 15th now.
    let turned: Vec<String> = (6..16).map(|day| format!("2026-06-{day:02}")).collect();
    assert_eq!(changed[..10], turned, "{changed:?}");
    assert_eq!((counts.inserted, counts.updated, counts.deleted), (10, changed.len() as u64, 0));
    // A week from now the forecast of the first sync is still there for no day.
    assert!(changed.len() >= 18, "newer forecasts overwrite older ones: {changed:?}");
}

#[tokio::test]
async fn a_forecast_never_overwrites_what_was() {
    // The archive's last page has the latest three days alone, so that the forecast's page begins ten days back and has
    // six days that the archive knows.
    let rig = Rig::with("2026-06-10T12:07:30Z", |settings| settings["start"] = json!("2025-06-06"));
    let counts = rig.sync().await;
    assert_eq!((counts.pages, counts.unchanged), (3, 6));
    let mut truth = bodies(rig.simulator.truth());
    assert_eq!(rig.stored(), truth.split_off("2025-06-06"));
    let archived = |day: &str| rig.simulator.archived(41.6543, 12.3456, day.parse().unwrap(), 7_200);
    assert_eq!(rig.body("2026-06-05")["temperature_mean_c"], json!(archived("2026-06-05").mean));
    assert_ne!(
        rig.body("2026-06-06")["temperature_mean_c"],
        json!(archived("2026-06-06").mean),
        "a forecast"
    );
}

#[tokio::test]
async fn revised_days_inside_the_look_back_are_read_again() {
    let rig = Rig::new("2026-06-10T12:07:30Z");
    rig.sync().await;
    // The last day is the 24th: positions 18, 19 and 24 are the 6th, the 5th and the 31st of May.
    for position in [0, 18, 19, 24] {
        assert!(rig.simulator.change(Change::Edit(position)));
        let counts = rig.sync().await;
        assert_eq!((counts.updated, counts.inserted), (1, 0), "position {position}");
        assert_eq!(rig.stored(), bodies(rig.simulator.truth()));
    }
    assert!(rig.simulator.change(Change::Edit(400)));
    assert_eq!(rig.sync().await.updated, 0, "the look-back ends there");
    assert_eq!(rig.run(true).await.totals().updated, 1, "a full pass finds it");
    assert!(!rig.simulator.change(Change::Edit(745)), "there is no such day");
}

#[tokio::test]
async fn a_broken_day_is_quarantined_alone_until_it_heals() {
    let rig = Rig::new("2026-06-10T12:07:30Z");
    for position in [3, 20] {
        assert!(rig.simulator.change(Change::Poison(position)));
    }
    let counts = rig.sync().await;
    assert_eq!((counts.inserted, counts.quarantined), (743, 2));
    assert_eq!(rig.stored(), bodies(rig.simulator.truth()));
    let mut quarantine = rig.store.quarantine(rig.connection.id);
    quarantine.sort();
    let days: Vec<&str> = quarantine.iter().map(|(day, _)| day.as_str()).collect();
    assert_eq!(days, ["2026-06-04", "2026-06-21"]);
    assert!(quarantine.iter().all(|(_, reason)| !reason.contains("out of order")), "{quarantine:?}");
    assert!(rig.simulator.change(Change::Heal));
    assert_eq!(rig.sync().await.inserted, 2);
    assert_eq!(rig.stored(), bodies(rig.simulator.truth()));
    assert!(rig.store.quarantine(rig.connection.id).is_empty());
}

#[tokio::test]
async fn days_are_cut_at_the_offset_of_the_moment_of_asking() {
    // Half past midnight in Rome, the day before in UTC, five days before clocks go back.
    let rig = Rig::new("2026-10-20T22:30:00Z");
    rig.sync().await;
    assert_eq!(rig.stored(), bodies(rig.simulator.truth()));
    assert_eq!(rig.stored().keys().next_back().unwrap(), "2026-11-04", "15 days from the 21st on");
    let january = (1..32).map(|day| format!("2026-01-{day:02}")).collect::<Vec<_>>();
    let cut_at = |offset_s| {
        let means = january.iter().map(|day| {
            let weather = rig.simulator.archived(41.6543, 12.3456, day.parse().unwrap(), offset_s);
            json!([weather.min, weather.mean, weather.max])
        });
        means.collect::<Vec<_>>()
    };
    let stored = || {
        let stored = rig.stored();
        let members = ["temperature_min_c", "temperature_mean_c", "temperature_max_c"];
        let of = |day: &String| json!(members.map(|member| stored[day][member].clone()));
        january.iter().map(of).collect::<Vec<_>>()
    };
    assert_ne!(cut_at(7_200), cut_at(3_600), "days that begin an hour later are other days");
    assert_eq!(stored(), cut_at(7_200), "the offset of October, for January too");
    rig.clock.advance(10 * DAY);
    rig.sync().await;
    assert_eq!(stored(), cut_at(7_200), "it was not read again");
    assert_eq!(rig.run(true).await.status, RunStatus::Ok);
    assert_eq!(stored(), cut_at(3_600));
    assert_eq!(rig.stored(), bodies(rig.simulator.truth()));
}

#[tokio::test]
async fn an_answer_to_another_question_is_refused_whole() {
    for mishap in [Mishap::Fahrenheit, Mishap::ShortColumn, Mishap::OtherDays] {
        let rig = Rig::new("2026-06-10T12:07:30Z");
        rig.simulator.mishap(mishap);
        let report = rig.run(false).await;
        let error = report.streams[0].error.as_ref().unwrap();
        assert_eq!(error.kind, ErrorKind::InvalidResponse, "{mishap:?}: {error:?}");
        assert!(rig.stored().is_empty(), "{mishap:?}: no half of a page");
        assert_eq!(rig.server.request_count(), 1, "{mishap:?}: it would be the same again");
        rig.sync().await;
        assert_eq!(rig.stored(), bodies(rig.simulator.truth()), "after {mishap:?}");
    }
}

#[tokio::test]
async fn json_that_ends_in_plain_text_is_asked_for_again() {
    let rig = Rig::new("2026-06-10T12:07:30Z");
    rig.simulator.mishap(Mishap::StreamingError);
    rig.sync().await;
    assert_eq!(rig.server.request_count(), 4);
    assert_eq!(rig.stored(), bodies(rig.simulator.truth()));
}

/// Spends a limit, and tells when the request that was refused was sent again or is to be.
async fn waits(limits: Option<Limits>, mishap: Option<Mishap>) -> (RunStatus, String) {
    let mut rig = Rig::new("2026-06-10T12:07:30Z");
    rig.operator["quotas"] = json!("off");
    rig.simulator.set_limits(limits);
    mishap.into_iter().for_each(|mishap| rig.simulator.mishap(mishap));
    let status = rig.run(false).await.status;
    let parked = rig.store.latest(rig.connection.id).await.unwrap().and_then(|run| run.resume_at);
    let refused = rig.server.requests().iter().position(|request| request.status == Some(429)).unwrap();
    let again = parked.unwrap_or_else(|| rig.server.requests()[refused + 1].at);
    (status, again.to_string())
}

#[tokio::test]
async fn each_limit_is_waited_for_until_its_own_window() {
    let check = async |limits: Option<Limits>, mishap, status: RunStatus, from: &str, to: &str| {
        let (ended, again) = waits(limits, mishap).await;
        assert_eq!(ended, status, "{again}");
        assert!(from <= again.as_str() && again.as_str() < to, "{limits:?} {mishap:?}: {again}");
    };
    let many = 1e6;
    let minute = Limits::new(20.0, many, many);
    check(Some(minute), None, RunStatus::Ok, "2026-06-10T12:08:02", "2026-06-10T12:08:10").await;
    let hour = Limits::new(many, 1.0, many);
    check(Some(hour), None, RunStatus::Parked, "2026-06-10T13:00:02", "2026-06-10T13:00:40").await;
    let day = Limits::new(many, many, 1.0);
    check(Some(day), None, RunStatus::Parked, "2026-06-11T00:00:02", "2026-06-11T00:00:40").await;
    let concurrent = Some(Mishap::TooManyConcurrent);
    check(None, concurrent, RunStatus::Ok, "2026-06-10T12:07:36", "2026-06-10T12:07:45").await;
}

#[tokio::test]
async fn a_year_weighs_what_open_meteo_counts() {
    let rig = Rig::new("2026-06-10T12:07:30Z");
    rig.simulator.set_limits(Some(Limits::default()));
    rig.sync().await;
    let weights: Vec<u32> = rig.wire.seen.lock().unwrap().iter().map(|request| request.weight).collect();
    // 7 variables: 0.7 × 366 / 14 = 18.3, 0.7 × 364 / 14 = 18.2; a call costs 1 at least.
    assert_eq!(weights, [19, 19, 1]);
    let used = rig.simulator.used_today();
    assert!((used - 37.5).abs() < 1e-9, "{used}");
    rig.sync().await;
    let weights: Vec<u32> = rig.wire.seen.lock().unwrap()[3..].iter().map(|request| request.weight).collect();
    assert_eq!(weights, [1, 1], "a live pass is light");
}

#[tokio::test]
async fn its_own_quotas_keep_it_within_the_free_limits() {
    // Forty years are 40 × 19 weighted calls, more than a minute has.
    let rig = Rig::with("2026-06-10T12:07:30Z", |settings| settings["start"] = json!("1986-06-10"));
    rig.simulator.set_limits(Some(Limits::default()));
    rig.sync().await;
    assert!(rig.server.requests().iter().all(|request| request.status == Some(200)));
    assert!(rig.clock.now().to_string().as_str() > "2026-06-10T12:08:00Z");
}

#[tokio::test]
async fn the_archive_has_a_host_of_its_own_unless_the_operator_names_one() {
    let mut rig = Rig::new("2026-06-10T12:07:30Z");
    let hosts = |rig: &Rig| {
        let seen = std::mem::take(&mut *rig.wire.seen.lock().unwrap());
        seen.iter().map(|request| split(request).0.to_owned()).collect::<Vec<_>>()
    };
    rig.sync().await;
    assert_eq!(hosts(&rig), vec![rig.server.url(); 3]);
    rig.operator = json!({});
    rig.sync().await;
    assert_eq!(hosts(&rig), ["https://archive-api.open-meteo.com", "https://api.open-meteo.com"]);
}

#[tokio::test]
async fn a_setting_that_the_provider_refuses_is_named() {
    let rig = Rig::with("2026-06-10T12:07:30Z", |settings| settings["model"] = json!("crystal_ball"));
    let report = rig.run(false).await;
    let error = report.streams[0].error.as_ref().unwrap();
    assert_eq!(error.kind, ErrorKind::Invalid);
    assert!(error.message.contains("the setting `model`") && !error.message.contains("crystal"), "{error:?}");
    assert_eq!(rig.server.request_count(), 1, "final");
    let rig = Rig::with("2026-06-10T12:07:30Z", |settings| settings["model"] = json!("era5"));
    rig.sync().await;
    let asked = rig.asked();
    assert!(asked[0].contains("models=era5") && !asked[2].contains("models"), "{asked:?}");
}

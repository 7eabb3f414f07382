//! The simulated Open-Meteo over real HTTP.
#![cfg(test)]

use std::sync::Arc;
use std::time::Duration;

use lifehub_core::clock::{Day, ManualClock, Timestamp};
use lifehub_open_meteo::simulator::{Limits, Mishap, OpenMeteoSimulator, VARIABLES};
use lifehub_testkit::{Account, Change, Fault, FaultPlan, Probe, Reply, Server, Setup, Simulator};
use serde_json::{Value, json};

const PLACE: &str = "latitude=41.9&longitude=12.5";

struct OpenMeteo {
    simulator: OpenMeteoSimulator,
    clock: Arc<ManualClock>,
    server: Server,
}

fn now() -> Timestamp {
    "2026-08-10T12:07:00Z".parse().unwrap()
}

fn open_meteo() -> OpenMeteo {
    let simulator = OpenMeteoSimulator::seeded(&Setup::new(7, now()));
    let clock = Arc::new(ManualClock::at(now()));
    let server = Server::builder().clock(clock.clone()).start(simulator.clone()).unwrap();
    OpenMeteo { simulator, clock, server }
}

impl OpenMeteo {
    fn get(&self, path: &str) -> Reply {
        Probe::get(format!("{}{path}", self.server.url())).send().unwrap()
    }

    fn ask(&self, api: &str, query: &str) -> Value {
        let reply = self.get(&format!("/v1/{api}?{PLACE}&{query}"));
        assert_eq!(reply.status, 200, "{query}: {}", String::from_utf8_lossy(&reply.body));
        reply.json().unwrap()
    }

    fn refused(&self, path: &str, status: u16, reason: &str) {
        let reply = self.get(path);
        assert_eq!(
            (reply.status, reply.json().unwrap()),
            (status, json!({ "error": true, "reason": reason })),
            "{path}"
        );
    }
}

fn days(body: &Value) -> Vec<String> {
    serde_json::from_value(body["daily"]["time"].clone()).unwrap()
}

fn column(body: &Value, name: &str) -> Vec<Option<f64>> {
    serde_json::from_value(body["daily"][name].clone()).unwrap()
}

#[test]
fn only_what_is_asked_for_comes_with_its_units() {
    let meteo = open_meteo();
    let body = meteo.ask("forecast", "daily=temperature_2m_max,precipitation_sum&forecast_days=1");
    let members = |name: &str| body[name].as_object().unwrap().keys().cloned().collect::<Vec<_>>();
    assert_eq!(members("daily"), ["precipitation_sum", "temperature_2m_max", "time"]);
    assert_eq!(
        body["daily_units"],
        json!({ "time": "iso8601", "temperature_2m_max": "°C", "precipitation_sum": "mm" })
    );
    assert_eq!((&body["timezone"], &body["utc_offset_seconds"]), (&json!("GMT"), &json!(0)));
    assert_ne!(body["latitude"], 41.9, "the centre of the cell");
    let other = meteo.ask("forecast", "daily=temperature_2m_max,precipitation_sum&forecast_days=1");
    assert_ne!(body["generationtime_ms"], other["generationtime_ms"]);
    assert_eq!(body["daily"], other["daily"]);
    assert_eq!(meteo.ask("forecast", "forecast_days=1")["daily"], Value::Null);

    let wind = |unit: &str| {
        let body = meteo.ask("forecast", &format!("daily=wind_speed_10m_max&forecast_days=1{unit}"));
        (body["daily_units"]["wind_speed_10m_max"].clone(), column(&body, "wind_speed_10m_max")[0].unwrap())
    };
    let (default, metres) = (wind(""), wind("&wind_speed_unit=ms"));
    assert_eq!((default.0, metres.0), (json!("km/h"), json!("m/s")));
    assert!((default.1 - metres.1 * 3.6).abs() < 0.01);
    let fahrenheit =
        meteo.ask("forecast", "daily=temperature_2m_max&forecast_days=1&temperature_unit=fahrenheit");
    assert_eq!(fahrenheit["daily_units"]["temperature_2m_max"], "°F");
    let celsius = column(&body, "temperature_2m_max")[0].unwrap();
    assert!((column(&fahrenheit, "temperature_2m_max")[0].unwrap() - (celsius * 1.8 + 32.0)).abs() < 0.06);
}

#[test]
fn days_are_asked_for_in_one_of_two_styles() {
    let meteo = open_meteo();
    let of = |query: &str| days(&meteo.ask("forecast", &format!("daily=weather_code&{query}")));
    let default = of("");
    assert_eq!((default.len(), default[0].as_str()), (7, "2026-08-10"));
    let both = of("past_days=2&forecast_days=16");
    assert_eq!((both.len(), both[0].as_str(), both[17].as_str()), (18, "2026-08-08", "2026-08-25"));
    assert_eq!(of("start_date=2026-08-09&end_date=2026-08-11"), ["2026-08-09", "2026-08-10", "2026-08-11"]);
    assert_eq!(of("start_date=2026-08-09&end_date=2026-08-09&past_days=0&forecast_days=0"), ["2026-08-09"]);
    let unix =
        meteo.ask("forecast", "daily=weather_code&forecast_days=1&timeformat=unixtime&timezone=Europe/Rome");
    let midnight: Timestamp = "2026-08-09T22:00:00Z".parse().unwrap();
    assert_eq!(unix["daily"]["time"], json!([midnight.as_seconds()]));
}

#[test]
fn bad_parameters_are_refused_as_open_meteo_does() {
    let meteo = open_meteo();
    let refused = |rest: &str, reason: &str| meteo.refused(&format!("/v1/{rest}"), 400, reason);
    let at = |api: &str, query: &str| format!("{api}?{PLACE}&{query}");
    refused("forecast?longitude=12.5", "Value of type 'String' required for key 'latitude'.");
    refused("forecast?latitude=90.5&longitude=1", "Latitude must be in range of -90 to 90°. Given: 90.5.");
    refused("forecast?latitude=NaN&longitude=1", "Latitude must be in range of -90 to 90°. Given: NaN.");
    refused(
        "forecast?latitude=1&longitude=-181",
        "Longitude must be in range of -180 to 180°. Given: -181.0.",
    );
    refused(&at("forecast", "timezone=Mars/Olympus"), "Invalid timezone");
    let unknown = "Data corrupted at path ''. Cannot initialize";
    refused(
        &at("forecast", "daily=temperature_2m_max,tempeture"),
        &format!("{unknown} ForecastVariableDaily from invalid String value tempeture."),
    );
    refused(
        &at("archive", "models=era9"),
        &format!("{unknown} MultiDomains from invalid String value era9."),
    );
    refused(
        &at("forecast", "wind_speed_unit=mps"),
        &format!("{unknown} WindspeedUnit from invalid String value mps."),
    );
    let mixed = "Parameter 'past_days' is mutually exclusive with 'start_date' and 'end_date'";
    refused(&at("forecast", "start_date=2026-08-09&end_date=2026-08-10&past_days=1"), mixed);
    refused(
        &at("forecast", "start_date=2026-08-09"),
        "Both 'start_date' and 'end_date' must be set in the url",
    );
    refused(&at("archive", "daily=weather_code"), "Parameter 'start_date' is required");
    let format = "Invalid date format. Make sure to use 'YYYY-MM-DD'";
    refused(&at("archive", "start_date=2026-8-9&end_date=2026-08-10"), format);
    let order = "End-date must be larger or equals than start-date";
    refused(&at("archive", "start_date=2026-08-09&end_date=2026-08-08"), order);
    refused(&at("forecast", "past_days=93"), "Past days is invalid. Allowed range 0 to 92. Given 93.");
    refused(
        &at("forecast", "forecast_days=17"),
        "Forecast days is invalid. Allowed range 0 to 16. Given 17.",
    );
    let range =
        |name, first, last| format!("Parameter '{name}' is out of allowed range from {first} to {last}");
    let forecast = |name| range(name, "2026-05-09", "2026-08-25");
    refused(&at("forecast", "start_date=2026-05-08&end_date=2026-08-10"), &forecast("start_date"));
    refused(&at("forecast", "start_date=2026-08-10&end_date=2026-08-26"), &forecast("end_date"));
    let archive = |name| range(name, "1940-01-01", "2026-08-10");
    refused(&at("archive", "start_date=1939-12-31&end_date=2026-08-10"), &archive("start_date"));
    refused(&at("archive", "start_date=2026-08-10&end_date=2026-08-11"), &archive("end_date"));
    meteo.refused("/v1/seasonal", 404, "Not Found");
}

#[test]
fn the_archive_lacks_its_last_days() {
    let meteo = open_meteo();
    let body = meteo
        .ask("archive", "start_date=2026-08-01&end_date=2026-08-10&daily=temperature_2m_mean,weather_code");
    for name in ["temperature_2m_mean", "weather_code"] {
        let known: Vec<bool> = column(&body, name).iter().map(Option::is_some).collect();
        assert_eq!(known, [true, true, true, true, true, false, false, false, false, false], "{name}");
    }
    meteo.clock.advance(Duration::from_secs(86_400));
    let body = meteo.ask("archive", "start_date=2026-08-06&end_date=2026-08-07&daily=temperature_2m_mean");
    assert_eq!(column(&body, "temperature_2m_mean").iter().filter(|value| value.is_some()).count(), 1);
}

#[test]
fn one_offset_holds_for_the_whole_answer() {
    let meteo = open_meteo();
    let january = "start_date=2026-01-01&end_date=2026-01-31&daily=temperature_2m_mean&timezone=";
    let rome = meteo.ask("archive", &format!("{january}Europe/Rome"));
    assert_eq!(
        (&rome["utc_offset_seconds"], &rome["timezone_abbreviation"]),
        (&json!(7_200), &json!("GMT+2"))
    );
    let york = meteo.ask("archive", &format!("{january}America/New_York"));
    assert_eq!(york["utc_offset_seconds"], -14_400);
    assert_eq!(meteo.ask("archive", &format!("{january}Asia/Kolkata"))["timezone_abbreviation"], "GMT+5:30");
    meteo.clock.jump_to("2026-11-10T12:00:00Z".parse().unwrap());
    let winter = meteo.ask("archive", &format!("{january}Europe/Rome"));
    assert_eq!(winter["utc_offset_seconds"], 3_600);
    assert_ne!(winter["daily"], rome["daily"], "days are cut an hour later");
    assert_eq!(winter["daily"]["time"], rome["daily"]["time"]);
}

#[test]
fn limits_count_weighted_calls_in_windows_of_the_clock() {
    let meteo = open_meteo();
    let year = format!(
        "/v1/archive?{PLACE}&start_date=2025-01-01&end_date=2025-12-31&daily={}",
        VARIABLES.join(",")
    );
    assert_eq!(meteo.get(&year).status, 200);
    assert!((meteo.simulator.used_today() - 18.25).abs() < 1e-9, "0.7 × 365 / 14");
    assert_eq!(meteo.get("/v1/forecast?latitude=1").status, 400);
    assert!((meteo.simulator.used_today() - 19.25).abs() < 1e-9, "what is refused costs one");

    let cheap = format!("/v1/forecast?{PLACE}");
    let minutely = "Minutely API request limit exceeded. Please try again in one minute.";
    let hourly = "Hourly API request limit exceeded. Please try again in the next hour.";
    let daily = "Daily API request limit exceeded. Please try again tomorrow.";
    meteo.simulator.set_limits(Some(Limits::new(19.0, 40.0, 60.0)));
    assert_eq!(meteo.get(&year).status, 200);
    assert_eq!(meteo.get(&year).status, 200, "18.25 is below 19, whatever the next one weighs");
    meteo.refused(&cheap, 429, minutely);
    assert_eq!(meteo.get(&cheap).header("retry-after"), None);
    meteo.clock.advance(Duration::from_secs(59));
    meteo.refused(&cheap, 429, minutely);
    meteo.clock.advance(Duration::from_secs(1));
    assert_eq!(meteo.get(&year).status, 200, "36.5 of 40 in this hour");
    meteo.clock.advance(Duration::from_secs(60));
    meteo.refused(&cheap, 429, hourly);
    meteo.clock.jump_to("2026-08-10T13:00:00Z".parse().unwrap());
    assert_eq!(meteo.get(&year).status, 200);
    meteo.clock.jump_to("2026-08-10T23:59:59Z".parse().unwrap());
    meteo.refused(&cheap, 429, daily);
    meteo.clock.advance(Duration::from_secs(1));
    assert_eq!(meteo.get(&cheap).status, 200);
}

#[test]
fn mishaps_happen_once_each() {
    let meteo = open_meteo();
    let path = format!("/v1/forecast?{PLACE}&daily=temperature_2m_max,weather_code&forecast_days=3");
    let sound = meteo.get(&path).json().unwrap();
    for mishap in [Mishap::TooManyConcurrent, Mishap::StreamingError, Mishap::ShortColumn] {
        meteo.simulator.mishap(mishap);
    }
    meteo.refused(&path, 429, "Too many concurrent requests");
    let broken = meteo.get(&path);
    assert_eq!(
        (broken.status, broken.header("content-type")),
        (200, Some("application/json; charset=utf-8"))
    );
    assert!(broken.json().is_err() && broken.body.ends_with(b"while streaming data: timeoutReached"));
    assert_eq!(column(&meteo.get(&path).json().unwrap(), "temperature_2m_max").len(), 2);
    assert_eq!(meteo.get(&path).json().unwrap()["daily"], sound["daily"]);
    for fault in Fault::EACH {
        meteo.server.set_faults(FaultPlan::none().at(1, fault));
        let reply = Probe::get(format!("{}{path}", meteo.server.url())).send();
        let good = reply.is_ok_and(|reply| reply.json().is_ok_and(|body| body["daily"] == sound["daily"]));
        assert_eq!(good, matches!(fault, Fault::Delay(_)), "{fault:?}");
    }
    let refusal: Value = serde_json::from_slice(&meteo.simulator.refusal(500).body).unwrap();
    assert_eq!(refusal, json!({ "error": true, "reason": "Something went wrong." }));
}

#[test]
fn what_it_answers_is_the_truth() {
    let meteo = open_meteo();
    for change in [Change::Edit(3), Change::Edit(20), Change::Edit(20), Change::Poison(22)] {
        assert!(meteo.simulator.change(change));
    }
    let daily = VARIABLES.join(",");
    let ask = |api: &str, from: &str, to: &str| {
        let units = "wind_speed_unit=ms&timezone=Europe/Rome";
        let place = "latitude=41.6543&longitude=12.3456";
        let path = format!("/v1/{api}?{place}&daily={daily}&{units}&start_date={from}&end_date={to}");
        meteo.get(&path).json().unwrap()
    };
    let archive = ask("archive", "2024-08-10", "2026-08-05");
    let forecast = ask("forecast", "2026-08-06", "2026-08-24");
    let truth = meteo.simulator.truth();
    assert_eq!(truth.len(), days(&archive).len() + days(&forecast).len());
    let members = [
        "temperature_min_c",
        "temperature_mean_c",
        "temperature_max_c",
        "precipitation_mm",
        "wind_max_mps",
        "sunshine_s",
        "code",
    ];
    let rows =
        [&archive, &forecast].into_iter().flat_map(|body| (0..days(body).len()).map(move |row| (body, row)));
    let mut broken = Vec::new();
    for (fact, (body, row)) in truth.iter().zip(rows) {
        assert_eq!(fact.id.as_deref(), body["daily"]["time"][row].as_str());
        let Some(records) = &fact.records else {
            assert_eq!(body["daily"]["temperature_2m_min"][row], "out of order");
            broken.extend(fact.id.clone());
            continue;
        };
        for (variable, member) in VARIABLES.iter().zip(members) {
            assert_eq!(records[0]["body"][member], body["daily"][variable][row], "{:?} {variable}", fact.id);
        }
    }
    assert_eq!(broken, ["2026-08-02"]);
    assert!(meteo.simulator.change(Change::Heal));
    assert!(meteo.simulator.truth().iter().all(|fact| fact.records.is_some()));
    for unknown in
        [Change::Add, Change::TakeId(0), Change::ExpireCursors, Change::Stale(true), Change::Edit(5_000)]
    {
        assert!(!meteo.simulator.change(unknown.clone()), "{unknown:?}");
    }
    let again = OpenMeteoSimulator::seeded(&Setup::new(7, now()));
    assert_eq!(again.truth()[..700], OpenMeteoSimulator::seeded(&Setup::new(7, now())).truth()[..700]);
    assert_ne!(again.truth(), OpenMeteoSimulator::seeded(&Setup::new(8, now())).truth());
}

#[test]
fn two_years_look_like_weather() {
    let meteo = open_meteo();
    let mut years: Vec<_> = Vec::new();
    for (latitude, longitude) in [(52.5, 13.4), (-37.8, 145.0)] {
        let first: Day = "2024-01-01".parse().unwrap();
        let days = (0..731).map(|n| Day::from_number(first.as_number() + n));
        years.push(days.map(|day| meteo.simulator.archived(latitude, longitude, day, 0)).collect::<Vec<_>>());
    }
    let mean = |values: &mut dyn Iterator<Item = f64>| {
        let all: Vec<f64> = values.collect();
        all.iter().sum::<f64>() / all.len() as f64
    };
    for (year, (north, south)) in years.iter().zip([(true, false), (false, true)]) {
        let january = mean(&mut year[..31].iter().map(|day| day.mean));
        let july = mean(&mut year[182..213].iter().map(|day| day.mean));
        assert_eq!((july > january + 8.0, january > july + 8.0), (north, south), "{january} {july}");
        assert!(year.iter().all(|day| day.min <= day.mean && day.mean <= day.max));
        assert!(year.iter().all(|day| (-40.0..48.0).contains(&day.min) && (0.0..30.0).contains(&day.wind)));
        assert!(year.iter().all(|day| (0.0..=86_400.0).contains(&day.sunshine) && day.code <= 99));
        let dry = year.iter().filter(|day| day.precipitation == 0.0).count();
        assert!((200..600).contains(&dry), "{dry} dry days");
        // Neighbouring days resemble each other more than any two of one season.
        let step = mean(&mut year.windows(2).map(|pair| (pair[1].mean - pair[0].mean).abs()));
        let month = mean(&mut year.windows(20).map(|days| (days[19].mean - days[0].mean).abs()));
        assert!(step * 1.3 < month, "{step} {month}");
    }
}

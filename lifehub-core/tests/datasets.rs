//! The dataset catalogue: what it publishes, and that every body survives storing and yields what it declares.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking, its helpers too")]

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Debug;

use lifehub_core::clock::{Day, Timestamp};
use lifehub_core::record::datasets::{self, *};
use lifehub_core::record::{Dataset, DatasetInfo, Moment, Point, When};
use proptest::prelude::*;
use serde_json::{Value, json};

/// A dataset with an example that has all its members, and the points that it yields over an hour.
struct Example {
    name: &'static str,
    body: Value,
    points: &'static [(&'static str, &'static str, f64)],
    /// Reads the body as its type and writes it again.
    rewrite: fn(&Value) -> Result<Value, String>,
}

impl Example {
    fn of<D: Dataset + PartialEq + Debug>(
        body: Value,
        points: &'static [(&'static str, &'static str, f64)],
    ) -> Self {
        Self { name: D::NAME, body, points, rewrite: rewrite::<D> }
    }

    fn info(&self) -> &'static DatasetInfo {
        DatasetInfo::find(self.name).unwrap()
    }
}

fn rewrite<D: Dataset + PartialEq + Debug>(body: &Value) -> Result<Value, String> {
    let first: D = serde_json::from_str(&body.to_string()).map_err(|e| e.to_string())?;
    let text = first.to_json().map_err(|e| e.to_string())?;
    let second: D = serde_json::from_str(&text).map_err(|e| e.to_string())?;
    assert_eq!(first, second);
    serde_json::from_str(&text).map_err(|e| e.to_string())
}

fn examples() -> Vec<Example> {
    vec![
        Example::of::<Play>(
            json!({"track": "Song", "artists": ["A", "B"], "album": "Disc", "duration_ms": 215000,
                "isrc": "GBAYE0601498", "url": "https://music.example/1"}),
            &[("listening.plays", "", 1.0), ("listening.time", "", 3600.0)],
        ),
        Example::of::<Workout>(
            json!({"sport": "Run", "name": "Morning", "moving_s": 1800.0, "elapsed_s": 1900.5, "distance_m": 5000.0,
                "elevation_gain_m": 12.0, "energy_kcal": 390.0, "avg_hr_bpm": 146.0, "max_hr_bpm": 171.0,
                "avg_speed_mps": 2.75, "polyline": "_p~iF~ps|U"}),
            &[
                ("workout.count", "", 1.0),
                ("workout.time", "", 1800.0),
                ("workout.distance", "", 5000.0),
                ("workout.energy", "", 390.0),
            ],
        ),
        Example::of::<Event>(
            json!({"title": "Review", "description": "<p>Plans</p>", "location": "Room 1", "status": "confirmed",
                "organizer": "ann@example.org", "attendees": [
                    {"name": "Ann", "email": "ann@example.org", "response": "accepted"},
                    {"email": "bob@example.org", "response": "needs_action"}],
                "response": "tentative", "recurring_id": "series-1", "last_day": "2026-03-03", "url": "https://calendar.example/1"}),
            &[("calendar.events", "", 1.0), ("calendar.time", "", 3600.0)],
        ),
        Example::of::<Sleep>(
            json!({"kind": "main", "asleep_s": 25200.0, "in_bed_s": 27300.0, "awake_s": 2100.0, "light_s": 13800.0,
                "deep_s": 6000.0, "rem_s": 5400.0, "latency_s": 600.0, "efficiency": 0.92, "avg_hr_bpm": 54.5,
                "lowest_hr_bpm": 48.0, "hrv_ms": 61.0, "breath_rate_bpm": 14.2, "score": 83.0}),
            &[
                ("sleep.time", "", 25200.0),
                ("sleep.deep", "", 6000.0),
                ("sleep.rem", "", 5400.0),
                ("sleep.efficiency", "", 0.92),
                ("sleep.hrv", "", 61.0),
                ("sleep.resting_hr", "", 48.0),
                ("sleep.score", "", 83.0),
            ],
        ),
        Example::of::<Readiness>(
            json!({"score": 77.0, "contributors": {"sleep_balance": 80.0}, "temperature_deviation_c": -0.2}),
            &[("readiness.score", "", 77.0)],
        ),
        Example::of::<Activity>(
            json!({"steps": 8421, "active_kcal": 412.3, "total_kcal": 2280.9, "distance_m": 6120.4,
                "sedentary_s": 30000.0, "score": 90.0}),
            &[("activity.steps", "", 8421.0), ("activity.energy", "", 412.3), ("activity.score", "", 90.0)],
        ),
        Example::of::<Vital>(
            json!({"kind": "other", "value": 3.5, "unit": "mg/dL", "name": "uric_acid"}),
            &[("vital.other", "uric_acid", 3.5)],
        ),
        Example::of::<Focus>(
            json!({"title": "Report", "kind": "meeting", "project": "P", "category": "Writing", "duration_s": 1500.0}),
            &[("meeting.time", "", 1500.0)],
        ),
        Example::of::<Productivity>(
            json!({"focus_s": 7200.0, "meeting_s": 1800.0, "break_s": 600.0, "tracked_s": 9600.0,
                "categories": {"Code": 7000.0, "Mail": 200.0}}),
            &[
                ("productivity.tracked", "", 9600.0),
                ("productivity.focus", "", 7200.0),
                ("productivity.meeting", "", 1800.0),
                ("productivity.break", "", 600.0),
                ("productivity.category", "Code", 7000.0),
                ("productivity.category", "Mail", 200.0),
            ],
        ),
        Example::of::<Transaction>(
            json!({"amount": "-12.50", "currency": "EUR", "payee": "Grocer", "memo": "fruit", "category": "Food",
                "account": "Checking", "transfer": true}),
            &[],
        ),
        Example::of::<Balance>(
            json!({"account": "Savings", "kind": "savings", "amount": "1204.56", "currency": "EUR"}),
            &[("finance.net_worth", "EUR/Savings", 1204.56)],
        ),
        Example::of::<Trade>(
            json!({"instrument": "EXT", "side": "sell", "quantity": "1.50", "price": "20.00", "currency": "EUR",
                "fee": "0.10"}),
            &[("finance.invested", "EUR", -30.0)],
        ),
        Example::of::<Weather>(
            json!({"place": "Rome", "temperature_min_c": 8.1, "temperature_mean_c": 13.0, "temperature_max_c": 18.4,
                "precipitation_mm": 0.4, "wind_max_mps": 6.2, "sunshine_s": 21000.0, "code": 61, "forecast": true}),
            &[
                ("weather.temperature_min", "Rome", 8.1),
                ("weather.temperature_mean", "Rome", 13.0),
                ("weather.temperature_max", "Rome", 18.4),
                ("weather.precipitation", "Rome", 0.4),
                ("weather.wind_max", "Rome", 6.2),
                ("weather.sunshine", "Rome", 21000.0),
            ],
        ),
        Example::of::<Journal>(
            json!({"text": "A walk.", "summary": "Calm", "day_score": 8.0, "productivity_score": 5.0, "tags": ["calm"]}),
            &[("journal.day_score", "", 8.0), ("journal.productivity_score", "", 5.0)],
        ),
        Example::of::<Entry>(
            json!({"tracker": "mood", "value": {"choice": "good"}, "note": "sun"}),
            &[("tracker.mood", "good", 1.0)],
        ),
        Example::of::<Contribution>(
            json!({"kind": "pull_request", "repository": "octo/cat", "title": "Fix", "url": "https://code.example/1"}),
            &[("code.contributions", "", 1.0)],
        ),
        Example::of::<Task>(
            json!({"title": "Call", "project": "Home", "due": "2026-03-01", "completed": true, "priority": "urgent"}),
            &[("tasks.completed", "", 1.0)],
        ),
        Example::of::<Custom>(
            json!({"schema": "weight", "fields": {"note": "after run", "fasting": true, "tags": ["a", 2.0],
                "scale": {"model": "X"}}, "metrics": {"kg": 71.4}}),
            &[("custom.weight.kg", "", 71.4)],
        ),
    ]
}

fn hour() -> When {
    let start: Timestamp = "2026-03-01T08:00:00Z".parse().unwrap();
    let end = start + std::time::Duration::from_secs(3600);
    When::Span { start: Moment::utc(start), end: Moment::utc(end) }
}

fn whole_day() -> When {
    When::Day("2026-03-01".parse::<Day>().unwrap())
}

fn points(body: &impl Dataset, when: &When) -> Vec<(String, String, f64)> {
    body.points(when).into_iter().map(|p| (p.metric.into(), p.label.into(), p.value)).collect()
}

fn check(body: &impl Dataset, when: &When, expected: &[(&str, &str, f64)]) {
    let expected: Vec<_> =
        expected.iter().map(|(metric, label, value)| ((*metric).into(), (*label).into(), *value)).collect();
    assert_eq!(points(body, when), expected);
}

fn is_declared(info: &DatasetInfo, point: &Point) -> bool {
    info.metrics.iter().any(|metric| match metric.name.strip_suffix('*') {
        Some(family) => point.metric.starts_with(family),
        None => point.metric == metric.name,
    })
}

#[test]
fn the_catalogue_is_as_published() {
    let catalogue: Vec<_> = datasets::all()
        .iter()
        .map(|info| {
            json!({"name": info.name, "title": info.title, "counts_at_end": info.counts_at_end,
                "metrics": info.metrics, "schema": (info.schema)()})
        })
        .collect();
    insta::with_settings!({ sort_maps => true }, {
        insta::assert_json_snapshot!("catalogue", catalogue);
    });
}

#[test]
fn names_of_datasets_and_metrics_are_unique() {
    let mut datasets: Vec<_> = datasets::all().iter().map(|info| info.name).collect();
    let mut metrics: Vec<_> = datasets::all().iter().flat_map(|info| info.metrics).map(|m| m.name).collect();
    for names in [&mut datasets, &mut metrics] {
        let count = names.len();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), count);
    }
}

#[test]
fn every_member_is_described() {
    fn walk(place: &str, schema: &Value) {
        for (name, property) in schema["properties"].as_object().into_iter().flatten() {
            assert!(property["description"].is_string(), "{place}.{name} has no description");
        }
        for (name, definition) in schema["$defs"].as_object().into_iter().flatten() {
            assert!(definition["description"].is_string(), "{place}: {name} has no description");
            // The variants of `EntryValue` stand in `oneOf`, each described as a whole; what remains are structs.
            walk(name, definition);
        }
    }
    for info in datasets::all() {
        let schema = (info.schema)().to_value();
        assert_eq!(schema["type"], "object", "{}", info.name);
        assert_eq!(schema["additionalProperties"], false, "{} takes unknown members", info.name);
        assert!(schema["description"].is_string(), "{}", info.name);
        walk(info.name, &schema);
    }
}

#[test]
fn every_dataset_has_a_full_example_that_round_trips() {
    let names: Vec<_> = examples().iter().map(|example| example.name).collect();
    let all: Vec<_> = datasets::all().iter().map(|info| info.name).collect();
    assert_eq!(names, all);
    for example in examples() {
        let schema = (example.info().schema)().to_value();
        let members = |value: &Value| value.as_object().unwrap().keys().cloned().collect::<BTreeSet<_>>();
        assert_eq!(members(&example.body), members(&schema["properties"]), "{}", example.name);
        assert_eq!((example.rewrite)(&example.body).unwrap(), example.body);
    }
}

#[test]
fn optional_members_may_be_missing_and_no_others() {
    for example in examples() {
        let schema = (example.info().schema)().to_value();
        let required = schema["required"].as_array().cloned().unwrap_or_default();
        for member in example.body.as_object().unwrap().keys() {
            let mut body = example.body.clone();
            body.as_object_mut().unwrap().remove(member);
            let read = (example.rewrite)(&body);
            if required.contains(&json!(member)) {
                assert!(read.is_err(), "{}.{member} is required", example.name);
            } else {
                assert_eq!(read.unwrap(), body, "{}.{member} is optional", example.name);
            }
        }
        let mut body = example.body.clone();
        body["unheard_of"] = json!(1);
        assert!((example.rewrite)(&body).is_err(), "{} takes unknown members", example.name);
    }
}

#[test]
fn points_are_declared_and_as_documented() {
    for example in examples() {
        let info = example.info();
        let points = info.points(&example.body.to_string(), &hour()).unwrap();
        for point in &points {
            assert!(is_declared(info, point), "{} yields {} undeclared", info.name, point.metric);
            assert!(point.value.is_finite());
        }
        let points: Vec<_> = points.iter().map(|p| (&*p.metric, &*p.label, p.value)).collect();
        assert_eq!(points, example.points, "{}", info.name);
    }
}

#[test]
fn an_all_day_event_has_no_time_and_a_cancelled_or_declined_one_nothing() {
    check(&Event::default(), &whole_day(), &[("calendar.events", "", 1.0)]);
    let cancelled = Event { status: Some(EventStatus::Cancelled), ..Event::default() };
    let declined = Event { response: Some(AttendeeResponse::Declined), ..Event::default() };
    check(&cancelled, &hour(), &[]);
    check(&declined, &hour(), &[]);
}

#[test]
fn the_span_stands_in_for_a_missing_duration() {
    let focus = Focus { kind: FocusKind::Focus, ..Focus::default() };
    check(&focus, &hour(), &[("focus.time", "", 3600.0)]);
    check(&focus, &whole_day(), &[]);
    let play = Play { duration_ms: Some(215_000), ..Play::default() };
    check(&play, &whole_day(), &[("listening.plays", "", 1.0), ("listening.time", "", 215.0)]);
}

#[test]
fn naps_add_time_only_and_rest_adds_nothing() {
    let nap = Sleep {
        kind: SleepKind::Nap,
        asleep_s: Some(1200.0),
        lowest_hr_bpm: Some(60.0),
        score: Some(50.0),
        ..Sleep::default()
    };
    check(&nap, &hour(), &[("sleep.time", "", 1200.0)]);
    check(&Sleep { kind: SleepKind::Rest, ..nap }, &hour(), &[]);
}

#[test]
fn payments_are_spending_or_income_and_transfers_neither() {
    let payment = |cents| Transaction {
        amount: Decimal::from_minor(cents, 2).unwrap(),
        currency: "EUR".to_owned(),
        ..Transaction::default()
    };
    check(&payment(-1250), &whole_day(), &[("finance.spending", "EUR", 12.5)]);
    check(&payment(1250), &whole_day(), &[("finance.income", "EUR", 12.5)]);
    check(&payment(0), &whole_day(), &[]);
    check(&Transaction { transfer: true, ..payment(-1250) }, &whole_day(), &[]);
}

#[test]
fn the_side_alone_signs_a_trade() {
    let trade = |side, quantity: &str| Trade {
        instrument: "EXT".to_owned(),
        side,
        quantity: quantity.parse().unwrap(),
        price: "20".parse().unwrap(),
        currency: "EUR".to_owned(),
        fee: None,
    };
    check(&trade(TradeSide::Buy, "1.5"), &whole_day(), &[("finance.invested", "EUR", 30.0)]);
    check(&trade(TradeSide::Sell, "1.5"), &whole_day(), &[("finance.invested", "EUR", -30.0)]);
    check(&trade(TradeSide::Sell, "-1.5"), &whole_day(), &[("finance.invested", "EUR", -30.0)]);
}

#[test]
fn entries_yield_a_number_whatever_their_kind() {
    for (value, label, number, json) in [
        (EntryValue::Number(2.0), "", 2.0, json!({"number": 2.0})),
        (EntryValue::Choice("good".to_owned()), "good", 1.0, json!({"choice": "good"})),
        (EntryValue::Boolean(true), "", 1.0, json!({"boolean": true})),
        (EntryValue::Boolean(false), "", 0.0, json!({"boolean": false})),
        (EntryValue::DurationS(90.0), "", 90.0, json!({"duration_s": 90.0})),
    ] {
        assert_eq!(serde_json::to_value(&value).unwrap(), json);
        let entry = Entry { tracker: "t".to_owned(), value, note: None };
        check(&entry, &whole_day(), &[("tracker.t", label, number)]);
    }
}

#[test]
fn a_vital_bears_the_unit_of_its_kind() {
    let weight = Vital::new(VitalKind::Weight, 71.4);
    assert_eq!(weight.to_json().unwrap(), r#"{"kind":"weight_kg","value":71.4,"unit":"kg"}"#);
    check(&weight, &whole_day(), &[("vital.weight_kg", "", 71.4)]);
    for metric in Vital::METRICS {
        let kind: VitalKind = serde_json::from_value(json!(metric.name.strip_prefix("vital."))).unwrap();
        assert_eq!((kind.unit(), format!("vital.{}", kind.as_str())), (metric.unit, metric.name.to_owned()));
    }
}

#[test]
fn an_open_task_yields_nothing() {
    check(&Task::default(), &whole_day(), &[]);
}

#[test]
fn numbers_that_json_lacks_are_refused() {
    for number in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
        let map = BTreeMap::from([("n".to_owned(), number)]);
        let bodies = [
            Vital::new(VitalKind::Weight, number).to_json(),
            Workout { distance_m: Some(number), ..Workout::default() }.to_json(),
            Productivity { categories: map.clone(), ..Productivity::default() }.to_json(),
            Entry { tracker: "t".to_owned(), value: EntryValue::Number(number), note: None }.to_json(),
            Custom { metrics: map, ..Custom::default() }.to_json(),
            Custom { fields: BTreeMap::from([("n".to_owned(), number.into())]), ..Custom::default() }
                .to_json(),
        ];
        for body in bodies {
            assert!(body.unwrap_err().message().contains("not finite"));
        }
    }
}

#[test]
fn equal_decimals_have_one_text() {
    for (text, canonical) in [
        ("-12.50", "-12.50"),
        ("-12.5", "-12.50"),
        ("-12.5000000000000000000000000000000000000000", "-12.50"),
        ("3", "3.00"),
        ("+.5", "0.50"),
        ("5.", "5.00"),
        ("-0", "0.00"),
        ("007", "7.00"),
        ("1.5e3", "1500.00"),
        ("1E-7", "0.0000001"),
        ("123456789012345678.123456789012345678", "123456789012345678.123456789012345678"),
    ] {
        assert_eq!(text.parse::<Decimal>().unwrap().to_string(), canonical, "{text}");
    }
    for text in [
        "", ".", "-", "-.", "1,5", "1 000", "--1", "1e", "1e99999", "NaN", "inf", "0x1", "1e-31", "1e35", "٣",
    ] {
        let error = text.parse::<Decimal>().unwrap_err();
        assert!(text.len() < 4 || !error.to_string().contains(text), "an amount is personal: {error}");
    }
    assert_eq!(Decimal::from_milliunits(i64::MIN).to_string(), "-9223372036854775.808");
    assert_eq!(Decimal::from_minor(1200, 0).unwrap().to_string(), "1200.00");
    assert!(Decimal::from_minor(1, 31).is_err());
}

#[test]
fn decimals_read_from_json_strings_and_numbers() {
    for (json, canonical) in
        [("\"-12.5\"", "-12.50"), ("12840.55", "12840.55"), ("-3", "-3.00"), ("1.0E-7", "0.0000001")]
    {
        assert_eq!(serde_json::from_str::<Decimal>(json).unwrap().to_string(), canonical);
    }
    assert!(serde_json::from_str::<Decimal>("null").is_err());
}

proptest! {
    #[test]
    fn decimals_keep_every_digit(minor: i64, scale in 0_u8..=30) {
        // 19 digits and two more for whole numbers always fit.
        let decimal = Decimal::from_minor(minor, scale).unwrap();
        prop_assert_eq!(decimal.to_string().parse::<Decimal>().unwrap(), decimal);
        prop_assert_eq!(format!("{minor}e-{scale}").parse::<Decimal>().unwrap(), decimal);
        prop_assert_eq!((-decimal).to_f64(), -decimal.to_f64());
        prop_assert_eq!(decimal.to_f64(), format!("{minor}e-{scale}").parse::<f64>().unwrap());
    }

    #[test]
    fn decimals_take_any_text_without_a_panic(text in "[-+]?[0-9]{0,45}\\.?[0-9]{0,45}(e[-+]?[0-9]{1,6})?") {
        if let Ok(decimal) = text.parse::<Decimal>() {
            prop_assert_eq!(decimal.to_f64(), text.parse::<f64>().unwrap());
        }
    }

    /// Thousandths, because without its feature `float_roundtrip` serde_json may miss the last bit of longer fractions.
    #[test]
    fn any_numbers_round_trip(thousandths: i32) {
        fn fill(value: &mut Value, number: f64) {
            match value {
                Value::Number(n) if n.is_f64() => *value = json!(number),
                Value::Array(values) => values.iter_mut().for_each(|v| fill(v, number)),
                Value::Object(values) => values.values_mut().for_each(|v| fill(v, number)),
                _ => {}
            }
        }
        for mut example in examples() {
            fill(&mut example.body, f64::from(thousandths) / 1000.0);
            prop_assert_eq!((example.rewrite)(&example.body).unwrap(), example.body.clone());
            for point in example.info().points(&example.body.to_string(), &hour()).unwrap() {
                prop_assert!(point.value.is_finite() && is_declared(example.info(), &point));
            }
        }
    }
}

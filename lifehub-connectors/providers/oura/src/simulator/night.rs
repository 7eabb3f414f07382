//! Nights, and what Oura makes of them: sleep, its scores, readiness, blood oxygen.

use std::time::Duration;

use lifehub_core::clock::{Day, Timestamp};
use lifehub_testkit::{Place, Seeded};
use serde_json::{Map, Value, json};

/// Where the person lives.
pub(super) const HOME: Place = Place::Rome;

/// What a night was like, from which all that is told of its day follows.
struct Night {
    asleep_s: i64,
    /// From 0 to 100.
    quality: i64,
    /// Whether the person has a cold.
    ill: bool,
}

impl Night {
    /// Short in the week and longer at its end, short in summer, now and then a cold for a week.
    fn of(seed: u64, day: Day) -> Self {
        let number = i64::from(day.as_number());
        let mut dice = Seeded::new(seed).fork(number.unsigned_abs());
        let ill = Seeded::new(seed).fork(0x111 ^ number.div_euclid(7).unsigned_abs()).chance(0.05);
        let weekend = matches!(weekday(day), 5 | 6);
        let summer = (1.0 - (number.rem_euclid(365) as f64 / 365.0 * std::f64::consts::TAU).cos()) / 2.0;
        let hours = 7.3 + if weekend { 0.7 } else { 0.0 } - 0.6 * summer + dice.around(0.0, 0.6);
        let quality = 55.0 + (hours - 4.0) * 7.0 - if ill { 18.0 } else { 0.0 } + dice.around(0.0, 4.0);
        Self { asleep_s: (hours * 120.0) as i64 * 30, quality: quality.clamp(25.0, 98.0) as i64, ill }
    }
}

/// 0 for Monday.
pub(super) fn weekday(day: Day) -> i32 {
    // 1970-01-01 was a Thursday.
    (day.as_number() + 3).rem_euclid(7)
}

/// Seconds since midnight on the clock at home.
pub(super) fn local_second(at: Timestamp) -> i64 {
    (at.as_seconds() + HOME.offset_s(at)).rem_euclid(86_400)
}

fn next(day: Day) -> Day {
    Day::from_number(day.as_number() + 1)
}

/// Sleep that ends at an instant: a night if that is in the morning, else a nap, which after six in the evening counts
/// for the day after.
pub(super) fn sleep(seed: u64, end: Timestamp, mut dice: Seeded) -> Value {
    let (second, today) = (local_second(end), HOME.day(end));
    let night = Night::of(seed, today);
    let is_night = (4 * 3_600..12 * 3_600).contains(&second);
    let asleep = if is_night { night.asleep_s } else { dice.whole(30, 100) * 30 };
    let awake = dice.whole(2, if is_night { 120 } else { 20 }) * 30;
    let deep = (asleep as f64 * dice.fraction(0.12, 0.25)) as i64 / 30 * 30;
    let rem = (asleep as f64 * dice.fraction(0.15, 0.28)) as i64 / 30 * 30;
    let in_bed = asleep + awake;
    let start = Timestamp::from_seconds(end.as_seconds() - in_bed);
    let kind = match second {
        // What is older than the member has none.
        _ if is_night => {
            if dice.chance(0.04) {
                None
            } else {
                Some("long_sleep")
            }
        }
        64_800.. => Some("late_nap"),
        _ if dice.chance(0.1) => Some("rest"),
        _ => Some("sleep"),
    };
    let rate = dice.around(if night.ill { 62.0 } else { 54.0 }, 2.0);
    let hrv = dice.around(if night.ill { 31.0 } else { 47.0 }, 6.0);
    // Samples every hour; real ones come every five minutes.
    let samples = |middle: f64, dice: &mut Seeded| {
        let items: Vec<Value> = (0..in_bed / 3_600)
            .map(|at| if at == 0 { Value::Null } else { json!(dice.around(middle, 3.0).round()) })
            .collect();
        json!({ "interval": 3600.0, "items": items, "timestamp": HOME.rfc3339(start) })
    };
    json!({
        "average_breath": (dice.around(14.5, 0.4) * 8.0).round() / 8.0,
        "average_heart_rate": (rate * 100.0).round() / 100.0,
        "average_hrv": is_night.then_some(hrv as i64),
        "awake_time": awake,
        "bedtime_end": HOME.rfc3339(end),
        "bedtime_start": HOME.rfc3339(start),
        "day": if kind == Some("late_nap") { next(today) } else { today },
        "deep_sleep_duration": deep,
        "efficiency": asleep * 100 / in_bed,
        "heart_rate": samples(rate, &mut dice),
        "hrv": is_night.then(|| samples(hrv, &mut dice)),
        "latency": dice.whole(2, 40) * 30,
        "light_sleep_duration": asleep - deep - rem,
        "low_battery_alert": dice.chance(0.02),
        "lowest_heart_rate": is_night.then_some(rate as i64 - 6),
        "movement_30_sec": null,
        "period": i32::from(!is_night),
        "readiness": null,
        "readiness_score_delta": null,
        "rem_sleep_duration": rem,
        "restless_periods": dice.whole(40, 260),
        "ring_id": "enc-sample-ring",
        "sleep_algorithm_version": "v2",
        "sleep_analysis_reason": "foreground_sleep_analysis",
        "sleep_phase_30_sec": null,
        "sleep_phase_5_min": null,
        "app_sleep_phase_5_min": null,
        "sleep_score_delta": null,
        "time_in_bed": in_bed,
        "total_sleep_duration": asleep,
        "type": kind,
    })
}

pub(super) fn of_sleep(item: &Value) -> Vec<Value> {
    let asleep = &item["total_sleep_duration"];
    let kind = match item["type"].as_str() {
        Some("deleted") => return Vec::new(),
        Some("rest") => "rest",
        Some("long_sleep") => "main",
        None if asleep.as_i64() > Some(10_800) => "main",
        _ => "nap",
    };
    let mut record = spanned("sleep", &item["bedtime_start"], &item["bedtime_end"]);
    record["day"] = first_ten(&item["bedtime_end"]);
    record["body"] = json!({
        "kind": kind,
        "asleep_s": asleep,
        "in_bed_s": item["time_in_bed"],
        "awake_s": item["awake_time"],
        "light_s": item["light_sleep_duration"],
        "deep_s": item["deep_sleep_duration"],
        "rem_s": item["rem_sleep_duration"],
        "latency_s": item["latency"],
        "efficiency": item["efficiency"].as_f64().map(|percent| percent * 0.01),
        "avg_hr_bpm": item["average_heart_rate"],
        "lowest_hr_bpm": item["lowest_heart_rate"],
        "hrv_ms": item["average_hrv"],
        "breath_rate_bpm": item["average_breath"],
        "score": null,
    });
    vec![record]
}

/// A score, and what it is made of: each near it.
fn scored(quality: i64, contributors: &[&str], dice: &mut Seeded) -> (i64, Value) {
    let score = (quality + dice.whole(-2, 2)).clamp(1, 100);
    let parts = contributors.iter().map(|name| {
        let part = (score + dice.whole(-12, 12)).clamp(1, 100);
        ((*name).to_owned(), json!(part))
    });
    (score, Value::Object(parts.collect::<Map<_, _>>()))
}

pub(super) fn daily_sleep(seed: u64, at: Timestamp, mut dice: Seeded) -> Value {
    let day = HOME.day(at);
    let parts = ["deep_sleep", "efficiency", "latency", "rem_sleep", "restfulness", "timing", "total_sleep"];
    let (score, contributors) = scored(Night::of(seed, day).quality, &parts, &mut dice);
    json!({ "day": day, "score": score, "contributors": contributors, "timestamp": format!("{day}T00:00:00+00:00") })
}

pub(super) fn of_daily_sleep(item: &Value) -> Vec<Value> {
    let body = json!({ "kind": "main", "score": item["score"], "asleep_s": null, "in_bed_s": null });
    if item["score"].is_null() { Vec::new() } else { vec![of_day("sleep", item, body)] }
}

pub(super) fn daily_readiness(seed: u64, at: Timestamp, mut dice: Seeded) -> Value {
    let day = HOME.day(at);
    let night = Night::of(seed, day);
    let parts = [
        "activity_balance",
        "body_temperature",
        "hrv_balance",
        "previous_day_activity",
        "previous_night",
        "recovery_index",
        "resting_heart_rate",
        "sleep_balance",
        "sleep_regularity",
    ];
    let (score, mut contributors) = scored(night.quality, &parts, &mut dice);
    if dice.chance(0.1) {
        contributors["sleep_regularity"] = Value::Null;
    }
    let warmer = dice.around(if night.ill { 0.8 } else { 0.0 }, 0.15);
    json!({
        "day": day,
        "score": score,
        "contributors": contributors,
        "temperature_deviation": (warmer * 100.0).round() / 100.0,
        "temperature_trend_deviation": 0.04,
        "timestamp": format!("{day}T00:00:00+00:00"),
    })
}

pub(super) fn of_daily_readiness(item: &Value) -> Vec<Value> {
    let body = json!({
        "score": item["score"],
        "contributors": item["contributors"],
        "temperature_deviation_c": item["temperature_deviation"],
    });
    vec![of_day("readiness", item, body)]
}

pub(super) fn daily_spo2(at: Timestamp, mut dice: Seeded) -> Value {
    let average = (dice.around(97.2, 0.5) * 1_000.0).round() / 1_000.0;
    json!({
        "day": HOME.day(at),
        "spo2_percentage": { "average": average.min(100.0) },
        "breathing_disturbance_index": dice.whole(0, 12),
    })
}

/// A percentage and an index, each if it is there.
pub(super) fn of_daily_spo2(item: &Value) -> Vec<Value> {
    let ratio = item["spo2_percentage"]["average"].as_f64().map(|percent| {
        of_day("vital", item, json!({ "kind": "spo2_ratio", "value": percent * 0.01, "unit": "ratio" }))
    });
    let index = item["breathing_disturbance_index"].as_f64().map(|index| {
        let name = "breathing_disturbance_index";
        let body = json!({ "kind": "other", "name": name, "value": index, "unit": "index" });
        let mut record = of_day("vital", item, body);
        record["key"] = json!(name);
        record
    });
    ratio.into_iter().chain(index).collect()
}

/// A record of a whole day.
pub(super) fn of_day(dataset: &str, item: &Value, body: Value) -> Value {
    json!({
        "key": "", "dataset": dataset, "start": null, "end": null, "zone": null, "day": item["day"], "body": body,
    })
}

/// A record from one time to another, which counts on the day of its start.
pub(super) fn spanned(dataset: &str, start: &Value, end: &Value) -> Value {
    json!({
        "key": "", "dataset": dataset, "start": start, "end": end, "zone": null, "day": first_ten(start),
    })
}

/// The date in a time with an offset.
fn first_ten(time: &Value) -> Value {
    json!(time.as_str().and_then(|time| time.get(..10)))
}

/// How long after it a time lies.
pub(super) fn after(start: Timestamp, seconds: i64) -> Timestamp {
    start + Duration::from_secs(seconds.unsigned_abs())
}

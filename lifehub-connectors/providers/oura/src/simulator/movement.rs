//! Movement and the heart: a day's activity, workouts, samples of heart rate.

use lifehub_core::clock::Timestamp;
use lifehub_testkit::{Seeded, date_time};
use serde_json::{Value, json};

use super::night::{HOME, after, local_second, of_day, spanned, weekday};

/// A day from four to four: much on weekends, little on Mondays, more in summer.
pub(super) fn daily_activity(at: Timestamp, mut dice: Seeded) -> Value {
    let day = HOME.day(at);
    let usual = [6_800.0, 7_900.0, 8_200.0, 7_700.0, 8_400.0, 11_500.0, 9_800.0];
    let season =
        1.0 - 0.2 * (f64::from(day.as_number().rem_euclid(365)) / 365.0 * std::f64::consts::TAU).cos();
    let steps =
        dice.around(usual[usize::try_from(weekday(day)).unwrap_or(0)] * season, 1_600.0).max(400.0) as i64;
    let (active, metres) = (steps / 19, steps * 94 / 100);
    let morning = HOME.rfc3339(HOME.instant(day, 4 * 3_600));
    // Every hour; a real one has 1,440 items.
    let mets: Vec<f64> = (0..24).map(|_| f64::from(dice.whole(9, 24) as i32) / 10.0).collect();
    json!({
        "active_calories": active,
        "average_met_minutes": 1.5,
        "class_5_min": null,
        "contributors": {
            "meet_daily_targets": dice.whole(40, 100), "move_every_hour": dice.whole(40, 100),
            "recovery_time": null, "stay_active": dice.whole(40, 100),
            "training_frequency": dice.whole(40, 100), "training_volume": dice.whole(40, 100),
        },
        "day": day,
        "equivalent_walking_distance": metres,
        "high_activity_met_minutes": 60, "high_activity_time": dice.whole(0, 30) * 60,
        "inactivity_alerts": dice.whole(0, 4),
        "low_activity_met_minutes": 148, "low_activity_time": dice.whole(180, 330) * 60,
        "medium_activity_met_minutes": 120, "medium_activity_time": dice.whole(10, 80) * 60,
        "met": { "interval": 3600.0, "items": mets, "timestamp": morning },
        "meters_to_target": 8_000 - metres,
        "non_wear_time": dice.whole(0, 60) * 60,
        "resting_time": 27_900,
        "score": (!dice.chance(0.03)).then(|| (60 + steps / 350).min(99)),
        "sedentary_met_minutes": 9,
        "sedentary_time": dice.whole(380, 700) * 60,
        "steps": steps,
        "target_calories": 450,
        "target_meters": 8_000,
        "timestamp": morning,
        "total_calories": 1_820 + active,
    })
}

pub(super) fn of_daily_activity(item: &Value) -> Vec<Value> {
    let body = json!({
        "steps": item["steps"],
        "active_kcal": item["active_calories"],
        "total_kcal": item["total_calories"],
        "distance_m": item["equivalent_walking_distance"],
        "sedentary_s": item["sedentary_time"],
        "score": item["score"],
    });
    vec![of_day("activity", item, body)]
}

/// Name, kilocalories a minute, and metres a second of those that go anywhere.
const SPORTS: [(&str, f64, Option<f64>); 6] = [
    ("running", 11.0, Some(2.8)),
    ("walking", 4.5, Some(1.4)),
    ("cycling", 8.0, Some(6.1)),
    ("strength_training", 6.0, None),
    ("yoga", 3.0, None),
    ("houseWork", 3.5, None),
];

pub(super) fn workout(at: Timestamp, mut dice: Seeded) -> Value {
    let (activity, kcal, speed) = *dice.pick(&SPORTS).unwrap_or(&SPORTS[0]);
    let seconds = dice.whole(15, 90) * 60;
    let metres = speed.map(|speed| (speed * seconds as f64 * dice.fraction(0.8, 1.2)).round());
    json!({
        "activity": activity,
        "calories": (kcal * seconds as f64 / 60.0).round(),
        "day": HOME.day(at),
        "distance": metres,
        "end_datetime": HOME.rfc3339(after(at, seconds)),
        "intensity": dice.pick(&["easy", "moderate", "hard"]),
        "label": dice.chance(0.2).then_some("Around the lake"),
        "source": dice.pick(&["manual", "autodetected", "confirmed", "workout_heart_rate"]),
        "start_datetime": HOME.rfc3339(at),
    })
}

pub(super) fn of_workout(item: &Value) -> Vec<Value> {
    let instant = |member: &str| item[member].as_str().and_then(|text| text.parse::<Timestamp>().ok());
    let ends = instant("start_datetime").zip(instant("end_datetime"));
    let mut record = spanned("workout", &item["start_datetime"], &item["end_datetime"]);
    record["body"] = json!({
        "sport": item["activity"],
        "name": item["label"],
        "elapsed_s": ends.map(|(start, end)| end.as_seconds() - start.as_seconds()),
        "moving_s": null,
        "distance_m": item["distance"],
        "energy_kcal": item["calories"],
    });
    vec![record]
}

const SOURCES: [&str; 6] = ["awake", "workout", "rest", "sleep", "live", "session"];

/// A sample of the heart rate: slow at night. Samples of one instant differ in their sources.
pub(super) fn sample(number: u64, at: Timestamp, ties: bool, mut dice: Seeded) -> Value {
    let night = local_second(at) < 7 * 3_600;
    let source = match night {
        _ if ties => SOURCES[usize::try_from(number % 6).unwrap_or(0)],
        true => "sleep",
        false if dice.chance(0.3) => "rest",
        false => "awake",
    };
    json!({
        "timestamp": format!("{}+00:00", date_time(at.as_seconds())),
        "timestamp_unix": at.as_seconds() * 1_000,
        "bpm": dice.around(if night { 53.0 } else { 76.0 }, if night { 2.5 } else { 9.0 }).round() as i64,
        "source": source,
    })
}

/// Its day is the user's affair: a sample is told in UTC.
pub(super) fn of_sample(item: &Value) -> Vec<Value> {
    let start = item["timestamp"].as_str().unwrap_or_default().replace("+00:00", "Z");
    let body = json!({ "kind": "heart_rate_bpm", "value": item["bpm"], "unit": "bpm", "name": null });
    vec![json!({ "key": "", "dataset": "vital", "start": start, "end": null, "zone": null, "body": body })]
}

//! The sums of days, by the calendar of the account's own clock.

use lifehub_core::clock::{Day, Timestamp};
use lifehub_testkit::{Kind, Seeded, Setup, Shelf};
use serde_json::{Value, json};

use super::CLOCK;
use super::sessions::is_working;

/// The members of a bucket that are times, in seconds.
const TIMES: [&str; 5] = ["focusTime", "breakTime", "meetingTime", "trackedTime", "workHours"];

/// The kind of day of a made-up person.
#[derive(Debug)]
pub(super) struct Days;

/// So many days up to that of the setup's instant, those without anything left out.
pub(super) fn stocked(setup: &Setup) -> Shelf<Days> {
    let mut shelf = Shelf::empty(Days, setup.seed, setup.now);
    let dice = Seeded::new(setup.seed).fork(0xda75);
    let today = CLOCK.day(setup.now).as_number();
    for number in today - i32::from(setup.days) + 1..=today {
        let day = Day::from_number(number);
        let mut dice = dice.fork(number.unsigned_abs().into());
        // Some weekends have an hour or two.
        if number == today || is_working(day, &mut dice) || dice.chance(0.15) {
            shelf.add(CLOCK.instant(day, 0));
        }
    }
    shelf
}

/// The bucket of a day without anything.
pub(super) fn empty(day: Day) -> Value {
    bucket(day, [0; 5])
}

fn bucket(day: Day, times: [i64; 5]) -> Value {
    let start = CLOCK.instant(day, 0);
    let end = CLOCK.instant(Day::from_number(day.as_number() + 1), 0).as_seconds() - 1;
    let mut bucket = json!({
        "date": day,
        // 1970-01-01 was a Thursday, which is 4.
        "wday": (day.as_number() + 4).rem_euclid(7),
        "startTime": start.to_string(),
        "endTime": Timestamp::from_seconds(end).to_string(),
    });
    for (name, time) in TIMES.iter().zip(times) {
        bucket[*name] = json!(time);
    }
    bucket
}

/// The answer about these days.
pub(super) fn summary(from: Day, to: Day, buckets: Vec<Value>) -> Value {
    let sum = |name: &str| buckets.iter().filter_map(|bucket| bucket[name].as_i64()).sum::<i64>();
    let mut summary = json!({
        "startTime": empty(from)["startTime"],
        "endTime": empty(to)["endTime"],
        "bucketSize": "day",
    });
    for name in TIMES {
        summary[name] = json!(sum(name));
    }
    summary["buckets"] = json!(buckets);
    summary
}

impl Kind for Days {
    fn make(&self, _: u64, at: Timestamp, mut dice: Seeded) -> Value {
        let day = CLOCK.day(at);
        let weekend = (day.as_number() + 3).rem_euclid(7) >= 5;
        let tracked = if weekend { dice.whole(1_800, 9_000) } else { dice.whole(19_000, 33_000) };
        let share =
            |low: f64, high: f64, dice: &mut Seeded| (tracked as f64 * dice.fraction(low, high)) as i64;
        let focus = share(0.35, 0.6, &mut dice);
        let pause = share(0.04, 0.12, &mut dice);
        let meeting = if weekend { 0 } else { share(0.0, 0.25, &mut dice) };
        let work = share(0.8, 0.97, &mut dice);
        bucket(day, [focus, pause, meeting, tracked, work])
    }

    fn id(&self, item: &Value) -> String {
        item["date"].as_str().unwrap_or_default().to_owned()
    }

    fn records(&self, item: &Value) -> Vec<Value> {
        vec![json!({
            "key": "",
            "dataset": "productivity",
            "start": null,
            "end": null,
            "zone": null,
            "day": item["date"],
            "body": {
                "focus_s": item["focusTime"],
                "meeting_s": item["meetingTime"],
                "break_s": item["breakTime"],
                "tracked_s": item["trackedTime"],
                "categories": { "work": item["workHours"] },
            },
        })]
    }

    /// Some of the time counts as focus after all.
    fn edit(&self, item: &mut Value) -> bool {
        for name in ["focusTime", "workHours"] {
            item[name] = json!(item[name].as_i64().unwrap_or(0) + 60);
        }
        true
    }

    fn spoil(&self, item: &mut Value) -> bool {
        item["focusTime"] = json!("most of it");
        true
    }

    fn unname(&self, item: &mut Value) -> bool {
        item["date"] = Value::Null;
        true
    }
}

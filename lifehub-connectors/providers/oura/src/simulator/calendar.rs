//! When things happen: a life of many days, with a ring that lies in a drawer now and then.

use std::time::Duration;

use lifehub_core::clock::{Day, Timestamp};
use lifehub_testkit::{Seeded, Setup, Shelf};
use serde_json::{Value, json};

use super::collection::{Collection, Documents};
use super::night::{HOME, weekday};

/// How many days have samples of the heart rate.
const SAMPLED: i32 = 10;

const HOUR: i64 = 3_600;

/// How many entries a collection has that a suite does not look at.
const BESIDE: usize = 4;

/// A collection as a setup asks for it: with so many entries, or with those of a life. Where changes happen in one
/// collection, the others have a few entries: a suite makes thousands of accounts.
pub(super) fn stocked(collection: Collection, setup: &Setup) -> Shelf<Documents> {
    let kind = Documents { collection, seed: setup.seed, ties: setup.ties > 1 };
    let mut shelf = Shelf::empty(kind.clone(), setup.seed, setup.now);
    let Some(items) = setup.items else {
        life(collection, setup).into_iter().for_each(|at| _ = shelf.add(at));
        make_odd(collection, &mut shelf);
        return shelf;
    };
    let is_looked_at = ["", collection.stream()].contains(&setup.stream.as_str());
    let items = if is_looked_at { items } else { items.min(BESIDE) };
    if collection.is_daily() {
        // The calendar says how many there are: one a day.
        let (today, days) = (HOME.day(setup.now).as_number(), items.min(setup.days.into()));
        let first = today + 1 - i32::try_from(days).unwrap_or(0);
        for day in first..=today {
            shelf.add(HOME.instant(Day::from_number(day), 9 * HOUR));
        }
        return shelf;
    }
    // A sample is known by its instant and its source, of which there are six.
    let ties = if collection == Collection::HeartRate { setup.ties.min(6) } else { setup.ties };
    Shelf::stocked(kind, &setup.clone().items(items).ties(ties), 1.0)
}

/// The instants of a life, oldest first.
fn life(collection: Collection, setup: &Setup) -> Vec<Timestamp> {
    let last = HOME.day(setup.now).as_number();
    let first = match collection {
        Collection::HeartRate => last - SAMPLED,
        _ => last - i32::from(setup.days),
    };
    let days = (first + 1..=last).map(Day::from_number).filter(|day| is_worn(setup.seed, *day));
    let all = days.flat_map(|day| {
        let label = u64::from(day.as_number().unsigned_abs()) << 8 | collection as u64;
        let mut dice = Seeded::new(setup.seed).fork(label);
        let seconds = of_day(collection, day, &mut dice);
        seconds.into_iter().map(move |second| HOME.instant(day, second))
    });
    let hour_ago = setup.now - Duration::from_secs(3_600);
    all.filter(|at| *at < hour_ago).collect()
}

/// Whether the ring was worn: not on a day in fifty, and not in a week in forty.
fn is_worn(seed: u64, day: Day) -> bool {
    let number = u64::from(day.as_number().unsigned_abs());
    let dice = Seeded::new(seed);
    !dice.fork(number ^ 0x0ff).chance(0.02) && !dice.fork((number / 7) ^ 0xf0ff).chance(0.025)
}

/// Seconds of a day at which something happens, ascending.
fn of_day(collection: Collection, day: Day, dice: &mut Seeded) -> Vec<i64> {
    let weekend = weekday(day) >= 5;
    let mut maybe = |chance: f64, from: i64, to: i64| dice.chance(chance).then(|| dice.whole(from, to));
    let seconds = match collection {
        Collection::Sleep => {
            let wakes = if weekend { (7 * HOUR, 9 * HOUR) } else { (6 * HOUR, 7 * HOUR + 1_800) };
            vec![
                maybe(1.0, wakes.0, wakes.1),
                maybe(if weekend { 0.2 } else { 0.04 }, 14 * HOUR, 16 * HOUR),
                maybe(0.03, 18 * HOUR, 19 * HOUR),
            ]
        }
        Collection::Workout if weekend => {
            vec![maybe(0.6, 9 * HOUR, 11 * HOUR), maybe(0.3, 16 * HOUR, 18 * HOUR)]
        }
        // Late on Fridays: the day of UTC is another one then only in a far zone, the local one in a few.
        Collection::Workout => vec![maybe(0.35, 18 * HOUR, 20 * HOUR), maybe(0.05, 600, HOUR)],
        Collection::Session => vec![maybe(0.25, 21 * HOUR, 22 * HOUR)],
        Collection::EnhancedTag => vec![maybe(0.45, 8 * HOUR, 10 * HOUR), maybe(0.2, 20 * HOUR, 22 * HOUR)],
        Collection::HeartRate => {
            let nights = (0..7 * 6).map(|ten| ten * 600 + 46);
            return nights.chain((7 * 4..24 * 4).map(|quarter| quarter * 900 + 46)).collect();
        }
        _ => vec![maybe(1.0, 9 * HOUR, 10 * HOUR)],
    };
    seconds.into_iter().flatten().collect()
}

/// What is odd, but not wrong: naps that the person deleted, nights without a measurement of oxygen, days without a
/// score. None of them is new, so that whatever happens to new entries shows.
fn make_odd(collection: Collection, shelf: &mut Shelf<Documents>) {
    let change: fn(&mut Value) = match collection {
        Collection::Sleep => |nap| {
            if nap["type"] == "sleep" {
                nap["type"] = json!("deleted");
                nap["sleep_analysis_reason"] = json!("bedtime_edit");
            }
        },
        Collection::DailySpo2 => |day| {
            day["spo2_percentage"] = Value::Null;
            day["breathing_disturbance_index"] = Value::Null;
        },
        Collection::DailySleep | Collection::DailyReadiness => |day| day["score"] = Value::Null,
        _ => return,
    };
    let step = if collection == Collection::Sleep { 3 } else { 29 };
    for position in (20..shelf.items().count()).step_by(step) {
        shelf.rewrite(position, |entry| {
            change(entry);
            true
        });
    }
}

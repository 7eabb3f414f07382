//! Two years of a made-up person's calendar, drawn from a seed.

use std::collections::BTreeMap;

use lifehub_core::clock::Day;
use lifehub_testkit::{Place, Seeded, Setup};

use super::entry::{Entry, Exception, Form, Kind, LocalTime, ZoneName, later};

const ROME: ZoneName = ZoneName { place: Place::Rome, written: "Europe/Rome", iana: "Europe/Rome" };
/// Clocks in Berlin show what those in Rome do.
const BERLIN: ZoneName =
    ZoneName { place: Place::Rome, written: "W. Europe Standard Time", iana: "Europe/Berlin" };
const NEW_YORK: ZoneName =
    ZoneName { place: Place::NewYork, written: "Eastern Standard Time", iana: "America/New_York" };

/// How many days the calendar goes ahead of the instant at which it stands.
const AHEAD: i32 = 45;

/// Two plausible years have so many entries that happen once.
const SINGLE: usize = 180;

const TITLES: [&str; 8] = [
    "Dentist",
    "Lunch with A. Sample",
    "Parents' evening",
    "Concert, main hall",
    "Train to Example City",
    "Interview; second round",
    "Plumber",
    "Reading group",
];
const LOCATIONS: [&str; 4] =
    ["Example Street 1", "Room 2.17, north wing", "Sample Café", "Platform 3; track B"];

/// The entries: series first, then those that happen once, the latest last.
pub(super) fn entries(setup: &Setup) -> Vec<Entry> {
    let today = Day::from_number(i32::try_from(setup.now.as_seconds().div_euclid(86_400)).unwrap_or(0));
    let root = Seeded::new(setup.seed);
    let mut entries = series(&root, setup, today);
    let count = setup.items.map_or(SINGLE, |items| items.saturating_sub(entries.len()));
    let mut single: Vec<Entry> = (0..count).map(|n| one(&root, setup, today, n, count)).collect();
    if let Some(tied) =
        single.iter().find(|entry| matches!(entry.kind, Kind::Once { .. })).map(|e| e.kind.clone())
    {
        single.iter_mut().take(setup.ties).for_each(|entry| entry.kind = tied.clone());
    }
    single.sort_by_key(Entry::start);
    entries.extend(single);
    entries
}

pub(super) fn uid(seed: u64, name: &str) -> String {
    format!("{name}-{seed:x}@calendar.example.org")
}

fn series(root: &Seeded, setup: &Setup, today: Day) -> Vec<Entry> {
    let mut dice = root.fork(1);
    let entry = |name: &str, title: &str, location, kind| Entry {
        uid: uid(setup.seed, name),
        title: title.to_owned(),
        location,
        sequence: 0,
        kind,
        poisoned: false,
    };
    // Mondays, Thursdays, … : 1970-01-05 was a Monday.
    let weekday = |ago: i32, weekday: i32| {
        let day = today.as_number() - ago.min(i32::from(setup.days));
        Day::from_number(day - (day - 4 - weekday).rem_euclid(7))
    };
    let mut numbers: Vec<i32> = (0..9).map(|n| n * 10 + dice.whole(1, 8) as i32).collect();
    let mut take = || numbers.pop().unwrap_or(0);
    let team = BTreeMap::from([
        (take(), Exception::Excepted),
        (take(), Exception::Moved { days: 1, seconds: 3_600, title: "Team meeting (moved)" }),
        (take(), Exception::Excepted),
    ]);
    let choir = BTreeMap::from([
        (take(), Exception::Cancelled),
        (take(), Exception::Moved { days: -1, seconds: -1_800, title: "Rehearsal with guests" }),
    ]);
    let time = |zone, hour: i64, minutes| LocalTime { zone, second: hour * 3_600 + 1_800, minutes };
    let weekly = |time, first, times, exceptions| Kind::Weekly { time, first, times, exceptions };
    vec![
        entry(
            "team",
            "Team meeting",
            Some(LOCATIONS[1]),
            weekly(time(ROME, 9, 45), weekday(710, 0), None, team),
        ),
        entry(
            "choir",
            "Rehearsal, main hall",
            None,
            weekly(time(BERLIN, 19, 90), weekday(650, 3), None, choir),
        ),
        entry(
            "course",
            "Evening course",
            Some(LOCATIONS[0]),
            weekly(time(BERLIN, 18, 60), weekday(500, 1), Some(20), BTreeMap::new()),
        ),
        entry(
            "call",
            "Call with overseas",
            None,
            weekly(time(NEW_YORK, 16, 30), weekday(300, 2), None, BTreeMap::new()),
        ),
        entry("birthday", "B. Sample's birthday", None, Kind::Yearly { month_and_day: "05-17", since: 1988 }),
    ]
}

/// One of `count` entries that happen once, each in its own part of the time.
fn one(root: &Seeded, setup: &Setup, today: Day, number: usize, count: usize) -> Entry {
    let mut dice = root.fork(100 + number as u64);
    let back = i32::from(setup.days);
    let place = (number as f64 + dice.fraction(0.0, 1.0)) / count as f64 * f64::from(back + AHEAD);
    let day = later(today, place as i32 - back);
    let kind = if dice.chance(0.15) {
        Kind::Days { first: day, days: if dice.chance(0.3) { dice.whole(2, 14) as i32 } else { 1 } }
    } else {
        let zone = *dice.pick(&[ROME, ROME, BERLIN, NEW_YORK]).unwrap_or(&ROME);
        let form = *dice.pick(&[Form::Zoned, Form::Zoned, Form::Utc, Form::NoEnd]).unwrap_or(&Form::Zoned);
        let second = dice.whole(8 * 4, 21 * 4) * 900;
        Kind::Once { time: LocalTime { zone, second, minutes: dice.whole(1, 12) * 15 }, day, form }
    };
    Entry {
        uid: uid(setup.seed, &format!("one-{number}")),
        title: (*dice.pick(&TITLES).unwrap_or(&"Appointment")).to_owned(),
        location: if dice.chance(0.6) { dice.pick(&LOCATIONS).copied() } else { None },
        sequence: 0,
        kind,
        poisoned: false,
    }
}

/// An entry that comes later, on a day in Rome.
pub(super) fn added(seed: u64, number: usize, day: Day) -> Entry {
    Entry {
        uid: uid(seed, &format!("added-{number}")),
        title: format!("Added {number}"),
        location: None,
        sequence: 0,
        kind: Kind::Once {
            time: LocalTime { zone: ROME, second: 10 * 3_600, minutes: 30 },
            day,
            form: Form::Zoned,
        },
        poisoned: false,
    }
}

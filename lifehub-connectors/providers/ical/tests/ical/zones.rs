//! Local times in sixteen zones: gaps, overlaps, whole days and series. The instants in gaps and overlaps are those of
//! Python's `zoneinfo`; those of series are made by counting days and asking jiff, never by a recurrence rule.

use jiff::ToSpan as _;
use jiff::civil::date;
use jiff::tz::TimeZone;

use crate::rig::{event, read, starts, told};

/// Zone, a time that its clocks skip in 2026, when that is, a time that they show twice, when it is first.
const ZONES: [(&str, &str, &str, &str, &str); 16] = [
    (
        "Europe/Rome",
        "20260329T023000",
        "2026-03-29T03:30:00+02:00",
        "20261025T023000",
        "2026-10-25T02:30:00+02:00",
    ),
    (
        "Europe/London",
        "20260329T013000",
        "2026-03-29T02:30:00+01:00",
        "20261025T013000",
        "2026-10-25T01:30:00+01:00",
    ),
    (
        "Europe/Dublin",
        "20260329T013000",
        "2026-03-29T02:30:00+01:00",
        "20261025T013000",
        "2026-10-25T01:30:00+01:00",
    ),
    (
        "Atlantic/Azores",
        "20260329T003000",
        "2026-03-29T01:30:00+00:00",
        "20261025T003000",
        "2026-10-25T00:30:00+00:00",
    ),
    (
        "America/New_York",
        "20260308T023000",
        "2026-03-08T03:30:00-04:00",
        "20261101T013000",
        "2026-11-01T01:30:00-04:00",
    ),
    (
        "America/St_Johns",
        "20260308T023000",
        "2026-03-08T03:30:00-02:30",
        "20261101T013000",
        "2026-11-01T01:30:00-02:30",
    ),
    (
        "America/Los_Angeles",
        "20260308T023000",
        "2026-03-08T03:30:00-07:00",
        "20261101T013000",
        "2026-11-01T01:30:00-07:00",
    ),
    (
        "America/Havana",
        "20260308T003000",
        "2026-03-08T01:30:00-04:00",
        "20261101T003000",
        "2026-11-01T00:30:00-04:00",
    ),
    (
        "America/Santiago",
        "20260906T003000",
        "2026-09-06T01:30:00-03:00",
        "20260404T233000",
        "2026-04-04T23:30:00-03:00",
    ),
    (
        "Africa/Cairo",
        "20260424T003000",
        "2026-04-24T01:30:00+03:00",
        "20261029T233000",
        "2026-10-29T23:30:00+03:00",
    ),
    (
        "Africa/Casablanca",
        "20260322T023000",
        "2026-03-22T03:30:00+01:00",
        "20260215T023000",
        "2026-02-15T02:30:00+01:00",
    ),
    (
        "Asia/Beirut",
        "20260329T003000",
        "2026-03-29T01:30:00+03:00",
        "20261024T233000",
        "2026-10-24T23:30:00+03:00",
    ),
    (
        "Australia/Sydney",
        "20261004T023000",
        "2026-10-04T03:30:00+11:00",
        "20260405T023000",
        "2026-04-05T02:30:00+11:00",
    ),
    (
        "Australia/Lord_Howe",
        "20261004T021500",
        "2026-10-04T02:45:00+11:00",
        "20260405T014500",
        "2026-04-05T01:45:00+11:00",
    ),
    (
        "Pacific/Auckland",
        "20260927T023000",
        "2026-09-27T03:30:00+13:00",
        "20260405T023000",
        "2026-04-05T02:30:00+13:00",
    ),
    (
        "Pacific/Chatham",
        "20260927T031500",
        "2026-09-27T04:15:00+13:45",
        "20260405T031500",
        "2026-04-05T03:15:00+13:45",
    ),
];

fn one(tzid: &str, lines: &str) -> Vec<String> {
    starts(&event(&lines.replace("ZONE", tzid)))
}

#[test]
fn a_time_that_clocks_skip_is_read_by_the_offset_before_and_one_shown_twice_is_the_first() {
    for (zone, gap, in_gap, overlap, first) in ZONES {
        for (local, expected) in [(gap, in_gap), (overlap, first)] {
            assert_eq!(one(zone, &format!("DTSTART;TZID=ZONE:{local}")), [expected], "{zone} {local}");
            // The middle one of three days of a series is the same instant, and its neighbours show the same time.
            let (day, time) = local.split_once('T').unwrap();
            let before = day.parse::<jiff::civil::Date>().unwrap().yesterday().unwrap();
            let lines =
                format!("DTSTART;TZID=ZONE:{}T{time}\nRRULE:FREQ=DAILY;COUNT=3", before.strftime("%Y%m%d"));
            let series = one(zone, &lines);
            assert_eq!(series[1], expected, "{zone} {local} in a series");
            let clock = format!("T{}:{}", &time[..2], &time[2..4]);
            assert!(series[0].contains(&clock) && series[2].contains(&clock), "{zone}: {series:?}");
        }
    }
}

#[test]
fn a_whole_day_is_a_day_in_every_zone() {
    for (zone, gap, _, overlap, _) in ZONES {
        for local in [gap, overlap] {
            let day = &local[..8];
            let text = event(&format!("DTSTART;VALUE=DATE:{day}\nRRULE:FREQ=DAILY;COUNT=3"));
            let text = text.replace("X-WR-CALNAME", &format!("X-WR-TIMEZONE:{zone}\r\nX-WR-CALNAME"));
            let first: jiff::civil::Date = day.parse().unwrap();
            let expected: Vec<String> = (0..3).map(|n| (first + n.days()).to_string()).collect();
            assert_eq!(starts(&text), expected, "{zone} {day}");
        }
    }
}

/// The starts of a weekly series through 2026 by counting days.
fn weeks(zone: &str, hour: i8, minute: i8) -> Vec<String> {
    let zone = TimeZone::get(zone).unwrap();
    let local = |n: i64| (date(2026, 1, 4) + (7 * n).days()).at(hour, minute, 0, 0);
    let instant = |n: i64| zone.to_ambiguous_zoned(local(n)).compatible().unwrap();
    (0..52).map(|n| instant(n).strftime("%Y-%m-%dT%H:%M:%S%:z").to_string()).collect()
}

#[test]
fn a_weekly_series_keeps_its_wall_clock_all_year() {
    let mut cases = 0;
    for (zone, ..) in ZONES {
        // Sundays, on which most clocks change; half past two is in most of their gaps.
        for (hour, minute) in [(2, 30), (9, 0), (23, 45)] {
            let lines = format!(
                "DTSTART;TZID=ZONE:20260104T{hour:02}{minute:02}00\nRRULE:FREQ=WEEKLY;UNTIL=20261229T235959Z"
            );
            let expected = weeks(zone, hour, minute);
            assert_eq!(one(zone, &lines), expected, "{zone} {hour}:{minute}");
            cases += expected.len();
        }
    }
    assert!(cases >= 2000, "{cases} cases");
}

/// Zones that a calendar defines itself: offset in winter and summer, month, day and local time of the changes to summer and
/// back.
const RULES: [(&str, &str, &str, &str, &str); 4] = [
    ("Europe/Rome", "+0100", "+0200", "BYMONTH=3;BYDAY=-1SU 020000", "BYMONTH=10;BYDAY=-1SU 030000"),
    ("America/New_York", "-0500", "-0400", "BYMONTH=3;BYDAY=2SU 020000", "BYMONTH=11;BYDAY=1SU 020000"),
    ("America/St_Johns", "-0330", "-0230", "BYMONTH=3;BYDAY=2SU 020000", "BYMONTH=11;BYDAY=1SU 020000"),
    ("Australia/Sydney", "+1000", "+1100", "BYMONTH=10;BYDAY=1SU 020000", "BYMONTH=4;BYDAY=1SU 030000"),
];

fn defined(
    id: &str,
    (_, winter, summer, spring, autumn): (&str, &str, &str, &str, &str),
    year: i16,
) -> String {
    let part = |what: &str, rule: &str, from: &str, to: &str| {
        let (rule, time) = rule.split_once(' ').unwrap();
        format!(
            "BEGIN:{what}\r\nDTSTART:{year}0101T{time}\r\nTZOFFSETFROM:{from}\r\nTZOFFSETTO:{to}\r\n\
             RRULE:FREQ=YEARLY;{rule}\r\nEND:{what}\r\n"
        )
    };
    let (daylight, standard) =
        (part("DAYLIGHT", spring, winter, summer), part("STANDARD", autumn, summer, winter));
    format!("BEGIN:VTIMEZONE\r\nTZID:{id}\r\n{standard}{daylight}END:VTIMEZONE\r\nBEGIN:VEVENT")
}

#[test]
fn a_zone_that_only_the_calendar_knows_goes_by_its_rules() {
    for rules in RULES {
        let zone = rules.0;
        let (_, gap, in_gap, overlap, first) = *ZONES.iter().find(|known| known.0 == zone).unwrap();
        let with = |lines: &str, year| {
            let text = event(&lines.replace("ZONE", "\"Our zone: north; 1\""));
            starts(&text.replacen("BEGIN:VEVENT", &defined("Our zone: north; 1", rules, year), 1))
        };
        for year in [1601, 2007] {
            assert_eq!(with(&format!("DTSTART;TZID=ZONE:{gap}"), year), [in_gap], "{zone} {gap}");
            assert_eq!(with(&format!("DTSTART;TZID=ZONE:{overlap}"), year), [first], "{zone} {overlap}");
            for (hour, minute) in [(2, 30), (9, 0), (23, 45)] {
                let start = format!("20260104T{hour:02}{minute:02}00");
                let lines = format!("DTSTART;TZID=ZONE:{start}\nRRULE:FREQ=WEEKLY;COUNT=52");
                assert_eq!(with(&lines, year), weeks(zone, hour, minute), "{zone} {hour}:{minute}");
            }
        }
    }
}

#[test]
fn names_of_zones_are_understood() {
    let check = |tzid: &str, expected: &str| {
        let text = event(&format!("DTSTART;TZID={tzid}:20260701T120000"));
        let told = told(&read(text).unwrap()).remove(0);
        let (when, zone) = told.split_once('/').unwrap();
        let zone = zone.split(' ').nth(1).unwrap();
        assert_eq!(format!("{} {zone}", &when[19..]), expected, "{tzid}");
    };
    check("Europe/Berlin", "+02:00 Europe/Berlin");
    check("europe/berlin", "+02:00 Europe/Berlin");
    check("\"Europe/Berlin\"", "+02:00 Europe/Berlin");
    check("/mozilla.org/20050126_1/Europe/Berlin", "+02:00 Europe/Berlin");
    check(
        "/freeassociation.sourceforge.net/Tzfile/America/Argentina/Buenos_Aires",
        "-03:00 America/Argentina/Buenos_Aires",
    );
    check("W. Europe Standard Time", "+02:00 Europe/Berlin");
    check("\"(UTC+01:00) Amsterdam, Berlin, Bern, Rome, Stockholm, Vienna\"", "+02:00 Europe/Berlin");
    check("GMT Standard Time", "+01:00 Europe/London");
    check("Pacific Standard Time", "-07:00 America/Los_Angeles");
    check("Tokyo Standard Time", "+09:00 Asia/Tokyo");
    check("Newfoundland Standard Time", "-02:30 America/St_Johns");
    check("UTC", "Z -");
    check("Etc/UTC", "Z -");
    check("\"tzone://Microsoft/Utc\"", "Z -");
    // Names that nobody knows, and a display name whose offset is told but whose rules are not.
    check("Custom/EST", "+00:00 -");
    check("\"(UTC+05:30) Somewhere\"", "+00:00 -");
}

#[test]
fn times_without_a_zone_are_those_of_the_calendar() {
    let text = event("DTSTART:20260701T120000");
    let with = |zone: &str| text.replace("X-WR-CALNAME", &format!("X-WR-TIMEZONE:{zone}\r\nX-WR-CALNAME"));
    assert_eq!(starts(&text), ["2026-07-01T12:00:00+00:00"], "the wall clock is right, the offset unknown");
    assert_eq!(starts(&with("Europe/Berlin")), ["2026-07-01T12:00:00+02:00"]);
    assert_eq!(starts(&with("W. Europe Standard Time")), ["2026-07-01T12:00:00+02:00"]);
    assert_eq!(starts(&with("UTC")), ["2026-07-01T12:00:00Z"]);
    assert_eq!(starts(&with("Nowhere")), ["2026-07-01T12:00:00+00:00"]);
}

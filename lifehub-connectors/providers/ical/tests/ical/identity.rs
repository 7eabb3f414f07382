//! Which components are one event, under which id, and where it stands for coverage.

use lifehub_core::clock::Timestamp;
use lifehub_core::page::{Coverage, Item};
use lifehub_core::record::Record;

use crate::rig::{calendar, covers, items, read, tell, told};

/// Events of these properties, each a component.
fn events(events: &[&str]) -> String {
    let events = events.iter().map(|lines| format!("BEGIN:VEVENT\n{}\nEND:VEVENT", lines.replace(' ', "\n")));
    calendar(&events.collect::<Vec<_>>().join("\n"))
}

fn start(record: &Record) -> String {
    tell(record).split(['/', ' ']).next().unwrap().to_owned()
}

fn check(what: &str, components: &[&str], expected: &[(&str, &[&str])]) {
    let page = read(events(components)).unwrap();
    let found: Vec<(String, Vec<String>)> = items(&page)
        .into_iter()
        .map(|(id, records)| {
            (id, records.map_or_else(|reason| vec![reason], |records| records.iter().map(start).collect()))
        })
        .collect();
    let expected =
        expected.iter().map(|(id, starts)| (id.to_string(), starts.iter().map(|s| s.to_string()).collect()));
    assert_eq!(found, expected.collect::<Vec<_>>(), "{what}");
}

#[test]
fn what_belongs_together_is_one_item() {
    check("one event", &["UID:a DTSTART:20260301T080000Z"], &[("a", &["2026-03-01T08:00:00Z"])]);
    check(
        "a series with an exception that stands before it",
        &[
            "UID:a RECURRENCE-ID:20260302T080000Z DTSTART:20260302T090000Z",
            "UID:a DTSTART:20260301T080000Z RRULE:FREQ=DAILY;COUNT=3",
        ],
        &[("a", &["2026-03-01T08:00:00Z", "2026-03-02T09:00:00Z", "2026-03-03T08:00:00Z"])],
    );
    check(
        "an exception in another zone, found by its instant",
        &[
            "UID:a DTSTART;TZID=Europe/Rome:20260301T090000 RRULE:FREQ=DAILY;COUNT=2",
            "UID:a RECURRENCE-ID;TZID=America/New_York:20260302T030000 DTSTART;TZID=Europe/Rome:20260302T100000",
        ],
        &[("a", &["2026-03-01T09:00:00+01:00", "2026-03-02T10:00:00+01:00"])],
    );
    check(
        "exceptions without their series stand alone",
        &[
            "UID:a RECURRENCE-ID:20260302T080000Z DTSTART:20260302T090000Z",
            "UID:a RECURRENCE-ID:20260309T080000Z DTSTART:20260309T090000Z",
        ],
        &[
            ("a#2026-03-02T08:00:00Z", &["2026-03-02T09:00:00Z"]),
            ("a#2026-03-09T08:00:00Z", &["2026-03-09T09:00:00Z"]),
        ],
    );
    check(
        "one id for several events",
        &["UID:a DTSTART:20260301T080000Z", "UID:a DTSTART;VALUE=DATE:20260302"],
        &[("a#2026-03-01T08:00:00Z", &["2026-03-01T08:00:00Z"]), ("a#2026-03-02", &["2026-03-02"])],
    );
    check(
        "one id for a series and another event",
        &["UID:a DTSTART:20260301T080000Z RRULE:FREQ=DAILY;COUNT=1", "UID:a DTSTART:20260302T080000Z"],
        &[("a#2026-03-02T08:00:00Z", &["2026-03-02T08:00:00Z"]), ("a", &["2026-03-01T08:00:00Z"])],
    );
    check("cancelled", &["UID:a DTSTART:20260301T080000Z STATUS:CANCELLED"], &[("a", &["gone"])]);
}

#[test]
fn of_two_that_are_the_same_the_newer_counts() {
    let same = |first: &str, second: &str, winner: &str| {
        let one = |rank: &str, title: &str| format!("UID:a {rank} DTSTART:20260301T080000Z SUMMARY:{title}");
        let text = events(&[&one(first, "first"), &one(second, "second")]);
        let told = told(&read(text).unwrap());
        assert_eq!(
            told,
            [format!("2026-03-01T08:00:00Z/2026-03-01T08:00:00Z - {winner}")],
            "{first}, {second}"
        );
    };
    same("SEQUENCE:2", "SEQUENCE:10", "second");
    same("SEQUENCE:10", "SEQUENCE:2", "first");
    same("SEQUENCE:1 LAST-MODIFIED:20260102T000000Z", "SEQUENCE:1 LAST-MODIFIED:20260101T000000Z", "first");
    same("DTSTAMP:20260101T000000Z", "DTSTAMP:20260102T000000Z", "second");
    same("CLASS:PUBLIC", "CLASS:PUBLIC", "second");
    let exceptions = events(&[
        "UID:a DTSTART:20260301T080000Z RRULE:FREQ=DAILY;COUNT=1",
        "UID:a SEQUENCE:3 RECURRENCE-ID:20260301T080000Z DTSTART:20260301T110000Z",
        "UID:a SEQUENCE:2 RECURRENCE-ID:20260301T080000Z DTSTART:20260301T100000Z",
    ]);
    assert_eq!(told(&read(exceptions).unwrap()), ["2026-03-01T11:00:00Z/2026-03-01T11:00:00Z - -"]);
}

#[test]
fn an_event_without_an_id_is_known_by_its_content() {
    let id = |text: &str| items(&read(events(&[text])).unwrap()).remove(0).0;
    let first = id("DTSTART:20260301T080000Z DTSTAMP:20260101T000000Z SUMMARY:Talk");
    assert!(first.starts_with("hash:"), "{first}");
    assert_eq!(first, id("DTSTAMP:20260202T000000Z SUMMARY:Talk DTSTART:20260301T080000Z"));
    assert_eq!(first, id("UID: DTSTART:20260301T080000Z SUMMARY:Talk").replace("UID:", ""));
    assert_ne!(first, id("DTSTART:20260301T080000Z SUMMARY:Walk"));
    assert_ne!(first, id("DTSTART:20260301T090000Z SUMMARY:Talk"));
}

/// Where the items stand, by their ids.
fn places(text: &str) -> Vec<(String, String)> {
    let page = read(text).unwrap();
    let place = |item: &Item| match item {
        Item::Put(raw) => (raw.id.clone(), raw.at.unwrap().to_string()),
        _ => unreachable!(),
    };
    page.items.iter().map(place).collect()
}

#[test]
fn a_series_stands_where_windows_still_reach() {
    let text = events(&[
        "UID:endless DTSTART:20100104T080000Z RRULE:FREQ=WEEKLY",
        "UID:ended DTSTART:20250106T080000Z RRULE:FREQ=WEEKLY;COUNT=3",
        "UID:long DTSTART;VALUE=DATE:20251001 DTEND;VALUE=DATE:20260601",
        "UID:once DTSTART:20260301T080000Z DTEND:20260301T090000Z",
        "UID:later DTSTART:20300101T080000Z RRULE:FREQ=WEEKLY",
        "UID:old DTSTART:20260110T080000Z DTEND:20260110T093000Z",
    ]);
    let at = |id: &str, at: &str| (id.to_owned(), at.to_owned());
    assert_eq!(
        places(&text),
        [
            at("ended", "2025-01-20T08:00:00Z"),
            at("endless", "2026-03-01T00:00:00Z"),
            at("later", "2030-01-01T08:00:00Z"),
            at("long", "2025-10-01T00:00:00Z"),
            at("old", "2026-01-10T08:00:00Z"),
            at("once", "2026-03-01T08:00:00Z"),
        ]
    );
    // A series that ended and is still told of says how far the feed looks back; a long event that is still on does not.
    let time = |text: &str| text.parse::<Timestamp>().unwrap();
    let span = |from, to| Coverage::Span { from: time(from), to: time(to) };
    assert_eq!(covers(&read(text).unwrap()), span("2025-01-20T08:00:00Z", "2030-01-01T08:00:00Z"));
    let without = events(&[
        "UID:endless DTSTART:20100104T080000Z RRULE:FREQ=WEEKLY",
        "UID:long DTSTART;VALUE=DATE:20251001 DTEND;VALUE=DATE:20260601",
        "UID:old DTSTART:20260110T080000Z DTEND:20260110T093000Z",
    ]);
    assert_eq!(covers(&read(without).unwrap()), span("2026-01-10T09:30:00Z", "2027-12-27T08:00:00Z"));
    assert_eq!(
        covers(&read(calendar("X-EMPTY:1")).unwrap()),
        Coverage::Nothing,
        "an empty file says nothing"
    );
}

#[test]
fn the_moment_at_which_a_file_was_made_changes_no_item() {
    let text = |stamp: &str| {
        calendar(&format!(
            "X-MADE:{stamp}\nBEGIN:VEVENT\nUID:a\nDTSTAMP:{stamp}\nLAST-MODIFIED:{stamp}\nCREATED:{stamp}\n\
             DTSTART:20260301T080000Z\nSUMMARY:Same\nX-GENERATED:{stamp}\nEND:VEVENT"
        ))
    };
    let one = read(text("20260301T000000Z")).unwrap();
    assert_eq!(one.items, read(text("20260302T111111Z")).unwrap().items);
    let Item::Put(raw) = &one.items[0] else { unreachable!() };
    assert_eq!(raw.version, None);
}

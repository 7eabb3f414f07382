//! The same calendar in other clothes, and what is no calendar at all.

use lifehub_core::ErrorKind;
use lifehub_core::page::PassKind;

use crate::rig::{Feed, block_on, calendar, event, items, now, read, told};
use crate::wild::{RECORDS, WILD};

#[test]
fn line_ends_marks_and_case_make_no_difference() {
    let body = WILD.strip_prefix(b"\xef\xbb\xbf").unwrap();
    let replaced = |from: &[u8], to: &[u8]| {
        let mut out = Vec::new();
        let mut rest = body;
        while let Some(at) = rest.windows(from.len()).position(|bytes| bytes == from) {
            out.extend_from_slice(&rest[..at]);
            out.extend_from_slice(to);
            rest = &rest[at + from.len()..];
        }
        out.extend_from_slice(rest);
        out
    };
    let lower = |name: &str| replaced(name.as_bytes(), name.to_ascii_lowercase().as_bytes());
    for (what, text) in [
        ("no mark", body.to_vec()),
        ("bare line feeds", replaced(b"\r\n", b"\n")),
        ("tabs as folds", replaced(b"\r\n ", b"\r\n\t")),
        ("unfolded", replaced(b"\r\n ", b"")),
        ("folded everywhere", replaced(b"T090000", b"T\r\n 0\r\n 9\r\n 0000")),
        ("blank lines", replaced(b"\r\nEND:VEVENT", b"\r\n\r\nEND:VEVENT")),
        ("space before", [b"\r\n  \r\n".as_slice(), body].concat()),
        ("space behind", [body, b"\r\n\r\n \r\n"].concat()),
        ("small letters", lower("DTSTART")),
        ("small letters", lower("SUMMARY")),
        ("small letters", lower("TZID")),
        ("small letters", lower("BEGIN:VEVENT")),
    ] {
        assert_eq!(told(&read(text).unwrap()), RECORDS, "{what}");
    }
}

#[test]
fn what_is_no_calendar_is_an_error_that_says_so() {
    let check = |body: &str, temporary: bool, word: &str| {
        let error = read(body).unwrap_err();
        assert_eq!(
            (error.kind(), error.is_temporary()),
            (ErrorKind::InvalidResponse, temporary),
            "{error:?}"
        );
        let text = format!("{error:?}");
        assert!(text.contains(word), "{text}");
        assert!(
            !text.contains("secret-token") && !text.contains("key=1") && !text.contains("private"),
            "{text}"
        );
    };
    check("<!doctype html><title>private: log in</title>", false, "web page");
    check("{\"private\": \"no\"}", false, "no calendar");
    check("", true, "nothing");
    let whole = calendar("BEGIN:VEVENT\nUID:a\nDTSTART:20260301T080000Z\nSUMMARY:private\nEND:VEVENT");
    for length in [whole.len() / 2, whole.len() - 4, whole.len() - 17] {
        check(&whole[..length], true, "breaks off");
    }
}

#[test]
fn a_content_type_means_nothing() {
    let feed = Feed::new(event("DTSTART:20260301T080000Z"));
    feed.state().headers.push(("content-type", "text/html".into()));
    let page = block_on(feed.page(PassKind::Full, now(), None)).unwrap();
    assert_eq!(told(&page), ["2026-03-01T08:00:00Z/2026-03-01T08:00:00Z - -"]);
}

#[test]
fn refusals_say_that_the_address_may_have_changed() {
    for (status, kind) in [
        (401, ErrorKind::Unauthorized),
        (403, ErrorKind::Forbidden),
        (404, ErrorKind::Invalid),
        (410, ErrorKind::Invalid),
        (500, ErrorKind::Unavailable),
    ] {
        let feed = Feed::new("private");
        feed.state().status = status;
        let error = block_on(feed.page(PassKind::Full, now(), None)).unwrap_err();
        let text = format!("{error:?}");
        assert_eq!(error.kind(), kind, "{text}");
        assert!(!text.contains("secret-token") && !text.contains("private"), "{text}");
    }
}

#[test]
fn a_component_that_cannot_be_read_stops_no_other() {
    let text = calendar(
        "BEGIN:VEVENT\nUID:good\nDTSTART:20260301T080000Z\nSUMMARY:Good\nEND:VEVENT\n\
         BEGIN:VEVENT\nUID:bad-start\nDTSTART:at my home\nEND:VEVENT\n\
         BEGIN:VEVENT\nUID:no-start\nSUMMARY:x\nEND:VEVENT\n\
         BEGIN:VEVENT\nUID:bad-rule\nDTSTART:20260301T080000Z\nRRULE:FREQ=SOMETIMES\nEND:VEVENT\n\
         BEGIN:VEVENT\nSUMMARY:neither\nEND:VEVENT\n\
         BEGIN:VEVENT\nUID:no-end\nDTSTART:20260301T080000Z\n\
         BEGIN:VEVENT\nUID:good-too\nDTSTART:20260301T090000Z\nSUMMARY:Good\nBEGIN:VALARM\nTRIGGER:-PT1M\nEND:VEVENT\n\
         BEGIN:VTODO\nUID:todo\n\
         BEGIN:VEVENT\nUID:good-3\nDTSTART:20260301T100000Z\nSUMMARY:Good\nEND:VEVENT",
    );
    let found: Vec<(String, String)> = items(&read(text).unwrap())
        .into_iter()
        .map(|(id, records)| (id, records.map_or_else(|reason| reason, |records| records.len().to_string())))
        .collect();
    let expected = [
        ("", "neither `UID` nor `DTSTART` is there"),
        ("bad-rule", "`RRULE` has a part `FREQ` that cannot be read"),
        ("bad-start", "`DTSTART` cannot be read"),
        ("good", "1"),
        ("good-3", "1"),
        ("good-too", "1"),
        ("no-end", "the component has no end"),
        ("no-start", "`DTSTART` is missing"),
    ];
    assert_eq!(found, expected.map(|(id, what)| (id.to_owned(), what.to_owned())));
}

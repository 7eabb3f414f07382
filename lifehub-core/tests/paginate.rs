//! Spans cover a pass without gap and end; cursors keep their form.

use std::time::Duration;

use lifehub_core::ErrorKind;
use lifehub_core::clock::{Day, Timestamp};
use lifehub_core::page::{Coverage, Cursor, Next};
use lifehub_core::paginate::{
    DaySpan, Offset, PageNumber, PagePath, PageToken, TimeSpan, Walk, go_on, resume,
};
use proptest::prelude::*;

proptest! {
    #[test]
    fn time_spans_cover_the_pass_without_gap_and_end(
        from in -2_000_000_000_000_000i64..2_000_000_000_000_000,
        length in 1u64..1_000_000_000,
        spans in 0u64..200,
        rest in 0u64..u64::MAX,
    ) {
        let start = Timestamp::from_micros(from);
        let end = start + Duration::from_micros(length * spans + rest % length);
        let length = Duration::from_micros(length);
        let mut span = TimeSpan::first(start, end, length);
        prop_assert_eq!(span.from, start);
        let mut count = 1;
        while let Some(next) = span.next(end, length) {
            prop_assert_eq!(next.from, span.to);
            prop_assert!(next.to > next.from && next.to.since(next.from) <= length);
            span = next;
            count += 1;
            prop_assert!(count <= spans + 1);
        }
        prop_assert_eq!(span.to, end);
    }

    #[test]
    fn day_spans_hold_each_day_once_and_end(from in -20_000i32..20_000, days in 0i32..500, length in 0u16..40) {
        let (first, last) = (Day::from_number(from), Day::from_number(from + days));
        let mut span = DaySpan::first(first, last, length);
        let mut seen = Vec::new();
        loop {
            seen.extend(span.from.as_number()..=span.to.as_number());
            prop_assert!(span.to.as_number() - span.from.as_number() < i32::from(length.max(1)));
            match span.next(last, length) {
                Some(next) => span = next,
                None => break,
            }
        }
        prop_assert_eq!(&seen, &(from..=from + days).collect::<Vec<_>>());

        // The same days back in time.
        let mut span = DaySpan::last(first, last, length);
        let mut back = Vec::new();
        loop {
            back.extend((span.from.as_number()..=span.to.as_number()).rev());
            prop_assert!(span.days() <= u32::from(length.max(1)));
            match span.before(first, length) {
                Some(before) => span = before,
                None => break,
            }
        }
        seen.reverse();
        prop_assert_eq!(back, seen);
    }
}

#[test]
fn a_walk_ends_where_a_page_comes_again() {
    let token = |name: &str| Some(PageToken { token: Some(name.to_owned()) });
    let mut walk = Walk::default();
    assert_eq!(walk.page(), Some(PageToken::default()));
    walk.go_on(token("a")).unwrap();
    walk.go_on(token("b")).unwrap();
    let error = walk.go_on(token("a")).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Repeated);
    assert!(error.get_hint().is_some());

    let mut walk = Walk::<PageToken>::default();
    walk.go_on(None).unwrap();
    assert_eq!(walk.page(), None);
}

#[test]
fn a_pass_that_ends_before_it_begins_is_one_empty_span() {
    let (from, to) = (Timestamp::from_seconds(10), Timestamp::from_seconds(5));
    let span = TimeSpan::first(from, to, Duration::from_secs(1));
    assert_eq!((span.from, span.to, span.next(to, Duration::from_secs(1))), (from, from, None));
    let (from, to) = (Day::from_number(10), Day::from_number(5));
    let span = DaySpan::first(from, to, 3);
    assert_eq!((span.from, span.to, span.next(to, 3)), (from, from, None));
}

#[test]
fn no_cursor_is_the_first_page_and_the_end_starts_there_again() {
    assert_eq!(resume::<PageNumber>(None).unwrap().page, 1);
    assert_eq!(resume::<Offset>(None).unwrap().offset, 0);
    assert_eq!(resume::<PageToken>(None).unwrap().token, None);
    assert_eq!(resume::<PagePath>(None).unwrap().path, None);

    let Next::More(cursor) = go_on(PageNumber::default().next(3), Coverage::Whole).unwrap() else {
        panic!("a page that is not empty has a next");
    };
    assert_eq!(resume::<PageNumber>(Some(&cursor)).unwrap().page, 2);
    let end = go_on(PageNumber { page: 2 }.next(0), Coverage::Whole).unwrap();
    let cursor = Cursor::new(&PageNumber::default()).unwrap();
    assert_eq!(end, Next::CaughtUp { cursor, covers: Coverage::Whole });
}

#[test]
fn an_empty_token_is_no_token() {
    assert_eq!(PageToken::default().next(Some(String::new())), None);
}

#[test]
fn stored_cursors_keep_their_form() {
    let check = |cursor: lifehub_core::Result<Cursor>, text: &str| assert_eq!(cursor.unwrap().as_str(), text);
    check(Cursor::new(&PageNumber { page: 3 }), r#"{"page":3}"#);
    check(Cursor::new(&Offset { offset: 50 }), r#"{"offset":50}"#);
    check(Cursor::new(&PageToken { token: Some("t".into()) }), r#"{"token":"t"}"#);
    check(Cursor::new(&PagePath { path: Some("/x?p=2".into()) }), r#"{"path":"/x?p=2"}"#);
    let span = TimeSpan { from: Timestamp::from_seconds(0), to: Timestamp::from_seconds(1) };
    check(Cursor::new(&span), r#"{"from":"1970-01-01T00:00:00Z","to":"1970-01-01T00:00:01Z"}"#);
    let span = DaySpan { from: Day::from_number(0), to: Day::from_number(1) };
    check(Cursor::new(&span), r#"{"from":"1970-01-01","to":"1970-01-02"}"#);
}

//! Asking only for what is new: validators, and when they must not be sent.

use lifehub_core::clock::Timestamp;
use lifehub_core::page::{Coverage, Cursor, Page, PassKind};
use serde_json::json;

use crate::rig::{Feed, URL, block_on, covers, cursor, event, now};

fn feed() -> Feed {
    let feed = Feed::new(event("DTSTART:20260301T080000Z"));
    let headers = [("etag", "W/\"a,b\""), ("last-modified", "Mon, 09 Mar 2026 08:00:00 GMT")];
    feed.state().headers.extend(headers.map(|(name, value)| (name, value.to_owned())));
    feed
}

fn page(feed: &Feed, kind: PassKind, at: Timestamp, from: Option<&Cursor>) -> Page {
    block_on(feed.page(kind, at, from)).unwrap()
}

/// What the latest request sent.
fn sent(feed: &Feed) -> (Option<String>, Option<String>) {
    let state = feed.state();
    let headers = &state.requests.last().unwrap().headers;
    let text = |name: &str| headers.get(name).map(|value| value.to_str().unwrap().to_owned());
    (text("if-none-match"), text("if-modified-since"))
}

#[test]
fn a_live_pass_sends_the_validators_as_they_came() {
    let feed = feed();
    let first = page(&feed, PassKind::Full, now(), None);
    assert_eq!((first.items.len(), sent(&feed)), (1, (None, None)));
    feed.state().status = 304;
    let second = page(&feed, PassKind::Live, now(), Some(&cursor(&first)));
    let validators = (Some("W/\"a,b\"".to_owned()), Some("Mon, 09 Mar 2026 08:00:00 GMT".to_owned()));
    assert_eq!(sent(&feed), validators);
    assert_eq!((second.items.len(), covers(&second)), (0, Coverage::Nothing), "304 says nothing of absence");
    assert_eq!(cursor(&second), cursor(&first));
}

#[test]
fn nothing_is_asked_for_conditionally_that_may_give_other_items() {
    let feed = feed();
    let first = cursor(&page(&feed, PassKind::Full, now(), None));
    let settings = json!({ "url": URL });
    let next_month = "2026-04-01T00:00:00Z".parse().unwrap();
    for (what, settings, kind, at, from) in [
        ("a full pass", &settings, PassKind::Full, now(), Some(&first)),
        ("no cursor", &settings, PassKind::Live, now(), None),
        ("a new month", &settings, PassKind::Live, next_month, Some(&first)),
        ("another zone", &json!({ "url": URL, "zone": "Asia/Tokyo" }), PassKind::Live, now(), Some(&first)),
        (
            "another address",
            &json!({ "url": "https://calendar.example.org/other.ics" }),
            PassKind::Live,
            now(),
            Some(&first),
        ),
    ] {
        let page = block_on(feed.page_with(settings, kind, at, from)).unwrap();
        assert_eq!((page.items.len(), sent(&feed)), (1, (None, None)), "{what}");
    }
}

#[test]
fn a_copy_that_lags_behind_is_passed_over_until_the_next_full_pass() {
    let feed = feed();
    let first = cursor(&page(&feed, PassKind::Full, now(), None));
    feed.state().headers =
        vec![("etag", "\"old\"".into()), ("last-modified", "Sun, 08 Mar 2026 08:00:00 GMT".into())];
    let lagging = page(&feed, PassKind::Live, now(), Some(&first));
    assert_eq!(
        (lagging.items.len(), covers(&lagging), cursor(&lagging)),
        (0, Coverage::Nothing, first.clone())
    );
    assert_eq!(page(&feed, PassKind::Full, now(), None).items.len(), 1);
    feed.state().headers.clear();
    assert_eq!(
        page(&feed, PassKind::Live, now(), Some(&first)).items.len(),
        1,
        "without a date nothing is older"
    );
}

#[test]
fn neither_cursor_nor_error_nor_log_line_holds_the_address() {
    let feed = feed();
    let cursor = cursor(&page(&feed, PassKind::Full, now(), None));
    assert!(!cursor.as_str().contains("secret-token") && !cursor.as_str().contains("example"), "{cursor:?}");
    let label = feed.state().requests[0].label();
    assert_eq!(label, "GET https://calendar.example.org/…");
    assert_eq!(feed.state().requests[0].url.as_str(), URL, "what was sent is what the settings say");
}

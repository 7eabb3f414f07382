//! What a user may set, and what is said when it is wrong.

use lifehub_core::ErrorKind;
use lifehub_core::connector::{Connector, Context, FileAccess};
use lifehub_core::page::{Pass, PassKind, Place};
use lifehub_core::secret::Credentials;
use lifehub_ical::Ical;
use serde_json::{Value, json};

use crate::rig::{Feed, URL, block_on, calendar, event, now};

#[test]
fn the_schema_marks_what_is_secret_and_what_is_a_file() {
    let ical = Ical;
    let settings = &ical.manifest().settings;
    assert_eq!(settings.members(), ["file", "name", "url", "zone"]);
    assert!(settings.is_marked("url", "x-secret") && settings.is_marked("file", "x-file"));
    assert!(!settings.is_marked("name", "x-secret"));
    let made = settings.from_pairs([("url", URL), ("zone", "Europe/Rome")]).unwrap();
    assert_eq!(made, json!({ "url": URL, "zone": "Europe/Rome" }));
}

#[test]
fn wrong_settings_are_refused_without_showing_an_address() {
    let check = |settings: Value, word: &str| {
        let ical = Ical;
        let error = ical.manifest().settings.check(&settings).unwrap_err();
        let text = format!("{error:?}");
        assert_eq!(error.kind(), ErrorKind::Invalid);
        assert!(text.contains(word) && !text.contains("hush"), "{text}");
        assert!(ical.base_url(&settings).is_err());
    };
    check(json!({}), "none of them");
    check(json!({ "url": URL, "file": "/tmp/hush.ics" }), "both");
    check(json!({ "url": "ftp://hush.example.org/x.ics" }), "begins with none");
    check(json!({ "url": "hush" }), "begins with none");
    check(json!({ "url": "https://[hush]/x.ics" }), "cannot be read");
    check(json!({ "url": "https://hush:hush@example.org/x.ics" }), "user name");
    check(json!({ "url": URL, "zone": "Europe/Nowhere" }), "zone");
    check(json!({ "url": URL, "colour": "hush" }), "settings");
}

#[test]
fn the_address_gives_the_origin() {
    let ical = Ical;
    let origin = |url: &str| ical.base_url(&json!({ "url": url })).unwrap();
    assert_eq!(origin(URL).as_deref(), Some("https://calendar.example.org"));
    assert_eq!(origin("webcal://Example.org/a.ics").as_deref(), Some("https://example.org"));
    assert_eq!(origin("webcals://example.org:8443/a.ics").as_deref(), Some("https://example.org:8443"));
    assert_eq!(origin(" http://127.0.0.1:8080/a.ics ").as_deref(), Some("http://127.0.0.1:8080"));
    assert_eq!(ical.base_url(&json!({ "file": "a.ics" })).unwrap(), None);
}

#[test]
fn an_account_is_the_address_whichever_way_it_is_written() {
    let identify = |settings: Value, text: String| {
        let feed = Feed::new(text);
        let http = feed.http();
        let pass = Pass { kind: PassKind::Full, from: None, to: now() };
        let cx = Context::new(&http, &settings, &Credentials::none(), FileAccess::Denied, pass, now());
        block_on(Ical.identify(&cx))
    };
    let whole = || calendar("NAME:Other name");
    let one = identify(json!({ "url": URL }), whole()).unwrap();
    assert_eq!(one.title.as_deref(), Some("Test"), "X-WR-CALNAME, which stands first");
    assert!(!one.account.contains("secret"), "{one:?}");
    let same = identify(
        json!({ "url": URL.replace("https", "webcal").replace("calendar.", "CALENDAR."), "name": "Mine" }),
        whole(),
    )
    .unwrap();
    assert_eq!((same.account, same.title.as_deref()), (one.account.clone(), Some("Mine")));
    let other = identify(json!({ "url": URL.replace("key=1", "key=2") }), whole()).unwrap();
    assert_ne!(other.account, one.account);
    let error = identify(json!({ "url": URL }), "<html>log in</html>".into()).unwrap_err();
    assert!(error.message().contains("web page"), "{error:?}");
}

#[test]
fn a_file_is_read_where_files_may_be() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("calendar.ics");
    let settings = json!({ "file": path });
    let page = |access: FileAccess| {
        let feed = Feed::default();
        let http = feed.http();
        let pass = Pass { kind: PassKind::Full, from: None, to: now() };
        let cx = Context::new(&http, &settings, &Credentials::none(), access, pass, now());
        block_on(Ical.fetch_page(&cx, Place { stream: "events", partition: "" }, None))
    };
    let allowed = || FileAccess::Allowed { max_bytes: 1 << 20 };
    assert_eq!(page(allowed()).unwrap_err().kind(), ErrorKind::Invalid, "there is none");
    let text = event("DTSTART:20260301T080000Z");
    #[expect(clippy::disallowed_methods, reason = "the test writes the file that the connector reads")]
    let write = |text: &str| std::fs::write(&path, text).unwrap();
    write(&text);
    assert_eq!(page(allowed()).unwrap().items.len(), 1);
    assert_eq!(page(FileAccess::Denied).unwrap_err().kind(), ErrorKind::Forbidden);
    write(&text[..text.len() / 2]);
    let error = page(allowed()).unwrap_err();
    assert!(error.message().contains("breaks off") && !error.is_temporary(), "{error:?}");
}

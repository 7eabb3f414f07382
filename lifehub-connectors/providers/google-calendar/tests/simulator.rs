//! The simulated Google Calendar against what Google's documentation says, over real HTTP.
#![cfg(test)]

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use lifehub_core::clock::{ManualClock, Timestamp};
use lifehub_google_calendar::simulator::{GoogleCalendarSimulator, OWNER};
use lifehub_testkit::{Account, Change, Probe, Reply, Server, Setup};
use serde_json::{Value, json};

const DAY: Duration = Duration::from_secs(86_400);
const TOKEN: &str = "google-calendar-sim-0000000000000007-access";
const BUSY: &str = "colleague@example.com";
const JOURNEYS: &str = "c_5e6f7example00journeys@group.calendar.google.com";
const HOLIDAYS: &str = "en.example%23holiday@group.v.calendar.google.com";

struct Google {
    simulator: GoogleCalendarSimulator,
    clock: Arc<ManualClock>,
    server: Server,
}

fn now() -> Timestamp {
    "2026-08-10T12:00:00Z".parse().unwrap()
}

fn google(items: Option<usize>) -> Google {
    let mut setup = Setup::new(7, now()).stream("events");
    setup.items = items;
    let simulator = GoogleCalendarSimulator::seeded(&setup);
    let clock = Arc::new(ManualClock::at(now()));
    let server = Server::builder().clock(clock.clone()).start(simulator.clone()).unwrap();
    Google { simulator, clock, server }
}

impl Google {
    fn get(&self, path: &str) -> Reply {
        Probe::get(format!("{}/calendar/v3{path}", self.server.url())).bearer(TOKEN).send().unwrap()
    }

    /// The answer to a list of events, and its rows.
    fn list(&self, calendar: &str, query: &str) -> (Value, Vec<Value>) {
        let reply = self.get(&format!("/calendars/{calendar}/events?singleEvents=true{query}"));
        assert_eq!(reply.status, 200, "{query}: {}", String::from_utf8_lossy(&reply.body));
        let body = reply.json().unwrap();
        let items = body["items"].as_array().unwrap().clone();
        (body, items)
    }

    /// All rows, page by page, and the sync token of the end.
    fn walk(&self, calendar: &str, query: &str) -> (Vec<Value>, Option<String>) {
        let (mut rows, mut page) = (Vec::new(), String::new());
        loop {
            let (body, items) = self.list(calendar, &format!("{query}{page}"));
            rows.extend(items);
            let sync = body["nextSyncToken"].as_str().map(str::to_owned);
            match body["nextPageToken"].as_str() {
                Some(next) => {
                    assert_eq!(sync, None, "a token on a page that is not the last");
                    page = format!("&pageToken={}", encoded(next));
                }
                None => return (rows, sync),
            }
        }
    }

    #[track_caller]
    fn refused(&self, path: &str, status: u16, reason: &str, location: Option<&str>) {
        let reply = self.get(path);
        let error = reply.json().unwrap()["error"].take();
        let first = &error["errors"][0];
        assert_eq!(
            (reply.status, &error["code"], &first["reason"], first["location"].as_str()),
            (status, &json!(status), &json!(reason), location),
            "{path}"
        );
    }
}

fn encoded(token: &str) -> String {
    token.replace('+', "%2B").replace('/', "%2F").replace('=', "%3D")
}

fn ids(rows: &[Value]) -> BTreeSet<&str> {
    rows.iter().map(|row| row["id"].as_str().unwrap()).collect()
}

#[test]
fn the_truth_is_what_a_plain_client_reads() {
    let google = google(None);
    let mut read = BTreeMap::new();
    for calendar in [OWNER, JOURNEYS, HOLIDAYS, BUSY] {
        let (rows, _) = google.walk(calendar, "&timeMax=2027-08-11T12:00:00Z");
        let id = calendar.replace("%23", "#");
        read.extend(rows.into_iter().map(|row| ((id.clone(), row["id"].as_str().unwrap().to_owned()), row)));
    }
    let facts = google.simulator.truth().into_iter().filter(|fact| fact.stream == "events");
    let truth: BTreeMap<_, _> = facts.map(|f| ((f.partition, f.id.unwrap()), f.records.unwrap())).collect();
    assert_eq!(truth.keys().collect::<Vec<_>>(), read.keys().collect::<Vec<_>>());
    assert!((600..1_500).contains(&truth.len()), "{} events", truth.len());
    let zones: BTreeSet<_> = truth.values().flatten().filter_map(|record| record["zone"].as_str()).collect();
    assert_eq!(zones, ["America/New_York", "Asia/Tokyo", "Europe/Rome"].into());
    for (key, row) in read {
        let Some(record) = truth[&key].first() else {
            assert_eq!(row["eventType"], "workingLocation");
            continue;
        };
        assert_eq!(record["body"]["title"], row["summary"]);
        let start = |text: &Value| text.as_str().map(|text| text.parse::<Timestamp>().unwrap());
        assert_eq!(start(&record["start"]), start(&row["start"]["dateTime"]), "the same instant");
        let own = row["start"]["timeZone"].as_str();
        assert!(own.is_none() || record["zone"].as_str() == own, "as the event's own zone tells it");
    }
}

#[test]
fn calendars_are_those_of_an_account() {
    let google = google(Some(40));
    let body = google.get("/users/me/calendarList?maxResults=3").json().unwrap();
    let token = body["nextPageToken"].as_str().unwrap();
    let first = body["items"].as_array().unwrap();
    assert_eq!((first.len(), &first[0]["primary"], &first[0]["id"]), (3, &json!(true), &json!(OWNER)));
    let rest = google.get(&format!("/users/me/calendarList?pageToken={}", encoded(token))).json().unwrap();
    assert_eq!(rest["items"][0]["accessRole"], "freeBusyReader");
    assert!(rest["nextSyncToken"].is_string() && rest.get("nextPageToken").is_none());
    google.refused("/users/me/calendarList?maxSize=3", 400, "invalid", Some("maxSize"));
    google.refused("/users/me/calendarList?pageToken=x", 400, "invalid", Some("pageToken"));
}

#[test]
fn a_sync_token_tells_what_changed_and_goes_with_no_bound() {
    let google = google(Some(100));
    let (rows, token) = google.walk(OWNER, "&maxResults=9&timeMax=2027-08-11T12:00:00Z");
    let since = format!("&syncToken={}", encoded(&token.unwrap()));
    let (news, _) = google.walk(OWNER, &since);
    assert!(news.is_empty());
    assert!(
        google.simulator.change(Change::Edit(3))
            && google.simulator.change(Change::Delete { from: 0, count: 3 })
    );
    let (news, later) = google.walk(OWNER, &format!("{since}&maxResults=2"));
    let gone: Vec<_> = news.iter().filter(|row| row["status"] == "cancelled").collect();
    assert_eq!((news.len(), gone.len()), (4, 3));
    assert!(ids(&news).is_subset(&ids(&rows)));
    let bare = gone.iter().filter(|row| row.get("start").is_none());
    assert_eq!(bare.clone().count(), 2, "on the organizer's own calendar the rest may still be shown");
    bare.for_each(|row| {
        assert!(
            row.as_object().unwrap().keys().all(|k| ["id", "status", "kind", "etag"].contains(&k.as_str()))
        )
    });
    assert!(google.walk(OWNER, &format!("&syncToken={}", encoded(&later.unwrap()))).0.is_empty());
    let events = format!("/calendars/{OWNER}/events?singleEvents=true");
    for bound in ["timeMin", "timeMax", "updatedMin"] {
        google.refused(&format!("{events}{since}&{bound}=2026-08-01T00:00:00Z"), 400, "invalid", Some(bound));
    }
    google.refused(&format!("{events}{since}&orderBy=startTime"), 400, "invalid", Some("orderBy"));
    google.refused(&format!("{events}&syncToken=garbage"), 400, "invalid", Some("syncToken"));
    let foreign = format!("/calendars/{JOURNEYS}/events?singleEvents=true{since}");
    google.refused(&foreign, 400, "invalid", Some("syncToken"));
    assert!(google.simulator.change(Change::ExpireCursors));
    google.refused(&format!("{events}{since}"), 410, "fullSyncRequired", Some("syncToken"));
}

#[test]
fn an_order_costs_the_sync_token() {
    let google = google(Some(100));
    let (rows, token) = google.walk(OWNER, "&orderBy=startTime&maxResults=7");
    assert_eq!(token, None);
    let starts: Vec<Timestamp> = rows
        .iter()
        .filter_map(|row| row["start"]["dateTime"].as_str())
        .map(|text| text.parse().unwrap())
        .collect();
    assert!(starts.is_sorted() && starts.len() > 50);
}

#[test]
fn a_page_token_is_good_for_the_same_query_alone() {
    let google = google(Some(100));
    let (body, _) = google.list(OWNER, "&maxResults=5&timeMax=2027-08-11T12:00:00Z");
    let token = encoded(body["nextPageToken"].as_str().unwrap());
    let (_, items) =
        google.list(OWNER, &format!("&maxResults=6&timeMax=2027-08-11T12:00:00Z&pageToken={token}"));
    assert_eq!(items.len(), 6);
    let other =
        format!("/calendars/{OWNER}/events?singleEvents=true&timeMax=2027-08-12T12:00:00Z&pageToken={token}");
    google.refused(&other, 400, "invalid", Some("pageToken"));
}

#[test]
fn bounds_are_exclusive_and_count_ends_below_and_starts_above() {
    let google = google(Some(20));
    let side = |clock: &str| json!({ "dateTime": format!("2027-01-05T{clock}:00+01:00"), "timeZone": "Europe/Rome" });
    assert!(google.simulator.rewrite(0, &json!({ "start": side("10:00"), "end": side("11:00") })));
    for (bounds, there) in [
        ("timeMin=2027-01-05T09:59:59Z", true),
        ("timeMin=2027-01-05T10:00:00Z", false),
        ("timeMin=2027-01-01T00:00:00Z&timeMax=2027-01-05T09:00:01Z", true),
        ("timeMin=2027-01-01T00:00:00Z&timeMax=2027-01-05T09:00:00Z", false),
    ] {
        assert_eq!(google.walk(OWNER, &format!("&{bounds}")).0.len(), usize::from(there), "{bounds}");
    }
    let events = format!("/calendars/{OWNER}/events?singleEvents=true");
    let empty = format!("{events}&timeMin=2027-01-01T00:00:00Z&timeMax=2026-01-01T00:00:00Z");
    google.refused(&empty, 400, "timeRangeEmpty", Some("timeMax"));
    google.refused(&format!("{events}&timeMax=2027-01-01"), 400, "invalid", Some("timeMax"));
    google.refused(
        &format!("{events}&updatedMin=2026-05-01T00:00:00Z"),
        410,
        "updatedMinTooLongAgo",
        Some("updatedMin"),
    );
}

#[test]
fn what_changed_is_found_by_its_time_too_and_brings_deletions() {
    let google = google(Some(100));
    assert!(google.walk(OWNER, "&updatedMin=2026-08-10T00:00:00Z").0.is_empty());
    google.clock.advance(DAY);
    assert!(
        google.simulator.change(Change::Delete { from: 1, count: 1 }) && google.simulator.change(Change::Add)
    );
    let (news, _) = google.walk(OWNER, "&updatedMin=2026-08-10T13:00:00Z&timeMax=2027-08-11T12:00:00Z");
    let statuses: BTreeSet<_> = news.iter().map(|row| row["status"].as_str().unwrap()).collect();
    assert_eq!((news.len(), statuses), (2, ["cancelled", "confirmed"].into()));
}

#[test]
fn instances_are_told_as_google_does() {
    let google = google(Some(40));
    let series = google.simulator.add_series("Class", now() - 7 * DAY, Some(4));
    google.simulator.except(&series, 1, Some(now() + 3 * DAY));
    google.simulator.except(&series, 2, None);
    let (rows, token) = google.walk(OWNER, "");
    let own: Vec<_> = rows.iter().filter(|row| row["recurringEventId"] == json!(series)).collect();
    let moved = own.iter().find(|row| row["id"] == json!(format!("{series}_20260810T100000Z"))).unwrap();
    assert_eq!(own.len(), 3);
    assert_eq!(moved["originalStartTime"]["dateTime"], "2026-08-10T12:00:00+02:00");
    assert_eq!(moved["start"]["dateTime"], "2026-08-13T14:00:00+02:00");
    google.simulator.except(&series, 3, None);
    let (news, _) = google.walk(OWNER, &format!("&syncToken={}", encoded(&token.unwrap())));
    let keys: Vec<_> = news[0].as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(
        (news.len(), keys),
        (1, vec!["etag", "id", "kind", "originalStartTime", "recurringEventId", "status"])
    );
    // One touched series without end brings instances of many years.
    let endless = google.simulator.add_series("For ever", now(), None);
    let (rows, token) = google.walk(OWNER, "&maxResults=2500");
    let count = |rows: &[Value]| rows.iter().filter(|row| row["recurringEventId"] == json!(endless)).count();
    let all = count(&rows);
    assert!((700..760).contains(&all), "{all} instances");
    assert!(google.simulator.rename_series(&endless, "For ever and a day"));
    let since = format!("&maxResults=2500&syncToken={}", encoded(&token.unwrap()));
    assert_eq!(count(&google.walk(OWNER, &since).0), all);
}

#[test]
fn somebody_elses_calendar_shows_times_alone() {
    let google = google(Some(100));
    let (rows, _) = google.walk(BUSY, "");
    assert!(!rows.is_empty());
    for row in rows {
        assert!(
            row.get("summary").is_none()
                && row.get("organizer").is_none()
                && row["start"]["dateTime"].is_string()
        );
    }
    let (rows, _) = google.walk(HOLIDAYS, "");
    assert!(rows.iter().all(|row| row["start"]["date"].is_string() && row["end"]["date"].is_string()));
}

#[test]
fn who_asks_must_be_known() {
    let google = google(Some(20));
    let url = format!("{}/calendar/v3/users/me/calendarList", google.server.url());
    for probe in [Probe::get(&url), Probe::get(&url).bearer("foreign")] {
        let reply = probe.send().unwrap();
        let reason = reply.json().unwrap()["error"]["errors"][0]["reason"].take();
        assert_eq!((reply.status, reason), (401, json!("authError")));
    }
    google.refused("/calendars/nobody@example.com/events?singleEvents=true", 404, "notFound", None);
    assert!(google.simulator.change(Change::Withhold(Some("openid".to_owned()))));
    assert_eq!(google.get("/v1/userinfo").status, 401);
    let scope = "https://www.googleapis.com/auth/calendar.events.readonly";
    assert!(google.simulator.change(Change::Withhold(Some(scope.to_owned()))));
    google.refused(
        &format!("/calendars/{OWNER}/events?singleEvents=true"),
        403,
        "insufficientPermissions",
        None,
    );
    assert_eq!(google.get("/users/me/calendarList").status, 200);
}

#[test]
fn limits_slide_and_are_told_as_403() {
    let google = google(Some(20));
    google.simulator.set_limit(Some(2));
    let list = "/users/me/calendarList";
    assert_eq!(google.get(list).status, 200);
    google.clock.advance(Duration::from_secs(30));
    assert_eq!(google.get(list).status, 200);
    google.refused(list, 403, "userRateLimitExceeded", None);
    google.clock.advance(Duration::from_secs(30));
    assert_eq!(google.get(list).status, 200, "a minute after the first");
    google.refused(list, 403, "userRateLimitExceeded", None);
    assert_eq!(google.get(list).header("retry-after"), None, "Google promises none");
}

#[test]
fn a_refresh_token_comes_once_and_for_an_offline_consent_alone() {
    let google = google(Some(20));
    let client = format!(
        "client_id={}&client_secret={}",
        GoogleCalendarSimulator::CLIENT_ID,
        GoogleCalendarSimulator::CLIENT_SECRET
    );
    let tokens = |form: &str| {
        let url = format!("{}/token", google.server.url());
        Probe::post_form(url, &format!("{client}&{form}")).send().unwrap().json().unwrap()
    };
    let consent = |more: &str| {
        let back = "redirect_uri=http%3A%2F%2F127.0.0.1%2Fcallback";
        let url = format!(
            "{}/o/oauth2/v2/auth?client_id={}&{back}&response_type=code&scope=openid%20email&state=s1{more}",
            google.server.url(),
            GoogleCalendarSimulator::CLIENT_ID
        );
        let location = Probe::get(url).send().unwrap().header("location").unwrap().to_owned();
        let code = location.split("code=").nth(1).unwrap().split('&').next().unwrap().to_owned();
        tokens(&format!("grant_type=authorization_code&code={code}&{back}"))
    };
    assert!(consent("").get("refresh_token").is_none());
    assert!(consent("&access_type=offline").get("refresh_token").is_none(), "agreed before");
    let first = consent("&access_type=offline&prompt=consent");
    assert_eq!((&first["expires_in"], &first["token_type"]), (&json!(3_599), &json!("Bearer")));
    assert_eq!(first["scope"], "https://www.googleapis.com/auth/userinfo.email openid", "in its long form");
    let refresh = first["refresh_token"].as_str().unwrap();
    let renewed = tokens(&format!("grant_type=refresh_token&refresh_token={refresh}"));
    assert!(renewed["access_token"] != first["access_token"] && renewed.get("refresh_token").is_none());

    let revoke = |probe: Probe| probe.send().unwrap().status;
    let url = format!("{}/revoke", google.server.url());
    let access = renewed["access_token"].as_str().unwrap();
    assert_eq!(
        revoke(Probe::get(format!("{url}?token={access}"))),
        401,
        "no such page, and nothing is revoked"
    );
    let form = format!("token={access}");
    assert_eq!(revoke(Probe::post_form(&url, &form)), 200);
    assert_eq!(revoke(Probe::post_form(&url, &form)), 400);
    let refused = tokens(&format!("grant_type=refresh_token&refresh_token={refresh}"));
    assert_eq!(refused["error"], "invalid_grant", "an access token takes its refresh token along");
}

#[test]
fn a_setup_decides_everything() {
    let account =
        |seed: u64| GoogleCalendarSimulator::seeded(&Setup::new(seed, now()).items(60).stream("events"));
    assert_eq!(account(7).truth(), account(7).truth());
    assert_ne!(account(7).truth(), account(8).truth());
    for items in [1, 19, 20, 75] {
        let setup = Setup::new(7, now()).items(items).stream("events");
        let truth = GoogleCalendarSimulator::seeded(&setup).truth();
        let events = truth.iter().filter(|fact| fact.stream == "events");
        assert_eq!(events.count(), items);
    }
    let setup = Setup::new(7, now()).items(9).stream("calendars");
    let calendars = GoogleCalendarSimulator::seeded(&setup).truth();
    assert_eq!(calendars.iter().filter(|fact| fact.stream == "calendars").count(), 9);
    let simulator = account(7);
    for change in
        [Change::Stale(true), Change::LeadTo(None), Change::Edit(60), Change::Delete { from: 39, count: 30 }]
    {
        assert!(!simulator.change(change.clone()), "{change:?}");
    }
}

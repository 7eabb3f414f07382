//! The simulated Strava as an account: its truth is what a plain client reads, and every change shows in both.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking, its helpers too")]

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use lifehub_core::clock::{Timestamp, Zone};
use lifehub_strava::simulator::{StravaSimulator, account};
use lifehub_testkit::{Account, Change, Fact, Probe, Server, Setup};
use serde_json::{Value, json};

const DAY: Duration = Duration::from_secs(86_400);

struct Athlete {
    account: Arc<dyn Account>,
    server: Server,
}

fn now() -> Timestamp {
    "2026-08-10T12:07:00Z".parse().unwrap()
}

fn athlete(setup: &Setup) -> Athlete {
    let account = account(setup);
    let server = Server::start(account.clone()).unwrap();
    Athlete { account, server }
}

impl Athlete {
    /// All pages with their items, the empty one at the end included.
    fn pages(&self) -> Vec<Vec<Value>> {
        let access = self.account.access(&self.server.url());
        let token = access.credentials.get("access_token").unwrap().expose().to_owned();
        let base = access.base_url.unwrap();
        let mut pages = Vec::new();
        for page in 1.. {
            let url = format!("{base}/athlete/activities?per_page=200&page={page}");
            let reply = Probe::get(url).bearer(&token).send().unwrap();
            assert_eq!(reply.status, 200, "page {page}");
            pages.push(serde_json::from_slice(&reply.body).unwrap());
            if pages.last().is_some_and(Vec::is_empty) {
                break;
            }
        }
        pages
    }

    fn items(&self) -> Vec<Value> {
        self.pages().concat()
    }

    /// What is read and what is told, which have to agree; the newest first.
    #[track_caller]
    fn agrees(&self) -> Vec<Fact> {
        let mut truth = self.account.truth();
        truth.reverse();
        let read: Vec<Fact> = self.items().iter().map(as_read).collect();
        assert_eq!(truth.len(), read.len());
        for (told, read) in truth.iter().zip(&read) {
            assert_eq!(told, read);
        }
        truth
    }

    #[track_caller]
    fn changes(&self, change: Change) -> Vec<Fact> {
        assert!(self.account.change(change.clone()), "{change:?}");
        self.agrees()
    }
}

/// What Strava's documentation makes of an item: times by the zone's name and the tz database, units as they are.
fn as_read(item: &Value) -> Fact {
    let sport = item["sport_type"].as_str();
    let mut fact = Fact::new("activities", item["id"].as_i64().unwrap_or(0), Vec::new());
    let (Some(sport), Some(_)) = (sport, item["id"].as_i64()) else {
        fact.id = item["id"].as_i64().map(|id| id.to_string());
        fact.records = None;
        return fact;
    };
    let zone: Zone = item["timezone"].as_str().unwrap().split_once(' ').unwrap().1.parse().unwrap();
    let start: Timestamp = item["start_date"].as_str().unwrap().parse().unwrap();
    let end = start + Duration::from_secs(item["elapsed_time"].as_u64().unwrap());
    let mut body = json!({ "sport": sport, "name": item["name"] });
    for (member, from) in [
        ("moving_s", "moving_time"),
        ("elapsed_s", "elapsed_time"),
        ("distance_m", "distance"),
        ("elevation_gain_m", "total_elevation_gain"),
        ("avg_hr_bpm", "average_heartrate"),
        ("max_hr_bpm", "max_heartrate"),
        ("avg_speed_mps", "average_speed"),
    ] {
        if !item[from].is_null() {
            body[member] = json!(item[from].as_f64().unwrap());
        }
    }
    if item["map"]["summary_polyline"] != "" {
        body["polyline"] = item["map"]["summary_polyline"].clone();
    }
    assert_eq!(item["utc_offset"].as_f64().unwrap() as i32, zone.offset_at(start).as_seconds());
    fact.records = Some(vec![json!({
        "key": "", "dataset": "workout", "zone": zone.name(), "day": zone.day_at(start).to_string(),
        "start": start.with_offset(zone.offset_at(start)), "end": end.with_offset(zone.offset_at(end)),
        "body": body,
    })]);
    fact
}

fn start(fact: &Fact) -> Timestamp {
    fact.records.as_ref().unwrap()[0]["start"].as_str().unwrap().parse().unwrap()
}

fn ids(facts: &[Fact]) -> Vec<Option<String>> {
    facts.iter().map(|fact| fact.id.clone()).collect()
}

#[test]
fn the_truth_is_what_is_read_page_by_page() {
    let athlete = athlete(&Setup::new(5, now()).items(95).ties(40).page(30));
    let sizes: Vec<usize> = athlete.pages().iter().map(Vec::len).collect();
    assert_eq!(sizes, [30, 30, 30, 5, 0]);
    let facts = athlete.agrees();
    assert_eq!(ids(&facts).into_iter().collect::<HashSet<_>>().len(), 95);
    let starts: Vec<Timestamp> = facts.iter().map(start).collect();
    let most = starts.iter().map(|at| starts.iter().filter(|other| *other == at).count()).max();
    assert_eq!(most, Some(40), "ties");
    // What is asked for below the limit is given as asked for.
    let (url, token) = (athlete.server.url(), "strava-sim-0000000000000005-access");
    let page = |query: &str| {
        let url = format!("{url}/api/v3/athlete/activities?{query}");
        Probe::get(url).bearer(token).send().unwrap().json().unwrap().as_array().unwrap().len()
    };
    assert_eq!((page("per_page=7"), page("per_page=7&page=14"), page("per_page=7&page=15")), (7, 4, 0));
}

#[test]
fn two_years_are_told_as_they_are_read() {
    let athlete = athlete(&Setup::new(6, now()));
    let facts = athlete.agrees();
    assert!(facts.len() > 250, "{}", facts.len());
    let offsets: HashSet<_> = facts
        .iter()
        .map(|fact| fact.records.as_ref().unwrap()[0]["start"].as_str().unwrap()[19..].to_owned())
        .collect();
    assert_eq!(offsets, ["+01:00", "+02:00", "-04:00"].map(str::to_owned).into());
}

#[test]
fn a_setup_decides_everything_and_there_are_no_limits() {
    let setup = Setup::new(7, now()).items(3);
    assert_eq!(account(&setup).truth(), account(&setup).truth());
    assert_ne!(account(&setup).truth(), account(&Setup::new(8, now()).items(3)).truth());
    let (one, other) = (athlete(&setup), account(&Setup::new(8, now())).access(""));
    for _ in 0..120 {
        assert_eq!(one.pages().len(), 2);
    }
    let token = other.credentials.get("access_token").unwrap().expose();
    let url = format!("{}/api/v3/athlete", one.server.url());
    assert_eq!(Probe::get(&url).bearer(token).send().unwrap().status, 401, "the token of another seed");
    assert_eq!(Probe::get(&url).bearer(StravaSimulator::TOKEN).send().unwrap().status, 401);
}

#[test]
fn additions_come_where_they_belong() {
    let athlete = athlete(&Setup::new(9, now()).items(60));
    let before = athlete.agrees();
    for n in 1..=3 {
        let facts = athlete.changes(Change::Add);
        assert_eq!(facts.len(), 60 + n);
        assert!(start(&facts[0]) > start(&facts[1]) && start(&facts[0]) <= now());
        assert_eq!(facts[n..], before);
    }
    let facts = athlete.changes(Change::AddLate(20 * DAY));
    let late = facts.iter().find(|fact| start(fact) == now() - 20 * DAY).unwrap();
    assert!(!before.contains(late));
    assert_eq!(facts.len(), 64);
    let facts = athlete.changes(Change::AddLate(3_000 * DAY));
    assert_eq!(start(&facts[64]), now() - 3_000 * DAY);
}

#[test]
fn an_edit_changes_one_record_and_a_deletion_takes_what_it_names() {
    let athlete = athlete(&Setup::new(10, now()).items(60));
    let before = athlete.agrees();
    for _ in 0..2 {
        let (old, new) = (athlete.agrees(), athlete.changes(Change::Edit(4)));
        assert_eq!(ids(&new), ids(&before));
        assert_eq!((0..60).filter(|n| old[*n] != new[*n]).collect::<Vec<_>>(), [4]);
    }
    let edited = athlete.agrees();
    let after = athlete.changes(Change::Delete { from: 3, count: 5 });
    assert_eq!(after, [&edited[..3], &edited[8..]].concat());
    assert_eq!(athlete.changes(Change::Delete { from: 0, count: 0 }), after);
}

#[test]
fn what_is_broken_is_told_so_and_heals() {
    let athlete = athlete(&Setup::new(11, now()).items(60));
    let before = athlete.agrees();
    let facts = athlete.changes(Change::Poison(2));
    assert_eq!((facts[2].id.clone(), facts[2].records.clone()), (before[2].id.clone(), None));
    let item = &athlete.items()[2];
    assert!(item["sport_type"].is_number() && item["type"].is_number(), "one of them would do");
    assert!(item["start_date"].is_string(), "an item without a time would not be covered");
    let facts = athlete.changes(Change::TakeId(5));
    assert_eq!((facts[5].id.clone(), facts[5].records.clone()), (None, None));
    // Broken once more, and otherwise.
    assert_eq!(athlete.changes(Change::TakeId(2))[2].id, None);
    assert_eq!(athlete.changes(Change::Poison(2))[2].id, before[2].id);
    assert_eq!(athlete.changes(Change::Edit(2))[2].records, None, "an edit does not heal");
    let healed = athlete.changes(Change::Heal);
    assert_eq!((0..60).filter(|n| healed[*n] != before[*n]).collect::<Vec<_>>(), [2], "the edit remains");
    assert_eq!(athlete.changes(Change::Heal), healed);
}

#[test]
fn what_strava_does_not_know_changes_nothing() {
    let athlete = athlete(&Setup::new(12, now()).items(10));
    let before = athlete.agrees();
    for change in [
        Change::Stale(true),
        Change::LeadTo(Some("http://127.0.0.1:9".to_owned())),
        Change::ExpireCursors,
        Change::Edit(10),
        Change::Poison(10),
        Change::TakeId(10),
        Change::Delete { from: 8, count: 3 },
    ] {
        assert!(!athlete.account.change(change.clone()), "{change:?}");
        assert_eq!(athlete.agrees(), before, "{change:?}");
    }
}

//! The simulated Strava over real HTTP.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking, its helpers too")]

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use lifehub_core::clock::{ManualClock, Timestamp};
use lifehub_strava::simulator::{Limits, Poison, StravaSimulator, World, WorldOptions};
use lifehub_testkit::{Fault, FaultPlan, Probe, Reply, Server};
use serde_json::{Value, json};

struct Strava {
    world: World,
    simulator: StravaSimulator,
    clock: Arc<ManualClock>,
    server: Server,
}

fn now() -> Timestamp {
    "2026-08-10T12:07:00Z".parse().unwrap()
}

fn strava(options: WorldOptions) -> Strava {
    let world = World::seeded(7, now(), options);
    let simulator = StravaSimulator::new(world.clone());
    let clock = Arc::new(ManualClock::at(now()));
    let server = Server::builder().clock(clock.clone()).start(simulator.clone()).unwrap();
    Strava { world, simulator, clock, server }
}

impl Strava {
    fn get(&self, path: &str) -> Reply {
        let url = format!("{}/api/v3{path}", self.server.url());
        Probe::get(url).bearer(StravaSimulator::TOKEN).send().unwrap()
    }

    fn page(&self, query: &str) -> Vec<Value> {
        let reply = self.get(&format!("/athlete/activities?{query}"));
        assert_eq!(reply.status, 200, "{query}");
        serde_json::from_slice(&reply.body).unwrap()
    }

    /// All pages to the empty one.
    fn walk(&self, query: &str) -> Vec<Value> {
        let pages = (1..).map(|page| self.page(&format!("{query}&page={page}")));
        pages.take_while(|page| !page.is_empty()).flatten().collect()
    }

    fn refused(&self, path: &str, status: u16, body: Value) {
        let reply = self.get(path);
        assert_eq!((reply.status, reply.json().unwrap()), (status, body), "{path}");
    }
}

fn bad_request(field: &str, code: &str) -> Value {
    json!({ "message": "Bad Request", "errors": [{ "resource": "Application", "field": field, "code": code }] })
}

fn ids(items: &[Value]) -> Vec<i64> {
    items.iter().map(|item| item["id"].as_i64().unwrap()).collect()
}

fn starts(items: &[Value]) -> Vec<i64> {
    let start =
        |item: &Value| item["start_date"].as_str().unwrap().parse::<Timestamp>().unwrap().as_seconds();
    items.iter().map(start).collect()
}

fn newest_first(world: &World) -> Vec<i64> {
    world.truth().iter().rev().map(|activity| activity.id).collect()
}

#[test]
fn a_walk_gives_the_truth_newest_first_and_ends_on_an_empty_page() {
    let strava = strava(WorldOptions::default().activities(95));
    let items = strava.walk("per_page=30");
    let truth: Vec<Value> = strava.world.truth().iter().rev().map(|activity| activity.json()).collect();
    assert_eq!(items, truth);
    let pages: Vec<String> = strava.server.requests().into_iter().map(|request| request.query).collect();
    assert_eq!(pages.len(), 5, "30, 30, 30, 5 and none: {pages:?}");
    assert_eq!(strava.page("").len(), 30, "the default");
    assert_eq!(strava.page("per_page=200").len(), 95);
}

#[test]
fn bounds_are_strict_and_decide_the_order() {
    let strava = strava(WorldOptions::default().activities(90));
    let truth = strava.world.truth();
    let (low, high) = (truth[20].start.as_seconds(), truth[60].start.as_seconds());
    let expected = |keep: &dyn Fn(i64) -> bool| {
        truth.iter().filter(|a| keep(a.start.as_seconds())).map(|a| a.id).collect::<Vec<_>>()
    };
    let reversed = |mut ids: Vec<i64>| {
        ids.reverse();
        ids
    };
    let after = strava.walk(&format!("per_page=17&after={low}"));
    assert_eq!(ids(&after), expected(&|start| start > low), "oldest first with `after` alone");
    let before = strava.walk(&format!("per_page=17&before={high}"));
    assert_eq!(ids(&before), reversed(expected(&|start| start < high)));
    let both = strava.walk(&format!("per_page=17&after={low}&before={high}"));
    assert_eq!(ids(&both), reversed(expected(&|start| start > low && start < high)));
    assert!(strava.page(&format!("after={high}&before={low}")).is_empty());
}

#[test]
fn ties_come_over_several_pages_without_loss() {
    let strava = strava(WorldOptions::default().activities(400).ties(250).large_ids());
    let items = strava.walk("per_page=100");
    assert_eq!(ids(&items), newest_first(&strava.world));
    let starts = starts(&items);
    let most = starts.iter().map(|start| starts.iter().filter(|other| *other == start).count()).max();
    assert_eq!(most, Some(250));
    let moment = starts[200];
    let from = strava.walk(&format!("per_page=100&after={}", moment - 1));
    assert_eq!(from.len(), starts.iter().filter(|start| **start >= moment).count());
    assert!(ids(&items).iter().all(|id| *id > 1 << 53 && *id as f64 as i64 != *id));
}

#[test]
fn short_pages_lose_nothing() {
    let strava = strava(WorldOptions::default().activities(200));
    strava.simulator.set_short_pages(true);
    for per_page in [1, 2, 3, 30, 66] {
        let sizes: Vec<usize> =
            (1..=3).map(|page| strava.page(&format!("per_page={per_page}&page={page}")).len()).collect();
        assert!(per_page == 1 || (sizes[1] < per_page && sizes[2] == per_page), "{per_page}: {sizes:?}");
    }
    strava.simulator.set_limits(None);
    for per_page in [1, 2, 7, 200] {
        assert_eq!(
            ids(&strava.walk(&format!("per_page={per_page}"))),
            newest_first(&strava.world),
            "{per_page}"
        );
    }
}

#[test]
fn bad_parameters_are_refused_as_strava_does() {
    let strava = strava(WorldOptions::default().activities(5));
    let millis = now().as_seconds() * 1_000;
    let list = "/athlete/activities";
    strava.refused(&format!("{list}?after={millis}"), 400, bad_request("after", "future"));
    strava.refused(&format!("{list}?after={}", now().as_seconds() + 1), 400, bad_request("after", "future"));
    strava.refused(&format!("{list}?after=2026-08-01"), 400, bad_request("after", "invalid"));
    strava.refused(&format!("{list}?per_page=201"), 400, bad_request("per page", "limit exceeded"));
    strava.refused(&format!("{list}?per_page=0"), 400, bad_request("per page", "invalid"));
    strava.refused(&format!("{list}?page=0"), 400, bad_request("page", "invalid"));
    assert_eq!(strava.page(&format!("before={millis}")).len(), 5);
    assert_eq!(strava.get("/athlete/nothing").status, 404);
    assert_eq!(strava.get("/athlete").json().unwrap()["id"], 900_001_234);
}

#[test]
fn a_foreign_or_revoked_token_is_refused() {
    let strava = strava(WorldOptions::default().activities(5));
    let body = json!({ "message": "Authorization Error",
        "errors": [{ "resource": "Application", "field": "", "code": "invalid" }] });
    let url = format!("{}/api/v3/athlete", strava.server.url());
    for probe in [Probe::get(&url), Probe::get(&url).bearer("foreign")] {
        let reply = probe.send().unwrap();
        assert_eq!((reply.status, reply.json().unwrap()), (401, body.clone()));
    }
    assert_eq!(strava.get("/athlete").status, 200);
    strava.simulator.set_token("renewed");
    strava.refused("/athlete", 401, body);
    assert_eq!(Probe::get(&url).bearer("renewed").send().unwrap().status, 200);
}

#[test]
fn limits_count_in_fixed_windows() {
    let strava = strava(WorldOptions::default().activities(5));
    strava.simulator.set_limits(Some(Limits::new((20, 200), (3, 7))));
    let try_once = |status: u16, usage: &str| {
        let reply = strava.get("/athlete");
        assert_eq!((reply.status, reply.header("x-readratelimit-usage")), (status, Some(usage)));
        reply
    };
    let first = try_once(200, "1,1");
    assert_eq!(first.header("x-ratelimit-limit"), Some("20,200"));
    assert_eq!(first.header("x-ratelimit-usage"), Some("1,1"));
    assert_eq!(first.header("x-readratelimit-limit"), Some("3,7"));
    try_once(200, "2,2");
    try_once(200, "3,3");
    let refused = try_once(429, "3,4");
    assert_eq!(
        refused.json().unwrap(),
        json!({ "message": "Rate Limit Exceeded",
            "errors": [{ "resource": "Application", "field": "rate limit", "code": "exceeded" }] })
    );
    assert_eq!(refused.header("retry-after"), None, "Strava documents none");
    // It is 12:07: the quarter hour ends at 12:15, not fifteen minutes after the first call.
    strava.clock.advance(Duration::from_secs(7 * 60 + 59));
    try_once(429, "3,5");
    strava.clock.advance(Duration::from_secs(1));
    try_once(200, "1,6");
    try_once(200, "2,7");
    try_once(429, "2,8");
    strava.clock.jump_to("2026-08-11T00:00:00Z".parse().unwrap());
    try_once(200, "1,1");
    strava.simulator.set_limits(None);
    assert_eq!(strava.get("/athlete").header("x-ratelimit-limit"), None);
}

#[test]
fn mutations_show_in_the_list() {
    let strava = strava(WorldOptions::default().activities(60));
    let world = &strava.world;
    let (old, gone) = (world.truth()[10].clone(), world.truth()[30].id);
    let late = world.add(old.start, json!({ "name": "Late" }));
    world.edit(old.id, json!({ "name": "Renamed", "distance": 5000.0, "sport_type": "TrailRun" }));
    world.delete([gone]);
    world.make_private(old.id);
    let items = strava.walk("per_page=200");
    assert_eq!(ids(&items), newest_first(world));
    let find = |id: i64| items.iter().find(|item| item["id"] == id);
    assert_eq!(find(late).unwrap()["name"], "Late");
    assert_eq!(find(late).unwrap()["start_date"], json!(old.start.to_string()));
    let edited = find(old.id).unwrap();
    assert_eq!((&edited["name"], &edited["distance"]), (&json!("Renamed"), &json!(5000.0)));
    assert_eq!((&edited["private"], &edited["sport_type"]), (&json!(true), &json!("TrailRun")));
    assert!(find(gone).is_none());
}

#[test]
fn what_is_only_for_me_needs_the_wider_scope() {
    let wide = strava(WorldOptions::default().activities(300));
    let narrow = strava(WorldOptions::default().activities(300).without_private());
    let private = wide.world.truth().iter().filter(|a| a.json()["private"] == true).count();
    assert!(private > 0);
    assert_eq!(narrow.walk("per_page=200").len(), 300 - private);
    let id = narrow.world.truth()[0].id;
    narrow.world.make_private(id);
    assert_eq!(narrow.walk("per_page=200").len(), 299 - private);
}

#[test]
fn a_delete_between_two_pages_shifts_the_rest() {
    let strava = strava(WorldOptions::default().activities(100));
    let order = newest_first(&strava.world);
    let early = order[..5].to_vec();
    let world = strava.world.clone();
    strava.server.after(1, move || world.delete(early));
    let items = strava.walk("per_page=20");
    let seen: HashSet<i64> = ids(&items).into_iter().collect();
    let missed: Vec<i64> = newest_first(&strava.world).into_iter().filter(|id| !seen.contains(id)).collect();
    assert_eq!(missed, order[40..45], "what slid from page 3 to page 2, which was read already");
    assert_eq!(ids(&strava.walk("per_page=20")), newest_first(&strava.world), "the hook works once");
}

#[test]
fn every_poison_shows_where_it_was_put_and_can_be_healed() {
    let strava = strava(WorldOptions::default().activities(40));
    let sound = strava.page("per_page=200");
    for (i, poison) in Poison::EACH.into_iter().enumerate() {
        let id = strava.world.poison(i * 3, poison);
        let items = strava.page("per_page=200");
        let changed: Vec<usize> = (0..40).filter(|n| items[*n] != sound[*n]).collect();
        assert_eq!(changed, [i * 3], "{poison:?}: {}", items[i * 3]);
        assert_eq!(strava.world.truth().iter().find(|a| a.id == id).unwrap().poison, Some(poison));
        strava.world.heal(id);
        assert_eq!(strava.page("per_page=200"), sound);
    }
}

#[test]
fn every_fault_breaks_a_page_and_none_is_taken_for_an_empty_one() {
    let strava = strava(WorldOptions::default().activities(40));
    let whole = strava.page("per_page=200");
    for fault in Fault::EACH {
        strava.server.set_faults(FaultPlan::none().at(1, fault));
        let url = format!("{}/api/v3/athlete/activities?per_page=200", strava.server.url());
        let reply = Probe::get(url).bearer(StravaSimulator::TOKEN).send();
        let good = |reply: &Reply| reply.status == 200 && reply.json().is_ok_and(|body| body.is_array());
        let delayed = matches!(fault, Fault::Delay(_));
        assert_eq!(reply.is_ok_and(|reply| good(&reply)), delayed, "{fault:?}");
        assert_eq!(strava.page("per_page=200"), whole, "after {fault:?}");
    }
    strava.server.set_faults(FaultPlan::none().at(1, Fault::ErrorInside));
    strava.refused("/athlete", 200, json!({ "message": "Internal Server Error", "errors": [] }));
}

#[test]
fn two_years_look_like_a_life() {
    let world = World::seeded(7, now(), WorldOptions::default());
    assert_eq!(world.truth(), World::seeded(7, now(), WorldOptions::default()).truth(), "the seed decides");
    assert_ne!(world.truth(), World::seeded(8, now(), WorldOptions::default()).truth());
    let truth = world.truth();
    assert!((250..600).contains(&truth.len()), "{} activities", truth.len());
    assert!(truth[0].start < "2024-08-25T00:00:00Z".parse().unwrap());
    let days: Vec<i64> = truth.iter().map(|a| a.start.as_seconds().div_euclid(86_400)).collect();
    let longest = days.windows(2).map(|pair| pair[1] - pair[0]).max().unwrap();
    assert!((6..30).contains(&longest), "a gap of {longest} days");
    let items: Vec<Value> = truth.iter().map(|a| a.json()).collect();
    for item in &items {
        let ride = item["type"] == "Ride" && item["commute"] == false;
        assert_eq!(ride || item["type"] == "VirtualRide", item.get("kilojoules").is_some());
        assert_eq!(item["has_heartrate"] == true, item.get("average_heartrate").is_some());
        let manual = item["manual"] == true;
        assert!(!manual || (item["start_latlng"] == json!([]) && item["upload_id"].is_null()));
        assert!(
            item["average_speed"].as_f64().unwrap() < 12.0 && item["moving_time"].as_i64().unwrap() > 900
        );
    }
    let zones: HashSet<_> = items
        .iter()
        .map(|item| (item["timezone"].as_str().unwrap(), item["utc_offset"].as_f64().unwrap() as i64))
        .collect();
    let expected = [
        ("(GMT+01:00) Europe/Rome", 3_600),
        ("(GMT+01:00) Europe/Rome", 7_200),
        ("(GMT-05:00) America/New_York", -14_400),
    ];
    assert_eq!(zones, expected.into_iter().collect());
    let mean = truth.iter().map(|a| a.body.len()).sum::<usize>() / truth.len();
    assert!((900..1_700).contains(&mean), "{mean} bytes an item");
}

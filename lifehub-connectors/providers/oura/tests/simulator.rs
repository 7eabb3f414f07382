//! The simulated Oura over real HTTP, against what is documented and measured of the real one.

#![cfg(test)]

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use lifehub_core::clock::{Clock, Day, ManualClock, Timestamp};
use lifehub_oura::simulator::{Collection, Limits, OuraSimulator, Portal};
use lifehub_testkit::oauth::Consent;
use lifehub_testkit::{Account, Change, Probe, Reply, Server, Setup};
use serde_json::{Value, json};

const SCOPES: [&str; 7] = ["email", "daily", "spo2", "workout", "session", "tag", "heartrate"];

struct Oura {
    simulator: OuraSimulator,
    clock: Arc<ManualClock>,
    server: Server,
    token: String,
}

fn now() -> Timestamp {
    "2026-06-10T12:07:30Z".parse().unwrap()
}

fn oura(setup: &Setup) -> Oura {
    let simulator = OuraSimulator::seeded(setup);
    let clock = Arc::new(ManualClock::at(now()));
    let server = Server::builder().clock(clock.clone()).start(simulator.clone()).unwrap();
    let access = simulator.access(&server.url());
    let token = access.credentials.get("access_token").unwrap().expose().to_owned();
    Oura { simulator, clock, server, token }
}

impl Oura {
    fn reply(&self, path: &str, token: &str) -> Reply {
        let url = format!("{}/v2/usercollection/{path}", self.server.url());
        Probe::get(url).bearer(token).send().unwrap()
    }

    fn get(&self, path: &str) -> Value {
        let reply = self.reply(path, &self.token);
        assert_eq!(reply.status, 200, "{path}: {}", String::from_utf8_lossy(&reply.body));
        reply.json().unwrap()
    }

    /// A list of documents from a day to a day, all pages.
    fn list(&self, collection: Collection, from: &str, to: &str) -> Vec<Value> {
        let mut path = match collection {
            Collection::HeartRate => {
                format!("heartrate?start_datetime={from}T00:00:00Z&end_datetime={to}T00:00:00Z")
            }
            _ => format!("{}?start_date={from}&end_date={to}", collection.path()),
        };
        let (base, mut all) = (path.clone(), Vec::new());
        loop {
            let page = self.get(&path);
            all.extend(page["data"].as_array().unwrap().clone());
            let Some(token) = page["next_token"].as_str() else { return all };
            path = format!("{base}&next_token={token}");
        }
    }

    fn refused(&self, path: &str, status: u16) -> Value {
        let reply = self.reply(path, &self.token);
        assert_eq!(reply.status, status, "{path}: {}", String::from_utf8_lossy(&reply.body));
        reply.json().unwrap()
    }

    fn token_call(&self, path: &str, form: &str) -> Reply {
        let (id, secret) = (OuraSimulator::CLIENT_ID, OuraSimulator::CLIENT_SECRET);
        let form = format!("client_id={id}&client_secret={secret}&{form}");
        Probe::post_form(format!("{}{path}", self.server.url()), &form).send().unwrap()
    }

    fn refresh(&self, token: &str) -> Reply {
        self.token_call("/oauth/token", &format!("grant_type=refresh_token&refresh_token={token}"))
    }

    /// The tokens of a user who is asked for these scopes.
    fn connect(&self, scopes: &str) -> Value {
        let back = "redirect_uri=http://localhost/back";
        let id = OuraSimulator::CLIENT_ID;
        let query = format!("client_id={id}&{back}&response_type=code&scope={scopes}&state=s1");
        let reply = Probe::get(format!("{}/oauth/authorize?{query}", self.server.url())).send().unwrap();
        let location = reply.header("location").unwrap();
        assert!(location.contains("state=s1"), "{location}");
        let code = location.split(['?', '&']).find_map(|pair| pair.strip_prefix("code=")).unwrap();
        let reply =
            self.token_call("/oauth/token", &format!("grant_type=authorization_code&code={code}&{back}"));
        assert_eq!(reply.status, 200, "{}", String::from_utf8_lossy(&reply.body));
        reply.json().unwrap()
    }
}

#[test]
fn ends_belong_to_a_list_or_not_as_measured() {
    let oura = oura(&Setup::new(7, now()).days(30));
    // Days on which every collection has something are rare: each is looked at on a day that it has.
    for (collection, included) in [
        (Collection::DailyActivity, false),
        (Collection::Sleep, false),
        (Collection::DailySleep, true),
        (Collection::DailyReadiness, true),
        (Collection::DailySpo2, true),
    ] {
        let day = "2026-06-05";
        let days: Vec<_> =
            oura.list(collection, "2026-06-01", day).iter().map(|d| d["day"].clone()).collect();
        assert_eq!(days.contains(&json!(day)), included, "{collection:?}: {days:?}");
        assert!(days.contains(&json!("2026-06-04")) && days.contains(&json!("2026-06-01")), "{days:?}");
        assert_eq!(oura.list(collection, day, day).is_empty(), !included, "{collection:?}: a single day");
    }
}

#[test]
fn workouts_are_found_under_their_day_in_utc() {
    let oura = oura(&Setup::new(7, now()).days(400).items(3).stream("workouts"));
    // Half past midnight in Rome.
    let start: Timestamp = "2026-06-03T22:30:00Z".parse().unwrap();
    assert!(oura.simulator.change(Change::AddLate(now().since(start))));
    assert!(oura.list(Collection::Workout, "2026-06-04", "2026-06-06").is_empty());
    let found = oura.list(Collection::Workout, "2026-06-03", "2026-06-04");
    assert_eq!(found[0]["day"], "2026-06-04");
    assert!(found[0]["start_datetime"].as_str().unwrap().starts_with("2026-06-04T00:30:00+02:00"));
}

#[test]
fn a_page_has_a_thousand_rows_and_its_token_belongs_to_its_list() {
    let oura = oura(&Setup::new(7, now()));
    let list = "heartrate?start_datetime=2026-05-20T00:00:00Z&end_datetime=2026-06-11T00:00:00Z";
    let first = oura.get(list);
    assert_eq!(first["data"].as_array().unwrap().len(), 1_000);
    let token = first["next_token"].as_str().unwrap();
    let second = oura.get(&format!("{list}&next_token={token}"));
    assert!(!second["data"].as_array().unwrap().is_empty());
    assert!(second.get("next_token").is_none(), "time series end without the member");
    assert_eq!(
        oura.get("session?start_date=2026-06-01&end_date=2026-06-11").get("next_token"),
        Some(&Value::Null)
    );
    let other = list.replace("2026-06-11", "2026-06-10");
    oura.refused(&format!("{other}&next_token={token}"), 400);
    oura.refused(&format!("{list}&next_token=made-up"), 400);
    assert!(oura.simulator.change(Change::ExpireCursors));
    oura.refused(&format!("{list}&next_token={token}"), 400);
}

#[test]
fn short_pages_lose_nothing() {
    let oura = oura(&Setup::new(7, now()).days(40).items(95).page(10).ties(30));
    for collection in Collection::ALL {
        let rows = oura.list(collection, "2026-04-01", "2026-06-13");
        // One a day, or as many as asked for.
        let count = if collection.is_daily() { 40 } else { 95 };
        assert_eq!(rows.len(), count, "{collection:?}");
        let facts = oura.simulator.truth().into_iter().filter(|fact| fact.stream == collection.stream());
        let ids: BTreeSet<_> = facts.filter_map(|fact| fact.id).collect();
        assert_eq!(ids.len(), count, "{collection:?}: each entry has an id of its own");
        if collection != Collection::HeartRate {
            assert!(rows.iter().all(|row| ids.contains(row["id"].as_str().unwrap())));
        }
    }
}

#[test]
fn bad_parameters_are_refused_as_documented() {
    let oura = oura(&Setup::new(7, now()).days(5));
    let fault = |name: &str| json!({ "detail": [{ "loc": ["query", name], "msg": "invalid date format", "type": "value_error.date" }] });
    assert_eq!(oura.refused("sleep?start_date=yesterday&end_date=2026-06-10", 422), fault("start_date"));
    assert_eq!(oura.refused("sleep?start_date=2026-06-09", 422), fault("end_date"));
    assert_eq!(oura.refused("heartrate?start_date=2026-06-09", 422), fault("start_datetime"));
    oura.refused("daily_nothing?start_date=2026-06-09&end_date=2026-06-10", 404);
    assert_eq!(oura.reply("sleep?start_date=2026-06-09&end_date=2026-06-10", "foreign").status, 401);
}

#[test]
fn scopes_that_do_not_exist_are_dropped_and_the_others_come_back_prefixed() {
    let oura = oura(&Setup::new(7, now()).days(5));
    let tokens = oura.connect("daily%20spo2Daily%20activity%20tag");
    assert_eq!(tokens["scope"], "extapi:daily extapi:tag");
    assert_eq!((&tokens["expires_in"], &tokens["token_type"]), (&json!(86_400), &json!("bearer")));
    let token = tokens["access_token"].as_str().unwrap();
    let days = "?start_date=2026-06-08&end_date=2026-06-10";
    assert_eq!(oura.reply(&format!("daily_sleep{days}"), token).status, 200);
    let reply = oura.reply(&format!("daily_spo2{days}"), token);
    assert_eq!(reply.status, 401, "not 403, as one page of the documentation has it");
    assert!(reply.json().unwrap()["detail"].as_str().unwrap().contains("scope extapi:spo2"));
    oura.simulator.set_names_scopes(false);
    assert_eq!(
        oura.reply(&format!("daily_spo2{days}"), token).json().unwrap(),
        oura.reply(&format!("daily_spo2{days}"), "foreign").json().unwrap(),
    );
    // The id needs no scope; the other members do, and are no `data`.
    let info = oura.reply("personal_info", token).json().unwrap();
    assert!(info["id"].is_string() && info["email"].is_null() && info["age"].is_null(), "{info}");
    assert_eq!(oura.get("personal_info")["email"], "sample.user@example.com");
}

#[test]
fn a_user_may_untick_scopes() {
    let oura = oura(&Setup::new(7, now()).days(5));
    oura.simulator.oauth().set(|rules| rules.consent = Consent::Only(vec!["daily".to_owned()]));
    assert_eq!(oura.connect(&SCOPES.join("%20"))["scope"], "extapi:daily");
}

#[test]
fn a_refresh_token_is_good_once_and_a_second_use_ends_the_consent() {
    let oura = oura(&Setup::new(7, now()).days(5));
    let first = oura.connect("daily");
    let text = |tokens: &Value, name: &str| tokens[name].as_str().unwrap().to_owned();
    let second = oura.refresh(&text(&first, "refresh_token")).json().unwrap();
    assert_ne!(text(&first, "refresh_token"), text(&second, "refresh_token"));
    assert_eq!(second["scope"], "extapi:daily");
    let days = "daily_sleep?start_date=2026-06-08&end_date=2026-06-10";
    assert_eq!(oura.reply(days, &text(&second, "access_token")).status, 200);
    let again = oura.refresh(&text(&first, "refresh_token"));
    assert_eq!((again.status, &again.json().unwrap()["error"]), (400, &json!("invalid_grant")));
    assert_eq!(oura.reply(days, &text(&second, "access_token")).status, 401);
    assert_eq!(oura.refresh(&text(&second, "refresh_token")).status, 400);
    assert_eq!(oura.simulator.oauth().tally().reuses, 1);
}

#[test]
fn an_access_token_lasts_a_day() {
    let oura = oura(&Setup::new(7, now()).days(5));
    let tokens = oura.connect("daily");
    let token = tokens["access_token"].as_str().unwrap();
    let days = "daily_sleep?start_date=2026-06-08&end_date=2026-06-10";
    oura.clock.advance(Duration::from_secs(86_399));
    assert_eq!(oura.reply(days, token).status, 200);
    oura.clock.advance(Duration::from_secs(1));
    assert_eq!(oura.reply(days, token).status, 401);
    assert_eq!(oura.reply(days, &oura.token).status, 200, "that of suites lasts");
    let gone = format!("{}/oauth/revoke?access_token={token}", oura.server.url());
    assert_eq!(Probe::post_form(&gone, "").send().unwrap().status, 200);
    assert_eq!(oura.refresh(tokens["refresh_token"].as_str().unwrap()).status, 400);
}

#[test]
fn each_portal_has_a_token_endpoint_of_its_own() {
    let oura = oura(&Setup::new(7, now()).days(5));
    let tokens = oura.connect("daily");
    let form =
        format!("grant_type=refresh_token&refresh_token={}", tokens["refresh_token"].as_str().unwrap());
    let wrong = oura.token_call(OuraSimulator::NEW_TOKEN_PATH, &form);
    assert_eq!((wrong.status, wrong.json().unwrap()), (401, json!({ "error": "invalid_client" })));
    oura.simulator.set_portal(Portal::New);
    let wrong = oura.token_call("/oauth/token", &form);
    assert_eq!((wrong.status, wrong.json().unwrap()), (400, json!({ "error": "invalid_request" })));
    assert_eq!(oura.token_call(OuraSimulator::NEW_TOKEN_PATH, &form).status, 200, "nothing was spent");
    let url = format!("{}/oauth/token", oura.server.url());
    oura.simulator.set_portal(Portal::Old);
    let foreign = Probe::post_form(url, &format!("client_id=x&client_secret=y&{form}")).send().unwrap();
    assert_eq!((foreign.status, &foreign.json().unwrap()["error"]), (400, &json!("invalid_client")));
}

#[test]
fn a_limit_is_told_only_when_it_is_hit() {
    let oura = oura(&Setup::new(7, now()).days(5));
    oura.simulator.set_limits(Some(Limits::new(3, Duration::from_secs(300))));
    let days = "tag?start_date=2026-06-08&end_date=2026-06-10".replace("tag", "enhanced_tag");
    for _ in 0..3 {
        let reply = oura.reply(&days, &oura.token);
        assert_eq!((reply.status, reply.header("x-ratelimit-limit")), (200, None));
        oura.clock.advance(Duration::from_secs(10));
    }
    let refused = oura.reply(&days, &oura.token);
    let number = |name: &str| refused.header(name).and_then(|text| text.parse::<i64>().ok()).unwrap();
    assert_eq!((refused.status, number("x-ratelimit-limit"), number("x-ratelimit-window")), (429, 3, 300));
    assert_eq!(number("retry-after"), 271);
    assert_eq!(number("x-ratelimit-reset"), oura.clock.now().as_seconds() + 271);
    assert!(refused.header("x-ratelimit-tier").is_some());
    oura.clock.advance(Duration::from_secs(271));
    assert_eq!(oura.reply(&days, &oura.token).status, 200, "the first of them is forgotten");
}

#[test]
fn without_a_membership_there_is_no_data() {
    let oura = oura(&Setup::new(7, now()).days(5));
    oura.simulator.set_member(false);
    oura.refused("sleep?start_date=2026-06-08&end_date=2026-06-10", 403);
    oura.get("personal_info");
}

#[test]
fn documents_have_the_members_that_the_api_description_requires() {
    let oura = oura(&Setup::new(7, now()));
    for (collection, required) in [
        (Collection::Sleep, "bedtime_end bedtime_start day id low_battery_alert period time_in_bed type"),
        (Collection::DailySleep, "contributors day id score timestamp"),
        (Collection::DailyReadiness, "contributors day id score temperature_deviation timestamp"),
        (
            Collection::DailyActivity,
            "active_calories average_met_minutes contributors day equivalent_walking_distance \
             high_activity_met_minutes high_activity_time id inactivity_alerts low_activity_met_minutes \
             low_activity_time medium_activity_met_minutes medium_activity_time met meters_to_target non_wear_time \
             resting_time sedentary_met_minutes sedentary_time steps target_calories target_meters timestamp \
             total_calories",
        ),
        (Collection::DailySpo2, "breathing_disturbance_index day id spo2_percentage"),
        (Collection::Workout, "activity day end_datetime id intensity source start_datetime"),
        (Collection::Session, "day end_datetime id start_datetime type"),
        (Collection::EnhancedTag, "id start_day start_time tag_type_code"),
        (Collection::HeartRate, "bpm source timestamp timestamp_unix"),
    ] {
        let rows = oura.list(collection, "2026-05-01", "2026-06-12");
        assert!(rows.len() > 5, "{collection:?}");
        for row in &rows {
            let missing: Vec<_> = required.split(' ').filter(|name| row.get(name).is_none()).collect();
            assert!(missing.is_empty(), "{collection:?}: {missing:?} in {row}");
        }
    }
}

#[test]
fn two_years_look_like_a_life() {
    let oura = oura(&Setup::new(7, now()));
    assert_eq!(
        oura.simulator.truth(),
        OuraSimulator::seeded(&Setup::new(7, now())).truth(),
        "the seed decides"
    );
    assert_ne!(oura.simulator.truth(), OuraSimulator::seeded(&Setup::new(8, now())).truth());
    let all = |collection| oura.list(collection, "2024-01-01", "2026-06-13");
    for collection in Collection::ALL {
        let rows = all(collection).len();
        assert!((100..1_500).contains(&rows), "{collection:?}: {rows}");
    }
    let number = |row: &Value| row["day"].as_str().unwrap().parse::<Day>().unwrap().as_number();
    let activity = all(Collection::DailyActivity);
    let days: Vec<i32> = activity.iter().map(number).collect();
    assert!(days.windows(2).all(|pair| pair[0] < pair[1]), "one a day, ascending");
    let longest = days.windows(2).map(|pair| pair[1] - pair[0]).max().unwrap();
    assert!((3..20).contains(&longest), "a gap of {longest} days");
    // 1970-01-01 was a Thursday.
    let mean = |rows: &[Value], member: &str, weekend: bool| {
        let chosen = rows.iter().filter(|row| ((number(row) + 3).rem_euclid(7) >= 5) == weekend);
        let values: Vec<f64> = chosen.filter_map(|row| row[member].as_f64()).collect();
        values.iter().sum::<f64>() / values.len() as f64
    };
    assert!(mean(&activity, "steps", true) > mean(&activity, "steps", false) + 1_000.0);
    let sleep = all(Collection::Sleep);
    let nights: Vec<Value> = sleep.iter().filter(|period| period["type"] == "long_sleep").cloned().collect();
    let asleep = |weekend| mean(&nights, "total_sleep_duration", weekend);
    assert!(
        asleep(true) > asleep(false) + 1_200.0
            && asleep(false) > 5.5 * 3_600.0
            && asleep(true) < 9.0 * 3_600.0
    );
    let kinds: BTreeSet<&str> =
        sleep.iter().map(|period| period["type"].as_str().unwrap_or("none")).collect();
    assert_eq!(kinds, ["deleted", "late_nap", "long_sleep", "none", "rest", "sleep"].into());
    for period in &sleep {
        let seconds = |member: &str| period[member].as_i64().unwrap();
        let parts = ["deep_sleep_duration", "light_sleep_duration", "rem_sleep_duration"].map(seconds);
        assert_eq!(parts.iter().sum::<i64>(), seconds("total_sleep_duration"));
        assert_eq!(seconds("time_in_bed"), seconds("total_sleep_duration") + seconds("awake_time"));
    }
    assert!(all(Collection::DailySpo2).iter().any(|day| day["spo2_percentage"].is_null()));
    let first: Timestamp = all(Collection::HeartRate)[0]["timestamp"].as_str().unwrap().parse().unwrap();
    assert!(now().since(first) < Duration::from_secs(11 * 86_400));
}

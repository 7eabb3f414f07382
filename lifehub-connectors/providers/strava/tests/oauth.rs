//! The simulated Strava's consent page and token endpoint over real HTTP.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking, its helpers too")]

use std::sync::Arc;
use std::time::Duration;

use lifehub_core::clock::{Clock as _, ManualClock};
use lifehub_strava::simulator::{StravaSimulator, Usage, World, WorldOptions};
use lifehub_testkit::oauth::Consent;
use lifehub_testkit::{Probe, Reply, Server};
use serde_json::{Value, json};

const HOUR: u64 = 3_600;
const ALL: &str = "read,activity:read_all,profile:read_all";

struct Strava {
    world: World,
    simulator: StravaSimulator,
    clock: Arc<ManualClock>,
    server: Server,
}

fn strava() -> Strava {
    let world = World::seeded(7, "2026-08-10T12:07:00Z".parse().unwrap(), WorldOptions::default());
    let simulator = StravaSimulator::new(world.clone());
    let clock = Arc::new(ManualClock::at(world.now()));
    let server = Server::builder().clock(clock.clone()).start(simulator.clone()).unwrap();
    Strava { world, simulator, clock, server }
}

impl Strava {
    fn at(&self, path: &str) -> String {
        format!("{}{path}", self.server.url())
    }

    fn visit(&self, scope: &str, change: (&str, &str)) -> Reply {
        let path = format!(
            "/oauth/authorize?client_id=310001&redirect_uri=http://localhost/back&response_type=code\
             &scope={scope}&state=s1&approval_prompt=auto"
        );
        Probe::get(self.at(&path.replace(change.0, change.1))).send().unwrap()
    }

    /// Where the athlete is sent back to.
    fn back(&self, scope: &str) -> String {
        let reply = self.visit(scope, ("", ""));
        assert_eq!(reply.status, 302);
        reply.header("location").unwrap().to_owned()
    }

    fn token(&self, path: &str, form: &str) -> Reply {
        let form = format!("client_id=310001&client_secret={}&{form}", StravaSimulator::CLIENT_SECRET);
        Probe::post_form(self.at(path), &form).send().unwrap()
    }

    fn exchange(&self, code: &str) -> Reply {
        self.token("/oauth/token", &format!("grant_type=authorization_code&code={code}"))
    }

    fn refresh(&self, token: &str) -> Reply {
        self.token("/api/v3/oauth/token", &format!("grant_type=refresh_token&refresh_token={token}"))
    }

    /// Access and refresh token of an athlete who agrees to these scopes.
    fn connect(&self, scope: &str) -> (String, String) {
        tokens(&self.exchange(parameter(&self.back(scope), "code")))
    }

    fn get(&self, path: &str, token: &str) -> Reply {
        Probe::get(self.at(&format!("/api/v3{path}"))).bearer(token).send().unwrap()
    }

    /// How many activities a token sees.
    fn seen(&self, token: &str) -> usize {
        let page = |n: u32| self.get(&format!("/athlete/activities?per_page=200&page={n}"), token);
        let sizes = (1..).map(|n| page(n).json().unwrap().as_array().unwrap().len());
        sizes.take_while(|size| *size > 0).sum()
    }

    fn wait(&self, seconds: u64) {
        self.clock.advance(Duration::from_secs(seconds));
    }
}

fn parameter<'a>(address: &'a str, name: &str) -> &'a str {
    let query = address.split_once('?').unwrap().1;
    query.split('&').find_map(|pair| pair.strip_prefix(name)?.strip_prefix('=')).unwrap()
}

#[track_caller]
fn tokens(reply: &Reply) -> (String, String) {
    assert_eq!(reply.status, 200, "{}", String::from_utf8_lossy(&reply.body));
    let body = reply.json().unwrap();
    let text = |member: &str| body[member].as_str().unwrap().to_owned();
    (text("access_token"), text("refresh_token"))
}

#[track_caller]
fn refused(reply: &Reply, resource: &str, field: &str, code: &str) {
    let errors = json!([{ "resource": resource, "field": field, "code": code }]);
    let body = json!({ "message": "Bad Request", "errors": errors });
    assert_eq!((reply.status, reply.json().unwrap()), (400, body));
}

#[track_caller]
fn unauthorized(reply: &Reply) {
    let errors = json!([{ "resource": "Application", "field": "", "code": "invalid" }]);
    let body = json!({ "message": "Authorization Error", "errors": errors });
    assert_eq!((reply.status, reply.json().unwrap()), (401, body));
}

#[test]
fn an_athlete_connects_an_app() {
    let strava = strava();
    let back = strava.back(ALL);
    assert!(back.starts_with("http://localhost/back?code=strava-sim-code-"), "{back}");
    assert_eq!(parameter(&back, "scope"), "read%2Cactivity%3Aread_all%2Cprofile%3Aread_all");
    assert_eq!(parameter(&back, "state"), "s1");
    let reply = strava.exchange(parameter(&back, "code"));
    let (access, refresh) = tokens(&reply);
    let mut body = reply.json().unwrap();
    let athlete = body.as_object_mut().unwrap().remove("athlete").unwrap();
    assert_eq!((&athlete["id"], &athlete["resource_state"]), (&json!(900_001_234), &json!(2)));
    let expires = strava.clock.now().as_seconds() + 21_600;
    let expected: Value = json!({ "token_type": "Bearer", "access_token": access, "refresh_token": refresh,
        "expires_at": expires, "expires_in": 21_600 });
    assert_eq!(body, expected);
    assert_eq!(strava.get("/athlete", &access).json().unwrap()["id"], 900_001_234);
    assert_eq!(strava.seen(&access), strava.world.truth().len());
    strava.wait(6 * HOUR);
    unauthorized(&strava.get("/athlete", &access));
}

#[test]
fn token_calls_count_for_no_limit() {
    let strava = strava();
    let reply = strava.exchange(parameter(&strava.back("read"), "code"));
    assert_eq!(reply.header("x-ratelimit-usage"), None);
    assert_eq!(strava.simulator.usage(), Usage::default());
    assert_eq!(strava.get("/athlete", &tokens(&reply).0).header("x-readratelimit-usage"), Some("1,1"));
}

#[test]
fn a_refresh_keeps_tokens_that_have_an_hour_left_and_replaces_the_others() {
    let strava = strava();
    let (access, refresh) = strava.connect(ALL);
    strava.wait(5 * HOUR - 1);
    let kept = strava.refresh(&refresh);
    assert_eq!(tokens(&kept), (access.clone(), refresh.clone()));
    assert_eq!(kept.json().unwrap()["expires_in"], HOUR + 1);
    strava.wait(1);
    let renewed = strava.refresh(&refresh);
    let (next, newest) = tokens(&renewed);
    assert!(next != access && newest != refresh);
    assert_eq!(renewed.json().unwrap().get("athlete"), None);
    // The old refresh token dies at once, and nothing else does.
    refused(&strava.refresh(&refresh), "RefreshToken", "refresh_token", "invalid");
    assert_eq!(strava.get("/athlete", &access).status, 200);
    assert_eq!(tokens(&strava.refresh(&newest)), (next, newest));
    let tally = strava.simulator.oauth().tally();
    assert_eq!((tally.refreshes, tally.reuses, tally.families_revoked), (3, 1, 0));
}

#[test]
fn refusals_are_in_stravas_envelope() {
    let strava = strava();
    let code = parameter(&strava.back("read"), "code").to_owned();
    refused(&strava.exchange("unknown"), "AuthorizationCode", "code", "invalid");
    refused(&strava.refresh("unknown"), "RefreshToken", "refresh_token", "invalid");
    let form = format!("grant_type=authorization_code&code={code}&client_id=310001&client_secret=guess");
    let wrong = Probe::post_form(strava.at("/oauth/token"), &form).send().unwrap();
    refused(&wrong, "Application", "client_id", "invalid");
    strava.wait(HOUR);
    refused(&strava.exchange(&code), "AuthorizationCode", "", "expired");
    refused(&strava.visit("read", ("310001", "1")), "Application", "client_id", "invalid");
    refused(&strava.visit("view_private", ("", "")), "Authorize", "scope", "invalid");
    let elsewhere = strava.visit("read", ("localhost", "evil.example.com"));
    refused(&elsewhere, "Application", "redirect_uri", "invalid");
    assert_eq!(strava.visit("read", ("localhost", "lifehub.example.org")).status, 302);
    strava.simulator.oauth().set(|rules| rules.consent = Consent::Deny);
    assert_eq!(strava.back("read"), "http://localhost/back?error=access_denied&state=s1");
}

#[test]
fn scopes_decide_about_activities() {
    let strava = strava();
    let all = strava.world.truth();
    let private = all.iter().filter(|activity| activity.json()["private"] == true).count();
    assert!(private > 0);
    let (wide, _) = strava.connect("read,activity:read_all");
    let (narrow, _) = strava.connect("read,activity:read");
    let (none, _) = strava.connect("read");
    strava.simulator.set_limits(None);
    assert_eq!((strava.seen(&wide), strava.seen(&narrow)), (all.len(), all.len() - private));
    let reply = strava.get("/athlete/activities", &none);
    let errors =
        json!([{ "resource": "AccessToken", "field": "activity:read_permission", "code": "missing" }]);
    assert_eq!(
        (reply.status, reply.json().unwrap()),
        (401, json!({ "message": "Authorization Error", "errors": errors }))
    );
    assert_eq!(strava.get("/athlete", &none).status, 200);
    // An athlete who unticks a box is not asked again: the app has to look at what comes back.
    let ticked = vec!["read".to_owned(), "activity:read".to_owned()];
    strava.simulator.oauth().set(|rules| rules.consent = Consent::Only(ticked));
    let asked = "read,activity:read,activity:read_all";
    assert_eq!(parameter(&strava.back(asked), "scope"), "read%2Cactivity%3Aread");
    let newest = all.iter().rfind(|activity| activity.json()["private"] == false).unwrap().id;
    strava.world.make_private(newest);
    assert_eq!((strava.seen(&wide), strava.seen(&narrow)), (all.len(), all.len() - private - 1));
    assert_eq!(strava.seen(StravaSimulator::TOKEN), all.len());
}

#[test]
fn deauthorizing_ends_everything_of_one_consent() {
    let strava = strava();
    let (access, refresh) = strava.connect(ALL);
    let (other, _) = strava.connect(ALL);
    let end =
        |token: &str| Probe::post_form(strava.at("/oauth/deauthorize"), "").bearer(token).send().unwrap();
    assert_eq!(end(&access).json().unwrap(), json!({ "access_token": access }));
    unauthorized(&strava.get("/athlete", &access));
    refused(&strava.refresh(&refresh), "RefreshToken", "refresh_token", "invalid");
    unauthorized(&end(&access));
    let form = format!("access_token={}", StravaSimulator::TOKEN);
    let ended = Probe::post_form(strava.at("/oauth/deauthorize"), &form).send().unwrap();
    assert_eq!(ended.status, 200);
    unauthorized(&strava.get("/athlete", StravaSimulator::TOKEN));
    unauthorized(&strava.get("/athlete", ""));
    assert_eq!(strava.get("/athlete", &other).status, 200);
}

#[test]
fn revoking_shows_the_app_in_the_header() {
    let strava = strava();
    let (access, refresh) = strava.connect(ALL);
    let form = format!("token={refresh}&token_type_hint=refresh_token");
    let revoke = Probe::post_form(strava.at("/oauth/revoke"), &form);
    refused(&revoke.send().unwrap(), "Application", "client_id", "invalid");
    // 310001:strava-sim-client-secret
    let app = "Basic MzEwMDAxOnN0cmF2YS1zaW0tY2xpZW50LXNlY3JldA==";
    let refresh = format!("grant_type=refresh_token&refresh_token={refresh}");
    let refresh = Probe::post_form(strava.at("/oauth/token"), &refresh).header("authorization", app);
    refused(&refresh.send().unwrap(), "Application", "client_id", "invalid");
    for _ in 0..2 {
        assert_eq!(revoke.clone().header("authorization", app).send().unwrap().status, 200);
    }
    unauthorized(&strava.get("/athlete", &access));
}

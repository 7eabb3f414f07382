//! An app, a simulated provider with an authorization server, and a clock that a test moves.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use lifehub_core::clock::ManualClock;
use lifehub_testkit::oauth::{AuthorizationServer, OAuthRules, code_challenge};
use lifehub_testkit::{Probe, Reply, Server, SimRequest, SimResponse, Simulator};
use serde_json::{Value, json};
use url::Url;
use url::form_urlencoded::Serializer;

pub(crate) const BACK: &str = "http://127.0.0.1:8080/back?from=sim";
pub(crate) const VERIFIER: &str = "made-up-verifier-of-more-than-43-characters.~_";

struct Diary(AuthorizationServer);

impl Simulator for Diary {
    fn handle(&self, request: &SimRequest) -> SimResponse {
        match request.segments().as_slice() {
            ["authorize"] => self.0.authorize(request),
            ["token"] => self.0.token(request),
            ["revoke"] => self.0.revoke(request),
            ["me"] => match self.0.check(request.bearer(), request.at) {
                Ok(grant) => {
                    let body = json!({ "scopes": grant.scopes, "read": grant.allows("read") });
                    SimResponse::json(200, &body)
                }
                Err(refused) => refused.standard(),
            },
            _ => self.refusal(404),
        }
    }
}

pub(crate) struct App {
    pub(crate) oauth: AuthorizationServer,
    clock: Arc<ManualClock>,
    server: Server,
}

pub(crate) fn app(rules: impl FnOnce(&mut OAuthRules)) -> App {
    serve(AuthorizationServer::new("diary-sim", 7), rules)
}

pub(crate) fn serve(oauth: AuthorizationServer, rules: impl FnOnce(&mut OAuthRules)) -> App {
    oauth.set(rules);
    let clock = Arc::new(ManualClock::at("2026-08-10T12:00:00Z".parse().unwrap()));
    let server = Server::builder().clock(clock.clone()).start(Diary(oauth.clone())).unwrap();
    App { oauth, clock, server }
}

/// Parameters with some replaced, added, or (if empty) left out.
fn with(base: &[(&str, &str)], change: &[(&str, &str)]) -> String {
    let mut all: BTreeMap<&str, &str> = base.iter().copied().collect();
    all.extend(change.iter().copied());
    let left = all.into_iter().filter(|(_, value)| !value.is_empty());
    Serializer::new(String::new()).extend_pairs(left).finish()
}

impl App {
    pub(crate) fn at(&self, path: &str) -> String {
        format!("{}{path}", self.server.url())
    }

    pub(crate) fn wait(&self, seconds: u64) {
        self.clock.advance(Duration::from_secs(seconds));
    }

    /// Visits the consent page as a browser that does not follow.
    pub(crate) fn visit(&self, change: &[(&str, &str)]) -> Reply {
        let challenge = code_challenge(VERIFIER);
        let base = [
            ("client_id", "sample-client"),
            ("redirect_uri", BACK),
            ("response_type", "code"),
            ("scope", "read write"),
            ("state", "a+b &c"),
            ("code_challenge", challenge.as_str()),
            ("code_challenge_method", "S256"),
        ];
        Probe::get(self.at(&format!("/authorize?{}", with(&base, change)))).send().unwrap()
    }

    /// The code of a user who agrees.
    pub(crate) fn code(&self) -> String {
        sent_back(&self.visit(&[]))["code"].clone()
    }

    pub(crate) fn token(&self, change: &[(&str, &str)]) -> Reply {
        let base = [("client_id", "sample-client"), ("client_secret", "sample-client-secret")];
        Probe::post_form(self.at("/token"), &with(&base, change)).send().unwrap()
    }

    pub(crate) fn exchange(&self, code: &str, change: &[(&str, &str)]) -> Reply {
        let base = [
            ("grant_type", "authorization_code"),
            ("code", code),
            ("redirect_uri", BACK),
            ("code_verifier", VERIFIER),
        ];
        self.token(&[&base, change].concat())
    }

    pub(crate) fn refresh(&self, token: &str) -> Reply {
        self.token(&[("grant_type", "refresh_token"), ("refresh_token", token)])
    }

    /// Goes the whole way. Gives access and refresh token.
    pub(crate) fn connect(&self) -> (String, String) {
        tokens(&self.exchange(&self.code(), &[]))
    }

    pub(crate) fn revoke(&self, token: &str) -> Reply {
        let form =
            [("token", token), ("client_id", "sample-client"), ("client_secret", "sample-client-secret")];
        Probe::post_form(self.at("/revoke"), &with(&form, &[])).send().unwrap()
    }

    /// The status that an access token gets for data.
    pub(crate) fn me(&self, token: &str) -> u16 {
        Probe::get(self.at("/me")).bearer(token).send().unwrap().status
    }
}

/// The parameters with which a user is sent back.
#[track_caller]
pub(crate) fn sent_back(reply: &Reply) -> BTreeMap<String, String> {
    assert_eq!(reply.status, 302, "{}", String::from_utf8_lossy(&reply.body));
    let url = Url::parse(reply.header("location").unwrap()).unwrap();
    assert!(url.as_str().starts_with("http://127.0.0.1:8080/back?from=sim&"), "{url}");
    url.query_pairs().into_owned().skip(1).collect()
}

#[track_caller]
pub(crate) fn tokens(reply: &Reply) -> (String, String) {
    assert_eq!(reply.status, 200, "{}", String::from_utf8_lossy(&reply.body));
    let body = reply.json().unwrap();
    let text = |member: &str| body[member].as_str().unwrap_or_default().to_owned();
    (text("access_token"), text("refresh_token"))
}

#[track_caller]
pub(crate) fn refused(reply: &Reply, status: u16, error: &str) -> Value {
    let body = reply.json().unwrap();
    assert_eq!((reply.status, body["error"].as_str()), (status, Some(error)), "{body}");
    assert_eq!(reply.header("location"), None);
    body
}

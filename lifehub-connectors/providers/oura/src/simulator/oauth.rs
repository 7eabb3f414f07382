//! How an app comes to tokens: Oura's consent page and its two token endpoints.
//!
//! From <https://cloud.ouraring.com/docs/authentication> and what clients have measured: no proof keys, app and secret in
//! the form, a day for an access token, and a refresh token that is good once. Scopes that do not exist are dropped
//! without a word, and those that are granted come back under a longer name.

use std::time::Duration;

use lifehub_testkit::oauth::{
    AuthorizationServer, ClientAuth, Dialect, Issued, OAuthRules, Pkce, Refresh, Refused,
};
use lifehub_testkit::{SimRequest, SimResponse};
use serde_json::{Value, json};

use super::OuraSimulator;

/// What may be asked for, by the answers of the live API; Oura's description lists fewer.
pub(super) const SCOPES: [&str; 11] = [
    "email",
    "personal",
    "daily",
    "heartrate",
    "workout",
    "tag",
    "session",
    "spo2",
    "heart_health",
    "stress",
    "ring_configuration",
];

/// What stands before a granted scope.
const PREFIX: &str = "extapi:";

/// The scope without what Oura puts before it.
pub(super) fn bare(scope: &str) -> &str {
    scope.strip_prefix(PREFIX).unwrap_or(scope)
}

/// Where an app was registered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Portal {
    /// `cloud.ouraring.com`: tokens come from `/oauth/token`.
    Old,
    /// `developer.ouraring.com`: they are renewed at [`OuraSimulator::NEW_TOKEN_PATH`], and nowhere else.
    New,
}

impl OuraSimulator {
    /// The id of the app that is registered.
    pub const CLIENT_ID: &'static str = "oura-sim-client";

    /// Its secret.
    pub const CLIENT_SECRET: &'static str = "oura-sim-client-secret";

    /// The token endpoint of the newer portal, which is at `moi.ouraring.com` in truth.
    pub const NEW_TOKEN_PATH: &'static str = "/oauth/v2/ext/oauth-token";

    /// Answers what belongs to the consent. These calls count for no limit.
    pub(super) fn consents(&self, request: &SimRequest) -> SimResponse {
        let portal = self.state().portal;
        let renews =
            request.form().iter().any(|(name, value)| name == "grant_type" && value == "refresh_token");
        match (request.method.as_str(), request.segments().as_slice()) {
            ("GET", ["oauth", "authorize"]) => self.oauth.authorize(&known_scopes(request)),
            (_, ["oauth", "token"]) if portal == Portal::New && renews => {
                SimResponse::json(400, &json!({ "error": "invalid_request" }))
            }
            (_, ["oauth", "v2", "ext", "oauth-token"]) if portal == Portal::Old => {
                SimResponse::json(401, &json!({ "error": "invalid_client" }))
            }
            (_, ["oauth", "token"] | ["oauth", "v2", "ext", "oauth-token"]) => self.oauth.token(request),
            ("POST", ["oauth", "revoke"]) => {
                let known = request.query("access_token").is_some_and(|token| self.oauth.withdraw(token));
                SimResponse::empty(if known { 200 } else { 400 })
            }
            _ => SimResponse::empty(404),
        }
    }
}

/// The same visit without the scopes that do not exist.
fn known_scopes(request: &SimRequest) -> SimRequest {
    let mut request = request.clone();
    for (_, scopes) in request.query.iter_mut().filter(|(name, _)| name == "scope") {
        let known = scopes.split(' ').filter(|scope| SCOPES.contains(scope));
        *scopes = known.collect::<Vec<_>>().join(" ");
    }
    request
}

/// Oura's authorization server.
pub(super) fn server(seed: u64) -> AuthorizationServer {
    let server = AuthorizationServer::speaking("oura-sim", seed, Prefixed);
    server.set(rules);
    server.admit(&token(seed), &SCOPES);
    server
}

/// The access token that is good from the start.
pub(super) fn token(seed: u64) -> String {
    format!("oura-sim-{seed:016x}-access")
}

fn rules(rules: &mut OAuthRules) {
    rules.client_id = OuraSimulator::CLIENT_ID.to_owned();
    rules.client_secret = Some(OuraSimulator::CLIENT_SECRET.to_owned());
    rules.client_auth = ClientAuth::Form;
    rules.pkce = Pkce::Ignored;
    rules.code_lifetime = Duration::from_secs(600);
    rules.access_lifetime = Some(Duration::from_secs(86_400));
    rules.refresh = Refresh::Rotate;
    rules.leeway = Duration::ZERO;
    // A refresh token that comes twice may have been stolen: the hardest that Oura may do.
    rules.reuse_revokes = true;
}

/// Oura's words.
#[derive(Debug)]
struct Prefixed;

impl Dialect for Prefixed {
    fn tokens(&self, issued: &Issued) -> Value {
        let granted = issued.scope.split(' ').filter(|scope| !scope.is_empty());
        let granted: Vec<String> = granted.map(|scope| format!("{PREFIX}{scope}")).collect();
        json!({
            "token_type": "bearer",
            "access_token": issued.access_token,
            "expires_in": issued.expires_in_s,
            "refresh_token": issued.refresh_token,
            "scope": granted.join(" "),
        })
    }

    fn refusal(&self, refused: Refused) -> SimResponse {
        let body = json!({
            "status": 400, "title": "Bad Request", "error": refused.code(), "error_description": refused.to_string(),
        });
        SimResponse::json(400, &body)
    }
}

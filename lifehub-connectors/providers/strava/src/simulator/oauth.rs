//! How an app comes to tokens: Strava's consent page, its token endpoint and its two ways to end it.
//!
//! From <https://developers.strava.com/docs/authentication>: no proof keys, scopes with commas, app and secret in the
//! form, access tokens for six hours, and a refresh token that dies at once when a new one comes. Refusals are in
//! Strava's envelope, never in RFC 6749's.

use std::time::Duration;

use lifehub_testkit::oauth::{
    AuthorizationServer, ClientAuth, Dialect, Issued, OAuthRules, Pkce, Redirects, Refused,
};
use lifehub_testkit::{SimRequest, SimResponse};
use serde_json::{Value, json};

use super::StravaSimulator;
use super::athlete;
use super::fault::Refusal;

const SCOPES: [&str; 7] = [
    "read",
    "read_all",
    "profile:read_all",
    "profile:write",
    "activity:read",
    "activity:read_all",
    "activity:write",
];

impl StravaSimulator {
    /// The id of the app that is registered.
    pub const CLIENT_ID: &'static str = "310001";

    /// Its secret.
    pub const CLIENT_SECRET: &'static str = "strava-sim-client-secret";

    /// The host that it may send athletes back to, besides `localhost` and `127.0.0.1`.
    pub const CALLBACK_DOMAIN: &'static str = "lifehub.example.org";

    /// Answers what belongs to the consent. These calls count for no limit.
    pub(super) fn consents(&self, request: &SimRequest) -> Option<SimResponse> {
        let answer = match request.segments().as_slice() {
            ["oauth", "authorize"] | ["oauth", "mobile", "authorize"] => self.oauth.authorize(request),
            ["oauth", "token"] | ["api", "v3", "oauth", "token"] => self.oauth.token(request),
            ["oauth", "revoke"] => self.oauth.revoke(request),
            ["oauth", "deauthorize"] if request.method == "POST" => self.deauthorize(request),
            _ => return None,
        };
        Some(answer)
    }

    /// Ends everything that came of the consent of that access token.
    fn deauthorize(&self, request: &SimRequest) -> SimResponse {
        let form = request.form();
        let named = form.iter().find(|(name, _)| name == "access_token").map(|(_, token)| token.as_str());
        let Some(token) = request.bearer().or(named) else { return Refusal::UNAUTHORIZED.into() };
        let known = self.oauth.check(Some(token), request.at).is_ok() && self.oauth.withdraw(token);
        if known {
            SimResponse::json(200, &json!({ "access_token": token }))
        } else {
            Refusal::UNAUTHORIZED.into()
        }
    }
}

/// Strava's authorization server.
pub(super) fn server(seed: u64) -> AuthorizationServer {
    let server = AuthorizationServer::speaking("strava-sim", seed, Envelope);
    server.set(rules);
    server
}

fn rules(rules: &mut OAuthRules) {
    rules.client_id = StravaSimulator::CLIENT_ID.to_owned();
    rules.client_secret = Some(StravaSimulator::CLIENT_SECRET.to_owned());
    rules.client_auth = ClientAuth::Form;
    rules.revoke_auth = ClientAuth::Basic;
    rules.redirects = Redirects::Host(StravaSimulator::CALLBACK_DOMAIN.to_owned());
    rules.exchange_names_redirect = false;
    rules.pkce = Pkce::Ignored;
    rules.scopes = SCOPES.map(str::to_owned).to_vec();
    rules.scope_separator = ',';
    rules.access_lifetime = Some(Duration::from_secs(21_600));
    // More than an hour left: the same tokens come back. After that, all new ones, the hardest that Strava may do.
    rules.keep_while_left = Some(Duration::from_secs(3_600));
    rules.reuse_revokes = false;
}

/// Strava's words.
#[derive(Debug)]
struct Envelope;

impl Dialect for Envelope {
    fn tokens(&self, issued: &Issued) -> Value {
        let mut body = json!({
            "token_type": "Bearer",
            "access_token": issued.access_token,
            "expires_at": issued.expires_at.map(|at| at.as_seconds()),
            "expires_in": issued.expires_in_s,
            "refresh_token": issued.refresh_token,
        });
        if issued.first {
            body["athlete"] = serde_json::from_str(athlete::SUMMARY).unwrap_or_default();
        }
        body
    }

    fn refusal(&self, refused: Refused) -> SimResponse {
        match refused {
            Refused::Client => Refusal::bad("Application", "client_id", "invalid"),
            Refused::Redirect => Refusal::bad("Application", "redirect_uri", "invalid"),
            Refused::Code => Refusal::bad("AuthorizationCode", "code", "invalid"),
            Refused::ExpiredCode => Refusal::bad("AuthorizationCode", "", "expired"),
            Refused::RefreshToken | Refused::ExpiredRefreshToken => {
                Refusal::bad("RefreshToken", "refresh_token", "invalid")
            }
            Refused::Scope => Refusal::bad("Authorize", "scope", "invalid"),
            // Not documented, and no client has to tell them apart.
            Refused::ResponseType => Refusal::bad("Authorize", "response_type", "invalid"),
            Refused::GrantType => Refusal::bad("Application", "grant_type", "invalid"),
            Refused::Request(parameter) => Refusal::bad("Application", parameter, "invalid"),
            _ => Refusal::UNAUTHORIZED,
        }
        .into()
    }

    fn stays(&self, refused: Refused) -> Option<SimResponse> {
        Some(self.refusal(refused))
    }

    /// The athlete can untick scopes, so the app is told which are left.
    fn callback(&self, scope: &str) -> Vec<(&'static str, String)> {
        vec![("scope", scope.to_owned())]
    }
}

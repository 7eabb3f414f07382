//! Google's consent page and token endpoint, as far as an app that reads data meets them.
//!
//! From <https://developers.google.com/identity/protocols/oauth2/web-server>: proof keys are checked, app and secret stand
//! in the form, access tokens last an hour, a refresh token stays the same when it is used. It comes only if the app asked
//! for `access_type=offline`, and after the first consent only with `prompt=consent`.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use lifehub_testkit::oauth::{
    AuthorizationServer, ClientAuth, Dialect, Issued, OAuthRules, Redirects, Refresh, Refused,
};
use lifehub_testkit::{SimRequest, SimResponse};
use serde_json::{Value, json};

use super::GoogleSheetsSimulator;

/// How long a refresh token lives while the app's consent screen is in the state Testing.
const TESTING: Duration = Duration::from_secs(7 * 86_400);

/// What of a user's data the simulated Google knows: scopes that open cells.
pub(super) const CELLS: [&str; 5] = [
    "https://www.googleapis.com/auth/spreadsheets.readonly",
    "https://www.googleapis.com/auth/spreadsheets",
    "https://www.googleapis.com/auth/drive.file",
    "https://www.googleapis.com/auth/drive.readonly",
    "https://www.googleapis.com/auth/drive",
];

/// The server, and whether the consent under way brings a refresh token.
#[derive(Debug, Clone)]
pub(super) struct Google {
    pub(super) server: AuthorizationServer,
    renewable: Arc<AtomicBool>,
}

impl Google {
    pub(super) fn new(seed: u64) -> Self {
        let renewable = Arc::new(AtomicBool::new(false));
        let words = Words { renewable: renewable.clone() };
        let server = AuthorizationServer::speaking("google-sheets-sim", seed, words);
        server.set(rules);
        Self { server, renewable }
    }

    /// Answers what belongs to the consent.
    pub(super) fn answer(&self, request: &SimRequest) -> Option<SimResponse> {
        Some(match (request.method.as_str(), request.segments().as_slice()) {
            (_, ["o", "oauth2", "v2", "auth"]) => {
                let asks = |name, value| request.query(name) == Some(value);
                let again = self.server.tally().exchanges > 0;
                let renewable = asks("access_type", "offline") && (!again || asks("prompt", "consent"));
                self.renewable.store(renewable, Ordering::Relaxed);
                self.server.authorize(request)
            }
            (_, ["token"]) => self.server.token(request),
            ("POST", ["revoke"]) => self.revoke(request),
            _ => return None,
        })
    }

    /// A token of either kind ends all that came of its consent.
    fn revoke(&self, request: &SimRequest) -> SimResponse {
        let form = request.form();
        let token = form.iter().find(|(name, _)| name == "token").map(|(_, token)| token.as_str());
        match token.is_some_and(|token| self.server.withdraw(token)) {
            true => SimResponse::json(200, &json!({})),
            false => {
                let body =
                    json!({ "error": "invalid_token", "error_description": "Token expired or revoked" });
                SimResponse::json(400, &body)
            }
        }
    }
}

fn rules(rules: &mut OAuthRules) {
    rules.client_id = GoogleSheetsSimulator::CLIENT_ID.to_owned();
    rules.client_secret = Some(GoogleSheetsSimulator::CLIENT_SECRET.to_owned());
    rules.client_auth = ClientAuth::Form;
    rules.redirects = Redirects::Host("lifehub.example.org".to_owned());
    rules.scopes = ["openid", "email", "profile"].into_iter().chain(CELLS).map(str::to_owned).collect();
    rules.access_lifetime = Some(Duration::from_secs(3_599));
    rules.refresh = Refresh::Keep;
    rules.refresh_lifetime = Some(TESTING);
    rules.reuse_revokes = false;
}

/// Google's words.
#[derive(Debug)]
struct Words {
    renewable: Arc<AtomicBool>,
}

impl Dialect for Words {
    fn tokens(&self, issued: &Issued) -> Value {
        let mut body = issued.standard();
        // In whichever order.
        let mut scopes: Vec<&str> = issued.scope.split(' ').collect();
        scopes.reverse();
        body["scope"] = json!(scopes.join(" "));
        if (!issued.first || !self.renewable.load(Ordering::Relaxed))
            && let Some(members) = body.as_object_mut()
        {
            members.remove("refresh_token");
        }
        body
    }

    fn refusal(&self, refused: Refused) -> SimResponse {
        let body = match refused {
            Refused::RefreshToken | Refused::ExpiredRefreshToken => {
                json!({ "error": "invalid_grant", "error_description": "Token has been expired or revoked." })
            }
            _ => return refused.standard(),
        };
        SimResponse::json(400, &body)
    }
}

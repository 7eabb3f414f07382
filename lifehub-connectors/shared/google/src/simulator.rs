//! Google's consent page and token endpoint, as far as an app that reads data meets them.
//!
//! From <https://developers.google.com/identity/protocols/oauth2/web-server>: proof keys are checked, app and secret stand
//! in the form, access tokens last an hour, a refresh token stays the same when it is used. It comes only if the app asks
//! for `access_type=offline`, and after the first consent only with `prompt=consent`.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use lifehub_core::secret::Secret;
use lifehub_testkit::oauth::{
    AuthorizationServer, ClientAuth, Dialect, Grant, Issued, OAuthRules, Redirects, Refresh, Refused,
};
use lifehub_testkit::{OAuthAccess, SimRequest, SimResponse};
use serde_json::{Value, json};

/// The scopes that tell who the person is.
pub const PERSON: [&str; 2] = [OPENID, EMAIL];

const OPENID: &str = "openid";
const EMAIL: &str = "https://www.googleapis.com/auth/userinfo.email";
/// As an app may write it; in answers it has its long form.
const SHORT_EMAIL: &str = "email";

/// How long a refresh token lives while the app's consent screen is in the state Testing.
pub const TESTING: Duration = Duration::from_secs(7 * 86_400);

/// A registered app.
#[derive(Debug, Clone, Copy)]
pub struct App {
    /// What its tokens begin with.
    pub name: &'static str,
    /// Its id.
    pub client_id: &'static str,
    /// Its secret.
    pub client_secret: &'static str,
}

impl App {
    /// How an operator enters it, for the consent at a server of this address.
    pub fn access(&self, url: &str) -> OAuthAccess {
        OAuthAccess {
            client_id: self.client_id.to_owned(),
            client_secret: Some(Secret::new(self.client_secret)),
            authorize_url: format!("{url}/o/oauth2/v2/auth"),
            token_url: format!("{url}/token"),
            revoke_url: Some(format!("{url}/revoke")),
        }
    }
}

/// Google's authorization server, and whether the consent under way brings a refresh token. Clones share everything.
#[derive(Debug, Clone)]
pub struct Consent {
    server: AuthorizationServer,
    renewable: Arc<AtomicBool>,
}

impl Consent {
    /// One at which this app is registered, and which knows these scopes besides those of the person.
    pub fn new(seed: u64, app: App, scopes: &[&str]) -> Self {
        let renewable = Arc::new(AtomicBool::new(false));
        let words = Words { renewable: Arc::clone(&renewable) };
        let server = AuthorizationServer::speaking(app.name, seed, words);
        server.set(|rules| {
            rules.client_id = app.client_id.to_owned();
            rules.client_secret = Some(app.client_secret.to_owned());
            rules.scopes =
                [OPENID, SHORT_EMAIL, EMAIL].iter().chain(scopes).map(|&scope| scope.to_owned()).collect();
            usual(rules);
        });
        Self { server, renewable }
    }

    /// The part that asks the user and issues tokens.
    pub fn server(&self) -> &AuthorizationServer {
        &self.server
    }

    /// Answers what belongs to the consent.
    pub fn answer(&self, request: &SimRequest) -> Option<SimResponse> {
        Some(match (request.method.as_str(), request.segments().as_slice()) {
            (_, ["o", "oauth2", "v2", "auth"]) => {
                let again = self.server.tally().exchanges > 0;
                let anew = request.query("prompt").is_some_and(|prompt| prompt.contains("consent"));
                let renewable = request.query("access_type") == Some("offline") && (anew || !again);
                self.renewable.store(renewable, Ordering::Relaxed);
                self.server.authorize(request)
            }
            (_, ["token"]) => self.server.token(request),
            ("POST", ["revoke"]) => self.revoke(request),
            _ => return None,
        })
    }

    /// A token of either kind ends all that came of its consent; who asks does not matter. A GET finds nothing here.
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

/// What `/v1/userinfo` tells of this person, if the consent includes it; the token is no good for it otherwise.
pub fn person(grant: &Grant, subject: &str, address: &str) -> Option<Value> {
    let mut person = grant.allows(OPENID).then(|| json!({ "sub": subject }))?;
    if grant.allows(EMAIL) {
        person["email"] = json!(address);
        person["email_verified"] = json!(true);
    }
    Some(person)
}

fn usual(rules: &mut OAuthRules) {
    rules.client_auth = ClientAuth::Form;
    rules.redirects = Redirects::Host("localhost".to_owned());
    rules.access_lifetime = Some(Duration::from_secs(3_599));
    rules.refresh = Refresh::Keep;
    rules.reuse_revokes = false;
}

/// Google's words: those of the RFC, but a refresh token comes once, with the first tokens of an offline consent, and
/// scopes come in an order of Google's own.
#[derive(Debug)]
struct Words {
    renewable: Arc<AtomicBool>,
}

impl Dialect for Words {
    fn tokens(&self, issued: &Issued) -> Value {
        let mut body = issued.standard();
        let scopes = issued.scope.split(' ').rev();
        let scopes = scopes.map(|scope| if scope == SHORT_EMAIL { EMAIL } else { scope });
        body["scope"] = json!(scopes.collect::<Vec<_>>().join(" "));
        if !(issued.first && self.renewable.load(Ordering::Relaxed))
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

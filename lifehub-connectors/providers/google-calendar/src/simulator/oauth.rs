//! How an app comes to tokens at Google: the consent page, the token endpoint, and the way to give a consent back.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use lifehub_testkit::oauth::{
    AuthorizationServer, ClientAuth, Dialect, Issued, OAuthRules, Redirects, Refresh,
};
use lifehub_testkit::{SimRequest, SimResponse};
use serde_json::{Value, json};

use super::GoogleCalendarSimulator;

pub(super) const OPENID: &str = "openid";
pub(super) const EMAIL: &str = "https://www.googleapis.com/auth/userinfo.email";
/// As an app may write it; in answers it has its long form.
const SHORT_EMAIL: &str = "email";
pub(super) const CALENDARS: &str = "https://www.googleapis.com/auth/calendar.calendarlist.readonly";
pub(super) const EVENTS: &str = "https://www.googleapis.com/auth/calendar.events.readonly";
/// Opens both.
pub(super) const ALL: &str = "https://www.googleapis.com/auth/calendar.readonly";

/// Google's authorization server.
#[derive(Debug, Clone)]
pub(super) struct Consent {
    pub(super) server: AuthorizationServer,
    offline: Arc<AtomicBool>,
}

impl Consent {
    pub(super) fn new(seed: u64) -> Self {
        let offline = Arc::new(AtomicBool::new(false));
        let words = Words { offline: Arc::clone(&offline) };
        let server = AuthorizationServer::speaking("google-calendar-sim", seed, words);
        server.set(rules);
        Self { server, offline }
    }

    /// Answers what belongs to the consent.
    pub(super) fn answer(&self, request: &SimRequest) -> Option<SimResponse> {
        let answer = match (request.method.as_str(), request.segments().as_slice()) {
            (_, ["o", "oauth2", "v2", "auth"]) => {
                // Who agreed before is given no refresh token again, unless the app asks for the consent anew.
                let offline = request.query("access_type") == Some("offline")
                    && request.query("prompt").is_some_and(|prompt| prompt.contains("consent"));
                self.offline.store(offline, Ordering::Relaxed);
                self.server.authorize(request)
            }
            (_, ["token"]) => self.server.token(request),
            ("POST", ["revoke"]) => self.revoke(request),
            _ => return None,
        };
        Some(answer)
    }

    /// Takes a consent back by a token of either kind; who asks does not matter. A GET finds nothing here.
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
    rules.client_id = GoogleCalendarSimulator::CLIENT_ID.to_owned();
    rules.client_secret = Some(GoogleCalendarSimulator::CLIENT_SECRET.to_owned());
    rules.client_auth = ClientAuth::Form;
    rules.redirects = Redirects::Host("localhost".to_owned());
    rules.scopes = [OPENID, SHORT_EMAIL, EMAIL, CALENDARS, EVENTS, ALL].map(str::to_owned).to_vec();
    rules.access_lifetime = Some(Duration::from_secs(3_599));
    rules.refresh = Refresh::Keep;
    rules.reuse_revokes = false;
}

/// Google's words: those of the RFC, but a refresh token comes once, with the first tokens of an offline consent.
#[derive(Debug)]
struct Words {
    offline: Arc<AtomicBool>,
}

impl Dialect for Words {
    fn tokens(&self, issued: &Issued) -> Value {
        let mut body = issued.standard();
        let scopes = issued.scope.split(' ').map(|scope| if scope == SHORT_EMAIL { EMAIL } else { scope });
        body["scope"] = json!(scopes.collect::<Vec<_>>().join(" "));
        if let Some(members) = body.as_object_mut()
            && !(issued.first && self.offline.load(Ordering::Relaxed))
        {
            members.remove("refresh_token");
        }
        body
    }
}

//! How an app comes to tokens: YNAB's consent page and its token endpoint.
//!
//! App and secret stand in the form, access tokens live for two hours, scopes are not told in the answer. A refresh token
//! is good until the access token that came of it is first used: who never saw the answer may ask again, who has used the
//! answer may not.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use lifehub_core::clock::Timestamp;
use lifehub_testkit::oauth::{
    AuthorizationServer, ClientAuth, Dialect, Issued, OAuthRules, Pkce, Redirects, Refused,
};
use lifehub_testkit::{SimRequest, SimResponse};
use serde_json::{Value, json};

use super::YnabSimulator;

impl YnabSimulator {
    /// The id of the app that is registered.
    pub const CLIENT_ID: &'static str = "ynab-sim-client";

    /// Its secret.
    pub const CLIENT_SECRET: &'static str = "ynab-sim-client-secret";
}

/// The only scope that has a name; a consent without it may write too.
pub(super) const SCOPE: &str = "read-only";

/// YNAB's authorization server, and which refresh tokens are spent.
#[derive(Debug, Clone)]
pub(super) struct Consent {
    pub(super) server: AuthorizationServer,
    spent: Arc<Mutex<Spent>>,
}

#[derive(Debug, Default)]
struct Spent {
    /// Access tokens that were not used yet, each with the refresh token that it came of.
    fresh: HashMap<String, String>,
    dead: HashSet<String>,
}

impl Consent {
    pub(super) fn new(seed: u64) -> Self {
        let server = AuthorizationServer::speaking("ynab-sim", seed, Words);
        server.set(rules);
        Self { server, spent: Arc::default() }
    }

    /// Answers what belongs to the consent.
    pub(super) fn answer(&self, request: &SimRequest) -> Option<SimResponse> {
        match request.segments().as_slice() {
            ["oauth", "authorize"] => Some(self.server.authorize(request)),
            ["oauth", "token"] => Some(self.token(request)),
            _ => None,
        }
    }

    fn token(&self, request: &SimRequest) -> SimResponse {
        let form = request.form();
        let used = form.into_iter().find_map(|(name, value)| (name == "refresh_token").then_some(value));
        if used.as_ref().is_some_and(|used| self.spent().dead.contains(used)) {
            return Refused::RefreshToken.standard();
        }
        let answer = self.server.token(request);
        let body: Value = serde_json::from_slice(&answer.body).unwrap_or_default();
        if let (Some(used), Some(token)) = (used, body["access_token"].as_str()) {
            self.spent().fresh.insert(token.to_owned(), used);
        }
        answer
    }

    /// Whether a request for data bears a token that is good. Its first use ends the refresh token that it came of.
    pub(super) fn admits(&self, bearer: Option<&str>, now: Timestamp) -> bool {
        let good = self.server.check(bearer, now).is_ok();
        let mut spent = self.spent();
        let used = bearer.filter(|_| good).and_then(|bearer| spent.fresh.remove(bearer));
        spent.dead.extend(used);
        good
    }

    fn spent(&self) -> MutexGuard<'_, Spent> {
        self.spent.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn rules(rules: &mut OAuthRules) {
    rules.client_id = YnabSimulator::CLIENT_ID.to_owned();
    rules.client_secret = Some(YnabSimulator::CLIENT_SECRET.to_owned());
    rules.client_auth = ClientAuth::Form;
    rules.redirects = Redirects::Host("lifehub.example.org".to_owned());
    rules.pkce = Pkce::Optional;
    rules.scopes = vec![SCOPE.to_owned()];
    rules.access_lifetime = Some(Duration::from_secs(7_200));
    // Time alone ends no refresh token that was replaced.
    rules.leeway = Duration::from_secs(100 * 366 * 86_400);
    rules.reuse_revokes = false;
}

/// YNAB's words, where they are not those of the RFCs.
#[derive(Debug)]
struct Words;

impl Dialect for Words {
    fn tokens(&self, issued: &Issued) -> Value {
        json!({
            "access_token": issued.access_token,
            "token_type": "bearer",
            "expires_in": issued.expires_in_s,
            "refresh_token": issued.refresh_token,
        })
    }
}

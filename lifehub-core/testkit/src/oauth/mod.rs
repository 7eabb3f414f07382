//! An OAuth 2.0 authorization server for simulated providers: consent, codes, tokens that rotate, expire and die.
//!
//! It answers the three routes of a provider, and tells the other routes what a bearer token allows. It is plain data:
//! time comes from the request, tokens derive from a seed, nothing is sent anywhere. By default it is as strict as
//! RFC 6749, 7009, 7636 and 9700 ask for; [`OAuthRules`] say how a provider differs, and a [`Dialect`] in which words
//! it answers.
//!
//! ```
//! use lifehub_testkit::oauth::AuthorizationServer;
//! use lifehub_testkit::{Probe, Server, SimRequest, SimResponse, Simulator};
//! use serde_json::json;
//!
//! struct Diary(AuthorizationServer);
//!
//! impl Simulator for Diary {
//!     fn handle(&self, request: &SimRequest) -> SimResponse {
//!         match request.segments().as_slice() {
//!             ["oauth", "authorize"] => self.0.authorize(request),
//!             ["oauth", "token"] => self.0.token(request),
//!             ["oauth", "revoke"] => self.0.revoke(request),
//!             ["api", "me"] => match self.0.check(request.bearer(), request.at) {
//!                 Ok(grant) => SimResponse::json(200, &json!({ "scopes": grant.scopes })),
//!                 Err(refused) => refused.standard(),
//!             },
//!             _ => self.refusal(404),
//!         }
//!     }
//! }
//!
//! let oauth = AuthorizationServer::new("diary-sim", 1);
//! let server = Server::start(Diary(oauth.clone()))?;
//!
//! // What a browser does: it visits the consent page and is sent back with a code.
//! let back = "redirect_uri=http%3A%2F%2Flocalhost%2Fback";
//! let visit = format!("{}/oauth/authorize?client_id=sample-client&{back}", server.url());
//! let reply = Probe::get(format!("{visit}&response_type=code&scope=read&state=s1")).send()?;
//! let location = reply.header("location").unwrap_or_default();
//! let code = location.split("code=").nth(1).and_then(|rest| rest.split('&').next()).unwrap_or_default();
//!
//! let client = "client_id=sample-client&client_secret=sample-client-secret";
//! let form = format!("grant_type=authorization_code&code={code}&{back}&{client}");
//! let tokens = Probe::post_form(format!("{}/oauth/token", server.url()), &form).send()?.json()?;
//! let token = tokens["access_token"].as_str().unwrap_or_default();
//! let me = Probe::get(format!("{}/api/me", server.url())).bearer(token).send()?;
//! assert_eq!(me.json()?, json!({ "scopes": ["read"] }));
//! assert_eq!(oauth.tally().exchanges, 1);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod agree;
mod book;
mod consent;
mod dialect;
mod pkce;
mod request;
mod rules;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use http::Method;
use lifehub_core::clock::Timestamp;

pub use agree::agree;
pub use book::{Family, Grant, Tally};
pub use dialect::{Dialect, Issued, Refused, Standard};
pub use pkce::code_challenge;
pub use rules::{ClientAuth, Consent, OAuthRules, Pkce, Redirects, Refresh};

use crate::message::{SimRequest, SimResponse};
use book::Book;
use request::{Parameters, authenticate};

/// An authorization server. Clones share everything, so a test keeps one beside the simulator that uses it.
#[derive(Debug, Clone)]
pub struct AuthorizationServer {
    dialect: Arc<dyn Dialect>,
    state: Arc<Mutex<State>>,
}

#[derive(Debug)]
struct State {
    rules: OAuthRules,
    book: Book,
    /// Scopes that no token has for now.
    withheld: Vec<String>,
}

impl AuthorizationServer {
    /// One that speaks as the RFCs do. Its codes and tokens begin with `prefix` and follow from the seed and the order
    /// of calls: `diary-sim-access-…`, `diary-sim-refresh-…`.
    pub fn new(prefix: &str, seed: u64) -> Self {
        Self::speaking(prefix, seed, Standard)
    }

    /// The same in a provider's own words.
    pub fn speaking(prefix: &str, seed: u64, dialect: impl Dialect) -> Self {
        let state =
            State { rules: OAuthRules::default(), book: Book::new(prefix, seed), withheld: Vec::new() };
        Self { dialect: Arc::new(dialect), state: Arc::new(Mutex::new(state)) }
    }

    /// Changes the rules from now on.
    pub fn set(&self, change: impl FnOnce(&mut OAuthRules)) {
        change(&mut self.state().rules);
    }

    /// The rules as they are.
    pub fn rules(&self) -> OAuthRules {
        self.state().rules.clone()
    }

    /// `GET` of the consent page: sends the user back with a code, or with an error, or shows a page
    /// ([`OAuthRules::consent`]).
    pub fn authorize(&self, request: &SimRequest) -> SimResponse {
        if request.method != Method::GET {
            return SimResponse::empty(405).header("allow", "GET");
        }
        consent::visit(&*self.dialect, &mut self.state(), request)
    }

    /// `POST` of the token endpoint: exchanges a code, or refreshes.
    pub fn token(&self, request: &SimRequest) -> SimResponse {
        if request.method != Method::POST {
            return SimResponse::empty(405).header("allow", "POST");
        }
        let issued = self.state().token(request);
        let answer = match issued {
            Ok(issued) => SimResponse::json(200, &self.dialect.tokens(&issued)),
            Err(refused) => self.dialect.refusal(refused),
        };
        answer.header("cache-control", "no-store").header("pragma", "no-cache")
    }

    /// `POST` of the revocation endpoint (RFC 7009): 200 also for a token that nobody knows. An access token dies
    /// alone, a refresh token with its family.
    pub fn revoke(&self, request: &SimRequest) -> SimResponse {
        if request.method != Method::POST {
            return SimResponse::empty(405).header("allow", "POST");
        }
        match self.state().revoke(request) {
            Ok(()) => SimResponse::empty(200),
            Err(refused) => self.dialect.refusal(refused),
        }
    }

    /// What the token of a request for data ([`SimRequest::bearer`]) allows at that instant.
    ///
    /// # Errors
    /// If there is none, nobody knows it, or it is dead or too old. [`Refused::standard`] is the answer of RFC 6750.
    pub fn check(&self, bearer: Option<&str>, now: Timestamp) -> Result<Grant, Refused> {
        let state = self.state();
        let mut grant = state.book.check(bearer.ok_or(Refused::NoToken)?, now)?;
        grant.scopes.retain(|scope| !state.withheld.contains(scope));
        Ok(grant)
    }

    /// Accepts this access token from now on, until it is withdrawn, for these scopes: for suites, whose clock leaves
    /// the life of a token behind.
    pub fn admit(&self, token: &str, scopes: &[&str]) {
        self.state().book.admit(token, scopes.iter().map(|&scope| scope.to_owned()).collect());
    }

    /// Lets no token have this scope either, whatever was agreed to; `None` gives all back.
    pub fn withhold(&self, scope: Option<&str>) {
        let withheld = &mut self.state().withheld;
        match scope {
            Some(scope) => withheld.push(scope.to_owned()),
            None => withheld.clear(),
        }
    }

    /// Tokens of a consent that was given elsewhere: for tests that begin with an account that is connected.
    pub fn issue(&self, scopes: &[&str], now: Timestamp) -> Issued {
        let scopes = scopes.iter().map(|&scope| scope.to_owned()).collect();
        let State { rules, book, .. } = &mut *self.state();
        book.found(rules, scopes, now)
    }

    /// Kills every token of the family that this access or refresh token belongs to, as a user does who takes the
    /// consent back. False if nobody knows the token, or its family is dead.
    pub fn withdraw(&self, token: &str) -> bool {
        let book = &mut self.state().book;
        book.dismiss(token) || book.family_of(token).is_some_and(|family| book.revoke_family(family))
    }

    /// What was asked so far.
    pub fn tally(&self) -> Tally {
        self.state().book.tally
    }

    /// All families, oldest first, with their newest tokens; [`Grant::family`] counts in this list.
    pub fn families(&self) -> Vec<Family> {
        self.state().book.families.clone()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn token(&mut self, request: &SimRequest) -> Result<Issued, Refused> {
        self.book.tally.token_calls += 1;
        let issued = self.grant(request);
        self.book.tally.refused += u64::from(issued.is_err());
        issued
    }

    fn grant(&mut self, request: &SimRequest) -> Result<Issued, Refused> {
        let (rules, form) = (&self.rules, Parameters::of_form(request));
        authenticate(rules, rules.client_auth, request, &form)?;
        match form.needed("grant_type")? {
            "authorization_code" => {
                let (code, redirect) = (form.needed("code")?, form.one("redirect_uri")?);
                self.book.exchange(rules, code, redirect, form.one("code_verifier")?, request.at)
            }
            "refresh_token" if rules.refresh != Refresh::Never => {
                let scopes = form.one("scope")?.map(|scope| rules.split(scope));
                self.book.refresh(rules, form.needed("refresh_token")?, scopes, request.at)
            }
            _ => Err(Refused::GrantType),
        }
    }

    fn revoke(&mut self, request: &SimRequest) -> Result<(), Refused> {
        let form = Parameters::of_form(request);
        authenticate(&self.rules, self.rules.revoke_auth, request, &form)?;
        self.book.revoke(form.needed("token")?);
        Ok(())
    }
}

//! An app, a provider with an authorization server, a user with a browser, and a clock on each side.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex};

use lifehub_core::clock::{ManualClock, Timestamp};
use lifehub_core::http::ReqwestTransport;
use lifehub_core::oauth::{
    Authorized, Callback, ClientAuth, MemoryAuthorizations, OAuthApp, OAuthClient, OAuthSpec, Revocation,
    Start, Tokens, Who,
};
use lifehub_core::record::UserId;
use lifehub_core::secret::{Credentials, Secret};
use lifehub_core::{Error, Result};
use lifehub_testkit::oauth::{AuthorizationServer, OAuthRules};
use lifehub_testkit::{Probe, Server, SimRequest, SimResponse, Simulator};
use url::Url;

pub(crate) const BACK: &str = "http://127.0.0.1:8080/back?from=sim";
pub(crate) const ISSUER: &str = "https://provider.test";
pub(crate) const SESSION: &str = "session-one";
pub(crate) const PROVIDER: &str = "diary";

pub(crate) const SPEC: OAuthSpec =
    OAuthSpec::new("https://provider.test/authorize", "https://provider.test/token")
        .scopes(&["read", "write"])
        .issuer(ISSUER)
        .revoke(Revocation::Rfc7009 { url: "https://provider.test/revoke", auth: ClientAuth::Form });

pub(crate) fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

pub(crate) fn user(number: u8) -> UserId {
    UserId::from_bytes([number; 16])
}

/// What a test looks at from the provider's side.
#[derive(Clone)]
pub(crate) struct Diary {
    pub(crate) oauth: AuthorizationServer,
    /// Answers to calls of the token and the revocation endpoint that stand in for the server's own.
    answers: Arc<Mutex<VecDeque<SimResponse>>>,
    seen: Arc<Mutex<Vec<SimRequest>>>,
}

impl Simulator for Diary {
    fn handle(&self, request: &SimRequest) -> SimResponse {
        let segments = request.segments();
        if segments == ["authorize"] {
            return self.oauth.authorize(request);
        }
        self.seen.lock().unwrap().push(request.clone());
        if let Some(answer) = self.answers.lock().unwrap().pop_front() {
            return answer;
        }
        match segments.as_slice() {
            ["token"] => self.oauth.token(request),
            ["revoke"] => self.oauth.revoke(request),
            ["bearer"] => match self.oauth.check(request.bearer(), request.at) {
                Ok(_) => {
                    SimResponse::empty(if self.oauth.withdraw(request.bearer().unwrap()) { 204 } else { 500 })
                }
                Err(refused) => refused.standard(),
            },
            _ => self.refusal(404),
        }
    }
}

pub(crate) struct App {
    pub(crate) diary: Diary,
    pub(crate) server: Server,
    /// The provider's.
    pub(crate) server_clock: Arc<ManualClock>,
    /// Ours.
    pub(crate) clock: Arc<ManualClock>,
    pub(crate) store: MemoryAuthorizations,
}

pub(crate) fn app() -> App {
    serve(AuthorizationServer::new("diary-sim", 7), |_| ())
}

pub(crate) fn serve(oauth: AuthorizationServer, rules: impl FnOnce(&mut OAuthRules)) -> App {
    oauth.set(rules);
    let diary = Diary { oauth, answers: Arc::default(), seen: Arc::default() };
    let clock = || Arc::new(ManualClock::at(at("2026-08-10T12:00:00Z")));
    let (server_clock, clock) = (clock(), clock());
    let server = Server::builder().clock(server_clock.clone()).start(diary.clone()).unwrap();
    App { diary, server, server_clock, clock, store: MemoryAuthorizations::default() }
}

impl App {
    pub(crate) fn url(&self, path: &str) -> Url {
        format!("{}{path}", self.server.url()).parse().unwrap()
    }

    /// The registered app at this server.
    pub(crate) fn registered(&self) -> OAuthApp {
        let rules = self.diary.oauth.rules();
        let mut app = OAuthApp::new(rules.client_id, rules.client_secret.map(Secret::new));
        app.token_url = Some(self.url("/token"));
        app.revoke_url = Some(self.url("/revoke"));
        app
    }

    pub(crate) fn client(&self, spec: &OAuthSpec) -> OAuthClient {
        let transport = Arc::new(ReqwestTransport::local().unwrap());
        OAuthClient::new(spec, self.registered(), transport, self.clock.clone()).unwrap()
    }

    /// Begins an authorization of user 1.
    pub(crate) async fn begin(&self, client: &OAuthClient) -> Url {
        client.begin(&self.store, start()).await.unwrap()
    }

    /// What a browser does: it visits the consent page, and comes back with this query.
    pub(crate) fn visit(&self, page: &Url) -> String {
        let page = format!("{}?{}", self.url("/authorize"), page.query().unwrap());
        let reply = Probe::get(page).send().unwrap();
        assert_eq!(reply.status, 302, "{}", String::from_utf8_lossy(&reply.body));
        let back: Url = reply.header("location").unwrap().parse().unwrap();
        assert!(back.as_str().starts_with(BACK), "{back}");
        back.query().unwrap().to_owned()
    }

    pub(crate) async fn finish(&self, client: &OAuthClient, query: &str) -> Result<Authorized> {
        client.finish(&self.store, Callback::from_query(query)?, who()).await
    }

    /// Goes the whole way.
    pub(crate) async fn connect(&self, spec: &OAuthSpec) -> Authorized {
        let client = self.client(spec);
        let query = self.visit(&self.begin(&client).await);
        self.finish(&client, &query).await.unwrap()
    }

    /// The next call of the token or revocation endpoint gets this answer.
    pub(crate) fn answer(&self, answer: SimResponse) {
        self.diary.answers.lock().unwrap().push_back(answer);
    }

    /// A refresh that gets this answer.
    pub(crate) async fn refresh(&self, spec: &OAuthSpec, answer: SimResponse) -> Result<Tokens> {
        self.answer(answer);
        self.client(spec).refresh(&credentials("old-access", Some("old-refresh"))).await
    }

    /// The latest call of the token or revocation endpoint.
    pub(crate) fn last(&self) -> SimRequest {
        self.diary.seen.lock().unwrap().last().unwrap().clone()
    }

    pub(crate) fn last_form(&self) -> BTreeMap<String, String> {
        self.last().form().into_iter().collect()
    }
}

pub(crate) fn start() -> Start<'static> {
    let redirect = BACK.parse().unwrap();
    Start { provider: PROVIDER, user: user(1), session: SESSION, connection: None, redirect }
}

pub(crate) fn who() -> Who<'static> {
    Who { provider: PROVIDER, user: user(1), session: SESSION }
}

pub(crate) fn credentials(access: &str, refresh: Option<&str>) -> Credentials {
    let credentials = Credentials::none().with("access_token", Secret::new(access));
    match refresh {
        Some(refresh) => credentials.with("refresh_token", Secret::new(refresh)),
        None => credentials,
    }
}

/// The clear texts of credentials.
pub(crate) fn clear(credentials: &Credentials) -> BTreeMap<String, String> {
    let text = |name: &str| (name.to_owned(), credentials.get(name).unwrap().expose().to_owned());
    credentials.names().map(text).collect()
}

/// What a call that must fail says.
#[track_caller]
pub(crate) fn error<T>(result: Result<T>) -> Error {
    match result {
        Ok(_) => panic!("it succeeded"),
        Err(error) => error,
    }
}

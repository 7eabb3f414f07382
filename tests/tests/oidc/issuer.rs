//! The authorization server in a process of its own, the apps that are registered there, and what a test sees of it.

use std::io::{BufRead as _, BufReader, Read as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use lifehub_core::Result;
use lifehub_core::clock::{Clock as _, ManualClock, SystemClock};
use lifehub_core::http::ReqwestTransport;
use lifehub_core::oauth::{
    Authorizations, Authorized, Callback, ClientAuth, MemoryAuthorizations, OAuthApp, OAuthClient, OAuthSpec,
    Revocation, Start, Who,
};
use lifehub_core::record::UserId;
use lifehub_core::secret::{Credentials, Secret};
use lifehub_testkit::{Probe, Reply};
use serde::Deserialize;
use serde_json::json;
use url::Url;

use crate::browser::{BACK, visit};

pub(crate) const PROVIDER: &str = "diary";
pub(crate) const SESSION: &str = "session-one";

/// How long access tokens live, in seconds.
pub(crate) const LIFE: u64 = 3600;

/// An app that is registered at the server.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Registered {
    pub(crate) id: &'static str,
    pub(crate) secret: &'static str,
    /// How it names itself.
    pub(crate) auth: ClientAuth,
}

// Nothing in them is the same before and after it is encoded.
pub(crate) const BASIC: Registered =
    Registered { id: "diary: basic", secret: "50% of/a+secret & =more: ~", auth: ClientAuth::Basic };
pub(crate) const FORM: Registered =
    Registered { id: "diary: form", secret: "a form's +%2B? & =secret", auth: ClientAuth::Form };

impl Registered {
    pub(crate) fn app(self) -> OAuthApp {
        OAuthApp::new(self.id, Some(Secret::new(self.secret)))
    }
}

/// What the server counted.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Tally {
    /// Calls of the token endpoint, whatever came of them.
    pub(crate) token_calls: u64,
    /// Codes that became tokens.
    pub(crate) codes: u64,
    /// Refresh tokens that became others.
    pub(crate) refreshes: u64,
    /// Token calls that were refused.
    pub(crate) refused: u64,
    /// Consents that ended, tokens and all.
    pub(crate) revoked_grants: u64,
}

/// A server, and the clock of its apps. It ends when dropped.
pub(crate) struct Issuer {
    pub(crate) clock: Arc<ManualClock>,
    process: Child,
    url: String,
}

impl Issuer {
    /// Starts one, if that can be done here.
    pub(crate) fn start() -> Option<Self> {
        if !is_installed() {
            return None;
        }
        let client = |app: Registered| {
            let auth = match app.auth {
                ClientAuth::Basic => "client_secret_basic",
                _ => "client_secret_post",
            };
            json!({
                "client_id": app.id, "client_secret": app.secret, "token_endpoint_auth_method": auth,
                "redirect_uris": [BACK],
            })
        };
        let settings = json!({ "clients": [client(BASIC), client(FORM)], "access_token_life_s": LIFE });
        let mut process = Command::new("node")
            .arg(folder().join("server.mjs"))
            .arg(settings.to_string())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(process.stdout.as_mut().unwrap()).read_line(&mut line).unwrap();
        let mut issuer =
            Self { clock: Arc::new(ManualClock::at(SystemClock::default().now())), process, url: line };
        #[derive(Deserialize)]
        struct Ready {
            issuer: String,
        }
        // If it is none, what the server complains of is told when it is dropped.
        issuer.url = serde_json::from_str::<Ready>(&issuer.url).unwrap().issuer;
        Some(issuer)
    }

    pub(crate) fn url(&self) -> Url {
        self.url.parse().unwrap()
    }

    /// As the manifest of a provider would say it.
    pub(crate) fn spec(&self, auth: ClientAuth) -> OAuthSpec {
        let at = |path: &str| -> &'static str { format!("{}{path}", self.url).leak() };
        OAuthSpec::new(at("/auth"), at("/token"))
            .issuer(at(""))
            .scopes(&["openid", "offline_access", "diary"])
            // Without it this server gives no refresh token (OpenID Connect Core, section 11).
            .authorize_params(&[("prompt", "consent")])
            .client_auth(auth)
            .revoke(Revocation::Rfc7009 { url: at("/token/revocation"), auth })
    }

    pub(crate) fn client(&self, app: Registered) -> OAuthClient {
        self.client_with(&self.spec(app.auth), app.app())
    }

    pub(crate) fn client_with(&self, spec: &OAuthSpec, app: OAuthApp) -> OAuthClient {
        let transport = Arc::new(ReqwestTransport::local().unwrap());
        OAuthClient::new(spec, app, transport, self.clock.clone()).unwrap()
    }

    /// Goes the whole way as the user with that login.
    pub(crate) async fn connect(&self, client: &OAuthClient, login: &str) -> Authorized {
        let store = MemoryAuthorizations::default();
        let query = visit(&begin(client, &store).await, login);
        finish(client, &store, &query).await.unwrap()
    }

    /// The same, for its credentials alone.
    pub(crate) async fn credentials(&self, client: &OAuthClient, login: &str) -> Credentials {
        self.connect(client, login).await.tokens.into_credentials(&Credentials::none())
    }

    /// What the server says of the owner of the access token.
    pub(crate) fn me(&self, credentials: &Credentials) -> Reply {
        Probe::get(format!("{}/me", self.url)).bearer(text(credentials, "access_token")).send().unwrap()
    }

    pub(crate) fn tally(&self) -> Tally {
        let reply = Probe::get(format!("{}/tally", self.url)).send().unwrap();
        serde_json::from_slice(&reply.body).unwrap()
    }

    /// Lets time pass for the server and its apps.
    pub(crate) fn advance(&self, seconds: u64) {
        self.clock.advance(Duration::from_secs(seconds));
        self.advance_server(seconds);
    }

    /// Lets time pass for the server alone.
    pub(crate) fn advance_server(&self, seconds: u64) {
        assert_eq!(Probe::get(format!("{}/advance/{seconds}", self.url)).send().unwrap().status, 204);
    }
}

impl Drop for Issuer {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let mut complaints = String::new();
        let _ = self.process.stderr.take().unwrap().read_to_string(&mut complaints);
        let _ = self.process.wait();
        if std::thread::panicking() {
            println!("the authorization server said: {complaints}");
        }
    }
}

pub(crate) fn user(number: u8) -> UserId {
    UserId::from_bytes([number; 16])
}

/// Begins an authorization of user 1 in session one.
pub(crate) async fn begin(client: &OAuthClient, store: &dyn Authorizations) -> Url {
    let redirect = BACK.parse().unwrap();
    let start = Start { provider: PROVIDER, user: user(1), session: SESSION, connection: None, redirect };
    client.begin(store, start).await.unwrap()
}

/// Ends it as the same.
pub(crate) async fn finish(
    client: &OAuthClient,
    store: &dyn Authorizations,
    query: &str,
) -> Result<Authorized> {
    let who = Who { provider: PROVIDER, user: user(1), session: SESSION };
    client.finish(store, Callback::from_query(query)?, who).await
}

/// A credential in clear.
pub(crate) fn text<'a>(credentials: &'a Credentials, name: &str) -> &'a str {
    credentials.get(name).unwrap().expose()
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("oidc")
}

/// Whether node and the package are here. Where `LIFEHUB_TEST_REQUIRE` names node, as in CI, they have to be.
fn is_installed() -> bool {
    let node = Command::new("node").arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status();
    let what = match node.is_ok_and(|status| status.success()) {
        false => "node is missing: install nodejs (18 or later) and npm, then run",
        true if !folder().join("node_modules/oidc-provider").exists() => "its packages are missing: run",
        true => return true,
    };
    let missing = format!("{what} `npm ci --prefix tests/oidc --ignore-scripts`");
    let required = std::env::var("LIFEHUB_TEST_REQUIRE").unwrap_or_default();
    assert!(
        !required.split(',').any(|name| name == "node"),
        "an authorization server is required, and {missing}"
    );
    println!("SKIPPED: this test needs an authorization server, and {missing}");
    false
}

//! Setup tokens over real HTTP: what they become, and where they do not go.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking, its helpers too")]

use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use lifehub_core::connector::{
    Auth, Connector, Context, Identity, Manifest, SettingsSchema, Terms, Visibility, no_settings,
    read_settings,
};
use lifehub_core::engine::{Engine, Operator, ProviderSettings};
use lifehub_core::http::{AuthScheme, ReqwestTransport};
use lifehub_core::memory::MemoryStore;
use lifehub_core::page::{Cursor, Page, Place};
use lifehub_core::registry::Registry;
use lifehub_core::secret::{Credentials, Secret};
use lifehub_core::{Error, ErrorKind, Result};
use lifehub_testkit::{Fault, FaultPlan, Server, SimRequest, SimResponse, Simulator};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::json;

const USER: &str = "9c2@bank";
const PASSWORD: &str = "p%ss wörd";

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Settings {
    #[schemars(extend("x-secret" = true))]
    access_url: Option<String>,
}

/// A bank whose user has a setup token.
struct Bank(Manifest);

impl Bank {
    fn new(auth: Auth, settings: SettingsSchema) -> Self {
        Self(Manifest {
            id: "bank",
            title: "Bank",
            about: "Nothing",
            docs: "https://bank.example/docs",
            base_url: "https://bank.example/simplefin",
            origins: &["https://beta.bank.example"],
            auth,
            quotas: Vec::new(),
            streams: Vec::new(),
            settings,
            terms: Terms {
                visible_to: Visibility::OwnersChoice,
                language_models: true,
                delete_on_withdrawal: false,
                attribution: None,
                url: "https://bank.example/terms",
            },
        })
    }
}

#[async_trait]
impl Connector for Bank {
    fn manifest(&self) -> &Manifest {
        &self.0
    }

    fn base_url(&self, settings: &serde_json::Value) -> Result<Option<String>> {
        Ok(read_settings::<Settings>(settings)?.access_url)
    }

    async fn identify(&self, cx: &Context<'_>) -> Result<Identity> {
        let account: String = cx.get("/accounts").json().await?;
        Ok(Identity { account, title: None })
    }

    async fn fetch_page(&self, _: &Context<'_>, at: Place<'_>, _: Option<&Cursor>) -> Result<Page> {
        Err(Error::new(ErrorKind::Unsupported, format!("there is no stream {:?}", at.stream)))
    }
}

/// The bank's server: a token can be claimed once, and what it becomes opens the account.
#[derive(Clone, Default)]
struct Till(Arc<Mutex<State>>);

#[derive(Default)]
struct State {
    claimed: bool,
    answer: Option<String>,
}

impl Simulator for Till {
    fn handle(&self, request: &SimRequest) -> SimResponse {
        let mut state = self.0.lock().unwrap();
        match (request.method.as_str(), request.path.as_str()) {
            ("POST", "/claim/secret-of-the-token") if request.body.is_empty() => {
                if std::mem::replace(&mut state.claimed, true) {
                    return SimResponse::empty(403);
                }
                let own = request.header("host").unwrap();
                let access = format!("http://9c2%40bank:p%25ss%20w%C3%B6rd@{own}/access\n");
                SimResponse::html(200, state.answer.clone().unwrap_or(access))
            }
            ("GET", "/access/accounts") => {
                let expected = STANDARD.encode(format!("{USER}:{PASSWORD}"));
                match request.header("authorization") == Some(&format!("Basic {expected}")) {
                    true => SimResponse::json(200, "ada"),
                    false => SimResponse::empty(401),
                }
            }
            _ => SimResponse::empty(404),
        }
    }
}

struct House {
    server: Server,
    till: Till,
    engine: Engine,
}

fn engine(bank: Bank, base_url: Option<&str>) -> Engine {
    let mut settings = ProviderSettings::default();
    settings.base_url = base_url.map(|url| url.parse().unwrap());
    let transport = Arc::new(ReqwestTransport::local().unwrap());
    Engine::builder(Registry::new().with(bank), Arc::new(MemoryStore::new()), transport)
        .operator(Operator::default().with("bank", settings))
        .build()
}

impl House {
    fn new() -> Self {
        let till = Till::default();
        let server = Server::start(till.clone()).unwrap();
        let bank = Bank::new(Auth::setup_token(), SettingsSchema::of::<Settings>());
        let engine = engine(bank, Some(&format!("{}/simplefin", server.url())));
        Self { server, till, engine }
    }

    fn claim_url(&self) -> String {
        format!("{}/claim/secret-of-the-token", self.server.url())
    }

    async fn claim(&self, token: &str) -> Result<Credentials> {
        let credentials = Credentials::none().with("setup_token", Secret::new(token));
        self.engine.claim_setup_token("bank", credentials).await
    }

    async fn claim_address(&self, url: &str) -> Result<Credentials> {
        self.claim(&STANDARD.encode(url)).await
    }
}

#[track_caller]
fn refused(result: Result<Credentials>, kind: ErrorKind) -> String {
    let error = result.unwrap_err();
    let text = format!("{error:?}");
    assert_eq!(error.kind(), kind, "{text}");
    for secret in ["secret-of-the-token", "p%25ss", "p%ss", "9c2"] {
        assert!(!text.contains(secret), "{text}");
    }
    text
}

#[tokio::test]
async fn a_token_becomes_an_address_with_a_user_and_a_password() {
    let house = House::new();
    let kept = house.claim_address(&house.claim_url()).await.unwrap();
    let names: Vec<&str> = kept.names().collect();
    assert_eq!(names, ["password", "setting:access_url", "user"]);
    let text = |name: &str| kept.get(name).unwrap().expose();
    assert_eq!((text("user"), text("password")), (USER, PASSWORD));
    assert_eq!(text("setting:access_url"), format!("\"{}/access\"", house.server.url()));
    let identity = house.engine.identify("bank", &json!({}), kept).await.unwrap();
    assert_eq!(identity.account, "ada");
    let again = refused(house.claim_address(&house.claim_url()).await, ErrorKind::Unauthorized);
    assert!(again.contains("claimed before") && again.contains("make a new one"), "{again}");
}

#[tokio::test]
async fn a_token_is_read_as_it_was_copied() {
    for write in [
        |url: &str| format!("  {}\n", STANDARD.encode(url)),
        |url: &str| STANDARD.encode(url).trim_end_matches('=').to_owned(),
        |url: &str| URL_SAFE_NO_PAD.encode(format!("{url}?\u{00ff}\u{00fe}>>")),
    ] {
        let house = House::new();
        house.claim(&write(&house.claim_url())).await.unwrap();
    }
    let house = House::new();
    for token in ["", "not base64!", &STANDARD.encode("no address"), &STANDARD.encode([0xff, 0xfe])] {
        refused(house.claim(token).await, ErrorKind::Invalid);
    }
    refused(house.engine.claim_setup_token("bank", Credentials::none()).await, ErrorKind::Invalid);
    assert_eq!(house.server.request_count(), 0);
}

#[tokio::test]
async fn a_token_goes_to_its_provider_alone() {
    let house = House::new();
    let elsewhere = Server::start(Till::default()).unwrap();
    for url in [
        format!("{}/claim/secret-of-the-token", elsewhere.url()),
        "https://evil.example/claim/secret-of-the-token".to_owned(),
        "http://bank.example/claim/secret-of-the-token".to_owned(),
        "file:///etc/passwd".to_owned(),
    ] {
        refused(house.claim_address(&url).await, ErrorKind::ForeignOrigin);
    }
    assert_eq!((house.server.request_count(), elsewhere.request_count()), (0, 0));
    // Nor may what it becomes lead anywhere else.
    house.till.0.lock().unwrap().answer = Some("https://9c2:p%25ss@evil.example/access".to_owned());
    refused(house.claim_address(&house.claim_url()).await, ErrorKind::ForeignOrigin);
    // In clear it goes nowhere but to this machine, whatever the operator says.
    let bank = Bank::new(Auth::setup_token(), SettingsSchema::of::<Settings>());
    let engine = engine(bank, Some("http://bank.example/simplefin"));
    let token = STANDARD.encode("http://bank.example/claim/secret-of-the-token");
    let credentials = Credentials::none().with("setup_token", Secret::new(token));
    let text = refused(engine.claim_setup_token("bank", credentials).await, ErrorKind::ForeignOrigin);
    assert!(text.contains("not encrypted"), "{text}");
}

#[tokio::test]
async fn what_is_no_address_with_a_password_is_told() {
    for answer in ["", "<html>", "http://HOST/access", "http://9c2@HOST/access", "http://:p%25ss@HOST/access"]
    {
        let house = House::new();
        let host = house.server.url().replace("http://", "");
        house.till.0.lock().unwrap().answer = Some(answer.replace("HOST", &host));
        let text = refused(house.claim_address(&house.claim_url()).await, ErrorKind::InvalidResponse);
        assert!(text.contains("make a new one"), "{answer}: {text}");
    }
}

#[tokio::test]
async fn failures_are_told_as_they_are() {
    for (fault, kind) in [
        (Fault::RetryAfterSeconds(1), ErrorKind::Throttled),
        (Fault::ServerError, ErrorKind::Unavailable),
        (Fault::Unavailable, ErrorKind::Unavailable),
        (Fault::ResetBefore, ErrorKind::Unavailable),
        (Fault::Echo, ErrorKind::Unauthorized),
        (Fault::RedirectTo(1), ErrorKind::InvalidResponse),
    ] {
        let house = House::new();
        house.server.set_faults(FaultPlan::none().at(1, fault));
        let text = refused(house.claim_address(&house.claim_url()).await, kind);
        assert!(text.contains("request: POST http://127.0.0.1"), "{fault:?}: {text}");
        // The token was not spent.
        house.claim_address(&house.claim_url()).await.unwrap();
    }
}

#[tokio::test]
async fn a_provider_that_has_none_says_so() {
    let bearer = Auth { scheme: AuthScheme::bearer("access_token"), ..Auth::bearer() };
    let engine = engine(Bank::new(bearer, no_settings()), None);
    refused(engine.claim_setup_token("bank", Credentials::none()).await, ErrorKind::Unsupported);
}

//! Rule 12: whatever holds a secret can be printed, also by a panic, and shows nothing of it.

use std::fmt::Debug;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Duration;

use http::{HeaderValue, Method};
use lifehub_core::clock::{ManualClock, Rng};
use lifehub_core::connector::{SettingsSchema, WebhookDelivery, WebhookKeys};
use lifehub_core::engine::{Operator, ProviderSettings};
use lifehub_core::http::{AuthScheme, Request, StaticCredentials};
use lifehub_core::memory::MemoryStore;
use lifehub_core::oauth::{
    Callback, Held, MemoryAuthorizations, OAuthApp, OAuthClient, OAuthSpec, Refresher, Renewed, Standing,
    VaultCredentials,
};
use lifehub_core::record::{ConnectionId, UserId};
use lifehub_core::secret::{Credentials, Secret};
use lifehub_ical::Ical;
use lifehub_store::{KeySource, NewConnection, OpenOptions};
use serde_json::json;

use crate::rig::{NoNetwork, start};

const CANARY: &str = "canary-Secret-4711";

/// Prints it in both forms, and panics with it.
fn shows_nothing(what: &(impl Debug + ?Sized)) {
    let panicked = catch_unwind(AssertUnwindSafe(|| panic!("{what:?}"))).unwrap_err();
    let texts = [format!("{what:?}"), format!("{what:#?}"), *panicked.downcast::<String>().unwrap()];
    for text in texts {
        assert!(!text.contains(CANARY), "{}", text.replace(CANARY, "CANARY"));
        assert!(!text.is_empty());
    }
}

fn secret() -> Secret {
    Secret::new(CANARY)
}

#[test]
fn rule_12_no_secret_in_debug_output_or_panics() {
    let fields = ["access_token", "refresh_token", "api_key", "password", "setting:url"];
    let credentials = fields.iter().fold(Credentials::none(), |all, name| all.with(*name, secret()));
    shows_nothing(&secret());
    shows_nothing(&credentials);
    shows_nothing(&StaticCredentials::new(credentials.clone()));

    let held = Held { credentials: credentials.clone(), revision: 1, standing: Standing::Good };
    shows_nothing(&held);
    shows_nothing(&Renewed { held: held.clone(), asked: true });
    let store = Arc::new(MemoryStore::new());
    let rng = Rng::seeded(1);
    let (connection, user) = (ConnectionId::new(start(), &rng), UserId::new(start(), &rng));
    store.set_credentials(connection, credentials.clone());
    let clock = Arc::new(ManualClock::at(start()));
    let refresher = Refresher::new(store.clone(), clock.clone(), |_| {});
    shows_nothing(&*store);
    shows_nothing(&refresher);
    shows_nothing(&VaultCredentials::new(refresher, connection, held, None));

    let mut settings = json!({ "url": format!("https://example.org/{CANARY}/feed.ics") });
    let schema: SettingsSchema = lifehub_core::connector::Connector::manifest(&Ical).settings;
    let sealed = schema.seal(&mut settings, Credentials::none());
    shows_nothing(&settings);
    shows_nothing(&sealed);

    let app = OAuthApp::new("app", Some(secret()));
    let spec = OAuthSpec::new("https://example.org/authorize", "https://example.org/token");
    shows_nothing(&app);
    shows_nothing(&OAuthClient::new(&spec, app, Arc::new(NoNetwork), clock).unwrap());
    shows_nothing(&MemoryAuthorizations::default());
    shows_nothing(&Callback::from_query(&format!("state={CANARY}&code={CANARY}")).unwrap());

    let mut operator = ProviderSettings::default();
    operator.client_secret = Some(secret());
    operator.webhook_token = Some(secret());
    shows_nothing(&WebhookKeys::new(Some(secret()), Some(secret())));
    let mut delivery = WebhookDelivery::post(CANARY, start());
    delivery.path = CANARY.into();
    delivery.query.push(("token".into(), CANARY.into()));
    shows_nothing(&delivery);
    shows_nothing(&operator);
    shows_nothing(&Operator::default().with("strava", operator));
    shows_nothing(&NewConnection::new(user, "strava", credentials.clone()));
    shows_nothing(&KeySource::Text(secret()));
    shows_nothing(&OpenOptions::new(KeySource::Text(secret())).lease_term(Duration::from_secs(1)));

    let url = format!("https://example.org/path?key={CANARY}").parse().unwrap();
    let mut request = Request::new(Method::POST, url);
    request.body = format!("client_secret={CANARY}").into();
    let mut bearer = HeaderValue::from_static(CANARY);
    bearer.set_sensitive(true);
    request.headers.insert("authorization", bearer);
    shows_nothing(&request);
    for scheme in [AuthScheme::bearer("api_key"), AuthScheme::query("key", "api_key")] {
        let mut request = request.clone();
        scheme.apply(&credentials, &mut request).unwrap();
        shows_nothing(&request);
    }
}

//! Strava: activities of one athlete.
//!
//! Facts are from Strava's API documentation (<https://developers.strava.com/docs>); see the README for what is read,
//! the limits, and the quirks.

mod normalize;
#[cfg(feature = "simulator")]
pub mod simulator;
mod webhook;

use lifehub_core::prelude::*;
use serde::Deserialize;

/// The most that Strava gives a page.
const PER_PAGE: u32 = 200;

/// Reads Strava.
#[derive(Debug)]
pub struct Strava;

static MANIFEST: LazyLock<Manifest> = LazyLock::new(|| Manifest {
    id: "strava",
    title: "Strava",
    about: "Runs, rides and other activities of one athlete",
    docs: "https://developers.strava.com/docs/reference/",
    base_url: "https://www.strava.com/api/v3",
    origins: &[],
    auth: Auth::oauth2(OAUTH),
    quotas: quotas(),
    streams: vec![
        StreamSpec::incremental("activities", "Activities", &["workout"], normalize::activity)
            // Pages are numbered, so an activity that goes shifts all behind it.
            .absence(Absence::MeansGoneIfConfirmed)
            // Strava has no `updated_at`: what changed is found by reading the last 30 days again.
            .lookback(30 * DAY)
            .scopes(&["activity:read_all", "activity:read"]),
    ],
    settings: no_settings(),
    terms: Terms::owner_only("https://www.strava.com/legal/api"),
});

/// Strava's consent (<https://developers.strava.com/docs/authentication>). Without a proof key, which Strava does not
/// know; a refresh token ends when another is handed out, but not by age.
const OAUTH: OAuthSpec =
    OAuthSpec::new("https://www.strava.com/oauth/authorize", "https://www.strava.com/oauth/token")
        .scopes(&["read", "activity:read_all"])
        .scope_separator(',')
        .client_auth(ClientAuth::Form)
        .without_pkce()
        .authorize_params(&[("approval_prompt", "auto")])
        .refusal(refusal)
        .revoke(Revocation::Rfc7009 { url: "https://www.strava.com/oauth/revoke", auth: ClientAuth::Basic });

/// Strava's errors.
#[derive(Deserialize)]
struct Envelope {
    errors: Vec<Fault>,
}

#[derive(Deserialize)]
struct Fault {
    resource: String,
    field: String,
    code: String,
}

/// Strava refuses in its own envelope: `{"errors":[{"resource":"RefreshToken","field":"refresh_token","code":"invalid"}]}`.
fn refusal(status: u16, body: &[u8]) -> Option<Refusal> {
    let Envelope { errors } = serde_json::from_slice(body).ok().filter(|_| (400..500).contains(&status))?;
    errors.iter().find_map(|fault| match (fault.resource.as_str(), fault.field.as_str()) {
        ("RefreshToken" | "AuthorizationCode" | "RequestToken", _) => Some(Refusal::Grant),
        ("Application", "client_id" | "client_secret") => Some(Refusal::Client),
        _ => None,
    })
}

/// Strava's 401 also says that a token lacks a scope: `{"errors":[{"resource":"AccessToken",
/// "field":"activity:read_permission","code":"missing"}]}`.
fn missing_scope(answer: &Answer) -> Option<Error> {
    let faults = (answer.status == 401).then(|| answer.json::<Envelope>().ok())??.errors;
    faults.iter().any(|fault| fault.code == "missing" && fault.field.ends_with("_permission")).then(|| {
        Error::new(ErrorKind::Forbidden, "the token may not read activities")
            .hint("connect the account again and leave every box ticked: activities need activity:read_all")
    })
}

/// The limits on reads, per app, as Strava gives them to new apps (<https://developers.strava.com/docs/rate-limits>).
fn quotas() -> Vec<QuotaSpec> {
    let read = |name, limit, every, position| {
        QuotaSpec::fixed(name, QuotaScope::App, limit, every)
            .reported(QuotaReport::used("x-readratelimit-usage", position))
    };
    vec![read("quarter", 100, Duration::from_secs(900), 0), read("day", 1000, DAY, 1)]
}

#[async_trait]
impl Connector for Strava {
    fn manifest(&self) -> &Manifest {
        &MANIFEST
    }

    async fn identify(&self, cx: &Context<'_>) -> Result<Identity> {
        cx.get("/athlete").parse(|athlete| Identity::of(athlete, "id", "username")).await
    }

    async fn fetch_page(&self, cx: &Context<'_>, at: Place<'_>, cursor: Option<&Cursor>) -> Result<Page> {
        if at.stream != "activities" {
            return Err(at.unknown());
        }
        let place: PageNumber = resume(cursor)?;
        let pass = cx.pass();
        // `after` is exclusive and counts whole seconds; one second earlier reads the border too.
        let after = pass.from.map(|from| from.as_seconds() - 1);
        let items = cx
            .get("/athlete/activities")
            .query("page", place.page)
            .query("per_page", PER_PAGE)
            .query_opt("after", after)
            .parse(|answer| answer.items())
            .await?;
        let next = go_on(place.next(items.len()), Coverage::since(pass.from, pass.to))?;
        let key = |activity: &Fields<'_>| {
            // 64 bits: documented examples exceed 2^53.
            Ok(ItemKey::new(activity.id("id")?).at(activity.maybe("start_date")))
        };
        Ok(Page { items: items.into_iter().map(|body| Item::read(body, key)).collect(), next })
    }

    fn classify(&self) -> Option<Classify> {
        Some(missing_scope)
    }

    fn receive(&self, keys: &WebhookKeys, delivery: &WebhookDelivery) -> Result<WebhookOutcome> {
        webhook::receive(keys, delivery)
    }
}

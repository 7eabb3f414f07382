//! Oura: nights, scores, movement, workouts, sessions, tags and heart rate of one ring.
//!
//! Facts are from Oura's API documentation (<https://cloud.ouraring.com/v2/docs>) and from measurements by its clients; see
//! the README for what is read, the limits, and the quirks.

mod collection;
mod normalize;
#[cfg(feature = "simulator")]
pub mod simulator;

use lifehub_core::prelude::*;
use schemars::JsonSchema;
use serde::Deserialize;

use collection::Collection;

/// Opens with any token, whatever its scopes; it tells no more than the id then.
const PERSONAL_INFO: &str = "/v2/usercollection/personal_info";

/// Reads Oura.
#[derive(Debug)]
pub struct Oura;

/// What a user may set.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
struct Settings {
    /// The first day to read. Default: all that Oura has.
    start: Option<Day>,
}

static MANIFEST: LazyLock<Manifest> = LazyLock::new(|| {
    // They hold for each token and for each app. Which figure is whose is not said, so the users of an app share one.
    let requests = QuotaSpec::sliding("requests", QuotaScope::App, 5_000, Duration::from_secs(300));
    Manifest {
        id: "oura",
        title: "Oura",
        about: "Nights, readiness, movement, workouts, heart rate and tags of a ring",
        docs: "https://cloud.ouraring.com/v2/docs",
        base_url: "https://api.ouraring.com",
        origins: &[],
        auth: Auth::oauth2(OAUTH),
        quotas: vec![requests],
        streams: streams(),
        settings: SettingsSchema::of::<Settings>(),
        terms: Terms::owner_only("https://cloud.ouraring.com/legal/api-agreement"),
    }
});

/// The scope of nights, scores and movement.
const DAILY: &[&str] = &["daily"];

fn streams() -> Vec<StreamSpec> {
    let stream = |name, title, datasets, normalize: fn(&RawItem) -> Records| {
        StreamSpec::incremental(name, title, datasets, normalize)
            // Nothing says what changed: nights are analysed again, scores follow, today's activity grows.
            .lookback(14 * DAY)
            .full_every(30 * DAY)
            // What is in a `next_token` is not said. If it counts rows, one that goes shifts all behind it.
            .absence(Absence::MeansGoneIfConfirmed)
    };
    vec![
        stream("sleep", "Nights and naps", &["sleep"], normalize::sleep).scopes(DAILY),
        stream("daily_sleep", "Sleep scores", &["sleep"], normalize::daily_sleep).scopes(DAILY),
        stream("daily_readiness", "Readiness", &["readiness"], normalize::daily_readiness).scopes(DAILY),
        stream("daily_activity", "Daily movement", &["activity"], normalize::daily_activity).scopes(DAILY),
        stream("daily_spo2", "Blood oxygen", &["vital"], normalize::daily_spo2).scopes(&["spo2"]),
        stream("workouts", "Workouts", &["workout"], normalize::workout).scopes(&["workout"]),
        stream("sessions", "Sessions", &["custom"], normalize::session).scopes(&["session"]),
        stream("tags", "Tags", &["entry"], normalize::tag).scopes(&["tag"]),
        // Samples are many, and old ones stay as they are. A ring holds those of a week before it is synced.
        stream("heart_rate", "Heart rate", &["vital"], normalize::heart_rate)
            .scopes(&["heartrate"])
            .lookback(8 * DAY)
            .full_every(365 * DAY),
    ]
}

/// Oura's consent (<https://cloud.ouraring.com/docs/authentication>): without proof keys; a refresh token is good once.
/// `email` is for the name of the account. Scopes are granted under another name than they are asked for: `daily` comes
/// back as `extapi:daily`.
const OAUTH: OAuthSpec =
    OAuthSpec::new("https://cloud.ouraring.com/oauth/authorize", "https://api.ouraring.com/oauth/token")
        .scopes(&["email", "daily", "spo2", "workout", "session", "tag", "heartrate"])
        .scope_prefix("extapi:")
        .client_auth(ClientAuth::Form)
        .revoke(Revocation::Query { url: "https://api.ouraring.com/oauth/revoke", parameter: "access_token" })
        .without_pkce();

/// A missing scope, and what to do about it.
const UNSCOPED: &str = "the consent does not include what this stream needs";
const TICK_ALL: &str = "connect the account again and leave every box ticked; for an own app, switch its scopes on at \
                        Oura first; what is stored stays";

/// What Oura's refusals say beyond their status (<https://cloud.ouraring.com/docs/error-handling>). A token that lacks a
/// scope is refused like one that has ended, and another token would lack it too: one word tells them apart.
const REFUSED: &[Refused] = &[
    Refused::on(401, ErrorKind::Forbidden, UNSCOPED).hint(TICK_ALL).if_says(&["detail", "title"], "scope"),
    Refused::on(403, ErrorKind::Forbidden, "Oura gives none of this data").hint(
        "see in the Oura app whether the membership has ended; if not, connect the account again and leave every box ticked",
    ),
    Refused::on(426, ErrorKind::Forbidden, "the Oura app on the phone is too old for this data")
        .hint("update the app and let it sync with the ring"),
];

#[async_trait]
impl Connector for Oura {
    fn manifest(&self) -> &Manifest {
        &MANIFEST
    }

    async fn identify(&self, cx: &Context<'_>) -> Result<Identity> {
        cx.get(PERSONAL_INFO).parse(|person| Identity::of(person, "id", "email")).await
    }

    /// Walks back in time, so that the latest days are there first. The cursor is a span of days and a page of its list.
    async fn fetch_page(&self, cx: &Context<'_>, at: Place<'_>, cursor: Option<&Cursor>) -> Result<Page> {
        let collection = Collection::of(at)?;
        let Settings { start } = cx.settings()?;
        let pass = cx.pass();
        // The user's calendar may be a day ahead of UTC.
        let last = pass.to.utc_day().plus(1);
        let first = start.unwrap_or(collection.first).max(collection.first);
        let first = pass.from.map_or(first, |from| from.utc_day().max(first)).min(last);

        let latest = || (DaySpan::last(first, last, collection.days), PageToken::default());
        let (span, page) = resume::<Option<(DaySpan, PageToken)>>(cursor)?.unwrap_or_else(latest);
        let (items, token) = match collection.list(cx, span, &page).await {
            Err(error) if error.kind() == ErrorKind::Unauthorized => return Err(judged(cx).await),
            listed => listed?,
        };
        let before = || Some((span.before(first, collection.days)?, PageToken::default()));
        let next = page.next(token).map(|page| (span, page)).or_else(before);

        // A full pass from the first ring on is for everything. The borders of others are not covered themselves.
        let border = first.start_utc() - Duration::from_micros(1);
        let from = (pass.from.is_some() || start.is_some()).then_some(border);
        let covers = Coverage::since(from, last.plus(1).start_utc());
        Ok(Page { items, next: go_on(next.map(Some), covers)? })
    }

    fn classify(&self) -> Option<Classify> {
        Some(|answer| refused(answer, REFUSED))
    }
}

/// What a 401 of a collection means that names no scope: if the token opens the account, that the scope is missing.
async fn judged(cx: &Context<'_>) -> Error {
    let missing = || Error::new(ErrorKind::Forbidden, UNSCOPED).hint(TICK_ALL);
    cx.get(PERSONAL_INFO).send().await.err().unwrap_or_else(missing)
}

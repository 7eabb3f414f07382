//! Oura: nights, scores, movement, workouts, sessions, tags and heart rate of one ring.
//!
//! Facts are from Oura's API documentation (<https://cloud.ouraring.com/v2/docs>) and from measurements by its clients; see
//! the README for what is read, the limits, and the quirks.

mod collection;
mod normalize;
mod refusal;
#[cfg(feature = "simulator")]
pub mod simulator;

use lifehub_core::prelude::*;
use schemars::JsonSchema;
use serde::Deserialize;

use collection::{At, Collection};

/// Opens with any token, whatever its scopes; it tells no more than the id then.
const PERSONAL_INFO: &str = "/v2/usercollection/personal_info";

/// Scopes are granted under another name than they are asked for: `daily` comes back as `extapi:daily`.
const DAILY: &[&str] = &["daily", "extapi:daily"];

/// Reads Oura.
#[derive(Debug)]
pub struct Oura {
    manifest: Manifest,
}

impl Default for Oura {
    fn default() -> Self {
        Self { manifest: manifest() }
    }
}

/// What a user may set.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
struct Settings {
    /// The first day to read. Default: all that Oura has.
    start: Option<Day>,
}

fn manifest() -> Manifest {
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
}

fn streams() -> Vec<StreamSpec> {
    fn stream(
        (name, title): (&'static str, &'static str),
        datasets: &'static [&'static str],
        normalize: fn(&RawItem) -> Records,
        scopes: &'static [&'static str],
    ) -> StreamSpec {
        StreamSpec::incremental(name, title, datasets, normalize)
            .scopes(scopes)
            // Nothing says what changed: nights are analysed again, scores follow, today's activity grows.
            .lookback(14 * DAY)
            .full_every(30 * DAY)
            // What is in a `next_token` is not said. If it counts rows, one that goes shifts all behind it.
            .absence(Absence::MeansGoneIfConfirmed)
    }
    let (spo2, heart) = (&["spo2", "extapi:spo2"], &["heartrate", "extapi:heartrate"]);
    vec![
        stream(("sleep", "Nights and naps"), &["sleep"], normalize::sleep, DAILY),
        stream(("daily_sleep", "Sleep scores"), &["sleep"], normalize::daily_sleep, DAILY),
        stream(("daily_readiness", "Readiness"), &["readiness"], normalize::daily_readiness, DAILY),
        stream(("daily_activity", "Daily movement"), &["activity"], normalize::daily_activity, DAILY),
        stream(("daily_spo2", "Blood oxygen"), &["vital"], normalize::daily_spo2, spo2),
        stream(("workouts", "Workouts"), &["workout"], normalize::workout, &["workout", "extapi:workout"]),
        stream(("sessions", "Sessions"), &["custom"], normalize::session, &["session", "extapi:session"]),
        stream(("tags", "Tags"), &["entry"], normalize::tag, &["tag", "extapi:tag"]),
        // Samples are many, and old ones stay as they are. A ring holds those of a week before it is synced.
        stream(("heart_rate", "Heart rate"), &["vital"], normalize::heart_rate, heart)
            .lookback(8 * DAY)
            .full_every(365 * DAY),
    ]
}

/// Oura's consent (<https://cloud.ouraring.com/docs/authentication>): without proof keys; a refresh token is good once.
/// `email` is for the name of the account.
const OAUTH: OAuthSpec =
    OAuthSpec::new("https://cloud.ouraring.com/oauth/authorize", "https://api.ouraring.com/oauth/token")
        .scopes(&["email", "daily", "spo2", "workout", "session", "tag", "heartrate"])
        .scope_prefix("extapi:")
        .client_auth(ClientAuth::Form)
        .without_pkce();

#[async_trait]
impl Connector for Oura {
    fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    async fn identify(&self, cx: &Context<'_>) -> Result<Identity> {
        #[derive(Deserialize)]
        struct PersonalInfo {
            id: String,
            email: Option<String>,
        }
        let PersonalInfo { id, email } = cx.get(PERSONAL_INFO).json().await?;
        Ok(Identity { account: id, title: email })
    }

    /// Walks back in time, so that the latest days are there first.
    async fn fetch_page(&self, cx: &Context<'_>, at: Place<'_>, cursor: Option<&Cursor>) -> Result<Page> {
        let collection = Collection::of(at)?;
        let Settings { start } = cx.settings()?;
        let days = collection.days_of(cx.pass(), start);
        let place = resume::<Option<At>>(cursor)?.unwrap_or_else(|| collection.latest(days));
        let (items, next) = match collection.list(cx, &place).await {
            Ok(page) => {
                let next = collection.next(&place, &page, days.from);
                (page.items, next)
            }
            Err(error) if error.kind() == ErrorKind::Unauthorized => return Err(judged(cx).await),
            Err(error) if error.kind() == ErrorKind::Invalid && place.token.is_some() => {
                return Err(Error::new(
                    ErrorKind::CursorExpired,
                    "Oura does not know its next_token any more",
                ));
            }
            // No longest list is documented. If there is one, these days are asked for in usual ones.
            Err(error) if error.kind() == ErrorKind::Invalid => {
                (Vec::new(), Some(collection.shorter(&place).ok_or(error)?))
            }
            Err(error) => return Err(error),
        };
        Ok(Page { items, next: go_on(next.map(Some), collection::coverage(days, cx.pass(), start))? })
    }

    fn classify(&self) -> Option<Classify> {
        Some(refusal::read)
    }
}

/// What a 401 of a collection means that names no scope: if the token opens the account, that the scope is missing.
async fn judged(cx: &Context<'_>) -> Error {
    cx.get(PERSONAL_INFO).send().await.err().unwrap_or_else(refusal::missing_scope)
}

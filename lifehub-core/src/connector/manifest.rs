//! The manifest: all that is known of a provider before the first request.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use serde::ser::SerializeStruct;
use serde::{Serialize, Serializer};

use crate::connector::settings::SettingsSchema;
use crate::http::{AuthScheme, QuotaSpec};
use crate::normalize::Normalizer;
use crate::oauth::OAuthSpec;

/// What a provider offers and asks for.
#[derive(Debug, Clone, Serialize)]
pub struct Manifest {
    /// The name in commands, routes and configuration: lower case, digits and `-`.
    pub id: &'static str,
    /// The name for people.
    pub title: &'static str,
    /// One line on what is read.
    pub about: &'static str,
    /// Where the provider documents its API.
    pub docs: &'static str,
    /// The API's address; an operator may set another.
    pub base_url: &'static str,
    /// Other origins to which credentials may travel (`https://upload.example.com`).
    pub origins: &'static [&'static str],
    /// What a user must hand over.
    pub auth: Auth,
    /// How much the provider lets through.
    pub quotas: Vec<QuotaSpec>,
    /// The streams, in the order in which they are synced.
    pub streams: Vec<StreamSpec>,
    /// What a user may set.
    pub settings: SettingsSchema,
    /// What the provider's terms allow.
    pub terms: Terms,
}

impl Manifest {
    /// The stream of that name.
    pub fn stream(&self, name: &str) -> Option<&StreamSpec> {
        self.streams.iter().find(|stream| stream.name == name)
    }
}

/// How a provider knows its user.
#[derive(Debug, Clone, Serialize)]
pub struct Auth {
    /// The kind, for people and interfaces.
    pub kind: AuthKind,
    /// How requests carry the credentials.
    pub scheme: AuthScheme,
    /// The credentials by name.
    pub fields: Vec<CredentialField>,
    /// How an account is connected in a browser, and how its tokens are renewed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub oauth: Option<OAuthSpec>,
}

impl Auth {
    /// No credentials.
    pub fn none() -> Self {
        Self { kind: AuthKind::None, scheme: AuthScheme::None, fields: Vec::new(), oauth: None }
    }

    /// A token that the user makes at the provider and copies: requests carry it as a bearer token.
    pub fn bearer() -> Self {
        let fields = vec![CredentialField::secret("access_token", "Access token")];
        Self { kind: AuthKind::Bearer, scheme: AuthScheme::bearer("access_token"), fields, oauth: None }
    }

    /// A key that the user copies from the provider, by the name `api_key`; the scheme says where requests carry it.
    pub fn api_key(scheme: AuthScheme) -> Self {
        let fields = vec![CredentialField::secret("api_key", "API key")];
        Self { kind: AuthKind::ApiKey, scheme, fields, oauth: None }
    }

    /// User name and password, or key and secret, in `Authorization: Basic …`.
    pub fn basic(user: CredentialField, password: CredentialField) -> Self {
        let scheme = AuthScheme::basic(user.name, password.name);
        Self { kind: AuthKind::Basic, scheme, fields: vec![user, password], oauth: None }
    }

    /// A token that is exchanged once, when the account is connected, for an address with a user name and a password in
    /// it (as SimpleFIN does, <https://www.simplefin.org/protocol.html>). Requests carry those two; the address comes
    /// to the connector as its secret setting `access_url`.
    pub fn setup_token() -> Self {
        let fields = vec![CredentialField::secret("setup_token", "Setup token")];
        Self {
            kind: AuthKind::SetupToken,
            scheme: AuthScheme::basic("user", "password"),
            fields,
            oauth: None,
        }
    }

    /// OAuth 2.0 as this provider speaks it: requests carry the access token as a bearer token.
    pub fn oauth2(spec: OAuthSpec) -> Self {
        let field = |name, title, required| CredentialField { name, title, required, secret: true };
        Self {
            kind: AuthKind::OAuth2,
            scheme: AuthScheme::Bearer { field: "access_token".into() },
            fields: vec![
                field("access_token", "Access token", true),
                field("refresh_token", "Refresh token", false),
                CredentialField {
                    name: "expires_at",
                    title: "When the access token ends (RFC 3339)",
                    required: false,
                    secret: false,
                },
            ],
            oauth: Some(spec),
        }
    }
}

/// The kind of a provider's authentication.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum AuthKind {
    /// None at all.
    None,
    /// A key that the user copies from the provider.
    ApiKey,
    /// A token that the user makes at the provider and copies.
    Bearer,
    /// User name and password, or key and secret.
    Basic,
    /// A token that is exchanged once for what is kept.
    SetupToken,
    /// OAuth 2.0.
    #[serde(rename = "oauth2")]
    OAuth2,
}

impl fmt::Display for AuthKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::None => "none",
            Self::ApiKey => "api_key",
            Self::Bearer => "bearer",
            Self::Basic => "basic",
            Self::SetupToken => "setup_token",
            Self::OAuth2 => "oauth2",
        })
    }
}

/// One credential that a user hands over.
#[derive(Debug, Clone, Serialize)]
pub struct CredentialField {
    /// The name in `--secret NAME=…` and in the connect form.
    pub name: &'static str,
    /// The label for people.
    pub title: &'static str,
    /// Whether the connection cannot work without it.
    pub required: bool,
    /// Whether a form hides what is typed.
    pub secret: bool,
}

impl CredentialField {
    /// One that must be given, and that a form hides.
    pub const fn secret(name: &'static str, title: &'static str) -> Self {
        Self { name, title, required: true, secret: true }
    }
}

/// How a stream is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum SyncMode {
    /// Live passes from the anchor between full passes.
    Incremental,
    /// Every pass reads everything.
    Snapshot,
}

/// What it means when an item does not come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Absence {
    /// Nothing: passes cover nothing.
    MeansNothing,
    /// It is gone, if the pass covers it: one answer, or the provider's own page tokens.
    MeansGone,
    /// It is gone if a second walk misses it too: numbered pages and offsets shift when an item before them goes.
    MeansGoneIfConfirmed,
}

/// One collection of a provider.
#[derive(Clone)]
pub struct StreamSpec {
    /// The name.
    pub name: &'static str,
    /// The name for people.
    pub title: &'static str,
    /// The datasets of its records.
    pub datasets: &'static [&'static str],
    /// What makes records of its items.
    pub normalizer: Arc<dyn Normalizer>,
    /// The normalizer's version: raise it when the same item would give other records.
    pub version: u32,
    /// How it is read.
    pub sync: SyncMode,
    /// What it means when an item does not come.
    pub absence: Absence,
    /// How far before the last caught-up time every live pass reads again, for late edits.
    pub lookback: Duration,
    /// How often a live pass is due.
    pub interval: Duration,
    /// How often a full pass is due.
    pub full_every: Duration,
    /// The scopes of the consent that open it, any one of them; empty if it needs none of its own. A stream that the user
    /// did not allow is not asked for, and its report says what to do.
    pub scopes: &'static [&'static str],
}

impl StreamSpec {
    /// A stream with live passes between full ones. What these change is up to the methods that follow: without them it
    /// is read every hour and in full each week, without look-back, and absence means nothing.
    ///
    /// ```
    /// # use std::time::Duration;
    /// # use lifehub_core::{connector::{Absence, StreamSpec}, normalize::Reject, page::RawItem, record::Record};
    /// # fn night(_: &RawItem) -> Result<Vec<Record>, Reject> { Ok(vec![]) }
    /// const DAY: Duration = Duration::from_secs(86_400);
    /// let nights = StreamSpec::incremental("sleep", "Nights", &["sleep"], night)
    ///     .lookback(14 * DAY)
    ///     .absence(Absence::MeansGone)
    ///     .scopes(&["daily"]);
    /// assert_eq!(nights.version, 1);
    /// ```
    pub fn incremental(
        name: &'static str,
        title: &'static str,
        datasets: &'static [&'static str],
        normalizer: impl Normalizer + 'static,
    ) -> Self {
        Self {
            name,
            title,
            datasets,
            normalizer: Arc::new(normalizer),
            version: 1,
            sync: SyncMode::Incremental,
            absence: Absence::MeansNothing,
            lookback: Duration::ZERO,
            interval: Duration::from_secs(3_600),
            full_every: Duration::from_secs(7 * 86_400),
            scopes: &[],
        }
    }

    /// A stream that every pass reads whole, by the same defaults.
    pub fn snapshot(
        name: &'static str,
        title: &'static str,
        datasets: &'static [&'static str],
        normalizer: impl Normalizer + 'static,
    ) -> Self {
        let incremental = Self::incremental(name, title, datasets, normalizer);
        Self { sync: SyncMode::Snapshot, full_every: incremental.interval, ..incremental }
    }

    /// The normalizer's version: raise it when the same item would give other records.
    #[must_use]
    pub fn version(mut self, version: u32) -> Self {
        self.version = version;
        self
    }

    /// What it means when an item does not come.
    #[must_use]
    pub fn absence(mut self, absence: Absence) -> Self {
        self.absence = absence;
        self
    }

    /// How far before the last caught-up time every live pass reads again.
    #[must_use]
    pub fn lookback(mut self, lookback: Duration) -> Self {
        self.lookback = lookback;
        self
    }

    /// How often it is due; a snapshot's full passes with it.
    #[must_use]
    pub fn interval(mut self, interval: Duration) -> Self {
        self.interval = interval;
        if self.sync == SyncMode::Snapshot {
            self.full_every = interval;
        }
        self
    }

    /// How often a full pass is due.
    #[must_use]
    pub fn full_every(mut self, full_every: Duration) -> Self {
        self.full_every = full_every;
        self
    }

    /// The scopes that open it, any one of them.
    #[must_use]
    pub fn scopes(mut self, scopes: &'static [&'static str]) -> Self {
        self.scopes = scopes;
        self
    }
}

impl fmt::Debug for StreamSpec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StreamSpec")
            .field("name", &self.name)
            .field("version", &self.version)
            .finish_non_exhaustive()
    }
}

impl Serialize for StreamSpec {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut out = serializer.serialize_struct("StreamSpec", 10)?;
        out.serialize_field("name", self.name)?;
        out.serialize_field("title", self.title)?;
        out.serialize_field("datasets", self.datasets)?;
        out.serialize_field("version", &self.version)?;
        out.serialize_field("sync", &self.sync)?;
        out.serialize_field("absence", &self.absence)?;
        out.serialize_field("lookback_s", &self.lookback.as_secs())?;
        out.serialize_field("interval_s", &self.interval.as_secs())?;
        out.serialize_field("full_every_s", &self.full_every.as_secs())?;
        out.serialize_field("scopes", self.scopes)?;
        out.end()
    }
}

/// What a provider's terms allow with the data.
#[derive(Debug, Clone, Serialize)]
pub struct Terms {
    /// Who may see it.
    pub visible_to: Visibility,
    /// Whether a language model may read it.
    pub language_models: bool,
    /// Whether it must be deleted when the user withdraws.
    pub delete_on_withdrawal: bool,
    /// What must stand beside the data wherever it is shown (CC BY, for example).
    pub attribution: Option<&'static str>,
    /// Where the terms stand.
    pub url: &'static str,
}

impl Terms {
    /// For the owner's eyes alone, for no language model, and deleted when the owner withdraws.
    pub const fn owner_only(url: &'static str) -> Self {
        Self {
            visible_to: Visibility::OwnerOnly,
            language_models: false,
            delete_on_withdrawal: true,
            attribution: None,
            url,
        }
    }

    /// For whomever the owner lets see it, language models too; the data is the owner's to keep.
    pub const fn owners_choice(url: &'static str) -> Self {
        Self {
            visible_to: Visibility::OwnersChoice,
            language_models: true,
            delete_on_withdrawal: false,
            attribution: None,
            url,
        }
    }
}

/// Who may see a provider's data.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Visibility {
    /// Its owner alone.
    OwnerOnly,
    /// Whoever its owner lets.
    OwnersChoice,
}

//! What the operator of an installation sets for each provider.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::Deserialize;
use url::Url;

use super::duration::optional;
use crate::connector::Manifest;
use crate::error::{Error, ErrorKind, Result};
use crate::http::QuotaSpec;
use crate::secret::Secret;

/// The settings of all providers; one that is not named has the defaults.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(transparent)]
pub struct Operator(BTreeMap<String, ProviderSettings>);

impl Operator {
    /// Sets those of one provider.
    #[must_use]
    pub fn with(mut self, provider: impl Into<String>, settings: ProviderSettings) -> Self {
        self.0.insert(provider.into(), settings);
        self
    }

    /// Those of one provider.
    pub fn of(&self, provider: &str) -> ProviderSettings {
        self.0.get(provider).cloned().unwrap_or_default()
    }

    /// The providers that are named.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }
}

/// What an operator may set for a provider.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
#[non_exhaustive]
pub struct ProviderSettings {
    /// Whether the provider is offered and synced.
    pub enabled: bool,
    /// The id of the operator's app at the provider.
    pub client_id: Option<String>,
    /// Its secret.
    pub client_secret: Option<Secret>,
    /// The secret that the operator chose for its webhooks: the provider is told it, and sends it along.
    pub webhook_token: Option<Secret>,
    /// Another address of the API than the manifest's.
    pub base_url: Option<Url>,
    /// Another address of the consent page.
    pub authorize_url: Option<Url>,
    /// Another address of the token endpoint.
    pub token_url: Option<Url>,
    /// Another address of the revocation endpoint.
    pub revoke_url: Option<Url>,
    /// Other quotas than the manifest's.
    pub quotas: Option<QuotaSetting>,
    /// Another interval between live passes.
    #[serde(deserialize_with = "optional")]
    pub interval: Option<Duration>,
    /// Another look-back than the streams'.
    #[serde(deserialize_with = "optional")]
    pub lookback: Option<Duration>,
}

impl Default for ProviderSettings {
    fn default() -> Self {
        Self {
            enabled: true,
            client_id: None,
            client_secret: None,
            webhook_token: None,
            base_url: None,
            authorize_url: None,
            token_url: None,
            revoke_url: None,
            quotas: None,
            interval: None,
            lookback: None,
        }
    }
}

impl ProviderSettings {
    /// The quotas that hold; `None` if they are switched off.
    pub(super) fn quotas(&self, manifest: &Manifest) -> Option<Vec<QuotaSpec>> {
        match &self.quotas {
            None => Some(manifest.quotas.clone()),
            Some(QuotaSetting::List(quotas)) => Some(quotas.clone()),
            Some(QuotaSetting::Word(QuotaWord::Off)) => None,
        }
    }
}

/// Quotas as an operator writes them: a list, or `"off"`.
#[derive(Debug, Clone, Deserialize)]
#[serde(untagged)]
pub enum QuotaSetting {
    /// One word for all.
    Word(QuotaWord),
    /// These instead of the manifest's.
    List(Vec<QuotaSpec>),
}

/// A word instead of quotas.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum QuotaWord {
    /// Nothing is held back; what the provider itself asks for is still obeyed.
    Off,
}

/// Reads an address of a manifest.
pub(super) fn url(text: &str) -> Result<Url> {
    Url::parse(text).map_err(|e| Error::new(ErrorKind::Invalid, format!("{text:?} is no address: {e}")))
}

//! The tokens of one answer, and the credentials that they become.

use std::time::Duration;

use crate::clock::Timestamp;
use crate::secret::{Credentials, Secret};

/// The fields that tokens replace; all others are not theirs.
pub(super) const ACCESS: &str = "access_token";
pub(super) const REFRESH: &str = "refresh_token";
const EXPIRES_AT: &str = "expires_at";
const EXPIRES_IN: &str = "expires_in";
const SCOPES: &str = "scopes";
pub(super) const CONSENTED_AT: &str = "consented_at";

/// What a token call brought.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Tokens {
    /// The access token.
    pub access_token: Secret,
    /// The refresh token; none if the provider sent none, and the old one goes on.
    pub refresh_token: Option<Secret>,
    /// Until when the access token is good by this machine's clock; none if the provider does not say.
    pub expires_at: Option<Timestamp>,
    /// How long that is from the moment at which the request was sent, in whole seconds.
    pub life: Option<Duration>,
    /// The scopes, if the provider names them.
    pub scopes: Option<Vec<String>>,
    /// When the user agreed, by this machine's clock; none if these came of a refresh token.
    pub consented_at: Option<Timestamp>,
}

impl Tokens {
    /// The credentials `old`, with these tokens in place of theirs: `access_token`, `refresh_token`, `expires_at` (RFC
    /// 3339), `expires_in` (seconds), `scopes` (with spaces between) and `consented_at` (RFC 3339). What the provider sent no successor for stays,
    /// but for the expiry, which belongs to the access token.
    pub fn into_credentials(self, old: &Credentials) -> Credentials {
        let kept = old.names().filter(|name| ![EXPIRES_AT, EXPIRES_IN].contains(name));
        let kept = kept.filter_map(|name| Some((name, old.get(name)?.clone())));
        let kept = kept.fold(Credentials::none(), |all, (name, secret)| all.with(name, secret));
        let renewed = [
            (ACCESS, Some(self.access_token)),
            (REFRESH, self.refresh_token),
            (EXPIRES_AT, self.expires_at.map(|at| Secret::new(at.to_string()))),
            (EXPIRES_IN, self.life.map(|life| Secret::new(life.as_secs().to_string()))),
            (SCOPES, self.scopes.map(|scopes| Secret::new(scopes.join(" ")))),
            (CONSENTED_AT, self.consented_at.map(|at| Secret::new(at.to_string()))),
        ];
        let renewed = renewed.into_iter().filter_map(|(name, secret)| Some((name, secret?)));
        renewed.fold(kept, |all, (name, secret)| all.with(name, secret))
    }
}

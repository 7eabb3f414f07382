//! How a provider's OAuth 2.0 differs from the standard.

use std::time::Duration;

use serde::{Serialize, Serializer};

use super::tokens::CONSENTED_AT;
use crate::clock::Timestamp;
use crate::secret::Credentials;

/// Reads the body of a token answer of any status (200 too) in which a provider refuses in its own words. `None` leaves
/// it to the RFC's words and the status.
pub type ReadRefusal = fn(status: u16, body: &[u8]) -> Option<Refusal>;

/// A provider's OAuth 2.0, as its manifest says it. What it says nothing of is as in RFC 6749, with proof keys.
#[derive(Debug, Clone, Serialize)]
#[non_exhaustive]
pub struct OAuthSpec {
    /// Where the user is asked.
    pub authorize_url: &'static str,
    /// Where codes and refresh tokens become access tokens.
    pub token_url: &'static str,
    /// How a consent is given back.
    pub revoke: Revocation,
    /// What `iss` has to be where the provider sends it back (RFC 9207).
    pub issuer: Option<&'static str>,
    /// The scopes to ask for.
    pub scopes: &'static [&'static str],
    /// What stands between them in a request. In answers, spaces and commas are understood as well.
    pub scope_separator: char,
    /// What the provider writes before the names of scopes that it granted, though it is asked for them without it.
    #[serde(skip_serializing_if = "str::is_empty")]
    pub scope_prefix: &'static str,
    /// Where a token call carries the app's id and secret.
    pub client_auth: ClientAuth,
    /// Whether a proof key is sent (RFC 7636, S256).
    pub pkce: bool,
    /// What else the consent page is asked with.
    pub authorize_params: &'static [(&'static str, &'static str)],
    /// What else a token call is sent with.
    pub token_params: &'static [(&'static str, &'static str)],
    /// Where the token answer stands in its body: a JSON pointer (RFC 6901), empty for the whole of it.
    pub answer_at: &'static str,
    /// How it refuses in its own words.
    #[serde(skip)]
    pub refusal: Option<ReadRefusal>,
    /// How long a refresh token lives that is not used, if the provider says so.
    #[serde(rename = "refresh_token_life_s", serialize_with = "seconds")]
    pub refresh_token_life: Option<Duration>,
    /// After how long a consent ends, however often it is used, if the provider says so.
    #[serde(rename = "consent_life_s", serialize_with = "seconds", skip_serializing_if = "Option::is_none")]
    pub consent_life: Option<Duration>,
}

fn seconds<S: Serializer>(life: &Option<Duration>, serializer: S) -> Result<S::Ok, S::Error> {
    life.map(|life| life.as_secs()).serialize(serializer)
}

impl OAuthSpec {
    /// OAuth 2.0 by the RFCs at these two addresses: no scopes, no revocation, Basic client authentication.
    pub const fn new(authorize_url: &'static str, token_url: &'static str) -> Self {
        Self {
            authorize_url,
            token_url,
            revoke: Revocation::None,
            issuer: None,
            scopes: &[],
            scope_separator: ' ',
            scope_prefix: "",
            client_auth: ClientAuth::Basic,
            pkce: true,
            authorize_params: &[],
            token_params: &[],
            answer_at: "",
            refusal: None,
            refresh_token_life: None,
            consent_life: None,
        }
    }

    /// Asks for these scopes.
    #[must_use]
    pub const fn scopes(mut self, scopes: &'static [&'static str]) -> Self {
        self.scopes = scopes;
        self
    }

    /// Puts this between scopes.
    #[must_use]
    pub const fn scope_separator(mut self, separator: char) -> Self {
        self.scope_separator = separator;
        self
    }

    /// Carries the app's id and secret there.
    #[must_use]
    pub const fn client_auth(mut self, auth: ClientAuth) -> Self {
        self.client_auth = auth;
        self
    }

    /// Gives a consent back in this way.
    #[must_use]
    pub const fn revoke(mut self, revoke: Revocation) -> Self {
        self.revoke = revoke;
        self
    }

    /// Names who has to have sent the user back.
    #[must_use]
    pub const fn issuer(mut self, issuer: &'static str) -> Self {
        self.issuer = Some(issuer);
        self
    }

    /// Sends no proof key, for providers that do not bear one.
    #[must_use]
    pub const fn without_pkce(mut self) -> Self {
        self.pkce = false;
        self
    }

    /// Takes this off the names of granted scopes.
    #[must_use]
    pub const fn scope_prefix(mut self, prefix: &'static str) -> Self {
        self.scope_prefix = prefix;
        self
    }

    /// Asks the consent page with these parameters too.
    #[must_use]
    pub const fn authorize_params(mut self, params: &'static [(&'static str, &'static str)]) -> Self {
        self.authorize_params = params;
        self
    }

    /// Sends token calls with these parameters too.
    #[must_use]
    pub const fn token_params(mut self, params: &'static [(&'static str, &'static str)]) -> Self {
        self.token_params = params;
        self
    }

    /// Looks for the token answer at this JSON pointer of the body.
    #[must_use]
    pub const fn answer_at(mut self, pointer: &'static str) -> Self {
        self.answer_at = pointer;
        self
    }

    /// Reads refusals with this.
    #[must_use]
    pub const fn refusal(mut self, read: ReadRefusal) -> Self {
        self.refusal = Some(read);
        self
    }

    /// Says how long a refresh token lives that is not used.
    #[must_use]
    pub const fn refresh_token_life(mut self, life: Duration) -> Self {
        self.refresh_token_life = Some(life);
        self
    }

    /// After how long a consent ends, however often it is used.
    #[must_use]
    pub const fn consent_life(mut self, life: Duration) -> Self {
        self.consent_life = Some(life);
        self
    }

    /// When the consent of these credentials ends; none if it does not, or nobody knows when it was given.
    pub fn consent_ends(&self, credentials: &Credentials) -> Option<Timestamp> {
        let given: Timestamp = credentials.get(CONSENTED_AT)?.expose().parse().ok()?;
        Some(given + self.consent_life?)
    }
}

/// Where a call carries the app's id and secret. An app without a secret names its id in the form.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum ClientAuth {
    /// In `Authorization: Basic …`, both encoded like a form (RFC 6749, section 2.3.1).
    Basic,
    /// In the form, as `client_id` and `client_secret`.
    Form,
}

/// How a consent is given back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Revocation {
    /// Only by the user, at the provider.
    None,
    /// A form with the token, as in RFC 7009.
    Rfc7009 {
        /// Where.
        url: &'static str,
        /// Where it carries the app's id and secret.
        auth: ClientAuth,
    },
    /// An empty POST with the access token as a bearer token.
    Bearer {
        /// Where.
        url: &'static str,
    },
    /// An empty POST with the access token in its query. A provider that does not take the token any more says so by 400
    /// or 401.
    Query {
        /// Where.
        url: &'static str,
        /// The name of the parameter.
        parameter: &'static str,
    },
}

/// What a refusal in a provider's own words means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Refusal {
    /// The code or the refresh token is good for nothing any more: the user has to connect again.
    Grant,
    /// The app's id or secret is wrong.
    Client,
    /// Something else; the status says whether another try makes sense.
    Other,
}

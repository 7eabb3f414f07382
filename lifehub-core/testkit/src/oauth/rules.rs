//! What a provider's authorization server insists on, and what its user does.

use std::time::Duration;

use url::Url;

/// The settings of an authorization server. They may change while it is in use; what was issued before keeps its
/// expiry.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct OAuthRules {
    /// The one app that is registered.
    pub client_id: String,
    /// Its secret; `None` for a public app, which has only its id.
    pub client_secret: Option<String>,
    /// Where the app writes id and secret when it asks for tokens.
    pub client_auth: ClientAuth,
    /// Where it writes them when it revokes one.
    pub revoke_auth: ClientAuth,
    /// Where the user may be sent back to.
    pub redirects: Redirects,
    /// Whether the exchange of a code repeats the `redirect_uri`, as RFC 6749 demands.
    pub exchange_names_redirect: bool,
    /// What becomes of proof keys (RFC 7636).
    pub pkce: Pkce,
    /// The scopes that exist; if empty, any.
    pub scopes: Vec<String>,
    /// What stands between scopes in answers. In requests a space is always understood as well.
    pub scope_separator: char,
    /// What the user does when asked.
    pub consent: Consent,
    /// How long a code can be exchanged.
    pub code_lifetime: Duration,
    /// How long an access token is good; `None` for ever.
    pub access_lifetime: Option<Duration>,
    /// What becomes of the refresh token when it is used.
    pub refresh: Refresh,
    /// How long a refresh token is good from its issue; `None` until it is replaced or revoked.
    pub refresh_lifetime: Option<Duration>,
    /// How long a refresh token lives on after it was replaced, for a client that never saw the answer. Zero kills it
    /// at once.
    pub leeway: Duration,
    /// Whether a refresh token that is used again after its leeway revokes its whole family: every token that came of
    /// the same consent.
    pub reuse_revokes: bool,
    /// While an access token has more than this left, a refresh changes nothing and gives the same tokens.
    pub keep_while_left: Option<Duration>,
}

impl Default for OAuthRules {
    /// A strict server by RFC 6749 and RFC 9700: a confidential app `sample-client` with the secret
    /// `sample-client-secret`, any loopback address to return to, proof keys checked where they are used, codes for a
    /// minute, access tokens for an hour, refresh tokens that rotate without leeway, and reuse that revokes.
    fn default() -> Self {
        Self {
            client_id: "sample-client".to_owned(),
            client_secret: Some("sample-client-secret".to_owned()),
            client_auth: ClientAuth::Either,
            revoke_auth: ClientAuth::Either,
            redirects: Redirects::Host("localhost".to_owned()),
            exchange_names_redirect: true,
            pkce: Pkce::Optional,
            scopes: Vec::new(),
            scope_separator: ' ',
            consent: Consent::Approve,
            code_lifetime: Duration::from_secs(60),
            access_lifetime: Some(Duration::from_secs(3_600)),
            refresh: Refresh::Rotate,
            refresh_lifetime: None,
            leeway: Duration::ZERO,
            reuse_revokes: true,
            keep_while_left: None,
        }
    }
}

impl OAuthRules {
    /// The scopes in a text, each once.
    pub(super) fn split(&self, text: &str) -> Vec<String> {
        let mut scopes: Vec<String> = Vec::new();
        for scope in text.split([' ', self.scope_separator]).filter(|scope| !scope.is_empty()) {
            if !scopes.iter().any(|known| known == scope) {
                scopes.push(scope.to_owned());
            }
        }
        scopes
    }

    /// Whether all of them exist.
    pub(super) fn knows(&self, scopes: &[String]) -> bool {
        self.scopes.is_empty() || scopes.iter().all(|scope| self.scopes.contains(scope))
    }
}

/// Where an app writes its id and secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum ClientAuth {
    /// In the form (`client_id`, `client_secret`).
    Form,
    /// In the header `Authorization: Basic …`.
    Basic,
    /// In one of them, not in both.
    Either,
}

/// Where the user may be sent back to.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Redirects {
    /// To these addresses, letter by letter.
    Exact(Vec<String>),
    /// Anywhere on this host, on `localhost` and on `127.0.0.1`.
    Host(String),
}

impl Redirects {
    /// The address, if the user may be sent there.
    pub(super) fn allowed(&self, address: &str) -> Option<Url> {
        let url = Url::parse(address).ok().filter(|url| url.fragment().is_none())?;
        let allowed = match self {
            Self::Exact(known) => known.iter().any(|known| known == address),
            Self::Host(own) => {
                let web = matches!(url.scheme(), "http" | "https");
                web && url.host_str().is_some_and(|host| [own, "localhost", "127.0.0.1"].contains(&host))
            }
        };
        allowed.then_some(url)
    }
}

/// What becomes of a proof key (`code_challenge`, method S256 alone).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Pkce {
    /// It is not looked at, as a server does that does not know the extension.
    Ignored,
    /// It is checked if there is one, and a verifier without a challenge is refused.
    Optional,
    /// Nothing goes without.
    Required,
}

/// What the user does when the app asks.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Consent {
    /// Agrees to everything at once, without a page.
    Approve,
    /// Agrees to these scopes of those that were asked for.
    Only(Vec<String>),
    /// Refuses.
    Deny,
    /// Gets a page with two links, to agree and to refuse: for a person in front of a browser.
    Ask,
}

/// What becomes of a refresh token when it is used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Refresh {
    /// There are none.
    Never,
    /// It stays the same.
    Keep,
    /// A new one takes its place. One that is used within its leeway is replaced again: there is always one newest.
    Rotate,
}

//! Asking the user: the way to the provider's consent page, and the way back.

use std::borrow::Cow;
use std::collections::HashSet;
use std::fmt;

use oauth2::{AuthUrl, CsrfToken, PkceCodeChallenge, RedirectUrl, Scope};
use url::{Url, form_urlencoded};

use super::answer::split;
use super::authorization::{Authorizations, Pending, hash};
use super::client::OAuthClient;
use super::refused::known;
use super::tokens::Tokens;
use crate::error::{Error, ErrorKind, Result};
use crate::record::{ConnectionId, UserId};
use crate::secret::Secret;

/// What an authorization begins with.
pub struct Start<'a> {
    /// The provider's id.
    pub provider: &'a str,
    /// Who is asked.
    pub user: UserId,
    /// The id of the session in which the user is.
    pub session: &'a str,
    /// The connection to renew; none for a new one.
    pub connection: Option<ConnectionId>,
    /// Where the provider is to send the user back to.
    pub redirect: Url,
}

impl fmt::Debug for Start<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Start")
            .field("provider", &self.provider)
            .field("user", &self.user)
            .field("connection", &self.connection)
            .finish_non_exhaustive()
    }
}

/// Who came back, and to which provider's callback.
pub struct Who<'a> {
    /// The provider's id.
    pub provider: &'a str,
    /// The user of the session.
    pub user: UserId,
    /// The session's id.
    pub session: &'a str,
}

impl fmt::Debug for Who<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Who")
            .field("provider", &self.provider)
            .field("user", &self.user)
            .finish_non_exhaustive()
    }
}

/// What the user brought back in the query.
#[derive(Clone, Default)]
#[non_exhaustive]
pub struct Callback {
    /// What the authorization was begun with.
    pub state: Option<Secret>,
    /// What is exchanged for tokens.
    pub code: Option<Secret>,
    /// Who sent the user back (RFC 9207).
    pub iss: Option<String>,
    /// Why there is no code.
    pub error: Option<String>,
    /// The scopes that the user agreed to, where a provider says them here.
    pub scope: Option<String>,
}

impl Callback {
    /// Reads the query of the address to which the user was sent back.
    ///
    /// # Errors
    /// [`ErrorKind::Invalid`] if a parameter stands twice (RFC 6749, section 3.1): nobody knows which one is meant.
    pub fn from_query(query: &str) -> Result<Self> {
        let (mut callback, mut seen) = (Self::default(), HashSet::new());
        for (name, value) in form_urlencoded::parse(query.trim_start_matches('?').as_bytes()) {
            let text = Some(value.into_owned());
            match name.as_ref() {
                "state" => callback.state = text.map(Secret::new),
                "code" => callback.code = text.map(Secret::new),
                "iss" => callback.iss = text,
                "error" => callback.error = text,
                "scope" => callback.scope = text,
                _ => {}
            }
            if !seen.insert(name) {
                return Err(start_again("the way back names a parameter twice"));
            }
        }
        Ok(callback)
    }
}

impl fmt::Debug for Callback {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Callback").field("has_code", &self.code.is_some()).finish_non_exhaustive()
    }
}

/// What a user agreed to.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Authorized {
    /// The tokens, with the scopes that were granted as far as is known.
    pub tokens: Tokens,
    /// The connection that is to be renewed; none for a new one.
    pub connection: Option<ConnectionId>,
    /// The scopes that were asked for and not granted.
    pub missing_scopes: Vec<String>,
}

impl OAuthClient {
    /// Begins an authorization, and says where to send the user. What is there holds for ten minutes, and for one who
    /// comes back to the same session.
    ///
    /// # Errors
    /// [`ErrorKind::Invalid`] if the way back has a fragment; the store's.
    pub async fn begin(&self, store: &dyn Authorizations, start: Start<'_>) -> Result<Url> {
        if start.redirect.fragment().is_some() {
            return Err(Error::new(ErrorKind::Invalid, "the address to come back to has a fragment")
                .hint("set it without the part from # on"));
        }
        // 256 random bits each.
        let state = CsrfToken::new_random_len(32);
        let (challenge, verifier) = match self.spec.pkce {
            true => Some(PkceCodeChallenge::new_random_sha256()).unzip(),
            false => (None, None),
        };
        let client =
            self.basic(self.spec.client_auth).set_auth_uri(AuthUrl::from_url(self.authorize_url.clone()));
        let key = Secret::new(state.secret().as_str());
        let mut request = client
            .authorize_url(|| state)
            .set_redirect_uri(Cow::Owned(RedirectUrl::from_url(start.redirect.clone())));
        if let Some(challenge) = challenge {
            request = request.set_pkce_challenge(challenge);
        }
        if !self.spec.scopes.is_empty() {
            // The crate puts spaces between scopes; all of them as one are as the provider wants them.
            request =
                request.add_scope(Scope::new(self.spec.scopes.join(&self.spec.scope_separator.to_string())));
        }
        for &(name, value) in self.spec.authorize_params {
            request = request.add_extra_param(name, value);
        }
        let (url, _) = request.url();
        let pending = Pending {
            provider: start.provider.to_owned(),
            user: start.user,
            session: hash(start.session),
            connection: start.connection,
            redirect: start.redirect,
            verifier: verifier.map(|verifier| Secret::new(verifier.into_secret())),
            created_at: self.clock.now(),
        };
        store.put(&key, pending).await?;
        Ok(url)
    }

    /// Ends an authorization: checks that it is the one that was begun, then exchanges the code. Whatever comes of it,
    /// its state is spent.
    ///
    /// # Errors
    /// Before anything is sent:
    /// - [`ErrorKind::Invalid`] if it was not begun here, by another user, in another session or for another provider,
    ///   too long ago, is over already, or came from another server;
    /// - [`ErrorKind::Forbidden`] if the user did not agree;
    /// - [`ErrorKind::Unavailable`] if the provider says that it failed.
    ///
    /// After that, those of [`OAuthClient::exchange`].
    pub async fn finish(
        &self,
        store: &dyn Authorizations,
        callback: Callback,
        who: Who<'_>,
    ) -> Result<Authorized> {
        let state = callback.state.as_ref().ok_or_else(|| start_again("the way back names no state"))?;
        let pending = store.take(state).await?.ok_or_else(|| {
            start_again("no authorization with this state is under way: it is over, or was not begun here")
        })?;
        self.check(&pending, &callback, &who)?;
        let code = callback.code.as_ref().filter(|code| !code.expose().is_empty());
        let code = code.ok_or_else(|| start_again("the provider sent no code"))?;
        let mut tokens = self.exchange(code, pending.verifier.as_ref(), &pending.redirect).await?;
        let told = || callback.scope.as_deref().map(|scope| split(scope, &self.spec));
        let asked = || self.spec.scopes.iter().map(|&scope| scope.to_owned()).collect();
        let granted = tokens.scopes.take().or_else(told).unwrap_or_else(asked);
        let missing = self.spec.scopes.iter().filter(|&&wanted| !granted.iter().any(|scope| scope == wanted));
        let missing_scopes = missing.map(|&scope| scope.to_owned()).collect();
        tokens.scopes = Some(granted);
        Ok(Authorized { tokens, connection: pending.connection, missing_scopes })
    }

    fn check(&self, pending: &Pending, callback: &Callback, who: &Who<'_>) -> Result<()> {
        if pending.provider != who.provider {
            return Err(start_again("the authorization was begun for another provider"));
        }
        if pending.user != who.user {
            return Err(start_again("the authorization was begun by another user"));
        }
        if pending.session != hash(who.session) {
            return Err(start_again("the authorization was begun in another session"));
        }
        if !pending.is_fresh(self.clock.now()) {
            return Err(start_again("the authorization took longer than ten minutes"));
        }
        // Where the operator sends users elsewhere, the manifest does not know who sends them back.
        let issuer = self.spec.issuer.filter(|_| self.app.authorize_url.is_none());
        if let (Some(issuer), Some(iss)) = (issuer, &callback.iss)
            && iss != issuer
        {
            return Err(start_again("another server than the provider's sent the way back"));
        }
        match callback.error.as_deref() {
            None | Some("") => Ok(()),
            Some(code) => Err(not_agreed(code)),
        }
    }
}

fn not_agreed(code: &str) -> Error {
    let error = match code {
        "access_denied" => {
            return Error::new(ErrorKind::Forbidden, "the user did not agree")
                .hint("start again, and agree at the provider");
        }
        "server_error" | "temporarily_unavailable" => {
            Error::new(ErrorKind::Unavailable, "the provider's authorization server failed")
                .hint("start again later")
        }
        _ => Error::new(ErrorKind::Invalid, "the provider did not take the request for the user's consent").hint(
            "check client_id, the app's scopes and its redirect address at the provider, then start again",
        ),
    };
    match known(code) {
        Some(code) => error.with("error", code),
        None => error,
    }
}

fn start_again(what: &str) -> Error {
    Error::new(ErrorKind::Invalid, what).hint("start again from where accounts are connected")
}

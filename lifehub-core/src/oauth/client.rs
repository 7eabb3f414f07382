//! The OAuth 2.0 client of one app at one provider: codes and refresh tokens in, access tokens out.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use http::Method;
use oauth2::basic::{BasicClient, BasicTokenResponse};
use oauth2::{
    AccessToken, AuthType, AuthorizationCode, ClientId, ClientSecret, PkceCodeVerifier, RedirectUrl,
    RefreshToken, RevocationUrl, StandardRevocableToken, TokenResponse, TokenUrl,
};
use url::Url;

use super::answer::standard;
use super::bridge::{Bridge, Translate, failure};
use super::refresher::Renewal;
use super::revoked::{form_revoked, token_revoked};
use super::spec::{ClientAuth, OAuthSpec, Revocation};
use super::tokens::{ACCESS, REFRESH, Tokens};
use crate::clock::Clock;
use crate::error::{Error, ErrorKind, Result};
use crate::http::{AuthScheme, Request, Transport, keeps_secrets};
use crate::secret::{Credentials, Secret};

const TIME_LIMIT: Duration = Duration::from_secs(30);

/// The operator's app at a provider, and the addresses that hold in place of the manifest's.
#[derive(Clone)]
#[non_exhaustive]
pub struct OAuthApp {
    /// The app's id.
    pub client_id: String,
    /// Its secret; none for a public app.
    pub client_secret: Option<Secret>,
    /// Where the user is asked.
    pub authorize_url: Option<Url>,
    /// Where tokens come from.
    pub token_url: Option<Url>,
    /// Where a consent is given back, if the provider has a way to do that.
    pub revoke_url: Option<Url>,
}

impl OAuthApp {
    /// An app at the addresses of the manifest.
    pub fn new(client_id: impl Into<String>, client_secret: Option<Secret>) -> Self {
        Self {
            client_id: client_id.into(),
            client_secret,
            authorize_url: None,
            token_url: None,
            revoke_url: None,
        }
    }
}

impl fmt::Debug for OAuthApp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OAuthApp").field("client_id", &self.client_id).finish_non_exhaustive()
    }
}

/// Speaks OAuth 2.0 with one provider for one app. It stores nothing and tries nothing twice.
pub struct OAuthClient {
    pub(super) spec: OAuthSpec,
    pub(super) app: OAuthApp,
    pub(super) authorize_url: Url,
    pub(super) clock: Arc<dyn Clock>,
    token_url: Url,
    revoke_url: Option<Url>,
    transport: Arc<dyn Transport>,
    limit: Duration,
}

impl OAuthClient {
    /// A client for this app.
    ///
    /// # Errors
    /// [`ErrorKind::Invalid`] if there is no client id, or an address is neither https nor http on this machine.
    pub fn new(
        spec: &OAuthSpec,
        app: OAuthApp,
        transport: Arc<dyn Transport>,
        clock: Arc<dyn Clock>,
    ) -> Result<Self> {
        if app.client_id.is_empty() {
            return Err(Error::new(ErrorKind::Invalid, "the provider's app has no client_id")
                .hint("register an app at the provider and enter its client_id and client_secret"));
        }
        let revoke = match spec.revoke {
            Revocation::None => None,
            Revocation::Rfc7009 { url, .. } | Revocation::Bearer { url } | Revocation::Query { url, .. } => {
                Some(url)
            }
        };
        Ok(Self {
            authorize_url: address("authorize_url", app.authorize_url.as_ref(), spec.authorize_url)?,
            token_url: address("token_url", app.token_url.as_ref(), spec.token_url)?,
            revoke_url: revoke.map(|url| address("revoke_url", app.revoke_url.as_ref(), url)).transpose()?,
            spec: spec.clone(),
            app,
            transport,
            clock,
            limit: TIME_LIMIT,
        })
    }

    /// Gives every call this much time.
    #[must_use]
    pub fn with_time_limit(mut self, limit: Duration) -> Self {
        self.limit = limit;
        self
    }

    /// How much real time one call may take, to the last byte of its answer. Default: 30 s.
    pub fn time_limit(&self) -> Duration {
        self.limit
    }

    /// Exchanges the code with which the user was sent back to `redirect`.
    ///
    /// # Errors
    /// - [`ErrorKind::Unauthorized`] if the provider refuses the code, for good;
    /// - [`ErrorKind::Invalid`] if it refuses the app or the call;
    /// - [`ErrorKind::Throttled`] and [`ErrorKind::Unavailable`] if another try makes sense later;
    /// - [`ErrorKind::InvalidResponse`] if it answers what nobody can read: the code may be spent.
    pub async fn exchange(&self, code: &Secret, verifier: Option<&Secret>, redirect: &Url) -> Result<Tokens> {
        let client = self.basic(self.spec.client_auth).set_token_uri(self.token_uri());
        let mut request = client
            .exchange_code(AuthorizationCode::new(code.expose().to_owned()))
            .set_redirect_uri(Cow::Owned(RedirectUrl::from_url(redirect.clone())));
        if let Some(verifier) = verifier {
            request = request.set_pkce_verifier(PkceCodeVerifier::new(verifier.expose().to_owned()));
        }
        for &(name, value) in self.spec.token_params {
            request = request.add_extra_param(name, value);
        }
        let translate = |answered: &_| standard(&self.spec, answered);
        let bridge = self.bridge(&self.token_url, &translate);
        let answer = request.request_async(&bridge).await.map_err(failure)?;
        Ok(Tokens { consented_at: Some(bridge.sent), ..tokens(&bridge, &answer) })
    }

    /// Gets new tokens for the refresh token of these credentials.
    ///
    /// # Errors
    /// As [`OAuthClient::exchange`], of the refresh token; [`ErrorKind::Unauthorized`] also if there is none.
    pub async fn refresh(&self, credentials: &Credentials) -> Result<Tokens> {
        let token = credentials.get(REFRESH).ok_or_else(|| {
            Error::new(ErrorKind::Unauthorized, "the connection has no refresh_token")
                .hint("connect the account again")
        })?;
        let token = RefreshToken::new(token.expose().to_owned());
        let client = self.basic(self.spec.client_auth).set_token_uri(self.token_uri());
        let mut request = client.exchange_refresh_token(&token);
        for &(name, value) in self.spec.token_params {
            request = request.add_extra_param(name, value);
        }
        let translate = |answered: &_| standard(&self.spec, answered);
        let bridge = self.bridge(&self.token_url, &translate);
        let answer = request.request_async(&bridge).await.map_err(failure)?;
        Ok(tokens(&bridge, &answer))
    }

    /// Gives the consent back: by the refresh token, with which its access tokens die, or else by the access token.
    /// That the provider knows it no more is no error, nor that there is none.
    ///
    /// # Errors
    /// - [`ErrorKind::Unsupported`] if only the user can do that, at the provider;
    /// - [`ErrorKind::Unauthorized`] if the provider wants an access token and this one is not good any more, while a
    ///   refresh token may be: renew it and try again;
    /// - those of [`OAuthClient::exchange`] that are about the app, the call and the provider's health.
    pub async fn revoke(&self, credentials: &Credentials) -> Result<()> {
        let Some(url) = &self.revoke_url else {
            return Err(Error::new(
                ErrorKind::Unsupported,
                "the provider offers no way to give a consent back",
            )
            .hint("remove the app in the account's settings at the provider"));
        };
        match self.spec.revoke {
            Revocation::Rfc7009 { auth, .. } => {
                let refresh =
                    credentials.get(REFRESH).map(|t| RefreshToken::new(t.expose().to_owned()).into());
                let access =
                    || credentials.get(ACCESS).map(|t| AccessToken::new(t.expose().to_owned()).into());
                let Some(token) = refresh.or_else(access) else { return Ok(()) };
                self.revoke_by_form(url, auth, token).await
            }
            Revocation::Bearer { .. } => {
                self.revoke_by_token(url, AuthScheme::bearer(ACCESS), credentials, &[401]).await
            }
            Revocation::Query { parameter, .. } => {
                let scheme = AuthScheme::query(parameter, ACCESS);
                self.revoke_by_token(url, scheme, credentials, &[400, 401]).await
            }
            Revocation::None => Ok(()),
        }
    }

    /// An empty POST with the access token; with these statuses the provider says that it takes it no more.
    async fn revoke_by_token(
        &self,
        url: &Url,
        scheme: AuthScheme,
        credentials: &Credentials,
        ended: &[u16],
    ) -> Result<()> {
        if credentials.get(ACCESS).is_none() {
            return Ok(());
        }
        let mut request = Request::new(Method::POST, url.clone());
        scheme.apply(credentials, &mut request)?;
        let renewable = credentials.get(REFRESH).is_some();
        let translate = |answered: &_| token_revoked(answered, ended, renewable);
        self.bridge(url, &translate).send(request).await.map(drop)
    }

    async fn revoke_by_form(&self, url: &Url, auth: ClientAuth, token: StandardRevocableToken) -> Result<()> {
        // The crate takes no http address here, not even one of this machine; the bridge knows where it goes.
        let mut stated = url.clone();
        let _ = stated.set_scheme("https");
        let client = self.basic(auth).set_revocation_url(RevocationUrl::from_url(stated));
        let request = client
            .revoke_token(token)
            .map_err(|_| Error::new(ErrorKind::Internal, "the revocation cannot be made"))?;
        let bridge = self.bridge(url, &form_revoked);
        request.request_async(&bridge).await.map_err(failure)
    }

    /// The crate's client for this app.
    pub(super) fn basic(&self, auth: ClientAuth) -> BasicClient {
        let auth = match auth {
            ClientAuth::Basic => AuthType::BasicAuth,
            ClientAuth::Form => AuthType::RequestBody,
        };
        let client = BasicClient::new(ClientId::new(self.app.client_id.clone())).set_auth_type(auth);
        match &self.app.client_secret {
            Some(secret) => client.set_client_secret(ClientSecret::new(secret.expose().to_owned())),
            None => client,
        }
    }

    fn token_uri(&self) -> TokenUrl {
        TokenUrl::from_url(self.token_url.clone())
    }

    fn bridge<'a>(&'a self, url: &'a Url, translate: Translate<'a>) -> Bridge<'a> {
        let (transport, clock) = (&*self.transport, &*self.clock);
        Bridge { transport, clock, limit: self.limit, url, sent: clock.now(), translate }
    }
}

impl fmt::Debug for OAuthClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OAuthClient").field("app", &self.app).finish_non_exhaustive()
    }
}

/// The tokens of a standard answer, whose life began when its request was sent.
fn tokens(bridge: &Bridge<'_>, answer: &BasicTokenResponse) -> Tokens {
    let life = answer.expires_in();
    Tokens {
        access_token: Secret::new(answer.access_token().secret().as_str()),
        refresh_token: answer.refresh_token().map(|token| Secret::new(token.secret().as_str())),
        expires_at: life.map(|life| bridge.sent + life),
        life,
        scopes: answer.scopes().map(|scopes| scopes.iter().map(|scope| scope.to_string()).collect()),
        consented_at: None,
    }
}

/// The address that holds, if secrets may travel there: over TLS, or without leaving this machine.
fn address(name: &str, own: Option<&Url>, spec: &str) -> Result<Url> {
    let refuse = |fault: &str| {
        Err(Error::new(ErrorKind::Invalid, format!("the provider's {name} {fault}")).hint(
            "it has to begin with https://; http:// is for this machine alone (127.0.0.1, [::1], localhost)",
        ))
    };
    let url = match own {
        Some(url) => url.clone(),
        None => match Url::parse(spec) {
            Ok(url) => url,
            Err(_) => return refuse("is not a URL"),
        },
    };
    if !keeps_secrets(&url) {
        return refuse("is not encrypted");
    }
    if !url.username().is_empty() || url.password().is_some() || url.fragment().is_some() {
        return refuse("holds a user name, a password or a fragment");
    }
    Ok(url)
}

#[async_trait]
impl Renewal for OAuthClient {
    fn time_limit(&self) -> Duration {
        self.limit
    }

    async fn renew(&self, old: &Credentials) -> Result<Credentials> {
        Ok(self.refresh(old).await?.into_credentials(old))
    }
}

//! The finished client of one connection, and the builder that stacks its layers in their one order.

use std::fmt;
use std::sync::Arc;

use http::Method;
use serde::Serialize;
use url::Url;

use super::auth::{AuthScheme, CredentialSource, StaticCredentials};
use super::call::Call;
use super::classify::Classify;
use super::limit::Limits;
use super::message::{Request, Transport};
use super::origin::{self, Home, Origins};
use super::quota::Quotas;
use super::retry::RetryPolicy;
use super::stack::Stack;
use crate::clock::{Clock, Rng, SystemClock};
use crate::error::Result;

/// A provider's HTTP interface as one connection sees it: authorized, metered, retried. Clones share everything.
#[derive(Clone)]
pub struct Http(pub(super) Arc<Stack>);

impl Http {
    /// A client below this base URL, which may have a path.
    pub fn builder(transport: Arc<dyn Transport>, base_url: Url) -> HttpBuilder {
        HttpBuilder {
            transport,
            base: base_url,
            origins: vec![],
            limits: Limits::default(),
            quotas: None,
            scheme: AuthScheme::None,
            credentials: Arc::new(StaticCredentials::default()),
            retry: RetryPolicy::default(),
            breaker: true,
            classify: None,
            clock: None,
            rng: None,
        }
    }

    /// A GET of this path below the base URL; it may have a query, as a cursor's has.
    pub fn get(&self, path: &str) -> Call {
        self.call(Method::GET, path)
    }

    /// A POST to this path below the base URL.
    pub fn post(&self, path: &str) -> Call {
        self.call(Method::POST, path)
    }

    /// A GraphQL query. Its errors are an error, also where the status is 200.
    pub fn graphql(&self, path: &str, query: &str, variables: &impl Serialize) -> Call {
        self.post(path).graphql(query, variables)
    }

    /// A GET of a link that the provider gave: absolute, or relative to the base URL. A link to a foreign origin is
    /// an error when it is sent.
    pub fn follow(&self, link: &str) -> Call {
        let request = origin::resolve(&self.0.home.folder(), link).map(|url| {
            // Of a foreign link no more than scheme and host is shown: whoever sent it may have put a secret there.
            let path_is_secret = self.0.origins.admit(&url).is_err();
            Request { path_is_secret, ..self.request(Method::GET, url) }
        });
        Call::new(self, request)
    }

    /// Path and query of a link that the provider gave, below the base URL: what a cursor may hold and [`Http::get`]
    /// takes.
    ///
    /// # Errors
    /// If the link leads elsewhere.
    pub fn path_of(&self, link: &str) -> Result<String> {
        self.0.home.path_of(&self.0.home.folder(), link)
    }

    /// Whether requests go below this address, and not below another one that the operator or the settings name.
    pub fn is_at(&self, base_url: &str) -> bool {
        let bare = |url: &Url| url.as_str().trim_end_matches('/').to_owned();
        Url::parse(base_url).is_ok_and(|url| bare(&url) == bare(&self.0.home.base))
    }

    fn call(&self, method: Method, path: &str) -> Call {
        Call::new(self, Ok(self.request(method, self.0.home.join(path))))
    }

    fn request(&self, method: Method, url: Url) -> Request {
        Request { max_bytes: self.0.limits.bytes, ..Request::new(method, url) }
    }
}

impl fmt::Debug for Http {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Http").field("origin", &self.0.home.base.origin().ascii_serialization()).finish()
    }
}

/// Gathers what the layers need. However it is called, they stand in one order.
#[must_use]
pub struct HttpBuilder {
    transport: Arc<dyn Transport>,
    base: Url,
    origins: Vec<Url>,
    limits: Limits,
    quotas: Option<(Arc<Quotas>, Arc<str>)>,
    scheme: AuthScheme,
    credentials: Arc<dyn CredentialSource>,
    retry: RetryPolicy,
    breaker: bool,
    classify: Option<Classify>,
    clock: Option<Arc<dyn Clock>>,
    rng: Option<Arc<Rng>>,
}

impl HttpBuilder {
    /// The clock of all waits. Default: the machine's.
    pub fn clock(mut self, clock: Arc<dyn Clock>) -> Self {
        self.clock = Some(clock);
        self
    }

    /// The randomness of all jitter. Default: another one in each process.
    pub fn rng(mut self, rng: Arc<Rng>) -> Self {
        self.rng = Some(rng);
        self
    }

    /// Time and size of one request.
    pub fn limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// The provider's quotas, and the id under which this connection has its own. Default: none.
    pub fn quotas(mut self, quotas: Arc<Quotas>, connection: impl Into<Arc<str>>) -> Self {
        self.quotas = Some((quotas, connection.into()));
        self
    }

    /// Where credentials stand, and where they come from. Default: none.
    pub fn auth(mut self, scheme: AuthScheme, credentials: Arc<dyn CredentialSource>) -> Self {
        (self.scheme, self.credentials) = (scheme, credentials);
        self
    }

    /// How temporary failures are tried again.
    pub fn retry(mut self, retry: RetryPolicy) -> Self {
        self.retry = retry;
        self
    }

    /// Goes on asking a provider that is down. By default, after 20 failures in a row over all connections that share
    /// the quotas, calls end as [`Parked`](crate::ErrorKind::Parked) for half a minute, and for longer, up to ten, while
    /// the provider stays down.
    pub fn without_breaker(mut self) -> Self {
        self.breaker = false;
        self
    }

    /// Further origins to which requests and their credentials may go, besides that of the base URL. Only scheme,
    /// host and port count.
    pub fn origins(mut self, origins: Vec<Url>) -> Self {
        self.origins = origins;
        self
    }

    /// Where requests go: scheme, host and port of the base URL.
    pub fn origin(&self) -> String {
        self.base.origin().ascii_serialization()
    }

    /// The connector's own reading of answers.
    pub fn classify(mut self, classify: Classify) -> Self {
        self.classify = Some(classify);
        self
    }

    /// The client.
    ///
    /// # Errors
    /// [`ErrorKind::Invalid`](crate::ErrorKind::Invalid) if the base URL is not http(s), or holds a user name, a
    /// query or a fragment.
    pub fn build(self) -> Result<Http> {
        let home = Home { base: self.base, secret: self.scheme.secret_parameter() };
        home.check()?;
        let clock = self.clock.unwrap_or_else(|| Arc::new(SystemClock::default()));
        let rng = self.rng.unwrap_or_else(|| Arc::new(Rng::from_entropy()));
        let (quotas, connection) = self
            .quotas
            .unwrap_or_else(|| (Arc::new(Quotas::none(Arc::clone(&clock), Arc::clone(&rng))), "".into()));
        Ok(Http(Arc::new(Stack {
            transport: self.transport,
            origins: Origins::new(self.origins.iter().chain([&home.base])),
            home: Arc::new(home),
            limits: self.limits,
            quotas,
            connection,
            scheme: self.scheme,
            credentials: self.credentials,
            retry: self.retry,
            breaker: self.breaker,
            classify: self.classify,
            clock,
            rng,
        })))
    }
}

impl fmt::Debug for HttpBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HttpBuilder").field("origin", &self.origin()).finish()
    }
}

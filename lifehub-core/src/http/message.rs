//! What goes over the wire: a request, its response, and the one-method trait that sends them.

use std::fmt;
use std::pin::Pin;

use async_trait::async_trait;
use bytes::Bytes;
use futures_util::Stream;
use http::{HeaderMap, Method, StatusCode};
use url::Url;

use super::limit::DEFAULT_BYTES;
use crate::error::Result;

/// Sends one request and returns the head of its response, the body to follow.
///
/// An implementation follows no redirects, retries nothing and decodes compressed bodies; whatever else a request
/// needs is done by the layers around it. Its errors name the host, never a path's query, a header or a body, and
/// are marked [`temporary`](crate::Error::temporary) when the same request may succeed later.
#[async_trait]
pub trait Transport: Send + Sync {
    /// Sends the request.
    ///
    /// # Errors
    /// If no response came: [`ErrorKind::Unavailable`](crate::ErrorKind::Unavailable). Every status is a response.
    async fn send(&self, request: Request) -> Result<Response>;
}

/// A request on its way out.
#[derive(Clone)]
pub struct Request {
    /// What to do.
    pub method: Method,
    /// Where. It may hold a credential: print [`Request::label`] instead.
    pub url: Url,
    /// Headers; those that hold a credential are marked sensitive.
    pub headers: HeaderMap,
    /// The body, empty for none.
    pub body: Bytes,
    /// How many units of a quota it costs.
    pub weight: u32,
    /// Who goes first where a quota is scarce.
    pub priority: Priority,
    /// How many decoded bytes the answer may have.
    pub max_bytes: usize,
    /// Whether the path is a secret too, as in a private feed's address; it is then never shown.
    pub path_is_secret: bool,
}

/// Who goes first where connections share a quota that is scarce.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum Priority {
    /// News: it may spend all that a quota has.
    #[default]
    Live,
    /// History, which can wait: it leaves about a tenth to others, as long as they may still need it.
    Backfill,
}

impl Request {
    /// A request without body and headers, of weight 1.
    pub fn new(method: Method, url: Url) -> Self {
        Self {
            method,
            url,
            headers: HeaderMap::new(),
            body: Bytes::new(),
            weight: 1,
            priority: Priority::Live,
            max_bytes: DEFAULT_BYTES,
            path_is_secret: false,
        }
    }

    /// Method, scheme, host and path, for people and logs. Query, headers and body are never in it, nor path segments
    /// that look like an address or a long key.
    pub fn label(&self) -> String {
        format!("{} {}{}", self.method, self.host(), self.path())
    }

    /// Scheme, host and port.
    pub(super) fn host(&self) -> String {
        self.url.origin().ascii_serialization()
    }

    /// The path as it may be shown.
    pub(super) fn path(&self) -> String {
        if self.path_is_secret { "/…".into() } else { shown_path(self.url.path()) }
    }
}

/// Calendar ids are e-mail addresses and feed paths hold keys: such segments become `…`.
fn shown_path(path: &str) -> String {
    let shown = path.split('/').map(|part| {
        let address = part.contains('@') || part.to_ascii_lowercase().contains("%40");
        if address || part.len() > 32 { "…" } else { part }
    });
    shown.collect::<Vec<_>>().join("/")
}

impl fmt::Debug for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.label())
    }
}

/// A response whose body may still be on its way.
#[derive(Debug)]
pub struct Response {
    /// The status.
    pub status: StatusCode,
    /// The headers.
    pub headers: HeaderMap,
    /// The body, decoded (no `Content-Encoding` left).
    pub body: Body,
}

impl Response {
    /// A response without headers.
    pub fn new(status: StatusCode, body: impl Into<Body>) -> Self {
        Self { status, headers: HeaderMap::new(), body: body.into() }
    }
}

/// The chunks of a body as they arrive.
pub type BodyStream = Pin<Box<dyn Stream<Item = Result<Bytes>> + Send>>;

/// A response's body.
pub enum Body {
    /// It is all there.
    Bytes(Bytes),
    /// It is being received.
    Stream(BodyStream),
}

impl<B: Into<Bytes>> From<B> for Body {
    fn from(bytes: B) -> Self {
        Self::Bytes(bytes.into())
    }
}

impl fmt::Debug for Body {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Bytes(bytes) => write!(f, "Body({} bytes)", bytes.len()),
            Self::Stream(_) => f.write_str("Body(stream)"),
        }
    }
}

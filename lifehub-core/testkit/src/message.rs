//! What a simulator sees and says: requests and answers as plain data, and the one trait between them.

use std::sync::Arc;

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use lifehub_core::clock::Timestamp;
use serde::Serialize;
use serde_json::json;

/// A provider in memory: answers requests as the real one would.
///
/// It is called from one thread at a time per server, without any runtime, and so keeps its state behind a plain
/// mutex. Keep a clone of a shared handle to change that state during a test.
pub trait Simulator: Send + Sync + 'static {
    /// Answers one request.
    fn handle(&self, request: &SimRequest) -> SimResponse;

    /// The body with which this provider refuses, for faults that are made up outside of it: a status of 400 or more,
    /// in the provider's own error format.
    fn refusal(&self, status: u16) -> SimResponse {
        SimResponse::json(status, &json!({ "error": { "status": status } }))
    }
}

impl<S: Simulator + ?Sized> Simulator for Arc<S> {
    fn handle(&self, request: &SimRequest) -> SimResponse {
        (**self).handle(request)
    }

    fn refusal(&self, status: u16) -> SimResponse {
        (**self).refusal(status)
    }
}

/// A request as it came, decoded as far as every simulator needs it.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct SimRequest {
    /// The method.
    pub method: Method,
    /// The path, still percent-encoded, without the query.
    pub path: String,
    /// Names and values of the query, decoded, in their order.
    pub query: Vec<(String, String)>,
    /// The headers.
    pub headers: HeaderMap,
    /// The body.
    pub body: Bytes,
    /// When it came, by the server's clock.
    pub at: Timestamp,
}

impl SimRequest {
    pub(crate) fn new(parts: &http::request::Parts, body: Bytes, at: Timestamp) -> Self {
        Self {
            method: parts.method.clone(),
            path: parts.uri.path().to_owned(),
            query: pairs(parts.uri.query().unwrap_or("").as_bytes()),
            headers: parts.headers.clone(),
            body,
            at,
        }
    }

    /// The parts of the path between its slashes, to match a route on: `/a/b/` gives `["a", "b"]`.
    pub fn segments(&self) -> Vec<&str> {
        self.path.split('/').filter(|part| !part.is_empty()).collect()
    }

    /// A segment without its percent-encoding: `en%23day` gives `en#day`.
    pub fn decoded(segment: &str) -> String {
        let mut bytes = Vec::with_capacity(segment.len());
        let mut rest = segment.as_bytes();
        while let [first, others @ ..] = rest {
            let hex =
                others.get(..2).filter(|_| *first == b'%').and_then(|hex| std::str::from_utf8(hex).ok());
            let byte = hex.and_then(|hex| u8::from_str_radix(hex, 16).ok());
            bytes.push(byte.unwrap_or(*first));
            rest = if byte.is_some() { &others[2..] } else { others };
        }
        String::from_utf8_lossy(&bytes).into_owned()
    }

    /// The first value of that name in the query.
    pub fn query(&self, name: &str) -> Option<&str> {
        self.query.iter().find(|(n, _)| n == name).map(|(_, value)| value.as_str())
    }

    /// The header of that name, if it is text.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// The token of `Authorization: Bearer …`.
    pub fn bearer(&self) -> Option<&str> {
        let (scheme, token) = self.header("authorization")?.split_once(' ')?;
        scheme.eq_ignore_ascii_case("bearer").then_some(token.trim())
    }

    /// Names and values of a form body (`application/x-www-form-urlencoded`), decoded.
    pub fn form(&self) -> Vec<(String, String)> {
        pairs(&self.body)
    }
}

fn pairs(text: &[u8]) -> Vec<(String, String)> {
    url::form_urlencoded::parse(text).into_owned().collect()
}

/// An answer.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct SimResponse {
    /// The status.
    pub status: StatusCode,
    /// The headers; length and date are added by the server.
    pub headers: HeaderMap,
    /// The body.
    pub body: Bytes,
}

impl SimResponse {
    /// An answer without a body. A number that is no HTTP status becomes 500.
    pub fn empty(status: u16) -> Self {
        let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        Self { status, headers: HeaderMap::new(), body: Bytes::new() }
    }

    /// An answer with a value as JSON.
    pub fn json<T: Serialize + ?Sized>(status: u16, value: &T) -> Self {
        match serde_json::to_vec(value) {
            Ok(body) => Self::json_text(status, body),
            Err(error) => Self::html(500, format!("the simulator's answer is no JSON: {error}")),
        }
    }

    /// An answer with JSON text that is ready.
    pub fn json_text(status: u16, body: impl Into<Bytes>) -> Self {
        Self::empty(status).with_body("application/json; charset=utf-8", body.into())
    }

    /// An answer with a web page.
    pub fn html(status: u16, body: impl Into<Bytes>) -> Self {
        Self::empty(status).with_body("text/html; charset=utf-8", body.into())
    }

    /// Sets a header. A name or value that HTTP does not allow is left out.
    #[must_use]
    pub fn header(mut self, name: &str, value: impl ToString) -> Self {
        let value = HeaderValue::from_str(&value.to_string());
        if let (Ok(name), Ok(value)) = (name.parse::<HeaderName>(), value) {
            self.headers.insert(name, value);
        }
        self
    }

    fn with_body(mut self, content_type: &'static str, body: Bytes) -> Self {
        self.headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
        self.body = body;
        self
    }
}

//! A whole answer, and reading it: JSON without a tree and without copies.

use std::fmt;
use std::sync::Arc;

use bytes::Bytes;
use http::{HeaderMap, StatusCode, header::CONTENT_TYPE};
use serde::Deserialize;
use serde_json::error::Category;
use serde_json::value::RawValue;
use url::Url;

use super::link;
use super::origin::Home;
use crate::clock::Timestamp;
use crate::error::{Error, ErrorKind, Result, json_fault};
use crate::normalize::{Fields, Members};
use crate::page::RawJson;

/// A provider's answer with all of its body.
#[derive(Clone)]
#[non_exhaustive]
pub struct Answer {
    /// The status.
    pub status: StatusCode,
    /// The headers.
    pub headers: HeaderMap,
    /// The decoded body.
    pub body: Bytes,
    /// When the request was sent: no state that the provider reached later can be missing from what was seen before.
    pub sent: Timestamp,
    /// When the answer was complete: waits that the provider asks for count from here.
    pub received: Timestamp,
    /// Where it came from, to resolve its links.
    pub(super) source: Option<(Arc<Home>, Url)>,
}

impl Answer {
    /// An answer without headers that came at once, as tests of a [`Classify`](super::Classify) function need it.
    pub fn new(status: StatusCode, body: impl Into<Bytes>, sent: Timestamp) -> Self {
        Self { status, headers: HeaderMap::new(), body: body.into(), sent, received: sent, source: None }
    }

    /// Reads the body as JSON, into a type that may borrow from it.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidResponse`]. It is temporary if the text breaks off or is no JSON although the answer says
    /// so, and final if it is another shape or another type of content (a log-in page, say).
    pub fn json<'a, T: Deserialize<'a>>(&'a self) -> Result<T> {
        serde_json::from_slice(&self.body).map_err(|e| self.not_json(&e))
    }

    /// The elements of the JSON array that the body is, each a slice of it.
    ///
    /// # Errors
    /// As [`Answer::json`].
    pub fn items(&self) -> Result<Vec<RawJson>> {
        let parts: Vec<&RawValue> = self.json()?;
        Ok(parts.into_iter().map(|part| self.raw(part)).collect())
    }

    /// The elements of a list inside the body, each a slice of it: `answer.items_at("data.transactions")`.
    ///
    /// # Errors
    /// As [`Answer::json`]; also if there is no such list: an answer without it is not an empty one.
    pub fn items_at(&self, path: &str) -> Result<Vec<RawJson>> {
        let parts: Vec<&RawValue> = self.member(path)?;
        Ok(parts.into_iter().map(|part| self.raw(part)).collect())
    }

    /// The members of the object that the body is, for an answer of which several are read.
    ///
    /// ```
    /// # use lifehub_core::{clock::Timestamp, http::Answer};
    /// # let body = r#"{"data":[{"id":1},{"id":2}],"next_token":"t"}"#;
    /// # let answer = Answer::new(http::StatusCode::OK, body, Timestamp::EPOCH);
    /// let list = answer.fields()?;
    /// assert_eq!(list.items("data")?[1].as_str(), r#"{"id":2}"#);
    /// assert_eq!(list.text("next_token")?.as_deref(), Some("t"));
    /// assert_eq!(list.text("previous_token")?, None);
    /// # Ok::<(), lifehub_core::Error>(())
    /// ```
    ///
    /// # Errors
    /// As [`Answer::json`].
    pub fn fields(&self) -> Result<Fields<'_>> {
        Ok(Fields::new(self.json::<Members<'_>>()?, &self.body))
    }

    /// One member of the body, its path with dots between the names. As an `Option` it may be null, but not absent.
    ///
    /// ```
    /// # use lifehub_core::{clock::Timestamp, http::Answer};
    /// # let answer = Answer::new(http::StatusCode::OK, r#"{"data":{"list":[1,2]},"next":null}"#, Timestamp::EPOCH);
    /// assert_eq!(answer.items_at("data.list")?.len(), 2);
    /// assert_eq!(answer.member::<Option<String>>("next")?, None);
    /// assert!(answer.member::<Option<String>>("previous").is_err());
    /// assert_eq!(answer.member_opt::<String>("next.link")?, None);
    /// # Ok::<(), lifehub_core::Error>(())
    /// ```
    ///
    /// # Errors
    /// As [`Answer::json`], and if it is absent.
    pub fn member<'a, T: Deserialize<'a>>(&'a self, path: &str) -> Result<T> {
        let found = self.find(path)?.ok_or_else(|| self.without(path))?;
        serde_json::from_str(found.get()).map_err(|e| self.not_json(&e))
    }

    /// One member of the body, if it is there and not null.
    ///
    /// # Errors
    /// As [`Answer::json`].
    pub fn member_opt<'a, T: Deserialize<'a>>(&'a self, path: &str) -> Result<Option<T>> {
        let Some(found) = self.find(path)? else { return Ok(None) };
        serde_json::from_str(found.get()).map_err(|e| self.not_json(&e))
    }

    fn find(&self, path: &str) -> Result<Option<&RawValue>> {
        self.fields()?.raw(path).map_err(|reject| self.located(reject.into()))
    }

    fn without(&self, path: &str) -> Error {
        let text = format!("the answer has another shape than documented: no `{path}`");
        let error = Error::new(ErrorKind::InvalidResponse, text);
        self.located(error.hint("the provider's format may have changed: look for a newer connector"))
    }

    /// The error of reading this answer, with what an error of the answer itself says.
    pub(super) fn located(&self, error: Error) -> Error {
        let is_said = error.context().iter().any(|(name, _)| *name == "status");
        match error.kind() {
            ErrorKind::InvalidResponse if !is_said => {
                error.with("status", self.status.as_u16()).with("bytes", self.body.len())
            }
            _ => error,
        }
    }

    /// The slice of the body that `part`, read from it by [`Answer::json`], stands for.
    pub fn raw(&self, part: &RawValue) -> RawJson {
        RawJson::slice(&self.body, part)
    }

    /// A header's text; none if it is absent or not text.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// The target of the `Link` header's `rel="next"` (RFC 8288), as the provider wrote it.
    pub fn link_next(&self) -> Option<String> {
        link::target(&self.headers, "next")
    }

    /// Path and query of [`link_next`](Answer::link_next) below the base URL: what a cursor holds and
    /// [`Http::get`](super::Http::get) takes.
    ///
    /// # Errors
    /// As [`Answer::path_of`].
    pub fn next_path(&self) -> Result<Option<String>> {
        self.link_next().map(|link| self.path_of(&link)).transpose()
    }

    /// Path and query below the base URL of a link that stands in this answer. A credential that the provider repeats
    /// in its query is taken out.
    ///
    /// # Errors
    /// [`ErrorKind::ForeignOrigin`] if it leads elsewhere, [`ErrorKind::InvalidResponse`] if it is no link.
    pub fn path_of(&self, link: &str) -> Result<String> {
        match &self.source {
            Some((home, url)) => home.path_of(url, link),
            None => Ok(link.to_owned()),
        }
    }

    /// The content type without its parameters, in lower case and cut to a sane length.
    pub(super) fn content_type(&self) -> Option<String> {
        let essence = self.header(CONTENT_TYPE.as_str())?.split(';').next()?.trim();
        Some(essence.chars().take(60).collect::<String>().to_ascii_lowercase())
    }

    fn not_json(&self, fault: &serde_json::Error) -> Error {
        let content_type = self.content_type();
        let says_json = content_type.as_deref().is_none_or(is_json);
        let text = match fault.classify() {
            Category::Data => format!("the answer has another shape than documented: {}", json_fault(fault)),
            Category::Eof => "the answer breaks off".to_owned(),
            Category::Syntax | Category::Io => "the answer is not JSON".to_owned(),
        };
        let broken = !matches!(fault.classify(), Category::Data);
        // An answer that by its status has no body is whole.
        let empty = self.body.is_empty() && !matches!(self.status, StatusCode::OK);
        let error = Error::new(ErrorKind::InvalidResponse, text)
            .temporary(broken && says_json && !empty)
            .with("status", self.status.as_u16())
            .with("content_type", content_type.as_deref().unwrap_or("none"))
            .with("bytes", self.body.len());
        match content_type.as_deref() {
            Some("text/html") => error.hint(
                "a web page came instead of data: is base_url right, and does the network ask for a log-in first?",
            ),
            _ if !broken => error.hint("the provider's format may have changed: look for a newer connector"),
            _ => error.hint(
                "what was read before is stored, and the next sync goes on there; if it stays, see whether something on \
                 the way cuts answers short",
            ),
        }
    }
}

fn is_json(essence: &str) -> bool {
    essence == "application/json" || essence == "text/json" || essence.ends_with("+json")
}

impl fmt::Debug for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Answer({}, {} bytes)", self.status.as_u16(), self.body.len())
    }
}

//! What a status means: the one table from HTTP to [`ErrorKind`].

use http::StatusCode;
use serde_json::Value;

use super::answer::Answer;
use crate::clock::Timestamp;
use crate::error::{Error, ErrorKind, Extent};

/// A connector's own reading of an answer, asked before [`classify`] for **every** answer, also one of status 200:
/// some providers put errors inside, or throttle with 402 or 403. `None` leaves it to [`classify`].
///
/// An error of kind [`Throttled`](ErrorKind::Throttled) closes the gate for everyone whom the quota concerns, until
/// [`Error::at`] or `Retry-After`; one of kind [`Unauthorized`](ErrorKind::Unauthorized) has the credentials renewed
/// once. It must hold nothing of the body but codes that the provider documents.
pub type Classify = fn(&Answer) -> Option<Error>;

/// What the answer's status says, if it says that something is wrong. Nothing of the body is in the error.
///
/// 304 is no error: a conditional request has its answer.
pub fn classify(answer: &Answer) -> Option<Error> {
    let status = answer.status;
    if status.is_success() || status == StatusCode::NOT_MODIFIED {
        return None;
    }
    let (kind, text, hint) = match status.as_u16() {
        401 => (
            ErrorKind::Unauthorized,
            "the provider does not accept the credentials",
            "connect the account again",
        ),
        402 => (
            ErrorKind::Forbidden,
            "the provider asks for a paid plan",
            "check the account's plan at the provider",
        ),
        403 | 451 => (
            ErrorKind::Forbidden,
            "the provider refuses access",
            "check which permissions were granted, and the account's plan; connecting again may help",
        ),
        404 => (ErrorKind::NotFound, "the provider does not know this path", "is base_url right?"),
        410 => (ErrorKind::CursorExpired, "the provider cannot resume from here any more", ""),
        429 => (
            ErrorKind::Throttled,
            "the provider asks to slow down",
            "if it happens often, lower the provider's quotas or raise its interval",
        ),
        408 | 421 | 425 | 500..=599 => (
            ErrorKind::Unavailable,
            "the provider failed",
            "it is usually over soon: look at its status page",
        ),
        300..=399 => (
            ErrorKind::InvalidResponse,
            "the provider redirects to nowhere that can be followed",
            "is base_url right?",
        ),
        407 => (ErrorKind::Invalid, "a proxy asks for credentials", "check the proxy settings"),
        400..=499 => (
            ErrorKind::Invalid,
            "the provider does not accept the request",
            "check the connection's settings; if they are right, it is a fault of the connector",
        ),
        _ => {
            (ErrorKind::InvalidResponse, "the provider answers with an unknown status", "is base_url right?")
        }
    };
    let mut error = Error::new(kind, text)
        .with("status", status.as_u16())
        .with("content_type", answer.content_type().as_deref().unwrap_or("none"))
        .with("bytes", answer.body.len());
    if !hint.is_empty() {
        error = error.hint(hint);
    }
    if kind == ErrorKind::Invalid {
        // One request that a provider does not take says nothing about its other streams.
        error = error.stops(Extent::Stream);
    }
    Some(error)
}

/// One line of a provider's table of errors: by its status and, where that does not tell, by a word in the body.
///
/// ```
/// # use lifehub_core::{ErrorKind, clock::Timestamp, error::Extent, http::{Answer, Refused, refused}};
/// # use std::time::Duration;
/// const REFUSED: &[Refused] = &[
///     Refused::on(403, ErrorKind::Throttled, "a quota of the app is spent")
///         .hint("if it happens often, raise the interval")
///         .if_one_of("error.errors.0.reason", &["quotaExceeded"])
///         .until(|now| now + Duration::from_secs(3_600)),
///     Refused::on(403, ErrorKind::Forbidden, "the plan has no access").hint("check the plan").stops(Extent::Connection),
/// ];
/// let body = r#"{"error":{"errors":[{"reason":"quotaExceeded"}]}}"#;
/// let answer = Answer::new(http::StatusCode::FORBIDDEN, body, Timestamp::EPOCH);
/// assert_eq!(refused(&answer, REFUSED).unwrap().kind(), ErrorKind::Throttled);
/// ```
#[derive(Debug, Clone, Copy)]
pub struct Refused {
    status: u16,
    or: u16,
    kind: ErrorKind,
    text: &'static str,
    hint: &'static str,
    said: Said,
    extent: Option<Extent>,
    until: Option<fn(Timestamp) -> Timestamp>,
}

/// What the body says.
#[derive(Debug, Clone, Copy)]
enum Said {
    Anything,
    OneOf(&'static str, &'static [&'static str]),
    Word(&'static [&'static str], &'static str),
}

impl Refused {
    /// What every answer of this status means.
    pub const fn on(status: u16, kind: ErrorKind, text: &'static str) -> Self {
        Self { status, or: status, kind, text, hint: "", said: Said::Anything, extent: None, until: None }
    }

    /// The same for another status.
    #[must_use]
    pub const fn or(mut self, status: u16) -> Self {
        self.or = status;
        self
    }

    /// What to do next.
    #[must_use]
    pub const fn hint(mut self, hint: &'static str) -> Self {
        self.hint = hint;
        self
    }

    /// Only answers whose body has one of these texts there: names and places in lists, with dots between.
    #[must_use]
    pub const fn if_one_of(mut self, path: &'static str, texts: &'static [&'static str]) -> Self {
        self.said = Said::OneOf(path, texts);
        self
    }

    /// Only answers that say this word, in lower case or not, in the text at one of these paths. For prose: of it nothing
    /// is shown.
    #[must_use]
    pub const fn if_says(mut self, paths: &'static [&'static str], word: &'static str) -> Self {
        self.said = Said::Word(paths, word);
        self
    }

    /// How much it stops, where the kind alone does not tell.
    #[must_use]
    pub const fn stops(mut self, extent: Extent) -> Self {
        self.extent = Some(extent);
        self
    }

    /// Until when to stay away, counted from the answer, where that names no time itself (`Retry-After`).
    #[must_use]
    pub const fn until(mut self, until: fn(Timestamp) -> Timestamp) -> Self {
        self.until = Some(until);
        self
    }

    fn has(&self, answer: &Answer) -> bool {
        [self.status, self.or].contains(&answer.status.as_u16())
    }

    fn is(&self, answer: &Answer, body: Option<&Value>) -> bool {
        let said = |path: &str| {
            let word = body?.pointer(&format!("/{}", path.replace('.', "/")))?;
            Some(word.as_str().map_or_else(|| word.to_string(), str::to_owned))
        };
        self.has(answer)
            && match self.said {
                Said::Anything => true,
                Said::OneOf(path, texts) => said(path).is_some_and(|said| texts.contains(&said.as_str())),
                Said::Word(paths, word) => {
                    let says = |said: String| said.to_lowercase().contains(&word.to_lowercase());
                    paths.iter().filter_map(|path| said(path)).any(says)
                }
            }
    }
}

/// The error of the first line that fits an answer. It holds nothing of the body.
pub fn refused(answer: &Answer, table: &[Refused]) -> Option<Error> {
    table.iter().find(|line| line.has(answer))?;
    let body: Option<Value> = answer.json().ok();
    let line = table.iter().find(|line| line.is(answer, body.as_ref()))?;
    let mut error = Error::new(line.kind, line.text).with("status", answer.status.as_u16());
    if !line.hint.is_empty() {
        error = error.hint(line.hint);
    }
    if let Some(extent) = line.extent {
        error = error.stops(extent);
    }
    match line.until.filter(|_| answer.header("retry-after").is_none()) {
        Some(until) => Some(error.at(until(answer.received))),
        None => Some(error),
    }
}

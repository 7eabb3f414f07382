//! What a status means: the one table from HTTP to [`ErrorKind`].

use http::StatusCode;
use serde_json::Value;

use super::answer::Answer;
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
/// # use lifehub_core::{ErrorKind, http::{Refused, refused, Answer}, clock::Timestamp};
/// const REFUSED: &[Refused] = &[
///     Refused::on(403, ErrorKind::Throttled, "the provider asks to slow down", "lower its quotas")
///         .if_one_of("error.errors.0.reason", &["rateLimitExceeded"]),
///     Refused::on(403, ErrorKind::Forbidden, "the plan has no access", "check the plan"),
/// ];
/// let body = r#"{"error":{"errors":[{"reason":"rateLimitExceeded"}]}}"#;
/// let answer = Answer::new(http::StatusCode::FORBIDDEN, body, Timestamp::EPOCH);
/// assert_eq!(refused(&answer, REFUSED).unwrap().kind(), ErrorKind::Throttled);
/// ```
#[derive(Debug, Clone, Copy)]
pub struct Refused {
    status: u16,
    kind: ErrorKind,
    text: &'static str,
    hint: &'static str,
    path: &'static str,
    words: &'static [&'static str],
}

impl Refused {
    /// Every answer of this status: what it means, and what to do next.
    pub const fn on(status: u16, kind: ErrorKind, text: &'static str, hint: &'static str) -> Self {
        Self { status, kind, text, hint, path: "", words: &[] }
    }

    /// Only answers whose body has one of these texts there: names and places in lists, with dots between.
    #[must_use]
    pub const fn if_one_of(mut self, path: &'static str, words: &'static [&'static str]) -> Self {
        (self.path, self.words) = (path, words);
        self
    }

    fn is(&self, answer: &Answer) -> bool {
        let said = || {
            let body: Value = answer.json().ok()?;
            let word = body.pointer(&format!("/{}", self.path.replace('.', "/")))?.clone();
            Some(word.as_str().map_or_else(|| word.to_string(), str::to_owned))
        };
        answer.status.as_u16() == self.status
            && (self.words.is_empty() || said().is_some_and(|said| self.words.contains(&said.as_str())))
    }
}

/// The error of the first line that fits an answer. It holds nothing of the body.
pub fn refused(answer: &Answer, table: &[Refused]) -> Option<Error> {
    let line = table.iter().find(|line| line.is(answer))?;
    Some(Error::new(line.kind, line.text).hint(line.hint).with("status", line.status))
}

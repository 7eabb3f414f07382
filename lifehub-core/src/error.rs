//! The one error type of the library: what kind, what happened, where, and what to do next.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::clock::Timestamp;

/// A result whose error is [`Error`].
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What went wrong, as far as a caller acts on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum ErrorKind {
    /// A setting, argument or other input is wrong; nothing was done.
    Invalid,
    /// The provider does not accept the credentials any more.
    Unauthorized,
    /// The credentials are fine, but a scope, plan or permission is missing.
    Forbidden,
    /// The provider does not know the path or the object.
    NotFound,
    /// The provider (or a newer connector) cannot resume from the stored cursor.
    CursorExpired,
    /// The provider asks to slow down, and asked again after every retry.
    Throttled,
    /// The wait until the next request is long: the work resumes at [`Error::retry_at`].
    Parked,
    /// The provider could not be reached or failed on its side.
    Unavailable,
    /// The answer is not what the provider documents: cut, not JSON, of another shape, an error inside.
    InvalidResponse,
    /// An answer or a file is larger than the limit.
    TooLarge,
    /// A link or redirect leads to a host that neither manifest nor operator names.
    ForeignOrigin,
    /// The provider repeats a cursor or a page.
    Repeated,
    /// Too many items of one page are unreadable: the provider's format probably changed.
    Poisoned,
    /// A database or file operation failed.
    Storage,
    /// There is no space left where the database lives.
    StorageFull,
    /// The lease on the connection was lost to another worker.
    LeaseLost,
    /// The caller asked to stop.
    Cancelled,
    /// The connector, store or provider does not offer this.
    Unsupported,
    /// A bug in this program.
    Internal,
}

impl ErrorKind {
    /// The kind's name in reports and logs, in snake case.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Invalid => "invalid",
            Self::Unauthorized => "unauthorized",
            Self::Forbidden => "forbidden",
            Self::NotFound => "not_found",
            Self::CursorExpired => "cursor_expired",
            Self::Throttled => "throttled",
            Self::Parked => "parked",
            Self::Unavailable => "unavailable",
            Self::InvalidResponse => "invalid_response",
            Self::TooLarge => "too_large",
            Self::ForeignOrigin => "foreign_origin",
            Self::Repeated => "repeated",
            Self::Poisoned => "poisoned",
            Self::Storage => "storage",
            Self::StorageFull => "storage_full",
            Self::LeaseLost => "lease_lost",
            Self::Cancelled => "cancelled",
            Self::Unsupported => "unsupported",
            Self::Internal => "internal",
        }
    }
}

impl fmt::Display for ErrorKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// How much of the work an error stops. (A bad item stops nothing: it goes to quarantine.)
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Extent {
    /// The other partitions of the stream go on.
    Partition,
    /// The other streams of the connection go on.
    Stream,
    /// Nothing of this connection can go on.
    Connection,
}

/// An error with its kind, a message for people, a hint at the next step, and where it happened.
///
/// It never holds a secret, a URL with its query, or a personal value; whoever makes one sees to that.
#[derive(Clone)]
pub struct Error(Box<Inner>);

#[derive(Clone)]
struct Inner {
    kind: ErrorKind,
    message: String,
    hint: Option<String>,
    context: Vec<(&'static str, String)>,
    extent: Option<Extent>,
    retry_at: Option<Timestamp>,
    temporary: bool,
}

impl Error {
    /// An error of this kind that says what happened.
    pub fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self(Box::new(Inner {
            kind,
            message: message.into(),
            hint: None,
            context: Vec::new(),
            extent: None,
            retry_at: None,
            temporary: matches!(kind, ErrorKind::Throttled | ErrorKind::Unavailable),
        }))
    }

    /// The same place, seen as a resume point that the provider does not take any more.
    pub(crate) fn expired(self) -> Self {
        let text = "the provider does not go on from where it led to earlier";
        let error =
            Self::new(ErrorKind::CursorExpired, text).hint("the list is read from an older point again");
        Self(Box::new(Inner { context: self.0.context, ..*error.0 }))
    }

    /// Says what the reader can do about it.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.0.hint = Some(hint.into());
        self
    }

    /// Adds where it happened (`stream`, `path`, `status`, …).
    #[must_use]
    pub fn with(mut self, key: &'static str, value: impl fmt::Display) -> Self {
        self.0.context.push((key, value.to_string()));
        self
    }

    /// Says how much this error stops, where its kind alone does not tell.
    #[must_use]
    pub fn stops(mut self, extent: Extent) -> Self {
        self.0.extent = Some(extent);
        self
    }

    /// Says from when on another try makes sense.
    #[must_use]
    pub fn at(mut self, retry_at: Timestamp) -> Self {
        self.0.retry_at = Some(retry_at);
        self
    }

    /// Says whether the same request may succeed when it is sent again soon.
    #[must_use]
    pub fn temporary(mut self, temporary: bool) -> Self {
        self.0.temporary = temporary;
        self
    }

    /// The kind that a caller acts on.
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }

    /// What happened, for people.
    pub fn message(&self) -> &str {
        &self.0.message
    }

    /// What to do next, if there is something.
    pub fn get_hint(&self) -> Option<&str> {
        self.0.hint.as_deref()
    }

    /// Where it happened, as pairs.
    pub fn context(&self) -> &[(&'static str, String)] {
        &self.0.context
    }

    /// From when on another try makes sense (set when the work is parked or the provider named a time).
    pub fn retry_at(&self) -> Option<Timestamp> {
        self.0.retry_at
    }

    /// Whether sending the same request again soon may succeed.
    pub fn is_temporary(&self) -> bool {
        self.0.temporary
    }

    /// How much of the work this stops.
    pub fn extent(&self) -> Extent {
        self.0.extent.unwrap_or(match self.0.kind {
            ErrorKind::Unauthorized
            | ErrorKind::Parked
            | ErrorKind::Storage
            | ErrorKind::StorageFull
            | ErrorKind::LeaseLost
            | ErrorKind::Cancelled
            | ErrorKind::Invalid
            | ErrorKind::Internal => Extent::Connection,
            ErrorKind::Forbidden => Extent::Stream,
            _ => Extent::Partition,
        })
    }
}

/// What is wrong with a JSON text, without the values in it, which may be personal:
/// ``invalid type: string …, expected i64 at line 1 column 7``.
pub fn json_fault(error: &serde_json::Error) -> String {
    let text = error.to_string();
    // Serde quotes values as "…" or `…`; names of members that it expects stand in `…` too, and may be kept.
    if text.starts_with("missing field") || text.starts_with("duplicate field") {
        return text;
    }
    let expected = text.find(", expected").unwrap_or(text.len());
    let (found, rest) = text.split_at(expected);
    let first = found.find(['"', '`']);
    let last = found.rfind(['"', '`']);
    match (first, last) {
        (Some(first), Some(last)) if first < last => {
            format!("{}…{}{rest}", &found[..first], &found[last + 1..])
        }
        _ => text,
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.message)?;
        for (i, (key, value)) in self.0.context.iter().enumerate() {
            write!(f, "{}{key}: {value}", if i == 0 { " (" } else { ", " })?;
        }
        if self.0.context.is_empty() { Ok(()) } else { f.write_str(")") }
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {self}", self.0.kind)?;
        match &self.0.hint {
            Some(hint) => write!(f, "; hint: {hint}"),
            None => Ok(()),
        }
    }
}

impl std::error::Error for Error {}

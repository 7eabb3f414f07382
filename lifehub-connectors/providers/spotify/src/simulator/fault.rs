//! Refusals in Spotify's envelope: `{"error": {"status", "message"}}`, and the one that comes as bare text.

use lifehub_testkit::SimResponse;
use serde_json::{Value, json};

/// A status, a message and, where Spotify gives one, a reason.
#[derive(Debug, Clone, Copy)]
pub(super) struct Refusal {
    status: u16,
    message: &'static str,
    reason: Option<&'static str>,
    /// When to come back, in seconds.
    wait_s: Option<u64>,
}

impl Refusal {
    pub(super) const EXPIRED: Self = Self::new(401, "The access token expired");
    pub(super) const UNKNOWN_TOKEN: Self = Self::new(401, "Invalid access token");
    pub(super) const NO_TOKEN: Self = Self::new(401, "No token provided");
    pub(super) const FORBIDDEN: Self = Self::new(403, "Forbidden");
    pub(super) const SCOPE: Self = Self::new(403, "Insufficient client scope");
    pub(super) const NOT_FOUND: Self = Self::new(404, "Resource not found");

    const fn new(status: u16, message: &'static str) -> Self {
        Self { status, message, reason: None, wait_s: None }
    }

    pub(super) const fn bad(message: &'static str) -> Self {
        Self::new(400, message)
    }

    /// Of the rolling window.
    pub(super) fn throttled(wait_s: u64) -> Self {
        Self { wait_s: Some(wait_s), ..Self::new(429, "API rate limit exceeded") }
    }

    /// Of the developer's quota.
    pub(super) fn locked(wait_s: u64) -> Self {
        let reason = Some("QUOTA_EXCEEDED");
        Self { reason, wait_s: Some(wait_s), ..Self::new(429, "Too many requests") }
    }

    /// The refusal of any status, for faults from outside.
    pub(super) fn of(status: u16) -> Self {
        match status {
            401 => Self::EXPIRED,
            403 => Self::FORBIDDEN,
            404 => Self::NOT_FOUND,
            429 => Self::new(429, "API rate limit exceeded"),
            _ => Self::new(status, "Server error."),
        }
    }
}

impl From<Refusal> for SimResponse {
    fn from(refusal: Refusal) -> Self {
        let mut error = json!({ "status": refusal.status, "message": refusal.message });
        if let Some(reason) = refusal.reason {
            error["reason"] = Value::from(reason);
        }
        let answer = Self::json(refusal.status, &json!({ "error": error }));
        match refusal.wait_s {
            Some(seconds) => answer.header("retry-after", seconds),
            None => answer,
        }
    }
}

/// What a user hears whom the app's owner did not name. It is not JSON.
pub(super) fn unregistered() -> SimResponse {
    let mut answer = SimResponse::empty(403).header("content-type", "text/plain; charset=utf-8");
    answer.body = "User not registered in the Developer Dashboard".into();
    answer
}

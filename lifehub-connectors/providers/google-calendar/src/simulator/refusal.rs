//! Refusals in Google's envelope,
//! `{"error":{"errors":[{domain, reason, message, locationType, location}], code, message}}`.

use lifehub_testkit::SimResponse;
use serde_json::json;

/// A status with its reason, and the parameter at fault where there is one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Refusal {
    status: u16,
    domain: &'static str,
    reason: &'static str,
    message: &'static str,
    location: Option<String>,
}

impl Refusal {
    const fn new(status: u16, domain: &'static str, reason: &'static str, message: &'static str) -> Self {
        Self { status, domain, reason, message, location: None }
    }

    pub(super) const BAD_TOKEN: Self = Self::new(401, "global", "authError", "Invalid Credentials");
    pub(super) const NO_SCOPE: Self =
        Self::new(403, "global", "insufficientPermissions", "Insufficient Permission");
    pub(super) const FORBIDDEN: Self = Self::new(403, "global", "forbidden", "Forbidden");
    pub(super) const NOT_CONFIGURED: Self =
        Self::new(403, "usageLimits", "accessNotConfigured", "Access Not Configured");
    pub(super) const NOT_FOUND: Self = Self::new(404, "global", "notFound", "Not Found");

    /// The wait that a spent quota asks for. Google names no time.
    pub(super) const fn throttled(status: u16, reason: &'static str) -> Self {
        Self::new(status, "usageLimits", reason, "Limit Exceeded")
    }

    /// A parameter that makes no sense, alone or with others.
    pub(super) fn parameter(name: &str, message: &'static str) -> Self {
        Self { location: Some(name.to_owned()), ..Self::new(400, "global", "invalid", message) }
    }

    pub(super) fn empty_range() -> Self {
        let message = "The specified time range is empty.";
        Self { location: Some("timeMax".to_owned()), ..Self::new(400, "calendar", "timeRangeEmpty", message) }
    }

    pub(super) fn full_sync_required() -> Self {
        let message = "Sync token is no longer valid, a full sync is required.";
        let refusal = Self::new(410, "calendar", "fullSyncRequired", message);
        Self { location: Some("syncToken".to_owned()), ..refusal }
    }

    pub(super) fn too_long_ago() -> Self {
        let message = "The requested minimum modification time lies too far in the past.";
        let refusal = Self::new(410, "calendar", "updatedMinTooLongAgo", message);
        Self { location: Some("updatedMin".to_owned()), ..refusal }
    }

    /// The refusal of any status, for faults from outside.
    pub(super) fn of(status: u16) -> Self {
        match status {
            400 => Self::new(400, "global", "badRequest", "Bad Request"),
            401 => Self::BAD_TOKEN,
            403 => Self::FORBIDDEN,
            404 => Self::NOT_FOUND,
            410 => Self::full_sync_required(),
            429 => Self::throttled(429, "rateLimitExceeded"),
            _ => Self::new(status, "global", "backendError", "Backend Error"),
        }
    }
}

impl From<Refusal> for SimResponse {
    fn from(refusal: Refusal) -> Self {
        let Refusal { status, domain, reason, message, location } = refusal;
        let mut error = json!({ "domain": domain, "reason": reason, "message": message });
        if let Some(location) = location {
            error["locationType"] = json!("parameter");
            error["location"] = json!(location);
        }
        Self::json(status, &json!({ "error": { "errors": [error], "code": status, "message": message } }))
    }
}

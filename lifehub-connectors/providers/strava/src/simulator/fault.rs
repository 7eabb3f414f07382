//! Refusals in Strava's envelope: `{message, errors: [{resource, field, code}]}`.

use lifehub_testkit::SimResponse;
use serde_json::json;

/// A status, a message and, where Strava names one, the culprit.
#[derive(Debug, Clone, Copy)]
pub(super) struct Refusal {
    status: u16,
    message: &'static str,
    /// Resource, field and code.
    error: Option<(&'static str, &'static str, &'static str)>,
}

impl Refusal {
    pub(super) const UNAUTHORIZED: Self =
        Self { status: 401, message: "Authorization Error", error: Some(("Application", "", "invalid")) };

    /// A token without the scope for activities.
    pub(super) const UNREADABLE: Self = Self {
        status: 401,
        message: "Authorization Error",
        error: Some(("AccessToken", "activity:read_permission", "missing")),
    };

    pub(super) const NOT_FOUND: Self =
        Self { status: 404, message: "Record Not Found", error: Some(("resource", "path", "invalid")) };

    pub(super) const THROTTLED: Self = Self {
        status: 429,
        message: "Rate Limit Exceeded",
        error: Some(("Application", "rate limit", "exceeded")),
    };

    /// A parameter that Strava does not take.
    pub(super) fn bad_request(field: &'static str, code: &'static str) -> Self {
        Self::bad("Application", field, code)
    }

    /// Anything else that a request has wrong.
    pub(super) fn bad(resource: &'static str, field: &'static str, code: &'static str) -> Self {
        Self { status: 400, message: "Bad Request", error: Some((resource, field, code)) }
    }

    /// The refusal of any status, for faults from outside.
    pub(super) fn of(status: u16) -> Self {
        match status {
            401 => Self::UNAUTHORIZED,
            404 => Self::NOT_FOUND,
            429 => Self::THROTTLED,
            _ => Self { status, message: "Internal Server Error", error: None },
        }
    }
}

impl From<Refusal> for SimResponse {
    fn from(refusal: Refusal) -> Self {
        let errors: Vec<_> = refusal
            .error
            .iter()
            .map(|(resource, field, code)| json!({ "resource": resource, "field": field, "code": code }))
            .collect();
        Self::json(refusal.status, &json!({ "message": refusal.message, "errors": errors }))
    }
}

//! YNAB's way to say no: `{"error": {"id": "404.2", "name": "resource_not_found", "detail": "…"}}`.

use lifehub_testkit::SimResponse;
use serde_json::json;

/// The errors that YNAB documents: id, name, detail.
const ERRORS: [(&str, &str, &str); 12] = [
    ("400", "bad_request", "A parameter is not valid"),
    ("401", "not_authorized", "Unauthorized"),
    ("403.1", "subscription_lapsed", "The subscription for this account has lapsed"),
    ("403.2", "trial_expired", "The trial for this account has expired"),
    ("403.3", "unauthorized_scope", "The access token's scope does not allow this"),
    ("403.4", "data_limit_reached", "The request exceeds a limit"),
    ("404.1", "not_found", "No such URI"),
    ("404.2", "resource_not_found", "Resource not found"),
    ("409", "conflict", "Conflict"),
    ("429", "too_many_requests", "Too many requests"),
    ("500", "internal_server_error", "Internal server error"),
    ("503", "service_unavailable", "Service unavailable"),
];

/// A refusal by its id.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Refusal(pub(super) &'static str);

impl Refusal {
    /// The one of that id, or the first whose id begins with that text.
    pub(super) fn named(id: &str) -> Self {
        Self(ERRORS.iter().map(|(known, ..)| *known).find(|known| known.starts_with(id)).unwrap_or("500"))
    }

    /// The answer with a status that may be another than that of the id.
    pub(super) fn answer(self, status: u16) -> SimResponse {
        let (id, name, detail) = ERRORS.into_iter().find(|(id, ..)| *id == self.0).unwrap_or(ERRORS[10]);
        SimResponse::json(status, &json!({ "error": { "id": id, "name": name, "detail": detail } }))
    }
}

impl From<Refusal> for SimResponse {
    fn from(refusal: Refusal) -> Self {
        let status = refusal.0.split('.').next().and_then(|status| status.parse().ok());
        refusal.answer(status.unwrap_or(500))
    }
}

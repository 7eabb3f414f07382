//! Google's refusals in the envelope of its newer APIs: `{"error":{"code","message","status","details"?}}`.

use lifehub_testkit::SimResponse;
use serde_json::json;

/// A status, its word, and what is said.
#[derive(Debug, Clone)]
pub(super) struct Refusal {
    code: u16,
    status: &'static str,
    message: String,
    /// The reason of an `ErrorInfo`, and the limit that it names.
    reason: Option<(&'static str, Option<(&'static str, u64)>)>,
}

impl Refusal {
    fn new(code: u16, status: &'static str, message: impl Into<String>) -> Self {
        Self { code, status, message: message.into(), reason: None }
    }

    pub(super) fn invalid(message: impl Into<String>) -> Self {
        Self::new(400, "INVALID_ARGUMENT", message)
    }

    /// A file that was uploaded and is kept as it came.
    pub(super) fn office() -> Self {
        let message = "This operation is not supported for this document";
        Self::new(400, "FAILED_PRECONDITION", message)
    }

    pub(super) fn unauthenticated() -> Self {
        Self::new(401, "UNAUTHENTICATED", "Request had invalid authentication credentials.")
    }

    pub(super) fn denied(message: &str) -> Self {
        Self::new(403, "PERMISSION_DENIED", message)
    }

    pub(super) fn because(self, reason: &'static str) -> Self {
        Self { reason: Some((reason, None)), ..self }
    }

    pub(super) fn not_found() -> Self {
        Self::new(404, "NOT_FOUND", "Requested entity was not found.")
    }

    /// A limit on reads a minute that is spent.
    pub(super) fn exhausted(limit: &'static str, name: &str, value: u64) -> Self {
        let message = format!(
            "Quota exceeded for quota metric 'Read requests' and limit '{name}' of service 'sheets.googleapis.com' \
             for consumer 'project_number:100000000001'."
        );
        let refusal = Self::new(429, "RESOURCE_EXHAUSTED", message);
        Self { reason: Some(("RATE_LIMIT_EXCEEDED", Some((limit, value)))), ..refusal }
    }

    /// The refusal of any status, for faults from outside.
    pub(super) fn of(code: u16) -> Self {
        match code {
            400 => Self::invalid("Request contains an invalid argument."),
            401 => Self::unauthenticated(),
            403 => Self::denied("The caller does not have permission"),
            404 => Self::not_found(),
            429 => Self::exhausted("ReadRequestsPerMinutePerUser", "Read requests per minute per user", 60),
            503 => Self::new(503, "UNAVAILABLE", "The service is currently unavailable."),
            504 => Self::new(504, "DEADLINE_EXCEEDED", "Deadline expired before operation could complete."),
            code => Self::new(code, "INTERNAL", "Internal error encountered."),
        }
    }
}

impl From<Refusal> for SimResponse {
    fn from(refusal: Refusal) -> Self {
        let Refusal { code, status, message, reason } = refusal;
        let mut error = json!({ "code": code, "message": message, "status": status });
        if let Some((reason, limit)) = reason {
            let mut metadata = json!({ "service": "sheets.googleapis.com" });
            if let Some((limit, value)) = limit {
                metadata["quota_limit"] = json!(limit);
                metadata["quota_limit_value"] = json!(value.to_string());
            }
            error["details"] = json!([{
                "@type": "type.googleapis.com/google.rpc.ErrorInfo",
                "reason": reason, "domain": "googleapis.com", "metadata": metadata,
            }]);
        }
        Self::json(code, &json!({ "error": error }))
    }
}

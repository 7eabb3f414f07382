//! What a refused token call means: the one table from a provider's refusal to [`ErrorKind`].

use http::StatusCode;
use serde_json::Value;

use super::bridge::Answered;
use super::spec::{OAuthSpec, Refusal};
use crate::error::{Error, ErrorKind};
use crate::http::retry_after;

/// The words of RFC 6749 (4.1.2.1 and 5.2), 6750 and 7009. No other text of a provider stands in an error.
const CODES: [&str; 13] = [
    "access_denied",
    "insufficient_scope",
    "invalid_client",
    "invalid_grant",
    "invalid_request",
    "invalid_scope",
    "invalid_token",
    "server_error",
    "temporarily_unavailable",
    "unauthorized_client",
    "unsupported_grant_type",
    "unsupported_response_type",
    "unsupported_token_type",
];

const APP: &str =
    "check client_id and client_secret in the provider's settings against those of the app at the provider";

/// The word of the RFCs that this is.
pub(super) fn known(code: &str) -> Option<&'static str> {
    CODES.into_iter().find(|known| *known == code)
}

/// What the answer to a token call refuses, if it does. `bodies` is where an `error` may stand.
pub(super) fn refused(spec: &OAuthSpec, answered: &Answered, bodies: [Option<&Value>; 2]) -> Option<Error> {
    let own = spec.refusal.and_then(|read| read(answered.status.as_u16(), &answered.body));
    match own {
        Some(Refusal::Grant) => return Some(of_grant(answered.status)),
        Some(Refusal::Client) => return Some(of_app(answered.status)),
        Some(Refusal::Other) | None => {}
    }
    if let Some(error) = by_status(answered) {
        return Some(error);
    }
    let code = bodies.into_iter().flatten().find_map(error_inside);
    let code = match code {
        Some(code) => known(code),
        None if own.is_none() && answered.status.is_success() => return None,
        None => None,
    };
    Some(by_code(code, answered.status))
}

/// What a status says on its own. Its provider may be unwell or busy: no body makes that final.
pub(super) fn by_status(answered: &Answered) -> Option<Error> {
    let error = match answered.status.as_u16() {
        429 => Error::new(ErrorKind::Throttled, "the provider asks to slow down with token calls"),
        408 | 421 | 425 | 500..=599 => unavailable(),
        // Where it leads, credentials must not go.
        100..=199 | 300..=399 => {
            Error::new(ErrorKind::InvalidResponse, "the provider redirects instead of answering")
                .hint("are the provider's OAuth addresses right? No redirect is followed with credentials")
        }
        _ => return None,
    };
    let error = error.with("status", answered.status.as_u16());
    let wait = retry_after(&answered.headers, answered.received).filter(|_| error.is_temporary());
    Some(match wait {
        Some(wait) => error.at(answered.received + wait),
        None => error,
    })
}

/// What a word of the RFCs says; none stands for all others.
pub(super) fn by_code(code: Option<&'static str>, status: StatusCode) -> Error {
    let error = match code {
        Some("invalid_grant") => of_grant(status),
        Some("invalid_client" | "unauthorized_client") => of_app(status),
        Some("temporarily_unavailable" | "server_error") => unavailable().with("status", status.as_u16()),
        _ => {
            let hint = if status == StatusCode::UNAUTHORIZED {
                APP
            } else {
                "check the app's settings here and at the provider; if they are right, it is a fault of the connector"
            };
            Error::new(ErrorKind::Invalid, "the provider does not accept the call")
                .hint(hint)
                .with("status", status.as_u16())
        }
    };
    match code {
        Some(code) => error.with("error", code),
        None => error,
    }
}

/// The `error` of a body: empty for one that is no text, none for one that says that there is none.
fn error_inside(body: &Value) -> Option<&str> {
    match body.get("error")? {
        Value::Null | Value::Bool(false) => None,
        Value::String(code) if code.is_empty() => None,
        Value::Number(number) if number.as_f64() == Some(0.0) => None,
        Value::String(code) => Some(code),
        _ => Some(""),
    }
}

fn of_grant(status: StatusCode) -> Error {
    Error::new(ErrorKind::Unauthorized, "the provider does not honour the user's consent any more")
        .hint("connect the account again")
        .with("status", status.as_u16())
}

fn of_app(status: StatusCode) -> Error {
    Error::new(ErrorKind::Invalid, "the provider does not accept this app")
        .hint(APP)
        .with("status", status.as_u16())
}

fn unavailable() -> Error {
    Error::new(ErrorKind::Unavailable, "the provider's authorization server failed")
        .hint("it is usually over soon: look at its status page")
}

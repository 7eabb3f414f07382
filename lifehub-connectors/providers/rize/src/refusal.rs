//! What Rize's refusals say. GraphQL answers errors with status 200, maybe beside some of the data.

use lifehub_core::prelude::*;
use serde::de::IgnoredAny;

/// Reads a refusal; other statuses mean what they usually do. Nothing of the body is shown.
pub(crate) fn read(answer: &Answer) -> Option<Error> {
    let status = answer.status.as_u16();
    let error = match status {
        401 => wrong_key(),
        402 | 403 => Error::new(ErrorKind::Forbidden, "Rize does not let this account use its API")
            .hint("see in the Rize app (Settings > API) whether the plan includes it; what is stored stays")
            .stops(Extent::Connection),
        200 | 400 | 422 => {
            let errors: Vec<IgnoredAny> = answer.member_opt("errors").ok()??;
            (!errors.is_empty()).then(not_answered)?.with("errors", errors.len())
        }
        _ => return None,
    };
    Some(error.with("status", status))
}

/// The key is none, or was deleted.
pub(crate) fn wrong_key() -> Error {
    Error::new(ErrorKind::Unauthorized, "Rize does not accept the API key")
        .hint("make a new key in the Rize app (Settings > API) and connect the account again")
}

fn not_answered() -> Error {
    Error::new(ErrorKind::InvalidResponse, "Rize answered with errors instead of data").hint(
        "what is stored stays; if the next sync says the same, Rize's schema has changed: look for a newer connector",
    )
}

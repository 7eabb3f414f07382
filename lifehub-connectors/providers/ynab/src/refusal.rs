//! What YNAB's refusals say: `{"error": {"id": "403.1", "name": "subscription_lapsed", "detail": "…"}}`
//! (<https://api.ynab.com/#errors>).

use lifehub_core::prelude::*;

/// How long to stay away when an hour's calls are spent. YNAB names no time; as it counts back from each moment, some are
/// free again long before the hour is over.
const PAUSE: Duration = Duration::from_secs(600);

const SETTLE: &str = "settle it at YNAB: what is stored stays, and syncs go on by themselves then";

/// Without a subscription no stream can be read; the consent is as good as before.
const LAPSED: &[Refused] = &[
    Refused::on(403, ErrorKind::Forbidden, "the YNAB subscription has lapsed", SETTLE)
        .if_one_of("error.id", &["403.1"]),
    Refused::on(403, ErrorKind::Forbidden, "the YNAB trial has expired", SETTLE)
        .if_one_of("error.id", &["403.2"]),
];

const REFUSED: &[Refused] = &[
    Refused::on(
        403,
        ErrorKind::Forbidden,
        "the access token's scope does not allow this",
        "connect the account again, or make a new personal access token",
    )
    .if_one_of("error.id", &["403.3"]),
    Refused::on(
        403,
        ErrorKind::Forbidden,
        "YNAB's limits against abuse are reached",
        "ask YNAB's support what to do",
    )
    .if_one_of("error.id", &["403.4"]),
    Refused::on(
        404,
        ErrorKind::NotFound,
        "YNAB does not have this plan any more",
        "if it was deleted there, nothing is to be done: what was read of it stays",
    )
    .if_one_of("error.id", &["404.2"]),
    Refused::on(
        429,
        ErrorKind::Throttled,
        "this hour's calls of the access token are spent",
        "whatever uses the same token shares them: give each program one of its own",
    ),
];

/// Reads a refusal by its documented id.
pub(crate) fn read(answer: &Answer) -> Option<Error> {
    if let Some(error) = refused(answer, LAPSED) {
        return Some(error.stops(Extent::Connection));
    }
    let error = refused(answer, REFUSED)?;
    let waits = error.kind() == ErrorKind::Throttled && answer.header("retry-after").is_none();
    Some(if waits { error.at(answer.received + PAUSE) } else { error })
}

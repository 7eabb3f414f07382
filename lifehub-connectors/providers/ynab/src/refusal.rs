//! What YNAB's refusals say: `{"error": {"id": "403.1", "name": "subscription_lapsed", "detail": "…"}}`
//! (<https://api.ynab.com/#errors>).

use lifehub_core::prelude::*;

/// How long to stay away when an hour's calls are spent. YNAB names no time; as it counts back from each moment, some are
/// free again long before the hour is over.
const PAUSE: Duration = Duration::from_secs(600);

const SETTLE: &str = "settle it at YNAB: what is stored stays, and syncs go on by themselves then";

/// By the documented ids.
pub(crate) const REFUSED: &[Refused] = &[
    // Without a subscription no stream can be read; the consent is as good as before.
    Refused::on(403, ErrorKind::Forbidden, "the YNAB subscription has lapsed")
        .if_one_of("error.id", &["403.1"])
        .stops(Extent::Connection)
        .hint(SETTLE),
    Refused::on(403, ErrorKind::Forbidden, "the YNAB trial has expired")
        .if_one_of("error.id", &["403.2"])
        .stops(Extent::Connection)
        .hint(SETTLE),
    Refused::on(403, ErrorKind::Forbidden, "the access token's scope does not allow this")
        .if_one_of("error.id", &["403.3"])
        .hint("connect the account again, or make a new personal access token"),
    Refused::on(403, ErrorKind::Forbidden, "YNAB's limits against abuse are reached")
        .if_one_of("error.id", &["403.4"])
        .hint("ask YNAB's support what to do"),
    Refused::on(404, ErrorKind::NotFound, "YNAB does not have this plan any more")
        .if_one_of("error.id", &["404.2"])
        .hint("if it was deleted there, nothing is to be done: what was read of it stays"),
    Refused::on(429, ErrorKind::Throttled, "this hour's calls of the access token are spent")
        .until(|now| now + PAUSE)
        .hint("whatever uses the same token shares them: give each program one of its own"),
];

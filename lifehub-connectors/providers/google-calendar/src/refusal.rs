//! What Google's refusals say: status and reason together, as one 403 throttles and another forbids
//! (<https://developers.google.com/workspace/calendar/api/guides/errors>).

use ErrorKind::{Forbidden, NotFound, Throttled};
use lifehub_core::prelude::*;

const REASON: &str = "error.errors.0.reason";

const SHARED: &str = "have it shared again, or take it off the account's list; what is stored stays";
const SPENT: &str = "a quota of the Google Cloud project is spent";
const QUOTAS: &str = "the project's page of quotas shows what uses it; a longer interval needs less";

/// Read by the first reason. What is not among them is left to the status.
pub(crate) const REFUSED: &[Refused] = &[
    Refused::on(403, Throttled, "Google Calendar asks to slow down")
        .hint("if it happens often, lower the provider's quotas or raise its interval")
        .if_one_of(REASON, &["rateLimitExceeded", "userRateLimitExceeded"]),
    Refused::on(403, Forbidden, "the consent does not include what this needs")
        .hint("connect the account again and leave every box ticked; what is stored stays")
        .if_one_of(REASON, &["insufficientPermissions"]),
    Refused::on(403, Forbidden, "the account may not read this calendar")
        .hint(SHARED)
        .if_one_of(REASON, &["forbidden"])
        .stops(Extent::Partition),
    Refused::on(404, NotFound, "the calendar is gone, or is no longer shared")
        .hint(SHARED)
        .if_one_of(REASON, &["notFound"])
        .stops(Extent::Partition),
    Refused::on(403, Forbidden, "the app's project has the Calendar API switched off")
        .hint("switch it on in the project's API library, wait a few minutes, and sync again")
        .if_one_of(REASON, &["accessNotConfigured"])
        .stops(Extent::Connection),
    Refused::on(403, Throttled, SPENT)
        .or(429)
        .hint(QUOTAS)
        .if_one_of(REASON, &["quotaExceeded"])
        .until(|now| now + HOUR),
    Refused::on(403, Throttled, SPENT)
        .or(429)
        .hint(QUOTAS)
        .if_one_of(REASON, &["dailyLimitExceeded"])
        .until(next_day),
];

/// When Google's quotas of a day begin anew: at midnight on the Pacific.
fn next_day(now: Timestamp) -> Timestamp {
    let midnight = || {
        let pacific: Zone = "America/Los_Angeles".parse().ok()?;
        pacific.instant_of(&format!("{}T00:00:00", pacific.day_at(now).plus(1))).ok()
    };
    midnight().unwrap_or(now + DAY)
}

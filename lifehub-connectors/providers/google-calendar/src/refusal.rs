//! What Google's refusals say: status and reason together, as one 403 throttles and another forbids
//! (<https://developers.google.com/workspace/calendar/api/guides/errors>).

use lifehub_core::prelude::*;

const SLOWER: &str = "if it happens often, lower the provider's quotas or raise its interval";
const TICKED: &str = "connect the account again and leave every box ticked; what is stored stays";
const SHARED: &str = "have it shared again, or take it off the account's list; what is stored stays";
const SWITCHED: &str = "switch it on in the project's API library, wait a few minutes, and sync again";
const SPENT: &str = "a quota of the Google Cloud project is spent";
const QUOTAS: &str = "the project's page of quotas shows what uses it; a longer interval needs less";
const EXPIRED: &str = "Google Calendar does not take the stored token any more";

const fn by(reasons: &'static [&'static str], line: Refused) -> Refused {
    line.if_one_of("error.errors.0.reason", reasons)
}

const STREAM: &[Refused] = &[
    by(
        &["rateLimitExceeded", "userRateLimitExceeded"],
        Refused::on(403, ErrorKind::Throttled, "Google Calendar asks to slow down", SLOWER),
    ),
    by(
        &["insufficientPermissions"],
        Refused::on(403, ErrorKind::Forbidden, "the consent does not include what this needs", TICKED),
    ),
    // Damaged, or sent with other parameters than before.
    Refused::on(400, ErrorKind::CursorExpired, EXPIRED, "all of the calendar is read again")
        .if_one_of("error.errors.0.location", &["syncToken", "pageToken"]),
];

const CALENDAR: &[Refused] = &[
    by(
        &["forbidden"],
        Refused::on(403, ErrorKind::Forbidden, "the account may not read this calendar", SHARED),
    ),
    by(
        &["notFound"],
        Refused::on(404, ErrorKind::NotFound, "the calendar is gone, or is no longer shared", SHARED),
    ),
];

const PROJECT: &[Refused] = &[by(
    &["accessNotConfigured"],
    Refused::on(403, ErrorKind::Forbidden, "the app's project has the Calendar API switched off", SWITCHED),
)];

const HOUR_SPENT: &[Refused] = &[
    by(&["quotaExceeded"], Refused::on(403, ErrorKind::Throttled, SPENT, QUOTAS)),
    by(&["quotaExceeded"], Refused::on(429, ErrorKind::Throttled, SPENT, QUOTAS)),
];

const DAY_SPENT: &[Refused] = &[
    by(&["dailyLimitExceeded"], Refused::on(403, ErrorKind::Throttled, SPENT, QUOTAS)),
    by(&["dailyLimitExceeded"], Refused::on(429, ErrorKind::Throttled, SPENT, QUOTAS)),
];

/// Reads a refusal by its first reason. What it does not know is left to the status.
pub(crate) fn read(answer: &Answer) -> Option<Error> {
    let known = |table| refused(answer, table);
    known(STREAM)
        .or_else(|| known(CALENDAR).map(|error| error.stops(Extent::Partition)))
        .or_else(|| known(PROJECT).map(|error| error.stops(Extent::Connection)))
        .or_else(|| known(HOUR_SPENT).map(|error| error.at(answer.received + HOUR)))
        .or_else(|| known(DAY_SPENT).map(|error| error.at(next_day(answer.received))))
}

/// When Google's quotas of a day begin anew: at midnight on the Pacific.
fn next_day(now: Timestamp) -> Timestamp {
    let midnight = || {
        let pacific: Zone = "America/Los_Angeles".parse().ok()?;
        let tomorrow = Day::from_number(pacific.day_at(now).as_number() + 1);
        pacific.instant_of(&format!("{tomorrow}T00:00:00")).ok()
    };
    midnight().unwrap_or(now + DAY)
}

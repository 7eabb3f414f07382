//! The list of activities: which of them a query asks for, in which order, on which page.

use lifehub_core::clock::Timestamp;
use lifehub_testkit::{Bytes, SimRequest};

use super::fault::Refusal;

/// The parameters of `GET /athlete/activities`.
#[derive(Debug)]
pub(super) struct Query {
    /// From 1.
    pub(super) page: u64,
    per_page: u64,
    before: Option<i64>,
    after: Option<i64>,
    paging: Paging,
    /// Whether the token sees what is visible to "Only You".
    private: bool,
}

/// How many items a page gets of those that were asked for.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Paging {
    /// Every third page is shorter.
    pub(super) short: bool,
    /// No page is longer.
    pub(super) most: Option<u64>,
}

impl Query {
    /// Reads and checks the parameters.
    ///
    /// Strava calls an `after` that lies ahead of its clock `future`; that is how it answers milliseconds. A `before`
    /// in milliseconds is taken for a distant future, which excludes nothing. What it says to a page below 1 is not
    /// known; this refuses it.
    pub(super) fn read(
        request: &SimRequest,
        now: Timestamp,
        paging: Paging,
        private: bool,
    ) -> Result<Self, Refusal> {
        let number = |name, field| match request.query(name).map(str::parse::<i64>) {
            None => Ok(None),
            Some(Ok(number)) => Ok(Some(number)),
            Some(Err(_)) => Err(Refusal::bad_request(field, "invalid")),
        };
        let positive = |name, field, default| {
            let value = number(name, field)?.unwrap_or(default);
            u64::try_from(value).ok().filter(|n| *n > 0).ok_or(Refusal::bad_request(field, "invalid"))
        };
        let mut query = Self {
            page: positive("page", "page", 1)?,
            per_page: positive("per_page", "per page", 30)?,
            before: number("before", "before")?,
            after: number("after", "after")?,
            paging,
            private,
        };
        if query.per_page > 200 {
            return Err(Refusal::bad_request("per page", "limit exceeded"));
        }
        if query.after.is_some_and(|after| after > now.as_seconds()) {
            return Err(Refusal::bad_request("after", "future"));
        }
        query.per_page = query.per_page.min(paging.most.unwrap_or(u64::MAX).max(1));
        Ok(query)
    }

    /// Where the page begins in the list, and how many places it has.
    fn places(&self) -> (u64, u64) {
        // Pages 2, 5, 8, … are the short ones: `page / 3` of them lie before this page.
        let missing = if self.paging.short { (self.per_page / 10 + 1).min(self.per_page - 1) } else { 0 };
        let before = (self.page - 1).saturating_mul(self.per_page).saturating_sub(self.page / 3 * missing);
        let here = if self.page % 3 == 2 { self.per_page - missing } else { self.per_page };
        (before, here)
    }
}

/// Something with a start and a JSON text.
pub(super) trait Listed {
    fn start_s(&self) -> i64;
    fn only_me(&self) -> bool;
    fn json(&self) -> &Bytes;
}

/// The page of a list that is sorted by start, oldest first. Texts are joined, not composed: at 200 a page a walk
/// through 100,000 activities costs the server a memory copy of each.
pub(super) fn page<L: Listed>(sorted: &[L], query: &Query) -> Bytes {
    // "After" and "before a certain time" are both strict.
    let low = query.after.map_or(0, |after| sorted.partition_point(|item| item.start_s() <= after));
    let high =
        query.before.map_or(sorted.len(), |before| sorted.partition_point(|item| item.start_s() < before));
    let asked = sorted.get(low..high).unwrap_or(&[]);
    // Oldest first with `after` alone, newest first in every other case.
    let (mut forth, mut back) = (asked.iter(), asked.iter().rev());
    let oldest_first = query.after.is_some() && query.before.is_none();
    let items: &mut dyn Iterator<Item = &L> = if oldest_first { &mut forth } else { &mut back };
    let (skip, take) = query.places();
    let (skip, take) = (usize::try_from(skip).unwrap_or(usize::MAX), usize::try_from(take).unwrap_or(0));
    // Without a filter, what is skipped is not looked at.
    let found: Vec<&L> = if query.private {
        items.skip(skip).take(take).collect()
    } else {
        items.filter(|item| !item.only_me()).skip(skip).take(take).collect()
    };
    joined(&found)
}

fn joined<L: Listed>(items: &[&L]) -> Bytes {
    let mut text = Vec::with_capacity(2 + items.iter().map(|item| item.json().len() + 1).sum::<usize>());
    text.push(b'[');
    for (i, item) in items.iter().enumerate() {
        if i > 0 {
            text.push(b',');
        }
        text.extend_from_slice(item.json());
    }
    text.push(b']');
    text.into()
}

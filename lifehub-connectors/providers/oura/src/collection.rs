//! The collections of the API: which days each is asked for, and what the engine must know of its entries.

use lifehub_core::prelude::*;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

/// One collection.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Collection<'a> {
    path: &'a str,
    /// Before this day it has nothing.
    first: Day,
    /// How many days one list is of.
    days: i32,
    /// Whether it is asked for instants, as samples are, and not for days.
    by_time: bool,
}

/// Where a walk stands: at a span of days, and on a page of its list.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct At {
    span: DaySpan,
    /// None for the first page.
    pub(crate) token: Option<String>,
}

/// One page: the entries that belong to its span, and the token of the next page.
#[derive(Debug)]
pub(crate) struct Listed {
    pub(crate) items: Vec<Item>,
    token: Option<String>,
}

impl<'a> Collection<'a> {
    /// What a stream reads.
    pub(crate) fn of(at: Place<'a>) -> Result<Self> {
        let path = match at.stream {
            "sleep" | "daily_sleep" | "daily_readiness" | "daily_activity" | "daily_spo2" => at.stream,
            "workouts" => "workout",
            "sessions" => "session",
            "tags" => "enhanced_tag",
            // Time series are those of rings of the third generation. Lists of more than 30 days have failed.
            "heart_rate" => {
                let first = Day::new(2021, 10, 1)?;
                return Ok(Self { path: "heartrate", first, days: 28, by_time: true });
            }
            _ => return Err(at.unknown()),
        };
        // Rings are sold since the autumn of 2015. For history Oura speaks of one to three months at a time.
        Ok(Self { path, first: Day::new(2015, 8, 1)?, days: 86, by_time: false })
    }

    /// The days of a pass. The user's calendar may be a day ahead of UTC.
    pub(crate) fn days_of(&self, pass: &Pass, start: Option<Day>) -> DaySpan {
        let to = pass.to.utc_day().plus(1);
        let first = start.unwrap_or(self.first).max(self.first);
        let from = pass.from.map_or(first, |from| from.utc_day().max(first));
        DaySpan { from: from.min(to), to }
    }

    /// The first place of a walk through these days, which leads back in time.
    pub(crate) fn latest(&self, days: DaySpan) -> At {
        At { span: ending(days.to, self.days, days.from), token: None }
    }

    /// The place after a page; none at the first day. An empty list is followed by one of four times as many days, so
    /// that the years before the ring are a few requests.
    pub(crate) fn next(&self, at: &At, page: &Listed, first: Day) -> Option<At> {
        let token = page.token.clone().filter(|token| !token.is_empty());
        if token.is_some() {
            return Some(At { span: at.span, token });
        }
        let empty = at.token.is_none() && page.items.is_empty();
        let days = if empty && !self.by_time { 4 * length(at.span) } else { self.days };
        let to = at.span.from.plus(-1);
        (first <= to).then(|| At { span: ending(to, days, first), token: None })
    }

    /// The same place with as few days as usual, if it has more.
    pub(crate) fn shorter(&self, at: &At) -> Option<At> {
        let long = length(at.span) > self.days;
        long.then(|| At { span: ending(at.span.to, self.days, at.span.from), token: None })
    }

    /// Asks for a page.
    ///
    /// Whether a list's end belongs to it differs by collection, and workouts are cut by days in UTC though they bear a
    /// local one. So two days more are asked for on both sides, and what belongs to other days is left to their lists.
    pub(crate) async fn list(&self, cx: &Context<'_>, at: &At) -> Result<Listed> {
        let DaySpan { from, to } = at.span;
        let call = cx.get("/v2/usercollection").segment(self.path);
        let call = match self.by_time {
            true => call
                .query("start_datetime", from.start_utc() - Duration::from_secs(1))
                .query("end_datetime", to.plus(1).start_utc()),
            false => call.query("start_date", from.plus(-2)).query("end_date", to.plus(2)),
        };
        let read = |answer: &Answer| {
            let List { data, next_token } = answer.json()?;
            let items = data.into_iter().filter_map(|part| item(answer.raw(part), at.span)).collect();
            Ok(Listed { items, token: next_token })
        };
        call.query_opt("next_token", at.token.as_deref()).parse(read).await
    }
}

/// The wire form of a page. Time series may leave the token out.
#[derive(Deserialize)]
struct List<'a> {
    #[serde(borrow)]
    data: Vec<&'a RawValue>,
    next_token: Option<String>,
}

/// What a finished pass is complete for. A full one from the first ring on is for everything.
pub(crate) fn coverage(days: DaySpan, pass: &Pass, start: Option<Day>) -> Coverage {
    match (pass.from, start) {
        (None, None) => Coverage::Whole,
        // Its borders are not covered themselves.
        _ => Coverage::Span {
            from: days.from.start_utc() - Duration::from_micros(1),
            to: days.to.plus(1).start_utc(),
        },
    }
}

/// What the engine must know of an entry. Nothing of it may fail the others.
#[derive(Deserialize)]
struct Head {
    #[serde(default)]
    id: Maybe<String>,
    #[serde(default, alias = "start_day")]
    day: Maybe<Day>,
    #[serde(default, rename = "type")]
    kind: Maybe<String>,
    /// UTC, of samples. Documents with a day may have one too, of some moment of it.
    #[serde(default)]
    timestamp: Maybe<Timestamp>,
    #[serde(default)]
    source: Maybe<String>,
}

/// An entry, unless it belongs to other days. One that does not tell its day is kept.
fn item(body: RawJson, span: DaySpan) -> Option<Item> {
    let broken = |body, reason: &str| Some(Item::Broken { body, reason: reason.to_owned() });
    let Ok(Head { id, day, kind, timestamp, source }) = body.read::<Head>() else {
        return broken(body, "it is no object");
    };
    let at = day.0.map(Day::start_utc).or(timestamp.0);
    if at.is_some_and(|at| at.utc_day() < span.from || span.to < at.utc_day()) {
        return None;
    }
    // A sample has no id of its own.
    let id = id.0.or_else(|| Some(format!("{}|{}", timestamp.0?, source.0?)));
    let Some(id) = id.filter(|id| !id.is_empty()) else { return broken(body, "it has no id") };
    Some(match kind.0.as_deref() {
        // The user says that it was no sleep.
        Some("deleted") => Item::Gone { id, version: None },
        _ => Item::Put(RawItem { id, at, version: None, body }),
    })
}

/// So many days up to `to`, none of them before `first`.
fn ending(to: Day, days: i32, first: Day) -> DaySpan {
    DaySpan { from: to.plus(1 - days).max(first).min(to), to }
}

fn length(span: DaySpan) -> i32 {
    span.to.as_number() - span.from.as_number() + 1
}

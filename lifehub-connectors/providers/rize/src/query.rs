//! The two questions that are asked of Rize, and the items in their answers.

use lifehub_core::prelude::*;
use serde::de::IgnoredAny;
use serde_json::json;

/// The only path, below the base URL.
pub(crate) const GRAPHQL: &str = "/graphql";

/// Few members, as one that the schema lacks fails the whole question.
const SESSIONS: &str =
    "sessions(startTime: $from, endTime: $to) { id title type startTime endTime projects { name } }";
const SUMMARIES: &str = "summaries(startDate: $from, endDate: $to, bucketSize: \"day\") \
    { buckets { date focusTime breakTime meetingTime trackedTime workHours } }";

/// What becomes of an entry of an answer.
enum Fate {
    Wanted,
    /// It belongs to another window or to the future, or says that there was nothing.
    Unwanted,
    /// It was not asked for.
    Foreign,
}

/// The sessions that begin on these days in UTC. A planned one counts once it has begun.
///
/// Which sessions Rize counts to a window (those that touch it, begin or lie in it) is not documented, so that a wider
/// one is asked for.
pub(crate) async fn sessions(cx: &Context<'_>, span: DaySpan) -> Result<Vec<Item>> {
    let (from, to) = (span.from.start_utc(), span.to.plus(1).start_utc());
    let asked = (from - DAY, to + DAY);
    let now = cx.now();
    let judge = |session: &Fields<'_>| {
        let (start, end) = (session.maybe("startTime"), session.maybe::<Timestamp>("endTime"));
        let fate = match start {
            Some(start) if start > asked.1 || end.is_some_and(|end| end.max(start) < asked.0) => {
                Fate::Foreign
            }
            Some(start) if start < from || start >= to || start > now => Fate::Unwanted,
            // Without a start it is for the normalizer to refuse.
            _ => Fate::Wanted,
        };
        Ok((ItemKey::new(session.id("id")?).at(start), fate))
    };
    let bounds = (asked.0.to_string(), asked.1.to_string());
    ask(cx, SESSIONS, "ISO8601DateTime", "", span, bounds, judge).await
}

/// The sums of these days of the user's calendar. A day of zeros is a day on which nothing was tracked.
pub(crate) async fn days(cx: &Context<'_>, span: DaySpan) -> Result<Vec<Item>> {
    let judge = |bucket: &Fields<'_>| {
        let day: Day = bucket.need("date")?;
        let times = ["focusTime", "breakTime", "meetingTime", "trackedTime", "workHours"];
        let fate = if !(span.from..=span.to).contains(&day) {
            Fate::Foreign
        } else if times.iter().all(|time| bucket.maybe(time) == Some(0.0)) {
            Fate::Unwanted
        } else {
            Fate::Wanted
        };
        Ok((ItemKey::new(day).at(day.start_utc()), fate))
    };
    let bounds = (span.from.to_string(), span.to.to_string());
    ask(cx, SUMMARIES, "ISO8601Date", ".buckets", span, bounds, judge).await
}

/// Asks for a member of the schema between two bounds of this type.
///
/// Every question goes to the same path. Under an alias that names the days, an answer to another question cannot be
/// taken for one that has nothing for these.
async fn ask(
    cx: &Context<'_>,
    member: &str,
    scalar: &str,
    list: &str,
    span: DaySpan,
    (from, to): (String, String),
    judge: impl Fn(&Fields<'_>) -> Result<(ItemKey, Fate), Reject> + Send + Sync,
) -> Result<Vec<Item>> {
    let alias = format!("from_{}", span.from).replace('-', "_");
    let query = format!("query($from: {scalar}!, $to: {scalar}!) {{ {alias}: {member} }}");
    let call = cx.graphql(GRAPHQL, &query, &json!({ "from": from, "to": to }));
    let read = |answer: &Answer| {
        // A member of another name is the answer to another question.
        match answer.member_opt::<IgnoredAny>(&format!("data.{alias}"))? {
            Some(_) => answer.items_at(&format!("data.{alias}{list}")),
            None => Err(foreign()),
        }
    };
    let entries = call.parse(read).await?;
    let sifted = entries.into_iter().map(|entry| {
        let mut fate = Fate::Wanted;
        let item = Item::read(entry, |entry| {
            let (key, own) = judge(entry)?;
            fate = own;
            Ok(key)
        });
        match fate {
            // One without a readable head is wanted too.
            Fate::Wanted => Ok(Some(item)),
            Fate::Unwanted => Ok(None),
            // If Rize does not heed the bounds, what is absent is not gone.
            Fate::Foreign => Err(foreign()),
        }
    });
    sifted.filter_map(Result::transpose).collect()
}

fn foreign() -> Error {
    Error::new(ErrorKind::InvalidResponse, "Rize answered for other days than it was asked for")
        .hint("nothing was deleted; Rize's schema has probably changed: look for a newer connector")
}

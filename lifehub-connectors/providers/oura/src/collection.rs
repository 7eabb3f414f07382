//! The collections of the API: which days each is asked for, and what the engine must know of its entries.

use lifehub_core::prelude::*;

/// One collection.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Collection<'a> {
    path: &'a str,
    /// Before this day it has nothing.
    pub(crate) first: Day,
    /// How many days one list is of.
    pub(crate) days: u16,
    /// Whether it is asked for instants, as samples are, and not for days.
    by_time: bool,
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

    /// Asks for a page: the entries that belong to its span of days, and the token of the next page.
    ///
    /// Whether a list's end belongs to it differs by collection, and workouts are cut by days in UTC though they bear a
    /// local one. So two days more are asked for on both sides, and what belongs to other days is left to their lists.
    pub(crate) async fn list(
        &self,
        cx: &Context<'_>,
        span: DaySpan,
        page: &PageToken,
    ) -> Result<(Vec<Item>, Option<String>)> {
        let call = cx.get("/v2/usercollection").segment(self.path);
        let call = match self.by_time {
            true => call
                .query("start_datetime", span.from.start_utc() - Duration::from_secs(1))
                .query("end_datetime", span.to.plus(1).start_utc()),
            false => call.query("start_date", span.from.plus(-2)).query("end_date", span.to.plus(2)),
        };
        let read = |answer: &Answer| {
            let list = answer.fields()?;
            let items = list.items("data")?.into_iter().filter_map(|entry| item(entry, span)).collect();
            // Time series may leave the token out.
            Ok((items, list.get("next_token")?))
        };
        call.token("next_token", page.token.as_deref()).parse(read).await
    }
}

/// What the engine must know of an entry, unless it belongs to other days. One that does not tell its day is kept.
fn item(body: RawJson, span: DaySpan) -> Option<Item> {
    Item::sift(body, |entry| {
        // UTC, of samples. Documents with a day may have one too, of some moment of it.
        let timestamp: Option<Timestamp> = entry.maybe("timestamp");
        let day: Option<Day> = entry.maybe("day").or_else(|| entry.maybe("start_day"));
        let at = day.map(Day::start_utc).or(timestamp);
        if at.is_some_and(|at| at.utc_day() < span.from || span.to < at.utc_day()) {
            return Ok(None);
        }
        // A sample has no id of its own.
        let sample = || Some(format!("{}|{}", timestamp?, entry.maybe::<String>("source")?));
        let id = entry.maybe("id").or_else(sample).ok_or_else(|| Reject::new("it has no id"))?;
        // The user says that it was no sleep.
        let is_deleted = entry.maybe::<String>("type").as_deref() == Some("deleted");
        Ok(Some(ItemKey::new(id).at(at).gone_if(is_deleted)))
    })
}

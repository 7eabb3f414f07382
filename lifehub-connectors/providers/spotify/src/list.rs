//! A page of a list as Spotify gives it, and the way to the next.

use lifehub_core::prelude::*;

/// The most that a page holds, and the plays that are kept.
const LIMIT: u32 = 50;

/// A page of a list.
pub(crate) struct List {
    pub(crate) items: Vec<RawJson>,
    /// The next page, which lies below the same address.
    pub(crate) next: Option<PagePath>,
    /// How many items come before the page, and how many the whole list has. A list of plays says neither.
    pub(crate) offset: u64,
    pub(crate) total: u64,
    /// The day on which it was asked for, in UTC.
    pub(crate) day: Day,
    /// The range of favourites, as the answer names it.
    pub(crate) time_range: Option<String>,
}

impl List {
    /// The first page.
    pub(crate) async fn first(call: Call) -> Result<Self> {
        call.query("limit", LIMIT).parse(Self::read).await
    }

    /// The page at which a walk stands that began with this call.
    pub(crate) async fn at(cx: &Context<'_>, place: &PagePath, first: Call) -> Result<Self> {
        cx.page(place, first.query("limit", LIMIT)).parse(Self::read).await
    }

    fn read(answer: &Answer) -> Result<Self> {
        let list = answer.fields()?;
        let href = list.text("href")?.unwrap_or_default();
        let time_range = href.split(['?', '&']).find_map(|pair| pair.strip_prefix("time_range="));
        // Required, as `items` are: an answer without it is no list.
        let next: Option<String> = list.nullable("next")?;
        Ok(Self {
            items: list.items("items")?,
            next: PagePath::linked(answer, next.as_deref())?,
            offset: list.get("offset")?.unwrap_or(0),
            total: list.get("total")?.unwrap_or(0),
            day: answer.sent.utc_day(),
            time_range: time_range.map(str::to_owned),
        })
    }
}

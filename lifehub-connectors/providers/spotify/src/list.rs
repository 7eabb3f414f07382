//! A page of a list as Spotify gives it, and the way to the next.

use lifehub_core::prelude::*;
use serde::Deserialize;
use serde_json::value::RawValue;

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
        match &place.path {
            Some(path) => cx.get(path).parse(Self::read).await,
            None => Self::first(first).await,
        }
    }

    fn read(answer: &Answer) -> Result<Self> {
        #[derive(Deserialize)]
        struct Envelope<'a> {
            #[serde(default)]
            href: String,
            #[serde(borrow)]
            items: Vec<&'a RawValue>,
            /// Required, as `items` are: an answer without them is no list.
            #[serde(deserialize_with = "Option::deserialize")]
            next: Option<String>,
            #[serde(default)]
            offset: u64,
            #[serde(default)]
            total: u64,
        }
        let Envelope { href, items, next, offset, total } = answer.json()?;
        let time_range = href.split(['?', '&']).find_map(|pair| pair.strip_prefix("time_range="));
        Ok(Self {
            items: items.into_iter().map(|part| answer.raw(part)).collect(),
            next: PagePath::linked(answer, next.as_deref())?,
            offset,
            total,
            day: answer.sent.utc_day(),
            time_range: time_range.map(str::to_owned),
        })
    }
}

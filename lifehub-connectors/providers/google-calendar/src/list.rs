//! Google's lists: a page of entries, and what leads on from it.

use std::borrow::Cow;

use lifehub_core::prelude::*;
use serde::Deserialize;
use serde_json::value::RawValue;

/// A page of a list. It may be empty, and not the last.
#[derive(Debug)]
pub(crate) struct List {
    /// The entries as they came.
    pub(crate) items: Vec<RawJson>,
    /// The calendar's zone, where the list is one of events.
    pub(crate) zone: Option<Zone>,
    /// What leads to the next page; none on the last.
    pub(crate) next_page: Option<String>,
    /// From where changes are told; on the last page alone.
    pub(crate) next_sync: Option<String>,
}

/// Read at once: a page may have some megabytes.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Wire<'a> {
    /// There also where it is empty: what has none is no list.
    #[serde(borrow)]
    items: Vec<&'a RawValue>,
    #[serde(borrow)]
    time_zone: Option<Cow<'a, str>>,
    next_page_token: Option<String>,
    next_sync_token: Option<String>,
}

impl List {
    /// Asks for a page.
    pub(crate) async fn of(call: Call) -> Result<Self> {
        let told = |token: Option<String>| token.filter(|token| !token.is_empty());
        call.parse(|answer| {
            let wire: Wire<'_> = answer.json()?;
            Ok(Self {
                items: wire.items.into_iter().map(|part| answer.raw(part)).collect(),
                zone: wire.time_zone.and_then(|name| name.parse().ok()),
                next_page: told(wire.next_page_token),
                next_sync: told(wire.next_sync_token),
            })
        })
        .await
    }
}

/// What must be known of a calendar to ask for its events.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct CalendarHead {
    /// Often an e-mail address.
    pub(crate) id: String,
    #[serde(default)]
    summary: Maybe<String>,
    #[serde(default)]
    summary_override: Maybe<String>,
}

impl CalendarHead {
    /// Its events as a part of their stream.
    pub(crate) fn partition(self) -> Partition {
        let title = self.summary_override.0.or(self.summary.0);
        Partition { title, ..Partition::new(self.id) }
    }
}

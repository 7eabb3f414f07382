//! Google Calendar: the calendars of one account, and the events in each of them.
//!
//! Facts are from Google's documentation (<https://developers.google.com/workspace/calendar/api>); see the README for
//! what is read, the limits, and the quirks.

mod event;
mod normalize;
mod refusal;
#[cfg(feature = "simulator")]
pub mod simulator;

use lifehub_core::prelude::*;
use serde::{Deserialize, Serialize};

const HOME: &str = "https://www.googleapis.com/calendar/v3";

const CALENDARS_SCOPE: &str = "https://www.googleapis.com/auth/calendar.calendarlist.readonly";
const EVENTS_SCOPE: &str = "https://www.googleapis.com/auth/calendar.events.readonly";

const SCOPES: &[&str] = &["openid", lifehub_google::EMAIL, CALENDARS_SCOPE, EVENTS_SCOPE];

/// How far ahead events are kept: an endless series has no last one.
const HORIZON: Duration = DAY.saturating_mul(366);

/// How much earlier than a pass begins changes are asked for by their time: Google's clock is not this machine's.
const MARGIN: Duration = HOUR;

/// Events a page: Google would give 2,500, but one with many guests has 30 kB.
const EVENTS: u32 = 1000;

/// The most calendars that Google gives a page.
const CALENDARS: u32 = 250;

/// Reads Google Calendar.
#[derive(Debug)]
pub struct GoogleCalendar;

static MANIFEST: LazyLock<Manifest> = LazyLock::new(|| Manifest {
    id: "google-calendar",
    title: "Google Calendar",
    about: "All calendars of an account, with their events of the past and of a year ahead",
    docs: "https://developers.google.com/workspace/calendar/api/v3/reference",
    base_url: HOME,
    origins: &[lifehub_google::OPENID],
    auth: Auth::oauth2(lifehub_google::consent(SCOPES)),
    // Counted back over a minute (<https://developers.google.com/workspace/calendar/api/guides/quota>).
    quotas: vec![
        QuotaSpec::sliding("project", QuotaScope::App, 10_000, MINUTE),
        QuotaSpec::sliding("user", QuotaScope::Connection, 600, MINUTE),
    ],
    streams: vec![
        StreamSpec::snapshot("calendars", "Calendars", &["custom"], normalize::calendar)
            .absence(Absence::MeansGone)
            .scopes(&[CALENDARS_SCOPE]),
        StreamSpec::incremental("events", "Events", &["event"], normalize::event)
            .version(2)
            // Pages follow each other by Google's own tokens.
            .absence(Absence::MeansGone)
            .interval(15 * MINUTE)
            // What comes within the horizon as time goes by is no change, and a deleted series is told in part.
            .full_every(7 * DAY)
            .scopes(&[EVENTS_SCOPE]),
    ],
    settings: no_settings(),
    terms: lifehub_google::TERMS,
});

/// A page of a list. It may be empty, and not the last.
struct List {
    items: Vec<RawJson>,
    /// The calendar's zone, where the list is one of events.
    zone: Option<Zone>,
    /// What leads to the next page; none on the last.
    next_page: Option<String>,
    /// From where changes are told; on the last page alone.
    next_sync: Option<String>,
}

async fn list(call: Call) -> Result<List> {
    call.parse(|answer| {
        let list = answer.fields()?;
        Ok(List {
            // There also where it is empty: what has none is no list.
            items: list.items("items")?,
            zone: list.maybe("timeZone"),
            next_page: list.text("nextPageToken")?,
            next_sync: list.text("nextSyncToken")?,
        })
    })
    .await
}

/// Where a walk over the events of one calendar stands. Tokens are good for the parameters with which they came:
/// whoever changes those gives this another shape.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Position {
    /// The sync token with which the walk began. Without one it is bounded by times.
    sync: Option<String>,
    /// The page to ask for; none is the first.
    page: Option<String>,
}

/// The events of one calendar: all up to the horizon, or what changed since a sync token, or, where there is none (the
/// first full pass is still under way, or Google gave none), since the pass's beginning.
async fn events(cx: &Context<'_>, calendar: &str, cursor: Option<&Cursor>) -> Result<Page> {
    let Position { sync, page } = resume(cursor)?;
    let pass = cx.pass();
    // Google ignores parts of a second.
    let whole = |at: Timestamp| Timestamp::from_seconds(at.as_seconds());
    let horizon = whole(pass.to + HORIZON);
    let call = cx.get("/calendars").segment(calendar).segment("events");
    let call = call.query("singleEvents", true).query("maxResults", EVENTS).token("pageToken", page);
    // Bounds must not go with a sync token. An order may go with bounds, but it would cost the token.
    let (call, covers) = match (&sync, pass.kind) {
        (Some(token), _) => (call.token("syncToken", Some(token)), Coverage::Nothing),
        (None, PassKind::Live) => {
            let since = pass.from.map(|from| whole(from - MARGIN));
            (call.query("timeMax", horizon).query_opt("updatedMin", since), Coverage::Nothing)
        }
        (None, PassKind::Full) => {
            let call = call.query("timeMax", horizon).query_opt("timeMin", pass.from.map(whole));
            (call, Coverage::since(pass.from, horizon))
        }
    };
    let list = list(call).await?;
    let next = match list.next_page {
        Some(page) => Next::more(&Position { sync, page: Some(page) })?,
        None => Next::caught_up(&Position { sync: list.next_sync, page: None }, covers)?,
    };
    let read = |body| event::item(body, list.zone.as_ref(), horizon);
    Ok(Page { items: list.items.into_iter().filter_map(read).collect(), next })
}

/// A page of the account's calendars, hidden ones included.
async fn calendars(cx: &Context<'_>, at: &PageToken) -> Result<List> {
    let call = cx.get("/users/me/calendarList").query("maxResults", CALENDARS).query("showHidden", true);
    list(call.token("pageToken", at.token.as_deref())).await
}

/// The events of a calendar as a part of their stream. One without an id is kept by the stream of calendars; nobody can
/// ask for its events.
fn partition(calendar: &RawJson) -> Option<Partition> {
    let calendar = Fields::read(calendar).ok()?;
    let title = calendar.maybe("summaryOverride").or(calendar.maybe("summary"));
    Some(Partition { title, ..Partition::new(calendar.maybe::<String>("id")?) })
}

#[async_trait]
impl Connector for GoogleCalendar {
    fn manifest(&self) -> &Manifest {
        &MANIFEST
    }

    async fn identify(&self, cx: &Context<'_>) -> Result<Identity> {
        lifehub_google::identify(cx, HOME).await
    }

    async fn partitions(&self, cx: &Context<'_>, stream: &str) -> Result<Vec<Partition>> {
        if stream != "events" {
            return Ok(vec![Partition::only()]);
        }
        let (mut partitions, mut walk) = (Vec::new(), Walk::default());
        while let Some(at) = walk.page() {
            let list = match calendars(cx, &at).await {
                // Who keeps the list private may still let events be read: the own calendar has the account's address.
                Err(error) if error.kind() == ErrorKind::Forbidden && error.extent() == Extent::Stream => {
                    let own = self.identify(cx).await?.title;
                    return own.map(|own| vec![Partition::new(own)]).ok_or(error);
                }
                list => list?,
            };
            partitions.extend(list.items.iter().filter_map(partition));
            walk.go_on(at.next(list.next_page))?;
        }
        Ok(partitions)
    }

    async fn fetch_page(&self, cx: &Context<'_>, at: Place<'_>, cursor: Option<&Cursor>) -> Result<Page> {
        match at.stream {
            "calendars" => {
                let place: PageToken = resume(cursor)?;
                let list = calendars(cx, &place).await?;
                let next = go_on(place.next(list.next_page), Coverage::Whole)?;
                let read = |body| Item::read(body, |entry| Ok(ItemKey::new(entry.id("id")?)));
                Ok(Page { items: list.items.into_iter().map(read).collect(), next })
            }
            "events" => events(cx, at.partition, cursor).await,
            _ => Err(at.unknown()),
        }
    }

    fn classify(&self) -> Option<Classify> {
        Some(|answer| refused(answer, refusal::REFUSED))
    }
}

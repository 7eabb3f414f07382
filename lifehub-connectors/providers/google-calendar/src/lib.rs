//! Google Calendar: the calendars of one account, and the events in each of them.
//!
//! Facts are from Google's documentation (<https://developers.google.com/workspace/calendar/api>); see the README for
//! what is read, the limits, and the quirks.

mod event;
mod list;
mod normalize;
mod refusal;
#[cfg(feature = "simulator")]
pub mod simulator;

use lifehub_core::prelude::*;
use serde::{Deserialize, Serialize};

use list::{CalendarHead, List};

const HOME: &str = "https://www.googleapis.com/calendar/v3";

/// Where Google says whose account it is: another host.
const OPENID: &str = "https://openidconnect.googleapis.com";

/// `email` for short; in answers Google has the long form.
const EMAIL_SCOPE: &str = "https://www.googleapis.com/auth/userinfo.email";
const CALENDARS_SCOPE: &str = "https://www.googleapis.com/auth/calendar.calendarlist.readonly";
const EVENTS_SCOPE: &str = "https://www.googleapis.com/auth/calendar.events.readonly";

const MINUTE: Duration = Duration::from_secs(60);

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
pub struct GoogleCalendar {
    manifest: Manifest,
}

impl Default for GoogleCalendar {
    fn default() -> Self {
        Self { manifest: manifest() }
    }
}

fn manifest() -> Manifest {
    // Counted back over a minute (<https://developers.google.com/workspace/calendar/api/guides/quota>).
    let a_minute = |name, scope, limit| QuotaSpec::sliding(name, scope, limit, MINUTE);
    Manifest {
        id: "google-calendar",
        title: "Google Calendar",
        about: "All calendars of an account, with their events of the past and of a year ahead",
        docs: "https://developers.google.com/workspace/calendar/api/v3/reference",
        base_url: HOME,
        origins: &[OPENID],
        auth: Auth::oauth2(OAUTH),
        quotas: vec![
            a_minute("project", QuotaScope::App, 10_000),
            a_minute("user", QuotaScope::Connection, 600),
        ],
        streams: vec![
            StreamSpec::snapshot("calendars", "Calendars", &["custom"], normalize::calendar)
                .absence(Absence::MeansGone)
                .scopes(&[CALENDARS_SCOPE]),
            StreamSpec::incremental("events", "Events", &["event"], normalize::event)
                // Pages follow each other by Google's own tokens.
                .absence(Absence::MeansGone)
                .interval(15 * MINUTE)
                // What comes within the horizon as time goes by is no change, and a deleted series is told in part.
                .full_every(7 * DAY)
                .scopes(&[EVENTS_SCOPE]),
        ],
        settings: no_settings(),
        terms: Terms::owner_only("https://developers.google.com/terms/api-services-user-data-policy"),
    }
}

/// Google's consent (<https://developers.google.com/identity/protocols/oauth2/native-app>). Only `offline` gives a
/// refresh token, and only `consent` gives one again to an account that agreed before.
const OAUTH: OAuthSpec =
    OAuthSpec::new("https://accounts.google.com/o/oauth2/v2/auth", "https://oauth2.googleapis.com/token")
        .scopes(&["openid", EMAIL_SCOPE, CALENDARS_SCOPE, EVENTS_SCOPE])
        .client_auth(ClientAuth::Form)
        .authorize_params(&[("access_type", "offline"), ("prompt", "consent")])
        .revoke(Revocation::Rfc7009 { url: "https://oauth2.googleapis.com/revoke", auth: ClientAuth::Form })
        // Six months without use.
        .refresh_token_life(DAY.saturating_mul(180));

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
    let call = call.query("singleEvents", true).query("maxResults", EVENTS).query_opt("pageToken", page);
    // Bounds must not go with a sync token. An order may go with bounds, but it would cost the token.
    let (call, covers) = match (&sync, pass.kind) {
        (Some(token), _) => (call.query("syncToken", token), Coverage::Nothing),
        (None, PassKind::Live) => {
            let since = pass.from.map(|from| whole(from - MARGIN));
            (call.query("timeMax", horizon).query_opt("updatedMin", since), Coverage::Nothing)
        }
        (None, PassKind::Full) => {
            let covers = pass.from.map_or(Coverage::Whole, |from| Coverage::Span { from, to: horizon });
            (call.query("timeMax", horizon).query_opt("timeMin", pass.from.map(whole)), covers)
        }
    };
    let list = List::of(call).await?;
    let next = match list.next_page {
        Some(page) => Next::More(Cursor::new(&Position { sync, page: Some(page) })?),
        None => {
            Next::CaughtUp { cursor: Cursor::new(&Position { sync: list.next_sync, page: None })?, covers }
        }
    };
    let read = |body| event::item(body, list.zone.as_ref(), horizon);
    Ok(Page { items: list.items.into_iter().filter_map(read).collect(), next })
}

/// Whose account it is, as OpenID Connect tells it.
#[derive(Deserialize)]
struct User {
    /// It stays when the address changes.
    sub: String,
    email: Option<String>,
}

/// Asks whose account it is. An operator's own address stands for both hosts.
async fn user(cx: &Context<'_>) -> Result<User> {
    match cx.is_at(HOME) {
        true => cx.follow(&format!("{OPENID}/v1/userinfo")).json().await,
        false => cx.get("/v1/userinfo").json().await,
    }
}

/// A page of the account's calendars, hidden ones included.
async fn calendars(cx: &Context<'_>, at: &PageToken) -> Result<List> {
    let call = cx.get("/users/me/calendarList").query("maxResults", CALENDARS).query("showHidden", true);
    List::of(call.query_opt("pageToken", at.token.as_deref())).await
}

#[async_trait]
impl Connector for GoogleCalendar {
    fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    async fn identify(&self, cx: &Context<'_>) -> Result<Identity> {
        let User { sub, email } = user(cx).await?;
        Ok(Identity { account: sub, title: email })
    }

    async fn partitions(&self, cx: &Context<'_>, stream: &str) -> Result<Vec<Partition>> {
        if stream != "events" {
            return Ok(vec![Partition::only()]);
        }
        let (mut partitions, mut seen, mut at) = (Vec::new(), Vec::new(), PageToken::default());
        loop {
            let list = match calendars(cx, &at).await {
                // Who keeps the list private may still let events be read: the own calendar has the account's address.
                Err(error) if error.kind() == ErrorKind::Forbidden && error.extent() == Extent::Stream => {
                    return user(cx).await?.email.map(|own| vec![Partition::new(own)]).ok_or(error);
                }
                list => list?,
            };
            // One without an id is kept by the stream of calendars; nobody can ask for its events.
            let heads = list.items.iter().filter_map(|body| body.read::<CalendarHead>().ok());
            partitions.extend(heads.map(CalendarHead::partition));
            seen.push(at.clone());
            match at.next(list.next_page) {
                None => return Ok(partitions),
                Some(next) if seen.contains(&next) => {
                    let text = "the list of calendars leads back to a page that was already read";
                    return Err(Error::new(ErrorKind::Repeated, text).hint(
                        "what was read before is stored; if it stays, look for a newer version of the connector",
                    ));
                }
                Some(next) => at = next,
            }
        }
    }

    async fn fetch_page(&self, cx: &Context<'_>, at: Place<'_>, cursor: Option<&Cursor>) -> Result<Page> {
        match at.stream {
            "calendars" => {
                let place: PageToken = resume(cursor)?;
                let list = calendars(cx, &place).await?;
                let next = go_on(place.next(list.next_page), Coverage::Whole)?;
                let read = |body| Item::read(body, |head: CalendarHead| ItemKey::new(head.id));
                Ok(Page { items: list.items.into_iter().map(read).collect(), next })
            }
            "events" => events(cx, at.partition, cursor).await,
            _ => Err(at.unknown()),
        }
    }

    fn classify(&self) -> Option<Classify> {
        Some(refusal::read)
    }
}

//! An event as the engine must know it: whether it is there, and when it begins.

use lifehub_core::prelude::*;
use serde::Deserialize;

/// A start or an end: a day, or an instant. Its offset is that of the calendar's clock, its zone that of the event, if
/// it has one of its own.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct EventTime {
    pub(crate) date: Option<Day>,
    date_time: Option<Moment>,
    pub(crate) time_zone: Option<String>,
}

impl EventTime {
    /// The instant, as told on the clock of its zone, or else of that other one.
    pub(crate) fn moment(&self, other: Option<&str>) -> Option<Moment> {
        let told = self.date_time.clone()?;
        // UTC is what programs write that know no place.
        let zone = self.time_zone.as_deref().or(other).filter(|name| !matches!(*name, "UTC" | "Etc/UTC"));
        let zone = zone.and_then(|name| name.parse().ok());
        Some(zone.map_or_else(|| told.clone(), |zone| Moment::in_zone(told.at, zone)))
    }

    /// The instant by which Google bounds lists; a day begins on the calendar's clock.
    fn at(&self, calendar: Option<&Zone>) -> Option<Timestamp> {
        match (self.date, calendar) {
            (Some(day), Some(zone)) => zone.instant_of(&format!("{day}T00:00:00")).ok(),
            (Some(day), None) => Some(day.start_utc()),
            (None, _) => self.date_time.as_ref().map(|moment| moment.at),
        }
    }
}

/// What of an event is read before it is stored.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Head {
    id: String,
    #[serde(default)]
    status: Maybe<String>,
    /// A cancelled event may have none.
    #[serde(default)]
    start: Maybe<EventTime>,
    /// Of an instance: when its series would have it begin.
    #[serde(default)]
    original_start_time: Maybe<EventTime>,
}

/// An entry of a calendar with this zone. What is cancelled, or begins at the horizon or later, is gone: it may have
/// been there before. Instances that are beyond the horizon by their series are passed over.
pub(crate) fn item(body: RawJson, zone: Option<&Zone>, horizon: Timestamp) -> Option<Item> {
    let head = body.read::<Head>().ok().filter(|head| !head.id.is_empty());
    let Some(Head { id, status, start, original_start_time }) = head else {
        return Some(Item::read(body, |Head { id, .. }| ItemKey::new(id)));
    };
    let at = |time: &Maybe<EventTime>| time.0.as_ref().and_then(|time| time.at(zone));
    let beyond = |time| at(time).is_some_and(|at| at >= horizon);
    if status.0.as_deref() == Some("cancelled") || beyond(&start) {
        let never = beyond(&start) && beyond(&original_start_time);
        return (!never).then_some(Item::Gone { id, version: None });
    }
    let at = at(&start);
    let placeless = start.0.is_some_and(|start| start.date.is_none() && start.time_zone.is_none());
    let placed = zone.filter(|_| placeless).and_then(|zone| placed(&body, zone));
    // Not by `updated`, which stays when something else of an event changes.
    Some(Item::Put(RawItem { id, at, version: None, body: placed.unwrap_or(body) }))
}

/// The event with one member more, `calendarTimeZone`: its records depend on it where it names no zone itself.
fn placed(body: &RawJson, zone: &Zone) -> Option<RawJson> {
    let members = body.as_str().trim_start().strip_prefix('{')?;
    RawJson::new(format!("{{\"calendarTimeZone\":\"{zone}\",{members}")).ok()
}

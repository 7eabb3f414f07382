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

/// An entry of a calendar with this zone. What is cancelled, or begins at the horizon or later, is gone: it may have
/// been there before. Instances that are beyond the horizon by their series are passed over.
pub(crate) fn item(body: RawJson, zone: Option<&Zone>, horizon: Timestamp) -> Option<Item> {
    // The records of an event that names no zone itself depend on it.
    let body = match zone {
        Some(zone) => body.with("_calendarTimeZone", zone.name()),
        None => body,
    };
    Item::sift(body, |event| {
        let at = |path| event.maybe::<EventTime>(path)?.at(zone);
        let beyond = |at: Option<Timestamp>| at.is_some_and(|at| at >= horizon);
        // A cancelled event may have nothing but its id.
        let start = at("start");
        if beyond(start) && beyond(at("originalStartTime")) {
            return Ok(None);
        }
        let cancelled = event.maybe::<String>("status").as_deref() == Some("cancelled");
        // Not by `updated`, which stays when something else of an event changes.
        Ok(Some(ItemKey::new(event.id("id")?).at(start).gone_if(cancelled || beyond(start))))
    })
}

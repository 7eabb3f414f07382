//! From a file's components to raw items: what belongs together is joined, and what the file covers is worked out.

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::Date;
use lifehub_core::clock::{Timestamp, Zone};
use lifehub_core::page::{Coverage, Item, RawItem, RawJson};
use lifehub_core::record::Digest;
use lifehub_core::{Error, ErrorKind, Result};

use crate::body::{Body, KEPT};
use crate::calendar::{Calendar, Component};
use crate::line::Line;
use crate::part::is_cancelled;
use crate::series::{BARREN, Series};
use crate::time::{Stamp, WallClock};
use crate::zone::{Clocks, by_name};

/// More occurrences than all series of a person's calendar have together. The file is one page, and is held in memory.
const MOST: usize = 250_000;

/// One component, as far as joining needs it.
struct Head {
    uid: Option<String>,
    /// The start of the occurrence that it stands for.
    original: Option<String>,
    start: Option<String>,
    recurs: bool,
    cancelled: bool,
    /// The higher is the newer: `SEQUENCE`, `LAST-MODIFIED`, `DTSTAMP`.
    rank: (u64, String, String),
    /// What a component without an id is known by.
    content: String,
    component: Component,
}

/// The items of a calendar, and what it covers. `zone` is that of times without one, `month` the
/// first day of the pass's.
///
/// # Errors
/// [`ErrorKind::TooLarge`] if its series have more occurrences than can be held.
pub(crate) fn items(calendar: Calendar, zone: Option<&Zone>, month: Date) -> Result<(Vec<Item>, Coverage)> {
    let Calendar { zone: told, mut zones, events, .. } = calendar;
    zones.retain(|id, _| by_name(id).is_none());
    let zone = zone.map(|zone| zone.name().to_owned()).or_else(|| match by_name(told.as_deref()?)? {
        WallClock::Zone(zone) => Some(zone.name().to_owned()),
        WallClock::Utc => Some("UTC".to_owned()),
        _ => None,
    });
    let clocks = Clocks::new(&zones, zone.as_deref());

    let mut named: BTreeMap<String, Vec<Head>> = BTreeMap::new();
    let mut events_by_id = Vec::new();
    for component in events {
        let head = Head::read(component, &clocks);
        match &head.uid {
            Some(uid) => named.entry(uid.clone()).or_default().push(head),
            None => events_by_id
                .push((format!("hash:{}", Digest::of_bytes(head.content.as_bytes()).to_hex()), vec![head])),
        }
    }
    events_by_id.extend(named.into_iter().flat_map(|(uid, heads)| joined(&uid, heads)));

    let mut page = Page { items: Vec::with_capacity(events_by_id.len()), span: None, spent: 0, month };
    for (id, heads) in events_by_id {
        page.add(id, heads, &zones, zone.as_deref())?;
    }
    Ok((page.items, page.span.map_or(Coverage::Nothing, |(from, to)| Coverage::Span { from, to })))
}

impl Head {
    fn read(component: Component, clocks: &Clocks) -> Self {
        let lines: Vec<Line<'_>> = component.lines.iter().filter_map(|line| Line::read(line)).collect();
        let find = |name: &str| lines.iter().find(|line| line.is(name));
        let value = |name: &str| find(name).map(|line| line.value.trim().to_owned());
        // Written in two ways an instant is still the same.
        let key = |name: &str| {
            let line = find(name)?;
            let stamp = clocks.stamp(line, line.value);
            Some(stamp.map_or_else(|| line.value.trim().to_owned(), |stamp| stamp.key().to_string()))
        };
        let content = ["DTSTART", "DTEND", "SUMMARY", "LOCATION"].map(|name| value(name).unwrap_or_default());
        Self {
            uid: value("UID").filter(|uid| !uid.is_empty()),
            original: key("RECURRENCE-ID"),
            start: key("DTSTART"),
            recurs: find("RRULE").or(find("RDATE")).is_some(),
            cancelled: is_cancelled(&lines),
            rank: (
                value("SEQUENCE").and_then(|n| n.parse().ok()).unwrap_or(0),
                value("LAST-MODIFIED").unwrap_or_default(),
                value("DTSTAMP").unwrap_or_default(),
            ),
            content: content.join("\n"),
            component,
        }
    }
}

/// The events among the components that bear one id, each with its exceptions.
///
/// Sites that expand their series themselves, and Outlook, repeat an id for events of their own: those are told apart
/// by their starts. An exception whose series is not in the file stands alone.
fn joined(uid: &str, heads: Vec<Head>) -> Vec<(String, Vec<Head>)> {
    let (exceptions, events): (Vec<_>, Vec<_>) = heads.into_iter().partition(|head| head.original.is_some());
    let exceptions = newest(exceptions, |head| head.original.clone());
    let (series, single): (Vec<_>, Vec<_>) = events.into_iter().partition(|head| head.recurs);
    let mut single = newest(single, |head| head.start.clone());
    let series = series.into_iter().max_by(|a, b| a.rank.cmp(&b.rank));
    let master =
        series.or_else(|| if single.len() == 1 { single.pop_first().map(|(_, head)| head) } else { None });

    let alone =
        |(start, head): (Option<String>, Head)| (format!("{uid}#{}", start.unwrap_or_default()), vec![head]);
    let mut found: Vec<_> = single.into_iter().map(alone).collect();
    match master {
        Some(master) => {
            let parts = std::iter::once(master).chain(exceptions.into_values()).collect();
            found.push((uid.to_owned(), parts));
        }
        None => found.extend(exceptions.into_iter().map(alone)),
    }
    found
}

/// The newest of those that are the same; of equal ones the last.
fn newest(heads: Vec<Head>, key: impl Fn(&Head) -> Option<String>) -> BTreeMap<Option<String>, Head> {
    let mut kept: BTreeMap<Option<String>, Head> = BTreeMap::new();
    for head in heads {
        match kept.get(&key(&head)) {
            Some(other) if other.rank > head.rank => {}
            _ => _ = kept.insert(key(&head), head),
        }
    }
    kept
}

/// A page in the making.
struct Page {
    items: Vec<Item>,
    /// From the first end to the last start: what ends later than the first end lay in the feed's window.
    span: Option<(Timestamp, Timestamp)>,
    spent: usize,
    month: Date,
}

impl Page {
    fn add(
        &mut self,
        id: String,
        heads: Vec<Head>,
        zones: &BTreeMap<String, Vec<String>>,
        zone: Option<&str>,
    ) -> Result<()> {
        let Some(master) = heads.first() else { return Ok(()) };
        if master.cancelled && !master.component.cut {
            self.items.push(Item::Gone { id, version: None });
            return Ok(());
        }
        let nameless = master.uid.is_none() && master.start.is_none();
        let through = master.recurs.then_some(self.month.year().saturating_add(1));
        let month = master.recurs.then_some(self.month);
        let cut = heads.iter().any(|head| head.component.cut);
        let parts: Vec<Vec<String>> = heads.into_iter().map(|head| kept(head.component.lines)).collect();
        let zones = used(&parts, zones);
        let body = Body { parts, zones, zone: zone.map(str::to_owned), through, month, cut };
        let at = self.weigh(&body)?;
        let text = serde_json::to_vec(&body)
            .map_err(|e| Error::new(ErrorKind::Internal, format!("an event does not fit JSON: {e}")))?;
        let body = RawJson::new(text)?;
        self.items.push(if nameless {
            Item::Broken { body, reason: "neither `UID` nor `DTSTART` is there".into() }
        } else {
            // No version: `SEQUENCE` is the series' own, says nothing of an exception that goes, and some generators
            // set it back, after which no change would ever be seen again.
            Item::Put(RawItem { id, at, version: None, body })
        });
        Ok(())
    }

    /// Where the item stands for coverage; it widens the span.
    ///
    /// A series is in a feed's window as long as one of its occurrences is, so it stands at the start of the month, where
    /// it goes on and every window lies around, or at its last occurrence.
    fn weigh(&mut self, body: &Body) -> Result<Option<Timestamp>> {
        let pivot = Stamp::Day(self.month).at();
        let series = Series::read(body).ok();
        let occurrences = series.as_ref().and_then(|series| series.occurrences().ok());
        let found = occurrences.as_deref().unwrap_or_default();
        self.spent += match (&series, &occurrences) {
            (Some(series), Some(found)) => series.cost(found.len()),
            (Some(_), None) => BARREN,
            (None, _) => 1,
        };
        if self.spent > MOST {
            let text = "the calendar's series have too many occurrences";
            return Err(Error::new(ErrorKind::TooLarge, text)
                .with("limit", MOST)
                .hint("split the calendar, or end the series that recur every hour or more often"));
        }
        let Some((first, last)) = found.first().zip(found.iter().max_by_key(|o| o.start.at())) else {
            return Ok(None);
        };
        let (first, start, end) = (first.start.at(), last.start.at(), last.end().unwrap_or(last.start.at()));
        self.span = Some(self.span.map_or((end, start), |(from, to)| (from.min(end), to.max(start))));
        Ok(Some(start.min(pivot.max(first))))
    }
}

/// The lines on which records depend.
fn kept(lines: Vec<String>) -> Vec<String> {
    let is_kept = |line: &String| Line::read(line).is_some_and(|line| KEPT.iter().any(|name| line.is(name)));
    lines.into_iter().filter(is_kept).collect()
}

/// The definitions of the zones that these lines name.
fn used(parts: &[Vec<String>], zones: &BTreeMap<String, Vec<String>>) -> BTreeMap<String, Vec<String>> {
    let lines = parts.iter().flatten().filter_map(|line| Line::read(line));
    let ids: BTreeSet<&str> = lines.filter_map(|line| line.parameter("TZID")).collect();
    zones.iter().filter(|(id, _)| ids.contains(id.as_str())).map(|(id, l)| (id.clone(), l.clone())).collect()
}

//! A calendar file taken apart: its name, its zone definitions, and the lines of its events.

use std::collections::BTreeMap;

use lifehub_core::{Error, ErrorKind, Result};

use crate::line::{Line, unfold};

/// A whole calendar.
#[derive(Debug, Default)]
pub(crate) struct Calendar {
    pub(crate) name: Option<String>,
    /// `X-WR-TIMEZONE`, the zone of times that name none.
    pub(crate) zone: Option<String>,
    /// The lines inside of each `VTIMEZONE`, by its id.
    pub(crate) zones: BTreeMap<String, Vec<String>>,
    pub(crate) events: Vec<Component>,
}

/// One `VEVENT`.
#[derive(Debug, Default)]
pub(crate) struct Component {
    /// Its own lines: those of its alarms are not among them.
    pub(crate) lines: Vec<String>,
    /// Its `END` is missing.
    pub(crate) cut: bool,
}

impl Calendar {
    /// Takes a file apart.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidResponse`] if it is no calendar; a temporary one if it breaks off, so that a half-read
    /// file is never taken for a calendar from which events have gone.
    pub(crate) fn read(bytes: &[u8]) -> Result<Self> {
        let text = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes).trim_ascii();
        let begins = |word: &[u8]| text.get(..word.len()).is_some_and(|t| t.eq_ignore_ascii_case(word));
        if !begins(b"BEGIN:VCALENDAR") {
            return Err(no_calendar(text));
        }
        let lines = unfold(bytes);
        let end = lines.iter().rev().map(|line| line.trim()).find(|line| !line.is_empty());
        if !end.is_some_and(|line| line.eq_ignore_ascii_case("END:VCALENDAR")) {
            return Err(Error::new(ErrorKind::InvalidResponse, "the calendar breaks off before its end")
                .temporary(true)
                .with("bytes", bytes.len())
                .hint("nothing was changed; if it stays, something on the way cuts the answer short"));
        }
        let mut reader = Reader::default();
        lines.into_iter().for_each(|line| reader.line(line));
        Ok(reader.calendar)
    }
}

fn no_calendar(text: &[u8]) -> Error {
    let (message, hint) = match text.first() {
        None => ("the calendar's address gives nothing", "if it stays, copy the calendar's address again"),
        Some(b'<') => (
            "a web page came instead of a calendar",
            "the address may have been withdrawn, or it asks for a log-in: copy the calendar's secret address \
             again, the one that ends in .ics",
        ),
        Some(_) => (
            "what came is no calendar: it does not begin with BEGIN:VCALENDAR",
            "copy the calendar's secret address again, the one that ends in .ics",
        ),
    };
    Error::new(ErrorKind::InvalidResponse, message).temporary(text.is_empty()).hint(hint)
}

/// Where in the file the reader is.
#[derive(Default)]
enum Inside {
    #[default]
    Calendar,
    /// In an event, so deep in its alarms and the like.
    Event(Component, usize),
    /// In a zone definition, all of whose lines count.
    Zone(Vec<String>),
    /// In something else, to its end.
    Other(String),
}

#[derive(Default)]
struct Reader {
    calendar: Calendar,
    inside: Inside,
}

impl Reader {
    fn line(&mut self, text: String) {
        // What is no property is the rest of a line that was broken without a fold.
        let Some(line) = Line::read(&text) else { return };
        let (begins, ends) = (line.is("BEGIN"), line.is("END"));
        let what = line.value.trim().to_ascii_uppercase();
        match (&mut self.inside, begins || ends) {
            (Inside::Calendar, true) if begins => self.begin(what),
            (Inside::Calendar, _) => self.property(line),
            (Inside::Event(..), true) if what == "VEVENT" || what == "VCALENDAR" => {
                self.end_event(ends && what == "VEVENT");
                if begins {
                    self.begin(what);
                }
            }
            (Inside::Event(_, depth), true) => {
                *depth = if begins { *depth + 1 } else { depth.saturating_sub(1) };
            }
            (Inside::Event(event, 0), false) => event.lines.push(text),
            (Inside::Event(..), false) => {}
            // An event stands in nothing else: what began before it has lost its end.
            (Inside::Zone(_) | Inside::Other(_), true) if begins && what == "VEVENT" => self.begin(what),
            (Inside::Zone(_), true) if ends && what == "VTIMEZONE" => self.end_zone(),
            (Inside::Zone(lines), _) => lines.push(text),
            (Inside::Other(name), true) if ends && *name == what => self.inside = Inside::Calendar,
            (Inside::Other(_), _) => {}
        }
    }

    fn begin(&mut self, what: String) {
        self.inside = match what.as_str() {
            "VCALENDAR" => Inside::Calendar,
            "VEVENT" => Inside::Event(Component::default(), 0),
            "VTIMEZONE" => Inside::Zone(Vec::new()),
            _ => Inside::Other(what),
        };
    }

    fn end_event(&mut self, whole: bool) {
        if let Inside::Event(event, _) = std::mem::take(&mut self.inside) {
            self.calendar.events.push(Component { cut: !whole, ..event });
        }
    }

    fn end_zone(&mut self) {
        if let Inside::Zone(lines) = std::mem::take(&mut self.inside) {
            let id = lines.iter().filter_map(|line| Line::read(line)).find(|line| line.is("TZID"));
            if let Some(id) = id.map(|line| line.value.trim().to_owned()) {
                self.calendar.zones.entry(id).or_insert(lines);
            }
        }
    }

    fn property(&mut self, line: Line<'_>) {
        let slot = if line.is("X-WR-CALNAME") || line.is("NAME") {
            &mut self.calendar.name
        } else if line.is("X-WR-TIMEZONE") {
            &mut self.calendar.zone
        } else {
            return;
        };
        *slot = slot.take().or_else(|| line.text());
    }
}

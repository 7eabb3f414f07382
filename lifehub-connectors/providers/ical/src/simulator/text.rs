//! The calendar as text (RFC 5545): properties, escapes, and lines folded at 75 octets, wherever that is.

use lifehub_core::clock::{Day, Timestamp};
use lifehub_testkit::date_time;

use super::entry::{DESCRIPTION, Entry, Exception, Form, Kind, LocalTime, later, yearly};

/// The file with these entries, made at that moment.
pub(super) fn calendar(entries: &[Entry], stamp: Timestamp) -> Vec<u8> {
    let mut text = Text { stamp: utc(stamp), bytes: Vec::new() };
    for line in HEAD.lines() {
        text.line(line);
    }
    for entry in entries {
        text.entry(entry);
    }
    text.line("END:VCALENDAR");
    text.bytes
}

/// The zones under their Windows names, as Exchange defines them: with rules that begin in 1601.
const HEAD: &str = "BEGIN:VCALENDAR
VERSION:2.0
PRODID:-//Example//Simulated calendar//EN
CALSCALE:GREGORIAN
METHOD:PUBLISH
X-WR-CALNAME:Sample calendar
X-WR-TIMEZONE:Europe/Rome
REFRESH-INTERVAL;VALUE=DURATION:PT1H
BEGIN:VTIMEZONE
TZID:W. Europe Standard Time
BEGIN:STANDARD
DTSTART:16010101T030000
TZOFFSETFROM:+0200
TZOFFSETTO:+0100
RRULE:FREQ=YEARLY;INTERVAL=1;BYDAY=-1SU;BYMONTH=10
END:STANDARD
BEGIN:DAYLIGHT
DTSTART:16010101T020000
TZOFFSETFROM:+0100
TZOFFSETTO:+0200
RRULE:FREQ=YEARLY;INTERVAL=1;BYDAY=-1SU;BYMONTH=3
END:DAYLIGHT
END:VTIMEZONE
BEGIN:VTIMEZONE
TZID:Eastern Standard Time
BEGIN:STANDARD
DTSTART:16010101T020000
TZOFFSETFROM:-0400
TZOFFSETTO:-0500
RRULE:FREQ=YEARLY;INTERVAL=1;BYDAY=1SU;BYMONTH=11
END:STANDARD
BEGIN:DAYLIGHT
DTSTART:16010101T020000
TZOFFSETFROM:-0500
TZOFFSETTO:-0400
RRULE:FREQ=YEARLY;INTERVAL=1;BYDAY=2SU;BYMONTH=3
END:DAYLIGHT
END:VTIMEZONE";

struct Text {
    stamp: String,
    bytes: Vec<u8>,
}

impl Text {
    /// A line of 75 octets, then more of 74 after a space each.
    fn line(&mut self, line: &str) {
        let (mut rest, mut room) = (line.as_bytes(), 75);
        while rest.len() > room {
            let (head, tail) = rest.split_at(room);
            self.bytes.extend_from_slice(head);
            self.bytes.extend_from_slice(b"\r\n ");
            (rest, room) = (tail, 74);
        }
        self.bytes.extend_from_slice(rest);
        self.bytes.extend_from_slice(b"\r\n");
    }

    fn entry(&mut self, entry: &Entry) {
        self.begin(entry, &entry.title, "CONFIRMED");
        if entry.poisoned {
            self.line("DTSTART:sometime");
            self.line("END:VEVENT");
            return;
        }
        match &entry.kind {
            Kind::Once { time, day, form } => {
                self.time("DTSTART", time, *day, 0, *form);
                if *form != Form::NoEnd {
                    self.time("DTEND", time, *day, time.minutes * 60, *form);
                }
            }
            Kind::Days { first, days } => {
                self.line(&format!("DTSTART;VALUE=DATE:{}", basic(*first)));
                // Whoever makes an event of one day often leaves its end out.
                if *days > 1 {
                    self.line(&format!("DTEND;VALUE=DATE:{}", basic(later(*first, *days))));
                }
            }
            Kind::Weekly { time, first, times, exceptions } => {
                self.time("DTSTART", time, *first, 0, Form::Zoned);
                self.time("DTEND", time, *first, time.minutes * 60, Form::Zoned);
                let count = times.map(|times| format!(";COUNT={times}")).unwrap_or_default();
                self.line(&format!("RRULE:FREQ=WEEKLY;WKST=MO{count}"));
                for (n, _) in exceptions.iter().filter(|(_, e)| matches!(e, Exception::Excepted)) {
                    self.time("EXDATE", time, later(*first, 7 * n), 0, Form::Zoned);
                }
            }
            Kind::Yearly { month_and_day, since } => {
                self.line(&format!("DTSTART;VALUE=DATE:{}", basic(yearly(*since, month_and_day))));
                self.line("RRULE:FREQ=YEARLY");
            }
        }
        self.alarm();
        self.line("END:VEVENT");
        if let Kind::Weekly { time, first, exceptions, .. } = &entry.kind {
            for (n, exception) in exceptions {
                self.exception(entry, time, later(*first, 7 * n), exception);
            }
        }
    }

    fn exception(&mut self, entry: &Entry, time: &LocalTime, day: Day, exception: &Exception) {
        let (status, days, seconds, title) = match exception {
            Exception::Excepted => return,
            Exception::Cancelled => ("CANCELLED", 0, 0, entry.title.as_str()),
            Exception::Moved { days, seconds, title } => ("CONFIRMED", *days, *seconds, *title),
        };
        self.begin(entry, title, status);
        self.time("RECURRENCE-ID", time, day, 0, Form::Zoned);
        self.time("DTSTART", time, later(day, days), seconds, Form::Zoned);
        self.time("DTEND", time, later(day, days), seconds + time.minutes * 60, Form::Zoned);
        self.line("END:VEVENT");
    }

    fn begin(&mut self, entry: &Entry, title: &str, status: &str) {
        self.line("BEGIN:VEVENT");
        self.line(&format!("UID:{}", entry.uid));
        self.line(&format!("DTSTAMP:{}", self.stamp.clone()));
        self.line(&format!("SEQUENCE:{}", entry.sequence));
        self.line(&format!("SUMMARY:{}", escaped(title)));
        self.line(&format!("DESCRIPTION:{}", escaped(DESCRIPTION)));
        if let Some(location) = entry.location {
            self.line(&format!("LOCATION:{}", escaped(location)));
        }
        self.line(&format!("STATUS:{status}"));
        self.line("TRANSP:OPAQUE");
    }

    fn alarm(&mut self) {
        for line in ["BEGIN:VALARM", "ACTION:DISPLAY", "DESCRIPTION:Soon", "TRIGGER:-PT15M", "END:VALARM"] {
            self.line(line);
        }
    }

    fn time(&mut self, name: &str, time: &LocalTime, day: Day, seconds: i64, form: Form) {
        let start = time.start(day).as_seconds() + seconds;
        if form == Form::Utc {
            return self.line(&format!("{name}:{}", utc(Timestamp::from_seconds(start))));
        }
        let local = date_time(i64::from(day.as_number()) * 86_400 + time.second + seconds);
        self.line(&format!("{name};TZID={}:{}", time.zone.written, local.replace(['-', ':'], "")));
    }
}

fn utc(at: Timestamp) -> String {
    format!("{}Z", date_time(at.as_seconds()).replace(['-', ':'], ""))
}

fn basic(day: Day) -> String {
    day.to_string().replace('-', "")
}

fn escaped(text: &str) -> String {
    text.replace('\\', "\\\\").replace(',', "\\,").replace(';', "\\;").replace('\n', "\\n")
}

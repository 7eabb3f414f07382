//! One file with all that Outlook, Exchange, Google and Apple put into theirs. What it gives was worked out by hand and
//! with Python's `zoneinfo`.

use serde_json::{Value, json};

use crate::rig::{covers, items, read, told};

pub(crate) const WILD: &[u8] = include_bytes!("../../fixtures/wild.ics");

/// Everything that is in it, in the order of time.
pub(crate) const RECORDS: [&str; 23] = [
    "2024-02-29 Geburtstag C. Beispiel",
    "2026-03-01T10:00:00-03:30/2026-03-01T11:00:00-03:30 - Call with the island",
    "2026-03-02T09:00:00+01:00/2026-03-02T09:30:00+01:00 Europe/Berlin Jour fixe, Büro",
    "2026-03-05T14:00:00+01:00/2026-03-05T15:00:00+01:00 Europe/Zurich Sprechstunde",
    "2026-03-08T10:00:00-02:30/2026-03-08T11:00:00-02:30 - Call with the island",
    "2026-03-12T14:00:00+01:00/2026-03-12T15:00:00+01:00 Europe/Zurich Sprechstunde",
    "2026-03-20T16:30:00Z/2026-03-20T17:30:00Z - Videocall",
    "2026-03-27T18:30:00+01:00/2026-03-27T20:00:00+01:00 Europe/Vienna Chor 🎵",
    "2026-03-27T23:00:00+01:00/2026-03-28T00:30:00+01:00 Europe/Berlin Kurs",
    "2026-03-28T08:00:00+01:00/2026-03-28T09:30:00+01:00 Europe/Vienna Schwimmen",
    "2026-03-28T23:00:00+01:00/2026-03-29T00:30:00+01:00 Europe/Berlin Kurs",
    "2026-03-29T23:00:00+02:00/2026-03-30T00:30:00+02:00 Europe/Berlin Kurs",
    "2026-03-31T10:30:00+02:00/2026-03-31T11:00:00+02:00 Europe/Berlin Jour fixe (verschoben)",
    "2026-04-02T14:00:00+02:00/2026-04-02T15:00:00+02:00 Europe/Zurich Sprechstunde",
    "2026-04-03 Karfreitag",
    "2026-04-03T18:30:00+02:00/2026-04-03T20:00:00+02:00 Europe/Vienna Chor 🎵",
    "2026-04-08T10:15:00+02:00/2026-04-08T14:05:00-04:00 Europe/Vienna Flug",
    "2026-04-09T14:00:00+02:00/2026-04-09T16:00:00+02:00 Europe/Zurich Sprechstunde",
    "2026-04-10T18:30:00+02:00/2026-04-10T20:00:00+02:00 Europe/Vienna Chor 🎵",
    "2026-04-21 Messe",
    "2026-04-22 Messe",
    "2026-04-27T09:00:00+02:00/2026-04-27T09:30:00+02:00 Europe/Berlin Jour fixe, Büro",
    "2026-05-14/2026-05-17 Langes Wochenende",
];

#[test]
fn a_real_calendar_gives_exactly_its_occurrences() {
    let page = read(WILD).unwrap();
    assert_eq!(told(&page), RECORDS);
}

#[test]
fn a_real_calendar_tells_what_its_events_are() {
    let page = read(WILD).unwrap();
    let items = items(&page);
    let body = |id: &str, n: usize| -> Value {
        let (_, records) = items.iter().find(|(known, _)| known == id).unwrap();
        let record = &records.as_ref().unwrap()[n];
        let mut body: Value = serde_json::from_str(record.body()).unwrap();
        body["key"] = json!(record.get_key());
        body
    };
    let series = "040000008200E00074C5B7101A82E00800000000A1B2C3D4E5F60718000000000000000010000000";
    assert_eq!(
        body(series, 0),
        json!({
            "key": "2026-03-02T08:00:00Z", "title": "Jour fixe, Büro", "location": "Raum 2.17; Nordflügel",
            "description": "Hallo zusammen,\n\nhier die Runde zum Monatsanfang; bitte die Übersicht vorher ansehen: \
                            C:\\Berichte\\März.\nGrüße\nA. Muster",
            "status": "confirmed", "recurring_id": series,
        })
    );
    // The occurrence that was moved keeps the key of the start that it had.
    assert_eq!(
        body(series, 1),
        json!({
            "key": "2026-03-30T07:00:00Z", "title": "Jour fixe (verschoben)", "status": "tentative",
            "recurring_id": series,
        })
    );
    assert_eq!(
        body("b1u2example@google.com", 0),
        json!({
            "key": "", "title": "Videocall", "status": "confirmed", "organizer": "Muster, Anna: Büro",
            "url": "https://meet.example.org/abc-defg?x=1,2;y",
            "attendees": [
                { "name": "anna.muster@example.org", "email": "anna.muster@example.org", "response": "accepted" },
                { "name": "Beispiel; Bert", "email": "bert@example.org", "response": "needs_action" },
            ],
        })
    );
    let choir = body("9B1DEB4D-3B7D-4BAD-9BDD-2B0D7B3DCB6D", 0);
    assert_eq!((&choir["location"], choir.get("description")), (&json!("Saal\nMusterplatz 1"), None));
    let gone: Vec<&str> = items.iter().filter(|(_, r)| r.is_err()).map(|(id, _)| id.as_str()).collect();
    assert_eq!(gone, ["gone@example.org"], "what is cancelled is gone, and nothing else is missing");
}

#[test]
fn a_file_covers_from_its_first_end_to_its_last_start() {
    use lifehub_core::page::Coverage;
    let page = read(WILD).unwrap();
    // The birthday of 2024, which does not come again before the year's end, and the long weekend.
    let (from, to) = ("2024-02-29T00:00:00Z".parse().unwrap(), "2026-05-14T00:00:00Z".parse().unwrap());
    assert_eq!(covers(&page), Coverage::Span { from, to });
}

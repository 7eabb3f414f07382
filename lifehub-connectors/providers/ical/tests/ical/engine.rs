//! A feed that changes, synced into a store: exactly what changed is updated and deleted.

use std::collections::BTreeMap;
use std::ops::Deref;
use std::sync::Arc;
use std::time::Duration;

use lifehub_core::clock::Zone;
use lifehub_core::connector::Connector;
use lifehub_core::engine::{Counts, Report, SyncOptions};
use lifehub_core::record::Moment;
use lifehub_core::secret::Credentials;
use lifehub_ical::Ical;
use lifehub_ical::simulator::CalendarSimulator;
use lifehub_testkit::{Rig, Setup};
use serde_json::{Value, json};

use crate::rig::{Feed, URL, block_on, calendar, now, tell};

/// A store that syncs one calendar.
pub(crate) struct Synced(Rig<CalendarSimulator>);

impl Deref for Synced {
    type Target = Rig<CalendarSimulator>;

    fn deref(&self) -> &Self::Target {
        &self.0
    }
}

impl Synced {
    /// The simulated calendar of that setup.
    pub(crate) fn new(setup: &Setup) -> Self {
        Self::sealed(Rig::new(Ical, CalendarSimulator::new(setup).into(), now()).unwrap())
    }

    /// A feed that a test writes; nobody asks the simulated calendar.
    fn of(feed: &Feed) -> Self {
        let Self(mut rig) = Self::new(&Setup::new(1, now()).items(1));
        let mut open = json!({ "url": URL });
        rig.set_credentials(Ical.manifest().settings.seal(&mut open, Credentials::none()));
        (rig.connection.settings, rig.transport) = (open, Arc::new(feed.clone()));
        Self::sealed(rig)
    }

    fn sealed(rig: Rig<CalendarSimulator>) -> Self {
        assert!(!rig.connection.settings.to_string().contains("http"), "the address is sealed");
        Self(rig)
    }

    pub(crate) async fn report(&self, options: &SyncOptions) -> Report {
        self.clock.advance(Duration::from_secs(1));
        self.engine().sync(&self.connection, options).await.unwrap()
    }

    pub(crate) async fn sync(&self) -> Counts {
        let report = self.report(&SyncOptions::default()).await;
        assert!(report.streams.iter().all(|stream| stream.error.is_none()), "{report:?}");
        report.totals()
    }

    pub(crate) async fn sync_full(&self) -> Counts {
        let mut options = SyncOptions::default();
        options.full = true;
        let report = self.report(&options).await;
        assert!(report.streams.iter().all(|stream| stream.error.is_none()), "{report:?}");
        report.totals()
    }

    /// What lives in the store, by external id and key.
    pub(crate) fn live(&self) -> BTreeMap<(String, String), String> {
        let rows = self.0.records("").into_iter();
        rows.map(|row| ((row.external_id.clone(), row.record.get_key().to_owned()), tell(&row.record)))
            .collect()
    }

    /// Ids of live records by what they are of.
    fn ids(&self) -> BTreeMap<(String, String), String> {
        let rows = self.0.records("").into_iter();
        rows.map(|row| ((row.external_id, row.record.get_key().to_owned()), row.id.to_string())).collect()
    }

    pub(crate) fn quarantine(&self) -> Vec<(String, String)> {
        self.store.quarantine(self.connection.id)
    }

    /// The live records of every item as JSON, in the order of time.
    pub(crate) fn records(&self) -> BTreeMap<String, Vec<Value>> {
        let mut rows = self.0.records("");
        rows.sort_by_key(|row| row.record.when().sort_key());
        let mut found: BTreeMap<String, Vec<Value>> = BTreeMap::new();
        for row in rows {
            let when = row.record.when();
            let json = json!({
                "dataset": row.record.dataset(),
                "start": when.start().map(Moment::to_rfc3339),
                "end": when.end().map(Moment::to_rfc3339),
                "zone": when.zone().map(Zone::name),
                "day": row.day,
                "body": serde_json::from_str::<Value>(row.record.body()).unwrap(),
            });
            found.entry(row.external_id).or_default().push(json);
        }
        found
    }
}

fn counted(counts: &Counts) -> (u64, u64, u64, u64) {
    (counts.inserted, counts.updated, counts.deleted, counts.quarantined)
}

/// A weekly series of four with an exception, and a few events around it.
fn text(series: &str, exception: &str, others: &str) -> String {
    calendar(&format!(
        "BEGIN:VEVENT\nUID:first\nDTSTART:20260101T080000Z\nSUMMARY:First\nEND:VEVENT\n\
         BEGIN:VEVENT\nUID:series\n{series}\nEND:VEVENT\n{exception}\n{others}\n\
         BEGIN:VEVENT\nUID:last\nDTSTART:20261201T080000Z\nSUMMARY:Last\nEND:VEVENT"
    ))
}

const SERIES: &str = "DTSTART;TZID=Europe/Rome:20260318T190000\nRRULE:FREQ=WEEKLY;COUNT=4\nSUMMARY:Choir\nDTSTAMP:20260301T000000Z";
const MOVED: &str = "BEGIN:VEVENT\nUID:series\nRECURRENCE-ID;TZID=Europe/Rome:20260325T190000\n\
                     DTSTART;TZID=Europe/Rome:20260326T200000\nSUMMARY:Choir (moved)\nEND:VEVENT";
const OTHER: &str = "BEGIN:VEVENT\nUID:other\nDTSTART:20260401T080000Z\nSUMMARY:Other\nEND:VEVENT";

#[test]
fn a_changed_file_changes_exactly_what_it_should() {
    let feed = Feed::new(text(SERIES, MOVED, OTHER));
    let synced = Synced::of(&feed);
    let serve = |text: String| feed.state().body = text.into_bytes();
    block_on(async {
        assert_eq!(counted(&synced.sync().await), (7, 0, 0, 0));
        let (before, ids) = (synced.live(), synced.ids());
        assert_eq!(counted(&synced.sync().await), (0, 0, 0, 0), "the same file");

        serve(text(&SERIES.replace("20260301T000000Z", "20260310T121212Z"), MOVED, OTHER));
        assert_eq!(counted(&synced.sync().await), (0, 0, 0, 0), "the same, made anew");

        // One more exception, and another title for one event.
        let cancelled = "BEGIN:VEVENT\nUID:series\nRECURRENCE-ID;TZID=Europe/Rome:20260401T190000\nSTATUS:CANCELLED\n\
                         DTSTART;TZID=Europe/Rome:20260401T190000\nEND:VEVENT";
        serve(text(SERIES, &format!("{MOVED}\n{cancelled}"), &OTHER.replace("Other", "Another")));
        assert_eq!(counted(&synced.sync().await), (0, 1, 1, 0));
        let key = |id: &str, key: &str| (id.to_owned(), key.to_owned());
        let mut expected = before.clone();
        expected.remove(&key("series", "2026-04-01T17:00:00Z"));
        let other = "2026-04-01T08:00:00Z/2026-04-01T08:00:00Z - Another";
        expected.insert(key("other", ""), other.to_owned());
        assert_eq!(synced.live(), expected);

        // The exceptions go: one occurrence comes back, the moved one is where it was, under the same record.
        serve(text(SERIES, "", OTHER));
        assert_eq!(counted(&synced.sync().await), (1, 2, 0, 0));
        let moved_back = "2026-03-25T19:00:00+01:00/2026-03-25T19:00:00+01:00 Europe/Rome Choir";
        assert_eq!(synced.live()[&key("series", "2026-03-25T18:00:00Z")], moved_back);
        assert_eq!(synced.ids(), ids);

        // An event is gone from between the others; the last one gone means nothing, as nothing comes after it.
        serve(text(SERIES, "", ""));
        assert_eq!(counted(&synced.sync().await), (0, 0, 1, 0));
        serve(text(SERIES, "", "").replace("UID:last\r\nDTSTART:20261201", "UID:new\r\nDTSTART:20261101"));
        assert_eq!(counted(&synced.sync().await), (1, 0, 0, 0), "the last one is not in what is covered");
        assert_eq!(synced.live().len(), 7);

        // The series is cancelled as a whole.
        serve(text(&format!("{SERIES}\nSTATUS:CANCELLED"), "", OTHER));
        assert_eq!(
            counted(&synced.sync().await),
            (1, 0, 4 + 1, 0),
            "what was new lies before the last again"
        );
    });
}

#[test]
fn a_series_that_goes_takes_its_occurrences_along() {
    let endless = "BEGIN:VEVENT\nUID:endless\nDTSTART:20150107T080000Z\nRRULE:FREQ=WEEKLY\nEND:VEVENT";
    let other = "BEGIN:VEVENT\nUID:other\nDTSTART:20200107T080000Z\nRRULE:FREQ=MONTHLY\nEND:VEVENT";
    let feed = Feed::new(text(SERIES, "", &format!("{endless}\n{other}")));
    let synced = Synced::of(&feed);
    block_on(async {
        synced.sync().await;
        let count = |id: &str| synced.live().keys().filter(|(known, _)| known == id).count();
        assert_eq!((count("endless"), count("other"), count("series")), (678, 96, 4));
        feed.state().body = text(SERIES, "", other).into_bytes();
        synced.sync().await;
        assert_eq!((count("endless"), count("other"), count("series")), (0, 96, 4));
        feed.state().body = text("DTSTART:20260318T180000Z", "", other).into_bytes();
        synced.sync().await;
        assert_eq!((count("endless"), count("other"), count("series")), (0, 96, 1));
    });
}

#[test]
fn the_only_series_goes_while_something_is_still_to_come() {
    let endless = "BEGIN:VEVENT\nUID:endless\nDTSTART:20250107T080000Z\nRRULE:FREQ=WEEKLY\nEND:VEVENT";
    let one = |id: &str, day: &str| format!("BEGIN:VEVENT\nUID:{id}\nDTSTART:{day}T080000Z\nEND:VEVENT");
    let others =
        [("early", "20260105"), ("late", "20260601"), ("mid", "20260502")].map(|(id, day)| one(id, day));
    let others = others.join("\n");
    let feed = Feed::new(calendar(&format!("{others}\n{endless}")));
    let synced = Synced::of(&feed);
    block_on(async {
        synced.sync().await;
        // Two months later it still stands around now.
        synced.clock.jump_to("2026-05-10T12:00:00Z".parse().unwrap());
        assert_eq!(counted(&synced.sync().await), (0, 0, 0, 0));
        feed.state().body = calendar(&others).into_bytes();
        synced.sync().await;
        let left: std::collections::BTreeSet<String> = synced.live().into_keys().map(|(id, _)| id).collect();
        assert_eq!(left.into_iter().collect::<Vec<_>>(), ["early", "late", "mid"]);
    });
}

#[test]
fn what_slid_out_of_the_feeds_window_is_kept() {
    let one = |id: u32, month: u32| {
        format!(
            "BEGIN:VEVENT\nUID:{id}\nDTSTART:2026{month:02}10T080000Z\nDTEND:2026{month:02}10T090000Z\nEND:VEVENT"
        )
    };
    // A fair that is still on began before the window: that says nothing of what else was then.
    let fair = "BEGIN:VEVENT\nUID:fair\nDTSTART;VALUE=DATE:20251201\nDTEND;VALUE=DATE:20260601\nEND:VEVENT";
    let endless = "BEGIN:VEVENT\nUID:endless\nDTSTART:20200107T080000Z\nRRULE:FREQ=MONTHLY\nEND:VEVENT";
    let months = |from: u32| (from..=9).map(|month| one(month, month)).collect::<Vec<_>>().join("\n");
    let feed = Feed::new(calendar(&format!("{fair}\n{endless}\n{}", months(1))));
    let synced = Synced::of(&feed);
    block_on(async {
        synced.sync().await;
        feed.state().body = calendar(&format!("{fair}\n{endless}\n{}", months(3))).into_bytes();
        assert_eq!(counted(&synced.sync().await), (0, 0, 0, 0));
        let without_june = calendar(&format!("{fair}\n{endless}\n{}", months(3)))
            .replace(&one(6, 6).replace('\n', "\r\n"), "");
        feed.state().body = without_june.into_bytes();
        assert_eq!(counted(&synced.sync().await), (0, 0, 1, 0));
    });
}

#[test]
fn a_broken_file_changes_nothing_and_a_broken_event_only_itself() {
    let whole = text(SERIES, MOVED, OTHER);
    let feed = Feed::new(whole.clone());
    let synced = Synced::of(&feed);
    block_on(async {
        synced.sync().await;
        let before = synced.live();
        for (what, body) in [
            ("cut", whole[..whole.len() - 60].to_owned()),
            ("a web page", "<html>Log in</html>".to_owned()),
            ("nothing", String::new()),
        ] {
            feed.state().body = body.into_bytes();
            let report = synced.report(&SyncOptions::default()).await;
            let error = report.streams[0].error.as_ref().unwrap_or_else(|| panic!("{what} is an error"));
            let text = format!("{error:?}");
            assert!(!text.contains("secret-token"), "{text}");
            assert_eq!(synced.live(), before, "{what}");
        }
        feed.state().body = calendar("X-EMPTY:1").into_bytes();
        assert_eq!(counted(&synced.sync().await), (0, 0, 0, 0), "an empty calendar deletes nothing");

        feed.state().body = whole.replace("DTSTART:20260401T080000Z", "DTSTART:tomorrow").into_bytes();
        let counts = synced.sync().await;
        assert_eq!(counted(&counts), (0, 0, 0, 1));
        assert_eq!(synced.quarantine(), [("other".to_owned(), "`DTSTART` cannot be read".to_owned())]);
        assert_eq!(synced.live(), before, "its last good record stays");
        feed.state().body = whole.clone().into_bytes();
        synced.sync().await;
        assert_eq!((synced.live(), synced.quarantine().len()), (before, 0));
    });
}

#[test]
fn a_new_year_lengthens_series_and_takes_nothing_away() {
    let daily = "BEGIN:VEVENT\nUID:daily\nDTSTART;VALUE=DATE:20251230\nRRULE:FREQ=DAILY\nEND:VEVENT";
    let feed = Feed::new(text(SERIES, MOVED, daily));
    feed.state().headers.push(("etag", "\"1\"".into()));
    let synced = Synced::of(&feed);
    block_on(async {
        synced.sync().await;
        let before = synced.live();
        assert_eq!(before.keys().filter(|(id, _)| id == "daily").count(), 2 + 365 + 365);
        synced.clock.jump_to("2027-01-01T00:00:00Z".parse().unwrap());
        assert_eq!(counted(&synced.sync().await), (366, 0, 0, 0), "2028 has 366 days");
        assert!(before.iter().all(|(key, told)| synced.live().get(key) == Some(told)));
    });
}

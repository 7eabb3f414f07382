//! An account on a server, and engines that read it into a store in memory.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::{Deref, DerefMut};
use std::time::Duration;

use lifehub_core::clock::{Clock, Timestamp};
use lifehub_core::engine::{Counts, PartitionKey, PartitionState, Report, RunStatus, SyncOptions, SyncStore};
use lifehub_core::memory::MemoryRecord;
use lifehub_google_calendar::GoogleCalendar;
use lifehub_google_calendar::simulator::GoogleCalendarSimulator;
use lifehub_testkit::{Account, Change, Fact, LoggedRequest, Setup};
use serde_json::Value;

pub(crate) const DAY: Duration = Duration::from_secs(86_400);
pub(crate) const OWNER: &str = lifehub_google_calendar::simulator::OWNER;
pub(crate) const JOURNEYS: &str = "c_5e6f7example00journeys@group.calendar.google.com";
pub(crate) const HOLIDAYS: &str = "en.example#holiday@group.v.calendar.google.com";

pub(crate) const BUSY: &str = "colleague@example.com";

/// Calendar and id of an event.
pub(crate) type Key = (String, String);

pub(crate) struct Rig(lifehub_testkit::Rig<GoogleCalendarSimulator>);

impl Deref for Rig {
    type Target = lifehub_testkit::Rig<GoogleCalendarSimulator>;

    fn deref(&self) -> &Self::Target {
        &self.0
    }
}

impl DerefMut for Rig {
    fn deref_mut(&mut self) -> &mut Self::Target {
        &mut self.0
    }
}

pub(crate) fn now() -> Timestamp {
    "2026-08-10T12:00:00Z".parse().unwrap()
}

impl Rig {
    /// So many events, ten a page.
    pub(crate) fn new(items: usize) -> Self {
        Self::of(&Setup::new(7, now()).days(100).items(items).page(10).stream("events"))
    }

    pub(crate) fn of(setup: &Setup) -> Self {
        let simulator = GoogleCalendarSimulator::seeded(setup).into();
        Self(lifehub_testkit::Rig::new(GoogleCalendar, simulator, setup.now).unwrap())
    }

    pub(crate) async fn run(&self, options: &SyncOptions) -> Report {
        self.clock.advance(Duration::from_secs(60));
        self.engine().sync(&self.connection, options).await.unwrap()
    }

    /// Syncs the events; whatever stops it fails the test.
    pub(crate) async fn sync(&self) -> Counts {
        let mut options = SyncOptions::default();
        options.streams.push("events".to_owned());
        let report = self.run(&options).await;
        assert_eq!(report.status, RunStatus::Ok, "{report:?}");
        report.totals()
    }

    #[track_caller]
    pub(crate) fn change(&self, change: Change) {
        assert!(self.simulator.change(change.clone()), "{change:?}");
    }

    /// The live records of events.
    pub(crate) fn stored(&self) -> BTreeMap<Key, Value> {
        let key = |record: &MemoryRecord| (record.partition.clone(), record.external_id.clone());
        let records = self.records("events").into_iter();
        records.map(|record| (key(&record), serde_json::to_value(record).unwrap())).collect()
    }

    pub(crate) fn keys(&self) -> BTreeSet<Key> {
        self.stored().into_keys().collect()
    }

    /// Those that there should be now, a year and a day ahead.
    pub(crate) fn truth(&self) -> BTreeSet<Key> {
        let facts = self.simulator.truth_before(self.clock.now() + 366 * DAY);
        let events = facts.into_iter().filter(|fact| fact.stream == "events");
        let with_records =
            events.filter(|fact| fact.records.as_ref().is_some_and(|records| !records.is_empty()));
        with_records.map(|Fact { partition, id, .. }| (partition, id.unwrap())).collect()
    }

    /// Fails unless the events that are stored are those that there should be.
    #[track_caller]
    pub(crate) fn agrees(&self) {
        let (stored, truth) = (self.keys(), self.truth());
        let (lost, more): (Vec<_>, Vec<_>) =
            (truth.difference(&stored).collect(), stored.difference(&truth).collect());
        assert!(lost.is_empty() && more.is_empty(), "not stored: {lost:?}; not there any more: {more:?}");
    }

    /// The requests for events since this was last called: path and query.
    pub(crate) fn asked(&self) -> Vec<LoggedRequest> {
        let requests = self.server.take_requests();
        requests.into_iter().filter(|request| request.path.ends_with("/events")).collect()
    }

    pub(crate) async fn state(&self, calendar: &str) -> PartitionState {
        self.store.resume(&self.partition(calendar)).await.unwrap()
    }

    pub(crate) fn partition(&self, calendar: &str) -> PartitionKey {
        PartitionKey { connection: self.connection.id, stream: "events".into(), partition: calendar.into() }
    }
}

/// The value of a parameter, encoded as it was sent.
pub(crate) fn parameter<'a>(request: &'a LoggedRequest, name: &str) -> Option<&'a str> {
    request.query.split('&').find_map(|pair| pair.strip_prefix(name)?.strip_prefix('='))
}

/// The names of all parameters, sorted.
pub(crate) fn names(request: &LoggedRequest) -> Vec<&str> {
    let mut names: Vec<&str> =
        request.query.split('&').filter_map(|pair| Some(pair.split_once('=')?.0)).collect();
    names.sort_unstable();
    names
}

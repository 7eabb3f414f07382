//! A connection to the simulated YNAB, in a store in memory, by a clock that no one waits for.

use std::collections::BTreeMap;
use std::ops::{Deref, DerefMut};
use std::time::Duration;

use lifehub_core::clock::Timestamp;
use lifehub_core::engine::{Counts, ErrorReport, PartitionKey, Report, RunStatus, SyncOptions};
use lifehub_testkit::{Account, Setup};
use lifehub_ynab::Ynab;
use lifehub_ynab::simulator::YnabSimulator;
use serde_json::{Value, json};

pub(crate) const HOUR: Duration = Duration::from_secs(3_600);
pub(crate) const DAY: Duration = Duration::from_secs(86_400);

/// Live records by their external id.
pub(crate) type Records = BTreeMap<String, Vec<Value>>;

pub(crate) struct Rig(lifehub_testkit::Rig<YnabSimulator>);

impl Deref for Rig {
    type Target = lifehub_testkit::Rig<YnabSimulator>;

    fn deref(&self) -> &Self::Target {
        &self.0
    }
}

impl DerefMut for Rig {
    fn deref_mut(&mut self) -> &mut Self::Target {
        &mut self.0
    }
}

/// Noon of a day in the middle of its month.
pub(crate) fn start() -> Timestamp {
    "2026-06-10T12:00:00Z".parse().unwrap()
}

/// An account that changes happen to in that stream, with 16 items a stream, 14 of them in the first plan.
pub(crate) fn rig(stream: &str) -> Rig {
    Rig::of(&Setup::new(7, start()).items(16).stream(stream))
}

impl Rig {
    /// Its calls are counted against the quotas of the manifest.
    pub(crate) fn of(setup: &Setup) -> Self {
        let simulator = YnabSimulator::seeded(setup).into();
        Self(lifehub_testkit::Rig::new(Ynab, simulator, setup.now).unwrap().with_quotas())
    }

    pub(crate) async fn run(&self, options: &SyncOptions) -> Report {
        self.clock.advance(Duration::from_secs(60));
        self.engine().sync(&self.connection, options).await.unwrap()
    }

    /// Syncs; whatever stops it fails the test.
    pub(crate) async fn sync(&self) -> Counts {
        succeeded(&self.run(&SyncOptions::default()).await)
    }

    /// The same with a full pass.
    pub(crate) async fn sync_full(&self) -> Counts {
        succeeded(&self.run(&full()).await)
    }

    /// Syncs, and tells what became of each stream that did not come to its end.
    pub(crate) async fn errors(&self) -> Vec<ErrorReport> {
        let report = self.run(&SyncOptions::default()).await;
        report.streams.into_iter().filter_map(|stream| stream.error).collect()
    }

    /// The live records of a stream.
    pub(crate) fn stored(&self, stream: &str) -> Records {
        let mut stored = Records::new();
        for record in self.records(stream) {
            let id = record.external_id.clone();
            stored.entry(id).or_default().push(serde_json::to_value(&record).unwrap());
        }
        stored.values_mut().for_each(|records| sort(records));
        stored
    }

    /// Fails unless a stream's live records are those that YNAB has told.
    #[track_caller]
    pub(crate) fn equals_truth(&self, stream: &str) {
        let mut stored = self.stored(stream);
        for fact in self.simulator.truth().into_iter().filter(|fact| fact.stream == stream) {
            let (id, mut records) = (fact.id.unwrap(), fact.records.unwrap());
            sort(&mut records);
            let found = stored.remove(&id).unwrap_or_else(|| panic!("{id} is not stored"));
            assert_eq!(found.len(), records.len(), "{id}");
            for (record, told) in found.iter().zip(&records) {
                assert_eq!((&record["day"], &record["key"]), (&told["day"], &told["key"]), "{id}");
                for (member, told) in told["body"].as_object().unwrap() {
                    let none = json!(null);
                    let own = record["body"].get(member).unwrap_or(&none);
                    assert!(own == told || told.is_object(), "{id} {member}: {own}, not {told}");
                }
            }
        }
        assert!(stored.is_empty(), "stored, but not told: {stored:?}");
    }

    /// The queries of the calls for a list since requests were last taken, by the order in which they came.
    pub(crate) fn asked(&self, list: &str) -> Vec<String> {
        let requests = self.server.take_requests().into_iter();
        requests.filter(|request| request.path.ends_with(list)).map(|request| request.query).collect()
    }

    /// Where a list of the first plan stands.
    pub(crate) fn place(&self, stream: &str) -> PartitionKey {
        let facts = self.simulator.truth();
        let plan = facts.into_iter().find(|fact| fact.stream == stream).unwrap().partition;
        PartitionKey { connection: self.connection.id, stream: stream.into(), partition: plan }
    }
}

/// By what tells the records of an item apart.
fn sort(records: &mut [Value]) {
    records.sort_by_key(|record| record["key"].to_string());
}

pub(crate) fn full() -> SyncOptions {
    let mut options = SyncOptions::default();
    options.full = true;
    options
}

#[track_caller]
pub(crate) fn succeeded(report: &Report) -> Counts {
    assert_eq!(report.status, RunStatus::Ok, "{report:?}");
    report.totals()
}

/// What a query names a parameter.
pub(crate) fn parameter<'a>(query: &'a str, name: &str) -> Option<&'a str> {
    query.split('&').find_map(|pair| pair.strip_prefix(name)?.strip_prefix('='))
}

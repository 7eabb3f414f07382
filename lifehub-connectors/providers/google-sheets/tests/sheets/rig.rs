//! A made-up spreadsheet, and an engine that reads it into a store in memory.

use std::collections::BTreeMap;
use std::ops::{Deref, DerefMut};
use std::time::Duration;

use lifehub_core::Result;
use lifehub_core::clock::Timestamp;
use lifehub_core::connector::Identity;
use lifehub_core::engine::{Counts, ErrorReport, Report, RunStatus, SyncOptions};
use lifehub_google_sheets::GoogleSheets;
use lifehub_google_sheets::simulator::GoogleSheetsSimulator;
use lifehub_testkit::{Account, Setup};
use serde_json::{Value, json};

pub(crate) struct Rig(lifehub_testkit::Rig<GoogleSheetsSimulator>);

impl Deref for Rig {
    type Target = lifehub_testkit::Rig<GoogleSheetsSimulator>;

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
    "2026-08-10T12:07:00Z".parse().unwrap()
}

impl Rig {
    /// The made-up person's own spreadsheet, of sixty rows.
    pub(crate) fn new() -> Self {
        let simulator = GoogleSheetsSimulator::seeded(&Setup::new(7, now()).items(60)).into();
        Self(lifehub_testkit::Rig::new(GoogleSheets, simulator, now()).unwrap())
    }

    /// A tab with these cells, the first row of which are headers, read as this range says.
    pub(crate) fn with(range: Value, cells: Value) -> Self {
        let mut rig = Self::new();
        rig.simulator.write("Sheet", &cells);
        rig.range(range);
        rig
    }

    /// Reads this range alone, of the tab that a test writes.
    pub(crate) fn range(&mut self, mut range: Value) {
        range["name"] = json!("sheet");
        if range.get("tab").is_none() {
            range["tab"] = json!("Sheet");
        }
        self.connection.settings["ranges"] = json!([range]);
    }

    pub(crate) async fn report(&self) -> Report {
        self.clock.advance(Duration::from_secs(1));
        self.engine().sync(&self.connection, &SyncOptions::default()).await.unwrap()
    }

    /// Syncs; whatever stops it fails the test.
    pub(crate) async fn sync(&self) -> Counts {
        let report = self.report().await;
        assert_eq!(report.status, RunStatus::Ok, "{report:?}");
        report.totals()
    }

    /// Syncs, and tells what stopped it.
    pub(crate) async fn refused(&self) -> ErrorReport {
        let before = self.stored();
        let report = self.report().await;
        assert_eq!(report.status, RunStatus::Failed, "{report:?}");
        assert_eq!(report.totals().deleted, 0, "{report:?}");
        let after = self.stored();
        let lost = before.iter().find(|(place, record)| after.get(place) != Some(record));
        assert_eq!(lost, None, "nothing is lost");
        let error = report.streams[0].error.clone().unwrap();
        assert!(error.hint.as_ref().is_some_and(|hint| !hint.is_empty()), "{error:?}");
        error
    }

    pub(crate) async fn identify(&self) -> Result<Identity> {
        let credentials = self.simulator.access("").credentials;
        self.engine().identify("google-sheets", &self.connection.settings, credentials).await
    }

    /// The live records by range, external id and key.
    pub(crate) fn stored(&self) -> BTreeMap<(String, String, String), Value> {
        let place = |record: &Value| {
            ["partition", "external_id", "key"]
                .map(|member| record[member].as_str().unwrap_or_default().to_owned())
        };
        let records = self.records("").into_iter().map(|record| serde_json::to_value(record).unwrap());
        records.map(|record| (place(&record).into(), record)).collect()
    }

    /// The records' days or starts with one member of their bodies, in the order of time.
    pub(crate) fn told(&self, member: &str) -> Vec<String> {
        let tell = |record: &Value| {
            let when = record["start"].as_str().or(record["day"].as_str()).unwrap_or_default();
            format!("{when} {}", record["body"].pointer(member).unwrap_or(&Value::Null))
        };
        let mut told: Vec<String> = self.stored().values().map(tell).collect();
        told.sort();
        told
    }

    /// Why rows are in quarantine.
    pub(crate) fn quarantine(&self) -> Vec<String> {
        let mut reasons: Vec<String> =
            self.store.quarantine(self.connection.id).into_iter().map(|(_, reason)| reason).collect();
        reasons.sort();
        reasons
    }

    /// How many of the truth's rows of each range are stored with their records.
    pub(crate) fn equals_truth(&self) {
        let stored = self.stored();
        let mut records = 0;
        for fact in self.simulator.truth() {
            let id = fact.id.unwrap();
            for expected in fact.records.unwrap() {
                let key = expected["key"].as_str().unwrap().to_owned();
                let record = &stored[&(fact.partition.clone(), id.clone(), key)];
                assert_eq!(
                    (&record["day"], &record["start"]),
                    (&expected["day"], &expected["start"]),
                    "{id}"
                );
                records += 1;
            }
        }
        assert_eq!(stored.len(), records);
    }
}

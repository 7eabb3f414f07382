//! The latest run of each connection.

use async_trait::async_trait;
use lifehub_core::Result;
use lifehub_core::clock::Timestamp;
use lifehub_core::engine::{Dues, Lease, Report, RunEntry, Runs};
use lifehub_core::record::{ConnectionId, RunId};
use serde::{Deserialize, Serialize};

use crate::FileStore;

/// The entry of a run, in the form of the file.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Run(#[serde(with = "Form")] pub(crate) RunEntry);

#[derive(Serialize, Deserialize)]
#[serde(remote = "RunEntry", deny_unknown_fields)]
struct Form {
    id: RunId,
    epoch: u64,
    started_at: Timestamp,
    finished_at: Option<Timestamp>,
    resume_at: Option<Timestamp>,
    dues: Dues,
    report: Report,
}

#[async_trait]
impl Runs for FileStore {
    async fn record(&self, lease: &Lease, run: &RunEntry) -> Result<()> {
        let (lease, run) = (lease.clone(), Run(run.clone()));
        self.exclusively(move |turn| {
            turn.holds().renew(&lease)?;
            turn.change(|contents| {
                contents.connections.entry(lease.connection).or_default().run = Some(run);
                Ok(())
            })
        })
        .await
    }

    async fn latest(&self, connection: ConnectionId) -> Result<Option<RunEntry>> {
        let contents = self.read();
        let run = contents.connections.get(&connection).and_then(|row| row.run.as_ref());
        Ok(run.map(|run| run.0.clone()))
    }
}

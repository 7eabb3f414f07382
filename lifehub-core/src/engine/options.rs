//! What a caller may ask of a run: how much of it, how long, and to stop.

use std::time::Duration;

use tokio::sync::watch;

/// How a connection is synced.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct SyncOptions {
    /// Walks every stream from nothing, though no full pass is due.
    pub full: bool,
    /// Syncs only the streams that are due, as a scheduler does; a sync by hand takes all.
    pub only_due: bool,
    /// Syncs only these streams; empty: all.
    pub streams: Vec<String>,
    /// Deletes what a held sweep would delete, and holds none in this run.
    pub accept_deletes: bool,
    /// Ends the run after this many pages; it goes on there the next time.
    pub max_pages: u64,
    /// Ends the run after this long; it goes on there the next time.
    pub max_time: Duration,
    /// How long one page may take, with all its requests, retries and waits.
    pub page_time: Duration,
    /// Ends the run between two pages when asked.
    pub cancel: Cancel,
}

impl Default for SyncOptions {
    fn default() -> Self {
        Self {
            full: false,
            only_due: false,
            streams: Vec::new(),
            accept_deletes: false,
            max_pages: 100_000,
            max_time: Duration::from_secs(6 * 3600),
            page_time: Duration::from_secs(120),
            cancel: Cancel::default(),
        }
    }
}

/// Asks a run to stop. Clones ask the same run.
#[derive(Debug, Clone)]
pub struct Cancel(watch::Sender<bool>);

impl Default for Cancel {
    fn default() -> Self {
        Self(watch::Sender::new(false))
    }
}

impl Cancel {
    /// Asks. The page that is being committed is still committed.
    pub fn cancel(&self) {
        self.0.send_replace(true);
    }

    /// Whether it was asked.
    pub fn is_cancelled(&self) -> bool {
        *self.0.borrow()
    }

    /// Waits until it is asked.
    pub async fn cancelled(&self) {
        // The sender lives in `self`, so the channel cannot close first.
        let _ = self.0.subscribe().wait_for(|asked| *asked).await;
    }
}

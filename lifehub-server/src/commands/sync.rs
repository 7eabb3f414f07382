//! `lifehub sync`: fetches what is new.

use lifehub_core::engine::SyncOptions;

use super::runs::{self, Task};
use crate::app::App;
use crate::cli::SyncArgs;
use crate::failure::Outcome;

pub(crate) async fn run(app: &App, args: SyncArgs) -> Outcome {
    let SyncArgs { selection, user, streams, full, accept_deletes, max_pages, json } = args;
    let mut options = SyncOptions::default();
    options.streams = streams;
    options.full = full;
    options.accept_deletes = accept_deletes;
    options.max_pages = max_pages.unwrap_or(options.max_pages);
    runs::run(app, Task::Sync, options, &selection, user.as_deref(), json.json).await
}

//! `lifehub replay`: makes the records anew from what is stored.

use lifehub_core::engine::SyncOptions;

use super::runs::{self, Task};
use crate::app::App;
use crate::cli::ReplayArgs;
use crate::failure::Outcome;

pub(crate) async fn run(app: &App, args: ReplayArgs) -> Outcome {
    let ReplayArgs { selection, user, json } = args;
    let options = SyncOptions::default();
    runs::run(app, Task::Replay, options, &selection, user.as_deref(), json.json).await
}

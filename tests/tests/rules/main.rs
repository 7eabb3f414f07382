//! The rules that always hold, each shown by tests of its name, on every store.
#![cfg(test)]

mod renewal;
mod rig;
mod shelf;

mod alone;
mod bounded;
mod cursors;
mod deletes;
mod delivery;
mod fairness;
mod files;
mod identity;
mod keep_alive;
mod network;
mod page_atomic;
mod passes;
mod poison;
mod refresh;
mod replay;
mod schedule;
mod secrets;
mod storage_faults;
mod time;
mod token_runs;
mod tokens;
mod turns;
mod webhooks;

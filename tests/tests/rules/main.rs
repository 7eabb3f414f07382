//! The rules that always hold, each shown by tests of its name, on every store.
#![cfg(test)]

mod fault;
mod rig;
mod shelf;

mod alone;
mod bounded;
mod cursors;
mod deletes;
mod delivery;
mod files;
mod identity;
mod page_atomic;
mod passes;
mod poison;
mod replay;
mod time;

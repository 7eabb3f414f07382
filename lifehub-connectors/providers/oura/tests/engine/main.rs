//! The engine over the simulated Oura: what ends up in the store, what it costs, and what stops it.
#![cfg(test)]
#![expect(clippy::disallowed_types, reason = "`tokio::test` builds a runtime")]

mod changes;
mod credentials;
mod days;
mod history;
mod rig;

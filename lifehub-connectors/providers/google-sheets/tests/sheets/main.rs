//! The engine over the simulated Google: what ends up in the store, and what is said where nothing can.
#![cfg(test)]
#![expect(clippy::disallowed_types, reason = "`tokio::test` builds a runtime")]

mod bad_input;
mod consent;
mod dates;
mod limits;
mod rig;
mod rows;

//! The engine over the simulated Google Calendar: what ends up in the store, what was asked for it, and what is said
//! when Google refuses.
#![cfg(test)]
#![expect(clippy::disallowed_types, reason = "`tokio::test` builds a runtime")]

mod consents;
mod passes;
mod refusals;
mod rig;

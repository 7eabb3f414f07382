//! The engine over Trading 212: over the simulated one, and over answers written by hand.
#![cfg(test)]
#![expect(clippy::disallowed_types, reason = "`tokio::test` builds a runtime")]

mod limits;
mod money;
mod paging;
mod refusals;
mod rig;

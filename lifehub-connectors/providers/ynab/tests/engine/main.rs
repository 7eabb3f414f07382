//! The engine over the simulated YNAB: what ends up in the store, what is asked for it, and what refusals come to.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking, its helpers too")]
#![expect(clippy::disallowed_types, reason = "`tokio::test` builds a runtime")]

mod balances;
mod deltas;
mod months;
mod refusals;
mod renewal;
mod rig;

//! The promises of the store, each against a real file.
#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]

mod authorizations;
mod commits;
mod connections;
#[cfg(feature = "postgres")]
mod copy;
mod credentials;
mod disk;
mod feed;
mod leases;
mod listing;
mod opening;
mod quotas;
mod rollups;
mod rotation;
#[cfg(feature = "postgres")]
mod server;
mod world;

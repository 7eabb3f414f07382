//! The promises of the store, each against a real file.

mod commits;
mod credentials;
mod disk;
mod feed;
mod listing;
mod leases;
mod opening;
mod rollups;
mod sweeps;
mod world;
mod zones;

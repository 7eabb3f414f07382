//! The promises of the store, each against a real file.

mod commits;
mod credentials;
mod disk;
mod feed;
mod leases;
mod listing;
mod opening;
mod rollups;
mod sweeps;
mod world;
mod zones;

//! The commands, one module each.

pub(crate) mod connect;
pub(crate) mod connections;
pub(crate) mod connectors;
mod consent;
#[cfg(feature = "simulator")]
pub(crate) mod demo;
pub(crate) mod disconnect;
pub(crate) mod doctor;
pub(crate) mod export;
pub(crate) mod keys;
pub(crate) mod replay;
mod runs;
#[cfg(feature = "simulator")]
pub(crate) mod simulate;
pub(crate) mod store;
pub(crate) mod sync;
pub(crate) mod user;
pub(crate) mod worker;

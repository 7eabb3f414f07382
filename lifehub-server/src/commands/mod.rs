//! The commands, one module each.

pub(crate) mod connect;
pub(crate) mod connections;
pub(crate) mod connectors;
pub(crate) mod doctor;
pub(crate) mod export;
pub(crate) mod replay;
mod runs;
pub(crate) mod sync;
pub(crate) mod user;

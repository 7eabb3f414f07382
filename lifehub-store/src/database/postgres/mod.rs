//! PostgreSQL: a server with any number of processes before it.

mod connect;
pub(super) mod fault;
pub(crate) mod migrate;
mod role;

pub(crate) use self::connect::{Conn, Database};

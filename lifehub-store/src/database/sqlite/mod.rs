//! SQLite: one file, one writing connection for each process, a few reading ones.

mod connect;
pub(super) mod fault;
pub(crate) mod holder;
pub(crate) mod migrate;
mod open;

pub(crate) use self::connect::{Conn, Database, Turn};
pub(crate) use self::holder::Holder;
pub(crate) use self::open::{exists, open};

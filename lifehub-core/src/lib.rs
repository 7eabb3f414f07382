//! The heart of Lifehub: what a connector is, how it speaks to its provider, what its data becomes, and the engine
//! that syncs it without losing or doubling a row.

pub mod clock;
pub mod error;
pub mod normalize;
pub mod page;
pub mod record;
pub mod secret;

pub use error::{Error, ErrorKind, Result};

//! The heart of Lifehub: what a connector is, how it speaks to its provider, what its data becomes, and the engine
//! that syncs it without losing or doubling a row.
//!
//! - Who **embeds** Lifehub begins at [`engine::Engine`].
//! - Who **writes a connector** begins at [`connector::Connector`], and needs nothing but the [`prelude`].
//! - Who **brings a store** implements the traits of [`engine::Storage`]; [`memory::MemoryStore`] is the smallest.

pub mod clock;
pub mod connector;
pub mod engine;
pub mod error;
pub mod http;
pub mod memory;
pub mod normalize;
pub mod oauth;
pub mod page;
pub mod paginate;
pub mod prelude;
pub mod record;
pub mod registry;
pub mod schedule;
pub mod secret;

pub use error::{Error, ErrorKind, Result};

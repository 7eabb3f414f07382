//! What connectors and stores are tested with: simulated providers, things that fail when told, and the conformance
//! suites.
//!
//! - [`Server`] speaks a provider's wire format over loopback, writes down what it was asked, and fails by a
//!   [`FaultPlan`]; an [`Account`] is a simulated provider that suites, demo and benchmarks can drive.
//! - [`Proxy`] is a bad network, [`FaultyStore`] a bad disk.
//! - A `Rig` (feature `suite`) is what the own tests of a connector stand on: its account on a server, engines, a store.
//! - `suite` (feature `suite`) has every case that a connector or a store must pass; docs/connectors.md lists them.
//!
//! A simulator is one function from a request to an answer; everything else (the socket, the ledger, the faults) is
//! here and the same for all of them.
//!
//! ```
//! use lifehub_testkit::{Fault, FaultPlan, Server, SimRequest, SimResponse, Simulator};
//!
//! struct Clockwork;
//!
//! impl Simulator for Clockwork {
//!     fn handle(&self, request: &SimRequest) -> SimResponse {
//!         match (request.method.as_str(), request.segments().as_slice()) {
//!             ("GET", ["api", "ticks"]) => SimResponse::json(200, &["tick", "tock"]),
//!             _ => self.refusal(404),
//!         }
//!     }
//! }
//!
//! let server = Server::start(Clockwork)?;
//! server.set_faults(FaultPlan::none().at(2, Fault::ServerError));
//! assert!(server.url().starts_with("http://127.0.0.1:"));
//! # Ok::<(), std::io::Error>(())
//! ```
//!
//! Suites and the demo see a simulator as an [`Account`]; its items may lie on a [`Shelf`]. One whose provider asks its users for consent has an
//! [`oauth::AuthorizationServer`] inside.
//!
//! Nothing in here waits for real time, except what is asked to: [`Fault::Delay`] and the toxics of a [`Proxy`].

mod account;
mod connection;
mod fault;
mod faulty_store;
mod ledger;
mod local_time;
mod message;
pub mod oauth;
mod probe;
mod proxy;
#[cfg(feature = "suite")]
mod rig;
mod seeded;
mod server;
mod shelf;
#[cfg(feature = "suite")]
pub mod suite;
mod wire;

pub use account::{Access, Account, Change, Fact, OAuthAccess, Setup};
pub use bytes::Bytes;
pub use fault::{Fault, FaultPlan};
pub use faulty_store::{Asked, At, FaultyStore, StoreFault};
pub use ledger::LoggedRequest;
pub use local_time::{Place, date_time};
pub use message::{SimRequest, SimResponse, Simulator};
pub use probe::{Probe, Reply};
pub use proxy::{Direction, Proxy, Toxic, Toxics};
#[cfg(feature = "suite")]
pub use rig::Rig;
pub use seeded::Seeded;
pub use server::{Server, ServerBuilder};
pub use shelf::{Kind, Shelf, Shelved, instants};

//! Simulated providers: a loopback HTTP server that speaks a provider's wire format, writes down what it was asked,
//! and fails on demand.
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
//! Nothing in here waits for real time, except a fault that is asked to ([`Fault::Delay`]).

mod account;
mod connection;
mod fault;
mod ledger;
mod local_time;
mod message;
mod probe;
mod seeded;
mod server;
mod wire;

pub use account::{Access, Account, Change, Fact, Setup};
pub use bytes::Bytes;
pub use fault::{Fault, FaultPlan};
pub use ledger::LoggedRequest;
pub use local_time::{Place, date_time};
pub use message::{SimRequest, SimResponse, Simulator};
pub use probe::{Probe, Reply};
pub use seeded::Seeded;
pub use server::{Server, ServerBuilder};

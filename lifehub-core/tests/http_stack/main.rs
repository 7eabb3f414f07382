//! The HTTP stack through its public face: over a scripted transport with a clock that stands still, and over real
//! sockets on loopback.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking, also in its helpers")]

mod answers;
mod auth;
mod later;
mod outage;
mod quota;
mod retry;
mod script;
mod sharing;
mod transport;

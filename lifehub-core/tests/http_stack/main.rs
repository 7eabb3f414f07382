//! The HTTP stack through its public face: over a scripted transport with a clock that stands still, and over real
//! sockets on loopback.

mod answers;
mod auth;
mod quota;
mod retry;
mod script;
mod transport;

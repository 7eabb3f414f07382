//! The OAuth 2.0 client over real HTTP, against a simulated authorization server.
#![cfg(test)]

mod answers;
mod app;
mod errors;
mod expiry;
mod flow;
mod refusals;
mod request;
mod revoke;
mod secrets;

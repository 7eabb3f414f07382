//! The command line as its users have it: the real binary, in a home of its own, against a simulated provider.

#![cfg(test)]

mod browser;
mod connect;
#[cfg(feature = "simulator")]
mod demo;
mod disconnect;
mod doctor;
mod export;
mod help;
mod home;
mod keys;
mod oauth;
mod running;
#[cfg(feature = "postgres")]
mod server;
#[cfg(feature = "simulator")]
mod simulate;
mod store;
mod sync;
mod worker;
mod wrong_use;

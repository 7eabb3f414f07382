//! The command line as its users have it: the real binary, in a home of its own, against a simulated provider.

#![cfg(test)]

mod connect;
#[cfg(feature = "simulator")]
mod demo;
mod doctor;
mod export;
mod help;
mod home;
#[cfg(feature = "simulator")]
mod simulate;
mod sync;
mod wrong_use;

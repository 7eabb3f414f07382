//! The command line as its users have it: the real binary, in a home of its own, against a simulated provider.

#![cfg(test)]

mod connect;
mod doctor;
mod export;
mod help;
mod home;
mod sync;
mod wrong_use;

//! The command line as its users have it: the real binary, in a home of its own, against a simulated provider.

mod connect;
mod doctor;
mod export;
mod help;
mod home;
mod sync;
mod wrong_use;

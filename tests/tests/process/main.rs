//! The `lifehub` program as its user runs it: real processes over a real database and real HTTP, and what happens when
//! they are killed, the disk is full, or the provider has a bad day.
#![cfg(test)]

mod fleet;
mod home;
mod lifehub;
mod need;
mod strace;

mod consents;
mod copy;
mod disk;
mod kill;
mod nodes;
mod paused;
mod quotas;
mod refresh;
mod refresh_steps;
mod rotation;
mod secrets;
mod sync;
mod write_calls;

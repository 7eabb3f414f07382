//! Calendar feeds from the bytes of a file to the records in a store.
#![cfg(test)]

mod conditional;
mod engine;
mod identity;
mod mutated;
mod recurrence;
mod rig;
mod settings;
mod simulated;
mod variants;
mod wild;
mod zones;

//! The rules of the house, as tests: each fails with a list of what breaks it and what to do about it. Each rule is
//! a function over plain text or data, and beside it stands a test that shows it failing on made-up input.
#![cfg(test)]

mod catalog;
mod core_order;
mod crates;
mod examples;
mod files;
mod footprint;
mod import_groups;
mod links;
mod paths;
mod promises;
mod simulators;
mod source;
mod tree;
mod workspace;

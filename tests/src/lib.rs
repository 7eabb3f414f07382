//! Tests of the workspace as a whole: the rules that always hold, processes that are killed, the rules of the house.

/// The README's code, compiled.
#[cfg(doctest)]
#[doc = include_str!("../../README.md")]
pub struct Readme;

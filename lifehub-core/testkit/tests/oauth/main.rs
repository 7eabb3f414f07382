//! The simulated authorization server over real HTTP: what RFC 6749, 7009, 7636 and 9700 ask for.
#![cfg(test)]

mod app;
mod code;
mod consent;
mod refresh;
mod token;

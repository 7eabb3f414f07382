//! Spotify's ways: what ends up in a store over the simulated Spotify, and that this one is as Spotify's documentation
//! and its clients' reports have it.
#![cfg(test)]
#![expect(clippy::disallowed_types, reason = "`tokio::test` builds a runtime")]

mod access;
mod history;
mod playlists;
mod refusals;
mod rig;
mod simulated;
mod top;

//! What a proxy does to the bytes that pass: toxics, for each direction, on all connections or the next few.

use std::time::Duration;

/// Which way bytes flow.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Direction {
    /// From the client to the server: requests.
    ToServer,
    /// From the server to the client: answers.
    ToClient,
}

/// One fault of a network. Several work together, in whatever order they were added.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Toxic {
    /// Every piece arrives late by the delay and up to as much again as the jitter; the order stays.
    Latency {
        /// At least so late.
        delay: Duration,
        /// At most so much later.
        jitter: Duration,
    },
    /// No more than so many bytes pass in a second (1 at least).
    Bandwidth {
        /// Bytes in a second.
        bytes_per_s: u32,
    },
    /// Everything is taken and nothing passed on, not even the end; the connection stays open.
    Timeout,
    /// So many bytes pass, counted since the connection opened; the next one resets it on both sides.
    Reset {
        /// Bytes that pass.
        after: u64,
    },
    /// So many bytes pass, counted since the connection opened; the next one closes it in order on both sides.
    Cut {
        /// Bytes that pass.
        after: u64,
    },
    /// Bytes pass in pieces of at most that size (1 at least), with a pause after each.
    Slicer {
        /// Bytes in a piece.
        size: usize,
        /// The pause.
        delay: Duration,
    },
    /// When one side closes, the other learns of it so much later.
    SlowClose {
        /// How much later.
        delay: Duration,
    },
}

/// The toxics of a proxy.
///
/// ```
/// use std::time::Duration;
///
/// use lifehub_testkit::{Toxic, Toxics};
///
/// let slow = Toxic::Slicer { size: 100, delay: Duration::from_millis(1) };
/// // The next two connections break off in the middle of a slow answer; the one after them is whole.
/// let toxics = Toxics::none().to_client(slow).to_client(Toxic::Cut { after: 900 }).on_next(2);
/// # drop(toxics);
/// ```
#[derive(Debug, Clone, Default)]
pub struct Toxics {
    to_server: Vec<Toxic>,
    to_client: Vec<Toxic>,
    next: Option<u64>,
}

impl Toxics {
    /// None: every byte passes as it came.
    pub fn none() -> Self {
        Self::default()
    }

    /// Adds one to what the client sends.
    #[must_use]
    pub fn to_server(mut self, toxic: Toxic) -> Self {
        self.to_server.push(toxic);
        self
    }

    /// Adds one to what the server sends.
    #[must_use]
    pub fn to_client(mut self, toxic: Toxic) -> Self {
        self.to_client.push(toxic);
        self
    }

    /// Adds one to what flows that way.
    #[must_use]
    pub fn along(self, direction: Direction, toxic: Toxic) -> Self {
        match direction {
            Direction::ToServer => self.to_server(toxic),
            Direction::ToClient => self.to_client(toxic),
        }
    }

    /// Only for that many connections, opened after this is set.
    #[must_use]
    pub fn on_next(mut self, connections: u64) -> Self {
        self.next = Some(connections);
        self
    }
}

/// Toxics at work.
#[derive(Debug, Default)]
pub(super) struct Active {
    toxics: Toxics,
    /// How many connections had been opened when these were set.
    opened: u64,
}

impl Active {
    pub(super) fn new(toxics: Toxics, opened: u64) -> Self {
        Self { toxics, opened }
    }

    /// Those of that connection, by its number, and that direction.
    pub(super) fn of(&self, connection: u64, direction: Direction) -> Vec<Toxic> {
        let concerned =
            self.toxics.next.is_none_or(|next| connection > self.opened && connection <= self.opened + next);
        match direction {
            _ if !concerned => Vec::new(),
            Direction::ToServer => self.toxics.to_server.clone(),
            Direction::ToClient => self.toxics.to_client.clone(),
        }
    }
}

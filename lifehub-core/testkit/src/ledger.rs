//! What a server was asked and what it answered, for tests to read.

use std::collections::VecDeque;

use lifehub_core::clock::Timestamp;

use crate::fault::Fault;

/// How many requests are remembered; a server that runs for days forgets the oldest.
const KEPT: usize = 100_000;

/// One request and its fate. Headers and bodies are not kept: they hold credentials.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct LoggedRequest {
    /// Counts from 1 over the server's life.
    pub number: u64,
    /// When it came, by the server's clock.
    pub at: Timestamp,
    /// The method, in capitals.
    pub method: String,
    /// The path without the query.
    pub path: String,
    /// The query as it came, or nothing.
    pub query: String,
    /// The status that was sent; none if the connection was reset instead.
    pub status: Option<u16>,
    /// The fault that was put in the way.
    pub fault: Option<Fault>,
}

#[derive(Debug, Default)]
pub(crate) struct Ledger {
    requests: VecDeque<LoggedRequest>,
    count: u64,
}

impl Ledger {
    /// Writes a request down and gives it its number.
    pub(crate) fn write(&mut self, mut request: LoggedRequest) -> u64 {
        self.count += 1;
        request.number = self.count;
        if self.requests.len() == KEPT {
            self.requests.pop_front();
        }
        self.requests.push_back(request);
        self.count
    }

    pub(crate) fn read(&self) -> Vec<LoggedRequest> {
        self.requests.iter().cloned().collect()
    }

    pub(crate) fn take(&mut self) -> Vec<LoggedRequest> {
        self.requests.drain(..).collect()
    }

    pub(crate) fn count(&self) -> u64 {
        self.count
    }
}

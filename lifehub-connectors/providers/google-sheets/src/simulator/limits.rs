//! Google's limits on reads: so many in any minute for a user, and for all users of a project.

use std::collections::VecDeque;
use std::time::Duration;

use lifehub_core::clock::Timestamp;

use super::refusal::Refusal;

/// How many reads a minute has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Limits {
    /// For each user of a project.
    pub user: u64,
    /// For all users of a project together.
    pub project: u64,
}

impl Limits {
    /// Limits of these sizes.
    pub fn new(user: u64, project: u64) -> Self {
        Self { user, project }
    }
}

impl Default for Limits {
    /// What every project has.
    fn default() -> Self {
        Self::new(60, 300)
    }
}

/// The reads of the last minute; the only user of the account is all of its project.
#[derive(Debug, Default)]
pub(super) struct Counter {
    limits: Option<Limits>,
    reads: VecDeque<Timestamp>,
}

impl Counter {
    pub(super) fn new(limits: Option<Limits>) -> Self {
        Self { limits, reads: VecDeque::new() }
    }

    /// Counts a read, unless a limit is spent.
    pub(super) fn count(&mut self, at: Timestamp) -> Result<(), Refusal> {
        let Some(limits) = self.limits else { return Ok(()) };
        while self.reads.front().is_some_and(|first| at.since(*first) >= Duration::from_secs(60)) {
            self.reads.pop_front();
        }
        let read = self.reads.len() as u64;
        let per_user = "Read requests per minute per user";
        if read >= limits.user {
            return Err(Refusal::exhausted("ReadRequestsPerMinutePerUser", per_user, limits.user));
        }
        if read >= limits.project {
            let per_project = "Read requests per minute";
            return Err(Refusal::exhausted("ReadRequestsPerMinutePerProject", per_project, limits.project));
        }
        self.reads.push_back(at);
        Ok(())
    }
}

//! What kind of world a test, a benchmark or the demo asks for.

/// What kind of world to make.
#[derive(Debug, Clone)]
pub struct WorldOptions {
    pub(super) days: u16,
    pub(super) activities: Option<usize>,
    pub(super) ties: usize,
    pub(super) polyline_bytes: usize,
    pub(super) large_ids: bool,
    pub(super) sees_private: bool,
}

impl Default for WorldOptions {
    /// As many activities as two years of habits give (some 400), no ties, items of about 1 kB, ids of eleven digits,
    /// and a token that sees everything.
    fn default() -> Self {
        Self {
            days: 730,
            activities: None,
            ties: 0,
            polyline_bytes: 40,
            large_ids: false,
            sees_private: true,
        }
    }
}

impl WorldOptions {
    /// Goes back that many days instead of two years.
    #[must_use]
    pub fn days(mut self, days: u16) -> Self {
        self.days = days;
        self
    }

    /// Exactly that many activities, spread over all of its days.
    #[must_use]
    pub fn activities(mut self, count: usize) -> Self {
        self.activities = Some(count);
        self
    }

    /// So many of them, in the middle of the two years, begin in the same second.
    #[must_use]
    pub fn ties(mut self, count: usize) -> Self {
        self.ties = count;
        self
    }

    /// The least length of the route of an outdoor activity; the other members take about 1.2 kB.
    #[must_use]
    pub fn polyline_bytes(mut self, bytes: usize) -> Self {
        self.polyline_bytes = bytes;
        self
    }

    /// Ids are odd numbers beyond 2^53, which a float cannot hold.
    #[must_use]
    pub fn large_ids(mut self) -> Self {
        self.large_ids = true;
        self
    }

    /// The simulator's own token has `activity:read` only: what is visible to "Only You" is not listed for it, and not in
    /// the truth.
    #[must_use]
    pub fn without_private(mut self) -> Self {
        self.sees_private = false;
        self
    }
}

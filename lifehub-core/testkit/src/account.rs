//! One made-up account at a simulated provider: what conformance suites, the demo and benchmarks ask of a simulator
//! besides its answers.

use std::time::Duration;

use lifehub_core::clock::Timestamp;
use lifehub_core::secret::{Credentials, Secret};
use serde_json::Value;

use crate::message::Simulator;

/// What kind of account to make. The same setup gives the same account, byte by byte.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Setup {
    /// What everything made up derives from, tokens included.
    pub seed: u64,
    /// The instant at which the account stands: its history ends here.
    pub now: Timestamp,
    /// How many days its history goes back, for a provider whose items have an instant.
    pub days: u16,
    /// About how many items each stream has; `None` for as many as plausible habits give. A provider whose number
    /// of items follows from the calendar keeps to the calendar.
    pub items: Option<usize>,
    /// So many items share one instant, for a provider whose items have one.
    pub ties: usize,
    /// At most so many items a page, for a provider that may serve fewer than asked for; `None` for what it serves in
    /// truth.
    pub page: Option<usize>,
    /// The stream in which [`Account::change`] happens; empty: the first.
    pub stream: String,
}

impl Setup {
    /// Two plausible years up to `now`.
    pub fn new(seed: u64, now: Timestamp) -> Self {
        Self { seed, now, days: 730, items: None, ties: 0, page: None, stream: String::new() }
    }

    /// Changes happen in this stream.
    #[must_use]
    pub fn stream(mut self, name: &str) -> Self {
        self.stream = name.to_owned();
        self
    }

    /// Goes back that many days.
    #[must_use]
    pub fn days(mut self, days: u16) -> Self {
        self.days = days;
        self
    }

    /// About that many items a stream.
    #[must_use]
    pub fn items(mut self, count: usize) -> Self {
        self.items = Some(count);
        self
    }

    /// So many items share one instant.
    #[must_use]
    pub fn ties(mut self, count: usize) -> Self {
        self.ties = count;
        self
    }

    /// At most so many items a page.
    #[must_use]
    pub fn page(mut self, items: usize) -> Self {
        self.page = Some(items);
        self
    }
}

/// A simulated provider as one account holder sees it.
///
/// A suite drives every provider through this one face. What a provider does not know ([`Account::change`] is false),
/// its cases are told to leave out, and they say so.
pub trait Account: Simulator {
    /// How a connection reaches this account on a server at `url` (`http://127.0.0.1:PORT`).
    fn access(&self, url: &str) -> Access;

    /// What a client should have after it has read everything, in any order. It is told by the simulator's own books,
    /// not by what it answered.
    fn truth(&self) -> Vec<Fact>;

    /// Changes the account, or how it answers from now on. False if this provider knows no such change; then nothing
    /// happened.
    fn change(&self, change: Change) -> bool;
}

/// How a connection reaches an account.
#[derive(Debug, Clone)]
pub struct Access {
    /// The operator's `base_url`; `None` if the settings name the address.
    pub base_url: Option<String>,
    /// The credentials by the names of the provider's manifest.
    pub credentials: Credentials,
    /// The settings by the provider's schema, secret ones included.
    pub settings: Value,
    /// The app by which a user can consent instead; `None` if the provider asks nobody.
    pub oauth: Option<OAuthAccess>,
}

/// The operator's app at a simulated provider, and where its consent page and token endpoint are.
#[derive(Debug, Clone)]
pub struct OAuthAccess {
    /// The app's id.
    pub client_id: String,
    /// Its secret; `None` for a public app.
    pub client_secret: Option<Secret>,
    /// The operator's `authorize_url`.
    pub authorize_url: String,
    /// The operator's `token_url`.
    pub token_url: String,
    /// The operator's `revoke_url`; `None` if the provider takes no consent back.
    pub revoke_url: Option<String>,
}

/// One item that a client should have.
#[derive(Debug, Clone, PartialEq)]
pub struct Fact {
    /// The stream.
    pub stream: String,
    /// The partition; empty in a plain stream.
    pub partition: String,
    /// The external id; `None` if the item has lost it, and is to be kept under the hash of its body.
    pub id: Option<String>,
    /// What is to be published of it: for each record its JSON as DESIGN gives it, or as many of its members as the
    /// simulator answers for (`{"dataset":…,"start":…,"day":…,"body":{…}}`). `None` if no normalizer can take the
    /// item: it is to be in quarantine.
    pub records: Option<Vec<Value>>,
}

impl Fact {
    /// An item of a plain stream that yields these records.
    pub fn new(stream: &str, id: impl ToString, records: Vec<Value>) -> Self {
        Self {
            stream: stream.into(),
            partition: String::new(),
            id: Some(id.to_string()),
            records: Some(records),
        }
    }

    /// The same in a partition.
    #[must_use]
    pub fn partition(mut self, partition: impl Into<String>) -> Self {
        self.partition = partition.into();
        self
    }
}

/// What may happen to an account. Positions count from the newest item, which is 0, of the stream in which changes
/// happen ([`Setup::stream`]); where that has partitions, of one of them.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Change {
    /// A new item, newer than all.
    Add,
    /// A new item that bears an instant so long before the account's: it arrives late.
    AddLate(Duration),
    /// Another content of an item, so that its records differ. Where items have versions, a higher one.
    Edit(usize),
    /// Items go: so many from this position on.
    Delete {
        /// The position of the first.
        from: usize,
        /// How many.
        count: usize,
    },
    /// An item's content breaks so that no normalizer can take it; its id stays readable.
    Poison(usize),
    /// An item loses its id.
    TakeId(usize),
    /// Every broken item is as it was before.
    Heal,
    /// Answers come from a copy that stands as before the latest change (true), or are fresh again (false).
    Stale(bool),
    /// Links to further pages lead to this origin (`http://127.0.0.1:PORT`) instead of the provider's; `None` ends
    /// it.
    LeadTo(Option<String>),
    /// Every cursor that was handed out so far is refused from now on, as the provider refuses an old one.
    ExpireCursors,
    /// Pages without items come among the others, though more follow (true), or no more (false).
    EmptyPages(bool),
    /// The credentials lose this scope, too: what needs it is refused as the provider refuses it. `None` gives all back.
    Withhold(Option<String>),
}

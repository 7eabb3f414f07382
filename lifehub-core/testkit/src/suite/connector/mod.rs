//! The suite of connectors: each case walks a connector over its simulated account, with the real HTTP stack over
//! loopback, the real engine, a store in memory and a clock that no one waits for.
//!
//! A connector crate applies it in four lines, as `tests/conformance.rs` of the template `examples/new-connector` shows;
//! docs/connectors.md leads an author there.

mod capture;
mod cases;
mod fixtures;
mod rig;
mod truth;
mod wrapped;

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use lifehub_core::clock::{ManualClock, Timestamp};
use lifehub_core::connector::Connector;

use super::{Case, Outcome, Tested, Verdict};
use crate::account::{Account, Setup};

type MakeConnector = dyn Fn() -> Arc<dyn Connector> + Send + Sync;
type MakeAccount = dyn Fn(&Setup) -> Arc<dyn Account> + Send + Sync;

/// A connector, its simulated account and its fixtures.
pub struct Subject {
    connector: Box<MakeConnector>,
    account: Box<MakeAccount>,
    fixtures: PathBuf,
}

impl Subject {
    /// `connector` makes a new instance each time, as a new process would; `account` makes the account of a setup;
    /// `fixtures` is the folder with `STREAM.json` and `STREAM.records.json` (see [`CASES`]).
    pub fn new<C: Connector>(
        connector: impl Fn() -> C + Send + Sync + 'static,
        account: impl Fn(&Setup) -> Arc<dyn Account> + Send + Sync + 'static,
        fixtures: impl AsRef<Path>,
    ) -> Self {
        Self {
            connector: Box::new(move || Arc::new(connector())),
            account: Box::new(account),
            fixtures: fixtures.as_ref().to_owned(),
        }
    }

    /// A setup of a few pages, enough to have borders, all within the look-back of most streams.
    fn small(&self) -> Setup {
        Setup::new(7, start()).days(20).items(40).page(8)
    }

    /// Tries each stream for itself, with changes that happen in it: the case holds for all of them, or applies to none.
    async fn each_stream(&self, case: impl AsyncFn(&Setup) -> Verdict) -> Verdict {
        let mut outcome = None;
        for stream in &(self.connector)().manifest().streams {
            let setup = self.small().stream(stream.name);
            let of_stream = case(&setup).await.map_err(|f| f.when(format!("stream {}", stream.name)))?;
            if outcome != Some(Outcome::Passed) {
                outcome = Some(of_stream);
            }
        }
        Ok(outcome.unwrap_or(Outcome::NotApplicable("there are no streams")))
    }
}

impl Tested for Subject {
    // The case about secrets catches what is logged on its thread.
    const THREADS: usize = 0;

    fn name(&self) -> &'static str {
        (self.connector)().manifest().id
    }
}

impl fmt::Debug for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Subject({})", self.name())
    }
}

/// The instant at which every case begins.
fn start() -> Timestamp {
    // 10 March 2026, noon in UTC: late enough in a day for every zone, early enough in a year for two calendar years.
    Timestamp::from_seconds(1_773_144_000)
}

fn clock() -> Arc<ManualClock> {
    Arc::new(ManualClock::at(start()))
}

/// Calls a macro with the one list of cases: name, what it checks, its broken double.
#[doc(hidden)]
#[macro_export]
macro_rules! for_each_connector_case {
    ($then:path; $($arguments:tt)*) => {
        $then! { [$($arguments)*]
manifest_is_sane:
    "Ids, addresses, streams, datasets, quotas, settings and terms of the manifest are of the form that everything else relies on, and the same at each call.",
    "A connector that names a dataset that does not exist.";
fixtures_give_their_records:
    "The items in `fixtures/STREAM.json` give exactly the records in `fixtures/STREAM.records.json`, twice.",
    "A connector whose normalizer writes titles in capitals.";
identify_tells_whose_account_it_is:
    "The account has an id, the same each time, and nothing secret in it.",
    "A connector that numbers accounts in the order in which it is asked.";
first_sync_equals_the_truth:
    "A first sync stores everything that the simulator has, each record with its instants, offsets, days and values, and nothing else.",
    "A connector that takes UTC for local time.";
sync_twice_changes_nothing:
    "A second sync inserts, updates, deletes and writes nothing, and a third, full one neither.",
    "A connector whose items hold the time of the fetch.";
every_cursor_resumes:
    "A sync that stops after each page and goes on in a new process ends equal; no cursor holds a host or a secret.",
    "A connector that keeps its place in memory and hands over a cursor that is one page ahead.";
crash_before_each_commit:
    "When the store fails right before the k-th commit, for every k, a new process ends equal.",
    "A connector that hands over each item only once.";
crash_after_each_commit:
    "When the answer of the k-th commit is lost, for every k, a new process ends equal and doubles nothing.",
    "A connector that gives an item that it meets again another id.";
new_item_is_found:
    "An item that is newer than all is found by the next sync.",
    "A connector that goes on at the page at which it ended.";
late_edit_is_found:
    "An edit of a recent item is found by the next sync, and the record keeps its id.",
    "A connector that reads from where it ended, without look-back.";
late_arrival_is_found:
    "An item that arrives with an instant of days ago is found by the next sync.",
    "A connector that takes the newest instant seen for the point from which to read.";
deletion_is_found:
    "Items that are deleted at the provider are tombstones after the next sync.",
    "A connector that never says what a pass covers.";
ties_lose_nothing:
    "Items that share an instant over borders of pages all arrive, whatever the sizes (property test, resumed at every cursor).",
    "A connector that goes on strictly after the last instant of a page.";
deletion_during_a_walk_deletes_nobody_else:
    "When an item goes while the k-th page of a live or full pass is on its way, for every k, nobody else is deleted.",
    "A connector that takes one walk over numbered pages for complete.";
brake_holds_and_releases:
    "When far too much is missing at once, the sweep is held; the next complete pass that agrees releases it.",
    "A connector that turns absence into deletions of its own.";
throttling_in_seconds_is_obeyed:
    "A 429 with `Retry-After` in seconds on the k-th request, for every k, is waited for, no request comes early, and a long one parks.",
    "A connector that reads 429 as leave to come back at once.";
throttling_by_date_is_obeyed:
    "The same with `Retry-After` as a date.",
    "A connector that reads `Retry-After` itself, and knows numbers only.";
server_errors_are_tried_again:
    "A 500, a 503 with a web page or a reset on the k-th request, for every k, changes nothing; one that stays ends the stream in an error and deletes nothing.",
    "A connector that reads a server's error as the end of the list.";
truncated_answer_is_no_page:
    "A body that ends early on the k-th request, for every k, is asked for again; one that stays ends the stream in an error.",
    "A connector that takes what came of a list for the list.";
error_inside_200_is_no_page:
    "An error object with status 200 on the k-th request, for every k, is never taken for an empty page.",
    "A connector whose list may be absent.";
web_page_is_no_page:
    "A web page with status 200 on the k-th request, for every k, is never taken for an empty page.",
    "A connector that takes what is no JSON for the end.";
empty_page_is_not_the_end:
    "Pages without items that come among the others end nothing.",
    "A connector that takes an empty page for the end, whatever the provider says of the next one.";
refused_credentials_stop_it:
    "A 401 on the k-th request, for every k, ends the stream with that error, after few requests, and loses nothing.",
    "A connector that reads 401 as the end of the list.";
missing_scope_stops_its_stream_alone:
    "Without the scope that opens a stream, that stream ends in an error that says so and what to do; others go on, nothing is lost.",
    "A connector that reads a missing permission as refused credentials.";
consent_opens_the_account:
    "The consent by the code flow opens the same account, its tokens are renewed when they end, and once it is given back nothing is read any more.",
    "A connector that writes the app's secret where the provider does not look for it.";
expired_cursor_falls_back:
    "A stored cursor of another form, and one that the provider refuses, at each page: the sync ends equal and wipes nothing.",
    "A connector that calls a cursor that it cannot read an internal error.";
repeated_page_ends_it:
    "When the provider gives the same page again and again from the k-th request on, the stream ends in an error after few requests.",
    "A connector that stamps items and cursors with a counter.";
endless_pages_end_with_the_budget:
    "A run's budget of pages holds whatever is left; runs of a few pages each end equal.",
    "A connector that walks all pages in one fetch.";
item_without_id_is_kept:
    "An item that lost its id, at each position, is in quarantine or stored as the provider's documentation has it; all others are stored.",
    "A connector that leaves out what it cannot read.";
poison_blocks_nobody:
    "An item that no normalizer can take, at each position, is in quarantine, all others are stored; healed, it is stored.",
    "A connector that fails with the first item that it cannot read.";
new_version_retries_quarantine:
    "What an older normalizer refused is read by a new version from the stored items, without the network; other records stay as they are.",
    "A connector whose normalizer needs what only the fetch knew.";
replay_gives_equal_records:
    "A replay of the stored items changes no record.",
    "A connector whose normalizer counts its calls.";
older_observation_does_not_overwrite:
    "Edits that follow each other are all found, and an answer from a copy that lags behind never overwrites a newer version.",
    "A connector whose versions fall as items are edited.";
foreign_link_is_refused:
    "A redirect or next link to another host on the k-th request, for every k, is an error, and that host hears nothing.",
    "A connector with a client of its own.";
no_output_holds_a_secret:
    "No log line at TRACE, error, report, record or cursor holds a credential or a secret setting, also when the provider repeats them.",
    "A connector that puts the provider's answer into its error.";
two_years_are_complete:
    "Two plausible years, read while a fifth of all requests fail, equal the simulator's ledger.",
    "A connector that reads no further back than a year.";
        }
    };
}

macro_rules! list {
    ([] $($name:ident: $about:literal, $double:literal;)*) => {
        /// Every case, in the order in which an author best makes them pass.
        pub const CASES: &[Case<Subject>] = &[$(Case {
            name: stringify!($name),
            about: $about,
            double: $double,
            run: |subject| Box::pin(cases::$name(subject)),
        }),*];
    };
}
for_each_connector_case!(list;);

/// Makes one test of each case of the suite for a connector.
///
/// `connector` is an expression that makes one, `account` the function that makes a simulated account of a
/// [`Setup`]. The fixtures are in the folder `fixtures` of the crate.
#[macro_export]
macro_rules! connector_suite {
    (connector: $connector:expr, account: $account:expr $(,)?) => {
        fn subject() -> $crate::suite::connector::Subject {
            $crate::suite::connector::Subject::new(
                || $connector,
                $account,
                concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures"),
            )
        }
        $crate::for_each_connector_case!($crate::__connector_tests;);
    };
}

#[doc(hidden)]
#[macro_export]
macro_rules! __connector_tests {
    ([] $($name:ident: $about:literal, $double:literal;)*) => {$(
        #[test]
        fn $name() {
            let subject = subject();
            let cases = $crate::suite::connector::CASES;
            $crate::suite::assert_case(cases, stringify!($name), &subject);
        }
    )*};
}

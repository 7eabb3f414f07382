//! For each case of the suite of stores a store with the one fault that the case is there to find, and the words in
//! which it must find it.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use lifehub_core::Result;
use lifehub_core::clock::{Timestamp, Zone};
use lifehub_core::engine::{Connection, Storage};
use lifehub_core::oauth::Authorizations;
use lifehub_core::record::{RecordId, UserId};
use lifehub_core::schedule::Schedule;
use lifehub_core::secret::Credentials;
use lifehub_testkit::suite::run;
use lifehub_testkit::suite::store::{CASES, Quarantined, Rollup, StoreUnderTest, Subject};
use serde_json::{Value, json};

use crate::store_flaws::Flaw::{self, *};
use crate::store_flaws::Flawed;
use crate::stores::in_sqlite;

/// Case, fault of its double, and what the case must say of it.
const DOUBLES: &[(&str, Flaw, &str)] = &[
    ("all_of_a_batch_is_there", ForgetsTheState, "the state of the partition: found 0 instead of 3"),
    ("a_batch_that_fails_changes_nothing", WritesTheFirstItem, "a new item that exists changed something"),
    ("a_dropped_commit_is_whole_or_nothing", CommitsInHalves, "whether all or none, not 2, of 4 items"),
    ("any_number_of_items_fits_in_a_batch", TakesAThousand, "known items after a batch of 5000: found 1000"),
    ("a_state_comes_back_as_it_was", ForgetsTheFullScan, "a state with both scans open: found"),
    ("records_follow_their_item", KeepsTheFirstRecord, "records of one item: found 1 instead of 3"),
    ("known_gives_exactly_what_is_asked_for", KnowsNothingGone, "what is known of [\"a\", \"b\""),
    ("a_sighting_comes_back_as_it_was", Versions63, "what is known after the first commit"),
    (
        "records_of_gives_exactly_those_of_the_items",
        KnowsNoTombstones,
        "the records of the item \"tombstone\"",
    ),
    ("a_known_record_is_what_was_committed", KeepsTheFirstDigest, "what is known of the record"),
    ("an_id_may_be_any_text", CutsIds, "whether the id \"xxxxxxxxxxxxxxxxxxxx\" comes back"),
    ("bodies_are_stored_kept_and_dropped", KeepsWhatIsDropped, "the body that was dropped"),
    ("quarantine_in_replaced_and_out", LetsNothingOut, "the quarantine after the item was taken"),
    ("records_of_a_quarantined_item_stay", MarksNoQuarantine, "whether the item is known to be stale"),
    ("raw_goes_page_by_page", RepeatsTheLast, "whether a page goes on after the one before"),
    ("raw_gives_the_latest_body", LeavesOutQuarantine, "what a replay reads"),
    ("a_record_is_published_as_it_is", PublishesUtc, "\"start\" of the record \"span\""),
    ("a_changed_record_keeps_its_id", NeverMovesChangedAt, "when a changed record changed"),
    ("a_record_that_comes_back_keeps_its_id", RevivesNothing, "the record of an item that is back"),
    ("what_the_user_deleted_stays_deleted", TakesTheUserForTheProvider, "the record after the user's delete"),
    ("seen_items_are_stamped", KeepsTheObservation, "when it was observed"),
    ("count_is_strictly_inside_what_is_covered", CountsTheBorders, "a span without its borders counts"),
    ("missing_lists_what_a_pass_did_not_see", ListsWhatIsNotHeld, "what of it is held"),
    ("a_held_sweep_marks_what_it_misses", HoldsNothing, "whether the item 2 is held: found false"),
    (
        "partitions_connections_and_users_are_apart",
        CountsAllPartitions,
        "what is seen of \"\" of activities: found",
    ),
    ("partitions_are_those_with_a_state", ListsNoPlainPartition, "the partitions of the stream"),
    ("a_connection_is_held_by_one", GivesToWhoeverAsks, "a claim of a connection that is held: found Held"),
    ("epochs_only_rise", BeginsAnew, "whether the epoch after 1 is higher"),
    ("a_released_lease_is_over", FreesForWhomever, "still holds after an older one was given back"),
    (
        "fencing_of_a_late_write",
        IgnoresTheEpoch,
        "a commit under a lease that was claimed anew is not refused",
    ),
    (
        "an_expired_lease_is_never_renewed",
        RenewsWhatRanOut,
        "renewing a lease that was expired is not refused",
    ),
    ("a_commit_renews_the_lease", CommitsRenewNothing, "whether the lease holds at commit 2"),
    ("disconnecting_fences", LeavesTheLease, "a commit after its user ended the connection is not refused"),
    ("the_ledger_has_the_latest_run", KeepsTheFirstEntry, "a run that ended"),
    (
        "the_run_entry_is_of_the_same_transaction",
        WritesTheLedgerFirst,
        "the entry after a commit that failed",
    ),
    ("credentials_come_back", ForgetsEmptyCredentials, "the names of the credentials"),
    ("no_credential_is_readable", WritesCredentials, "whether a credential stands in what was written"),
    (
        "a_revision_rises_with_each_writing",
        RevisionOne,
        "whether the revision after 1 is higher: found false",
    ),
    ("a_refresh_is_claimed_by_one", GivesTheClaimToAll, "a claim of what is claimed: found Held"),
    ("one_of_many_refreshes", LooksAndClaimsLater, "holders after 12 claimed at once"),
    ("a_claim_of_another_revision_is_stale", ClaimsAnyRevision, "a claim of a revision to come: found Held"),
    ("saving_replaces_and_ends_the_claim", KeepsTheClaim, "a claim after the save: found Busy"),
    ("a_late_save_writes_nothing", WritesTheLast, "whether a late save was written: found true"),
    ("a_claim_given_back_is_free", FreesTheClaim, "whether the claim stands after an older one came back"),
    ("a_claim_permits_for_half_its_term", SendsToTheEnd, "whether the holder may send in the second half"),
    ("a_claim_that_ran_out_is_free", ClaimsNeverRunOut, "a claim of what ran out: found Busy"),
    ("a_refusal_is_news_once", TellsEachRefusal, "whether a refusal at 2 is news: found true"),
    (
        "a_finding_of_older_credentials_is_dropped",
        RefusesAnyRevision,
        "whether a finding of other credentials is news: found true",
    ),
    (
        "an_ended_connection_is_not_renewed",
        TakesWhatComesLate,
        "whether a save after its user ended the connection is refused",
    ),
    ("saved_credentials_outlive_the_process", SavesLater, "what is held after reopening: found (\"token of"),
    ("what_is_due_comes_by_its_age", NewestFirst, "what is due: found [\"one\", \"three\", \"new\"]"),
    ("providers_take_turns", OneProviderFirst, "what is due of two providers"),
    ("what_is_not_due_is_left", ClaimsForAll, "what is due of no provider: found 2"),
    ("what_is_due_is_claimed_once", HandsOutAgain, "how often a connection was claimed: found Some("),
    ("the_latest_run_says_when", GoesByTheFirstRun, "whether it is due in time after run 2: found false"),
    ("connecting_anew_is_due_at_once", KeepsTheSchedule, "what is due after connecting anew: found []"),
    ("the_next_moment_is_told", NamesWhatHasPassed, "the next moment after 20: found"),
    ("what_was_left_is_due_again", LeavesOutForEver, "what is due when the lease has run out: found []"),
    ("idle_connections_are_found", KeepsRefusedAlive, "what is idle for a while: found"),
    ("news_comes_back_as_it_was", ForgetsVersions, "the items that wait: found"),
    ("news_reaches_its_account_alone", TellsOne, "whom news of an account reaches: found"),
    ("news_leaves_with_its_commit", EmptiesTheInboxFirst, "what waits after a commit that failed: found"),
    ("a_late_worker_takes_no_news", ForgetsForAnybody, "forgetting under an older lease is not refused"),
    ("the_latest_mark_waits", KeepsTheFirstMark, "whether the number of mark 2 is higher"),
    ("too_much_news_becomes_marks", DropsWhatDoesNotFit, "what waits when it would be too much: found"),
    (
        "news_makes_due_at_once",
        LetsNewsWait,
        "whether that is due once the stream came to its end: found false",
    ),
    (
        "disconnecting_empties_the_inbox",
        KeepsTheInbox,
        "what waits for a connection that its user ended: found",
    ),
    ("news_outlives_the_process", DeliversToMemory, "the items that wait in the next process: found []"),
    ("an_authorization_comes_back_as_it_was", ForgetsTheConnection, "what was put: found"),
    ("an_authorization_is_taken_once", LeavesWhatWasTaken, "how many of 12 took it: found 12"),
    ("an_authorization_holds_for_ten_minutes", ForgetsAfterFive, "whether the authorization 0 is there"),
    ("no_authorization_is_readable", NamedByTheState, "whether the state stands in what was written"),
    ("a_window_is_spent_once", GrantsEverything, "the units that 16 workers got of 100: found 240"),
    ("counts_rise_to_the_providers_figure", DoesNotListen, "units left of 100 when 95 are used: found 10"),
    ("a_clock_set_back_finds_its_window", RemembersOneWindow, "units left of the later window: found 60"),
    ("a_pace_is_kept_by_all", GrantsAPaceToEach, "the units that 16 workers got of a burst of 2: found 16"),
    (
        "a_clock_set_back_does_not_stop_a_pace",
        BelievesAnyInstant,
        "the wait after the clock was set back: found",
    ),
    ("a_reserve_is_left_to_the_urgent", KnowsNoReserve, "the wait of whoever leaves a unit: found None"),
    ("a_gate_opens_no_earlier", KeepsTheLastGate, "until when it is closed after 1 minutes"),
    (
        "writers_at_once_lose_and_double_nothing",
        LosesWhileAnother,
        "the records after three wrote at once: found",
    ),
    ("one_of_many_claims_wins", LooksAndTakesLater, "holders after 12 claimed at once"),
    ("reopening_keeps_everything", ForgetsQuarantine, "reopening changed something"),
    ("the_feed_has_no_gap_under_writers", ShowsRowsLate, "changes that a reader who follows the feed missed"),
    ("a_changed_record_moves_to_the_head", LeavesChangesInPlace, "what is new in the feed after a change"),
    ("what_is_unchanged_enters_no_feed", NewNumbers, "the feed after nothing changed"),
    ("tombstones_enter_the_feed", NoDeletionsInTheFeed, "what is new in the feed after two deletions"),
    ("rollups_equal_a_recomputation", LeavesEmptyDays, "the rows after step"),
    ("a_rollup_is_count_sum_min_max_and_last", TakesTheLargestForTheLast, "the roll-ups of the distance"),
    ("changing_the_zone_rolls_again", NewZoneLater, "the day of \"moves\" in the new zone"),
    ("the_zone_at_commit_decides", BelievesTheDay, "the day of a batch made before the zone was changed"),
    ("an_interrupted_walk_ends_as_in_memory", LosesEveryThird, "of seed 0"),
];

macro_rules! one_test_each {
    ([] $($group:ident { $($case:ident: $about:literal, $double:literal;)* })*) => {
        $($(
            #[test]
            fn $case() {
                assert_fails_on_its_double(stringify!($case));
            }
        )*)*
    };
}
lifehub_testkit::for_each_store_case!(one_test_each;);

fn assert_fails_on_its_double(name: &str) {
    let case = CASES.iter().find(|case| case.name == name).expect("a case of the list");
    let (_, flaw, words) =
        DOUBLES.iter().find(|(case, ..)| *case == name).expect("every case has its double");
    match run(case, &double(*flaw)) {
        Ok(outcome) => panic!("{flaw:?} is not found: {outcome}\n  it is {}", case.double),
        Err(failure) => {
            let said = failure.to_string();
            assert!(said.contains(words), "{flaw:?} is found for another reason: {said}");
        }
    }
}

#[test]
fn every_case_has_one_double_and_every_double_one_case() {
    let cases: Vec<&str> = CASES.iter().map(|case| case.name).collect();
    let doubles: Vec<&str> = DOUBLES.iter().map(|(case, ..)| *case).collect();
    assert_eq!(doubles, cases);
    assert_eq!(cases.iter().collect::<BTreeSet<_>>().len(), cases.len(), "no name twice");
    let flaws: HashSet<String> = DOUBLES.iter().map(|(_, flaw, _)| format!("{flaw:?}")).collect();
    assert_eq!(flaws.len(), DOUBLES.len(), "no fault twice");
    for case in CASES {
        assert!(
            case.double.starts_with("A store ") && case.double.ends_with('.'),
            "{}: {}",
            case.name,
            case.double
        );
        assert!(case.about.ends_with('.'), "{}: {}", case.name, case.about);
    }
}

/// SQLite with a fault.
fn double(flaw: Flaw) -> Subject {
    let sound = Arc::new(in_sqlite());
    Subject::new("a double", move |clock| {
        let sound = sound.clone();
        async move { Ok(Broken::over(sound.open(clock).await?, flaw, false)) }
    })
}

/// A store with a fault, as people see it.
struct Broken {
    store: Arc<dyn StoreUnderTest>,
    flawed: Arc<Flawed>,
    is_reopened: bool,
    written: Mutex<Vec<u8>>,
    /// Numbers that were hidden once.
    hidden: Mutex<HashSet<u64>>,
    first_seq: Mutex<HashMap<String, u64>>,
    rollups: Mutex<BTreeMap<String, Rollup>>,
}

impl Broken {
    fn over(store: Arc<dyn StoreUnderTest>, flaw: Flaw, is_reopened: bool) -> Arc<dyn StoreUnderTest> {
        Arc::new(Self {
            flawed: Arc::new(Flawed::new(store.clone(), flaw, is_reopened)),
            store,
            is_reopened,
            written: Mutex::default(),
            hidden: Mutex::default(),
            first_seq: Mutex::default(),
            rollups: Mutex::default(),
        })
    }

    fn has(&self, flaw: Flaw) -> bool {
        self.flawed.flaw == flaw
    }
}

fn seq(record: &Value) -> u64 {
    record["seq"].as_u64().unwrap()
}

fn id(record: &Value) -> String {
    record["id"].as_str().unwrap().to_owned()
}

#[async_trait]
impl StoreUnderTest for Broken {
    fn storage(&self) -> Arc<dyn Storage> {
        self.flawed.clone()
    }

    fn schedule(&self) -> Option<Arc<dyn Schedule>> {
        Some(self.flawed.clone())
    }

    fn authorizations(&self) -> Option<Arc<dyn Authorizations>> {
        Some(self.flawed.clone())
    }

    async fn add_user(&self, zone: &Zone) -> Result<UserId> {
        self.store.add_user(zone).await
    }

    async fn add_connection(
        &self,
        user: UserId,
        provider: &str,
        account: &str,
        credentials: Credentials,
    ) -> Result<Connection> {
        if self.has(WritesCredentials) {
            self.written.lock().unwrap().extend_from_slice(&credentials.to_clear_bytes());
        }
        self.store.add_connection(user, provider, account, credentials).await
    }

    async fn records(&self, connection: &Connection) -> Result<Vec<Value>> {
        let mut records = self.store.records(connection).await?;
        for record in &mut records {
            if self.has(PublishesUtc) {
                for name in ["start", "end"] {
                    let at: Option<Timestamp> = record[name].as_str().map(|text| text.parse().unwrap());
                    record[name] = json!(at);
                }
            }
            if let Some(day) = self.flawed.memory().days.get(&id(record)) {
                record["day"] = json!(day);
            }
        }
        Ok(records)
    }

    async fn quarantine(&self, connection: &Connection) -> Result<Vec<Quarantined>> {
        if self.has(ForgetsQuarantine) && self.is_reopened {
            return Ok(Vec::new());
        }
        self.store.quarantine(connection).await
    }

    async fn remove_record(&self, user: UserId, record: RecordId) -> Result<()> {
        self.store.remove_record(user, record).await
    }

    async fn reopen(&self) -> Result<Option<Arc<dyn StoreUnderTest>>> {
        let reopened = self.store.reopen().await?;
        Ok(reopened.map(|store| Self::over(store, self.flawed.flaw, true)))
    }

    async fn pass_time(&self, by: Duration) -> Result<Option<()>> {
        self.flawed.memory().passed += by;
        self.store.pass_time(by).await
    }

    async fn disconnect(&self, connection: &Connection) -> Result<Option<()>> {
        if self.has(LeavesTheLease) {
            return Ok(Some(()));
        }
        self.store.disconnect(connection).await
    }

    async fn changes(&self, user: UserId, after: u64, limit: u32) -> Result<Option<Vec<Value>>> {
        let Some(mut page) = self.store.changes(user, after, limit).await? else { return Ok(None) };
        match self.flawed.flaw {
            ShowsRowsLate => {
                let mut hidden = self.hidden.lock().unwrap();
                page.retain(|record| !seq(record).is_multiple_of(7) || !hidden.insert(seq(record)));
            }
            NoDeletionsInTheFeed => page.retain(|record| record["deleted"] == false),
            NewNumbers => {
                let commits = self.flawed.memory().commits;
                page.iter_mut().for_each(|record| record["seq"] = json!(seq(record) + commits));
            }
            LeavesChangesInPlace => {
                page = self.store.changes(user, 0, 500).await?.unwrap_or_default();
                let mut first = self.first_seq.lock().unwrap();
                for record in &mut page {
                    let number = *first.entry(id(record)).or_insert(seq(record));
                    record["seq"] = json!(number);
                }
                page.sort_by_key(seq);
                page.retain(|record| seq(record) > after);
            }
            _ => {}
        }
        Ok(Some(page))
    }

    async fn rollups(&self, user: UserId) -> Result<Option<Vec<Rollup>>> {
        let Some(mut rows) = self.store.rollups(user).await? else { return Ok(None) };
        match self.flawed.flaw {
            TakesTheLargestForTheLast => rows.iter_mut().for_each(|row| row.last = row.max),
            LeavesEmptyDays => {
                let mut known = self.rollups.lock().unwrap();
                for row in rows {
                    let key = format!("{} {} {} {}", row.connection, row.metric, row.label, row.day);
                    known.insert(key, row);
                }
                rows = known.values().cloned().collect();
            }
            _ => {}
        }
        Ok(Some(rows))
    }

    async fn set_zone(&self, user: UserId, zone: &Zone) -> Result<Option<()>> {
        if self.has(NewZoneLater) {
            return Ok(Some(()));
        }
        self.store.set_zone(user, zone).await
    }

    async fn written(&self) -> Result<Option<Vec<u8>>> {
        let written = self.store.written().await?;
        Ok(written.map(|mut bytes| {
            bytes.extend_from_slice(&self.written.lock().unwrap());
            bytes.extend_from_slice(&self.flawed.memory().written);
            bytes
        }))
    }
}

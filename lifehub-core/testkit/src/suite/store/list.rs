//! The one list of cases: name, what it checks, the double that fails on it.

use super::StoreCase;
use super::{
    apart, authorizations, batches, bodies, concurrent, feed, inbox, leases, ledger, lookups, marks, quotas,
    records, rollups, schedule, vault, walk,
};
use crate::suite::Case;

/// Calls a macro with the list, after the arguments in brackets.
#[doc(hidden)]
#[macro_export]
macro_rules! for_each_store_case {
    ($then:path; $($arguments:tt)*) => {
        $then! { [$($arguments)*]
batches {
    all_of_a_batch_is_there:
        "Items, records, tombstones, quarantine, marks, state and ledger entry of one batch are there after its commit.",
        "A store that forgets the state of the partition.";
    a_batch_that_fails_changes_nothing:
        "A batch with an unknown, foreign or doubled row, or without the lease, is refused, and everything is as it was.",
        "A store that has written the first item when it finds the second impossible.";
    a_dropped_commit_is_whole_or_nothing:
        "Of a commit whose future was dropped, at whichever point, all is there or nothing ever is, and the next one comes through.",
        "A store that commits a batch in two halves.";
    any_number_of_items_fits_in_a_batch:
        "Batches of no item, one, two and five thousand, with their records and stamps, are stored whole.",
        "A store that takes the first thousand items of a batch.";
    a_state_comes_back_as_it_was:
        "Anchor, both scans, ends, generations and cursors of a partition come back to the last bit.",
        "A store that forgets the open full scan.";
    records_follow_their_item:
        "An item yields no record, one or many, which change, go and come on their own.",
        "A store that keeps the first record of an item.";
}
lookups {
    known_gives_exactly_what_is_asked_for:
        "Those of the ids that exist are known, live or gone, and no other item.",
        "A store that does not know what is gone.";
    a_sighting_comes_back_as_it_was:
        "Every member of an observation is kept, the highest versions and generations too, and replaced by the next.",
        "A store that keeps versions in 63 bits.";
    records_of_gives_exactly_those_of_the_items:
        "All records of the items are known, live, tombstones and removed ones, and none of other items.",
        "A store that does not know tombstones.";
    a_known_record_is_what_was_committed:
        "Digest, day and key of a record are those that were committed last.",
        "A store that keeps the first digest of a record.";
    an_id_may_be_any_text:
        "Ids of items, streams, partitions and records are told apart by every byte, and may be 10 kB long.",
        "A store that cuts ids at 255 bytes.";
}
bodies {
    bodies_are_stored_kept_and_dropped:
        "A body is stored byte by byte, replaced, kept, and gone once it is dropped.",
        "A store that keeps the body of what is gone.";
    quarantine_in_replaced_and_out:
        "An item enters quarantine, its reason is replaced, and it leaves when it is taken or gone.",
        "A store that lets nothing out of quarantine.";
    records_of_a_quarantined_item_stay:
        "The last good records of an item in quarantine stay as they are, and the item is known to be stale.",
        "A store that does not mark what is in quarantine.";
    raw_goes_page_by_page:
        "Stored items come in the order of their rows, in pages of any size, each once.",
        "A store that repeats the last item of a page.";
    raw_gives_the_latest_body:
        "Of each live item the latest body comes, the quarantined one first, and nothing of what is gone.",
        "A store that leaves out what is in quarantine.";
}
records {
    a_record_is_published_as_it_is:
        "Instants, spans, days, offsets, zones, keys and bodies are published as the record has them.",
        "A store that publishes every instant in UTC.";
    a_changed_record_keeps_its_id:
        "A changed record says something else under the same id, from that moment on; its neighbour stays.",
        "A store that never moves `changed_at`.";
    a_record_that_comes_back_keeps_its_id:
        "What went is a tombstone, and lives again under the same id when it comes back.",
        "A store that does not revive what was gone.";
    what_the_user_deleted_stays_deleted:
        "What its user deleted stays deleted through updates, deletions and returns.",
        "A store that takes a user's delete for a provider's.";
}
marks {
    seen_items_are_stamped:
        "What is seen gets the generation, is observed later but never earlier, and is held no more.",
        "A store that does not move the moment of observation.";
    count_is_strictly_inside_what_is_covered:
        "Live items strictly inside the coverage are counted, and those that an older generation saw last.",
        "A store that counts the borders of a span.";
    missing_lists_what_a_pass_did_not_see:
        "The missing items are listed, the held ones among them if asked, and no more than asked for.",
        "A store that lists everything where the held items were asked for.";
    a_held_sweep_marks_what_it_misses:
        "A held sweep marks exactly what it misses; a put, a stamp or a deletion takes the mark away.",
        "A store that marks nothing.";
}
apart {
    partitions_connections_and_users_are_apart:
        "The same ids in other partitions, streams, connections and users are not touched by what happens in one.",
        "A store that counts over all partitions of a stream.";
    partitions_are_those_with_a_state:
        "The partitions of a stream are those that were committed, of that connection and stream.",
        "A store that does not list the plain partition.";
}
leases {
    a_connection_is_held_by_one:
        "A second claim is told the first one's epoch; what was given back is free; another connection is untouched.",
        "A store that gives the lease to whoever asks.";
    epochs_only_rise:
        "Every claim has a higher epoch than the one before.",
        "A store that begins anew with each claim.";
    a_released_lease_is_over:
        "What was given back permits nothing, and giving it back late takes nothing from its successor.",
        "A store that frees a connection whoever gives it back.";
    fencing_of_a_late_write:
        "A late commit, ledger entry or renewal under an older epoch changes nothing that can be read.",
        "A store that does not look at the epoch of a commit.";
    an_expired_lease_is_never_renewed:
        "What has run out permits nothing, and is claimed anew under a higher epoch.",
        "A store that renews what has run out.";
    a_commit_renews_the_lease:
        "A commit keeps the lease alive as a renewal does.",
        "A store whose commits do not renew the lease.";
    disconnecting_fences:
        "Who syncs a connection while its user ends it can write nothing more.",
        "A store that leaves the lease to who had it.";
}
ledger {
    the_ledger_has_the_latest_run:
        "The latest run comes back whole, as it was written last.",
        "A store that keeps the first entry of a connection.";
    the_run_entry_is_of_the_same_transaction:
        "The ledger entry of a batch is there with the batch, and is not when the batch is not.",
        "A store that writes the ledger before the batch.";
    credentials_come_back:
        "Credentials come back as they were given, each connection's own.",
        "A store that forgets empty credentials.";
    no_credential_is_readable:
        "No credential stands in anything that the store wrote, or in a debug form.",
        "A store that writes credentials as they are.";
}
vault {
    a_revision_rises_with_each_writing:
        "The revision of credentials rises whenever others are written, and at no other time.",
        "A store that leaves the revision at one.";
    a_refresh_is_claimed_by_one:
        "While one holds the claim to renew credentials, others are told so; another connection is untouched.",
        "A store that gives the claim to whoever asks.";
    one_of_many_refreshes:
        "Of twelve who claim at once to renew credentials, one may.",
        "A store that looks whether a claim is free, and takes it later.";
    a_claim_of_another_revision_is_stale:
        "Who read other credentials than those that stand is sent to read again.",
        "A store that does not look at the revision of a claim.";
    saving_replaces_and_ends_the_claim:
        "A save takes the place of what was and makes it good, and the next may claim at once, under a higher epoch.",
        "A store that keeps the claim after a save.";
    a_late_save_writes_nothing:
        "Credentials that were made from older ones are not written; those made from what stands are, also without the claim.",
        "A store that writes whatever is saved last.";
    a_claim_given_back_is_free:
        "A claim that was given back is free and permits nothing; giving it back late takes nothing from its successor.",
        "A store that frees a claim whoever gives it back.";
    a_claim_permits_for_half_its_term:
        "In the second half of its term a claim permits nothing any more, and still keeps others away.",
        "A store that lets the holder send to the end of the term.";
    a_claim_that_ran_out_is_free:
        "A claim that ran out is free; what its holder got all the same is kept, unless others were faster.",
        "A store whose claims never run out.";
    a_refusal_is_news_once:
        "That a provider refuses credentials is told once, stands with its last moment, and ends with a success or a save.",
        "A store that tells of each refusal.";
    a_finding_of_older_credentials_is_dropped:
        "A refusal of credentials that were replaced meanwhile says nothing of the new ones.",
        "A store that does not look at the revision of a refusal.";
    an_ended_connection_is_not_renewed:
        "Who renews a connection while its user ends it writes nothing, and nobody begins to.",
        "A store that takes what comes late for a connection that was ended.";
    saved_credentials_outlive_the_process:
        "What was saved, and how it stands, is there in the next process; claims of the one that ended are free.",
        "A store that tells of a save before it is written.";
}
schedule {
    what_is_due_comes_by_its_age:
        "Connections that are due come by how long they have been, no more than asked for, with a lease that holds.",
        "A store that hands out first what became due last.";
    providers_take_turns:
        "Of several providers each comes in turn, first the one of which the fewest connections are in work.",
        "A store that hands out all of one provider before the next.";
    what_is_not_due_is_left:
        "What is not due, held, ended by its user or of another provider is not claimed.",
        "A store that claims for all providers.";
    what_is_due_is_claimed_once:
        "However many ask at once, each connection is claimed by one.",
        "A store that hands out again what it handed out last.";
    the_latest_run_says_when:
        "A connection is due when the earliest stream of its latest run is, whether a batch or the ledger brought it.",
        "A store that goes by the first run.";
    connecting_anew_is_due_at_once:
        "An account that was connected anew is due at once, with all its streams.",
        "A store that keeps the schedule of before.";
    the_next_moment_is_told:
        "The next moment at which something becomes due lies after now, and is the first of them.",
        "A store that names a moment that has passed.";
    what_was_left_is_due_again:
        "What a worker left behind is due again when its lease has run out, under a higher epoch.",
        "A store that leaves out for ever what was not given back.";
    idle_connections_are_found:
        "Connections whose credentials were last written before a moment are found, but for refused and ended ones.",
        "A store that keeps alive what is refused.";
}
inbox {
    news_comes_back_as_it_was:
        "Items, deletions and unreadable entries by webhook come back to the last bit, in their order and in parts.",
        "A store that forgets the versions of what arrives.";
    news_reaches_its_account_alone:
        "News reaches every connection to its account, and is kept for nobody else.",
        "A store that tells one connection of each account.";
    news_leaves_with_its_commit:
        "What a commit takes leaves the inbox with it, or stays if the commit fails; nothing else leaves.",
        "A store that empties the inbox before it commits.";
    a_late_worker_takes_no_news:
        "Who lost the lease takes nothing out of the inbox.",
        "A store that lets anybody forget.";
    the_latest_mark_waits:
        "One mark waits for a stream, the latest; its number is new, so that who knew an older one leaves it.",
        "A store that keeps the number of the first mark.";
    too_much_news_becomes_marks:
        "What would be too much for an inbox becomes a mark for each stream; none of them is lost.",
        "A store that drops what does not fit.";
    news_makes_due_at_once:
        "A connection with news is due at once while that waits, unless the stream failed.",
        "A store that lets news wait for the interval.";
    disconnecting_empties_the_inbox:
        "When its user ends a connection, its inbox goes, and nothing reaches it any more.",
        "A store that keeps the inbox of who ended the connection.";
    news_outlives_the_process:
        "What was delivered is there in the next process, and numbers go on.",
        "A store that delivers to memory.";
}
authorizations {
    an_authorization_comes_back_as_it_was:
        "A consent under way comes back whole, under its own state alone.",
        "A store that forgets which connection it is to renew.";
    an_authorization_is_taken_once:
        "Of twelve who come with one state at once, one finds something, and nobody after.",
        "A store that leaves what was taken.";
    an_authorization_holds_for_ten_minutes:
        "What is not older than ten minutes is there, whatever is begun meanwhile.",
        "A store that forgets after five minutes.";
    no_authorization_is_readable:
        "Neither a state nor what is kept under it stands in anything that the store wrote.",
        "A store that names what it keeps by the state.";
}
quotas {
    a_window_is_spent_once:
        "However many draw at once, together they get what the window holds; windows, quotas and scopes are apart.",
        "A store that grants what is asked for.";
    counts_rise_to_the_providers_figure:
        "A count rises to the provider's figure and never falls.",
        "A store that does not listen to the provider.";
    a_clock_set_back_finds_its_window:
        "A clock that is set back finds its window as it was left.",
        "A store that remembers the latest window alone.";
    a_pace_is_kept_by_all:
        "However many take at once, together they get the burst, then a unit for each step of the pace; quotas and scopes are apart.",
        "A store that grants each worker a pace of its own.";
    a_clock_set_back_does_not_stop_a_pace:
        "A clock that is set back by years does not stop a sliding quota for years.",
        "A store that believes an instant however far ahead it is.";
    a_reserve_is_left_to_the_urgent:
        "What a patient request leaves of a burst is there for an urgent one, and for it alone.",
        "A store that knows no reserve.";
    a_gate_opens_no_earlier:
        "A closed gate opens at the latest instant that was named, for its key alone.",
        "A store that keeps the instant that was named last.";
}
concurrent {
    writers_at_once_lose_and_double_nothing:
        "Three connections of two users commit at once: nothing is lost, nothing is there twice.",
        "A store that loses a commit while another is under way.";
    one_of_many_claims_wins:
        "Of twelve who claim at once, one gets the lease.",
        "A store that looks whether a lease is free, and takes it later.";
    reopening_keeps_everything:
        "A new process finds all that can be read as it was, quotas and gates too, and claims under a higher epoch.",
        "A store that forgets its quarantine with the process.";
}
feed {
    the_feed_has_no_gap_under_writers:
        "A reader who follows the feed while two connections write sees every change, by rising numbers.",
        "A store whose rows become visible out of order.";
    a_changed_record_moves_to_the_head:
        "A changed record stands at the head of the feed, and there alone.",
        "A store that leaves a changed record at its place.";
    what_is_unchanged_enters_no_feed:
        "A renewed body, a quarantine and a stamp enter no feed and move no `changed_at`.",
        "A store that gives new numbers with every commit.";
    tombstones_enter_the_feed:
        "What provider or user deletes enters the feed as a tombstone, once.",
        "A store that leaves deletions out of the feed.";
}
rollups {
    rollups_equal_a_recomputation:
        "After random batches, deletions and changes of zone, every row is what its day's records give.",
        "A store that leaves the row of a day that lost its last record.";
    a_rollup_is_count_sum_min_max_and_last:
        "A row has count, sum, smallest, largest and that of the latest record of its day.",
        "A store that takes the largest value for the last.";
    changing_the_zone_rolls_again:
        "A new zone moves what tells no offset to its new day and to the head of the feed, and nothing else.",
        "A store that lets a new zone count from the next commit on.";
    the_zone_at_commit_decides:
        "The user's zone at the commit decides the day, not that at which a batch was made.",
        "A store that believes the day in the batch.";
}
walk {
    an_interrupted_walk_ends_as_in_memory:
        "An engine that crashes at random calls over a living provider ends with what the store in memory has.",
        "A store that says of every third commit that it was done, and did not do it.";
}
        }
    };
}

macro_rules! constant {
    ([] $($group:ident { $($name:ident: $about:literal, $double:literal;)* })*) => {
        /// Every case.
        pub const CASES: &[StoreCase] = &[$($(Case {
            name: stringify!($name),
            about: $about,
            double: $double,
            run: |subject| Box::pin($group::$name(subject)),
        },)*)*];
    };
}
for_each_store_case!(constant;);

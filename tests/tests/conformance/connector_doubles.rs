//! Every case of the connector suite fails on its broken double, and for the right reason.

use std::sync::Arc;

use lifehub_testkit::suite::connector::{CASES, Subject};
use lifehub_testkit::suite::{Case, run};

use crate::flawed::{Flaw, Flawed, Misaddressed, Outside};

/// The double of each case, and what the case says of it.
fn double(case: &str) -> (Flaw, &'static str) {
    match case {
        "manifest_is_sane" => (Flaw::UnknownDataset, "which does not exist"),
        "fixtures_give_their_records" => (Flaw::Capitals, "item 1 of fixtures/entries.json gives"),
        "identify_tells_whose_account_it_is" => (Flaw::NumberedAccounts, "another id each time"),
        "first_sync_equals_the_truth" => (Flaw::LocalForUtc, "should give"),
        "sync_twice_changes_nothing" => (Flaw::TimeOfFetch, "wrote"),
        "every_cursor_resumes" => (Flaw::PageAhead, "runs of 1 pages do not end equal"),
        "crash_before_each_commit" => (Flaw::OnlyOnce, "after a crash at commit"),
        "crash_after_each_commit" => (Flaw::NewNameAgain, "after a crash at commit"),
        "new_item_is_found" => (Flaw::EndsWhereItEnded, "a new item was not inserted"),
        "late_edit_is_found" => (Flaw::NoLookback, "was not found"),
        "late_arrival_is_found" => (Flaw::HighWaterMark, "old on arrival was not found"),
        "deletion_is_found" => (Flaw::CoversNothing, "and nothing was deleted"),
        "ties_lose_nothing" => (Flaw::StrictlyAfter, "ties and"),
        "deletion_during_a_walk_deletes_nobody_else" => {
            (Flaw::OneWalkIsComplete, "which stayed, was deleted")
        }
        "brake_holds_and_releases" => (Flaw::OwnDeletions, "the sweep was not held"),
        "throttling_in_seconds_is_obeyed" => (Flaw::WaitsForNothing, "it came back at"),
        "throttling_by_date_is_obeyed" => (Flaw::NumbersOnly, "it came back at"),
        "server_errors_are_tried_again" => (Flaw::ErrorIsTheEnd, "nobody was told"),
        "truncated_answer_is_no_page" => (Flaw::PartIsTheWhole, "ShortBody at request"),
        "error_inside_200_is_no_page" => (Flaw::ListMayBeAbsent, "nobody was told"),
        "web_page_is_no_page" => (Flaw::PageIsTheEnd, "nobody was told"),
        "refused_credentials_stop_it" => (Flaw::RefusalIsTheEnd, "nobody was told"),
        "expired_cursor_falls_back" => (Flaw::CursorIsInternal, "the cursor cannot be read"),
        "repeated_page_ends_it" => (Flaw::Counter, "requests were sent"),
        "endless_pages_end_with_the_budget" => (Flaw::AllInOne, "that reading everything takes"),
        "item_without_id_is_kept" => (Flaw::LeavesOut, "0 items without an id are in quarantine"),
        "poison_blocks_nobody" => (Flaw::FailsWithTheFirst, "ended in an error"),
        "new_version_retries_quarantine" => (Flaw::NeedsTheFetch, "after the replay under a new version"),
        "replay_gives_equal_records" => (Flaw::CountsCalls, "changed records"),
        "older_observation_does_not_overwrite" => (Flaw::FallingVersions, "of the same item"),
        "foreign_link_is_refused" => (Flaw::OwnClient, "a next link led to another host, and it was sent"),
        "no_output_holds_a_secret" => (Flaw::AnswerInError, "holds a secret"),
        "empty_page_is_not_the_end" => (Flaw::EmptyIsTheEnd, "first sync with empty pages"),
        "consent_opens_the_account" => (Flaw::SecretMisplaced, "when the code was to be exchanged"),
        "missing_scope_stops_its_stream_alone" => (Flaw::ScopeIsCredentials, "told as unauthorized"),
        "two_years_are_complete" => (Flaw::OneYear, "should give"),
        _ => panic!("the case {case} has no broken double"),
    }
}

fn fails_on_its_double(case: &Case<Subject>) {
    let (flaw, expected) = double(case.name);
    if flaw == Flaw::SecretMisplaced {
        let fixtures =
            concat!(env!("CARGO_MANIFEST_DIR"), "/../lifehub-connectors/providers/strava/fixtures");
        let subject = Subject::new(Misaddressed::default, lifehub_strava::simulator::account, fixtures);
        fails(case, &subject, expected);
        return;
    }
    let outside = Arc::new(Outside::default());
    let fresh = outside.clone();
    let subject = Subject::new(
        move || Flawed::new(flaw, outside.clone()),
        move |setup| {
            fresh.clear();
            new_connector::simulator::account(setup)
        },
        concat!(env!("CARGO_MANIFEST_DIR"), "/../examples/new-connector/fixtures"),
    );
    fails(case, &subject, expected);
}

fn fails(case: &Case<Subject>, subject: &Subject, expected: &str) {
    match run(case, subject) {
        Ok(outcome) => panic!("{} on its double: {outcome}", case.name),
        Err(failure) => {
            let text = failure.to_string();
            assert!(text.contains(expected), "{} fails, but for another reason: {text}", case.name);
        }
    }
}

macro_rules! tests {
    ([] $($name:ident: $about:literal, $double:literal;)*) => {$(
        #[test]
        fn $name() {
            fails_on_its_double(CASES.iter().find(|case| case.name == stringify!($name)).unwrap());
        }
    )*};
}
lifehub_testkit::for_each_connector_case!(tests;);

#[test]
fn no_two_cases_share_a_double() {
    let mut flaws: Vec<String> = CASES.iter().map(|case| format!("{:?}", double(case.name).0)).collect();
    flaws.sort();
    flaws.dedup();
    assert_eq!(flaws.len(), CASES.len());
}

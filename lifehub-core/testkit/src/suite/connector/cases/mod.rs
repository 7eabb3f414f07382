//! The cases, by what they are about.

mod bound;
mod change;
mod consent;
mod poison;
mod resume;
mod secret;
mod shape;
mod wire;

pub(super) use bound::{endless_pages_end_with_the_budget, expired_cursor_falls_back, repeated_page_ends_it};
pub(super) use change::{
    brake_holds_and_releases, deletion_during_a_walk_deletes_nobody_else, deletion_is_found,
    late_arrival_is_found, late_edit_is_found, new_item_is_found, older_observation_does_not_overwrite,
    ties_lose_nothing,
};
pub(super) use consent::{consent_opens_the_account, missing_scope_stops_its_stream_alone};
pub(super) use poison::{
    item_without_id_is_kept, new_version_retries_quarantine, poison_blocks_nobody, replay_gives_equal_records,
};
pub(super) use resume::{
    crash_after_each_commit, crash_before_each_commit, every_cursor_resumes, first_sync_equals_the_truth,
    sync_twice_changes_nothing, two_years_are_complete,
};
pub(super) use secret::no_output_holds_a_secret;
pub(super) use shape::{fixtures_give_their_records, identify_tells_whose_account_it_is, manifest_is_sane};
pub(super) use wire::{
    empty_page_is_not_the_end, error_inside_200_is_no_page, foreign_link_is_refused,
    refused_credentials_stop_it, server_errors_are_tried_again, throttling_by_date_is_obeyed,
    throttling_in_seconds_is_obeyed, truncated_answer_is_no_page, web_page_is_no_page,
};

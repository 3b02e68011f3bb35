//! What every session store must do, written once and run against each.
//!
//! A store's test file says how to make a fresh one and calls
//! [`store_conformance!`](crate::store_conformance!):
//!
//! ```text
//! async fn make() -> MyFixture { ... }
//! patter_testkit::store_conformance!(make);
//! ```
//!
//! That makes one test of each function of the modules here. A promise that the documentation of
//! [`SessionStore`] adds gets a function here and a line in the macro.

use std::sync::Arc;

use async_trait::async_trait;
use patter_store::SessionStore;

pub mod archive;
pub mod batches;
pub mod claims;
pub mod duplicates;
pub mod leases;
pub mod log;
pub mod projection;
pub mod reading;
pub mod sample;
pub mod summaries;
pub mod sweeping;
pub mod writer;

/// A place for sessions that was empty when it was made and goes away when it is dropped.
#[async_trait]
pub trait StoreFixture: Send + Sync {
    /// Opens the store: again and again it is the same data.
    async fn open(&self) -> Arc<dyn SessionStore>;
}

/// Makes a `#[tokio::test]` of each promise. `$make` is an async function without arguments
/// that gives a fresh [`StoreFixture`](crate::store_conformance::StoreFixture).
#[macro_export]
macro_rules! store_conformance {
    ($make:path) => {
        $crate::store_conformance!(@tests $make;
            batches::a_batch_answers_each_entry_in_order
            batches::a_fenced_entry_does_not_touch_its_neighbours
            batches::an_entry_of_an_unknown_session_does_not_touch_its_neighbours
            batches::an_entry_that_cannot_be_stored_does_not_touch_its_neighbours
            batches::an_entry_is_stored_whole_or_not_at_all
            batches::an_empty_batch_and_an_empty_entry_are_fine
            claims::the_first_claim_makes_the_session
            claims::a_later_claim_keeps_what_is_there
            claims::a_claim_fences_out_the_owner_before
            claims::a_claim_that_cannot_be_stored_is_rejected
            duplicates::an_event_that_is_tried_twice_is_stored_once
            duplicates::a_message_is_stored_once_whatever_its_event_id
            duplicates::an_answer_is_stored_once_whatever_its_event_id
            duplicates::a_tool_result_is_stored_once_whatever_its_event_id
            duplicates::a_duplicate_within_one_append_is_found
            duplicates::the_same_message_id_in_two_sessions_is_two_messages
            duplicates::duplicates_leave_no_gaps
            duplicates::a_duplicate_changes_nothing
            leases::a_session_is_its_owners_while_the_lease_holds
            leases::the_same_owner_may_claim_again
            leases::a_lease_that_has_run_out_is_taken_over
            leases::a_renewal_tells_which_leases_are_lost
            leases::a_lease_that_has_run_out_can_be_renewed
            leases::many_leases_are_renewed_at_once
            leases::a_renewal_does_not_touch_what_readers_see
            leases::a_session_that_was_let_go_of_is_anybodys
            leases::the_end_gives_the_lease_back
            leases::renewals_and_appends_do_not_wait_for_each_other
            leases::of_several_that_claim_at_once_one_has_the_session
            log::events_are_numbered_from_one_without_gaps
            log::a_store_that_is_opened_again_has_everything
            log::every_kind_of_event_is_read_as_it_was_given
            log::every_text_is_read_as_it_was_given
            log::large_json_and_all_kinds_of_numbers_are_read_as_they_were_given
            log::what_is_private_is_kept_with_its_event
            log::a_text_that_looks_like_sql_is_only_text
            log::a_check_of_a_working_store_is_fine
            projection::the_row_of_a_new_session_is_active
            projection::the_end_sets_time_summary_and_metrics
            projection::a_session_is_reopened_by_its_start
            projection::a_late_summary_is_taken_over
            projection::an_end_without_a_summary_has_none
            projection::the_last_seq_follows_the_log
            reading::reading_begins_behind_the_place_that_is_given
            reading::reading_stops_at_the_limit
            reading::reading_can_be_bound_to_types
            reading::an_unknown_session_is_empty
            summaries::a_summary_is_due_where_it_is_missing
            summaries::the_tries_of_a_summary_are_counted_and_limited
            summaries::each_summary_goes_to_one_of_several_callers
            summaries::why_there_is_no_summary_is_shown_until_there_is_one
            summaries::a_session_that_is_opened_again_needs_no_summary
            summaries::who_claimed_and_was_lost_is_fenced_out_by_a_summary
            sweeping::each_session_goes_to_one_of_several_sweepers
            sweeping::a_lost_session_is_left_alone_until_it_has_lingered
            sweeping::a_released_session_is_swept_up_when_it_has_lingered
            sweeping::a_finalized_session_is_never_swept_up
            sweeping::a_claim_and_a_renewal_take_a_session_out_of_the_sweep
            writer::many_writers_leave_no_gaps
            writer::one_session_keeps_its_order
        );
    };
    (@tests $make:path; $($group:ident :: $name:ident)*) => {
        $(
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $name() {
                let fixture = $make().await;
                $crate::store_conformance::$group::$name(&fixture).await;
            }
        )*
    };
}

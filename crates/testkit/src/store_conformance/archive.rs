//! What every [`SessionArchive`] must do, in the manner of the suite for
//! [`SessionStore`]: [`archive_conformance!`](crate::archive_conformance!) makes one test of each
//! function of the modules here.

use std::sync::Arc;

use async_trait::async_trait;
use chrono::{DateTime, TimeDelta};
use patter_protocol::{DurableEvent, EventBody, JsonObject, SessionId, Timestamp};
use patter_store::{ImportedSession, NewEvent, SessionArchive, SessionStore};

pub mod creating;
pub mod deleting;
pub mod filtering;
pub mod importing;
pub mod listing;
pub mod metadata;
pub mod pruning;

/// A store with its archive.
pub trait ArchivedStore: SessionStore + SessionArchive {}

impl<S: SessionStore + SessionArchive> ArchivedStore for S {}

/// A place for sessions that was empty when it was made and goes away when it is dropped.
#[async_trait]
pub trait ArchiveFixture: Send + Sync {
    /// Opens the store: again and again it is the same data.
    async fn open_archive(&self) -> Arc<dyn ArchivedStore>;
}

/// Makes a `#[tokio::test]` of each promise. `$make` is an async function without arguments
/// that gives a fresh [`ArchiveFixture`](crate::store_conformance::archive::ArchiveFixture).
#[macro_export]
macro_rules! archive_conformance {
    ($make:path) => {
        $crate::archive_conformance!(@tests $make;
            creating::a_created_session_is_there_with_what_was_given
            creating::a_created_session_is_opened_by_the_first_claim
            creating::a_created_session_that_nobody_opens_is_never_swept_up
            creating::a_name_that_is_taken_is_refused_and_nothing_is_changed
            creating::of_several_that_create_at_once_one_makes_the_session
            creating::what_cannot_be_stored_is_not_created
            deleting::a_deleted_session_is_gone_with_its_events
            deleting::a_session_that_somebody_runs_is_not_deleted
            deleting::a_long_session_is_deleted_with_all_of_its_events
            deleting::a_deleted_session_can_be_made_anew
            deleting::a_session_that_there_is_not_is_not_deleted
            filtering::a_list_is_bound_to_a_user
            filtering::a_list_is_bound_to_what_is_active_or_not
            filtering::a_list_is_bound_to_a_time
            filtering::times_that_no_session_can_have_are_fine
            importing::an_imported_session_is_what_it_was
            importing::an_imported_session_is_opened_and_continued
            importing::an_import_under_a_name_that_is_taken_changes_nothing
            importing::a_log_that_is_not_whole_is_refused_whole
            importing::a_log_without_an_end_ends_with_its_last_event
            importing::a_late_summary_is_imported
            importing::a_long_log_is_imported_whole
            listing::the_newest_come_first
            listing::sessions_of_one_millisecond_are_listed_once_each
            listing::pages_meet_while_sessions_come_and_go
            metadata::a_patch_is_merged
            metadata::of_patches_made_at_once_each_counts
            metadata::the_metrics_stay_the_servers
            metadata::a_patch_and_an_end_at_once_both_count
            metadata::metadata_that_would_be_too_large_stays_as_it_was
            metadata::a_patch_that_cannot_be_stored_changes_nothing
            metadata::a_patch_of_no_session_is_none
            pruning::what_ended_before_is_pruned_with_its_events
            pruning::what_somebody_runs_or_is_to_be_swept_up_stays
            pruning::sessions_that_were_never_opened_are_pruned
            pruning::no_more_are_pruned_than_asked_for
            pruning::many_events_are_pruned_in_several_calls
            pruning::each_old_session_goes_to_one_of_several_pruners
        );
    };
    (@tests $make:path; $($group:ident :: $name:ident)*) => {
        mod archive_conformance {
            use super::*;

            $(
                #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                async fn $name() {
                    let fixture = $make().await;
                    $crate::store_conformance::archive::$group::$name(&fixture).await;
                }
            )*
        }
    };
}

/// So many milliseconds after some point of time in the past.
#[must_use]
pub fn moment(millis: i64) -> Timestamp {
    let start: DateTime<chrono::Utc> = "2026-01-01T00:00:00Z".parse().unwrap();
    (start + TimeDelta::milliseconds(millis)).into()
}

/// A session without user, metadata and log, first opened at some time.
#[must_use]
pub fn imported(session_id: SessionId, start_time: Timestamp) -> ImportedSession {
    ImportedSession {
        session_id,
        user_id: None,
        start_time,
        metadata: JsonObject::new(),
        events: Vec::new(),
    }
}

/// A log whose events are a second apart, from one point of time on.
pub fn log_from(
    start: Timestamp,
    bodies: impl IntoIterator<Item = EventBody>,
) -> Vec<DurableEvent> {
    (1..)
        .zip(bodies)
        .map(|(seq, body)| {
            let mut event = NewEvent::now(body).at_seq(seq);
            let passed = TimeDelta::seconds(i64::try_from(seq).unwrap());
            event.at = (start.as_datetime() + passed).into();
            event
        })
        .collect()
}

//! What every store must do that can be searched and counted, written once and run against each.
//!
//! A store's test file says how to make a fresh one and calls
//! [`insight_conformance!`](crate::insight_conformance!), which makes one test of each function of
//! the modules here.
//!
//! The language is `simple`, in which both stores know the same words. What they do not share: a
//! language with stems and words that are left out (Postgres alone), and how much better one hit is
//! than another.

use std::sync::Arc;

use async_trait::async_trait;
use patter_protocol::SessionId;
use patter_store::{Insight, SessionStore};

pub mod analytics;
mod corpus;
pub mod random;
pub mod search;
pub mod search_pages;

/// A place for sessions that was empty when it was made and goes away when it is dropped.
#[async_trait]
pub trait InsightFixture: Send + Sync {
    /// Opens the store, as what it is twice.
    async fn open_insight(&self) -> (Arc<dyn SessionStore>, Arc<dyn Insight>);

    /// Deletes a session, as whoever has the database in hand would.
    async fn delete(&self, session_id: &SessionId);
}

/// Makes a `#[tokio::test]` of each promise. `$make` is an async function without arguments
/// that gives a fresh [`InsightFixture`](crate::insight_conformance::InsightFixture).
#[macro_export]
macro_rules! insight_conformance {
    ($make:path) => {
        $crate::insight_conformance!(@tests $make;
            analytics::what_happened_is_counted_by_day_and_model
            analytics::without_groups_sessions_and_messages_count_by_themselves
            analytics::only_what_is_one_users_is_counted
            analytics::calls_of_tools_count_for_the_answer_they_are_in
            analytics::a_deleted_session_is_not_counted_any_more
            analytics::a_range_that_is_none_or_too_long_is_refused
            analytics::numbers_beyond_any_measure_do_not_keep_an_answer_from_being_stored
            random::figures_are_those_of_a_plain_count
            search::what_was_said_is_found_and_nothing_else
            search::the_syntax_is_that_of_a_web_search
            search::no_text_is_an_error
            search::words_are_found_whatever_stands_around_them
            search::words_of_any_script_are_found
            search::a_hit_tells_where_it_is_and_shows_the_words
            search::an_excerpt_of_a_long_text_is_short
            search::only_what_is_one_users_is_found
            search::a_deleted_session_is_not_found_any_more
            search_pages::the_best_come_first_and_then_the_newest
            search_pages::pages_neither_skip_nor_repeat_while_more_is_said
            search_pages::of_very_many_the_newest_are_found
        );
    };
    (@tests $make:path; $($group:ident :: $name:ident)*) => {
        $(
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $name() {
                let fixture = $make().await;
                $crate::insight_conformance::$group::$name(&fixture).await;
            }
        )*
    };
}

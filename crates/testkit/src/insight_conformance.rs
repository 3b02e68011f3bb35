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

use crate::store_conformance::archive::ArchiveFixture;

pub mod analytics;
pub mod analytics_limits;
mod corpus;
mod plain_count;
pub mod random;
pub mod search;
pub mod search_pages;
pub mod search_texts;
pub mod ways_in;

/// A place for sessions that was empty when it was made and goes away when it is dropped.
#[async_trait]
pub trait InsightFixture: ArchiveFixture {
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
            analytics_limits::a_range_that_is_none_or_too_long_is_refused
            analytics_limits::numbers_beyond_any_measure_do_not_keep_an_answer_from_being_stored
            random::figures_are_those_of_a_plain_count
            search::what_was_said_is_found_and_nothing_else
            search::the_syntax_is_that_of_a_web_search
            search_texts::no_text_is_an_error
            search_texts::words_are_found_whatever_stands_around_them
            search_texts::words_of_any_script_are_found
            search::a_hit_tells_where_it_is_and_shows_the_words
            search::an_excerpt_of_a_long_text_is_short
            search::only_what_is_one_users_is_found
            search::a_deleted_session_is_not_found_any_more
            search_pages::the_best_come_first_and_then_the_newest
            search_pages::pages_neither_skip_nor_repeat_while_more_is_said
            search_pages::of_very_many_the_newest_are_found
            ways_in::what_is_appended_is_found_and_counted_once
            ways_in::a_batch_of_several_sessions_is_found_and_counted_once
            ways_in::what_is_imported_is_found_and_counted
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

/// Rows of a session of `ada` that an older version wrote: a message, a tool that failed in an answer, and
/// the answer. For both databases, in SQL that both know: `{patter}` stands for the schema, `{now}` for the
/// time, `{uuid}` for a new UUID and `{json}` for the type.
#[must_use]
pub fn older_rows(schema: &str, now: &str, uuid: &str, json: &str) -> String {
    let event = |seq: u32, event_type: &str, content: &str, metadata: &str| {
        format!(
            "insert into {schema}session_events
                 (session_id, seq, event_id, event_type, content, metadata, created_at)
             values ('old', {seq}, {uuid}, '{event_type}', '{content}', '{metadata}'{json}, {now});"
        )
    };
    let answer = r#"{"response_id": "r", "message_id": "m", "provider": "p", "model": "old-model",
        "finish_reason": "stop", "usage": {"input_tokens": 7, "output_tokens": null}, "cost_usd": null,
        "timing": {"first_token_ms": null, "total_ms": 40}, "supersedes": null}"#;
    [
        format!(
            "insert into {schema}sessions (session_id, user_id, log_epoch, last_seq)
             values ('old', 'ada', {uuid}, 4);"
        ),
        event(1, "user_message", "an old marmot", r#"{"id": "m"}"#),
        event(
            2,
            "tool_call",
            "marmot",
            r#"{"response_id": "r", "call_id": "c"}"#,
        ),
        event(
            3,
            "tool_result",
            "marmot",
            r#"{"response_id": "r", "call_id": "c", "ok": false}"#,
        ),
        event(4, "ai_response", "it answers", answer),
    ]
    .join("\n")
}

/// That those rows are found and counted, once, and deleted with their session.
pub async fn check_older_rows(fixture: &dyn InsightFixture) {
    for _ in 0..2 {
        let (_, insight) = fixture.open_insight().await;
        assert_eq!(
            corpus::found(insight.as_ref(), "marmot").await,
            ["an old marmot"]
        );
        let rows = insight
            .analytics(analytics::by_model_around_now())
            .await
            .unwrap();
        let figures = rows.iter().map(|row| {
            (
                row.model.as_deref(),
                row.sessions,
                row.user_messages,
                row.answers,
                row.input_tokens,
                row.tool_calls,
                row.tool_failures,
            )
        });
        assert_eq!(
            figures.collect::<Vec<_>>(),
            [(Some("old-model"), 1, 1, 1, 7, 1, 1)]
        );
        let all = insight.analytics(analytics::around_now()).await.unwrap();
        assert_eq!(
            all.iter()
                .map(|row| (row.sessions, row.user_messages))
                .collect::<Vec<_>>(),
            [(1, 1)]
        );
    }
    let (_, insight) = fixture.open_insight().await;
    fixture.delete(&"old".parse().unwrap()).await;
    assert!(
        corpus::found(insight.as_ref(), "marmot or answers")
            .await
            .is_empty()
    );
    assert!(
        insight
            .analytics(analytics::around_now())
            .await
            .unwrap()
            .is_empty()
    );
}

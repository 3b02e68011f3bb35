//! What is counted.

use patter_protocol::{
    AiResponse, CallId, EventBody, FinishReason, ResponseId, Timestamp, Timing, ToolCall,
    ToolResult, Usage,
};
use patter_store::{AnalyticsGroups, AnalyticsQuery, AnalyticsRow, Bucket};
use serde_json::Value;

use super::InsightFixture;
use super::corpus::{happened, said, time};
use crate::store_conformance::sample::{answer, message, started, tool_result};

/// All of 2025 by day, by model.
pub(super) fn by_model() -> AnalyticsQuery {
    AnalyticsQuery {
        from: time("2025-01-01T00:00:00Z"),
        to: time("2026-01-01T00:00:00Z"),
        bucket: Some(Bucket::Day),
        group_by: AnalyticsGroups {
            model: true,
            ..AnalyticsGroups::default()
        },
        user_id: None,
    }
}

/// From the day before to the day after.
pub(super) fn around_now() -> AnalyticsQuery {
    let now = Timestamp::now().as_datetime();
    AnalyticsQuery {
        from: (now - chrono::TimeDelta::days(1)).into(),
        to: (now + chrono::TimeDelta::days(1)).into(),
        bucket: None,
        group_by: AnalyticsGroups::default(),
        user_id: None,
    }
}

/// The same, by model.
pub(super) fn by_model_around_now() -> AnalyticsQuery {
    AnalyticsQuery {
        group_by: by_model().group_by,
        ..around_now()
    }
}

pub(super) fn answered(model: &str, change: impl FnOnce(&mut AiResponse)) -> EventBody {
    let EventBody::AiResponse(mut answer) = answer(ResponseId::generate(), "b") else {
        panic!("an answer is none");
    };
    answer.model = model.to_owned();
    change(&mut answer);
    EventBody::AiResponse(answer)
}

/// Each figure.
#[expect(clippy::too_many_lines, reason = "a log that is told in order")]
pub async fn what_happened_is_counted_by_day_and_model(fixture: &dyn InsightFixture) {
    let (store, insight) = fixture.open_insight().await;
    let at = |text: &str, body| (time(text), body);
    let figures = |input, output, cost, first, total| {
        move |answer: &mut AiResponse| {
            answer.usage = Usage {
                input_tokens: Some(input),
                output_tokens: output,
                ..Usage::default()
            };
            answer.cost_usd = cost;
            answer.timing = Timing {
                first_token_ms: first,
                total_ms: total,
            };
        }
    };
    happened(
        store.as_ref(),
        None,
        [
            at("2025-03-01T23:59:58Z", started()),
            at("2025-03-01T23:59:58Z", message("a")),
            at(
                "2025-03-01T23:59:59.999Z",
                answered("m", figures(100, Some(10), Some(0.25), Some(300), 900)),
            ),
            at(
                "2025-03-02T00:00:00Z",
                answered("m", |answer| {
                    answer.supersedes = Some(ResponseId::generate());
                }),
            ),
            at(
                "2025-03-02T00:00:01Z",
                answered("n", |answer| answer.finish_reason = FinishReason::Error),
            ),
        ],
    )
    .await;
    happened(
        store.as_ref(),
        None,
        [at(
            "2025-03-01T10:00:00Z",
            answered("m", figures(7, None, None, None, 100)),
        )],
    )
    .await;
    let rows = insight.analytics(by_model()).await.unwrap();
    let expected = AnalyticsRow {
        start: time("2025-03-01T00:00:00Z"),
        provider: None,
        model: Some("m".to_owned()),
        route: None,
        sessions: 2,
        user_messages: 2,
        answers: 2,
        failed_answers: 0,
        input_tokens: 107,
        output_tokens: 10,
        cost_usd: Some(0.25),
        cost_unknown: 1,
        first_token_p50_ms: Some(300),
        first_token_p95_ms: Some(300),
        total_p50_ms: Some(100),
        total_p95_ms: Some(900),
        tool_calls: 0,
        tool_failures: 0,
    };
    assert_eq!(rows[0], expected);
    let rest: Vec<_> = rows[1..]
        .iter()
        .map(|row| {
            (
                row.model.as_deref().unwrap(),
                row.user_messages,
                row.answers,
                row.failed_answers,
            )
        })
        .collect();
    assert_eq!(rest, [("m", 0, 1, 0), ("n", 1, 1, 1)]);
    assert!(
        rows[1..]
            .iter()
            .all(|row| row.start == time("2025-03-02T00:00:00Z"))
    );
    assert_eq!(rows[1].cost_usd, None);
}

/// Also where there was no answer.
pub async fn without_groups_sessions_and_messages_count_by_themselves(
    fixture: &dyn InsightFixture,
) {
    let (store, insight) = fixture.open_insight().await;
    assert!(insight.analytics(around_now()).await.unwrap().is_empty());
    said(store.as_ref(), None, []).await;
    said(
        store.as_ref(),
        None,
        [message("a"), message("b"), answered("m", |_| {})],
    )
    .await;
    let rows = insight.analytics(around_now()).await.unwrap();
    assert_eq!(rows.len(), 1);
    assert_eq!(
        (rows[0].sessions, rows[0].user_messages, rows[0].answers),
        (2, 2, 1)
    );
}

/// Groups or not.
pub async fn only_what_is_one_users_is_counted(fixture: &dyn InsightFixture) {
    let (store, insight) = fixture.open_insight().await;
    for user in [None, Some("ada"), Some("ada"), Some("bob")] {
        said(store.as_ref(), user, [message("a"), answered("m", |_| {})]).await;
    }
    for group_by in [AnalyticsGroups::default(), by_model().group_by] {
        for (user, expected) in [
            (None, 4),
            (Some("ada"), 2),
            (Some("bob"), 1),
            (Some("eve"), 0),
        ] {
            let query = AnalyticsQuery {
                user_id: user.map(str::to_owned),
                group_by,
                ..around_now()
            };
            let rows = insight.analytics(query).await.unwrap();
            let sum = |figure: fn(&AnalyticsRow) -> u64| rows.iter().map(figure).sum::<u64>();
            let found = [
                sum(|row| row.sessions),
                sum(|row| row.user_messages),
                sum(|row| row.answers),
            ];
            assert_eq!(found, [expected; 3], "{user:?} {group_by:?}");
        }
    }
}

/// Before the answer is over, and after.
pub async fn calls_of_tools_count_for_the_answer_they_are_in(fixture: &dyn InsightFixture) {
    let (store, insight) = fixture.open_insight().await;
    let response_id = ResponseId::generate();
    let call = || {
        EventBody::ToolCall(ToolCall {
            response_id,
            call_id: CallId::generate(),
            name: "calculator".to_owned(),
            arguments: patter_protocol::JsonObject::new(),
            needs_approval: false,
        })
    };
    let result = |ok| {
        let EventBody::ToolResult(result) = tool_result(CallId::generate(), Value::Null) else {
            panic!("a result is none");
        };
        EventBody::ToolResult(ToolResult {
            response_id,
            ok,
            ..result
        })
    };
    let over = answered("m", |answer| answer.response_id = response_id);
    said(
        store.as_ref(),
        None,
        [
            call(),
            result(false),
            call(),
            result(true),
            answered("n", |_| {}),
            over,
            call(),
            result(false),
        ],
    )
    .await;
    let rows = insight.analytics(by_model_around_now()).await.unwrap();
    let calls: Vec<_> = rows
        .iter()
        .map(|row| (row.model.as_deref(), row.tool_calls, row.tool_failures))
        .collect();
    assert_eq!(calls, [(Some("m"), 3, 2), (Some("n"), 0, 0)]);
}

/// Its neighbours are.
pub async fn a_deleted_session_is_not_counted_any_more(fixture: &dyn InsightFixture) {
    let (store, insight) = fixture.open_insight().await;
    let gone = said(
        store.as_ref(),
        Some("ada"),
        [message("a"), answered("m", |_| {})],
    )
    .await;
    said(
        store.as_ref(),
        Some("ada"),
        [message("a"), answered("m", |_| {})],
    )
    .await;
    fixture.delete(&gone).await;
    let rows = insight.analytics(around_now()).await.unwrap();
    assert_eq!(
        (rows[0].sessions, rows[0].user_messages, rows[0].answers),
        (1, 1, 1)
    );
}

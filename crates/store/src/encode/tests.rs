//! Whatever an event holds, it is the same when it comes back.

use chrono::Utc;
use patter_protocol::{
    AiResponse, CallId, EndReason, EventBody, FinishReason, JsonObject, MessageId, Metrics, Part,
    ResponseId, SessionEnded, SessionStarted, SessionSummary, SummaryRange, Timing, ToolCall,
    ToolResult, Usage, UserMessage,
};
use proptest::prelude::*;
use serde_json::json;

use super::*;

fn text() -> impl Strategy<Value = String> {
    any::<String>().prop_map(|text| text.replace('\0', ""))
}

fn number() -> impl Strategy<Value = Value> {
    prop_oneof![
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        // Whole ones too: those are the ones that could come back as integers.
        (-1e30..1e30_f64).prop_map(|float| Value::from(float.trunc())),
        proptest::num::f64::NORMAL.prop_map(Value::from),
        proptest::num::f64::SUBNORMAL.prop_map(Value::from),
    ]
}

fn json_value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        number(),
        text().prop_map(Value::from)
    ];
    leaf.prop_recursive(4, 32, 6, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
            prop::collection::btree_map(text(), inner, 0..6)
                .prop_map(|fields| Value::Object(fields.into_iter().collect())),
        ]
    })
}

fn json_object() -> impl Strategy<Value = JsonObject> {
    prop::collection::btree_map(text(), json_value(), 0..5)
        .prop_map(|fields| fields.into_iter().collect())
}

fn message_id() -> impl Strategy<Value = MessageId> {
    "[^\0]{1,64}".prop_map(|id| MessageId::try_from(id).unwrap())
}

fn uuid() -> impl Strategy<Value = Uuid> {
    any::<u128>().prop_map(Uuid::from_u128)
}

fn answer() -> impl Strategy<Value = EventBody> {
    let parts = prop::collection::vec(
        prop_oneof![
            text().prop_map(|text| Part::Text { text }),
            uuid().prop_map(|id| Part::Call {
                call_id: CallId::from(id)
            }),
        ],
        0..4,
    );
    let cost = prop::option::of(proptest::num::f64::POSITIVE);
    (
        uuid(),
        message_id(),
        text(),
        parts,
        any::<(Option<u64>, u64)>(),
        cost,
        text(),
    )
        .prop_map(
            |(id, message_id, content, parts, (first_token_ms, total_ms), cost_usd, model)| {
                EventBody::AiResponse(AiResponse {
                    response_id: ResponseId::from(id),
                    message_id,
                    content,
                    parts,
                    finish_reason: FinishReason::Length,
                    model,
                    provider: "p".to_owned(),
                    route: None,
                    usage: Usage {
                        input_tokens: first_token_ms,
                        ..Usage::default()
                    },
                    cost_usd,
                    timing: Timing {
                        first_token_ms,
                        total_ms,
                    },
                    supersedes: first_token_ms.map(|_| ResponseId::from(id)),
                    superseded: first_token_ms.is_none(),
                })
            },
        )
}

fn tool_event() -> impl Strategy<Value = EventBody> {
    let ids = || (uuid(), uuid()).prop_map(|(one, two)| (ResponseId::from(one), CallId::from(two)));
    let call = (ids(), text(), json_object(), any::<bool>()).prop_map(
        |((response_id, call_id), name, arguments, needs_approval)| {
            EventBody::ToolCall(ToolCall {
                response_id,
                call_id,
                name,
                arguments,
                needs_approval,
            })
        },
    );
    let result = (ids(), text(), prop::option::of(json_value()), any::<u64>()).prop_map(
        |((response_id, call_id), name, content, duration_ms)| {
            EventBody::ToolResult(ToolResult {
                response_id,
                call_id,
                name,
                ok: content.is_some(),
                content,
                error: None,
                duration_ms,
            })
        },
    );
    prop_oneof![call, result]
}

fn session_event() -> impl Strategy<Value = EventBody> {
    let started = (prop::option::of(text()), json_object()).prop_map(|(user_id, metadata)| {
        EventBody::SessionStarted(SessionStarted { user_id, metadata })
    });
    let ended = (
        prop::option::of(text()),
        any::<u64>(),
        prop::option::of(0.0..1e20_f64),
    )
        .prop_map(|(summary, duration_ms, mean_first_token_ms)| {
            EventBody::SessionEnded(SessionEnded {
                reason: EndReason::Idle,
                summary,
                metrics: Metrics {
                    duration_ms,
                    mean_first_token_ms,
                    ..Metrics::default()
                },
            })
        });
    let summary = (text(), any::<(u64, u64)>()).prop_map(|(summary, (from_seq, to_seq))| {
        EventBody::SessionSummary(SessionSummary {
            summary,
            covers: SummaryRange { from_seq, to_seq },
        })
    });
    prop_oneof![started, ended, summary]
}

fn body() -> impl Strategy<Value = EventBody> {
    let message = (
        message_id(),
        text(),
        json_object(),
        prop::option::of(message_id()),
    )
        .prop_map(|(id, content, metadata, replaces)| {
            EventBody::UserMessage(UserMessage {
                id,
                content,
                metadata,
                replaces,
            })
        });
    prop_oneof![message, answer(), tool_event(), session_event()]
}

/// What a database that keeps its columns as they are gives back.
fn through_a_row(event: NewEvent) -> Result<StoredEvent, StoreError> {
    let encoded = encode_event(event)?;
    EventRow {
        seq: 7,
        event_id: encoded.event_id,
        event_type: encoded.event_type.to_owned(),
        content: encoded.content,
        metadata: encoded.metadata,
        private: encoded.private,
        at: encoded.at,
    }
    .decode()
}

proptest! {
    #[test]
    fn every_event_comes_back_as_it_was(body in body(), private in prop::option::of(json_value())) {
        let mut event = NewEvent::now(body);
        event.private = private.clone();
        let stored = through_a_row(event.clone()).unwrap();
        prop_assert_eq!(stored.private, private);
        prop_assert_eq!(stored.event, event.at_seq(7));
    }
}

fn message(content: &str) -> UserMessage {
    UserMessage {
        id: MessageId::generate(),
        content: content.to_owned(),
        metadata: JsonObject::new(),
        replaces: None,
    }
}

#[test]
fn content_is_what_a_person_would_read_and_stands_nowhere_else() {
    let encoded = encode_event(NewEvent::now(EventBody::UserMessage(message("hello")))).unwrap();
    assert_eq!(encoded.content, "hello");
    assert!(!encoded.metadata.contains("hello"), "{}", encoded.metadata);
    assert!(
        !encoded.metadata.contains("user_message"),
        "{}",
        encoded.metadata
    );
}

#[test]
fn a_long_tool_result_is_cut_in_content_alone() {
    let result = ToolResult {
        response_id: ResponseId::generate(),
        call_id: CallId::generate(),
        name: "data_fetcher".to_owned(),
        ok: true,
        content: Some(json!("é".repeat(5_000))),
        error: None,
        duration_ms: 1,
    };
    let encoded = encode_event(NewEvent::now(EventBody::ToolResult(result))).unwrap();
    assert!(encoded.content.starts_with("data_fetcher é"));
    assert!(encoded.content.len() <= 2_000);
    assert!(encoded.metadata.len() > 10_000);
}

#[test]
fn a_time_that_no_database_holds_is_refused() {
    let mut event = NewEvent::now(EventBody::UserMessage(message("a")));
    for time in [DateTime::<Utc>::MIN_UTC, DateTime::<Utc>::MAX_UTC] {
        event.at = time.into();
        let refused = encode_event(event.clone());
        assert!(
            matches!(refused, Err(StoreError::Rejected(_))),
            "{refused:?}"
        );
    }
}

#[test]
fn a_row_that_no_version_wrote_is_corrupt() {
    for (event_type, metadata) in [
        ("user_message", "{}"),
        ("user_message", "[]"),
        ("dance", "{}"),
        ("user_message", ""),
    ] {
        let row = EventRow {
            seq: 3,
            event_id: Uuid::nil(),
            event_type: event_type.to_owned(),
            content: "a".to_owned(),
            metadata: metadata.to_owned(),
            private: None,
            at: Utc::now(),
        };
        let read = row.decode();
        assert!(
            matches!(&read, Err(StoreError::Corrupt(why)) if why.contains("event 3")),
            "{read:?}"
        );
    }
}

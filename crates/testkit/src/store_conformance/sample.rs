//! Sessions and events with plausible content, and the calls that the suite makes again and again.

use std::time::Duration;

use patter_protocol::{
    AiResponse, CallId, EndReason, EventBody, FinishReason, MessageId, Metrics, Part, ResponseId,
    SessionEnded, SessionId, SessionStarted, SessionSummary, SummaryRange, Timing, ToolCall,
    ToolError, ToolErrorCode, ToolResult, Usage, UserMessage,
};
use patter_store::{
    Append, Appended, Claimed, EventQuery, Fence, Lease, NewEvent, NewSession, Owner, SessionStore,
    StoreError, StoredEvent,
};
use serde_json::{Value, json};

/// A session without user and metadata.
#[must_use]
pub fn session(session_id: &SessionId) -> NewSession {
    NewSession {
        session_id: session_id.clone(),
        user_id: None,
        metadata: patter_protocol::JsonObject::new(),
    }
}

/// A process whose leases outlast any test.
#[must_use]
pub fn owner(id: &str) -> Owner {
    Owner {
        id: id.to_owned(),
        lease: Duration::from_secs(600),
        linger: Duration::from_secs(600),
    }
}

/// The lease of a [`brief_owner`], and how long its sessions linger.
pub const LEASE: Duration = Duration::from_millis(600);
/// See [`LEASE`].
pub const LINGER: Duration = Duration::from_millis(400);

/// A process whose leases run out within a test.
#[must_use]
pub fn brief_owner(id: &str) -> Owner {
    Owner {
        id: id.to_owned(),
        lease: LEASE,
        linger: LINGER,
    }
}

/// The lease that comes with a claim.
#[must_use]
pub fn lease(claimed: &Claimed) -> Lease {
    Lease {
        session_id: claimed.record.session_id.clone(),
        fence: claimed.fence,
    }
}

/// A session that has just been claimed.
pub async fn claimed(store: &dyn SessionStore) -> (SessionId, Claimed) {
    let session_id = SessionId::generate();
    let new = session(&session_id);
    let claimed = store.claim(new, &owner("test")).await.unwrap();
    (session_id, claimed)
}

/// An append of events that happen now.
pub fn append(
    session_id: &SessionId,
    fence: Fence,
    bodies: impl IntoIterator<Item = EventBody>,
) -> Append {
    Append {
        session_id: session_id.clone(),
        fence,
        events: bodies.into_iter().map(NewEvent::now).collect(),
    }
}

/// Appends to one session.
///
/// # Errors
///
/// Those of the store.
pub async fn write(store: &dyn SessionStore, append: Append) -> Result<Vec<Appended>, StoreError> {
    let mut answers = store.append(vec![append]).await;
    assert_eq!(answers.len(), 1, "one answer for one entry");
    answers.remove(0)
}

/// The whole log of a session.
pub async fn log_of(store: &dyn SessionStore, session_id: &SessionId) -> Vec<StoredEvent> {
    let all = EventQuery {
        after: 0,
        limit: 100_000,
        types: Vec::new(),
    };
    store.events(session_id, all).await.unwrap()
}

/// The places in a log.
#[must_use]
pub fn places(log: &[StoredEvent]) -> Vec<u64> {
    log.iter().map(|stored| stored.event.seq).collect()
}

/// Answers that say that all was stored, from one place on.
#[must_use]
pub fn stored_from(first: u64, count: u64) -> Vec<Appended> {
    (first..first + count)
        .map(|seq| Appended::Stored { seq })
        .collect()
}

/// A start.
#[must_use]
pub fn started() -> EventBody {
    EventBody::SessionStarted(SessionStarted::default())
}

/// A message with an id of its own.
#[must_use]
pub fn message(content: &str) -> EventBody {
    message_with_id(MessageId::generate(), content)
}

/// A message with a given id.
#[must_use]
pub fn message_with_id(id: MessageId, content: &str) -> EventBody {
    EventBody::UserMessage(UserMessage {
        id,
        content: content.to_owned(),
        metadata: patter_protocol::JsonObject::new(),
        replaces: None,
    })
}

/// A finished answer.
#[must_use]
pub fn answer(response_id: ResponseId, content: &str) -> EventBody {
    EventBody::AiResponse(AiResponse {
        response_id,
        message_id: MessageId::generate(),
        content: content.to_owned(),
        parts: Vec::new(),
        finish_reason: FinishReason::Stop,
        model: "demo".to_owned(),
        provider: "demo".to_owned(),
        route: None,
        usage: Usage::default(),
        cost_usd: None,
        timing: Timing::default(),
        supersedes: None,
        superseded: false,
    })
}

/// A tool's result.
#[must_use]
pub fn tool_result(call_id: CallId, content: Value) -> EventBody {
    EventBody::ToolResult(ToolResult {
        response_id: ResponseId::generate(),
        call_id,
        name: "calculator".to_owned(),
        ok: true,
        content: Some(content),
        error: None,
        duration_ms: 3,
    })
}

/// An end.
#[must_use]
pub fn ended(summary: Option<&str>, metrics: Metrics) -> EventBody {
    EventBody::SessionEnded(SessionEnded {
        reason: EndReason::Client,
        summary: summary.map(str::to_owned),
        metrics,
    })
}

/// A summary that came after the end.
#[must_use]
pub fn summary(summary: &str) -> EventBody {
    EventBody::SessionSummary(SessionSummary {
        summary: summary.to_owned(),
        covers: SummaryRange {
            from_seq: 1,
            to_seq: 9,
        },
    })
}

/// Metrics in which no two numbers are the same.
#[must_use]
pub fn metrics() -> Metrics {
    Metrics {
        duration_ms: 61_000,
        user_messages: 2,
        ai_responses: 3,
        tool_calls: 5,
        tool_errors: 1,
        input_tokens: 1_234,
        output_tokens: 567,
        cost_usd: Some(0.1 + 0.2),
        mean_first_token_ms: Some(250.0),
    }
}

/// One event of each kind, with every field that can be there.
#[must_use]
pub fn every_kind() -> Vec<EventBody> {
    let object = |value: Value| value.as_object().unwrap().clone();
    let (response_id, call_id) = (ResponseId::generate(), CallId::generate());
    let failed = ToolResult {
        response_id,
        call_id: CallId::generate(),
        name: "data_fetcher".to_owned(),
        ok: false,
        content: None,
        error: Some(ToolError {
            code: ToolErrorCode::Timeout,
            message: "no answer within 5 s".to_owned(),
        }),
        duration_ms: 5_000,
    };
    vec![
        EventBody::SessionStarted(SessionStarted {
            user_id: Some("ada".to_owned()),
            metadata: object(json!({"client": "web", "nested": {"a": [1, null, true]}})),
        }),
        EventBody::UserMessage(UserMessage {
            id: MessageId::generate(),
            content: "2 + 2?".to_owned(),
            metadata: object(json!({"content": "not the message", "type": "trap", "summary": 1})),
            replaces: Some(MessageId::generate()),
        }),
        EventBody::ToolCall(ToolCall {
            response_id,
            call_id,
            name: "calculator".to_owned(),
            arguments: object(json!({"expression": "2 + 2"})),
            needs_approval: true,
        }),
        tool_result(call_id, json!({"value": 4})),
        // A result that is null is not the same as none.
        tool_result(CallId::generate(), Value::Null),
        EventBody::ToolResult(failed),
        EventBody::AiResponse(AiResponse {
            response_id,
            message_id: MessageId::generate(),
            content: "It is 4.".to_owned(),
            parts: vec![
                Part::Call { call_id },
                Part::Text {
                    text: "It is 4.".to_owned(),
                },
            ],
            finish_reason: FinishReason::ToolLimit,
            model: "some-model".to_owned(),
            provider: "some-provider".to_owned(),
            route: None,
            usage: Usage {
                input_tokens: Some(10),
                output_tokens: Some(20),
                cached_input_tokens: Some(0),
                reasoning_tokens: None,
            },
            cost_usd: Some(0.000_123_4),
            timing: Timing {
                first_token_ms: Some(120),
                total_ms: 900,
            },
            supersedes: Some(ResponseId::generate()),
            superseded: true,
        }),
        ended(None, Metrics::default()),
        ended(Some(""), metrics()),
        ended(Some("They added numbers."), metrics()),
        summary("They added two numbers."),
    ]
}

//! One message of every kind.
#![expect(
    clippy::unwrap_used,
    clippy::needless_pass_by_value,
    clippy::too_many_lines,
    unreachable_pub,
    reason = "test data; a bad literal is a failed test"
)]

use patter_protocol::*;
use serde_json::{Value, json};
use uuid::Uuid;

fn uuid(n: u128) -> Uuid {
    Uuid::from_u128(0x0190_0000_0000_7000_8000_0000_0000_0000 + n)
}

fn object(value: Value) -> JsonObject {
    value.as_object().unwrap().clone()
}

fn message_id(text: &str) -> MessageId {
    MessageId::try_from(text.to_owned()).unwrap()
}

pub fn client_messages() -> Vec<ClientMessage> {
    vec![
        ClientMessage::UserMessage(UserInput::text("Hello, \u{1F30D}")),
        ClientMessage::UserMessage(UserInput {
            content: "Again".into(),
            id: Some(message_id("m-2")),
            metadata: object(json!({"page": "/pricing"})),
            interrupt: true,
            replaces: Some(message_id("m-1")),
        }),
        ClientMessage::Cancel { response_id: None },
        ClientMessage::Cancel {
            response_id: Some(uuid(1).into()),
        },
        ClientMessage::Regenerate,
        ClientMessage::ToolApproval {
            call_id: uuid(2).into(),
            approve: true,
            reason: None,
        },
        ClientMessage::ToolApproval {
            call_id: uuid(2).into(),
            approve: false,
            reason: Some("too dear".into()),
        },
        ClientMessage::End,
        ClientMessage::AuthRefresh {
            token: "abc".to_owned().into(),
        },
        ClientMessage::Ping { nonce: None },
        ClientMessage::Ping {
            nonce: Some("7".into()),
        },
    ]
}

pub fn server_messages() -> Vec<ServerMessage> {
    let durable = durable_bodies().into_iter().zip(1..).map(|(body, seq)| {
        ServerMessage::Durable(DurableEvent {
            seq,
            event_id: uuid(100 + u128::from(seq)).into(),
            at: serde_json::from_value(json!("2026-11-21T09:30:00.120Z")).unwrap(),
            body,
        })
    });
    durable
        .chain(live_events().into_iter().map(ServerMessage::Live))
        .collect()
}

fn durable_bodies() -> Vec<EventBody> {
    let response_id = ResponseId::from(uuid(1));
    let call_id = CallId::from(uuid(2));
    let result = ToolResult {
        response_id,
        call_id,
        name: "calculator".into(),
        ok: true,
        content: Some(json!({"result": "36"})),
        error: None,
        duration_ms: 3,
    };
    let answer = AiResponse {
        response_id,
        message_id: message_id("m-1"),
        content: "It is 36.".into(),
        parts: vec![],
        finish_reason: FinishReason::Stop,
        model: "demo".into(),
        provider: "demo".into(),
        route: None,
        usage: Usage::default(),
        cost_usd: None,
        timing: Timing {
            first_token_ms: None,
            total_ms: 0,
        },
        supersedes: None,
        superseded: false,
    };
    vec![
        EventBody::SessionStarted(SessionStarted::default()),
        EventBody::UserMessage(UserMessage {
            id: message_id("m-1"),
            content: "What is 15% of 240?".into(),
            metadata: JsonObject::new(),
            replaces: None,
        }),
        EventBody::ToolCall(ToolCall {
            response_id,
            call_id,
            name: "calculator".into(),
            arguments: object(json!({"expression": "15% of 240"})),
            needs_approval: false,
        }),
        EventBody::ToolApproved(ToolApproved {
            response_id,
            call_id,
        }),
        EventBody::ToolResult(result.clone()),
        EventBody::ToolResult(ToolResult {
            content: Some(Value::Null),
            ..result.clone()
        }),
        EventBody::ToolResult(ToolResult {
            ok: false,
            content: None,
            error: Some(ToolError {
                code: ToolErrorCode::InvalidArguments,
                message: "`expression` is missing".into(),
            }),
            ..result
        }),
        EventBody::AiResponse(AiResponse {
            parts: vec![
                Part::Call { call_id },
                Part::Text {
                    text: "It is 36.".into(),
                },
            ],
            usage: Usage {
                input_tokens: Some(120),
                output_tokens: Some(9),
                cached_input_tokens: Some(0),
                reasoning_tokens: None,
            },
            cost_usd: Some(0.0001),
            timing: Timing {
                first_token_ms: Some(212),
                total_ms: 540,
            },
            supersedes: Some(uuid(9).into()),
            superseded: true,
            ..answer.clone()
        }),
        EventBody::AiResponse(answer),
        EventBody::SessionEnded(SessionEnded {
            reason: EndReason::Client,
            summary: Some("Arithmetic.".into()),
            metrics: Metrics {
                duration_ms: 61_000,
                user_messages: 1,
                ai_responses: 1,
                tool_calls: 1,
                tool_errors: 0,
                input_tokens: 120,
                output_tokens: 9,
                cost_usd: Some(0.0001),
                mean_first_token_ms: Some(212.0),
            },
        }),
        EventBody::SessionSummary(SessionSummary {
            summary: "Arithmetic.".into(),
            covers: SummaryRange {
                from_seq: 1,
                to_seq: 8,
            },
        }),
    ]
}

fn live_events() -> Vec<LiveEvent> {
    let response_id = ResponseId::from(uuid(1));
    let token = Token {
        response_id,
        index: 0,
        content: "It ".into(),
        count: None,
    };
    vec![
        LiveEvent::SessionReady(SessionReady {
            protocol: VERSION,
            session_id: "s-1".parse().unwrap(),
            epoch: uuid(3).into(),
            last_seq: 8,
            reset: false,
            reopened: false,
            model: "demo".into(),
            provider: "demo".into(),
            tools: vec!["calculator".into(), "data_fetcher".into()],
            limits: Limits {
                max_frame_bytes: 262_144,
                max_content_bytes: 32_768,
                max_metadata_bytes: 4_096,
                max_queued_messages: 8,
            },
        }),
        LiveEvent::Accepted(Accepted {
            id: message_id("m-1"),
            durability: Durability::Spooled,
        }),
        LiveEvent::ResponseStarted(ResponseStarted {
            response_id,
            message_id: message_id("m-1"),
            model: "demo".into(),
            provider: "demo".into(),
            route: None,
        }),
        LiveEvent::Token(token.clone()),
        LiveEvent::Token(Token {
            index: 4,
            count: Some(4),
            ..token
        }),
        LiveEvent::Reasoning(Reasoning {
            response_id,
            content: "15% is 0.15".into(),
        }),
        LiveEvent::ToolProgress(ToolProgress {
            response_id,
            call_id: CallId::from(uuid(3)),
            done: 1.0,
            total: Some(4.0),
            message: Some("reading".into()),
        }),
        LiveEvent::ResponseSnapshot(ResponseSnapshot {
            response_id,
            message_id: message_id("m-1"),
            index: -1,
            content: String::new(),
            parts: vec![],
        }),
        LiveEvent::ResponseFinished(ResponseFinished {
            response_id,
            finish_reason: FinishReason::Stop,
        }),
        LiveEvent::Error(ErrorEvent {
            code: ErrorCode::InvalidField,
            message: "`content` must not be empty".into(),
            retryable: false,
            message_id: None,
            response_id: None,
            details: object(json!({"field": "content"})),
        }),
        LiveEvent::Error(ErrorEvent {
            code: ErrorCode::ProviderTimeout,
            message: "the model was too slow".into(),
            retryable: true,
            message_id: Some(message_id("m-1")),
            response_id: Some(response_id),
            details: JsonObject::new(),
        }),
        LiveEvent::Notice(Notice {
            code: NoticeCode::DemoModel,
            message: "Answers come from the offline demo.".into(),
        }),
        LiveEvent::Pong(Pong {
            nonce: Some("7".into()),
        }),
    ]
}

//! What a log becomes in the eyes of the model.

use patter_llm::{AssistantPart, Message, ProviderData};
use patter_protocol::{
    AiResponse, CallId, EventBody, FinishReason, JsonObject, MessageId, Part, ResponseId, Timing,
    ToolCall, ToolResult, Usage, UserMessage,
};
use serde_json::{Value, json};

use super::*;

fn id(text: &str) -> MessageId {
    MessageId::try_from(text.to_owned()).unwrap()
}

fn said(name: &str, replaces: Option<&str>) -> EventBody {
    EventBody::UserMessage(UserMessage {
        id: id(name),
        content: format!("{name}?"),
        metadata: JsonObject::new(),
        replaces: replaces.map(id),
    })
}

fn called(response_id: ResponseId, call_id: CallId) -> EventBody {
    EventBody::ToolCall(ToolCall {
        response_id,
        call_id,
        name: "look".to_owned(),
        arguments: JsonObject::new(),
        needs_approval: false,
    })
}

fn ended(response_id: ResponseId, call_id: CallId, content: Value) -> EventBody {
    EventBody::ToolResult(ToolResult {
        response_id,
        call_id,
        name: "look".to_owned(),
        ok: true,
        content: Some(content),
        error: None,
        duration_ms: 1,
    })
}

fn answered(response_id: ResponseId, name: &str, text: &str, parts: Vec<Part>) -> EventBody {
    EventBody::AiResponse(AiResponse {
        response_id,
        message_id: id(name),
        content: text.to_owned(),
        parts,
        finish_reason: FinishReason::Stop,
        model: "m".to_owned(),
        provider: "p".to_owned(),
        usage: Usage::default(),
        cost_usd: None,
        timing: Timing::default(),
        supersedes: None,
    })
}

fn conversation(events: &[EventBody]) -> Conversation {
    let mut conversation = Conversation::default();
    for event in events {
        conversation.apply(event, None);
    }
    conversation
}

/// One line for each message.
fn lines(messages: &[Message]) -> Vec<String> {
    messages
        .iter()
        .map(|message| match message {
            Message::User(message) => format!("user {}", message.joined_text()),
            Message::Assistant(step) => {
                let parts = step.parts.iter().map(|part| match part {
                    AssistantPart::Text(text) => text.clone(),
                    AssistantPart::ToolCall(call) => format!("<{}>", call.name),
                });
                format!("model {}", parts.collect::<Vec<_>>().join("|"))
            }
            Message::ToolResults(results) => {
                let outcomes = results.iter().map(|result| match &result.outcome {
                    Ok(value) => value.to_string(),
                    Err(problem) => problem.clone(),
                });
                format!("tools {}", outcomes.collect::<Vec<_>>().join("|"))
            }
        })
        .collect()
}

#[test]
fn messages_come_in_the_order_in_which_they_were_answered() {
    let [a, c] = [ResponseId::generate(), ResponseId::generate()];
    let conversation = conversation(&[
        said("a", None),
        said("b", None),
        answered(a, "a", "A.", vec![]),
        said("c", None),
        answered(c, "c", "C.", vec![]),
    ]);
    assert_eq!(
        lines(&conversation.messages_for(&id("b"))),
        ["user a?", "model A.", "user c?", "model C.", "user b?"]
    );
    assert_eq!(conversation.unanswered(), [id("b")]);
}

#[test]
fn the_steps_of_an_answer_are_put_together_again() {
    let response = ResponseId::generate();
    let [a, b, c] = [CallId::generate(), CallId::generate(), CallId::generate()];
    let part = |call_id| Part::Call { call_id };
    let text = |text: &str| Part::Text {
        text: text.to_owned(),
    };
    let parts = vec![
        text("Let me see. "),
        part(a),
        part(b),
        part(c),
        text("Done."),
    ];
    let conversation = conversation(&[
        said("m", None),
        called(response, a),
        called(response, b),
        ended(response, b, json!("b")),
        ended(response, a, json!("a")),
        called(response, c),
        ended(response, c, json!("c")),
        answered(response, "m", "Let me see. Done.", parts),
        said("next", None),
    ]);
    assert_eq!(
        lines(&conversation.messages_for(&id("next"))),
        [
            "user m?",
            "model Let me see. |<look>|<look>",
            "tools \"a\"|\"b\"",
            "model <look>",
            "tools \"c\"",
            "model Done.",
            "user next?",
        ]
    );
}

#[test]
fn what_a_provider_wants_back_is_found_at_its_step() {
    let response = ResponseId::generate();
    let call = CallId::generate();
    let data = |n: u32| {
        Some(ProviderData {
            kind: "g".to_owned(),
            data: json!(n),
        })
    };
    let private = PrivateSteps {
        steps: vec![data(1), None],
    }
    .to_value();
    let mut conversation = conversation(&[
        said("m", None),
        called(response, call),
        ended(response, call, json!(1)),
    ]);
    let parts = vec![
        Part::Call { call_id: call },
        Part::Text {
            text: "Done.".to_owned(),
        },
    ];
    conversation.apply(&answered(response, "m", "Done.", parts), private.as_ref());
    conversation.apply(&said("next", None), None);
    let found: Vec<_> = conversation
        .messages_for(&id("next"))
        .into_iter()
        .filter_map(|message| match message {
            Message::Assistant(step) => Some(step.provider_data),
            _ => None,
        })
        .collect();
    assert_eq!(found, [data(1), None]);
}

#[test]
fn an_edited_message_and_its_answer_are_not_shown_any_more() {
    let response = ResponseId::generate();
    let conversation = conversation(&[
        said("a", None),
        answered(response, "a", "A.", vec![]),
        said("b", Some("a")),
    ]);
    assert_eq!(lines(&conversation.messages_for(&id("b"))), ["user b?"]);
}

#[test]
fn an_answer_that_was_given_again_takes_the_place_of_the_first() {
    let [first, second] = [ResponseId::generate(), ResponseId::generate()];
    let mut conversation = conversation(&[said("a", None), answered(first, "a", "First.", vec![])]);
    assert_eq!(lines(&conversation.messages_for(&id("a"))), ["user a?"]);
    assert_eq!(conversation.last_answer(), Some((&id("a"), first)));
    conversation.apply(&answered(second, "a", "Second.", vec![]), None);
    conversation.apply(&said("b", None), None);
    assert_eq!(
        lines(&conversation.messages_for(&id("b"))),
        ["user a?", "model Second.", "user b?"]
    );
}

#[test]
fn calls_that_nobody_ended_are_found() {
    let response = ResponseId::generate();
    let [a, b] = [CallId::generate(), CallId::generate()];
    let conversation = conversation(&[
        said("m", None),
        called(response, a),
        called(response, b),
        ended(response, a, json!(1)),
    ]);
    assert_eq!(
        conversation.open_calls(),
        [(response, b, "look".to_owned())]
    );
    assert_eq!(conversation.open_answer(), Some((response, vec![a, b])));
}

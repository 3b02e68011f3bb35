//! What a log becomes in the eyes of the model.

use patter_llm::{AssistantPart, Message, ProviderData, TokenCounter};
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
        route: None,
        usage: Usage::default(),
        cost_usd: None,
        timing: Timing::default(),
        supersedes: None,
        superseded: false,
    })
}

fn conversation(events: &[EventBody]) -> Conversation {
    let mut conversation = Conversation::default();
    for event in events {
        conversation.apply(event, None);
    }
    conversation
}

/// What a model is shown of all of it.
fn shown(conversation: &mut Conversation, message_id: &MessageId) -> Vec<Message> {
    conversation.recall(message_id, None).messages
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
    let mut conversation = conversation(&[
        said("a", None),
        said("b", None),
        answered(a, "a", "A.", vec![]),
        said("c", None),
        answered(c, "c", "C.", vec![]),
    ]);
    assert_eq!(
        lines(&shown(&mut conversation, &id("b"))),
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
    let mut conversation = conversation(&[
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
        lines(&shown(&mut conversation, &id("next"))),
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
    let found: Vec<_> = shown(&mut conversation, &id("next"))
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
    let mut conversation = conversation(&[
        said("a", None),
        answered(response, "a", "A.", vec![]),
        said("b", Some("a")),
    ]);
    assert_eq!(lines(&shown(&mut conversation, &id("b"))), ["user b?"]);
}

#[test]
fn an_answer_that_was_given_again_takes_the_place_of_the_first() {
    let [first, second] = [ResponseId::generate(), ResponseId::generate()];
    let mut conversation = conversation(&[said("a", None), answered(first, "a", "First.", vec![])]);
    assert_eq!(lines(&shown(&mut conversation, &id("a"))), ["user a?"]);
    assert_eq!(conversation.last_answer(), Some((&id("a"), first)));
    conversation.apply(&answered(second, "a", "Second.", vec![]), None);
    conversation.apply(&said("b", None), None);
    assert_eq!(
        lines(&shown(&mut conversation, &id("b"))),
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

/// Exchanges `m-0`, `m-1`, ... and a message `next`.
fn exchanges(count: usize) -> Conversation {
    let mut events = Vec::new();
    for n in 0..count {
        let name = format!("m-{n}");
        events.push(said(&name, None));
        events.push(answered(ResponseId::generate(), &name, "Yes.", vec![]));
    }
    events.push(said("next", None));
    conversation(&events)
}

/// Room for so many of these exchanges, and the message.
fn room_for(exchanges: u64) -> Room {
    let counter = TokenCounter::estimate().bytes();
    let message = counter.message(&Message::user("next?"));
    let exchange = [
        Message::user("m-0?"),
        Message::Assistant(patter_llm::AssistantMessage::text("Yes.")),
    ];
    Room {
        tokens: message + exchanges * counter.messages(&exchange),
        counter,
    }
}

/// Summarizes what does not fit, as a session does.
fn summarize(conversation: &mut Conversation, room: Room) -> Vec<String> {
    let mut overflow = conversation.overflow(room).unwrap();
    let lines = overflow.take_lines();
    conversation.summarized(&overflow, "S".to_owned());
    lines
}

#[test]
fn the_newest_exchanges_that_fit_are_shown_whole() {
    let mut conversation = exchanges(5);
    for (fit, first) in [(5, 0), (4, 1), (2, 3), (0, 5)] {
        let recall = conversation.recall(&id("next"), Some(room_for(fit)));
        assert_eq!(recall.messages.len(), 2 * (5 - first) + 1);
        assert_eq!(recall.outgrown, first > 0);
        assert_eq!(recall.summary, None);
    }
    assert!(conversation.fits(&id("next"), room_for(5)));
    assert!(!conversation.fits(&id("next"), room_for(4)));
}

#[test]
fn a_summary_takes_the_place_of_what_it_covers_and_is_extended() {
    let mut conversation = exchanges(5);
    let room = room_for(4);
    let recall = |conversation: &mut Conversation| {
        let recall = conversation.recall(&id("next"), Some(room));
        (recall.summary, lines(&recall.messages), recall.outgrown)
    };
    assert!(recall(&mut conversation).2);
    // Half of the room is for what comes.
    assert_eq!(summarize(&mut conversation, room).len(), 6);
    let (summary, shown, outgrown) = recall(&mut conversation);
    assert_eq!(summary.as_deref(), Some("S"));
    assert_eq!(
        shown,
        [
            "user m-3?",
            "model Yes.",
            "user m-4?",
            "model Yes.",
            "user next?"
        ]
    );
    assert!(!outgrown);

    for n in 5..8 {
        let name = format!("m-{n}");
        conversation.apply(&said(&name, None), None);
        conversation.apply(
            &answered(ResponseId::generate(), &name, "Yes.", vec![]),
            None,
        );
    }
    assert!(recall(&mut conversation).2);
    let lines = summarize(&mut conversation, room);
    assert_eq!(lines.first().unwrap(), "summary so far: S");
    assert_eq!(lines.get(1).unwrap(), "user: m-3?");
    // With more room than there is conversation, nobody needs the summary.
    let all = conversation.recall(&id("next"), Some(room_for(8)));
    assert_eq!((all.summary, all.messages.len()), (None, 17));
    assert_eq!(
        conversation.transcript().first().unwrap(),
        "summary so far: S"
    );
}

#[test]
fn a_summary_of_what_was_changed_is_not_used() {
    let room = room_for(1);
    let answer_again = |conversation: &mut Conversation| {
        let again = answered(ResponseId::generate(), "m-0", "No.", vec![]);
        conversation.apply(&again, None);
    };
    // Changed while the summary was in the making.
    let mut conversation = exchanges(3);
    let overflow = conversation.overflow(room).unwrap();
    answer_again(&mut conversation);
    conversation.summarized(&overflow, "S".to_owned());
    assert_eq!(conversation.recall(&id("next"), Some(room)).summary, None);
    // Changed afterwards, and while the answer is given again.
    summarize(&mut conversation, room);
    assert_eq!(conversation.recall(&id("m-0"), Some(room)).summary, None);
    assert!(
        conversation
            .recall(&id("next"), Some(room))
            .summary
            .is_some()
    );
    answer_again(&mut conversation);
    assert_eq!(conversation.recall(&id("next"), Some(room)).summary, None);
}

/// Says something of so many bytes, and answers it.
fn exchange_of(conversation: &mut Conversation, name: &str, bytes: u64) {
    let mut message = said(name, None);
    if let EventBody::UserMessage(message) = &mut message {
        message.content = "x".repeat(usize::try_from(bytes).unwrap());
    }
    conversation.apply(&message, None);
    let answer = answered(ResponseId::generate(), name, "Yes.", vec![]);
    conversation.apply(&answer, None);
}

#[test]
fn the_newest_exchange_is_summarized_only_where_it_does_not_fit_beside_a_summary() {
    let room = room_for(10);
    for (bytes, shown) in [(room.tokens * 11 / 20, 3), (room.tokens * 9 / 10, 1)] {
        let mut conversation = exchanges(8);
        exchange_of(&mut conversation, "large", bytes);
        assert!(conversation.recall(&id("next"), Some(room)).outgrown);
        summarize(&mut conversation, room);
        let recall = conversation.recall(&id("next"), Some(room));
        assert_eq!(recall.summary.as_deref(), Some("S"));
        assert_eq!(recall.messages.len(), shown);
    }
}

#[test]
fn a_message_that_fills_the_window_goes_alone_and_harms_nothing_that_was_said_before() {
    let room = room_for(4);
    let mut conversation = exchanges(6);
    summarize(&mut conversation, room);
    let mut message = said("huge", None);
    if let EventBody::UserMessage(message) = &mut message {
        message.content = "x".repeat(usize::try_from(room.tokens).unwrap());
    }
    conversation.apply(&message, None);
    let recall = conversation.recall(&id("huge"), Some(room));
    assert_eq!((recall.summary, recall.messages.len()), (None, 1));
    // What is left out for once is not summarized for that.
    assert!(conversation.overflow(room).is_none());
    let recall = conversation.recall(&id("next"), Some(room));
    assert_eq!(recall.summary.as_deref(), Some("S"));
    assert_eq!(recall.messages.len(), 5);
}

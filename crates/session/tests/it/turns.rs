//! How messages are answered.

use std::time::Duration;

use patter_llm::{FinishReason as ModelFinish, Message, ModelEvent};
use patter_protocol::{
    ClientMessage, ErrorCode, EventBody, FinishReason, LiveEvent, ServerMessage, UserInput,
};
use patter_session::{After, Receipt, Refusal, SessionSettings};
use patter_testkit::memory_store::MemoryStore;
use patter_testkit::scripted_model::{
    Gate, Reply, ScriptedModel, Step, call, finish, overloaded, text,
};
use serde_json::json;

use crate::support::{Client, manager, message, message_id, open, refused_with, say};

fn scripted(replies: impl IntoIterator<Item = Reply>) -> ScriptedModel {
    ScriptedModel::new(replies)
}

#[tokio::test(start_paused = true)]
async fn a_message_is_stored_answered_token_by_token_and_the_answer_stored() {
    let model = scripted([Reply::text(["Hel", "lo"])]);
    let sessions = manager(MemoryStore::default(), &model, SessionSettings::default());
    let session = open(&sessions, "s").await;
    let mut client = Client::attach(&session, After::Start).await;
    say(&session, "m-1", "Hi").await;
    let answer = client.until_answer().await;

    assert_eq!(answer.content, "Hello");
    assert_eq!(answer.finish_reason, FinishReason::Stop);
    assert_eq!(answer.message_id, message_id("m-1"));
    assert_eq!(answer.usage.input_tokens, Some(10));
    assert!(answer.parts.is_empty());
    assert_eq!(client.tokens(), "Hello");
    let mut types = client.types();
    // The message is on its way into the store while the model is asked: either may be first.
    types.retain(|it| it != "user_message");
    assert_eq!(
        types,
        [
            "session_ready",
            "session_started",
            "response_started",
            "token",
            "response_finished",
            "ai_response"
        ]
    );
    let seqs: Vec<u64> = client.durable().iter().map(|event| event.seq).collect();
    assert_eq!(seqs, [1, 2, 3]);
    let request = &model.requests()[0];
    assert_eq!(request.system.as_deref(), Some("You are a test."));
    assert_eq!(request.messages, [Message::user("Hi")]);
    assert_eq!(request.tools.len(), 3);
}

#[tokio::test(start_paused = true)]
async fn a_failed_answer_is_told_once_and_keeps_its_text() {
    let error = overloaded();
    let model = scripted([
        Reply::refused(error.clone()),
        Reply::of([text("Half"), Step::Fail(error)]),
        Reply::of([text("Cut")]),
        Reply::of([text("Panic"), Step::Panic]),
        Reply::text(["Whole."]),
    ]);
    let sessions = manager(MemoryStore::default(), &model, SessionSettings::default());
    let session = open(&sessions, "s").await;
    let mut client = Client::attach(&session, After::Start).await;
    for (id, content, code) in [
        ("m-1", "", ErrorCode::ProviderError),
        ("m-2", "Half", ErrorCode::ProviderError),
        ("m-3", "Cut", ErrorCode::ProviderError),
        ("m-4", "Panic", ErrorCode::Internal),
    ] {
        client.seen.clear();
        say(&session, id, "Hi").await;
        let answer = client.until_answer().await;
        assert_eq!(answer.content, content);
        assert_eq!(answer.finish_reason, FinishReason::Error);
        let errors: Vec<_> = client
            .seen
            .iter()
            .filter_map(|message| match message {
                ServerMessage::Live(LiveEvent::Error(error)) => Some(error.clone()),
                _ => None,
            })
            .collect();
        assert_eq!(errors.len(), 1);
        assert_eq!(errors[0].code, code);
        assert_eq!(errors[0].message_id, Some(message_id(id)));
    }
    say(&session, "m-5", "Hi").await;
    assert_eq!(client.until_answer().await.content, "Whole.");
}

#[tokio::test(start_paused = true)]
async fn a_model_that_hangs_meets_the_deadline_of_the_turn() {
    let model = scripted([Reply::of([text("Well,"), Step::Hang])]);
    let sessions = manager(MemoryStore::default(), &model, SessionSettings::default());
    let session = open(&sessions, "s").await;
    let mut client = Client::attach(&session, After::Start).await;
    say(&session, "m-1", "Hi").await;
    let answer = client.until_answer().await;
    assert_eq!(answer.content, "Well,");
    assert_eq!(answer.finish_reason, FinishReason::Error);
    assert_eq!(answer.timing.total_ms, 300_000);
    assert_eq!(model.broken_off(), 1);
}

#[tokio::test(start_paused = true)]
async fn messages_wait_their_turn_and_too_many_are_refused() {
    let gate = Gate::default();
    let first = Reply::of([
        text("1"),
        Step::Wait(gate.clone()),
        finish(ModelFinish::Stop),
    ]);
    let model = scripted([first, Reply::text(["2"]), Reply::text(["3"])]);
    let mut settings = SessionSettings::default();
    settings.max_queued_messages = 2;
    let sessions = manager(MemoryStore::default(), &model, settings);
    let session = open(&sessions, "s").await;
    let mut client = Client::attach(&session, After::Start).await;
    for id in ["m-1", "m-2", "m-3"] {
        say(&session, id, id).await;
    }
    let fourth = ClientMessage::UserMessage(message("m-4", "no"));
    let Err(Refusal::Refused(refused)) = session.submit(fourth).await else {
        panic!()
    };
    assert_eq!(refused.code, ErrorCode::Busy);
    assert_eq!(refused.message_id, Some(message_id("m-4")));
    gate.open();
    for (id, content) in [("m-1", "1"), ("m-2", "2"), ("m-3", "3")] {
        let answer = client.until_answer().await;
        assert_eq!(
            (answer.message_id, answer.content.as_str()),
            (message_id(id), content)
        );
    }
}

#[tokio::test(start_paused = true)]
async fn a_message_that_interrupts_is_answered_next() {
    let model = scripted([
        Reply::of([text("1"), Step::Hang]),
        Reply::text(["urgent"]),
        Reply::text(["2"]),
    ]);
    let sessions = manager(MemoryStore::default(), &model, SessionSettings::default());
    let session = open(&sessions, "s").await;
    let mut client = Client::attach(&session, After::Start).await;
    say(&session, "m-1", "a").await;
    client.until_token("1").await;
    say(&session, "m-2", "b").await;
    let urgent = UserInput {
        interrupt: true,
        ..message("m-3", "c")
    };
    session
        .submit(ClientMessage::UserMessage(urgent))
        .await
        .unwrap();
    let mut ends = Vec::new();
    for _ in 0..3 {
        let answer = client.until_answer().await;
        ends.push((answer.message_id.to_string(), answer.finish_reason));
    }
    assert_eq!(
        ends,
        [
            ("m-1".to_owned(), FinishReason::Cancelled),
            ("m-3".to_owned(), FinishReason::Stop),
            ("m-2".to_owned(), FinishReason::Stop),
        ]
    );
}

/// Input 80.
#[tokio::test(start_paused = true)]
async fn a_repeated_message_is_answered_once_and_its_sender_gets_the_stored_event() {
    let model = scripted([Reply::text(["Once."])]);
    let sessions = manager(MemoryStore::default(), &model, SessionSettings::default());
    let session = open(&sessions, "s").await;
    let mut client = Client::attach(&session, After::Start).await;
    say(&session, "m-1", "Hi").await;
    client.until_answer().await;
    let again = ClientMessage::UserMessage(message("m-1", "something else"));
    let Ok(Receipt::Repeated(frame)) = session.submit(again).await else {
        panic!()
    };
    let ServerMessage::Durable(event) = frame.message().unwrap() else {
        panic!()
    };
    assert_eq!(event.seq, 2);
    let EventBody::UserMessage(stored) = event.body else {
        panic!()
    };
    assert_eq!(stored.content, "Hi");
    assert_eq!(model.requests().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn an_answer_is_given_again_in_place_of_the_first() {
    let model = scripted([Reply::text(["First."]), Reply::text(["Second."])]);
    let sessions = manager(MemoryStore::default(), &model, SessionSettings::default());
    let session = open(&sessions, "s").await;
    let mut client = Client::attach(&session, After::Start).await;
    let again = session.submit(ClientMessage::Regenerate).await;
    assert_eq!(refused_with(again), ErrorCode::NothingToRegenerate);
    say(&session, "m-1", "Hi").await;
    let first = client.until_answer().await;
    session.submit(ClientMessage::Regenerate).await.unwrap();
    let second = client.until_answer().await;
    assert_eq!(second.supersedes, Some(first.response_id));
    assert_eq!(second.message_id, first.message_id);
    assert_eq!(model.requests()[1].messages, [Message::user("Hi")]);
}

#[tokio::test(start_paused = true)]
async fn an_edit_takes_the_place_of_the_last_message_only() {
    let model = scripted([
        Reply::text(["A"]),
        Reply::of([text("B"), Step::Hang]),
        Reply::text(["C"]),
    ]);
    let sessions = manager(MemoryStore::default(), &model, SessionSettings::default());
    let session = open(&sessions, "s").await;
    let mut client = Client::attach(&session, After::Start).await;
    let edit = |id: &str, replaces: &str| {
        let replaces = Some(message_id(replaces));
        ClientMessage::UserMessage(UserInput {
            replaces,
            ..message(id, id)
        })
    };
    say(&session, "m-1", "m-1").await;
    client.until_answer().await;
    session.submit(edit("m-2", "m-1")).await.unwrap();
    client.until_token("B").await;
    assert_eq!(
        refused_with(session.submit(edit("m-3", "m-1")).await),
        ErrorCode::InvalidField
    );
    // The answer to the edited message is in flight: it is stopped.
    session.submit(edit("m-3", "m-2")).await.unwrap();
    assert_eq!(
        client.until_answer().await.finish_reason,
        FinishReason::Cancelled
    );
    assert_eq!(client.until_answer().await.content, "C");
    assert_eq!(model.requests()[2].messages, [Message::user("m-3")]);
}

#[tokio::test(start_paused = true)]
async fn nul_never_reaches_a_client_or_the_log() {
    let model = scripted([
        Reply::calls([call("x", "fail\0", json!({"a\0": "\0"}))]),
        Reply::of([
            Step::Say(ModelEvent::Reasoning("\0".to_owned())),
            text("a\0b"),
            finish(ModelFinish::Stop),
        ]),
    ]);
    let sessions = manager(MemoryStore::default(), &model, SessionSettings::default());
    let session = open(&sessions, "s").await;
    let mut client = Client::attach(&session, After::Start).await;
    say(&session, "m-1", "Hi").await;
    assert_eq!(client.until_answer().await.content, "a\u{FFFD}b");
    for message in &client.seen {
        assert!(!message.to_json().contains("\\u0000"), "{message:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn an_answer_goes_on_when_nobody_listens() {
    let pause = || Step::Pause(Duration::from_secs(20));
    let model = scripted([
        Reply::of([text("a"), pause(), text("b"), pause(), text("c")])
            .then(finish(ModelFinish::Stop)),
    ]);
    let mut settings = SessionSettings::default();
    settings.linger = Duration::from_secs(5);
    let store = MemoryStore::default();
    let sessions = manager(store.clone(), &model, settings);
    let session = open(&sessions, "s").await;
    let mut client = Client::attach(&session, After::Start).await;
    say(&session, "m-1", "Hi").await;
    client.until_token("a").await;
    drop(client);
    // Longer than the linger, and the session waits for its answer all the same.
    tokio::time::sleep(Duration::from_secs(60)).await;
    let mut later = Client::attach(&open(&sessions, "s").await, After::Start).await;
    assert_eq!(later.until_answer().await.content, "abc");
    assert_eq!(model.broken_off(), 0);
}

//! Cancelling stops an answer wherever it stands, and the log says so.

use std::time::Duration;

use patter_llm::{
    Classifier, ClassifierSettings, Conditions, FinishReason as ModelFinish, ModelEvent, Route,
    Router,
};
use patter_protocol::{ClientMessage, ErrorCode, EventBody, FinishReason, ToolErrorCode};
use patter_session::{Plan, Receipt, SessionHandle, SessionManager};
use patter_testkit::failing_store::Failure;
use patter_testkit::scripted_model::{Gate, Reply, ScriptedModel, Step, call, finish, text};
use serde_json::json;
use tokio::time::Instant;

use crate::support::bench::{Bench, note};
use crate::support::{Client, log_of, message_id, refused_with, say};

const CANCEL: ClientMessage = ClientMessage::Cancel { response_id: None };

/// Cancels the answer to `m-1`, which says `content` so far, and that alone; then another message is
/// answered.
async fn cancel(bench: &Bench, session: &SessionHandle, client: &mut Client, content: &str) {
    let begun = Instant::now();
    assert_eq!(session.submit(CANCEL).await, Ok(Receipt::Taken));
    client.until_finished().await;
    assert!(begun.elapsed() < Duration::from_millis(500));
    assert_eq!(
        refused_with(session.submit(CANCEL).await),
        ErrorCode::NothingToCancel
    );
    bench.store.set(Failure::None);
    let answer = client.until_answer().await;
    assert_eq!(
        (answer.content.as_str(), answer.finish_reason),
        (content, FinishReason::Cancelled)
    );
    assert_eq!(answer.message_id, message_id("m-1"));
    bench.model.push(Reply::text(["Next."]));
    say(session, "m-2", "Hi").await;
    assert_eq!(client.until_answer().await.content, "Next.");
    let log = bench.settled().await;
    let has_answer = |it: &EventBody| matches!(it, EventBody::AiResponse(it) if *it == answer);
    assert!(log.iter().any(has_answer));
    assert_eq!(client.tokens(), "Next.");
}

#[tokio::test(start_paused = true)]
async fn cancel_works_while_a_route_is_chosen() {
    let bench = Bench::new([]);
    let classifier = ScriptedModel::new([Reply::of([Step::Pause(Duration::from_millis(900))])]);
    let settings = ClassifierSettings {
        labels: [("hard".to_owned(), "needs thought".to_owned())]
            .into_iter()
            .collect(),
        timeout_ms: 1_000,
        ..ClassifierSettings::default()
    };
    let route = Route {
        name: "hard".to_owned(),
        when: Conditions {
            class: vec!["hard".to_owned()],
            ..Conditions::default()
        },
        then: Plan::default(),
    };
    let classifier_used = Some(Classifier::new(classifier.clone(), settings));
    let sessions = SessionManager::builder(bench.memory.clone(), bench.model.clone())
        .routes(Router::new(vec![route], classifier_used).unwrap())
        .start();
    let (session, mut client) = bench.join(&sessions).await;
    say(&session, "m-1", "Hi").await;
    client.read_for(Duration::from_millis(100)).await;
    assert_eq!(session.submit(CANCEL).await, Ok(Receipt::Taken));
    let answer = client.until_answer().await;
    assert_eq!(answer.finish_reason, FinishReason::Cancelled);
    assert_eq!(classifier.broken_off(), 1);
    assert_eq!(bench.model.requests().len(), 0);
    assert_eq!(log_of(&bench.memory).await.len(), 3);
}

/// A client of a session in which `m-1` was said just now.
async fn asked(bench: &Bench, reply: Reply) -> (SessionHandle, Client) {
    bench.model.push(reply);
    let sessions = bench.manager();
    let (session, mut client) = bench.join(&sessions).await;
    say(&session, "m-1", "Hi").await;
    client.read_for(Duration::from_millis(100)).await;
    (session, client)
}

#[tokio::test(start_paused = true)]
async fn cancel_works_before_anything_happened() {
    let bench = Bench::new([Reply::of([Step::Hang])]);
    let sessions = bench.manager();
    let (session, mut client) = bench.join(&sessions).await;
    assert_eq!(
        refused_with(session.submit(CANCEL).await),
        ErrorCode::NothingToCancel
    );
    say(&session, "m-1", "Hi").await;
    cancel(&bench, &session, &mut client, "").await;
}

#[tokio::test(start_paused = true)]
async fn cancel_works_while_the_model_does_not_accept_the_request() {
    let bench = Bench::new([]);
    let waits = Reply::of([Step::Wait(Gate::default()), text("never")]);
    let (session, mut client) = asked(&bench, waits).await;
    cancel(&bench, &session, &mut client, "").await;
    assert_eq!(bench.model.broken_off(), 1);
}

#[tokio::test(start_paused = true)]
async fn cancel_works_before_the_first_token() {
    let bench = Bench::new([]);
    let (session, mut client) = asked(&bench, Reply::of([Step::Hang])).await;
    cancel(&bench, &session, &mut client, "").await;
    assert_eq!(bench.model.broken_off(), 1);
}

#[tokio::test(start_paused = true)]
async fn cancel_keeps_what_was_said() {
    let bench = Bench::new([]);
    let says = Reply::of([text("One "), text("two "), Step::Hang]);
    let (session, mut client) = asked(&bench, says).await;
    cancel(&bench, &session, &mut client, "One two ").await;
    assert_eq!(bench.model.broken_off(), 1);
}

#[tokio::test(start_paused = true)]
async fn cancel_works_while_calls_are_not_safe_yet() {
    let bench = Bench::new([]);
    let gate = Gate::default();
    let calls = Reply::of([
        text("a"),
        Step::Wait(gate.clone()),
        Step::Say(ModelEvent::ToolCall(call(
            "x",
            "note",
            json!({"millis": 1}),
        ))),
        finish(ModelFinish::ToolCalls),
    ]);
    let (session, mut client) = asked(&bench, calls).await;
    bench.store.set(Failure::Hang);
    gate.open();
    client.read_for(Duration::from_millis(100)).await;
    cancel(&bench, &session, &mut client, "a").await;
    assert_eq!(bench.runs(), 0);
}

#[tokio::test(start_paused = true)]
async fn cancel_works_while_tools_run() {
    let bench = Bench::new([]);
    let (session, mut client) = asked(&bench, note(20_000)).await;
    assert_eq!((bench.runs(), client.count("tool_result")), (1, 0));
    cancel(&bench, &session, &mut client, "").await;
    let outcome = client
        .durable()
        .into_iter()
        .find_map(|event| match event.body {
            EventBody::ToolResult(result) => Some(result.error.unwrap().code),
            _ => None,
        });
    assert_eq!(outcome, Some(ToolErrorCode::Interrupted));
}

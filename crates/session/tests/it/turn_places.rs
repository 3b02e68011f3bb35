//! How many answers may be in flight: of all sessions together, and of one who asks.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a helper that fails is a failed test"
)]

use std::sync::Arc;

use patter_llm::FinishReason;
use patter_protocol::{ClientMessage, ErrorCode};
use patter_session::{After, Receipt, Refusal, SessionHandle, SessionManager, SessionSettings};
use patter_testkit::memory_store::MemoryStore;
use patter_testkit::scripted_model::{Gate, Reply, ScriptedModel, Step, finish, text};

use crate::support::{Client, manager, message, open, say};

/// Answers that wait for the gate.
fn held(gate: &Gate, count: usize) -> ScriptedModel {
    let held = || {
        Reply::of([
            Step::Wait(gate.clone()),
            text("Now."),
            finish(FinishReason::Stop),
        ])
    };
    ScriptedModel::new((0..count).map(|_| held()))
}

fn settings(turns: usize, of_one: usize) -> SessionSettings {
    let mut settings = SessionSettings::default();
    settings.max_turns = turns;
    settings.max_turns_of_one = of_one;
    settings
}

async fn opened(sessions: &SessionManager, id: &str, asker: &str) -> SessionHandle {
    let asker: Arc<str> = asker.into();
    open(sessions, id).await.counted_for(Some(asker))
}

/// The code of a refusal that says when to come back, and the limit that it names.
fn refusal(refused: Result<Receipt, Refusal>) -> (ErrorCode, String) {
    let Err(Refusal::Refused(event)) = refused else {
        panic!("{refused:?}");
    };
    assert!(event.retryable);
    assert!(event.details["retry_after_ms"].is_u64());
    let limit = event.details["limit"].as_str().unwrap();
    (event.code, limit.to_owned())
}

fn of_user() -> (ErrorCode, String) {
    (ErrorCode::RateLimited, "turns_of_user".to_owned())
}

fn said(id: &str) -> ClientMessage {
    ClientMessage::UserMessage(message(id, "Hi"))
}

#[tokio::test(start_paused = true)]
async fn one_who_has_answers_in_flight_enough_waits_for_one_to_end_and_nobody_else_does() {
    let gate = Gate::default();
    let model = held(&gate, 6);
    let sessions = manager(MemoryStore::default(), &model, settings(500, 2));
    let first = opened(&sessions, "a-1", "alice").await;
    let second = opened(&sessions, "a-2", "alice").await;
    let third = opened(&sessions, "a-3", "alice").await;
    say(&first, "m-1", "Hi").await;
    say(&second, "m-2", "Hi").await;
    assert_eq!(refusal(third.submit(said("m-3")).await), of_user());

    // What waits behind an answer takes no place of its own.
    say(&first, "m-4", "Hi").await;
    say(&opened(&sessions, "b-1", "bob").await, "m-5", "Hi").await;

    let mut client = Client::attach(&second, After::Start).await;
    gate.open();
    client.until_answer().await;
    say(&third, "m-3", "Hi").await;
    let mut client = Client::attach(&third, After::Start).await;
    assert_eq!(client.until_answer().await.content, "Now.");
}

#[tokio::test(start_paused = true)]
async fn a_process_that_gives_as_many_answers_as_it_may_is_busy_for_everybody() {
    let gate = Gate::default();
    let model = held(&gate, 3);
    let sessions = manager(MemoryStore::default(), &model, settings(2, 9));
    let first = open(&sessions, "s-1").await;
    say(&first, "m-1", "Hi").await;
    say(&opened(&sessions, "s-2", "alice").await, "m-2", "Hi").await;
    let third = open(&sessions, "s-3").await;
    let of_all = (ErrorCode::Busy, "turns".to_owned());
    assert_eq!(refusal(third.submit(said("m-3")).await), of_all);

    let mut client = Client::attach(&first, After::Start).await;
    gate.open();
    client.until_answer().await;
    say(&third, "m-3", "Hi").await;
    let mut client = Client::attach(&third, After::Start).await;
    client.until_answer().await;
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_is_called_off_or_given_again_takes_its_place_and_gives_it_back() {
    let gate = Gate::default();
    let model = held(&gate, 4);
    let sessions = manager(MemoryStore::default(), &model, settings(1, 1));
    let first = opened(&sessions, "s-1", "alice").await;
    let second = opened(&sessions, "s-2", "alice").await;
    let mut client = Client::attach(&first, After::Start).await;
    say(&first, "m-1", "Hi").await;
    first
        .submit(ClientMessage::Cancel { response_id: None })
        .await
        .unwrap();
    client.until_answer().await;
    say(&second, "m-2", "Hi").await;
    let regenerated = first.submit(ClientMessage::Regenerate).await;
    assert_eq!(refusal(regenerated), of_user());
    let mut other = Client::attach(&second, After::Start).await;
    gate.open();
    other.until_answer().await;
    first.submit(ClientMessage::Regenerate).await.unwrap();
    client.seen.clear();
    client.until_answer().await;
}

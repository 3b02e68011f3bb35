//! Sessions that somebody finalizes who is not connected to them.

#![expect(clippy::unwrap_used, reason = "a helper that fails is a failed test")]

use std::sync::Arc;
use std::time::Duration;

use patter_llm::FinishReason as ModelFinish;
use patter_protocol::{CloseCode, EndReason, EventBody, FinishReason, SessionId};
use patter_session::{After, SessionError, SessionManager, SessionSettings};
use patter_store::SessionStore;
use patter_testkit::failing_store::{FailingStore, Failure};
use patter_testkit::memory_store::MemoryStore;
use patter_testkit::scripted_model::{Reply, ScriptedModel, Step, finish, text};
use tokio::time::{sleep, timeout};

use crate::support::{Client, ended, log_of, manager, open, say};

fn session_id() -> SessionId {
    "s".parse().unwrap()
}

/// A model that says hello, and takes a minute for a summary.
fn slow_to_summarize() -> ScriptedModel {
    let hello = Reply::of([text("Hello."), finish(ModelFinish::Stop)]);
    let minute = Step::Pause(Duration::from_secs(60));
    ScriptedModel::new([hello]).with_summary(Reply::of([minute, finish(ModelFinish::Stop)]))
}

/// A process with the usual settings.
fn process(store: &MemoryStore, model: &ScriptedModel) -> SessionManager {
    manager(store.clone(), model, SessionSettings::default())
}

#[tokio::test(start_paused = true)]
async fn a_session_with_all_its_readers_ends_for_one_who_is_none() {
    let store = MemoryStore::default();
    let model = ScriptedModel::new([Reply::of([text("One"), Step::Hang])]);
    let mut settings = SessionSettings::default();
    settings.max_readers = 1;
    let sessions = manager(store.clone(), &model, settings);
    let session = open(&sessions, "s").await;
    let mut client = Client::attach(&session, After::Start).await;
    say(&session, "m-1", "Hi").await;
    client.until_token("One").await;

    sessions.end(&session_id(), true).await.unwrap();
    // It has ended when that returns, not some time later.
    let ended = ended(&store).await;
    assert_eq!(ended.reason, EndReason::Client);
    assert_eq!(ended.summary.as_deref(), Some("A summary."));
    assert_eq!(client.until_closed().await, CloseCode::Normal);
    let answers: Vec<_> = log_of(&store)
        .await
        .into_iter()
        .filter_map(|body| match body {
            EventBody::AiResponse(answer) => Some((answer.content, answer.finish_reason)),
            _ => None,
        })
        .collect();
    assert_eq!(answers, [("One".to_owned(), FinishReason::Cancelled)]);
}

#[tokio::test(start_paused = true)]
async fn of_several_who_end_a_session_at_once_each_is_told_and_it_ends_once() {
    let store = MemoryStore::default();
    let model = ScriptedModel::new([Reply::of([text("Hello."), finish(ModelFinish::Stop)])]);
    let sessions = process(&store, &model);
    let session = open(&sessions, "s").await;
    let mut client = Client::attach(&session, After::Start).await;
    say(&session, "m-1", "Hi").await;
    client.until_answer().await;

    let id = session_id();
    let (first, second, third) = tokio::join!(
        sessions.end(&id, true),
        sessions.end(&id, true),
        sessions.end(&id, false),
    );
    first.unwrap();
    second.unwrap();
    third.unwrap();
    // Once more, when it is over.
    sessions.end(&id, true).await.unwrap();
    sleep(Duration::from_secs(60)).await;
    let log = log_of(&store).await;
    let count = |is: fn(&EventBody) -> bool| log.iter().filter(|body| is(body)).count();
    assert_eq!(count(|it| matches!(it, EventBody::SessionEnded(_))), 1);
    assert_eq!(count(|it| matches!(it, EventBody::SessionStarted(_))), 1);
    assert_eq!(sessions.live_count(), 0);
}

#[tokio::test(start_paused = true)]
async fn whoever_wants_no_summary_waits_for_none_not_even_for_one_in_the_making() {
    let store = MemoryStore::default();
    let sessions = process(&store, &slow_to_summarize());
    let session = open(&sessions, "s").await;
    let mut client = Client::attach(&session, After::Start).await;
    say(&session, "m-1", "Hi").await;
    client.until_answer().await;

    let id = session_id();
    let patient = sessions.end(&id, true);
    let hurried = async {
        sleep(Duration::from_secs(1)).await;
        timeout(Duration::from_secs(1), sessions.end(&id, false)).await
    };
    let (patient, hurried) = tokio::join!(patient, hurried);
    patient.unwrap();
    hurried.unwrap().unwrap();
    assert_eq!(ended(&store).await.summary, None);
}

#[tokio::test(start_paused = true)]
async fn a_session_that_is_not_there_is_not_made_to_be_ended() {
    let store = MemoryStore::default();
    let sessions = process(&store, &slow_to_summarize());
    sessions.end(&session_id(), true).await.unwrap();
    assert!(store.session(&session_id()).await.unwrap().is_none());
}

#[tokio::test(start_paused = true)]
async fn the_end_is_waited_for_until_a_deadline_where_the_store_is_away() {
    let memory = MemoryStore::default();
    let store = Arc::new(FailingStore::new(Arc::new(memory.clone())));
    let hello = Reply::of([text("Hello."), finish(ModelFinish::Stop)]);
    let model = ScriptedModel::new([hello]);
    let sessions = SessionManager::builder(Arc::clone(&store), model).start();
    let session = open(&sessions, "s").await;
    let mut client = Client::attach(&session, After::Start).await;
    say(&session, "m-1", "Hi").await;
    client.until_answer().await;
    store.set(Failure::Unavailable);
    let id = session_id();
    let ending = timeout(Duration::from_secs(120), sessions.end(&id, true));
    let refused = ending.await.unwrap().unwrap_err();
    assert!(
        matches!(refused, SessionError::StoreUnavailable(_)),
        "{refused}"
    );
}

#[tokio::test(start_paused = true)]
async fn a_session_that_another_process_keeps_is_left_to_it() {
    let store = MemoryStore::default();
    let first = process(&store, &slow_to_summarize());
    let session = open(&first, "s").await;
    let _client = Client::attach(&session, After::Start).await;
    let second = process(&store, &slow_to_summarize());
    let refused = second.end(&session_id(), true).await.unwrap_err();
    assert!(matches!(refused, SessionError::Owned { .. }), "{refused}");
    assert!(first.is_live(&session_id()));
}

#[tokio::test(start_paused = true)]
async fn a_session_that_another_process_lets_go_of_meanwhile_is_ended() {
    let store = MemoryStore::default();
    let first = process(&store, &slow_to_summarize());
    let session = open(&first, "s").await;
    let _client = Client::attach(&session, After::Start).await;
    let second = process(&store, &slow_to_summarize());
    let letting_go = async {
        sleep(Duration::from_secs(1)).await;
        first.shutdown(Duration::from_secs(10)).await;
    };
    let id = session_id();
    let (ended_here, ()) = tokio::join!(second.end(&id, true), letting_go);
    ended_here.unwrap();
    assert_eq!(ended(&store).await.reason, EndReason::Client);
}

#[tokio::test(start_paused = true)]
async fn a_process_that_stops_ends_no_session_for_others() {
    let store = MemoryStore::default();
    let sessions = process(&store, &slow_to_summarize());
    open(&sessions, "s").await;
    sessions.shutdown(Duration::from_secs(10)).await;
    let refused = sessions.end(&session_id(), true).await.unwrap_err();
    assert!(matches!(refused, SessionError::Draining), "{refused}");
}

#[tokio::test(start_paused = true)]
async fn a_session_that_nobody_has_is_opened_to_be_ended() {
    let store = MemoryStore::default();
    let hello = Reply::of([text("Hello."), finish(ModelFinish::Stop)]);
    let model = ScriptedModel::new([hello]);
    let first = process(&store, &model);
    let session = open(&first, "s").await;
    let mut client = Client::attach(&session, After::Start).await;
    say(&session, "m-1", "Hi").await;
    client.until_answer().await;
    first.shutdown(Duration::from_secs(10)).await;

    let second = process(&store, &model);
    second.end(&session_id(), true).await.unwrap();
    let ended = ended(&store).await;
    assert_eq!(ended.reason, EndReason::Client);
    assert_eq!(ended.metrics.user_messages, 1);
    assert_eq!(second.live_count(), 0);
}

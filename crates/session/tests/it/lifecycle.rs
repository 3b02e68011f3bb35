//! How sessions begin, end, and begin again.

use std::time::Duration;

use patter_llm::{FinishReason as ModelFinish, Message};
use patter_protocol::{
    AiResponse, ClientMessage, CloseCode, EndReason, EventBody, FinishReason, JsonObject,
    LiveEvent, ServerMessage, SessionStarted,
};
use patter_session::{After, OpenOptions, Refusal, SessionSettings};
use patter_store::SessionStore;
use patter_testkit::memory_store::MemoryStore;
use patter_testkit::scripted_model::{Reply, ScriptedModel, Step, finish, overloaded, text};

use crate::support::{Client, durable, ended, log_of, manager, open, say};

#[tokio::test(start_paused = true)]
async fn end_finalizes_at_once_with_summary_and_metrics() {
    let store = MemoryStore::default();
    let model = ScriptedModel::new([Reply::of([
        Step::Pause(Duration::from_millis(120)),
        text("Hello."),
        finish(ModelFinish::Stop),
    ])]);
    let sessions = manager(store.clone(), &model, SessionSettings::default());
    let session = open(&sessions, "s").await;
    let mut client = Client::attach(&session, After::Start).await;
    say(&session, "m-1", "Hi").await;
    client.until_answer().await;
    session.submit(ClientMessage::End).await.unwrap();
    assert_eq!(client.until_closed().await, CloseCode::Normal);

    let ended = ended(&store).await;
    assert_eq!(ended.reason, EndReason::Client);
    assert_eq!(ended.summary.as_deref(), Some("A summary."));
    let metrics = ended.metrics;
    assert_eq!(
        (
            metrics.user_messages,
            metrics.ai_responses,
            metrics.tool_calls
        ),
        (1, 1, 0)
    );
    assert_eq!((metrics.input_tokens, metrics.output_tokens), (10, 5));
    assert_eq!(metrics.mean_first_token_ms, Some(120.0));
    assert_eq!(metrics.cost_usd, None);
    let record = store.session(&"s".parse().unwrap()).await.unwrap().unwrap();
    assert!(!record.is_active && record.end_time.is_some());
    assert_eq!(record.metadata["metrics"]["user_messages"], 1);
    let asked = model.requests().pop().unwrap();
    assert_eq!(
        asked.messages,
        [Message::user("user: Hi\nassistant: Hello.")]
    );
    assert_eq!(sessions.live_count(), 0);
    assert_eq!(
        session
            .say("Hello?")
            .await
            .map_err(|it| it == Refusal::Gone),
        Ok(patter_session::Receipt::Taken)
    );
}

#[tokio::test(start_paused = true)]
async fn end_stops_the_answer_in_flight_and_those_that_wait() {
    let store = MemoryStore::default();
    let model = ScriptedModel::new([Reply::of([text("One"), Step::Hang])]);
    let sessions = manager(store.clone(), &model, SessionSettings::default());
    let session = open(&sessions, "s").await;
    let mut client = Client::attach(&session, After::Start).await;
    say(&session, "m-1", "a").await;
    say(&session, "m-2", "b").await;
    client.until_token("One").await;
    session.submit(ClientMessage::End).await.unwrap();
    client.until_closed().await;
    let answers: Vec<AiResponse> = log_of(&store)
        .await
        .into_iter()
        .filter_map(|body| {
            if let EventBody::AiResponse(it) = body {
                Some(it)
            } else {
                None
            }
        })
        .collect();
    let ends: Vec<_> = answers
        .iter()
        .map(|it| {
            (
                it.message_id.as_str(),
                it.content.as_str(),
                it.finish_reason,
            )
        })
        .collect();
    assert_eq!(
        ends,
        [
            ("m-1", "One", FinishReason::Cancelled),
            ("m-2", "", FinishReason::Cancelled)
        ]
    );
}

#[tokio::test(start_paused = true)]
async fn a_session_waits_for_its_readers_to_come_back_and_ends_when_they_do_not() {
    let store = MemoryStore::default();
    let model = ScriptedModel::new([Reply::text(["Hi."]), Reply::text(["Still here."])]);
    let sessions = manager(store.clone(), &model, SessionSettings::default());
    let session = open(&sessions, "s").await;
    let mut client = Client::attach(&session, After::Start).await;
    say(&session, "m-1", "a").await;
    client.until_answer().await;
    drop(client);
    tokio::time::sleep(Duration::from_secs(29)).await;
    let mut back = Client::attach(&session, After::Start).await;
    let Ok(ServerMessage::Live(LiveEvent::SessionReady(ready))) = back.next().await else {
        panic!()
    };
    assert!(!ready.reopened);
    say(&session, "m-2", "b").await;
    back.until_answer().await;
    drop(back);
    assert!(sessions.is_live(session.id()));
    tokio::time::sleep(Duration::from_secs(31)).await;
    assert!(!sessions.is_live(session.id()));
    assert_eq!(ended(&store).await.reason, EndReason::Disconnect);
    assert_eq!(log_of(&store).await.len(), 6);
}

#[tokio::test(start_paused = true)]
async fn a_reader_that_comes_while_the_summary_is_made_finds_the_session_as_it_was() {
    let store = MemoryStore::default();
    let model = ScriptedModel::new([Reply::text(["Hi."]), Reply::text(["Yes."])]).with_summary(
        Reply::of([Step::Pause(Duration::from_secs(20)), text("Late.")]),
    );
    let sessions = manager(store.clone(), &model, SessionSettings::default());
    let session = open(&sessions, "s").await;
    let mut client = Client::attach(&session, After::Start).await;
    say(&session, "m-1", "a").await;
    client.until_answer().await;
    drop(client);
    tokio::time::sleep(Duration::from_secs(40)).await;
    let mut back = Client::attach(&session, After::Start).await;
    say(&session, "m-2", "b").await;
    back.until_answer().await;
    assert!(
        !log_of(&store)
            .await
            .iter()
            .any(|it| matches!(it, EventBody::SessionEnded(_)))
    );
}

#[tokio::test(start_paused = true)]
async fn a_finalized_session_is_opened_again_history_and_all() {
    let store = MemoryStore::default();
    let model = ScriptedModel::new([Reply::text(["Hello, Ada."]), Reply::text(["Ada."])]);
    let sessions = manager(store.clone(), &model, SessionSettings::default());
    let session = open(&sessions, "s").await;
    let mut client = Client::attach(&session, After::Start).await;
    say(&session, "m-1", "I am Ada").await;
    client.until_answer().await;
    session.submit(ClientMessage::End).await.unwrap();
    client.until_closed().await;

    let mut back = Client::attach(&session, After::Start).await;
    let Ok(ServerMessage::Live(LiveEvent::SessionReady(ready))) = back.next().await else {
        panic!()
    };
    assert!(ready.reopened);
    say(&session, "m-2", "Who am I?").await;
    back.until(|it| match durable(it) {
        Some(EventBody::AiResponse(answer)) => (answer.content == "Ada.").then_some(()),
        _ => None,
    })
    .await;
    let last = model.requests().pop().unwrap();
    assert_eq!(last.messages.len(), 3);
    session.submit(ClientMessage::End).await.unwrap();
    back.until_closed().await;
    let ended = ended(&store).await;
    assert_eq!(ended.metrics.user_messages, 2);
    let starts = log_of(&store)
        .await
        .into_iter()
        .filter(|it| matches!(it, EventBody::SessionStarted(_)));
    assert_eq!(starts.count(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_session_keeps_what_it_was_made_with() {
    let store = MemoryStore::default();
    let sessions = manager(
        store.clone(),
        &ScriptedModel::default(),
        SessionSettings::default(),
    );
    for user in ["ada", "eve"] {
        let options = OpenOptions {
            user_id: Some(user.to_owned()),
            metadata: JsonObject::from_iter([("made_by".to_owned(), user.into())]),
            ..OpenOptions::default()
        };
        let session = sessions.open("s".parse().unwrap(), options).await.unwrap();
        let mut client = Client::attach(&session, After::Start).await;
        session.submit(ClientMessage::End).await.unwrap();
        client.until_closed().await;
    }
    let starts: Vec<_> = log_of(&store)
        .await
        .into_iter()
        .filter_map(|body| match body {
            EventBody::SessionStarted(started) => Some(started),
            _ => None,
        })
        .collect();
    let made = SessionStarted {
        user_id: Some("ada".to_owned()),
        metadata: JsonObject::from_iter([("made_by".to_owned(), "ada".into())]),
    };
    assert_eq!(starts, [made.clone(), made]);
}

#[tokio::test(start_paused = true)]
async fn finalizing_does_not_depend_on_the_model() {
    let store = MemoryStore::default();
    let model = ScriptedModel::new([Reply::text(["Hi."])])
        .with_summary(Reply::of([Step::Hang]))
        .with_summary(Reply::refused(overloaded()));
    let sessions = manager(store.clone(), &model, SessionSettings::default());
    let session = open(&sessions, "s").await;
    let mut client = Client::attach(&session, After::Start).await;
    say(&session, "m-1", "a").await;
    client.until_answer().await;
    session.submit(ClientMessage::End).await.unwrap();
    assert_eq!(client.until_closed().await, CloseCode::Normal);
    assert_eq!(ended(&store).await.summary, None);
    // The first further try fails too, the second one does not.
    tokio::time::sleep(Duration::from_secs(120)).await;
    let Some(EventBody::SessionSummary(late)) = log_of(&store).await.pop() else {
        panic!()
    };
    assert_eq!(late.summary, "A summary.");
    assert_eq!((late.covers.from_seq, late.covers.to_seq), (1, 4));
    let record = store.session(&"s".parse().unwrap()).await.unwrap().unwrap();
    assert_eq!(record.summary.as_deref(), Some("A summary."));
    assert_eq!(record.summary_error, None);
    assert_eq!(sessions.live_count(), 0);
}

#[tokio::test(start_paused = true)]
async fn the_last_try_of_a_summary_covers_what_is_newest_and_says_so() {
    let store = MemoryStore::default();
    let long = "word ".repeat(2_000);
    let mut model = ScriptedModel::new((0..10).map(|_| Reply::text([long.as_str()])));
    for _ in 0..2 {
        model = model.with_summary(Reply::of([Step::Hang]));
    }
    let sessions = manager(store.clone(), &model, SessionSettings::default());
    let session = open(&sessions, "s").await;
    let mut client = Client::attach(&session, After::Start).await;
    for number in 0..10 {
        say(&session, &format!("m-{number}"), "Go on").await;
        client.until_answer().await;
    }
    session.submit(ClientMessage::End).await.unwrap();
    client.until_closed().await;
    tokio::time::sleep(Duration::from_secs(1_000)).await;
    let log = log_of(&store).await;
    let Some(EventBody::SessionSummary(late)) = log.last() else {
        panic!("{log:?}")
    };
    assert_eq!(late.summary, "A summary.");
    // Three of the ten exchanges, each of a message and an answer behind `session_started`.
    assert_eq!((late.covers.from_seq, late.covers.to_seq), (16, 22));
}

#[tokio::test(start_paused = true)]
async fn a_summary_is_tried_three_times_and_then_it_is_said_why_there_is_none() {
    let store = MemoryStore::default();
    let mut model = ScriptedModel::new([Reply::text(["Hi."])]);
    for _ in 0..10 {
        model = model.with_summary(Reply::refused(overloaded()));
    }
    let sessions = manager(store.clone(), &model, SessionSettings::default());
    let session = open(&sessions, "s").await;
    let mut client = Client::attach(&session, After::Start).await;
    say(&session, "m-1", "a").await;
    client.until_answer().await;
    session.submit(ClientMessage::End).await.unwrap();
    client.until_closed().await;
    tokio::time::sleep(Duration::from_secs(1_000)).await;
    assert_eq!(model.requests().len(), 1 + 3);
    let record = store.session(&"s".parse().unwrap()).await.unwrap().unwrap();
    assert_eq!(record.summary, None);
    let why = record.summary_error.unwrap();
    assert!(why.contains("overloaded"), "{why}");
}

#[tokio::test(start_paused = true)]
async fn a_session_in_which_nothing_was_said_ends_without_asking_the_model() {
    let store = MemoryStore::default();
    let model = ScriptedModel::default();
    let sessions = manager(store.clone(), &model, SessionSettings::default());
    drop(Client::attach(&open(&sessions, "s").await, After::Start).await);
    tokio::time::sleep(Duration::from_secs(60)).await;
    assert_eq!(ended(&store).await.summary, None);
    assert!(model.requests().is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_session_that_does_not_linger_waits_for_whoever_opened_it() {
    let mut settings = SessionSettings::default();
    settings.linger = Duration::ZERO;
    let store = MemoryStore::default();
    let sessions = manager(store.clone(), &ScriptedModel::default(), settings);
    let session = open(&sessions, "s").await;
    tokio::time::sleep(Duration::from_secs(1)).await;
    let client = Client::attach(&session, After::Start).await;
    tokio::time::sleep(Duration::from_secs(60)).await;
    assert_eq!(log_of(&store).await.len(), 1);
    drop(client);
    tokio::time::sleep(Duration::from_millis(10)).await;
    assert_eq!(ended(&store).await.reason, EndReason::Disconnect);

    let nobody_came = open(&sessions, "t").await;
    tokio::time::sleep(Duration::from_secs(60)).await;
    assert!(!sessions.is_live(nobody_came.id()));
}

#[tokio::test(start_paused = true)]
async fn a_summary_that_is_late_holds_up_neither_the_session_nor_the_shutdown() {
    let store = MemoryStore::default();
    let model = ScriptedModel::new([Reply::text(["One."]), Reply::text(["Two."])])
        .with_summary(Reply::refused(overloaded()))
        .with_summary(Reply::of([Step::Hang]))
        .with_summary(Reply::of([Step::Hang]));
    let sessions = manager(store.clone(), &model, SessionSettings::default());
    let session = open(&sessions, "s").await;
    let mut client = Client::attach(&session, After::Start).await;
    say(&session, "m-1", "a").await;
    client.until_answer().await;
    session.submit(ClientMessage::End).await.unwrap();
    client.until_closed().await;
    tokio::time::sleep(Duration::from_secs(6)).await;
    assert!(!sessions.is_live(session.id()));
    say(&session, "m-2", "b").await;

    // It ends for want of readers, while its summary is waited for, when the server stops.
    tokio::time::sleep(Duration::from_secs(31)).await;
    let begun = tokio::time::Instant::now();
    sessions.shutdown(Duration::from_secs(10)).await;
    assert_eq!(begun.elapsed().as_secs(), 6);
    let ended = ended(&store).await;
    assert_eq!((ended.reason, ended.summary), (EndReason::Disconnect, None));
}

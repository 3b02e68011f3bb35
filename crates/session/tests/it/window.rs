//! Conversations that outgrow the window of their model.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "what the tests share; one that cannot go on fails"
)]

use std::time::Duration;

use patter_llm::{Catalog, ChatRequest, FinishReason, Message, ModelInfo, TokenCounter, Windowed};
use patter_protocol::{ClientMessage, CloseCode};
use patter_session::{After, SessionHandle, SessionManager, SessionSettings};
use patter_testkit::memory_store::MemoryStore;
use patter_testkit::scripted_model::{
    Gate, Reply, ScriptedModel, Step, call, finish, overloaded, text,
};
use patter_tools::{ToolContext, ToolRegistry, tool};
use serde::Deserialize;
use serde_json::json;

use crate::support::{self, Client, ended, message, open, say};

const WINDOW: u64 = 2_000;
/// What the window leaves for a request: a quarter is kept for the answer.
const INPUT: u64 = WINDOW * 3 / 4;

/// A model with a small window.
fn windowed(model: &ScriptedModel) -> Windowed<ScriptedModel> {
    let info = ModelInfo {
        context_window: Some(WINDOW),
        ..ModelInfo::new("scripted", "script-1")
    };
    Windowed::new(model.clone(), &Catalog::builtin().with(info))
}

#[derive(Deserialize, schemars::JsonSchema)]
struct Page {
    /// Its number.
    number: u64,
}

fn manager(store: &MemoryStore, model: &ScriptedModel) -> SessionManager {
    let page = tool(
        "page",
        "Reads a page.",
        |page: Page, _: ToolContext| async move {
            Ok(json!({ "number": page.number, "text": "lorem ipsum ".repeat(20) }))
        },
    );
    SessionManager::builder(store.clone(), windowed(model))
        .tools(ToolRegistry::new().with(page).unwrap())
        .system_prompt("You are a test.")
        .settings(SessionSettings::default())
        .start()
}

/// Says something of about 100 tokens and waits for the answer.
async fn exchange(session: &SessionHandle, client: &mut Client, n: usize) {
    let content = format!("message {n}: {}", "words and words ".repeat(25));
    let id = format!("m-{n}");
    say(session, &id, &content).await;
    // A client that has just come is told the answers of before as well.
    while client.until_answer().await.message_id.as_str() != id {}
}

/// The answer to one such message, with a tool call in every third.
fn script(model: &ScriptedModel, n: usize) {
    if n.is_multiple_of(3) {
        let call = call("c", "page", json!({ "number": n }));
        model.push(Reply::calls([call]));
    }
    model.push(Reply::text([format!("answer {n}").as_str()]));
}

fn is_summary(request: &ChatRequest) -> bool {
    request.system.as_deref().unwrap().starts_with("Summarize")
}

fn has_summary(request: &ChatRequest, summary: &str) -> bool {
    let system = request.system.as_deref().unwrap();
    system.contains("# Earlier in this conversation") && system.ends_with(summary)
}

/// What was asked, without the summaries.
fn questions(model: &ScriptedModel) -> Vec<ChatRequest> {
    let mut requests = model.requests();
    requests.retain(|request| !is_summary(request));
    requests
}

/// What was asked for summaries: the text that was to be summarized.
fn summarized(model: &ScriptedModel) -> Vec<String> {
    let requests = model.requests().into_iter();
    requests
        .filter(is_summary)
        .map(|request| match request.messages.first() {
            Some(Message::User(message)) => message.joined_text().into_owned(),
            other => panic!("{other:?}"),
        })
        .collect()
}

fn user_texts(request: &ChatRequest) -> Vec<String> {
    let users = request.messages.iter().filter_map(|message| match message {
        Message::User(message) => Some(message.joined_text().into_owned()),
        _ => None,
    });
    users.collect()
}

/// The number of a message as [`exchange`] says it.
fn number(text: &str) -> usize {
    let rest = text.strip_prefix("message ").unwrap();
    rest.split_once(':').unwrap().0.parse().unwrap()
}

#[tokio::test(start_paused = true)]
async fn a_conversation_ten_times_the_window_goes_on_answering() {
    const TURNS: usize = 200;
    let model = ScriptedModel::default();
    let sessions = manager(&MemoryStore::default(), &model);
    let session = open(&sessions, "s").await;
    let mut client = Client::attach(&session, After::Start).await;
    for n in 0..TURNS {
        script(&model, n);
        exchange(&session, &mut client, n).await;
    }

    let counter = TokenCounter::estimate();
    let requests = questions(&model);
    let mut said = 0;
    for request in &requests {
        let size = counter.preamble(request) + counter.messages(&request.messages);
        assert!(size <= INPUT, "{size} tokens: {request:#?}");
        let system = request.system.as_deref().unwrap();
        assert!(system.starts_with("You are a test."), "{system}");
        // Whole turns: that calls have their results the scripted model checks. The newest ones, in
        // order and without a gap, up to the message itself.
        assert!(matches!(request.messages[0], Message::User(_)));
        let users = user_texts(request);
        let newest = number(users.last().unwrap());
        let shown: Vec<usize> = users.iter().map(|text| number(text)).collect();
        let expected: Vec<usize> = (newest + 1 - users.len()..=newest).collect();
        assert_eq!(shown, expected);
        assert!(
            users.len() > 2.min(newest),
            "too little is shown: {users:#?}"
        );
        if let Some(Message::User(_)) = request.messages.last() {
            said += counter.message(&request.messages[request.messages.len() - 1]);
        }
    }
    assert!(said > 10 * WINDOW, "{said} tokens are not ten windows");
    // From the turn on in which it was first outgrown but one, there is a summary.
    let whole = requests
        .iter()
        .take_while(|request| user_texts(request)[0].starts_with("message 0:"))
        .count();
    let cut = requests.iter().skip(whole);
    let without: Vec<bool> = cut.map(|it| !has_summary(it, "A summary.")).collect();
    assert!(
        whole > 5 && without.iter().filter(|it| **it).count() <= 2,
        "{without:?}"
    );
    // The first summary begins with the first turn, and each other one with the one before it.
    let summarized = summarized(&model);
    assert!(summarized[0].starts_with("user: message 0:"));
    assert!(summarized[0].contains("tool page: {\"number\":0"));
    let extended = summarized
        .iter()
        .filter(|text| text.starts_with("summary so far: A summary.\nuser: message "))
        .count();
    assert!(extended > 10 && extended < TURNS / 2, "{extended} times");
}

#[tokio::test(start_paused = true)]
async fn a_summary_that_hangs_is_in_nobodys_way_and_given_up_after_a_few_tries() {
    let mut model = ScriptedModel::default();
    for _ in 0..10 {
        model = model.with_summary(Reply::of([Step::Hang]));
    }
    let store = MemoryStore::default();
    let sessions = manager(&store, &model);
    let session = open(&sessions, "s").await;
    let mut client = Client::attach(&session, After::Start).await;
    for n in 0..40 {
        script(&model, n);
        let begun = tokio::time::Instant::now();
        exchange(&session, &mut client, n).await;
        assert_eq!(
            begun.elapsed().as_millis(),
            0,
            "the answer waited in turn {n}"
        );
        // In a few of these a summary fails.
        tokio::time::sleep(Duration::from_secs(31)).await;
    }
    assert_eq!(summarized(&model).len(), 3);
    assert_eq!(model.broken_off(), 3);
    assert!(
        questions(&model)
            .iter()
            .all(|request| !has_summary(request, "A summary."))
    );
}

#[tokio::test(start_paused = true)]
async fn a_summary_that_failed_is_tried_again() {
    let model = ScriptedModel::default()
        .with_summary(Reply::refused(overloaded()))
        .with_summary(Reply::of([Step::Panic]));
    let sessions = manager(&MemoryStore::default(), &model);
    let session = open(&sessions, "s").await;
    let mut client = Client::attach(&session, After::Start).await;
    for n in 0..20 {
        script(&model, n);
        exchange(&session, &mut client, n).await;
    }
    assert!(summarized(&model).len() >= 3);
    assert!(has_summary(questions(&model).last().unwrap(), "A summary."));
}

#[tokio::test(start_paused = true)]
async fn after_an_outage_a_summary_is_made_all_the_same() {
    let mut model = ScriptedModel::default();
    for _ in 0..3 {
        model = model.with_summary(Reply::refused(overloaded()));
    }
    let sessions = manager(&MemoryStore::default(), &model);
    let session = open(&sessions, "s").await;
    let mut client = Client::attach(&session, After::Start).await;
    for n in 0..20 {
        script(&model, n);
        exchange(&session, &mut client, n).await;
    }
    assert_eq!(summarized(&model).len(), 3);
    tokio::time::sleep(Duration::from_mins(30)).await;
    for n in 20..23 {
        script(&model, n);
        exchange(&session, &mut client, n).await;
    }
    assert!(has_summary(questions(&model).last().unwrap(), "A summary."));
}

/// What takes a model a while is not given up: nobody waits for it.
#[tokio::test(start_paused = true)]
async fn a_summary_that_takes_a_minute_is_used() {
    let slow = [Step::Pause(Duration::from_mins(1)), text("Slowly.")];
    let slow = Reply::of(slow).then(finish(FinishReason::Stop));
    let model = ScriptedModel::default().with_summary(slow);
    let sessions = manager(&MemoryStore::default(), &model);
    let session = open(&sessions, "s").await;
    let mut client = Client::attach(&session, After::Start).await;
    let mut n = 0;
    while summarized(&model).is_empty() {
        script(&model, n);
        exchange(&session, &mut client, n).await;
        n += 1;
    }
    tokio::time::sleep(Duration::from_secs(61)).await;
    script(&model, n);
    exchange(&session, &mut client, n).await;
    assert!(has_summary(questions(&model).last().unwrap(), "A summary."));
}

#[tokio::test(start_paused = true)]
async fn the_end_does_not_wait_for_a_summary_in_the_making() {
    let gate = Gate::default();
    let model = ScriptedModel::default().with_summary(Reply::of([Step::Wait(gate)]));
    let store = MemoryStore::default();
    let sessions = manager(&store, &model);
    let session = open(&sessions, "s").await;
    let mut client = Client::attach(&session, After::Start).await;
    let mut n = 0;
    while summarized(&model).is_empty() {
        script(&model, n);
        exchange(&session, &mut client, n).await;
        n += 1;
    }
    session.submit(ClientMessage::End).await.unwrap();
    assert_eq!(client.until_closed().await, CloseCode::Normal);
    assert_eq!(ended(&store).await.summary.as_deref(), Some("A summary."));
}

#[tokio::test(start_paused = true)]
async fn after_a_restart_the_summary_is_made_anew() {
    let store = MemoryStore::default();
    let model = ScriptedModel::default();
    {
        let sessions = manager(&store, &model);
        let session = open(&sessions, "s").await;
        let mut client = Client::attach(&session, After::Start).await;
        for n in 0..20 {
            script(&model, n);
            exchange(&session, &mut client, n).await;
        }
    }
    let model = ScriptedModel::default();
    let sessions = manager(&store, &model);
    let session = open(&sessions, "s").await;
    let mut client = Client::attach(&session, After::Start).await;
    for n in 20..22 {
        script(&model, n);
        exchange(&session, &mut client, n).await;
    }
    let requests = questions(&model);
    assert!(!has_summary(&requests[0], "A summary."));
    assert!(has_summary(requests.last().unwrap(), "A summary."));
    assert!(summarized(&model)[0].starts_with("user: message 0:"));
}

#[tokio::test(start_paused = true)]
async fn an_edit_and_an_answer_given_again_go_on_with_the_summary() {
    let model = ScriptedModel::default();
    let sessions = manager(&MemoryStore::default(), &model);
    let session = open(&sessions, "s").await;
    let mut client = Client::attach(&session, After::Start).await;
    for n in 0..20 {
        script(&model, n);
        exchange(&session, &mut client, n).await;
    }
    model.push(Reply::text(["again"]));
    session.submit(ClientMessage::Regenerate).await.unwrap();
    client.until_answer().await;
    let edit = patter_protocol::UserInput {
        replaces: Some(support::message_id("m-19")),
        ..message("edit", "shorter")
    };
    model.push(Reply::text(["edited"]));
    session
        .submit(ClientMessage::UserMessage(edit))
        .await
        .unwrap();
    client.until_answer().await;
    let requests = questions(&model);
    for request in requests.iter().rev().take(2) {
        assert!(has_summary(request, "A summary."));
    }
    let users = user_texts(requests.last().unwrap());
    assert_eq!(users.last().unwrap(), "shorter");
    assert!(!users.iter().any(|text| text.starts_with("message 19:")));
}

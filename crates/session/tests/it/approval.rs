//! A tool that needs an approval runs when a person says so about this very call, once, and not
//! otherwise.
#![expect(clippy::unwrap_used, reason = "helpers of tests")]

use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use patter_llm::{FinishReason as ModelFinish, ModelEvent, ToolCall};
use patter_protocol::{
    CallId, ClientMessage, ErrorCode, EventBody, FinishReason, JsonObject, ToolErrorCode,
    ToolResult,
};
use patter_session::{After, Receipt, SessionHandle, SessionManager, SessionSettings};
use patter_store::SessionStore;
use patter_testkit::failing_store::{FailingStore, Failure};
use patter_testkit::memory_store::MemoryStore;
use patter_testkit::scripted_model::{Reply, ScriptedModel, Step, call, finish, text};
use patter_tools::{Tool, ToolContext, ToolError, ToolSpec};
use serde_json::{Value, json};
use tokio::time::{Instant, sleep};

use crate::support::{Client, durable, open, refused_with, say, tools};

/// Deletes something, and notes what.
struct Delete {
    spec: ToolSpec,
    deleted: Arc<Mutex<Vec<Value>>>,
}

#[async_trait]
impl Tool for Delete {
    fn spec(&self) -> &ToolSpec {
        &self.spec
    }

    fn writes(&self) -> bool {
        true
    }

    async fn call(&self, arguments: JsonObject, _: ToolContext) -> Result<Value, ToolError> {
        self.deleted.lock().unwrap().push(Value::Object(arguments));
        Ok(json!("gone"))
    }
}

struct Scene {
    sessions: SessionManager,
    session: SessionHandle,
    client: Client,
    model: ScriptedModel,
    deleted: Arc<Mutex<Vec<Value>>>,
}

fn delete(file: &str) -> ToolCall {
    call("x", "delete", json!({ "file": file }))
}

/// A model that makes these calls, and then is done.
async fn scene(calls: impl IntoIterator<Item = ToolCall>) -> Scene {
    scene_of(
        MemoryStore::default(),
        [Reply::calls(calls), Reply::text(["Done."])],
    )
    .await
}

/// A model that says this, and a turn that may take a minute.
async fn scene_of(
    store: impl SessionStore + 'static,
    replies: impl IntoIterator<Item = Reply>,
) -> Scene {
    let model = ScriptedModel::new(replies);
    let deleted = Arc::default();
    let tool = Delete {
        spec: ToolSpec {
            name: "delete".to_owned(),
            description: "Deletes.".to_owned(),
            parameters: json!({"type": "object"}),
        },
        deleted: Arc::clone(&deleted),
    };
    let mut settings = SessionSettings::default();
    settings.turn_timeout = Duration::from_secs(60);
    let sessions = SessionManager::builder(store, model.clone())
        .settings(settings)
        .tools(tools().with(tool).unwrap())
        .start();
    let session = open(&sessions, "s").await;
    let client = Client::attach(&session, After::Start).await;
    Scene {
        sessions,
        session,
        client,
        model,
        deleted,
    }
}

impl Scene {
    /// The next call that the client is shown.
    async fn call(&mut self) -> CallId {
        self.client
            .until(|message| match durable(message) {
                Some(EventBody::ToolCall(call)) => {
                    assert!(call.needs_approval);
                    Some(call.call_id)
                }
                _ => None,
            })
            .await
    }

    async fn result(&mut self) -> ToolResult {
        self.client
            .until(|message| match durable(message) {
                Some(EventBody::ToolResult(result)) => Some(result.clone()),
                _ => None,
            })
            .await
    }

    fn deleted(&self) -> Vec<Value> {
        self.deleted.lock().unwrap().clone()
    }
}

fn decision(call_id: CallId, approve: bool) -> ClientMessage {
    ClientMessage::ToolApproval {
        call_id,
        approve,
        reason: None,
    }
}

fn why(result: ToolResult) -> (ToolErrorCode, String) {
    let error = result.error.unwrap();
    (error.code, error.message)
}

#[tokio::test(start_paused = true)]
async fn an_approved_call_runs_once_with_the_arguments_that_were_shown() {
    let mut scene = scene([delete("a")]).await;
    say(&scene.session, "m-1", "Hi").await;
    let call_id = scene.call().await;
    sleep(Duration::from_secs(299)).await;
    assert!(scene.deleted().is_empty());
    let yes = || scene.session.submit(decision(call_id, true));
    assert_eq!(yes().await, Ok(Receipt::Taken));
    assert_eq!(refused_with(yes().await), ErrorCode::UnknownCall);
    let answer = scene.client.until_answer().await;
    assert_eq!(answer.content, "Done.");
    assert_eq!(scene.deleted(), [json!({"file": "a"})]);
    assert_eq!(refused_with(yes().await), ErrorCode::UnknownCall);
}

#[tokio::test(start_paused = true)]
async fn the_time_in_which_people_decide_is_added_to_that_of_the_turn_and_no_other() {
    for (seconds, reason) in [(55, FinishReason::Stop), (65, FinishReason::Error)] {
        let slow = Step::Pause(Duration::from_secs(seconds));
        let slow = Reply::of([slow, text("Done."), finish(ModelFinish::Stop)]);
        let replies = [Reply::calls([delete("a")]), slow];
        let mut scene = scene_of(MemoryStore::default(), replies).await;
        say(&scene.session, "m-1", "Hi").await;
        let call_id = scene.call().await;
        sleep(Duration::from_secs(200)).await;
        let yes = decision(call_id, true);
        scene.session.submit(yes).await.unwrap();
        assert_eq!(scene.client.until_answer().await.finish_reason, reason);
    }
}

#[tokio::test(start_paused = true)]
async fn a_call_that_cannot_be_recorded_does_not_hold_its_turn_for_ever() {
    let store = Arc::new(FailingStore::new(Arc::new(MemoryStore::default())));
    let late = Reply::of([
        Step::Pause(Duration::from_secs(1)),
        Step::Say(ModelEvent::ToolCall(delete("a"))),
        finish(ModelFinish::ToolCalls),
    ]);
    let mut scene = scene_of(Arc::clone(&store), [late]).await;
    say(&scene.session, "m-1", "Hi").await;
    scene.client.read_for(Duration::from_millis(500)).await;
    store.set(Failure::Hang);
    sleep(Duration::from_secs(61)).await;
    store.set(Failure::None);
    let answer = scene.client.until_answer().await;
    assert_eq!(answer.finish_reason, FinishReason::Error);
    assert!(scene.deleted().is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_call_that_is_refused_does_not_run_and_the_model_is_told_why() {
    let mut scene = scene([delete("a")]).await;
    say(&scene.session, "m-1", "Hi").await;
    let no = ClientMessage::ToolApproval {
        call_id: scene.call().await,
        approve: false,
        reason: Some("not that one".to_owned()),
    };
    scene.session.submit(no).await.unwrap();
    let (code, message) = why(scene.result().await);
    assert_eq!(code, ToolErrorCode::NotApproved);
    assert_eq!(message, "the call was refused: not that one");
    assert_eq!(scene.client.until_answer().await.content, "Done.");
    assert!(format!("{:?}", scene.model.requests()[1]).contains("not that one"));
    assert!(scene.deleted().is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_call_about_which_nobody_decides_is_refused_after_five_minutes() {
    let mut scene = scene([delete("a"), delete("b")]).await;
    say(&scene.session, "m-1", "Hi").await;
    let first = scene.call().await;
    scene.call().await;
    let begun = Instant::now();
    let (code, _) = why(scene.result().await);
    assert_eq!(code, ToolErrorCode::NotApproved);
    assert_eq!(begun.elapsed().as_secs(), 300);
    assert_eq!(scene.client.until_answer().await.content, "Done.");
    let late = scene.session.submit(decision(first, true)).await;
    assert_eq!(refused_with(late), ErrorCode::UnknownCall);
    assert!(scene.deleted().is_empty());
}

/// Input 82.
#[tokio::test(start_paused = true)]
async fn who_comes_back_may_decide_and_nobody_of_another_session() {
    let mut scene = scene([delete("a")]).await;
    say(&scene.session, "m-1", "Hi").await;
    let call_id = scene.call().await;
    let other = open(&scene.sessions, "other").await;
    let strange = other.submit(decision(call_id, true)).await;
    assert_eq!(refused_with(strange), ErrorCode::UnknownCall);
    let strange = scene
        .session
        .submit(decision(CallId::generate(), true))
        .await;
    assert_eq!(refused_with(strange), ErrorCode::UnknownCall);
    // Everybody leaves, for longer than a session lingers.
    let seen = scene.client.durable().last().unwrap().seq;
    let gone = std::mem::replace(
        &mut scene.client,
        Client::attach(&other, After::Start).await,
    );
    drop(gone);
    sleep(Duration::from_secs(120)).await;
    assert!(scene.deleted().is_empty());
    let after = After::Seq {
        seq: seen,
        epoch: None,
    };
    scene.client = Client::attach(&scene.session, after).await;
    scene.session.submit(decision(call_id, true)).await.unwrap();
    assert_eq!(scene.client.until_answer().await.content, "Done.");
    assert_eq!(scene.deleted().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_call_that_waits_when_the_answer_is_cancelled_is_told_as_not_run() {
    let mut scene = scene([delete("a")]).await;
    say(&scene.session, "m-1", "Hi").await;
    let call_id = scene.call().await;
    let cancel = ClientMessage::Cancel { response_id: None };
    scene.session.submit(cancel).await.unwrap();
    assert_eq!(why(scene.result().await).0, ToolErrorCode::NotApproved);
    let late = scene.session.submit(decision(call_id, true)).await;
    assert_eq!(refused_with(late), ErrorCode::UnknownCall);
    sleep(Duration::from_secs(1)).await;
    assert!(scene.deleted().is_empty());
}

#[tokio::test(start_paused = true)]
async fn calls_that_wait_for_a_person_keep_no_other_from_running() {
    let mut calls = vec![delete("a"); 6];
    calls.push(call("x", "wait", json!({"millis": 5})));
    let mut scene = scene(calls).await;
    let begun = Instant::now();
    say(&scene.session, "m-1", "Hi").await;
    let first = scene.result().await;
    assert_eq!((first.name.as_str(), first.ok), ("wait", true));
    assert!(begun.elapsed() < Duration::from_secs(1));
}

#[tokio::test(start_paused = true)]
async fn a_tool_that_comes_back_after_the_call_was_made_does_not_run_unasked() {
    let calls = (0..2).map(|_| call("w", "wait", json!({ "millis": 1_000 })));
    let calls: Vec<_> = calls.chain([delete("a")]).collect();
    let model = ScriptedModel::new([Reply::calls(calls), Reply::text(["Done."])]);
    let mut settings = SessionSettings::default();
    settings.max_parallel_tools = 1;
    let registry = tools();
    let sessions = SessionManager::builder(MemoryStore::default(), model)
        .settings(settings)
        .tools(registry.clone())
        .start();
    let session = open(&sessions, "s").await;
    let mut client = Client::attach(&session, After::Start).await;
    say(&session, "m-1", "Hi").await;
    client
        .until(|message| matches!(durable(message), Some(EventBody::ToolResult(_))).then_some(()))
        .await;
    let deleted: Arc<Mutex<Vec<Value>>> = Arc::default();
    let tool = Delete {
        spec: ToolSpec {
            name: "delete".to_owned(),
            description: "Deletes.".to_owned(),
            parameters: json!({ "type": "object" }),
        },
        deleted: Arc::clone(&deleted),
    };
    registry.add(tool).unwrap();
    client.until_answer().await;
    assert!(deleted.lock().unwrap().is_empty());
}

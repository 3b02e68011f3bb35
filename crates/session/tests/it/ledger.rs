//! A tool runs only when its call is safe, and never again when its process is lost.
#![expect(
    clippy::unwrap_used,
    reason = "what the tests share; one that cannot go on fails"
)]

use std::time::Duration;

use patter_llm::Message;
use patter_llm::{FinishReason as ModelFinish, ModelEvent};
use patter_protocol::{
    AiResponse, CallId, EventBody, FinishReason, JsonObject, Part, ResponseId, SessionStarted,
    Timing, ToolCall, ToolErrorCode, Usage, UserMessage,
};
use patter_session::{After, SessionManager, SessionSettings};
use patter_store::{Append, NewEvent, NewSession, Owner, SessionStore, Spool};
use patter_testkit::failing_store::Failure;
use patter_testkit::memory_spool::SpoolFailure;
use patter_testkit::memory_store::MemoryStore;
use patter_testkit::scripted_model::{Gate, Reply, ScriptedModel, Step, call, finish};
use serde_json::json;
use tokio::time::sleep;

use crate::support::bench::{Bench, Machine};
use crate::support::{self, Client, durable, manager, open, say};

/// Calls `note` when the gate is opened.
fn held_call(gate: &Gate) -> Reply {
    Reply::of([
        Step::Wait(gate.clone()),
        Step::Say(ModelEvent::ToolCall(call(
            "x",
            "note",
            json!({"millis": 1}),
        ))),
        finish(ModelFinish::ToolCalls),
    ])
}

/// Asks for a tool while the store hangs; gives the client behind the moment of the call.
async fn call_while_the_store_hangs(bench: &Bench, has_spool: bool) -> (SessionManager, Client) {
    let gate = Gate::default();
    bench.model.push(held_call(&gate));
    bench.model.push(Reply::text(["Done."]));
    let sessions = if has_spool {
        bench.manager()
    } else {
        bench.manager_without_spool()
    };
    let (session, mut client) = bench.join(&sessions).await;
    say(&session, "m-1", "Hi").await;
    client
        .until(|it| matches!(durable(it), Some(EventBody::UserMessage(_))).then_some(()))
        .await;
    bench.store.set(Failure::Hang);
    gate.open();
    client.read_for(Duration::from_millis(1_900)).await;
    assert_eq!(bench.runs(), 0);
    (sessions, client)
}

#[tokio::test(start_paused = true)]
async fn a_tool_does_not_run_before_its_call_is_stored() {
    let bench = Bench::new([]);
    let (_sessions, mut client) = call_while_the_store_hangs(&bench, false).await;
    client.read_for(Duration::from_secs(5)).await;
    assert_eq!((bench.runs(), client.count("tool_call")), (0, 0));
    bench.store.set(Failure::None);
    client.until_token("Done.").await;
    assert_eq!(bench.runs(), 1);
    client.until_answer().await;
    assert_eq!(
        client
            .durable()
            .iter()
            .map(|it| it.body.type_name())
            .collect::<Vec<_>>(),
        [
            "session_started",
            "user_message",
            "tool_call",
            "tool_result",
            "ai_response"
        ]
    );
}

#[tokio::test(start_paused = true)]
async fn or_before_it_is_kept_on_local_disk() {
    let bench = Bench::new([]);
    bench.spool.set(SpoolFailure::Full);
    let (_sessions, mut client) = call_while_the_store_hangs(&bench, true).await;
    client.read_for(Duration::from_secs(3)).await;
    assert_eq!(bench.runs(), 0);
    bench.spool.set(SpoolFailure::None);
    client.until_token("Done.").await;
    assert_eq!((bench.runs(), client.count("tool_call")), (1, 0));
    // The call, its result, the answer.
    client.read_for(Duration::from_secs(1)).await;
    assert_eq!(bench.spool.usage().events, 3);
    bench.store.set(Failure::None);
    client.until_answer().await;
    bench.settled().await;
}

#[test]
fn a_call_whose_process_is_lost_is_not_run_again_and_the_conversation_goes_on() {
    for kept_on_disk_only in [false, true] {
        let gate = Gate::default();
        let bench = Bench::new([
            Reply::of([
                Step::Wait(gate.clone()),
                Step::Say(ModelEvent::ToolCall(call(
                    "x",
                    "note",
                    json!({"millis": 60_000}),
                ))),
                Step::Say(ModelEvent::ToolCall(call(
                    "y",
                    "note",
                    json!({"millis": 1}),
                ))),
                finish(ModelFinish::ToolCalls),
            ]),
            Reply::text(["And on."]),
        ]);
        let mut machine = Machine::default();
        machine.run(async {
            let sessions = bench.manager();
            let (session, mut client) = bench.join(&sessions).await;
            say(&session, "m-1", "Hi").await;
            client.read_for(Duration::from_millis(100)).await;
            if kept_on_disk_only {
                bench.store.set(Failure::Unavailable);
            }
            gate.open();
            client.read_for(Duration::from_secs(1)).await;
        });
        assert_eq!(bench.runs(), 2);
        machine.run(async {
            bench.store.set(Failure::None);
            sleep(Duration::from_secs(16)).await;
            let sessions = bench.manager();
            let (session, mut client) = bench.join(&sessions).await;
            let Some(EventBody::AiResponse(lost)) = client.durable().pop().map(|it| it.body) else {
                panic!("{:?}", client.seen)
            };
            assert_eq!(lost.finish_reason, FinishReason::Interrupted);
            say(&session, "m-2", "Hi").await;
            assert_eq!(client.until_answer().await.content, "And on.");
            let outcomes: Vec<_> = client
                .durable()
                .into_iter()
                .filter_map(|event| match event.body {
                    EventBody::ToolResult(it) => Some(it.error.map(|error| error.code)),
                    _ => None,
                })
                .collect();
            assert_eq!(outcomes, [None, Some(ToolErrorCode::Interrupted)]);
            bench.settled().await;
        });
        assert_eq!(bench.runs(), 2);
        // The model checks that its calls and results fit.
        let asked = bench.model.requests().pop().unwrap().messages;
        assert!(
            matches!(
                asked.as_slice(),
                [
                    Message::User(_),
                    Message::Assistant(_),
                    Message::ToolResults(_),
                    Message::User(_)
                ]
            ),
            "{asked:#?}"
        );
    }
}

/// A store in which a process that died has left these events.
async fn left_behind(bodies: impl IntoIterator<Item = EventBody>) -> MemoryStore {
    let store = MemoryStore::default();
    let new = NewSession {
        session_id: "s".parse().unwrap(),
        user_id: None,
        metadata: JsonObject::new(),
    };
    let dead = Owner {
        id: "a process that died".to_owned(),
        lease: Duration::from_millis(1),
        linger: Duration::from_secs(30),
    };
    let claimed = store.claim(new, &dead).await.unwrap();
    let append = Append {
        session_id: "s".parse().unwrap(),
        fence: claimed.fence,
        events: bodies.into_iter().map(NewEvent::now).collect(),
    };
    store.append(vec![append]).await.pop().unwrap().unwrap();
    sleep(Duration::from_millis(2)).await;
    store
}

fn said(id: &str) -> EventBody {
    EventBody::UserMessage(UserMessage {
        id: support::message_id(id),
        content: id.to_owned(),
        metadata: JsonObject::new(),
        replaces: None,
    })
}

fn called(response_id: ResponseId, call_id: CallId) -> EventBody {
    EventBody::ToolCall(ToolCall {
        response_id,
        call_id,
        name: "wait".to_owned(),
        arguments: JsonObject::new(),
        needs_approval: false,
    })
}

#[tokio::test(start_paused = true)]
async fn what_a_lost_process_left_open_is_closed_as_interrupted() {
    let (response_id, call_id) = (ResponseId::generate(), CallId::generate());
    let store = left_behind([
        EventBody::SessionStarted(SessionStarted::default()),
        said("m-1"),
        said("m-2"),
        called(response_id, call_id),
    ])
    .await;

    let model = ScriptedModel::new([Reply::text(["Fine."])]);
    let sessions = manager(store.clone(), &model, SessionSettings::default());
    let session = open(&sessions, "s").await;
    let mut client = Client::attach(&session, After::Start).await;
    let first = client.until_answer().await;
    assert_eq!(
        (first.response_id, first.finish_reason),
        (response_id, FinishReason::Interrupted)
    );
    assert_eq!(first.message_id, support::message_id("m-1"));
    assert_eq!(first.parts, [Part::Call { call_id }]);
    let second = client.until_answer().await;
    assert_eq!(second.message_id, support::message_id("m-2"));
    assert_eq!(
        client.types(),
        [
            "session_ready",
            "session_started",
            "user_message",
            "tool_call",
            "tool_result",
            "ai_response"
        ]
    );
    say(&session, "m-3", "And now?").await;
    assert_eq!(client.until_answer().await.content, "Fine.");
}

#[tokio::test(start_paused = true)]
async fn of_several_answers_that_were_left_open_one_counts_and_none_is_left_open() {
    let answers = [ResponseId::generate(), ResponseId::generate()];
    let calls = answers.map(|response_id| called(response_id, CallId::generate()));
    let begun = [
        EventBody::SessionStarted(SessionStarted::default()),
        said("m-1"),
    ];
    let store = left_behind(begun.into_iter().chain(calls)).await;
    let sessions = manager(store, &ScriptedModel::default(), SessionSettings::default());
    let session = open(&sessions, "s").await;
    let mut client = Client::attach(&session, After::Start).await;
    for (response_id, superseded) in answers.into_iter().zip([false, true]) {
        let answer = client.until_answer().await;
        assert_eq!(answer.response_id, response_id);
        assert_eq!(answer.superseded, superseded);
        assert_eq!(answer.message_id, support::message_id("m-1"));
    }
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_was_being_given_again_when_its_process_was_lost_is_closed_too() {
    let [first, again] = [ResponseId::generate(), ResponseId::generate()];
    let call_id = CallId::generate();
    let answered = EventBody::AiResponse(AiResponse {
        response_id: first,
        message_id: support::message_id("m-1"),
        content: "First.".to_owned(),
        parts: Vec::new(),
        finish_reason: FinishReason::Stop,
        model: "m".to_owned(),
        provider: "p".to_owned(),
        route: None,
        usage: Usage::default(),
        cost_usd: None,
        timing: Timing::default(),
        supersedes: None,
        superseded: false,
    });
    let store = left_behind([
        EventBody::SessionStarted(SessionStarted::default()),
        said("m-1"),
        answered,
        called(again, call_id),
    ])
    .await;

    let model = ScriptedModel::default();
    let sessions = manager(store.clone(), &model, SessionSettings::default());
    let session = open(&sessions, "s").await;
    let mut client = Client::attach(&session, After::Start).await;
    assert_eq!(client.until_answer().await.response_id, first);
    let closed = client.until_answer().await;
    assert_eq!(
        (closed.response_id, closed.supersedes, closed.finish_reason),
        (again, Some(first), FinishReason::Interrupted)
    );
    assert_eq!(closed.message_id, support::message_id("m-1"));
    assert_eq!(closed.parts, [Part::Call { call_id }]);
}

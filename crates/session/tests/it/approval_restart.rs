//! A call that waits for a person goes on waiting when its process is lost or replaced, and runs once.
#![expect(clippy::unwrap_used, reason = "helpers of tests")]

use std::sync::Arc;
use std::time::Duration;

use patter_llm::{AssistantPart, FinishReason as ModelFinish, Message, ModelEvent, ProviderData};
use patter_protocol::{
    AiResponse, CallId, ClientMessage, ErrorCode, EventBody, FinishReason, LiveEvent, Part,
    ServerMessage, ToolErrorCode,
};
use patter_session::{After, OpenOptions, SessionHandle, SessionManager};
use patter_testkit::failing_store::Failure;
use patter_testkit::scripted_model::{Reply, Step, call, finish, text};
use patter_tools::{Approval, ToolPolicy};
use serde_json::json;
use tokio::time::sleep;

use crate::support::bench::{Bench, Machine, away, note, said};
use crate::support::{Client, durable, events_of, open, refused_with, say};

/// A manager whose tool `note` needs an approval.
fn manager(bench: &Bench) -> SessionManager {
    let tools = bench.tools();
    let policy = ToolPolicy {
        approval: Some(Approval::Always),
        ..ToolPolicy::default()
    };
    tools.add_policy("note", policy);
    SessionManager::builder(Arc::clone(&bench.store), bench.model.clone())
        .spool(bench.spool.clone())
        .tools(tools)
        .start()
}

/// A model that says something, calls `wait` and `note` in one step, and then is done.
fn script() -> [Reply; 2] {
    let calls = [
        call("x", "wait", json!({ "millis": 10 })),
        call("y", "note", json!({ "millis": 10 })),
    ];
    let mut step = Reply::of([text("Let me see. ")]);
    for call in calls {
        step = step.then(Step::Say(ModelEvent::ToolCall(call)));
    }
    [step.then(finish(ModelFinish::Stop)), Reply::text(["Done."])]
}

/// Asks until the session is free, as a client does.
async fn open_when_free(sessions: &SessionManager) -> SessionHandle {
    loop {
        match sessions
            .open("s".parse().unwrap(), OpenOptions::default())
            .await
        {
            Ok(session) => return session,
            Err(_) => sleep(Duration::from_millis(200)).await,
        }
    }
}

async fn call_that_waits(client: &mut Client) -> CallId {
    client
        .until(|message| match durable(message) {
            Some(EventBody::ToolCall(call)) if call.needs_approval => Some(call.call_id),
            _ => None,
        })
        .await
}

async fn result_of_the_other(client: &mut Client) {
    client
        .until(|message| match durable(message) {
            Some(EventBody::ToolResult(result)) if result.name == "wait" => Some(()),
            _ => None,
        })
        .await;
}

fn approval(call_id: CallId, approve: bool) -> ClientMessage {
    ClientMessage::ToolApproval {
        call_id,
        approve,
        reason: None,
    }
}

/// A process in which a message is answered, as far as a call that waits.
async fn a_call_waits(bench: &Bench) -> (SessionManager, SessionHandle, Client, CallId) {
    let sessions = manager(bench);
    let session = open(&sessions, "s").await;
    let mut client = Client::attach(&session, After::Start).await;
    say(&session, "m-1", "Hi").await;
    let call_id = call_that_waits(&mut client).await;
    (sessions, session, client, call_id)
}

/// A process in which a call waits, and that is lost then.
async fn is_lost_while_a_call_waits(bench: &Bench) -> CallId {
    let (_sessions, _session, mut client, call_id) = a_call_waits(bench).await;
    result_of_the_other(&mut client).await;
    call_id
}

async fn approved_after_the_restart(bench: &Bench, call_id: CallId) -> AiResponse {
    let sessions = manager(bench);
    let session = open_when_free(&sessions).await;
    let mut client = Client::attach(&session, After::Start).await;
    let shown = client
        .until(|message| match message {
            ServerMessage::Live(LiveEvent::ResponseSnapshot(snapshot)) => Some(snapshot.clone()),
            _ => None,
        })
        .await;
    assert_eq!(shown.content, "Let me see. ");
    assert_eq!(shown.index, 0);
    assert_eq!(shown.parts.len(), 3);
    sleep(Duration::from_secs(60)).await;
    assert_eq!(bench.runs(), 0);
    session.submit(approval(call_id, true)).await.unwrap();
    let answer = client.until_answer().await;
    let again = session.submit(approval(call_id, true)).await;
    assert_eq!(refused_with(again), ErrorCode::UnknownCall);
    answer
}

#[test]
fn a_call_that_waits_when_its_process_is_lost_runs_when_it_is_approved_at_the_next() {
    let bench = Bench::new(script());
    let mut machine = Machine::default();
    let call_id = machine.run(is_lost_while_a_call_waits(&bench));
    let answer = machine.run(approved_after_the_restart(&bench, call_id));
    assert_eq!(bench.runs(), 1);
    assert_eq!(answer.content, "Let me see. Done.");
    assert_eq!(answer.finish_reason, FinishReason::Stop);
    assert_eq!(answer.usage.output_tokens, Some(10), "both steps");
    assert_eq!(answer.parts.len(), 4);
    assert!(matches!(&answer.parts[2], Part::Call { call_id: id } if *id == call_id));

    // The model was shown the whole step, with the result of the other process.
    let requests = bench.model.requests();
    let [.., Message::Assistant(step), Message::ToolResults(results)] =
        requests[1].messages.as_slice()
    else {
        panic!("{:#?}", requests[1].messages)
    };
    let calls = step.parts.iter();
    let calls = calls.filter(|part| matches!(part, AssistantPart::ToolCall(_)));
    assert_eq!(calls.count(), 2);
    let names: Vec<_> = results.iter().map(|result| result.name.as_str()).collect();
    assert_eq!(names, ["wait", "note"]);
    assert!(
        results.iter().all(|result| result.outcome.is_ok()),
        "{results:?}"
    );
    machine.run(async {
        let log = bench.settled().await;
        let kinds: Vec<_> = log.iter().map(EventBody::type_name).collect();
        let expected = [
            "session_started",
            "user_message",
            "tool_call",
            "tool_call",
            "tool_result",
            "tool_approved",
            "tool_result",
            "ai_response",
        ];
        assert_eq!(kinds, expected);
    });
}

#[test]
fn a_call_that_waits_when_its_process_stops_in_order_is_handed_over() {
    let bench = Bench::new(script());
    let mut machine = Machine::default();
    let call_id = machine.run(async {
        let (sessions, _session, mut client, call_id) = a_call_waits(&bench).await;
        result_of_the_other(&mut client).await;
        let begun = tokio::time::Instant::now();
        sessions.shutdown(Duration::from_secs(30)).await;
        assert!(
            begun.elapsed() < Duration::from_secs(20),
            "nobody is waited for"
        );
        call_id
    });
    let answer = machine.run(approved_after_the_restart(&bench, call_id));
    assert_eq!(answer.content, "Let me see. Done.");
    assert_eq!(bench.runs(), 1);
}

#[test]
fn a_call_whose_approval_was_stored_before_its_process_was_lost_does_not_run_again() {
    let step = [Reply::calls([call(
        "y",
        "note",
        json!({ "millis": 60_000 }),
    )])];
    let bench = Bench::new(step.into_iter().chain([Reply::text(["Done."])]));
    let mut machine = Machine::default();
    machine.run(async {
        let (_sessions, session, mut client, call_id) = a_call_waits(&bench).await;
        session.submit(approval(call_id, true)).await.unwrap();
        client.read_for(Duration::from_secs(1)).await;
        assert_eq!(bench.runs(), 1);
    });
    machine.run(async {
        let sessions = manager(&bench);
        open_when_free(&sessions).await;
        sleep(Duration::from_secs(5)).await;
        let log = events_of(&bench.memory).await;
        let error = log.iter().find_map(|event| match &event.body {
            EventBody::ToolResult(result) => result.error.clone(),
            _ => None,
        });
        assert_eq!(error.unwrap().code, ToolErrorCode::Interrupted);
        assert_eq!(bench.runs(), 1);
    });
}

#[test]
fn an_approval_runs_nothing_while_it_is_on_the_disk_of_one_machine_alone() {
    let bench = Bench::new([note(10), Reply::text(["Done."])]);
    let mut machine = Machine::default();
    machine.run(async {
        let (_sessions, session, mut client, call_id) = a_call_waits(&bench).await;
        away(&bench);
        session.submit(approval(call_id, true)).await.unwrap();
        client.read_for(Duration::from_secs(5)).await;
        assert_eq!(bench.runs(), 0);
        bench.store.set(Failure::None);
        assert_eq!(client.until_answer().await.content, "Done.");
        assert_eq!(bench.runs(), 1);
    });
}

#[test]
fn a_call_that_nobody_came_back_for_is_told_as_not_run() {
    let bench = Bench::new(script());
    let mut machine = Machine::default();
    machine.run(is_lost_while_a_call_waits(&bench));
    machine.run(async {
        let _sessions = manager(&bench);
        sleep(Duration::from_secs(300)).await;
        let log = bench.settled().await;
        let errors: Vec<_> = log
            .iter()
            .filter_map(|body| match body {
                EventBody::ToolResult(result) => result.error.clone(),
                _ => None,
            })
            .collect();
        let [error] = errors.as_slice() else {
            panic!("{errors:?}")
        };
        assert_eq!(error.code, ToolErrorCode::NotApproved);
        assert_eq!(said(&log)[1], ("", FinishReason::Interrupted));
        assert_eq!(bench.runs(), 0);
    });
}

#[test]
fn what_a_provider_wants_to_see_again_survives_too() {
    let data = ProviderData {
        kind: "scripted".to_owned(),
        data: json!({ "signature": "abc" }),
    };
    let first = Reply::of([]).then(Step::Say(ModelEvent::ToolCall(call(
        "y",
        "note",
        json!({ "millis": 1 }),
    ))));
    let first = first.then(Step::Say(ModelEvent::Finish {
        reason: ModelFinish::ToolCalls,
        usage: patter_llm::Usage::default(),
        provider_data: Some(data.clone()),
    }));
    let bench = Bench::new([first, Reply::text(["Done."])]);
    let mut machine = Machine::default();
    let call_id = machine.run(async {
        let sessions = manager(&bench);
        let session = open(&sessions, "s").await;
        let mut client = Client::attach(&session, After::Start).await;
        say(&session, "m-1", "Hi").await;
        call_that_waits(&mut client).await
    });
    machine.run(async {
        let sessions = manager(&bench);
        let session = open_when_free(&sessions).await;
        let mut client = Client::attach(&session, After::Start).await;
        session.submit(approval(call_id, false)).await.unwrap();
        assert_eq!(client.until_answer().await.content, "Done.");
    });
    let requests = bench.model.requests();
    let steps = requests[1]
        .messages
        .iter()
        .filter_map(|message| match message {
            Message::Assistant(step) => Some(step.provider_data.clone()),
            _ => None,
        });
    assert_eq!(steps.collect::<Vec<_>>(), [Some(data)]);
}

#[test]
fn a_call_that_was_kept_on_disk_alone_waits_on_after_a_restart_and_is_asked_about_again() {
    let bench = Bench::new([note(10), Reply::text(["Done."])]);
    let mut machine = Machine::default();
    let call_id = machine.run(async {
        let (_sessions, session, mut client, call_id) = a_call_waits(&bench).await;
        away(&bench);
        // Kept on this disk, where it lets nothing run.
        session.submit(approval(call_id, true)).await.unwrap();
        client.read_for(Duration::from_secs(5)).await;
        call_id
    });
    machine.run(async {
        bench.store.set(Failure::None);
        let sessions = manager(&bench);
        let session = open_when_free(&sessions).await;
        let mut client = Client::attach(&session, After::Start).await;
        client.read_for(Duration::from_secs(5)).await;
        assert_eq!(bench.runs(), 0);
        session.submit(approval(call_id, true)).await.unwrap();
        assert_eq!(client.until_answer().await.content, "Done.");
        assert_eq!(bench.runs(), 1);
    });
}

#[test]
fn nobody_decides_while_the_process_stops() {
    let bench = Bench::new(script());
    let mut machine = Machine::default();
    machine.run(async {
        let (sessions, session, mut client, call_id) = a_call_waits(&bench).await;
        result_of_the_other(&mut client).await;
        // What is not stored keeps the session from leaving.
        away(&bench);
        say(&session, "m-2", "Go on").await;
        let stopping = sessions.shutdown(Duration::from_secs(10));
        let deciding = async {
            sleep(Duration::from_millis(6_500)).await;
            session.submit(approval(call_id, true)).await
        };
        let ((), decided) = tokio::join!(stopping, deciding);
        assert!(decided.is_err(), "{decided:?}");
        assert_eq!(bench.runs(), 0);
    });
}

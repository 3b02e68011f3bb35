//! A process dies in an outage, and somebody else has its sessions before the next one on its machine
//! stores what it kept.

use std::time::Duration;

use patter_llm::{AssistantMessage, FinishReason as ModelFinish, Message, ModelEvent};
use patter_protocol::{EventBody, FinishReason};
use patter_session::After;
use patter_store::{SessionStore, Spool};
use patter_testkit::failing_store::Failure;
use patter_testkit::scripted_model::{Reply, ScriptedModel, Step, call, finish, overloaded};
use patter_testkit::store_conformance::sample::{lease, owner, session};
use serde_json::json;
use tokio::time::sleep;

use crate::support::bench::{Bench, Machine, away, dies_in_an_outage, note, said, script};
use crate::support::{self, Client, open, say};

#[test]
fn what_was_kept_goes_in_though_somebody_else_has_had_the_session() {
    let bench = Bench::new(script());
    let mut machine = Machine::default();
    machine.run(dies_in_an_outage(&bench));
    machine.run(async {
        sleep(Duration::from_secs(16)).await;
        // A client went elsewhere, and sent again what was not answered as far as it knows.
        let sessions = bench.elsewhere(&ScriptedModel::new([
            Reply::text(["2 elsewhere"]),
            Reply::text(["4"]),
        ]));
        let (session, mut client) = bench.join(&sessions).await;
        for id in ["m-2", "m-4"] {
            say(&session, id, "Hi").await;
            client
                .until(|it| match support::durable(it) {
                    Some(EventBody::AiResponse(it)) => (it.message_id.as_str() == id).then_some(()),
                    _ => None,
                })
                .await;
        }
        sessions.shutdown(Duration::from_secs(5)).await;
    });
    machine.run(async {
        bench.store.set(Failure::None);
        let sessions = bench.manager();
        sleep(Duration::from_secs(10)).await;
        assert!(sessions.is_recovered());
        let log = bench.settled().await;
        let stop = FinishReason::Stop;
        assert_eq!(
            said(&log),
            [
                ("m-1", stop),
                ("1", stop),
                ("m-2", stop),
                ("2 elsewhere", stop),
                ("m-4", stop),
                ("4", stop),
                ("2", stop),
                ("m-3", stop),
                ("", FinishReason::Interrupted)
            ]
        );
        let superseded = |body: &EventBody| match body {
            EventBody::AiResponse(it) => it.superseded.then(|| it.content.clone()),
            _ => None,
        };
        let superseded: Vec<_> = log.iter().filter_map(superseded).collect();
        assert_eq!(superseded, ["2"], "what the other one said counts");
        let (session, _client) = bench.join(&sessions).await;
        say(&session, "m-5", "Hi").await;
        bench.settled().await;
        let asked = bench.model.requests().pop().unwrap().messages;
        let elsewhere = Message::Assistant(AssistantMessage::text("2 elsewhere"));
        assert!(asked.contains(&elsewhere), "{asked:#?}");
    });
}

#[test]
fn a_call_that_was_kept_is_stored_though_somebody_had_the_session_and_said_nothing() {
    let bench = Bench::new([note(60_000)]);
    let mut machine = Machine::default();
    machine.run(async {
        let sessions = bench.manager();
        let (session, mut client) = bench.join(&sessions).await;
        away(&bench);
        say(&session, "m-1", "Hi").await;
        client.until_accepted("m-1").await;
        client.read_for(Duration::from_secs(3)).await;
    });
    assert_eq!(bench.runs(), 1);
    machine.run(async {
        sleep(Duration::from_secs(16)).await;
        let other = owner("other");
        let claimed = bench.memory.claim(session(&"s".parse().unwrap()), &other);
        let lease = lease(&claimed.await.unwrap());
        bench.memory.release(&other, &lease).await.unwrap();
        bench.store.set(Failure::None);
        let _sessions = bench.manager();
        sleep(Duration::from_secs(10)).await;
        let log = bench.settled().await;
        let types: Vec<_> = log.iter().map(EventBody::type_name).collect();
        let expected = [
            "session_started",
            "user_message",
            "tool_call",
            "tool_result",
            "ai_response",
        ];
        assert_eq!(types, expected);
    });
}

#[test]
fn a_process_is_ready_though_somebody_else_goes_on_with_a_session_of_which_its_disk_has_something()
{
    let bench = Bench::new(script());
    let mut machine = Machine::default();
    machine.run(dies_in_an_outage(&bench));
    machine.run(async {
        sleep(Duration::from_secs(16)).await;
        let sessions = bench.elsewhere(&ScriptedModel::default());
        let session = open(&sessions, "s").await;
        let _client = Client::attach(&session, After::Start).await;
        bench.store.set(Failure::None);
        let here = bench.manager();
        sleep(Duration::from_secs(14)).await;
        assert!(!here.is_recovered(), "the other one may be dead");
        sleep(Duration::from_secs(4)).await;
        assert!(here.is_recovered());

        assert_eq!(bench.spool.sessions().len(), 1);
        sessions.shutdown(Duration::from_secs(5)).await;
        bench.settled().await;
    });
}

#[test]
fn an_answer_that_somebody_else_had_to_close_is_told_to_its_end_under_another_id() {
    let bench = Bench::new([note(1_000), note(1_000), Reply::text(["Done."])]);
    let mut machine = Machine::default();
    machine.run(async {
        let sessions = bench.manager();
        let (session, mut client) = bench.join(&sessions).await;
        say(&session, "m-1", "Hi").await;
        client
            .until(|it| matches!(support::durable(it), Some(EventBody::ToolCall(_))).then_some(()))
            .await;
        away(&bench);
        client.until_token("Done.").await;
        client.read_for(Duration::from_secs(1)).await;
    });
    assert_eq!(bench.runs(), 2);
    machine.run(async {
        sleep(Duration::from_secs(16)).await;
        let sessions = bench.elsewhere(&ScriptedModel::default());
        open(&sessions, "s").await;
        sessions.shutdown(Duration::from_secs(5)).await;
    });
    machine.run(async {
        bench.store.set(Failure::None);
        let sessions = bench.manager();
        sleep(Duration::from_secs(10)).await;
        let log = bench.settled().await;
        let stop = FinishReason::Stop;
        assert_eq!(
            said(&log),
            [
                ("m-1", stop),
                ("", FinishReason::Interrupted),
                ("Done.", stop)
            ]
        );
        assert_eq!(
            log.iter()
                .filter(|it| it.type_name() == "tool_call")
                .count(),
            2
        );
        drop(sessions);
    });
}

#[test]
fn a_call_that_was_kept_has_no_place_where_somebody_else_has_closed_its_answer() {
    let late_call = Reply::of([
        Step::Pause(Duration::from_secs(1)),
        Step::Say(ModelEvent::ToolCall(call(
            "x",
            "note",
            json!({"millis": 60_000}),
        ))),
        finish(ModelFinish::ToolCalls),
    ]);
    let bench = Bench::new([late_call]);
    let mut machine = Machine::default();
    machine.run(async {
        let sessions = bench.manager();
        let (session, mut client) = bench.join(&sessions).await;
        say(&session, "m-1", "Hi").await;
        away(&bench);
        client.read_for(Duration::from_secs(3)).await;
        say(&session, "m-2", "Hi").await;
        client.until_accepted("m-2").await;
    });
    assert_eq!(bench.runs(), 1, "the call was kept, and ran");
    machine.run(async {
        sleep(Duration::from_secs(16)).await;
        let sessions = bench.elsewhere(&ScriptedModel::default());
        open(&sessions, "s").await;
        sessions.shutdown(Duration::from_secs(5)).await;
    });
    machine.run(async {
        bench.store.set(Failure::None);
        let _sessions = bench.manager();
        sleep(Duration::from_secs(10)).await;
        let log = bench.settled().await;
        let types: Vec<_> = log.iter().map(EventBody::type_name).collect();
        let expected = [
            "session_started",
            "user_message",
            "ai_response",
            "user_message",
            "ai_response",
        ];
        assert_eq!(types, expected);
    });
}

#[test]
fn what_somebody_else_could_not_answer_gives_way_to_the_answer_that_was_kept() {
    let bench = Bench::new([Reply::text(["Whole."])]);
    let mut machine = Machine::default();
    machine.run(async {
        let sessions = bench.manager();
        let (session, mut client) = bench.join(&sessions).await;
        away(&bench);
        say(&session, "m-1", "Hi").await;
        client.until_accepted("m-1").await;
        client.read_for(Duration::from_secs(3)).await;
    });
    machine.run(async {
        sleep(Duration::from_secs(16)).await;
        let refused = (0..4).map(|_| Reply::refused(overloaded()));
        let sessions = bench.elsewhere(&ScriptedModel::new(refused));
        let (session, mut client) = bench.join(&sessions).await;
        say(&session, "m-1", "Hi").await;
        assert_eq!(
            client.until_answer().await.finish_reason,
            FinishReason::Error
        );
        sessions.shutdown(Duration::from_secs(5)).await;
    });
    machine.run(async {
        bench.store.set(Failure::None);
        let _sessions = bench.manager();
        sleep(Duration::from_secs(10)).await;
        let log = bench.settled().await;
        let counts = |body: &EventBody| match body {
            EventBody::AiResponse(it) => Some((it.content.clone(), it.supersedes.is_some())),
            _ => None,
        };
        let answers: Vec<_> = log.iter().filter_map(counts).collect();
        assert_eq!(
            answers,
            [(String::new(), false), ("Whole.".to_owned(), true)]
        );
    });
}

//! One process at a time runs a session, and one of them finalizes it.
#![expect(
    clippy::indexing_slicing,
    reason = "what the tests share; one that cannot go on fails"
)]

use std::sync::Arc;
use std::time::Duration;

use patter_llm::{FinishReason as ModelFinish, ModelEvent};
use patter_protocol::{CloseCode, EndReason, EventBody, FinishReason};
use patter_session::{After, OpenOptions, SessionError, SessionSettings};
use patter_store::Spool;
use patter_testkit::failing_store::{FailingStore, Failure};
use patter_testkit::memory_store::MemoryStore;
use patter_testkit::scripted_model::{Gate, Reply, ScriptedModel, Step, call, finish, text};
use serde_json::json;
use tokio::time::{Instant, sleep};

use crate::support::bench::{Bench, Machine};
use crate::support::{Client, durable, ended, log_of, manager, open, say};

#[tokio::test(start_paused = true)]
async fn a_session_that_another_process_runs_is_refused_after_three_seconds() {
    let bench = Bench::new([]);
    let one = bench.manager();
    open(&one, "s").await;
    let two = bench.elsewhere(&ScriptedModel::default());
    let begun = Instant::now();
    let refused = two.open("s".parse().unwrap(), OpenOptions::default()).await;
    let Err(SessionError::Owned { free_in, .. }) = refused else {
        panic!("{refused:?}")
    };
    assert!(free_in <= Duration::from_secs(15));
    let waited = begun.elapsed().as_millis();
    assert!((3_000..3_500).contains(&waited), "{waited} ms");
    assert!(one.is_live(&"s".parse().unwrap()));
}

#[tokio::test(start_paused = true)]
async fn whoever_waits_for_a_session_gets_it_as_soon_as_it_is_handed_over() {
    let bench = Bench::new([]);
    let one = bench.manager();
    open(&one, "s").await;
    let two = bench.elsewhere(&ScriptedModel::default());
    let stop = async {
        sleep(Duration::from_secs(1)).await;
        one.shutdown(Duration::from_secs(10)).await;
    };
    let begun = Instant::now();
    let waiting = async {
        open(&two, "s").await;
        begun.elapsed()
    };
    let (waited, ()) = tokio::join!(waiting, stop);
    assert!(waited < Duration::from_millis(1_500), "{waited:?}");
}

#[tokio::test(start_paused = true)]
async fn a_session_is_taken_over_after_the_lease_and_its_old_owner_does_no_harm() {
    let gate = Gate::default();
    let bench = Bench::new([Reply::of([
        text("a"),
        Step::Wait(gate.clone()),
        text("b"),
        Step::Say(ModelEvent::ToolCall(call(
            "x",
            "note",
            json!({"millis": 1}),
        ))),
        finish(ModelFinish::ToolCalls),
    ])]);
    let one = bench.manager_without_spool();
    let (session, mut left) = bench.join(&one).await;
    say(&session, "m-1", "Hi").await;
    left.until_token("a").await;
    left.until(|it| matches!(durable(it), Some(EventBody::UserMessage(_))).then_some(()))
        .await;

    bench.store.set(Failure::Unavailable);
    sleep(Duration::from_secs(16)).await;
    let two = bench.elsewhere(&ScriptedModel::new([Reply::text(["Mine."])]));
    let taken_over = open(&two, "s").await;
    let mut client = Client::attach(&taken_over, After::Start).await;
    assert_eq!(
        client.until_answer().await.finish_reason,
        FinishReason::Interrupted
    );
    // The old owner does not know yet. Its answer goes on, and comes to a tool.
    gate.open();
    left.until_token("b").await;
    sleep(Duration::from_secs(1)).await;
    bench.store.set(Failure::None);
    let begun = Instant::now();
    assert_eq!(left.until_closed().await, CloseCode::Moved);
    assert!(begun.elapsed() < Duration::from_secs(6));
    assert!(!one.is_live(&"s".parse().unwrap()));
    assert_eq!(bench.runs(), 0);

    say(&taken_over, "m-2", "Hi").await;
    assert_eq!(client.until_answer().await.content, "Mine.");
    let log = bench.settled().await;
    assert_eq!(log.len(), 5, "{log:#?}");
    assert!(!log.iter().any(|it| it.type_name() == "tool_call"));
}

#[tokio::test(start_paused = true)]
async fn an_owner_without_anything_to_say_finds_out_as_well() {
    let bench = Bench::new([]);
    let one = bench.manager();
    let mut left = Client::attach(&open(&one, "s").await, After::Start).await;
    left.next().await.unwrap();
    bench.store.set(Failure::Hang);
    sleep(Duration::from_secs(16)).await;
    let two = bench.elsewhere(&ScriptedModel::default());
    open(&two, "s").await;
    bench.store.set(Failure::None);
    let begun = Instant::now();
    assert_eq!(left.until_closed().await, CloseCode::Moved);
    assert!(begun.elapsed() < Duration::from_secs(6));
}

#[tokio::test(start_paused = true)]
async fn a_tool_that_waits_for_the_lease_is_not_run_when_it_is_lost() {
    let bench = Bench::new([Reply::of([
        Step::Pause(Duration::from_secs(20)),
        Step::Say(ModelEvent::ToolCall(call(
            "x",
            "note",
            json!({"millis": 1}),
        ))),
        finish(ModelFinish::ToolCalls),
    ])]);
    let one = bench.manager();
    let (session, mut left) = bench.join(&one).await;
    say(&session, "m-1", "Hi").await;
    left.until(|it| matches!(durable(it), Some(EventBody::UserMessage(_))).then_some(()))
        .await;
    bench.store.set(Failure::Unavailable);
    // The call is safe, in the spool; the lease is not.
    left.read_for(Duration::from_secs(25)).await;
    assert_eq!(bench.spool.usage().events, 1);
    let two = bench.elsewhere(&ScriptedModel::default());
    open(&two, "s").await;
    bench.store.set(Failure::None);
    assert_eq!(left.until_closed().await, CloseCode::Moved);
    assert_eq!(bench.runs(), 0);
}

/// One process leaves a session; three others are there. Gives why it was finalized.
fn swept(hands_over: bool, unowned_for: u64) -> EndReason {
    let bench = Bench::new([Reply::of([text("a"), Step::Hang])]);
    let mut machine = Machine::default();
    machine.run(async {
        let sessions = bench.manager();
        let (session, mut client) = bench.join(&sessions).await;
        say(&session, "m-1", "Hi").await;
        client.until_token("a").await;
        client.read_for(Duration::from_millis(100)).await;
        if hands_over {
            sessions.hurry();
            sessions.shutdown(Duration::from_secs(10)).await;
        }
    });
    machine.run(async {
        let others: Vec<_> = (0..3)
            .map(|_| bench.elsewhere(&ScriptedModel::default()))
            .collect();
        sleep(Duration::from_secs(unowned_for - 1)).await;
        let log = log_of(&bench.memory).await;
        assert!(
            !log.iter()
                .any(|it| matches!(it, EventBody::SessionEnded(_)))
        );
        sleep(Duration::from_secs(8)).await;
        let log = log_of(&bench.memory).await;
        assert!(
            log.iter()
                .any(|it| matches!(it, EventBody::SessionEnded(_)))
        );
        sleep(Duration::from_secs(600)).await;
        assert!(others.iter().all(|other| other.live_count() == 0));
        let log = bench.settled().await;
        let ends: Vec<_> = log
            .iter()
            .filter_map(|body| match body {
                EventBody::SessionEnded(end) => Some(end.reason),
                _ => None,
            })
            .collect();
        assert_eq!(ends.len(), 1, "{log:#?}");
        ends[0]
    })
}

#[test]
fn what_a_lost_process_had_is_finalized_once_after_lease_and_linger() {
    for _ in 0..5 {
        assert_eq!(swept(false, 45), EndReason::Recovered);
    }
}

#[test]
fn what_was_handed_over_is_finalized_once_after_the_linger() {
    for _ in 0..5 {
        assert_eq!(swept(true, 30), EndReason::Shutdown);
    }
}

#[tokio::test(start_paused = true)]
async fn nobody_finalizes_a_session_in_which_somebody_is() {
    let bench = Bench::new([]);
    let one = bench.manager();
    let others = [(); 2].map(|()| bench.elsewhere(&ScriptedModel::default()));
    let mut client = Client::attach(&open(&one, "s").await, After::Start).await;
    client.read_for(Duration::from_secs(1_000)).await;
    assert!(one.is_live(&"s".parse().unwrap()));
    assert_eq!(log_of(&bench.memory).await.len(), 1);
    drop(client);
    sleep(Duration::from_secs(60)).await;
    assert_eq!(ended(&bench.memory).await.reason, EndReason::Disconnect);
    drop(others);
}

#[tokio::test(start_paused = true)]
async fn after_an_outage_of_all_the_owners_have_time_to_come_back() {
    for (failure, round) in [Failure::Unavailable, Failure::Hang]
        .into_iter()
        .flat_map(|failure| (0..20).map(move |round| (failure, round)))
    {
        let memory = MemoryStore::default();
        let store = Arc::new(FailingStore::new(Arc::new(memory.clone())));
        let model = ScriptedModel::default();
        let start = || manager(Arc::clone(&store), &model, SessionSettings::default());
        let one = start();
        let mut client = Client::attach(&open(&one, "s").await, After::Start).await;
        client.read_for(Duration::from_millis(100)).await;
        let others = [(); 2].map(|()| start());
        store.set(failure);
        client
            .read_for(Duration::from_secs(600) + Duration::from_millis(round * 257))
            .await;
        store.set(Failure::None);
        client.read_for(Duration::from_secs(60)).await;
        assert!(one.is_live(&"s".parse().unwrap()), "{failure:?} {round}");
        assert_eq!(log_of(&memory).await.len(), 1);
        drop(others);
    }
}

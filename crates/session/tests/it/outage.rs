//! The store is away, and nothing that was accepted is lost.
#![expect(
    clippy::panic,
    reason = "what the tests share; one that cannot go on fails"
)]

use std::time::Duration;

use patter_llm::{FinishReason as ModelFinish, ModelEvent};
use patter_protocol::{
    ClientMessage, CloseCode, ErrorCode, EventBody, FinishReason, LiveEvent, NoticeCode,
    ServerMessage,
};
use patter_session::{Receipt, Refusal, SessionHandle};
use patter_store::Spool;
use patter_testkit::failing_store::Failure;
use patter_testkit::memory_spool::{MemorySpool, SpoolFailure};
use patter_testkit::scripted_model::{Gate, Reply, ScriptedModel, Step, call, finish, text};
use serde_json::json;
use tokio::time::{Instant, sleep, timeout};

use crate::support::bench::{Bench, away};
use crate::support::{durable, message, message_id, refused_with, say};

async fn submit(session: &SessionHandle, id: &str) -> Result<Receipt, Refusal> {
    let message = ClientMessage::UserMessage(message(id, "Hi"));
    session.submit(message).await
}

/// An answer that waits in its middle.
fn held(gate: &Gate) -> Reply {
    Reply::of([
        text("a"),
        Step::Wait(gate.clone()),
        text("b"),
        finish(ModelFinish::Stop),
    ])
}

#[tokio::test(start_paused = true)]
async fn a_message_is_accepted_when_it_is_kept_and_stored_in_order_when_the_store_is_back() {
    let bench = Bench::new([Reply::text(["1"]), Reply::text(["2"]), Reply::text(["3"])]);
    let sessions = bench.manager();
    let (session, mut client) = bench.join(&sessions).await;
    say(&session, "m-1", "Hi").await;
    client.until_answer().await;

    // The first one finds out that the store is away, the second one knows.
    away(&bench);
    bench.spool.set(SpoolFailure::Hang);
    say(&session, "m-2", "Hi").await;
    client.until_token("2").await;
    let second = submit(&session, "m-3");
    tokio::pin!(second);
    timeout(Duration::from_secs(1), &mut second)
        .await
        .unwrap_err();
    client.read_for(Duration::from_secs(1)).await;
    assert_eq!(
        (client.count("accepted"), bench.model.requests().len()),
        (0, 2)
    );
    bench.spool.set(SpoolFailure::None);
    assert_eq!(second.await, Ok(Receipt::Taken));
    client.until_accepted("m-2").await;
    assert!(bench.keeps("m-2").await);
    client.until_accepted("m-3").await;
    assert!(bench.keeps("m-3").await);
    client.until_token("3").await;
    client.until_finished().await;

    // Sent again, they are not answered again.
    for id in ["m-2", "m-3"] {
        let Ok(Receipt::Repeated(frame)) = submit(&session, id).await else {
            panic!()
        };
        let Ok(ServerMessage::Live(LiveEvent::Accepted(accepted))) = frame.message() else {
            panic!("{}", frame.as_str())
        };
        assert_eq!(accepted.id, message_id(id));
    }
    bench.store.set(Failure::None);
    client.until_notice(NoticeCode::StoreRecovered).await;
    assert_eq!(
        client.notices(),
        [NoticeCode::StoreDegraded, NoticeCode::StoreRecovered]
    );
    assert_eq!(bench.settled().await.len(), 7);
    let told: Vec<_> = client.durable().into_iter().map(|it| it.body).collect();
    assert_eq!(told, bench.settled().await);
    let order: Vec<_> = told
        .iter()
        .filter_map(|body| match body {
            EventBody::UserMessage(it) => Some(it.id.as_str()),
            EventBody::AiResponse(it) => Some(it.content.as_str()),
            _ => None,
        })
        .collect();
    assert_eq!(order, ["m-1", "1", "m-2", "2", "m-3", "3"]);
    assert_eq!(bench.model.requests().len(), 3);
    let Ok(Receipt::Repeated(frame)) = submit(&session, "m-3").await else {
        panic!()
    };
    assert_eq!(frame.seq(), Some(6));
}

/// Refuses a message in an outage, since the spool is as it is; then `mend` is done, and it is taken.
async fn refuses(mut bench: Bench, has_spool: bool, spool: MemorySpool, mend: impl Fn(&Bench)) {
    let gate = Gate::default();
    bench.spool = spool;
    bench.model.push(held(&gate));
    bench.model.push(Reply::text(["c"]));
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
    away(&bench);
    gate.open();
    client.until_notice(NoticeCode::StoreDegraded).await;
    client.read_for(Duration::from_millis(100)).await;
    let Err(Refusal::Refused(refused)) = submit(&session, "m-2").await else {
        panic!()
    };
    assert_eq!(refused.code, ErrorCode::StoreUnavailable);
    assert!(refused.retryable);
    assert_eq!(refused.message_id, Some(message_id("m-2")));
    client.read_for(Duration::from_secs(2)).await;
    assert_eq!(client.count("accepted"), 0);
    assert_eq!(bench.model.requests().len(), 1);

    mend(&bench);
    client.read_for(Duration::from_secs(3)).await;
    assert_eq!(submit(&session, "m-2").await, Ok(Receipt::Taken));
    client.until_token("c").await;
    bench.store.set(Failure::None);
    client.read_for(Duration::from_secs(6)).await;
    assert_eq!(client.tokens(), "c");
    let order: Vec<_> = bench
        .settled()
        .await
        .into_iter()
        .map(|body| body.type_name())
        .collect();
    assert_eq!(
        order,
        [
            "session_started",
            "user_message",
            "ai_response",
            "user_message",
            "ai_response"
        ]
    );
}

#[tokio::test(start_paused = true)]
async fn a_message_that_cannot_be_kept_is_not_taken_until_it_can() {
    let bench = || Bench::new([]);
    let none = MemorySpool::default();
    refuses(bench(), false, none, |bench| bench.store.set(Failure::None)).await;
    for failure in [SpoolFailure::Full, SpoolFailure::Unavailable] {
        let failing = MemorySpool::default();
        failing.set(failure);
        refuses(bench(), true, failing, |bench| {
            bench.spool.set(SpoolFailure::None);
        })
        .await;
    }
    // The end of the first answer is all that has room.
    let small = MemorySpool::with_limits(1, Duration::from_secs(600));
    refuses(bench(), true, small, |bench| bench.store.set(Failure::None)).await;
    let impatient = MemorySpool::with_limits(1 << 20, Duration::from_millis(1));
    refuses(bench(), true, impatient, |bench| {
        bench.store.set(Failure::None);
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_store_that_takes_longer_than_two_seconds_counts_as_one_that_is_away() {
    let bench = Bench::new([Reply::text(["1"]), Reply::text(["2"])]);
    let sessions = bench.manager();
    let (session, mut client) = bench.join(&sessions).await;
    client.read_for(Duration::from_millis(100)).await;
    bench.store.set(Failure::Hang);
    let begun = Instant::now();
    say(&session, "m-1", "Hi").await;
    client.until_notice(NoticeCode::StoreDegraded).await;
    assert_eq!(begun.elapsed().as_secs(), 2);
    client.until_accepted("m-1").await;
    assert_eq!(submit(&session, "m-2").await, Ok(Receipt::Taken));
    client.until_accepted("m-2").await;
    client.until_token("2").await;
    sleep(Duration::from_secs(60)).await;
    bench.store.set(Failure::None);
    client.until_notice(NoticeCode::StoreRecovered).await;
    assert_eq!(bench.settled().await.len(), 5);
    assert_eq!(client.durable().len(), 5);
}

#[tokio::test(start_paused = true)]
async fn nothing_is_begun_after_two_thirds_of_a_lease_and_it_is_when_the_store_is_back() {
    let bench = Bench::new([
        Reply::of([
            text("a"),
            Step::Pause(Duration::from_secs(20)),
            text("b"),
            Step::Say(ModelEvent::ToolCall(call(
                "x",
                "note",
                json!({"millis": 1}),
            ))),
            finish(ModelFinish::ToolCalls),
        ]),
        Reply::text(["c"]),
        Reply::text(["d"]),
    ]);
    let sessions = bench.manager();
    let (session, mut client) = bench.join(&sessions).await;
    say(&session, "m-1", "Hi").await;
    client.until_token("a").await;
    away(&bench);
    // The answer in flight goes on, but the tool that it wants is not run.
    client.until_token("b").await;
    client.read_for(Duration::from_secs(60)).await;
    assert_eq!(bench.runs(), 0);
    assert_eq!(submit(&session, "m-2").await, Ok(Receipt::Taken));
    client.read_for(Duration::from_secs(60)).await;
    assert_eq!(bench.model.requests().len(), 1);

    bench.store.set(Failure::None);
    let begun = Instant::now();
    client.until_token("d").await;
    assert!(begun.elapsed() < Duration::from_secs(6));
    assert_eq!((bench.runs(), bench.model.requests().len()), (1, 3));
    bench.settled().await;
}

#[tokio::test(start_paused = true)]
async fn cancel_works_while_the_store_is_away() {
    let bench = Bench::new([Reply::of([text("a"), Step::Hang])]);
    let sessions = bench.manager();
    let (session, mut client) = bench.join(&sessions).await;
    let cancel = ClientMessage::Cancel { response_id: None };
    away(&bench);
    say(&session, "m-1", "Hi").await;
    client.until_token("a").await;
    session.submit(cancel.clone()).await.unwrap();
    client.until_finished().await;
    assert_eq!(bench.model.broken_off(), 1);
    // Also where the model has not been asked, since the lease may be somebody else's.
    client.read_for(Duration::from_secs(20)).await;
    submit(&session, "m-2").await.unwrap();
    session.submit(cancel.clone()).await.unwrap();
    client.until_finished().await;
    assert_eq!(
        refused_with(session.submit(cancel).await),
        ErrorCode::NothingToCancel
    );
    bench.store.set(Failure::None);
    client.read_for(Duration::from_secs(10)).await;
    assert_eq!(bench.model.requests().len(), 1);
    let ends: Vec<_> = bench
        .settled()
        .await
        .into_iter()
        .filter_map(|body| match body {
            EventBody::AiResponse(it) => Some((it.content, it.finish_reason)),
            _ => None,
        })
        .collect();
    let cancelled = |text: &str| (text.to_owned(), FinishReason::Cancelled);
    assert_eq!(ends, [cancelled("a"), cancelled("")]);
}

#[tokio::test(start_paused = true)]
async fn a_session_is_not_handed_over_while_there_is_time_to_store_what_it_said() {
    let bench = Bench::new([Reply::text(["1"])]);
    let sessions = bench.manager();
    let (session, mut client) = bench.join(&sessions).await;
    away(&bench);
    say(&session, "m-1", "Hi").await;
    client.until_accepted("m-1").await;
    client.read_for(Duration::from_secs(1)).await;
    let comes_back = async {
        sleep(Duration::from_secs(6)).await;
        bench.store.set(Failure::None);
    };
    tokio::join!(sessions.shutdown(Duration::from_secs(30)), comes_back);
    assert_eq!(client.until_closed().await, CloseCode::Restart);
    assert_eq!(bench.spool.usage().events, 0);
    // Whoever has it next finds the answer, and asks nobody.
    let elsewhere = bench.elsewhere(&ScriptedModel::default());
    let (session, _client) = bench.join(&elsewhere).await;
    let Ok(Receipt::Repeated(frame)) = submit(&session, "m-1").await else {
        panic!()
    };
    assert_eq!(frame.seq(), Some(2));
}

#[tokio::test(start_paused = true)]
async fn an_end_overtakes_a_message_that_is_not_kept_yet() {
    let gate = Gate::default();
    let bench = Bench::new([held(&gate)]);
    let sessions = bench.manager();
    let (session, mut client) = bench.join(&sessions).await;
    away(&bench);
    say(&session, "m-1", "Hi").await;
    client.until_accepted("m-1").await;
    bench.spool.set(SpoolFailure::Hang);
    let overtaken = submit(&session, "m-2");
    tokio::pin!(overtaken);
    timeout(Duration::from_millis(1), &mut overtaken)
        .await
        .unwrap_err();
    session.submit(ClientMessage::End).await.unwrap();
    bench.spool.set(SpoolFailure::None);
    assert_eq!(overtaken.await, Err(Refusal::Gone));
    bench.store.set(Failure::None);
    client.until_closed().await;
    sleep(Duration::from_secs(300)).await;
    let log = bench.settled().await;
    assert!(matches!(log.last(), Some(EventBody::SessionEnded(_))));
    assert_eq!(log.len(), 4, "{log:#?}");
}

#[tokio::test(start_paused = true)]
async fn a_session_that_ended_in_the_outage_is_not_opened_again_for_what_is_stored() {
    for spool in [SpoolFailure::None, SpoolFailure::Full, SpoolFailure::Hang] {
        let bench = Bench::new([Reply::text(["1"])]);
        let sessions = bench.manager();
        let (session, mut client) = bench.join(&sessions).await;
        away(&bench);
        say(&session, "m-1", "Hi").await;
        client.until_token("1").await;
        session.submit(ClientMessage::End).await.unwrap();
        client.read_for(Duration::from_secs(20)).await;
        // What is stored cannot be taken out of the spool at once.
        bench.spool.set(spool);
        bench.store.set(Failure::None);
        client.until_closed().await;
        sleep(Duration::from_secs(60)).await;
        bench.spool.set(SpoolFailure::None);
        sleep(Duration::from_secs(600)).await;
        let ends = bench.settled().await;
        let ends = ends
            .iter()
            .filter(|it| matches!(it, EventBody::SessionEnded(_)));
        assert_eq!(ends.count(), 1);
    }
}

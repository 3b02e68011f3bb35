//! A process dies in an outage, and the next one on its machine stores what it kept.

use std::time::Duration;

use patter_llm::{AssistantMessage, Message};
use patter_protocol::{ClientMessage, EndReason, EventBody, FinishReason, UserInput};
use patter_session::Receipt;
use patter_testkit::failing_store::Failure;
use patter_testkit::scripted_model::{Reply, Step, text};
use tokio::time::sleep;

use crate::support::bench::{Bench, Machine, away, dies_in_an_outage, said, script};
use crate::support::{message, message_id, open, say};

#[test]
fn what_a_lost_process_kept_is_stored_once_and_in_order_before_the_next_one_is_ready() {
    let bench = Bench::new(script());
    let mut machine = Machine::default();
    machine.run(dies_in_an_outage(&bench));
    machine.run(async {
        let sessions = bench.manager();
        sleep(Duration::from_secs(30)).await;
        assert!(!sessions.is_recovered());
        bench.store.set(Failure::None);
        while !sessions.is_recovered() {
            sleep(Duration::from_millis(10)).await;
        }
        let log = bench.settled().await;
        let stop = FinishReason::Stop;
        assert_eq!(
            said(&log),
            [
                ("m-1", stop),
                ("1", stop),
                ("m-2", stop),
                ("2", stop),
                ("m-3", stop),
                ("", FinishReason::Interrupted)
            ]
        );
        let session = open(&sessions, "s").await;
        let again = ClientMessage::UserMessage(message("m-3", "Hi"));
        let Ok(Receipt::Repeated(frame)) = session.submit(again).await else {
            panic!()
        };
        assert_eq!(frame.seq(), Some(6));
        sleep(Duration::from_secs(600)).await;
        let log = bench.settled().await;
        let Some(EventBody::SessionEnded(end)) = log.get(7) else {
            panic!("{log:#?}")
        };
        assert_eq!(end.reason, EndReason::Recovered);
        // Three answers and the late summary.
        assert_eq!(bench.model.requests().len(), 4);
    });
}

#[test]
fn a_process_that_is_stopped_in_the_outage_leaves_everything_to_the_next_one() {
    let bench = Bench::new([Reply::text(["1"]), Reply::of([text("2"), Step::Hang])]);
    let mut machine = Machine::default();
    machine.run(async {
        let sessions = bench.manager();
        let (session, mut client) = bench.join(&sessions).await;
        away(&bench);
        for id in ["m-1", "m-2"] {
            say(&session, id, "Hi").await;
            client.until_accepted(id).await;
            client.read_for(Duration::from_secs(1)).await;
        }
        sessions.shutdown(Duration::from_secs(10)).await;
    });
    machine.run(async {
        bench.store.set(Failure::None);
        let sessions = bench.manager();
        sleep(Duration::from_secs(20)).await;
        assert!(sessions.is_recovered());
        let stop = FinishReason::Stop;
        assert_eq!(
            said(&bench.settled().await),
            [
                ("m-1", stop),
                ("1", stop),
                ("m-2", stop),
                ("2", FinishReason::Interrupted)
            ]
        );
    });
}

#[test]
fn an_edit_that_was_kept_before_the_end_of_what_it_replaces_still_replaces_it() {
    let bench = Bench::new([
        Reply::of([text("1"), Step::Hang]),
        Reply::text(["2"]),
        Reply::text(["3"]),
    ]);
    let mut machine = Machine::default();
    machine.run(async {
        let sessions = bench.manager();
        let (session, mut client) = bench.join(&sessions).await;
        away(&bench);
        say(&session, "m-1", "first").await;
        client.until_accepted("m-1").await;
        let edit = UserInput {
            replaces: Some(message_id("m-1")),
            ..message("m-2", "second")
        };
        let edit = ClientMessage::UserMessage(edit);
        session.submit(edit).await.unwrap();
        client.read_for(Duration::from_secs(1)).await;
    });
    machine.run(async {
        bench.store.set(Failure::None);
        sleep(Duration::from_secs(16)).await;
        let sessions = bench.manager();
        let (session, mut client) = bench.join(&sessions).await;
        say(&session, "m-3", "third").await;
        client.until_answer().await;
        bench.settled().await;
    });
    let asked = bench.model.requests().pop().unwrap().messages;
    let shown = [
        Message::user("second"),
        Message::Assistant(AssistantMessage::text("2")),
        Message::user("third"),
    ];
    assert_eq!(asked, shown);
}

//! What becomes of the request when nobody waits for its answer any more.

use std::time::Duration;

use patter_llm::{ChatRequest, FinishReason, ModelEvent};
use patter_testkit::model_server::{ModelServer, Release, Reply, openai};
use tokio::time::timeout;

use crate::support::{Wire, ask_model};

/// Says "Hel" and, when released, "lo".
fn stalled(wire: Wire, release: &Release) -> Reply {
    let reply = wire.text(["Hel", "lo"]);
    let first = reply.bytes_of_events(wire.events_to_first_piece());
    reply.stalled_after(first, release)
}

#[tokio::test]
async fn dropping_an_answer_closes_its_request() {
    for wire in Wire::ALL {
        let server = ModelServer::start([stalled(wire, &Release::default())]).await;
        let model = wire.model(wire.settings(&server));
        let mut answer = model.stream(&ChatRequest::new().user("Hi")).await.unwrap();
        assert_eq!(
            answer.next().await.unwrap().unwrap(),
            ModelEvent::Text("Hel".into())
        );
        assert_eq!(server.clients_left(), 0);
        drop(answer);
        server.client_left().await;
    }
}

#[tokio::test]
async fn dropping_a_question_that_is_not_answered_closes_its_request() {
    for wire in Wire::ALL {
        let server = ModelServer::start([Reply::silence()]).await;
        let model = wire.model(wire.settings(&server));
        let request = ChatRequest::new().user("Hi");
        tokio::select! {
            _ = model.stream(&request) => panic!("an answer although the server is silent"),
            () = server.request_came() => {}
        }
        server.client_left().await;
        assert_eq!(server.requests().len(), 1);
    }
}

#[tokio::test]
async fn waiting_for_a_piece_can_be_given_up_and_taken_up_again() {
    for wire in Wire::ALL {
        let release = Release::default();
        let server = ModelServer::start([stalled(wire, &release)]).await;
        let model = wire.model(wire.settings(&server));
        let mut answer = model.stream(&ChatRequest::new().user("Hi")).await.unwrap();
        assert_eq!(
            answer.next().await.unwrap().unwrap(),
            ModelEvent::Text("Hel".into())
        );
        assert!(
            timeout(Duration::from_millis(20), answer.next())
                .await
                .is_err()
        );
        release.release();
        assert_eq!(
            answer.next().await.unwrap().unwrap(),
            ModelEvent::Text("lo".into())
        );
    }
}

#[tokio::test]
async fn one_connection_serves_one_answer_after_another() {
    for wire in Wire::ALL {
        let reply = || wire.text(["Hi"]);
        let server = ModelServer::start([reply(), reply(), reply()]).await;
        let model = wire.model(wire.settings(&server));
        for _ in 0..3 {
            assert_eq!(ask_model(&*model).await.text, "Hi");
        }
        assert_eq!(server.connections(), 1);
    }
}

#[tokio::test]
async fn an_answer_that_says_it_is_over_need_not_be_closed() {
    let reply = openai::text(["Hi"]);
    let all = reply.body_length();
    let server = ModelServer::start([reply.stalled_after(all, &Release::default())]).await;
    let outcome = ask_model(&*Wire::OpenAi.model(Wire::OpenAi.settings(&server))).await;
    assert_eq!(
        (outcome.text.as_str(), outcome.reason()),
        ("Hi", Some(FinishReason::Stop))
    );
}

//! Sessions that are ended and deleted over HTTP.

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::support::TestServer;
use crate::support::api::{ask, get, request, send};

#[tokio::test]
async fn an_ended_session_has_its_summary_and_can_be_continued() {
    let server = TestServer::demo().await;
    let mut client = server.connect("ended").await;
    client.expect("session_started").await;
    ask(&server, "ended", "What is 15% of 240?").await;
    let ended = send(&server, Method::POST, "/api/sessions/ended/end", &json!({})).await;
    let ended: Value = ended.json().await.unwrap();
    assert_eq!(ended["is_active"], false);
    assert_eq!(ended["metrics"]["user_messages"], 1);
    assert!(ended["summary"].is_string());
    // Whoever was connected has seen it end.
    client.expect("session_ended").await;

    // Once more changes nothing.
    let again = send(&server, Method::POST, "/api/sessions/ended/end", &json!({})).await;
    let again: Value = again.json().await.unwrap();
    assert_eq!(again["last_seq"], ended["last_seq"]);

    ask(&server, "ended", "Hello").await;
    assert_eq!(get(&server, "/api/sessions/ended").await["is_active"], true);
    let unknown = send(
        &server,
        Method::POST,
        "/api/sessions/unknown/end",
        &json!({}),
    )
    .await;
    assert_eq!(unknown.status(), StatusCode::NOT_FOUND);
    drop(client);
    server.stop().await;
}

#[tokio::test]
async fn a_deleted_session_is_found_nowhere_though_it_was_live() {
    let server = TestServer::demo().await;
    let mut client = server.connect("gone").await;
    client.expect("session_started").await;
    ask(&server, "gone", "Tell me about zanzibar").await;
    let found = get(&server, "/api/search?q=zanzibar").await;
    assert_eq!(found["hits"][0]["session_id"], "gone");

    let deleted = request(&server, Method::DELETE, "/api/sessions/gone")
        .send()
        .await
        .unwrap();
    assert_eq!(deleted.status(), StatusCode::NO_CONTENT);
    client.expect("session_ended").await;
    for path in [
        "/api/sessions/gone",
        "/api/sessions/gone/events",
        "/api/session/gone",
    ] {
        let answer = request(&server, Method::GET, path).send().await.unwrap();
        assert_eq!(answer.status(), StatusCode::NOT_FOUND, "{path}");
    }
    assert_eq!(
        get(&server, "/api/search?q=zanzibar").await["hits"],
        json!([])
    );
    assert_eq!(get(&server, "/api/analytics").await["rows"], json!([]));
    let again = request(&server, Method::DELETE, "/api/sessions/gone")
        .send()
        .await
        .unwrap();
    assert_eq!(again.status(), StatusCode::NOT_FOUND);
    drop(client);
    server.stop().await;
}

#[tokio::test]
async fn a_session_whose_places_are_all_taken_can_be_ended_and_deleted() {
    let settings = [("llm.provider", "demo"), ("session.max_readers", "1")];
    let server = TestServer::start(&settings).await;
    let mut client = server.connect("full").await;
    client.expect("session_started").await;
    let ended = send(&server, Method::POST, "/api/sessions/full/end", &json!({})).await;
    assert_eq!(ended.status(), StatusCode::OK);
    client.expect("session_ended").await;

    let mut client = server.connect("full").await;
    client.expect("session_ready").await;
    let deleted = request(&server, Method::DELETE, "/api/sessions/full");
    assert_eq!(
        deleted.send().await.unwrap().status(),
        StatusCode::NO_CONTENT
    );
    drop(client);
    server.stop().await;
}

#[tokio::test]
async fn a_session_that_is_deleted_twice_at_once_is_gone() {
    let server = TestServer::demo().await;
    let mut client = server.connect("twice").await;
    client.expect("session_started").await;
    ask(&server, "twice", "Hello").await;
    let delete = || request(&server, Method::DELETE, "/api/sessions/twice").send();
    let (one, other) = tokio::join!(delete(), delete());
    let mut answers = [one.unwrap().status(), other.unwrap().status()];
    answers.sort_unstable();
    assert_eq!(answers[0], StatusCode::NO_CONTENT);
    let last = [StatusCode::NO_CONTENT, StatusCode::NOT_FOUND];
    assert!(last.contains(&answers[1]), "{answers:?}");
    let path = "/api/sessions/twice";
    let answer = request(&server, Method::GET, path).send().await.unwrap();
    assert_eq!(answer.status(), StatusCode::NOT_FOUND);
    drop(client);
    server.stop().await;
}

//! What may be spent, told over HTTP and in a conversation.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a helper that fails is a failed test"
)]

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::support::TestServer;
use crate::support::api::{ask, get, request, send};

const DEMO: [(&str, &str); 2] = [("llm.provider", "demo"), ("demo.delay_ms", "0")];

async fn with(settings: &[(&str, &str)]) -> TestServer {
    let settings: Vec<_> = DEMO.iter().chain(settings).copied().collect();
    TestServer::start(&settings).await
}

async fn session_of(server: &TestServer, user_id: &str) -> String {
    let wanted = json!({ "user_id": user_id });
    let made = send(server, Method::POST, "/api/sessions", &wanted).await;
    assert_eq!(made.status(), StatusCode::CREATED);
    let made: Value = made.json().await.unwrap();
    made["session_id"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn what_a_session_and_a_users_day_have_spent_is_told_with_what_is_left() {
    let server = with(&[("budgets.user_day_tokens", "1000000")]).await;
    let nobody = get(&server, "/api/usage").await;
    assert_eq!(nobody["turn"], json!({ "tokens": null, "usd": 0.5 }));
    assert_eq!(
        (&nobody["day"], &nobody["user_id"]),
        (&Value::Null, &Value::Null)
    );

    let session = session_of(&server, "ann").await;
    let answer = ask(&server, &session, "Hello").await;
    let counted = ["input_tokens", "output_tokens"].map(|name| answer["usage"][name].as_u64());
    let counted: u64 = counted.into_iter().flatten().sum();
    let usage = get(&server, &format!("/api/usage?session_id={session}")).await;
    assert_eq!(usage["user_id"], "ann");
    let spent = usage["day"]["spent"]["tokens"].as_u64().unwrap();
    assert!(spent > 0 && spent >= counted, "{usage}");
    assert_eq!(usage["session"]["spent"]["tokens"], spent);
    assert_eq!(
        usage["session"]["limits"],
        json!({ "tokens": null, "usd": 5.0 })
    );
    assert_eq!(usage["session"]["resets_at"], Value::Null);
    let left = json!({ "tokens": 1_000_000 - spent, "usd": 20.0 });
    assert_eq!(usage["day"]["remaining"], left);
    assert!(
        usage["day"]["resets_at"]
            .as_str()
            .unwrap()
            .contains("T00:00:00")
    );
    server.stop().await;
}

#[tokio::test]
async fn deleting_and_importing_a_session_changes_nothing_of_what_was_spent() {
    let server = TestServer::demo().await;
    let session = session_of(&server, "ann").await;
    ask(&server, &session, "Hello").await;
    let path = format!("/api/sessions/{session}");
    let ended = send(&server, Method::POST, &format!("{path}/end"), &json!({})).await;
    assert!(ended.status().is_success());
    let of_ann = "/api/usage?user_id=ann";
    let before = get(&server, of_ann).await;
    assert!(before["day"]["spent"]["tokens"].as_u64().unwrap() > 0);

    let file = request(&server, Method::GET, &format!("{path}/export?format=jsonl"));
    let file = file.send().await.unwrap().bytes().await.unwrap();
    let deleted = request(&server, Method::DELETE, &path)
        .send()
        .await
        .unwrap();
    assert!(deleted.status().is_success());
    assert_eq!(get(&server, of_ann).await, before);
    let import = request(&server, Method::POST, "/api/import").body(file);
    let imported = import.send().await.unwrap();
    assert!(
        imported.status().is_success(),
        "{}",
        imported.text().await.unwrap()
    );
    assert_eq!(get(&server, of_ann).await, before);
    server.stop().await;
}

#[tokio::test]
async fn a_budget_that_is_spent_is_told_in_the_conversation_and_the_next_turn_is_answered_too() {
    let server = with(&[("budgets.session_tokens", "10")]).await;
    let mut client = server.connect("s").await;
    client.expect("session_started").await;
    for id in ["m-1", "m-2"] {
        let message = json!({ "type": "user_message", "id": id, "content": "Hello" });
        client.send(message).await;
        let error = client.expect("error").await;
        assert_eq!(error["code"], "limit_reached");
        assert_eq!(error["message_id"], id);
        assert_eq!(error["details"]["limit"], "session_tokens");
        assert_eq!(error["details"]["remaining"], 10);
        assert_eq!(error["details"]["resets_at"], Value::Null);
        let answer = client.expect("ai_response").await;
        assert_eq!(answer["finish_reason"], "error");
        assert_eq!(answer["message_id"], id);
    }
    client.close().await;
    server.stop().await;
}

#[tokio::test]
async fn what_is_asked_wrongly_or_is_not_there_is_refused() {
    let server = TestServer::demo().await;
    for (path, status) in [
        ("/api/usage?session_id=nobody", StatusCode::NOT_FOUND),
        ("/api/usage?session_id=%20", StatusCode::BAD_REQUEST),
        ("/api/usage?user_id=", StatusCode::BAD_REQUEST),
        ("/api/usage?user_id=a&user_id=b", StatusCode::BAD_REQUEST),
    ] {
        let answer = request(&server, Method::GET, path).send().await.unwrap();
        assert_eq!(answer.status(), status, "{path}");
    }
    let answer = request(&server, Method::POST, "/api/usage")
        .send()
        .await
        .unwrap();
    assert_eq!(answer.status(), StatusCode::METHOD_NOT_ALLOWED);
    server.stop().await;
}

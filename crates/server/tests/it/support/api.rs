//! Asking the HTTP API.

#![expect(clippy::unwrap_used, reason = "a helper that fails is a failed test")]

use reqwest::{Client, Method, RequestBuilder, Response, StatusCode};
use serde_json::{Value, json};

use crate::support::TestServer;

pub(crate) fn request(server: &TestServer, method: Method, path: &str) -> RequestBuilder {
    Client::new().request(method, server.url(path))
}

pub(crate) async fn get(server: &TestServer, path: &str) -> Value {
    let answer = request(server, Method::GET, path).send().await.unwrap();
    assert_eq!(answer.status(), StatusCode::OK, "{path}");
    answer.json().await.unwrap()
}

pub(crate) async fn send(
    server: &TestServer,
    method: Method,
    path: &str,
    body: &Value,
) -> Response {
    request(server, method, path)
        .json(body)
        .send()
        .await
        .unwrap()
}

/// Asks something in a session, and waits for the answer.
pub(crate) async fn ask(server: &TestServer, session: &str, content: &str) -> Value {
    let path = format!("/api/sessions/{session}/messages");
    let answer = send(server, Method::POST, &path, &json!({ "content": content })).await;
    assert_eq!(answer.status(), StatusCode::OK);
    answer.json().await.unwrap()
}

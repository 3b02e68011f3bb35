//! A turn without a WebSocket: the same session, the same events, the same promises.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a helper that fails is a failed test"
)]

use reqwest::{Client, RequestBuilder, Response, StatusCode};
use serde_json::{Value, json};
use tokio::time::timeout;

use crate::support::{PATIENCE, TestServer};

/// An event of a stream: its `id`, where it has one, and its data.
#[derive(Debug, PartialEq)]
struct Event {
    id: Option<u64>,
    data: Value,
}

/// The events of an answer that has ended.
async fn events(answer: Response) -> Vec<Event> {
    assert_eq!(answer.status(), StatusCode::OK);
    assert_eq!(answer.headers()["content-type"], "text/event-stream");
    let text = timeout(PATIENCE, answer.text()).await.unwrap().unwrap();
    assert!(text.ends_with("\n\n"), "{text}");
    text.split_terminator("\n\n").map(event).collect()
}

fn event(lines: &str) -> Event {
    let mut event = Event {
        id: None,
        data: Value::Null,
    };
    for line in lines.lines() {
        match line.split_once(": ").unwrap() {
            ("id", id) => event.id = Some(id.parse().unwrap()),
            ("data", data) => event.data = serde_json::from_str(data).unwrap(),
            _ => panic!("{line}"),
        }
    }
    event
}

fn say(server: &TestServer, session: &str, body: &Value) -> RequestBuilder {
    Client::new()
        .post(server.url(&format!("/api/sessions/{session}/messages")))
        .json(body)
}

fn streamed(server: &TestServer, session: &str, body: &Value) -> RequestBuilder {
    say(server, session, body).header("accept", "text/event-stream")
}

fn types(events: &[Event]) -> Vec<&str> {
    events
        .iter()
        .map(|event| event.data["type"].as_str().unwrap())
        .collect()
}

#[tokio::test]
async fn json_is_answered_with_the_whole_answer() {
    let server = TestServer::demo().await;
    let body = json!({ "content": "What is 15% of 240?", "id": "m-1" });
    let answer = say(&server, "json", &body).send().await.unwrap();
    assert_eq!(answer.status(), StatusCode::OK);
    let answer: Value = answer.json().await.unwrap();
    assert_eq!(answer["type"], "ai_response");
    assert_eq!(answer["message_id"], "m-1");
    assert_eq!(answer["finish_reason"], "stop");
    assert!(
        answer["content"].as_str().unwrap().contains("36"),
        "{answer}"
    );
    server.stop().await;
}

#[tokio::test]
async fn a_stream_has_every_event_from_the_message_to_its_answer() {
    let server = TestServer::demo().await;
    let body = json!({ "content": "What is 15% of 240?", "id": "m-1" });
    let events = events(streamed(&server, "stream", &body).send().await.unwrap()).await;
    let types = types(&events);
    assert_eq!(types[0], "session_ready");
    for expected in [
        "user_message",
        "response_started",
        "token",
        "tool_call",
        "tool_result",
    ] {
        assert!(types.contains(&expected), "{types:?}");
    }
    assert_eq!(types.last(), Some(&"ai_response"));
    for event in &events {
        assert_eq!(event.id, event.data["seq"].as_u64());
    }
    let said: String = events
        .iter()
        .filter(|event| event.data["type"] == "token")
        .map(|event| event.data["content"].as_str().unwrap())
        .collect();
    assert_eq!(said, events.last().unwrap().data["content"]);
    server.stop().await;
}

#[tokio::test]
async fn a_message_that_is_sent_again_is_answered_once() {
    let server = TestServer::demo().await;
    let body = json!({ "content": "Hello" });
    let ask = || streamed(&server, "again", &body).header("idempotency-key", "\"key-1\"");
    let first = events(ask().send().await.unwrap()).await;
    let again = events(ask().send().await.unwrap()).await;
    assert_eq!(
        types(&again),
        ["session_ready", "user_message", "ai_response"]
    );
    assert_eq!(first.last(), again.last());

    // As JSON, and unquoted.
    let plain = say(&server, "again", &body).header("idempotency-key", "key-1");
    let plain: Value = plain.send().await.unwrap().json().await.unwrap();
    assert_eq!(plain, again.last().unwrap().data);

    let log = reqwest::get(server.url("/api/sessions/again/events?type=user_message"));
    let log: Value = log.await.unwrap().json().await.unwrap();
    assert_eq!(log["events"].as_array().unwrap().len(), 1);
    server.stop().await;
}

#[tokio::test]
async fn a_repetition_needs_no_second_place_among_the_readers() {
    let settings = [
        ("llm.provider", "demo"),
        ("demo.delay_ms", "0"),
        ("session.max_readers", "1"),
    ];
    let server = TestServer::start(&settings).await;
    let body = json!({ "content": "Hello", "id": "m-1" });
    let first: Value = say(&server, "narrow", &body)
        .send()
        .await
        .unwrap()
        .json()
        .await
        .unwrap();
    let again = say(&server, "narrow", &body).send().await.unwrap();
    assert_eq!(again.status(), StatusCode::OK);
    assert_eq!(again.json::<Value>().await.unwrap(), first);
    server.stop().await;
}

#[tokio::test]
async fn a_stream_that_broke_goes_on_behind_the_last_event() {
    let server = TestServer::demo().await;
    let body = json!({ "content": "What is 15% of 240?", "id": "m-1" });
    let whole = events(streamed(&server, "broken", &body).send().await.unwrap()).await;
    let durable: Vec<_> = whole.iter().filter(|event| event.id.is_some()).collect();
    for last in &durable {
        let resumed = streamed(&server, "broken", &body)
            .header("last-event-id", last.id.unwrap().to_string());
        let resumed = events(resumed.send().await.unwrap()).await;
        let resumed: Vec<_> = resumed.iter().filter(|event| event.id.is_some()).collect();
        let missed: Vec<_> = durable
            .iter()
            .filter(|event| event.id > last.id)
            .copied()
            .collect();
        assert_eq!(resumed, missed);
    }
    server.stop().await;
}

#[tokio::test]
async fn a_websocket_and_event_streams_of_one_session_see_one_conversation() {
    let server = TestServer::demo().await;
    let mut socket = server.connect("shared").await;
    socket.expect("session_started").await;
    for round in 0..3 {
        // One speaks over the WebSocket, one over HTTP, at the same time.
        socket.say(&format!("ws-{round}"), "What is 2 + 3?").await;
        let body = json!({ "content": "What is 4 * 5?", "id": format!("http-{round}") });
        let stream = events(streamed(&server, "shared", &body).send().await.unwrap()).await;
        assert_eq!(
            stream.last().unwrap().data["message_id"],
            format!("http-{round}")
        );
        let mut answered = Vec::new();
        while answered.len() < 2 {
            let answer = socket.expect("ai_response").await;
            answered.push(answer["message_id"].as_str().unwrap().to_owned());
        }
        answered.sort();
        assert_eq!(answered, [format!("http-{round}"), format!("ws-{round}")]);
    }
    socket.close().await;

    let log = reqwest::get(server.url("/api/sessions/shared/events?limit=1000"));
    let log: Value = log.await.unwrap().json().await.unwrap();
    let log = log["events"].as_array().unwrap();
    let mut seqs = log.iter().map(|event| event["seq"].as_u64().unwrap());
    assert!(seqs.by_ref().eq(1..=log.len() as u64));
    let count = |name| log.iter().filter(|event| event["type"] == name).count();
    assert_eq!((count("user_message"), count("ai_response")), (6, 6));
    server.stop().await;
}

#[tokio::test]
#[expect(clippy::too_many_lines, reason = "a table of cases")]
async fn what_cannot_be_a_message_is_refused_before_anything_is_said() {
    let server = TestServer::demo().await;
    let good = json!({ "content": "Hello" });
    let cases: Vec<(RequestBuilder, u16, &str)> = vec![
        (say(&server, "no", &json!({})), 400, "invalid_field"),
        (
            say(&server, "no", &json!({ "content": " " })),
            400,
            "invalid_field",
        ),
        (
            say(&server, "no", &json!({ "content": "a\0" })),
            400,
            "invalid_field",
        ),
        (say(&server, "no", &json!([])), 400, "invalid_json"),
        (
            say(&server, "no", &good).body("{\"content\": \"Hello\""),
            400,
            "invalid_json",
        ),
        (
            say(&server, "no", &good).body(vec![0xFF, 0xFE]),
            400,
            "bad_request",
        ),
        (
            say(&server, "no", &json!({ "content": "x".repeat(32_769) })),
            400,
            "invalid_field",
        ),
        (
            say(&server, "no", &json!({ "content": "x".repeat(262_144) })),
            413,
            "too_large",
        ),
        (
            say(&server, "no", &good).header("content-type", "text/plain"),
            415,
            "unsupported_media_type",
        ),
        (
            say(&server, "no", &good).header("accept", "text/html"),
            406,
            "not_acceptable",
        ),
        (
            say(&server, "no", &good).header("idempotency-key", "x".repeat(65)),
            400,
            "invalid_field",
        ),
        (
            streamed(&server, "no", &good).header("last-event-id", "-1"),
            400,
            "invalid_field",
        ),
        (
            say(&server, "no", &json!({ "content": "Hello", "id": "a" }))
                .header("idempotency-key", "b"),
            400,
            "invalid_field",
        ),
        (say(&server, "-no", &good), 400, "invalid_field"),
    ];
    for (number, (request, status, code)) in cases.into_iter().enumerate() {
        // `json` has set a type already: the last one counts.
        let mut request = request.build().unwrap();
        let last = request
            .headers()
            .get_all("content-type")
            .iter()
            .next_back()
            .cloned();
        request.headers_mut().insert("content-type", last.unwrap());
        let answer = Client::new().execute(request).await.unwrap();
        assert_eq!(answer.status().as_u16(), status, "case {number}");
        let problem: Value = answer.json().await.unwrap();
        assert_eq!(problem["code"], code, "case {number}: {problem}");
    }
    let session = reqwest::get(server.url("/api/sessions/no")).await.unwrap();
    assert_eq!(session.status(), StatusCode::NOT_FOUND);
    server.stop().await;
}

#[tokio::test]
async fn a_stream_ends_when_the_server_stops() {
    let server = TestServer::start(&[("llm.provider", "demo"), ("demo.delay_ms", "10000")]).await;
    let body = json!({ "content": "Hello", "id": "m-1" });
    let mut answer = streamed(&server, "stopped", &body).send().await.unwrap();
    answer.chunk().await.unwrap().unwrap();
    let reading = async { while let Ok(Some(_)) = answer.chunk().await {} };
    let (_, stopped) = tokio::join!(server.stop(), timeout(2 * PATIENCE, reading));
    stopped.unwrap();
}

//! Requests that no client sends who means well: those that two programs read in two ways, those that are too
//! large, those that never end. The numbers are those of the inputs in `docs/security.md`.

use std::time::Duration;

use serde_json::Value;
use tokio::time::sleep;

use crate::support::{RawClient, TestServer, status_of};

const SMUGGLED: &str = "GET /health/live HTTP/1.1\r\nHost: localhost\r\n\r\n";

/// How many answers there are in what was read.
fn answers_in(text: &str) -> usize {
    text.matches("HTTP/1.1 ").count()
}

/// The answer to these bytes; the server must close after it.
async fn answer_to(server: &TestServer, bytes: &[u8]) -> String {
    let mut client = RawClient::connect(server.address).await;
    client.send(bytes).await;
    client.answer().await
}

/// Sends each request with another one behind it: it must be refused, with this status, and the one behind it
/// not be read.
async fn all_are_refused(requests: &[(&str, String, u16)]) {
    let server = TestServer::watched_demo(&[]).await;
    for (input, request, status) in requests {
        let bytes = [request.as_bytes(), SMUGGLED.as_bytes()].concat();
        let answer = answer_to(&server, &bytes).await;
        assert_eq!(status_of(&answer), *status, "{input}: {answer}");
        assert_eq!(answers_in(&answer), 1, "{input}: {answer}");
        assert!(
            answer.contains("application/problem+json"),
            "{input}: {answer}"
        );
        server.takes_a_turn(input).await;
    }
    server.stop().await;
}

fn post(fields: &str, body: &str) -> String {
    format!(
        "POST /api/sessions HTTP/1.1\r\nHost: localhost\r\n\
         Content-Type: application/json\r\n{fields}\r\n{body}"
    )
}

#[tokio::test]
async fn input_29_a_request_whose_end_is_in_doubt_is_refused_and_nothing_behind_it_is_read() {
    // Behind proxies the same requests are sent by `interop/proxies.test.mjs`.
    let doubtful: Value = serde_json::from_str(include_str!("hostile/smuggling.json")).unwrap();
    let next = doubtful["next"].as_str().unwrap();
    let requests = doubtful["requests"].as_array().unwrap();
    let requests = requests.iter().map(|it| {
        let request = it["request"].as_str().unwrap().replace("{next}", next);
        (it["input"].as_str().unwrap(), request, 400)
    });
    all_are_refused(&requests.collect::<Vec<_>>()).await;
}

#[tokio::test]
async fn inputs_30_and_31_a_head_that_is_too_large_or_no_text_is_refused() {
    let get = |fields: &str| format!("GET /health HTTP/1.1\r\nHost: localhost\r\n{fields}\r\n");
    let target = |bytes: usize| format!("GET /{} HTTP/1.1\r\n\r\n", "x".repeat(bytes));
    all_are_refused(&[
        ("30 65 fields", get(&"x: 1\r\n".repeat(64)), 431),
        (
            "30 17 KiB",
            get(&format!("x: {}\r\n", "y".repeat(17 * 1024))),
            431,
        ),
        ("30 a NUL", get("x: \0\r\n"), 400),
        ("30 a CR", get("x: a\rb\r\n"), 400),
        ("30 0x80", get("x: \u{80}\r\n"), 400),
        ("31 9 KiB", target(9 * 1024), 414),
        ("31 70 KiB", target(70 * 1024), 414),
        ("nonsense", "nonsense\r\n\r\n".to_owned(), 400),
        (
            "25 the preface of HTTP/2",
            "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_owned(),
            400,
        ),
    ])
    .await;
}

#[tokio::test]
async fn what_is_asked_in_one_breath_is_answered_in_order_and_a_refusal_comes_last() {
    let server = TestServer::watched_demo(&[]).await;
    let chunked = "3;a=b\r\n{\"m\r\n10\r\netadata\": {\"a\":1\r\n2\r\n}}\r\n0\r\n\r\n";
    let good = [
        SMUGGLED,
        &post("Content-Length: 2\r\n", "{}"),
        &post("Transfer-Encoding: chunked\r\n", chunked),
        "HEAD /health/live HTTP/1.1\r\nHost: localhost\r\n\r\n",
        "GET /nothing HTTP/1.1\r\nHost: localhost\r\n\r\n",
    ]
    .concat();
    let bad = post(
        "Content-Length: 2\r\nTransfer-Encoding: chunked\r\n",
        "0\r\n\r\n",
    );
    let sent = format!("{good}{good}{bad}{SMUGGLED}");
    for size in [1000, 7] {
        let mut client = RawClient::connect(server.address).await;
        for piece in sent.as_bytes().chunks(size) {
            client.send(piece).await;
        }
        let answer = client.answer().await;
        let statuses: Vec<&str> = answer
            .split("HTTP/1.1 ")
            .skip(1)
            .map(|rest| rest.get(..3).unwrap())
            .collect();
        let turn = ["200", "201", "201", "200", "404"];
        let expected: Vec<&str> = turn.iter().chain(&turn).chain(&["400"]).copied().collect();
        assert_eq!(statuses, expected, "{answer}");
    }
    server.stop().await;
}

#[tokio::test]
async fn input_32_who_dribbles_a_head_or_a_body_or_reads_no_answer_is_left_after_ten_seconds() {
    let server = TestServer::watched_demo(&[]).await;
    let mut head = RawClient::connect(server.address).await;
    let silent = RawClient::connect(server.address).await;
    head.send(b"GET /health HTTP/1.1\r\nHost: localhost\r\nX: ")
        .await;
    let mut body = RawClient::connect(server.address).await;
    body.send(post("Content-Length: 100\r\n", "{\"metadata\"").as_bytes())
        .await;
    // More than the buffers of a connection hold.
    let request =
        "GET /openapi.json HTTP/1.1\r\nHost: localhost\r\nAccept-Encoding: identity\r\n\r\n";
    let mut answer = RawClient::connect(server.address).await;
    answer.send(request.repeat(200).as_bytes()).await;
    server.takes_a_turn("input 32, while it lasts").await;
    // Sockets and a store of real time: paused time would run past them.
    head.until_left().await;
    silent.until_left().await;
    let said = body.answer().await;
    assert_eq!(status_of(&said), 408, "{said}");
    sleep(Duration::from_secs(2)).await;
    let read = answer.read_until_left().await;
    assert!(answers_in(&read) < 200, "all was answered");
    server.takes_a_turn("input 32").await;
    server.stop().await;
}

#[tokio::test]
async fn input_33_connections_that_say_nothing_harm_no_conversation() {
    let server = TestServer::watched_demo(&[("server.max_connections", "40")]).await;
    let mut client = server.connect("before").await;
    client.say("m1", "Hello.").await;
    client.expect("ai_response").await;
    let mut silent = Vec::new();
    for _ in 0..200 {
        silent.push(RawClient::connect(server.address).await);
    }
    client.say("m2", "Hello again.").await;
    client.expect("ai_response").await;
    drop(silent);
    client.close().await;
    server.takes_a_turn("input 33").await;
    server.stop().await;
}

#[tokio::test]
async fn inputs_35_to_37_what_this_server_is_not_for() {
    let server = TestServer::watched_demo(&[]).await;
    let end = "Host: localhost\r\nConnection: close";
    for (input, request, status) in [
        (
            "35 a proxy's",
            format!("GET http://other/ HTTP/1.1\r\n{end}\r\n\r\n"),
            400,
        ),
        (
            "35 OPTIONS *",
            format!("OPTIONS * HTTP/1.1\r\n{end}\r\n\r\n"),
            204,
        ),
        (
            "35 CONNECT",
            format!("CONNECT x:80 HTTP/1.1\r\n{end}\r\n\r\n"),
            405,
        ),
        (
            "35 TRACE",
            format!("TRACE / HTTP/1.1\r\n{end}\r\n\r\n"),
            405,
        ),
        (
            "36 a body that is compressed",
            post(
                "Connection: close\r\nContent-Encoding: gzip\r\nContent-Length: 2\r\n",
                "\x1f\x0b",
            ),
            415,
        ),
        (
            "37 a preflight of a stranger",
            format!(
                "OPTIONS /api/sessions HTTP/1.1\r\n{end}\r\nOrigin: https://evil.example\r\n\
                 Access-Control-Request-Method: POST\r\n\r\n"
            ),
            405,
        ),
    ] {
        let answer = answer_to(&server, request.as_bytes()).await;
        assert_eq!(status_of(&answer), status, "{input}: {answer}");
        let head = answer.to_lowercase();
        assert!(!head.contains("access-control-allow"), "{input}: {answer}");
        server.takes_a_turn(input).await;
    }
    server.stop().await;
}

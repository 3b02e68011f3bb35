//! What one caller takes too much of is refused to that caller, at once and with the time to come back, and
//! nobody else notices.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a helper that fails is a failed test"
)]

use std::time::Duration;

use patter_testkit::ws_client::WsClient;
use reqwest::{Client, Method, RequestBuilder, Response};
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio::time::{sleep, timeout};

use crate::support::{FINAL_PING, PATIENCE, RawClient, TestServer, frame, status_of};

/// Behind a proxy each request comes from where its header says; ids may be short.
const BEHIND_A_PROXY: [(&str, &str); 3] = [
    ("server.trusted_proxies", "127.0.0.1"),
    ("auth.mode", "none"),
    ("session.client_ids", "true"),
];

/// A server behind a proxy.
async fn behind_a_proxy(settings: &[(&str, &str)]) -> TestServer {
    let demo = [("llm.provider", "demo"), ("demo.delay_ms", "0")];
    TestServer::start(&[&demo[..], &BEHIND_A_PROXY, settings].concat()).await
}

/// A server that counts who comes from this machine as anybody else.
async fn counting_loopback(settings: &[(&str, &str)]) -> TestServer {
    let usual = [
        ("llm.provider", "demo"),
        ("demo.delay_ms", "0"),
        ("limits.exempt", ""),
        ("session.client_ids", "true"),
    ];
    TestServer::start(&[&usual, settings].concat()).await
}

/// A server behind a proxy, of which it is looked whether it is at rest after each turn.
async fn watched_behind_a_proxy(setting: (&str, &str)) -> TestServer {
    TestServer::watched_demo(&[&BEHIND_A_PROXY[..], &[setting]].concat()).await
}

fn request(server: &TestServer, from: &str, method: Method, path: &str) -> RequestBuilder {
    let request = Client::new().request(method, server.url(path));
    request.header("x-forwarded-for", from)
}

async fn get(server: &TestServer, from: &str, path: &str) -> Response {
    let request = request(server, from, Method::GET, path);
    request.send().await.unwrap()
}

async fn say(server: &TestServer, from: &str, session: &str) -> Response {
    let path = format!("/api/sessions/{session}/messages");
    let request = request(server, from, Method::POST, &path);
    let request = request.json(&json!({"content": "hello"}));
    request.send().await.unwrap()
}

/// The answer to a handshake. A WebSocket that comes of it is open as long as the answer is kept.
async fn handshake(server: &TestServer, from: &str, session: &str) -> Response {
    let request = request(server, from, Method::GET, &format!("/ws/session/{session}"))
        .header("connection", "upgrade")
        .header("upgrade", "websocket")
        .header("sec-websocket-version", "13")
        .header("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ==");
    request.send().await.unwrap()
}

async fn connect(server: &TestServer, from: &str, session: &str) -> WsClient {
    let url = format!("ws://{}/ws/session/{session}", server.address);
    let mut client = WsClient::connect_with(&url, "x-forwarded-for", from).await;
    client.until("session_ready").await;
    client
}

/// The last event up to one of this type.
async fn next(client: &mut WsClient, wanted: &str) -> Value {
    client.until(wanted).await.pop().unwrap()
}

/// Is refused for a while, and told for how long: at most so many seconds.
async fn assert_refused(answer: Response, code: &str, at_most: u64) {
    assert_eq!(answer.status(), 429);
    let wait = answer.headers()["retry-after"].to_str().unwrap();
    let wait: u64 = wait.parse().unwrap();
    assert!((1..=at_most).contains(&wait), "{wait} s");
    let problem: Value = answer.json().await.unwrap();
    assert_eq!(problem["code"], code);
}

async fn metrics(server: &TestServer) -> String {
    let answer = get(server, "192.0.2.99", "/metrics").await;
    answer.text().await.unwrap()
}

/// Asks again until the server has noticed that somebody left.
async fn until_opened(server: &TestServer, from: &str, session: &str) -> Response {
    let opened = async {
        loop {
            let answer = handshake(server, from, session).await;
            if answer.status() == 101 {
                return answer;
            }
            sleep(Duration::from_millis(20)).await;
        }
    };
    timeout(PATIENCE, opened).await.unwrap()
}

const ONE_MESSAGE: [(&str, &str); 2] = [
    ("limits.messages_per_minute", "1"),
    ("limits.messages_burst", "2"),
];

#[tokio::test]
async fn who_says_too_much_over_http_is_told_when_to_come_back_and_others_are_answered() {
    let server = behind_a_proxy(&ONE_MESSAGE).await;
    for session in ["a", "b"] {
        assert_eq!(say(&server, "203.0.113.5", session).await.status(), 200);
    }
    let answer = say(&server, "203.0.113.5", "a").await;
    assert_refused(answer, "rate_limited", 60).await;
    assert_eq!(say(&server, "203.0.113.6", "a").await.status(), 200);
    let metrics = metrics(&server).await;
    let counted = "patter_caller_limits_hit_total{limit=\"messages\"} 1";
    assert!(metrics.contains(counted), "{metrics}");
    server.stop().await;
}

#[tokio::test]
async fn a_message_too_many_is_refused_on_any_of_the_connections_and_each_goes_on() {
    let server = behind_a_proxy(&ONE_MESSAGE).await;
    let mut one = connect(&server, "203.0.113.5", "one").await;
    let mut two = connect(&server, "203.0.113.5", "two").await;
    one.say("m1", "hello").await;
    next(&mut one, "ai_response").await;
    two.say("m2", "hello").await;
    next(&mut two, "ai_response").await;
    two.say("m3", "hello").await;
    let error = next(&mut two, "error").await;
    assert_eq!(error["code"], "rate_limited");
    assert_eq!(error["message_id"], "m3");
    assert_eq!(error["retryable"], true);
    assert_eq!(error["details"]["limit"], "messages");
    let wait = error["details"]["retry_after_ms"].as_u64().unwrap();
    assert!((1..=60_000).contains(&wait), "{wait} ms");
    for client in [&mut one, &mut two] {
        client.send(json!({"type": "ping", "nonce": "n"})).await;
        next(client, "pong").await;
    }
    let mut other = connect(&server, "203.0.113.6", "two").await;
    other.say("m4", "hello").await;
    next(&mut other, "ai_response").await;
    server.stop().await;
}

#[tokio::test]
async fn a_frame_too_many_is_refused_whatever_is_in_it() {
    let settings = [
        ("limits.frames_per_minute", "1"),
        ("limits.frames_burst", "3"),
    ];
    let server = behind_a_proxy(&settings).await;
    let mut client = connect(&server, "203.0.113.5", "x").await;
    for _ in 0..3 {
        client.send(json!({"type": "ping"})).await;
        next(&mut client, "pong").await;
    }
    for message in [json!({"type": "ping"}), json!({"type": "nonsense"})] {
        client.send(message).await;
        let error = next(&mut client, "error").await;
        assert_eq!(error["code"], "rate_limited");
        assert_eq!(error["details"]["limit"], "frames");
    }
    server.stop().await;
}

#[tokio::test]
async fn new_sessions_run_out_and_those_that_there_are_stay_open_to_come_back_to() {
    let server = behind_a_proxy(&[("limits.new_sessions_per_address", "3")]).await;
    let from = "203.0.113.5";
    drop(connect(&server, from, "one").await);
    assert_eq!(say(&server, from, "two").await.status(), 200);
    let mint = request(&server, from, Method::POST, "/api/sessions");
    assert_eq!(mint.json(&json!({})).send().await.unwrap().status(), 201);

    assert_refused(
        handshake(&server, from, "three").await,
        "rate_limited",
        1200,
    )
    .await;
    assert_refused(say(&server, from, "three").await, "rate_limited", 1200).await;
    let mint = request(&server, from, Method::POST, "/api/sessions");
    let refused = mint.json(&json!({})).send().await.unwrap();
    assert_refused(refused, "rate_limited", 1200).await;

    assert_eq!(handshake(&server, from, "one").await.status(), 101);
    assert_eq!(say(&server, from, "two").await.status(), 200);
    assert_eq!(
        handshake(&server, "203.0.113.6", "three").await.status(),
        101
    );
    server.stop().await;
}

/// Input 46.
#[tokio::test]
async fn who_guesses_ids_is_told_nothing_more_after_some_of_them_not_even_of_one_that_is_right() {
    let limit = ("limits.unknown_sessions_per_address", "4");
    let server = watched_behind_a_proxy(limit).await;
    assert_eq!(say(&server, "203.0.113.6", "secret").await.status(), 200);
    let from = "203.0.113.5";
    let paths = [
        "/api/sessions/g1",
        "/api/sessions/g2/events",
        "/api/sessions/g3/export",
        "/api/usage?session_id=g4",
    ];
    for path in paths {
        assert_eq!(get(&server, from, path).await.status(), 404, "{path}");
    }
    for path in [
        "/api/sessions/g5",
        "/api/sessions/secret",
        "/api/usage?session_id=secret",
    ] {
        assert_refused(get(&server, from, path).await, "rate_limited", 900).await;
    }
    assert_refused(
        handshake(&server, from, "secret").await,
        "rate_limited",
        900,
    )
    .await;
    assert_refused(say(&server, from, "secret").await, "rate_limited", 900).await;
    let answer = get(&server, "203.0.113.6", "/api/sessions/secret").await;
    assert_eq!(answer.status(), 200);
    drop(answer);
    server.takes_a_turn("input 46").await;
    server.stop().await;
}

/// Input 46, where clients begin no sessions under ids of their own.
#[tokio::test]
async fn an_id_that_nobody_minted_is_a_guess_and_costs_no_new_session() {
    let settings = [
        ("session.client_ids", "false"),
        ("limits.new_sessions_per_address", "1"),
        ("limits.unknown_sessions_per_address", "3"),
    ];
    let server = behind_a_proxy(&settings).await;
    let from = "203.0.113.5";
    for guess in ["g1", "g2"] {
        assert_eq!(handshake(&server, from, guess).await.status(), 403);
    }
    assert_eq!(say(&server, from, "g3").await.status(), 404);
    assert_refused(handshake(&server, from, "g4").await, "rate_limited", 1200).await;
    server.stop().await;
}

#[tokio::test]
async fn who_is_elsewhere_is_listed_nothing_without_a_word_of_the_operator() {
    let paths = [
        "/api/sessions",
        "/api/search?q=word",
        "/api/analytics",
        "/api/usage?user_id=ann",
    ];
    for (settings, expected) in [(&[][..], 403), (&[("auth.open_lists", "true")][..], 200)] {
        let server = behind_a_proxy(settings).await;
        for path in paths {
            let answer = get(&server, "203.0.113.5", path).await;
            assert_eq!(answer.status(), expected, "{path}");
        }
        server.stop().await;
    }
}

/// Whoever tries out short ids would find those of others, and say what they like under a name.
#[tokio::test]
async fn who_is_elsewhere_begins_sessions_under_ids_that_nobody_guesses_and_in_nobodys_name() {
    const RANDOM: &str = "6f1c7a52-8d1b-4f0e-9a37-2b6c1d5e8f90";
    let settings = [
        ("llm.provider", "demo"),
        ("demo.delay_ms", "0"),
        ("auth.mode", "none"),
        ("server.trusted_proxies", "127.0.0.1"),
    ];
    let server = TestServer::start(&settings).await;
    let from = "203.0.113.5";
    for guessed in [
        "chat",
        "1",
        "6f1c7a52-8d1b-1f0e-9a37-2b6c1d5e8f90",
        "6f1c7a52-8d1b-4f0e-0a37-2b6c1d5e8f90",
        "6f1c7a528d1b4f0e9a372b6c1d5e8f90",
    ] {
        assert_eq!(handshake(&server, from, guessed).await.status(), 403);
        assert_eq!(say(&server, from, guessed).await.status(), 404);
    }
    assert_eq!(handshake(&server, from, RANDOM).await.status(), 101);
    let minted = request(&server, from, Method::POST, "/api/sessions");
    assert_eq!(minted.send().await.unwrap().status(), 201);

    let named = format!("{RANDOM}?user_id=ann");
    assert_eq!(handshake(&server, from, &named).await.status(), 403);
    let minted = request(&server, from, Method::POST, "/api/sessions");
    let minted = minted.json(&json!({"user_id": "ann"}));
    assert_eq!(minted.send().await.unwrap().status(), 403);

    // What a proxy says is at this machine comes through a proxy all the same.
    let feigned = handshake(&server, "127.0.0.1", "chat?user_id=ann").await;
    assert_eq!(feigned.status(), 403);
    server.stop().await;

    // Who is at this machine tries things out; who comes by a proxy that nobody named is not at it.
    let server = TestServer::start(&[settings[0], settings[1], ("limits.exempt", "")]).await;
    server.connect("chat?user_id=ann").await.close().await;
    for header in ["x-forwarded-for", "forwarded", "via", "x-real-ip"] {
        let listed = Client::new().get(server.url("/api/sessions"));
        assert_eq!(
            listed.header(header, "1").send().await.unwrap().status(),
            403
        );
    }
    let listed = Client::new().get(server.url("/api/sessions"));
    assert_eq!(listed.send().await.unwrap().status(), 200);
    server.stop().await;
}

/// Input 46, by sessions that each guess begins.
#[tokio::test]
async fn a_refused_new_session_is_a_guess_too() {
    let settings = [
        ("limits.new_sessions_per_address", "1"),
        ("limits.unknown_sessions_per_address", "2"),
    ];
    let server = behind_a_proxy(&settings).await;
    assert_eq!(say(&server, "203.0.113.6", "secret").await.status(), 200);
    let from = "203.0.113.5";
    assert_eq!(handshake(&server, from, "g1").await.status(), 101);
    for guess in ["g2", "g3", "g4", "secret"] {
        let answer = handshake(&server, from, guess).await;
        assert_refused(answer, "rate_limited", 3600).await;
    }
    server.stop().await;
}

#[tokio::test]
async fn websockets_from_behind_a_proxy_are_counted_by_where_they_come_from() {
    let server = behind_a_proxy(&[("limits.connections_per_address", "2")]).await;
    let from = "203.0.113.5";
    let first = handshake(&server, from, "x").await;
    let second = handshake(&server, from, "y").await;
    assert_eq!(
        (first.status().as_u16(), second.status().as_u16()),
        (101, 101)
    );
    assert_refused(handshake(&server, from, "z").await, "limit_reached", 5).await;
    assert_eq!(handshake(&server, "203.0.113.6", "z").await.status(), 101);
    drop(second);
    until_opened(&server, from, "z").await;
    server.stop().await;
}

#[tokio::test]
async fn who_waits_for_an_answer_over_http_holds_a_connection_too() {
    let settings = [
        ("limits.connections_per_address", "1"),
        ("demo.delay_ms", "200"),
    ];
    let server = behind_a_proxy(&settings).await;
    let from = "203.0.113.5";
    let said = request(&server, from, Method::POST, "/api/sessions/x/messages")
        .header("accept", "text/event-stream")
        .json(&json!({"content": "hello"}));
    let stream = said.send().await.unwrap();
    assert_eq!(stream.status(), 200);
    assert_refused(handshake(&server, from, "y").await, "limit_reached", 5).await;
    assert_eq!(handshake(&server, "203.0.113.6", "y").await.status(), 101);
    drop(stream);
    until_opened(&server, from, "y").await;
    server.stop().await;
}

/// Input 34.
#[tokio::test]
async fn an_origin_that_no_trusted_proxy_tells_is_ignored() {
    let server = counting_loopback(&ONE_MESSAGE).await;
    for from in ["1.2.3.4", "1.2.3.5"] {
        assert_eq!(say(&server, from, "x").await.status(), 200);
    }
    let answer = say(&server, "1.2.3.6", "x").await;
    assert_refused(answer, "rate_limited", 60).await;
    server.stop().await;
}

#[tokio::test]
async fn who_is_at_this_machine_is_not_limited_but_who_comes_by_an_unnamed_proxy_is() {
    let usual = [("llm.provider", "demo"), ("demo.delay_ms", "0")];
    let server = TestServer::start(&[&usual[..], &ONE_MESSAGE].concat()).await;
    let mut client = server.connect("x").await;
    for id in ["1", "2", "3", "4"] {
        client.say(id, "hello").await;
        next(&mut client, "ai_response").await;
    }
    for from in ["203.0.113.5", "203.0.113.6"] {
        assert_eq!(say(&server, from, "x").await.status(), 200);
    }
    let answer = say(&server, "127.0.0.1", "x").await;
    assert_refused(answer, "rate_limited", 60).await;
    server.stop().await;
}

/// Input 33.
#[tokio::test]
async fn silent_connections_of_an_address_are_refused_beyond_its_limit_and_harm_no_conversation() {
    let limit = ("limits.connections_per_address", "20");
    let server = TestServer::watched_demo(&[("limits.exempt", ""), limit]).await;
    let mut client = server.connect("x").await;
    client.until("session_ready").await;
    let mut silent = Vec::new();
    for _ in 0..19 {
        silent.push(TcpStream::connect(server.address).await.unwrap());
    }
    // The next one is told, and its connection closed.
    let answer =
        RawClient::answer_to(server.address, "GET /livez HTTP/1.1\nHost: localhost\n\n").await;
    assert_eq!(status_of(&answer), 429, "{answer}");
    assert!(answer.contains("\"limit_reached\""), "{answer}");
    for _ in 0..300 {
        silent.push(TcpStream::connect(server.address).await.unwrap());
    }
    client.say("m", "hello").await;
    next(&mut client, "ai_response").await;
    drop(silent);
    until_opened(&server, "127.0.0.1", "x").await;
    client.close().await;
    server.takes_a_turn("input 33").await;
    server.stop().await;
}

/// Input 16.
#[tokio::test]
async fn a_flood_of_pings_ends_the_connection_and_harms_no_other() {
    let server = TestServer::watched_demo(&[]).await;
    let mut client = server.connect("x").await;
    let mut flood = RawClient::upgraded(server.address, "x").await;
    flood.send(&frame(FINAL_PING, b"ping").repeat(10_000)).await;
    assert_eq!(flood.close_code().await, 1008);
    client.say("m", "hello").await;
    next(&mut client, "ai_response").await;
    client.close().await;
    server.takes_a_turn("input 16").await;
    server.stop().await;
}

#[tokio::test]
async fn of_twice_as_many_connections_as_there_is_room_for_one_half_is_served_and_the_other_refused()
 {
    let settings = [
        ("llm.provider", "demo"),
        ("demo.delay_ms", "0"),
        ("server.max_connections", "40"),
    ];
    let server = TestServer::start(&settings).await;
    let mut served = Vec::new();
    for number in 0..40 {
        let mut client = server.connect(&format!("s{number}")).await;
        client.until("session_ready").await;
        served.push(client);
    }
    for _ in 0..40 {
        let answer =
            RawClient::answer_to(server.address, "GET /livez HTTP/1.1\nHost: localhost\n\n").await;
        assert_eq!(status_of(&answer), 503, "{answer}");
        assert!(answer.contains("retry-after: "), "{answer}");
    }
    for client in &mut served {
        client.say("m", "hello").await;
        next(client, "ai_response").await;
    }
    server.stop().await;
}

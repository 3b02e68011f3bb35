//! Who may hold a WebSocket open, and for how long: inputs 64 to 67 of the list of attacks, `auth_refresh`,
//! revocation, and event streams that outlive a token.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a helper that fails is a failed test"
)]

use std::time::Duration;

use patter_testkit::model_server::{ModelServer, openai};
use patter_testkit::ws_client::WsClient;
use reqwest::StatusCode;
use serde_json::{Value, json};
use tokio::time::timeout;

use crate::support::identity::{
    ALICE, BASE, BOB, ISSUER, SECRET, assert_alive, base64url, claims, claims_with, client, now,
    secret_token, server_with_secret, status_with,
};
use crate::support::{PATIENCE, RawClient, TestServer, status_of};

/// The answer to a handshake with these headers; the server closes after a refusal.
async fn handshake(server: &TestServer, target: &str, headers: &[String]) -> String {
    let mut request = format!("GET {target} HTTP/1.1\nHost: {}\n", server.address);
    request += "Connection: Upgrade, close\nUpgrade: websocket\nSec-WebSocket-Version: 13\n";
    request += "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\n";
    for header in headers {
        request += &format!("{header}\n");
    }
    RawClient::answer_to(server.address, &(request + "\n")).await
}

fn protocols(values: &str) -> String {
    format!("Sec-WebSocket-Protocol: {values}")
}

async fn connect(server: &TestServer, session: &str, token: &str) -> WsClient {
    let url = format!("ws://{}/ws/session/{session}", server.address);
    WsClient::connect_with(&url, "authorization", &format!("Bearer {token}")).await
}

/// A token that is believed for one to two seconds more.
fn expiring() -> String {
    secret_token(&claims_with(&json!({ "exp": now() - 28 })))
}

/// A server whose model takes four seconds for an answer of twenty words.
async fn slow_server() -> (ModelServer, TestServer) {
    let reply = openai::text(["word "; 20]).events_per_second(5.0);
    let model = ModelServer::start([reply]).await;
    let base_url = format!("{}/v1", model.base_url());
    let settings = [
        ("auth.mode", "jwt"),
        ("auth.issuer", ISSUER),
        ("auth.hs256_secret", SECRET),
        ("llm.provider", "openai"),
        ("openai.base_url", &base_url),
    ];
    let server = TestServer::start(&settings).await;
    (model, server)
}

async fn stored_answer(server: &TestServer, session: &str, token: &str) -> Value {
    let stored = async {
        loop {
            let path = format!("/api/sessions/{session}/events?type=ai_response");
            let request = client().get(server.url(&path)).bearer_auth(token);
            let page: Value = request.send().await.unwrap().json().await.unwrap();
            if let Some(answer) = page["events"].get(0) {
                return answer.clone();
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    };
    timeout(PATIENCE, stored).await.unwrap()
}

/// Input 64.
#[tokio::test]
async fn a_browser_may_offer_its_token_as_a_protocol_and_the_token_is_not_echoed() {
    let server = server_with_secret().await;
    let good = secret_token(&claims());
    let offered = format!("base64url.bearer.{}", base64url(&good));
    let url = format!("ws://{}/ws/session/offered", server.address);
    for (separator, session) in [(", ", "a"), (",", "b")] {
        let target = format!("/ws/session/{session}");
        let headers = [protocols(&format!("patter.v1{separator}{offered}"))];
        let request = handshake(&server, &target, &headers);
        // It is agreed to and stays open: what comes in the first moment is looked at.
        let answer = timeout(Duration::from_millis(300), request).await;
        assert!(answer.is_err(), "refused: {answer:?}");
    }
    let mut client = WsClient::connect_with(
        &url,
        "sec-websocket-protocol",
        &format!("patter.v1, {offered}"),
    )
    .await;
    let started = client.expect("session_started").await;
    assert_eq!(started["user_id"], ALICE);
    client.close().await;

    for (values, expected) in [
        (offered.clone(), 400),
        (format!("chat, {offered}"), 400),
        (format!("patter.v1, {offered}, {offered}"), 400),
        ("patter.v1, base64url.bearer.!!!".to_owned(), 401),
        (format!("patter.v1, {offered}="), 401),
        (
            format!("patter.v1, base64url.bearer.{}", base64url([0xff, 0xfe])),
            401,
        ),
        ("patter.v1, base64url.bearer.".to_owned(), 401),
        ("patter.v1".to_owned(), 401),
        (
            format!("patter.v1, base64url.bearer.phx.{}", base64url(&good)),
            401,
        ),
    ] {
        let answer = handshake(&server, "/ws/session/offered", &[protocols(&values)]).await;
        assert_eq!(status_of(&answer), expected, "{values}");
        assert!(!answer.contains("base64url.bearer"), "{answer}");
    }
    let twice = [
        protocols(&format!("patter.v1, {offered}")),
        format!("Authorization: Bearer {good}"),
    ];
    let answer = handshake(&server, "/ws/session/offered", &twice).await;
    assert_eq!(status_of(&answer), 401, "two places");
    assert_alive(&server, &good).await;
    server.stop().await;
}

/// The answer that agrees to the upgrade names the protocol and nothing else, whether or not anybody is
/// asked who they are.
#[tokio::test]
async fn only_the_protocol_is_echoed() {
    for server in [server_with_secret().await, TestServer::demo().await] {
        let offered = format!("base64url.bearer.{}", base64url(secret_token(&claims())));
        let request = format!(
            "GET /ws/session/echo HTTP/1.1\r\nHost: {}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
             Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\
             Sec-WebSocket-Protocol: patter.v1, {offered}\r\n\r\n",
            server.address
        );
        let mut raw = RawClient::connect(server.address).await;
        raw.send(request.as_bytes()).await;
        // A close frame ends the conversation, and with it the answer.
        raw.send(&[0x88, 0x80, 0, 0, 0, 0]).await;
        let answer = raw.answer().await;
        assert_eq!(status_of(&answer), 101, "{answer}");
        let (head, _) = answer.split_once("\r\n\r\n").unwrap();
        let head = head.to_lowercase();
        assert!(
            head.contains("sec-websocket-protocol: patter.v1\r\n")
                || head.ends_with("sec-websocket-protocol: patter.v1"),
            "{head}"
        );
        assert!(!head.contains("bearer"), "{head}");
        server.stop().await;
    }
}

async fn ticket(server: &TestServer, token: &str, body: &Value) -> (StatusCode, Value) {
    let request = client().post(server.url("/api/ws-ticket"));
    let answer = request.bearer_auth(token).json(body).send().await.unwrap();
    (answer.status(), answer.json().await.unwrap())
}

/// Input 65. Tickets are not bound to an address: that of a phone changes between two requests.
#[tokio::test]
async fn a_ticket_opens_one_session_once_and_soon() {
    let server = server_with_secret().await;
    let good = secret_token(&claims());
    let take = async || {
        let (status, body) = ticket(&server, &good, &json!({ "session_id": "mine" })).await;
        assert_eq!(status, StatusCode::CREATED, "{body}");
        assert_eq!(body["expires_in"], 30);
        body
    };
    let taken = take().await;
    let target = taken["ws_url"].as_str().unwrap().to_owned();
    assert_eq!(taken["ticket"].as_str().unwrap().len(), 43, "256 bits");
    let mut client = WsClient::connect(&format!("ws://{}{target}", server.address)).await;
    let started = client.expect("session_started").await;
    assert_eq!(started["user_id"], ALICE);
    client.close().await;
    let answer = handshake(&server, &target, &[]).await;
    assert_eq!(status_of(&answer), 401, "used twice");

    let secret = take().await["ticket"].as_str().unwrap().to_owned();
    let others = format!("/ws/session/other?ticket={secret}");
    assert_eq!(status_of(&handshake(&server, &others, &[]).await), 401);
    let own = format!("/ws/session/mine?ticket={secret}");
    let answer = handshake(&server, &own, &[]).await;
    assert_eq!(status_of(&answer), 401, "it was used up by the attempt");

    let target = take().await["ws_url"].as_str().unwrap().to_owned();
    let bearer = [format!("Authorization: Bearer {good}")];
    let answer = handshake(&server, &target, &bearer).await;
    assert_eq!(status_of(&answer), 401, "two credentials");
    tokio::time::pause();
    tokio::time::advance(Duration::from_secs(31)).await;
    tokio::time::resume();
    let answer = handshake(&server, &target, &[]).await;
    assert_eq!(status_of(&answer), 401, "after 31 s");

    let (status, _) = ticket(&server, &good, &json!({ "session_id": "a b" })).await;
    assert_eq!(status, StatusCode::BAD_REQUEST);
    let foreign = json!({ "session_id": "mine", "user_id": BOB });
    assert_eq!(
        ticket(&server, &good, &foreign).await.0,
        StatusCode::FORBIDDEN
    );
    let own = json!({ "session_id": "mine", "user_id": ALICE });
    assert_eq!(ticket(&server, &good, &own).await.0, StatusCode::CREATED);
    let none = client_without_token(&server).await;
    assert_eq!(none, StatusCode::UNAUTHORIZED);
    assert_alive(&server, &good).await;
    server.stop().await;
}

async fn client_without_token(server: &TestServer) -> StatusCode {
    let request = client().post(server.url("/api/ws-ticket"));
    let body = json!({ "session_id": "mine" });
    request.json(&body).send().await.unwrap().status()
}

/// Input 66: there are no cookies, and a page of another origin gets nowhere with or without one.
#[tokio::test]
async fn a_page_of_another_origin_is_refused_whatever_it_shows() {
    let server = server_with_secret().await;
    let good = secret_token(&claims());
    let cookie = format!("Cookie: session={good}; sb-access-token={good}");
    let origin = "Origin: https://evil.example".to_owned();
    let bearer = format!("Authorization: Bearer {good}");
    for headers in [
        vec![origin.clone()],
        vec![origin.clone(), cookie.clone()],
        vec![origin, cookie.clone(), bearer],
    ] {
        let answer = handshake(&server, "/ws/session/cswsh", &headers).await;
        assert_eq!(status_of(&answer), 403, "{headers:?}");
    }
    let own = format!("Origin: http://{}", server.address);
    let answer = handshake(&server, "/ws/session/cswsh", &[own, cookie]).await;
    assert_eq!(status_of(&answer), 401, "a cookie is no credential");
    assert_alive(&server, &good).await;
    server.stop().await;
}

/// Input 67.
#[tokio::test]
async fn a_token_that_expires_in_the_middle_of_an_answer_ends_the_connection_and_not_the_answer() {
    let (_model, server) = slow_server().await;
    let mut client = connect(&server, "expires", &expiring()).await;
    client.say("m1", "Talk.").await;
    let (events, code) = client.until_closed().await;
    assert_eq!(code, Some(4401));
    assert!(events.iter().any(|event| event["type"] == "token"));
    assert!(events.iter().all(|event| event["type"] != "ai_response"));
    let answer = stored_answer(&server, "expires", &secret_token(&claims())).await;
    assert_eq!(answer["content"], "word ".repeat(20));
    assert_eq!(answer["finish_reason"], "stop");
    server.stop().await;
}

/// The same of an event stream, which breaks off so that nobody takes it for whole.
#[tokio::test]
async fn an_event_stream_ends_with_the_token_and_the_answer_is_stored() {
    let (_model, server) = slow_server().await;
    let request = client().post(server.url("/api/sessions/streamed/messages"));
    let answer = request
        .bearer_auth(expiring())
        .header("accept", "text/event-stream")
        .json(&json!({ "content": "Talk." }))
        .send()
        .await
        .unwrap();
    assert_eq!(answer.status(), StatusCode::OK);
    let text = timeout(PATIENCE, answer.text()).await.unwrap();
    assert!(text.is_err(), "{text:?}");
    let answer = stored_answer(&server, "streamed", &secret_token(&claims())).await;
    assert_eq!(answer["content"], "word ".repeat(20));
    server.stop().await;
}

#[tokio::test]
async fn a_fresh_token_of_the_same_user_keeps_a_connection_open() {
    let server = server_with_secret().await;
    let mut client = connect(&server, "fresh", &expiring()).await;
    client.expect("session_started").await;
    let refresh = |token: String| json!({"type": "auth_refresh", "token": token});
    for bad in [
        secret_token(&claims_with(&json!({ "sub": BOB }))),
        secret_token(&claims_with(&json!({ "exp": now() - 60 }))),
        secret_token(&claims_with(&json!({ "role": "service_role" }))),
        "nonsense".to_owned(),
    ] {
        client.send(refresh(bad.clone())).await;
        let error = client.expect("error").await;
        assert_eq!(error["code"], "invalid_field");
        assert_eq!(error["details"]["field"], "token");
        assert!(!error.to_string().contains(&bad), "{error}");
    }
    client.send(refresh(secret_token(&claims()))).await;
    tokio::time::sleep(Duration::from_millis(2_500)).await;
    client.send(json!({"type": "ping", "nonce": "n"})).await;
    assert_eq!(client.expect("pong").await["nonce"], "n");
    // What was refreshed runs out as well.
    client.send(refresh(expiring())).await;
    assert_eq!(client.until_closed().await.1, Some(4401));
    assert_alive(&server, &secret_token(&claims())).await;
    server.stop().await;
}

#[tokio::test]
async fn a_refused_token_leaves_the_old_one_as_good_as_it_was() {
    let server = server_with_secret().await;
    let mut client = connect(&server, "old", &expiring()).await;
    client.expect("session_started").await;
    let other = secret_token(&claims_with(&json!({ "sub": BOB })));
    client
        .send(json!({"type": "auth_refresh", "token": other}))
        .await;
    client.expect("error").await;
    assert_eq!(client.until_closed().await.1, Some(4401));
    server.stop().await;
}

#[tokio::test]
async fn whoever_is_revoked_is_sent_away_and_comes_back_only_with_a_new_token() {
    let mut settings = BASE.to_vec();
    settings.push(("auth.hs256_secret", SECRET));
    let server = TestServer::with_admin(&settings, None).await;
    let (alice, bob) = (
        secret_token(&claims()),
        secret_token(&claims_with(&json!({ "sub": BOB }))),
    );
    let mut theirs = connect(&server, "hers", &alice).await;
    let mut others = connect(&server, "his", &bob).await;
    theirs.expect("session_started").await;
    others.expect("session_started").await;
    let (_, unused) = ticket(&server, &alice, &json!({ "session_id": "hers" })).await;

    let revoke = client().post(server.admin_url("/admin/revoke"));
    let answer = revoke.body(json!({ "sub": ALICE }).to_string()).send();
    assert_eq!(answer.await.unwrap().status(), StatusCode::ACCEPTED);
    assert_eq!(theirs.until_closed().await.1, Some(4403));
    assert_eq!(status_with(&server, &alice).await, 401);
    let target = unused["ws_url"].as_str().unwrap();
    assert_eq!(status_of(&handshake(&server, target, &[]).await), 401);
    let undated = secret_token(&claims_with(&json!({ "iat": null })));
    assert_eq!(status_with(&server, &undated).await, 401);
    let renewed = secret_token(&claims_with(&json!({ "iat": now() + 5 })));
    assert_eq!(status_with(&server, &renewed).await, 200);

    others.send(json!({"type": "ping", "nonce": "n"})).await;
    others.expect("pong").await;
    others.close().await;
    assert_alive(&server, &bob).await;
    server.stop().await;
}

#[tokio::test]
async fn there_is_nothing_to_revoke_where_nobody_is_asked() {
    let server = TestServer::with_admin(&[("llm.provider", "demo")], None).await;
    for path in ["/admin/revoke", "/admin/flush-keys"] {
        let request = client().post(server.admin_url(path));
        let answer = request.body(r#"{"sub":"x"}"#).send().await.unwrap();
        assert_eq!(answer.status(), StatusCode::NOT_FOUND, "{path}");
        let answer = client().get(server.admin_url(path)).send().await.unwrap();
        assert_eq!(answer.status(), StatusCode::METHOD_NOT_ALLOWED, "{path}");
    }
    server.stop().await;
}

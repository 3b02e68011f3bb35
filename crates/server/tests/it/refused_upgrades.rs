//! Every way in which a WebSocket is not opened: each is told as HTTP, before the upgrade.

#![expect(clippy::unwrap_used, reason = "a helper that fails is a failed test")]

use serde_json::Value;

use crate::support::{RawClient, TestServer, status_of};

const KEY: &str = "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==";

/// Headers that differ from those of a good handshake, and the status. A header without a value is
/// left out.
const BAD_HEADERS: &[(&[&str], u16)] = &[
    (&["Upgrade:"], 426),
    (&["Upgrade: h2c"], 426),
    (&["Connection: close"], 426),
    (&["Sec-WebSocket-Version: 8"], 426),
    (&["Sec-WebSocket-Version:"], 426),
    (&["Sec-WebSocket-Key:"], 400),
    (&["Sec-WebSocket-Key: c2hvcnQ="], 400),
    (&["Sec-WebSocket-Key: !!!!!!!!!!!!!!!!!!!!!!=="], 400),
    (&[KEY, KEY], 400),
    (&["Host:"], 400),
    (&["Host: a", "Host: b"], 400),
    (&["Host: rebound.example"], 421),
    (&["Origin: https://evil.example"], 403),
    (&["Origin: null"], 403),
    (&["Origin: https://app.example:444"], 403),
    (&["Origin: https://app.example.evil.com"], 403),
    // The proxy in front is known to speak TLS.
    (&["Origin: http://app.example"], 403),
    (&["Origin: http://other.example"], 403),
    (
        &["Origin: https://app.example", "Origin: https://app.example"],
        403,
    ),
];

/// Targets that are refused with 400.
const BAD_TARGETS: &[&str] = &[
    "http://other.example/ws/session/x",
    "/ws/session/",
    "/ws/session/..",
    "/ws/session/../../etc/passwd",
    "/ws/session/..%2f..%2fetc",
    "/ws/session/%2e%2e",
    "/ws/session/%252e",
    "/ws/session/%00",
    "/ws/session/a%0d%0aSet-Cookie:x",
    "/ws/session/a%20b",
    "/ws/session/a;b",
    "/ws/session/a'b",
    "/ws/session/%3Cscript%3E",
    "/ws/session/%d0%b0",
    "/ws/session/%e2%80%8d",
    "/ws/session/%c0%ae",
    "/ws/session/-x",
    "/ws/session/.x",
    "/ws/session/~x",
    "/ws/session/x?after=-1",
    "/ws/session/x?after=abc",
    "/ws/session/x?after=1e3",
    "/ws/session/x?after=9223372036854775808",
    "/ws/session/x?after=1&after=1",
    "/ws/session/x?after=1&epoch=x",
];

/// The answer to a handshake that is good but for `changed`; the server must close after it.
async fn answer_to(server: &TestServer, target: &str, changed: &[&str]) -> String {
    let usual = [
        "Host: app.example",
        // Whoever is refused stays connected, if not asked to close.
        "Connection: Upgrade, close",
        "Upgrade: websocket",
        "Sec-WebSocket-Version: 13",
        KEY,
    ];
    let name = |header: &str| header.split(':').next().unwrap().to_owned();
    let kept = usual
        .iter()
        .filter(|header| !changed.iter().any(|new| name(new) == name(header)));
    let added = changed.iter().filter(|header| !header.ends_with(':'));
    let headers: Vec<&str> = kept.chain(added).copied().collect();
    let request = format!("GET {target} HTTP/1.1\n{}\n\n", headers.join("\n"));
    RawClient::answer_to(server.address, &request).await
}

/// A server behind a proxy, which pages of one other origin may use.
async fn known_server() -> TestServer {
    TestServer::watched_demo(&[
        ("server.public_url", "https://app.example"),
        ("auth.mode", "none"),
        ("server.cors_origins", "https://other.example"),
    ])
    .await
}

#[tokio::test]
async fn inputs_21_to_28_a_handshake_that_is_none_is_refused() {
    let server = known_server().await;
    for (headers, status) in BAD_HEADERS.iter().copied() {
        let answer = answer_to(&server, "/ws/session/x", headers).await;
        assert_eq!(status_of(&answer), status, "{headers:?}: {answer}");
        let asks_for_upgrade = answer.contains("\r\nupgrade: websocket");
        assert_eq!(asks_for_upgrade, status == 426, "{headers:?}: {answer}");
        let is_version = headers.iter().any(|it| it.contains("-Version"));
        let tells_version = answer.contains("\r\nsec-websocket-version: 13\r\n");
        assert_eq!(tells_version, is_version, "{headers:?}: {answer}");
        server.takes_a_turn(&format!("{headers:?}")).await;
    }
    let post = "POST /ws/session/x HTTP/1.1\nHost: localhost\nConnection: close\n\n";
    assert_eq!(
        status_of(&RawClient::answer_to(server.address, post).await),
        405
    );
    let old = format!(
        "GET /ws/session/x HTTP/1.0\nHost: app.example\nConnection: Upgrade\nUpgrade: websocket\n\
         Sec-WebSocket-Version: 13\n{KEY}\n\n"
    );
    assert_eq!(
        status_of(&RawClient::answer_to(server.address, &old).await),
        400
    );
    server.takes_a_turn("inputs 22 and 25").await;
    server.stop().await;
}

#[tokio::test]
async fn inputs_26_and_27_own_pages_those_listed_and_who_is_no_page_may_connect() {
    let server = known_server().await;
    for origin in [
        "",
        "Origin: https://app.example\r\n",
        "Origin: https://other.example\r\n",
        "Cookie: session=anything\r\n",
    ] {
        let (client, _) = RawClient::upgraded_with(server.address, "own", origin).await;
        drop(client);
    }
    server.takes_a_turn("inputs 26 and 27").await;
    server.stop().await;
}

#[tokio::test]
async fn input_28_a_name_that_was_made_to_lead_here_reads_nothing() {
    let server = TestServer::watched_demo(&[]).await;
    for path in ["/", "/health", "/metrics", "/api/sessions", "/openapi.json"] {
        let request =
            format!("GET {path} HTTP/1.1\nHost: rebound.example:8000\nConnection: close\n\n");
        let answer = RawClient::answer_to(server.address, &request).await;
        assert_eq!(status_of(&answer), 421, "{path}: {answer}");
    }
    server.takes_a_turn("input 28").await;
    server.stop().await;
}

/// Inputs 38 to 43.
#[tokio::test]
async fn a_target_that_names_no_session_is_refused_and_opens_none() {
    let server = known_server().await;
    let too_long = format!("/ws/session/{}", "x".repeat(129));
    for target in BAD_TARGETS.iter().copied().chain([too_long.as_str()]) {
        let answer = answer_to(&server, target, &[]).await;
        assert_eq!(status_of(&answer), 400, "{target}: {answer}");
        assert!(
            answer.contains("application/problem+json"),
            "{target}: {answer}"
        );
    }
    let health: Value = reqwest::get(server.url("/health"))
        .await
        .unwrap()
        .json()
        .await
        .unwrap();
    assert_eq!(health["sessions"]["live"], 0);
    server.takes_a_turn("inputs 38 to 43").await;
    server.stop().await;
}

#[tokio::test]
async fn an_id_of_every_allowed_character_and_length_is_taken() {
    let server = TestServer::watched_demo(&[]).await;
    for id in ["a.b_c~d:e-F9", "a%3Ab", &"x".repeat(128)] {
        let client = server.connect(id).await;
        client.close().await;
    }
    server.stop().await;
}

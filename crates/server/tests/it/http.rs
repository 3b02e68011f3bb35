//! The HTTP side: routes, refusals, headers.

use patter_testkit::ws_client::WsClient;
use reqwest::{Client, Method, StatusCode};
use serde_json::{Value, json};

use crate::support::{RawClient, TestServer, status_of};

/// Request, status, and the code of the problem if it is one.
const ROUTES: &[(&str, u16, Option<&str>)] = &[
    ("GET /", 200, None),
    ("HEAD /", 200, None),
    ("GET /health", 200, None),
    ("GET /health/live", 200, None),
    ("GET /health/ready", 200, None),
    ("HEAD /health", 200, None),
    ("GET /metrics", 200, None),
    ("GET /api/tools", 200, None),
    ("POST /api/tools", 405, Some("method_not_allowed")),
    ("POST /metrics", 405, Some("method_not_allowed")),
    ("POST /", 405, Some("method_not_allowed")),
    ("POST /health", 405, Some("method_not_allowed")),
    ("POST /index.html", 405, Some("method_not_allowed")),
    ("TRACE /", 405, Some("method_not_allowed")),
    ("OPTIONS /health", 405, Some("method_not_allowed")),
    ("DELETE /api/sessions/x", 404, Some("not_found")),
    ("PUT /api/sessions/x", 405, Some("method_not_allowed")),
    ("POST /ws/session/x", 405, Some("method_not_allowed")),
    ("GET /nothing", 404, Some("not_found")),
    ("GET /api/sessions/unknown", 404, Some("not_found")),
    ("GET /api/sessions/unknown/events", 404, Some("not_found")),
    ("GET /api/sessions/-x", 400, Some("invalid_field")),
    ("GET /api/sessions/%D0%B0", 400, Some("invalid_field")),
    (
        "GET /api/sessions/x/events?limit=0",
        400,
        Some("invalid_field"),
    ),
    (
        "GET /api/sessions/x/events?limit=1001",
        400,
        Some("invalid_field"),
    ),
    (
        "GET /api/sessions/x/events?limit=ten",
        400,
        Some("invalid_field"),
    ),
    (
        "GET /api/sessions/x/events?after=-1",
        400,
        Some("invalid_field"),
    ),
    (
        "GET /api/sessions/x/events?type=token",
        400,
        Some("invalid_field"),
    ),
    ("GET /ws/session/x", 426, Some("upgrade_required")),
];

#[tokio::test]
async fn metrics_count_the_calls_of_each_tool() {
    let server = TestServer::demo().await;
    let text = Client::new()
        .get(server.url("/metrics"))
        .send()
        .await
        .unwrap();
    let text = text.text().await.unwrap();
    let line = "patter_tool_calls_total{tool=\"calculator\"} 0";
    assert!(text.contains(line), "{text}");
}

#[tokio::test]
async fn every_route_answers_as_the_contract_says() {
    let server = TestServer::demo().await;
    let client = Client::new();
    for (request, status, code) in ROUTES.iter().copied() {
        let (method, path) = request.split_once(' ').unwrap();
        let method = Method::from_bytes(method.as_bytes()).unwrap();
        let answer = client
            .request(method.clone(), server.url(path))
            .send()
            .await
            .unwrap();
        assert_eq!(answer.status().as_u16(), status, "{request}");
        let headers = answer.headers().clone();
        assert!(headers.contains_key("x-request-id"), "{request}");
        assert_eq!(headers["x-content-type-options"], "nosniff", "{request}");
        assert_eq!(headers["referrer-policy"], "no-referrer", "{request}");
        assert_eq!(headers.contains_key("allow"), status == 405, "{request}");
        if let Some(code) = code {
            assert_eq!(
                headers["content-type"], "application/problem+json",
                "{request}"
            );
            let problem: Value = answer.json().await.unwrap();
            assert_eq!(problem["code"], code, "{request}");
            assert_eq!(problem["status"], status, "{request}");
            let request_id = headers["x-request-id"].to_str().unwrap();
            assert_eq!(problem["request_id"], request_id, "{request}");
            assert_eq!(
                problem["errors"].is_array(),
                code == "invalid_field",
                "{request}"
            );
        } else if method == Method::HEAD {
            assert!(answer.bytes().await.unwrap().is_empty(), "{request}");
        }
    }
    server.stop().await;
}

#[tokio::test]
async fn a_browser_gets_the_page_and_everybody_else_the_way_around() {
    let server = TestServer::demo().await;
    let client = Client::new();
    let home = client
        .get(server.url("/"))
        .header("accept", "text/html,*/*;q=0.8");
    let page = home.send().await.unwrap();
    assert!(
        page.headers()["content-type"]
            .to_str()
            .unwrap()
            .starts_with("text/html")
    );
    let policy = page.headers()["content-security-policy"]
        .to_str()
        .unwrap()
        .to_owned();
    assert!(
        policy.starts_with("default-src 'none'; script-src 'self';"),
        "{policy}"
    );
    let etag = page.headers()["etag"].clone();
    let html = page.text().await.unwrap();

    let script = html.split('"').find(|part| part.ends_with(".js")).unwrap();
    let script = client.get(server.url(script)).send().await.unwrap();
    assert_eq!(script.status(), StatusCode::OK);
    assert!(
        script.headers()["content-type"]
            .to_str()
            .unwrap()
            .starts_with("text/javascript")
    );

    let again = client.get(server.url("/")).header("accept", "text/html");
    let again = again.header("if-none-match", etag).send().await.unwrap();
    assert_eq!(again.status(), StatusCode::NOT_MODIFIED);

    let metadata: Value = client
        .get(server.url("/"))
        .send()
        .await
        .unwrap()
        .json()
        .await
        .unwrap();
    assert_eq!(metadata["name"], "patter");
    assert_eq!(metadata["protocol"], 1);
    assert_eq!(metadata["links"]["websocket"], "/ws/session/{session_id}");
    server.stop().await;
}

#[tokio::test]
async fn health_tells_what_the_server_is_made_of() {
    let server = TestServer::demo().await;
    let client = server.connect("healthy").await;
    let health: Value = reqwest::get(server.url("/health"))
        .await
        .unwrap()
        .json()
        .await
        .unwrap();
    assert_eq!(health["status"], "ok");
    assert_eq!(health["store"]["kind"], "sqlite");
    assert!(health["store"]["latency_ms"].is_number());
    assert_eq!(health["model"]["provider"], "demo");
    assert_eq!(health["sessions"]["live"], 1);
    assert_eq!(health["connections"]["open"], 1);
    client.close().await;
    server.stop().await;
}

#[tokio::test]
async fn a_session_can_be_looked_at_after_it_ended() {
    let server = TestServer::demo().await;
    let mut client = server.connect("customer:42").await;
    client.say("m1", "Hello.").await;
    client.expect("ai_response").await;
    client.send(json!({"type": "end"})).await;
    let (seen, _code) = client.until_closed().await;
    let durable: Vec<&Value> = seen.iter().filter(|event| event["seq"].is_u64()).collect();

    // As `encodeURIComponent` writes it.
    let path = "/api/sessions/customer%3A42";
    let session: Value = reqwest::get(server.url(path))
        .await
        .unwrap()
        .json()
        .await
        .unwrap();
    assert_eq!(session["session_id"], "customer:42");
    assert_eq!(session["is_active"], false);
    assert!(session["summary"].is_string());
    assert_eq!(session["metrics"]["user_messages"], 1);
    assert!(session["metadata"].get("metrics").is_none());

    let page = async |query: &str| -> Value {
        let url = server.url(&format!("{path}/events{query}"));
        reqwest::get(url).await.unwrap().json().await.unwrap()
    };
    let first = page("?limit=2").await;
    assert_eq!(first["events"].as_array().unwrap().len(), 2);
    assert_eq!(first["next_after"], 2);
    let last_seq = session["last_seq"].as_u64().unwrap();
    let all = page(&format!("?limit={last_seq}")).await;
    assert_eq!(all["next_after"], Value::Null);
    let all_but_one = page(&format!("?limit={}", last_seq - 1)).await;
    assert_eq!(all_but_one["next_after"], last_seq - 1);
    let rest = page("?after=2").await;
    assert_eq!(rest["next_after"], Value::Null);
    assert_eq!(
        rest["events"].as_array().unwrap().last().unwrap(),
        *durable.last().unwrap()
    );
    let spoken = page("?type=user_message,ai_response").await;
    let types: Vec<&Value> = spoken["events"]
        .as_array()
        .unwrap()
        .iter()
        .map(|event| &event["type"])
        .collect();
    assert_eq!(types, ["user_message", "ai_response"]);
    server.stop().await;
}

#[tokio::test]
async fn oversized_and_broken_requests_are_refused_and_harm_nobody() {
    let server = TestServer::demo().await;
    let many_headers: String = (0..65).map(|n| format!("x-{n}: 1\n")).collect();
    let cases: Vec<(String, u16)> = vec![
        (
            format!("GET / HTTP/1.1\nHost: localhost\nConnection: close\n{many_headers}\n"),
            431,
        ),
        (
            format!(
                "GET / HTTP/1.1\nHost: localhost\nx: {}\n\n",
                "y".repeat(17 * 1024)
            ),
            431,
        ),
        (
            "GET / HTTP/1.1\nHost: localhost\nContent-Length: +5\n\n".into(),
            400,
        ),
        (
            "GET / HTTP/1.1\nHost: localhost\nContent-Length: 5\nContent-Length: 6\n\n".into(),
            400,
        ),
        ("GET / HTTP/1.1\nHost: localhost\nHost : b\n\n".into(), 400),
        ("nonsense\n\n".into(), 400),
        (
            "POST / HTTP/1.1\nHost: localhost\nConnection: close\nContent-Length: 65537\n\n".into(),
            413,
        ),
    ];
    for (request, status) in cases {
        let answer = RawClient::answer_to(server.address, &request).await;
        let shown: String = request.chars().take(60).collect();
        assert_eq!(status_of(&answer), status, "{shown}: {answer}");
    }
    let mut client = server.connect("unharmed").await;
    client.expect("session_started").await;
    client.close().await;
    server.stop().await;
}

#[tokio::test]
async fn one_connection_too_many_is_told_so() {
    let settings = [("llm.provider", "demo"), ("server.max_connections", "1")];
    let server = TestServer::start(&settings).await;
    let only = server.connect("only").await;
    let refused = reqwest::get(server.url("/health")).await.unwrap();
    assert_eq!(refused.status(), StatusCode::SERVICE_UNAVAILABLE);
    assert!(refused.headers().contains_key("retry-after"));
    let problem: Value = refused.json().await.unwrap();
    assert_eq!(problem["code"], "overloaded");
    let url = format!("ws://{}/ws/session/other", server.address);
    assert!(WsClient::try_connect(&url).await.is_err());
    only.close().await;
    server.stop().await;
}

#[tokio::test]
async fn one_reader_too_many_is_told_so() {
    let settings = [("llm.provider", "demo"), ("session.max_readers", "1")];
    let server = TestServer::start(&settings).await;
    let only = server.connect("crowded").await;
    let url = format!("ws://{}/ws/session/crowded", server.address);
    let refused = WsClient::try_connect(&url).await.unwrap_err();
    let tokio_tungstenite::tungstenite::Error::Http(answer) = *refused else {
        unreachable!()
    };
    assert_eq!(answer.status().as_u16(), 429);
    assert!(answer.headers().contains_key("retry-after"));
    only.close().await;
    server.stop().await;
}

#[tokio::test]
async fn a_sane_request_id_is_kept_and_another_one_replaced() {
    let server = TestServer::demo().await;
    let client = Client::new();
    for (id, kept) in [("caller-1", true), ("<script>", false)] {
        let answer = client
            .get(server.url("/health/live"))
            .header("x-request-id", id);
        let answer = answer.send().await.unwrap();
        assert_eq!(answer.headers()["x-request-id"] == id, kept, "{id}");
    }
    server.stop().await;
}

//! The admin port: who may use it, what it shows, and what it does; `log_level.rs` apart from this, what it does to
//! the log.
#![expect(
    clippy::unwrap_used,
    reason = "a test stops where something unexpected comes"
)]

use std::io::sink;
use std::time::Duration;

use patter_server::config::{Config, Sources};
use patter_server::telemetry::{self, LogLevel};
use patter_testkit::model_server::{ModelServer, Reply};
use reqwest::{Client, Method, StatusCode};
use serde_json::{Value, json};
use tokio::time::{sleep, timeout};
use tracing::Dispatch;

use crate::support::{PATIENCE, RawClient, TestServer, status_of};

/// A logger that nobody reads, and what changes it.
fn logger(filter: &str) -> (Dispatch, LogLevel) {
    let sources = Sources::none().set("log.filter", filter);
    let config = Config::load(&sources).unwrap();
    let (subscriber, log_level) = telemetry::subscriber(&config.log, sink, false);
    (Dispatch::new(subscriber), log_level)
}

async fn get(server: &TestServer, path: &str) -> Value {
    let answer = Client::new().get(server.admin_url(path)).send();
    answer.await.unwrap().json().await.unwrap()
}

#[tokio::test]
async fn every_path_answers_to_its_methods_alone() {
    let (_logger, log_level) = logger("info");
    let server = TestServer::with_admin(&[], Some(log_level)).await;
    for (request, status) in [
        ("GET /metrics", 200),
        ("GET /health", 200),
        ("GET /health/live", 200),
        ("GET /health/ready", 200),
        ("GET /admin/sessions", 200),
        ("GET /admin/log-level", 200),
        ("HEAD /admin/log-level", 200),
        ("GET /admin/drain", 405),
        ("POST /admin/log-level", 405),
        ("DELETE /admin/sessions", 405),
        ("POST /metrics", 405),
        ("GET /", 404),
        ("GET /api/tools", 404),
        ("GET /ws/session/x", 404),
    ] {
        let (method, path) = request.split_once(' ').unwrap();
        let method = Method::from_bytes(method.as_bytes()).unwrap();
        let answer = Client::new().request(method, server.admin_url(path));
        let answer = answer.send().await.unwrap();
        assert_eq!(answer.status().as_u16(), status, "{request}");
        assert!(answer.headers().contains_key("x-request-id"), "{request}");
        assert_eq!(
            answer.headers().contains_key("allow"),
            status == 405,
            "{request}"
        );
    }
    server.stop().await;
}

#[tokio::test]
async fn what_it_does_is_not_on_the_public_port() {
    let server = TestServer::with_admin(&[], None).await;
    for path in ["/admin/sessions", "/admin/log-level", "/admin/drain"] {
        let answer = Client::new().get(server.url(path)).send().await.unwrap();
        assert_eq!(answer.status(), StatusCode::NOT_FOUND, "{path}");
    }
    server.stop().await;
}

#[tokio::test]
async fn pages_in_a_browser_are_refused() {
    let server = TestServer::with_admin(&[], None).await;
    let address = server.admin_address();
    for (host, more, status) in [
        (format!("{address}"), "", 200),
        (format!("localhost:{}", address.port()), "", 200),
        ("evil.example".to_owned(), "", 403),
        (format!("{address}"), "Origin: http://evil.example\n", 403),
        (format!("{address}"), "Origin: null\n", 403),
        (format!("{address}\nHost: {address}"), "", 400),
    ] {
        let request =
            format!("GET /admin/sessions HTTP/1.1\nHost: {host}\n{more}Connection: close\n\n");
        let answer = RawClient::answer_to(address, &request).await;
        assert_eq!(status_of(&answer), status, "{request}\n{answer}");
    }
    let request = format!(
        "POST /admin/drain HTTP/1.1\nHost: {address}\nOrigin: http://{address}\n\
         Connection: close\n\n"
    );
    let answer = RawClient::answer_to(address, &request).await;
    assert_eq!(status_of(&answer), 403, "{answer}");
    server.stop().await;
}

#[tokio::test]
async fn a_filter_that_is_none_is_refused_with_what_is_wrong_and_changes_nothing() {
    let (_logger, log_level) = logger("warn");
    let server = TestServer::with_admin(&[], Some(log_level)).await;
    for (body, field) in [
        (r#"{"filter": "info,patter=loud"}"#, Some("filter")),
        (r#"{"filter": ""}"#, Some("filter")),
        (r#"{"filter": 7}"#, Some("filter")),
        (r#"{"level": "info"}"#, Some("level")),
        ("info", None),
        ("", None),
    ] {
        let answer = Client::new()
            .put(server.admin_url("/admin/log-level"))
            .body(body)
            .send()
            .await
            .unwrap();
        assert_eq!(answer.status(), StatusCode::BAD_REQUEST, "{body}");
        let problem: Value = answer.json().await.unwrap();
        assert_eq!(problem["errors"][0]["field"].as_str(), field, "{problem}");
        assert!(problem["detail"].as_str().unwrap().len() > 10, "{problem}");
    }
    assert_eq!(get(&server, "/admin/log-level").await["filter"], "warn");
    server.stop().await;
}

#[tokio::test]
async fn a_process_with_a_logger_of_its_own_has_no_log_level_here() {
    let server = TestServer::with_admin(&[], None).await;
    let answer = Client::new()
        .get(server.admin_url("/admin/log-level"))
        .send()
        .await
        .unwrap();
    assert_eq!(answer.status(), StatusCode::NOT_FOUND);
    server.stop().await;
}

#[tokio::test]
async fn live_sessions_are_listed_with_how_they_are() {
    let model = ModelServer::start([Reply::silence()]).await;
    let base_url = format!("{}/v1", model.base_url());
    let settings = [
        ("llm.provider", "openai"),
        ("openai.base_url", base_url.as_str()),
        ("server.drain_timeout", "0.5"),
    ];
    let server = TestServer::with_admin(&settings, None).await;
    assert_eq!(
        get(&server, "/admin/sessions").await,
        json!({ "sessions": [] })
    );
    let mut client = server.connect("one").await;
    for text in ["first", "second"] {
        client.say(text, "Hello.").await;
    }
    let is_so = async {
        loop {
            let listed = get(&server, "/admin/sessions").await;
            let session = &listed["sessions"][0];
            if session["answering"] == true && session["queued_messages"] == 1 {
                assert_eq!(session["session_id"], "one");
                assert_eq!(session["readers"], 1);
                assert!(
                    session["since"].as_str().unwrap().ends_with('Z'),
                    "{session}"
                );
                return;
            }
            sleep(Duration::from_millis(10)).await;
        }
    };
    timeout(PATIENCE, is_so).await.unwrap();
    drop(client);
    server.stop().await;
}

#[test]
fn an_admin_port_for_other_machines_must_be_allowed() {
    let refused = |settings: &[(&str, &str)]| {
        let sources = settings
            .iter()
            .fold(Sources::none(), |sources, (key, value)| {
                sources.set(*key, *value)
            });
        Config::load(&sources)
            .map_err(|error| error.to_string())
            .err()
    };
    let port = ("admin.port", "0");
    let everywhere = ("admin.host", "0.0.0.0");
    assert_eq!(refused(&[port]), None);
    assert_eq!(refused(&[port, ("admin.host", "::1")]), None);
    assert_eq!(refused(&[port, ("admin.host", "localhost")]), None);
    assert_eq!(refused(&[everywhere]), None, "there is no admin port");
    let why = refused(&[port, everywhere]).unwrap();
    assert!(why.contains("admin.allow_remote"), "{why}");
    assert!(refused(&[port, ("admin.host", "admin.example")]).is_some());
    assert_eq!(
        refused(&[port, everywhere, ("admin.allow_remote", "true")]),
        None
    );
}

#[tokio::test]
async fn a_drain_that_is_asked_for_goes_as_one_by_sigterm() {
    let settings = [("server.drain_delay", "0.3"), ("llm.provider", "demo")];
    let server = TestServer::with_admin(&settings, None).await;
    let answer = Client::new()
        .post(server.admin_url("/admin/drain"))
        .send()
        .await
        .unwrap();
    assert_eq!(answer.status(), StatusCode::ACCEPTED);
    // It says that it is not ready, and serves on for the delay.
    let ready = async {
        while Client::new()
            .get(server.url("/health/ready"))
            .send()
            .await
            .unwrap()
            .status()
            == StatusCode::OK
        {}
    };
    timeout(PATIENCE, ready).await.unwrap();
    server.stops_by_itself().await;
}

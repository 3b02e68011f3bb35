//! What `/metrics` tells of a server: exact counts, no label that a client can make up, and nothing that
//! is not documented.

#![expect(clippy::unwrap_used, reason = "a helper that fails is a failed test")]

use std::time::Duration;

use futures_util::future::join_all;
use patter_testkit::model_server::{ModelServer, openai};
use serde_json::json;
use tokio::time::{Instant, sleep};

use crate::support::exposition::Exposition;
use crate::support::{PATIENCE, TestServer};

/// Told only by a store that has a pool, and can be away.
const OF_POSTGRES: [&str; 2] = ["patter_store_pool_", "patter_spool_"];

async fn scrape(server: &TestServer) -> Exposition {
    let answer = reqwest::get(server.url("/metrics")).await.unwrap();
    Exposition::parse(&answer.text().await.unwrap())
}

/// Scrapes until a series has a value.
async fn scrape_until(server: &TestServer, series: &str, value: f64) -> Exposition {
    let patience = Instant::now() + PATIENCE;
    loop {
        let metrics = scrape(server).await;
        let found = metrics.get(series);
        if found == Some(value) {
            return metrics;
        }
        assert!(
            Instant::now() < patience,
            "{series} is {found:?}, not {value}"
        );
        sleep(Duration::from_millis(10)).await;
    }
}

/// A server on which somebody has held a conversation: two tools and one that there is not, text in two pieces,
/// a frame that is refused, and an answer that failed.
async fn after_a_conversation() -> (TestServer, ModelServer) {
    let calls = [
        ("calculator", json!({"expression": "6 * 7"})),
        ("calculator", json!({"expresion": "6 * 7"})),
        ("made_up", json!({})),
    ];
    let replies = [
        openai::calls(calls),
        openai::text(["Forty", "-two."]),
        openai::refusal(401, "invalid_api_key", "no"),
    ];
    let model = ModelServer::start(replies).await;
    let base_url = format!("{}/v1", model.base_url());
    let server = TestServer::start(&[
        ("llm.provider", "openai"),
        ("openai.base_url", &base_url),
        ("llm.model", "gpt-4o-mini"),
        ("llm.retries", "0"),
    ])
    .await;
    let mut client = server.connect("counted").await;
    client.say("m1", "What is six times seven?").await;
    client.expect("ai_response").await;
    client.say("m2", "And eight?").await;
    client.expect("ai_response").await;
    client.send(json!({"type": "nonsense"})).await;
    client.expect("error").await;
    client.close().await;
    (server, model)
}

#[tokio::test]
async fn a_conversation_is_counted_exactly() {
    let (server, _model) = after_a_conversation().await;
    let closed = r#"patter_connections_closed_total{code="client"}"#;
    scrape_until(&server, closed, 1.0).await;
    // The session ends too, since nobody comes back to it.
    let ended = r#"patter_sessions_ended_total{reason="disconnect"}"#;
    let metrics = scrape_until(&server, ended, 1.0).await;
    for (series, value) in [
        ("patter_connections", 0.0),
        ("patter_connections_opened_total", 1.0),
        (r#"patter_connections_closed_total{code="4413"}"#, 0.0),
        (r#"patter_connections_refused_total{how="dropped"}"#, 0.0),
        ("patter_frames_received_total", 3.0),
        (r#"patter_frames_refused_total{code="unknown_type"}"#, 1.0),
        ("patter_sessions_opened_total", 1.0),
        (
            r#"patter_turns_total{finish_reason="stop",route="none"}"#,
            1.0,
        ),
        (
            r#"patter_turns_total{finish_reason="error",route="none"}"#,
            1.0,
        ),
        ("patter_turn_seconds_count", 2.0),
        ("patter_turn_preparation_seconds_count", 2.0),
        ("patter_messages_waiting", 0.0),
        ("patter_inbox_commands", 0.0),
        ("patter_events_unstored", 0.0),
        (r#"patter_tool_calls_total{tool="calculator"}"#, 2.0),
        (
            r#"patter_tool_failures_total{kind="invalid_arguments",tool="calculator"}"#,
            1.0,
        ),
        (r#"patter_tool_call_seconds_count{tool="calculator"}"#, 2.0),
        (r#"patter_tool_call_seconds_count{tool="other"}"#, 1.0),
        (
            r#"patter_http_requests_total{route="/ws/session/{*session_id}",status="1xx"}"#,
            1.0,
        ),
        (
            r#"patter_store_append_failures_total{kind="unavailable"}"#,
            0.0,
        ),
        (r#"patter_session_limits_hit_total{limit="steps"}"#, 0.0),
    ] {
        assert_eq!(metrics.get(series), Some(value), "{series}");
    }
    server.stop().await;
}

#[tokio::test]
async fn what_a_model_did_is_counted_for_this_model() {
    let (server, _model) = after_a_conversation().await;
    let failed = r#"patter_turns_total{finish_reason="error",route="none"}"#;
    let metrics = scrape_until(&server, failed, 1.0).await;
    let of_model = r#"model="gpt-4o-mini",provider="openai"}"#;
    for (series, value) in [
        (r#"patter_model_requests_total{"#, 3.0),
        (r#"patter_model_failures_total{kind="auth","#, 1.0),
        // Two steps, and the fake provider counts the same for each.
        (r#"patter_tokens_total{kind="input","#, 18.0),
        (r#"patter_tokens_total{kind="output","#, 10.0),
        (r#"patter_tokens_total{kind="reasoning","#, 4.0),
        (r#"patter_tokens_total{kind="cached_input","#, 0.0),
        // At an address of one's own there is somebody else, with other prices.
        (r#"patter_unpriced_steps_total{"#, 2.0),
        (r#"patter_cost_dollars_total{"#, 0.0),
        (r#"patter_failovers_total{"#, 0.0),
        (r#"patter_first_token_seconds_count{"#, 1.0),
        // The calls, and the text.
        (r#"patter_model_first_piece_seconds_count{"#, 2.0),
        // Between the two pieces of text.
        (r#"patter_model_piece_gap_seconds_count{"#, 1.0),
    ] {
        let series = format!("{series}{of_model}");
        assert_eq!(metrics.get(&series), Some(value), "{series}");
    }
    let delivered = metrics.get("patter_delivery_seconds_count");
    // The two pieces may go out together.
    assert!(matches!(delivered, Some(1.0 | 2.0)), "{delivered:?}");
    let bucket = r#"patter_delivery_seconds_bucket{le="10"}"#;
    assert_eq!(metrics.get(bucket), delivered);
    server.stop().await;
}

#[tokio::test]
async fn what_is_told_is_documented_and_what_is_documented_is_told() {
    let (server, _model) = after_a_conversation().await;
    let failed = r#"patter_turns_total{finish_reason="error",route="none"}"#;
    let metrics = scrape_until(&server, failed, 1.0).await;
    metrics.assert_documented(|name| !OF_POSTGRES.iter().any(|prefix| name.starts_with(prefix)));
    server.stop().await;
}

#[tokio::test]
async fn clients_cannot_make_series() {
    let server = TestServer::demo().await;
    let http = reqwest::Client::new();
    let visit = async |number: usize| {
        let mut client = server.connect(&format!("visit-{number}")).await;
        client.expect("session_ready").await;
        client.close().await;
        for path in ["nothing", "api/sessions", "ws/session", "nothing/at/all"] {
            let path = format!("/{path}/{number}");
            let answer = http.get(server.url(&path)).send().await;
            assert!(answer.unwrap().status().is_client_error() || path.starts_with("/api"));
        }
    };
    visit(0).await;
    let mut client = server.connect("talker").await;
    client.say("m0", "calculate 1 + 1").await;
    client.expect("ai_response").await;
    let opened = scrape(&server).await.get("patter_sessions_opened_total");
    assert_eq!(opened, Some(2.0));
    let before = scrape(&server).await.values;
    for chunk in (1..=1_000).collect::<Vec<_>>().chunks(10) {
        join_all(chunk.iter().map(|number| visit(*number))).await;
    }
    let series = "patter_sessions_opened_total";
    let after = scrape_until(&server, series, 1_002.0).await.values;
    let new: Vec<_> = after
        .keys()
        .filter(|it| !before.contains_key(*it))
        .collect();
    assert!(new.is_empty(), "{new:?}");
    server.stop().await;
}

#[tokio::test]
async fn two_servers_in_one_process_count_apart() {
    let (one, two) = (TestServer::demo().await, TestServer::demo().await);
    let mut client = one.connect("here").await;
    client.expect("session_ready").await;
    let opened = "patter_connections_opened_total";
    assert_eq!(scrape(&one).await.get(opened), Some(1.0));
    assert_eq!(scrape(&two).await.get(opened), Some(0.0));
    one.stop().await;
    two.stop().await;
}

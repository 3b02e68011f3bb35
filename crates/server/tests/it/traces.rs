//! Traces, as a collector gets them from the real binary.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test stops where something unexpected comes"
)]

use std::time::Duration;

use opentelemetry_proto::tonic::trace::v1::span::SpanKind;
use patter_testkit::model_server::{ModelServer, Reply, openai};
use patter_testkit::server_process::ServerProcess;
use patter_testkit::ws_client::WsClient;
use serde_json::{Value, json};
use tokio::time::Instant;

use crate::support::collector::{
    Collector, Manner, attribute, hex, is_child, is_failed, is_named, is_within,
};

const PATTER: &str = env!("CARGO_BIN_EXE_patter");
const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
const PARENT: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
const KEY: &str = "key-that-nobody-may-see";
/// What the user says, the tool is given and gives, and the model answers.
const SECRETS: [&str; 4] = ["plankton", "6 * 7", "42", "marzipan"];

/// A server whose traces go to this collector and whose model is this one.
async fn server(endpoint: &str, model: &ModelServer, more: &[(&str, &str)]) -> ServerProcess {
    let base_url = format!("{}/v1", model.base_url());
    let variables = [
        ("OPENAI_API_KEY", KEY),
        ("OPENAI_BASE_URL", &base_url),
        ("OTEL_EXPORTER_OTLP_ENDPOINT", endpoint),
        ("OTEL_EXPORTER_OTLP_HEADERS", "x-tenant=seven%20of%20nine"),
        ("PATTER_LLM__MODEL", "gpt-test"),
        ("RUST_LOG", "debug"),
    ];
    let variables: Vec<_> = variables.iter().chain(more).copied().collect();
    ServerProcess::start(PATTER, &variables).await
}

/// A model that calls a tool, fails once, and answers.
async fn model() -> ModelServer {
    ModelServer::start([
        openai::calls([("calculator", json!({ "expression": "6 * 7" }))]),
        openai::refusal(503, "overloaded", "come back"),
        openai::text(["marzi", "pan"]),
        openai::text(["A summary."]),
    ])
    .await
}

/// One message and its answer, on a connection that comes with this parent.
async fn talk(server: &ServerProcess, traceparent: Option<&str>) {
    let url = server.session_url("one", "");
    let mut client = match traceparent {
        Some(parent) => WsClient::connect_with(&url, "traceparent", parent).await,
        None => WsClient::connect(&url).await,
    };
    client.say("m1", "plankton?").await;
    client.expect("ai_response").await;
    client.close().await;
}

async fn stop(server: &mut ServerProcess) {
    server.terminate().await;
    assert!(server.ended().await.success(), "{}", server.log());
}

#[tokio::test]
async fn a_turn_is_a_trace_of_its_model_calls_tool_calls_and_writes() {
    let (collector, model) = (Collector::start(Manner::Well).await, model().await);
    let mut server = server(collector.endpoint(), &model, &[]).await;
    talk(&server, None).await;
    stop(&mut server).await;

    let turn = collector.the("turn");
    assert_eq!(turn.parent_span_id, [0; 0]);
    assert_eq!(attribute(&turn, "gen_ai.conversation.id"), "one");
    assert_eq!(attribute(&turn, "patter.message.id"), "m1");
    assert_eq!(attribute(&turn, "patter.steps"), 2);
    assert_eq!(attribute(&turn, "patter.tool_calls"), 1);
    let reasons = attribute(&turn, "gen_ai.response.finish_reasons");
    assert_eq!(reasons, json!(["stop"]));
    assert!(!is_failed(&turn));

    let chats = collector.named("chat gpt-test");
    let of_turn = |span: &&_| is_child(span, &turn);
    let chats: Vec<_> = chats.iter().filter(of_turn).collect();
    assert_eq!(chats.len(), 3, "each try is one");
    for chat in &chats {
        assert_eq!(chat.kind(), SpanKind::Client);
        assert_eq!(attribute(chat, "gen_ai.operation.name"), "chat");
        assert_eq!(attribute(chat, "gen_ai.provider.name"), "openai");
        assert_eq!(attribute(chat, "gen_ai.request.model"), "gpt-test");
        assert_eq!(attribute(chat, "gen_ai.conversation.id"), "one");
        assert!(is_within(chat, &turn));
    }
    let failed: Vec<_> = chats.iter().filter(|chat| is_failed(chat)).collect();
    assert_eq!(failed.len(), 1);
    assert_eq!(attribute(failed[0], "error.type"), "server");
    let reasons = |chat: &&&_| attribute(chat, "gen_ai.response.finish_reasons");
    let answer = chats.iter().find(|it| reasons(it) == json!(["stop"]));
    let answer = answer.unwrap();
    assert_eq!(attribute(answer, "gen_ai.usage.input_tokens"), 9);
    assert_eq!(attribute(answer, "gen_ai.usage.output_tokens"), 5);
    assert_eq!(attribute(answer, "gen_ai.usage.reasoning.output_tokens"), 2);
    assert!(attribute(answer, "gen_ai.response.time_to_first_chunk").is_f64());

    let tool = collector.the("execute_tool calculator");
    assert!(is_child(&tool, &turn) && is_within(&tool, &turn));
    assert_eq!(attribute(&tool, "gen_ai.operation.name"), "execute_tool");
    assert_eq!(attribute(&tool, "gen_ai.tool.name"), "calculator");
    assert_eq!(attribute(&tool, "gen_ai.conversation.id"), "one");
    assert!(attribute(&tool, "gen_ai.tool.call.id").is_string());

    let writes = collector.named("store_write");
    let writes: Vec<_> = writes.iter().filter(of_turn).collect();
    assert!(writes.len() >= 3, "the message, the call, the answer");
    assert_eq!(attribute(writes[0], "db.system.name"), "sqlite");

    let connection = collector.the("connection");
    assert_eq!(turn.links.len(), 1);
    assert_eq!(turn.links[0].span_id, connection.span_id);
    assert_ne!(turn.trace_id, connection.trace_id);
    let opening = collector.the("GET /ws/session/{*session_id}");
    assert!(is_child(&connection, &opening));
    assert_eq!(attribute(&opening, "http.response.status_code"), 101);
    assert_eq!(opening.kind(), SpanKind::Server);

    assert_eq!(collector.resource("service.name"), "patter");
    for (path, headers) in collector.requests() {
        assert_eq!(path, "/v1/traces");
        assert_eq!(headers["x-tenant"], "seven of nine");
        assert_eq!(headers["content-type"], "application/x-protobuf");
    }
}

#[tokio::test]
async fn what_is_said_is_recorded_only_where_that_is_switched_on() {
    for is_recorded in [false, true] {
        let (collector, model) = (Collector::start(Manner::Well).await, model().await);
        let flag = is_recorded.to_string();
        let more = [("PATTER_TELEMETRY__RECORD_CONTENT", flag.as_str())];
        let mut server = server(collector.endpoint(), &model, &more).await;
        talk(&server, None).await;
        stop(&mut server).await;
        assert_eq!(collector.named("turn").len(), 1);
        let text = collector.text();
        for secret in SECRETS {
            // Numbers such as 42 stand in ids and times too, but not as a text of their own.
            let quoted = [format!("\"{secret}"), format!("\\\"{secret}")];
            let found = quoted.iter().any(|quoted| text.contains(quoted));
            assert_eq!(
                found || text.contains("plankton") && is_recorded,
                is_recorded,
                "{secret}"
            );
        }
        assert!(!text.contains(KEY) && !server.log().contains(KEY));
        if is_recorded {
            check_content(&collector);
        } else {
            assert!(!text.contains("plankton") && !text.contains("marzipan"));
        }
    }
}

fn check_content(collector: &Collector) {
    let chats = collector.named("chat gpt-test");
    let first = chats
        .iter()
        .find(|chat| attribute(chat, "gen_ai.response.finish_reasons") == json!(["tool_calls"]));
    let parsed = |key| -> Value {
        serde_json::from_str(attribute(first.unwrap(), key).as_str().unwrap()).unwrap()
    };
    let input = parsed("gen_ai.input.messages");
    assert_eq!(input[0]["role"], "user");
    assert_eq!(input[0]["parts"][0]["content"], "plankton?");
    let output = parsed("gen_ai.output.messages");
    assert_eq!(output[0]["parts"][0]["name"], "calculator");
    assert_eq!(output[0]["finish_reason"], "tool_calls");
    let tool = collector.the("execute_tool calculator");
    let arguments = attribute(&tool, "gen_ai.tool.call.arguments");
    assert_eq!(arguments, r#"{"expression":"6 * 7"}"#);
    let result = attribute(&tool, "gen_ai.tool.call.result");
    assert!(result.as_str().unwrap().contains("42"), "{result}");
}

#[tokio::test]
async fn a_trace_of_the_caller_is_gone_on_with_and_passed_on_to_providers() {
    let (collector, model) = (Collector::start(Manner::Well).await, model().await);
    let mut server = server(collector.endpoint(), &model, &[]).await;
    let health = reqwest::Client::new().get(server.url("/health/live"));
    let health = health
        .header("traceparent", PARENT)
        .header("tracestate", "a=1");
    health.send().await.unwrap();
    talk(&server, Some(PARENT)).await;
    stop(&mut server).await;

    let live = collector.the("GET /health/live");
    assert_eq!(hex(&live.trace_id), TRACE);
    assert_eq!(hex(&live.parent_span_id), "00f067aa0ba902b7");
    assert_eq!(live.trace_state, "a=1");
    assert_eq!(hex(&collector.the("connection").trace_id), TRACE);

    let turn = collector.the("turn");
    let chats = collector.named("chat gpt-test");
    let first = model.requests().remove(0);
    let sent = first.headers["traceparent"].to_str().unwrap();
    let names_it = |chat: &&_| is_named(sent, chat);
    let chat = chats.iter().find(names_it).unwrap();
    assert!(is_child(chat, &turn));
}

#[tokio::test]
async fn a_turn_over_http_belongs_to_the_trace_of_its_request() {
    let (collector, model) = (Collector::start(Manner::Well).await, model().await);
    let mut server = server(collector.endpoint(), &model, &[]).await;
    let answer = reqwest::Client::new()
        .post(server.url("/api/sessions/one/messages"))
        .header("traceparent", PARENT)
        .json(&json!({ "content": "plankton?" }))
        .send()
        .await
        .unwrap();
    assert_eq!(answer.status(), 200);
    answer.text().await.unwrap();
    stop(&mut server).await;
    let request = collector.the("POST /api/sessions/{session_id}/messages");
    let turn = collector.the("turn");
    assert_eq!(hex(&request.trace_id), TRACE);
    assert!(is_child(&turn, &request) && turn.links.is_empty());
    let sent = model.last_request();
    let sent = sent.headers["traceparent"].to_str().unwrap();
    assert!(sent.contains(TRACE), "{sent}");
}

#[tokio::test]
async fn a_malformed_parent_is_no_parent() {
    let (collector, model) = (Collector::start(Manner::Well).await, model().await);
    let mut server = server(collector.endpoint(), &model, &[]).await;
    for malformed in ["", "00-zz", "00-0-0-0"] {
        let health = reqwest::Client::new().get(server.url("/health/live"));
        let answer = health.header("traceparent", malformed).send();
        assert_eq!(answer.await.unwrap().status(), 200, "{malformed}");
    }
    stop(&mut server).await;
    let requests = collector.named("GET /health/live");
    assert_eq!(requests.len(), 3);
    assert!(requests.iter().all(|span| span.parent_span_id.is_empty()));
}

#[tokio::test]
async fn nothing_is_recorded_of_what_is_not_sampled() {
    let (collector, model) = (Collector::start(Manner::Well).await, model().await);
    let more = [("PATTER_TELEMETRY__SAMPLE_RATIO", "0")];
    let mut server = server(collector.endpoint(), &model, &more).await;
    talk(&server, None).await;
    let health = reqwest::Client::new().get(server.url("/health/live"));
    health.header("traceparent", PARENT).send().await.unwrap();
    stop(&mut server).await;
    assert!(collector.named("turn").is_empty());
    assert_eq!(
        collector.named("GET /health/live").len(),
        1,
        "the caller records it"
    );
}

#[tokio::test]
async fn a_collector_that_is_dead_refuses_is_silent_or_lies_harms_nothing() {
    for manner in [
        None,
        Some(Manner::Refusing),
        Some(Manner::Silent),
        Some(Manner::Endless),
    ] {
        let model = model().await;
        let collector = match manner {
            Some(manner) => Some(Collector::start(manner).await),
            None => None,
        };
        // Port 9 is that of the service which discards; nobody listens there.
        let endpoint = collector
            .as_ref()
            .map_or("http://127.0.0.1:9", Collector::endpoint);
        let mut server = server(endpoint, &model, &[]).await;
        talk(&server, None).await;
        let begun = Instant::now();
        stop(&mut server).await;
        assert!(begun.elapsed() < Duration::from_secs(12), "{manner:?}");
        let log = server.log();
        assert!(!log.contains("panicked"), "{log}");
        let told = log.matches("the collector of traces").count();
        let is_told = !matches!(manner, Some(Manner::Endless | Manner::Silent));
        assert_eq!(told, usize::from(is_told), "{manner:?}: {log}");
    }
}

#[tokio::test]
async fn without_a_collector_providers_get_no_trace_context() {
    let model = ModelServer::start([openai::text(["Hello."]), Reply::silence()]).await;
    let base_url = format!("{}/v1", model.base_url());
    let variables = [("OPENAI_API_KEY", KEY), ("OPENAI_BASE_URL", &base_url)];
    let server = ServerProcess::start(PATTER, &variables).await;
    talk(&server, Some(PARENT)).await;
    assert!(!model.requests()[0].headers.contains_key("traceparent"));
}

//! What the configuration says of tries, circuits and fallbacks, with fake providers; and what
//! `/health` and `/metrics` tell of it.
#![expect(clippy::unwrap_used, reason = "a helper that fails is a failed test")]

use patter_server::config::Sources;
use patter_server::{Config, Server, ServerError, Shutdown};
use patter_testkit::model_server::{ModelServer, Reply, openai};
use serde_json::Value;
use tempfile::TempDir;
use tokio::net::TcpListener;

use crate::support::TestServer;

fn unavailable() -> Reply {
    openai::refusal(503, "overloaded", "later")
}

async fn server(model: &ModelServer, settings: &[(&str, &str)]) -> TestServer {
    let base_url = format!("{}/v1", model.base_url());
    let usual = [("llm.provider", "openai"), ("openai.base_url", &base_url)];
    TestServer::start(&[&usual, settings].concat()).await
}

/// Says something, and gives the answer.
async fn answer(server: &TestServer) -> Value {
    let mut client = server.connect("one").await;
    client.say("m1", "Hello?").await;
    let answer = client.expect("ai_response").await;
    client.close().await;
    answer
}

async fn health(server: &TestServer) -> Value {
    let answer = reqwest::get(server.url("/health")).await.unwrap();
    answer.json().await.unwrap()
}

async fn metrics(server: &TestServer) -> String {
    let answer = reqwest::get(server.url("/metrics")).await.unwrap();
    let content_type = answer.headers()["content-type"].to_str().unwrap();
    assert_eq!(content_type, "text/plain; version=0.0.4; charset=utf-8");
    answer.text().await.unwrap()
}

#[tokio::test]
async fn a_request_that_failed_before_its_first_token_is_tried_again() {
    let model = ModelServer::start([unavailable(), openai::text(["Fine."])]).await;
    let server = server(&model, &[]).await;
    assert_eq!(answer(&server).await["content"], "Fine.");
    assert_eq!(model.requests()[0].body, model.requests()[1].body);
    server.stop().await;
}

#[tokio::test]
async fn with_no_retries_it_is_not() {
    let model = ModelServer::start([unavailable()]).await;
    let server = server(&model, &[("llm.retries", "0")]).await;
    assert_eq!(answer(&server).await["finish_reason"], "error");
    assert_eq!(model.requests().len(), 1);
    server.stop().await;
}

#[tokio::test]
async fn a_provider_that_asks_for_too_long_a_wait_is_not_tried_again() {
    let reply = unavailable().header("retry-after", "2");
    let model = ModelServer::start([reply]).await;
    let server = server(&model, &[("llm.retry_max_wait", "1")]).await;
    assert_eq!(answer(&server).await["finish_reason"], "error");
    assert_eq!(model.requests().len(), 1);
    server.stop().await;
}

#[tokio::test]
async fn a_fallback_answers_where_the_model_cannot() {
    let model = ModelServer::start([unavailable()]).await;
    let settings = [
        ("llm.retries", "0"),
        ("llm.fallbacks", "demo"),
        ("demo.delay_ms", "0"),
    ];
    let server = server(&model, &settings).await;
    let answer = answer(&server).await;
    assert_eq!(
        (&answer["provider"], &answer["finish_reason"]),
        (&"demo".into(), &"stop".into())
    );
    let circuits = health(&server).await["circuits"].clone();
    assert_eq!(
        (&circuits[0]["provider"], &circuits[0]["failures"]),
        (&"openai".into(), &1.into())
    );
    assert_eq!(
        (&circuits[1]["provider"], &circuits[1]["failures"]),
        (&"demo".into(), &0.into())
    );
    server.stop().await;
}

#[tokio::test]
async fn an_open_circuit_is_told_and_no_longer_asked() {
    let model = ModelServer::start_with(|_| unavailable()).await;
    let server = server(&model, &[("llm.retries", "0"), ("llm.model", "m")]).await;
    let before = health(&server).await;
    assert_eq!(before["status"], "ok");
    assert_eq!(before["circuits"][0]["state"], "closed");
    assert_eq!(before["circuits"][0]["retry_after_ms"], Value::Null);

    let mut client = server.connect("one").await;
    for number in 0..10 {
        client.say(&format!("m{number}"), "Hello?").await;
        client.expect("ai_response").await;
    }
    let after = health(&server).await;
    assert_eq!(after["status"], "degraded");
    let circuit = &after["circuits"][0];
    assert_eq!(
        (&circuit["provider"], &circuit["model"]),
        (&"openai".into(), &"m".into())
    );
    // It may be probed by now, on a machine that is slow.
    assert_ne!(circuit["state"], "closed", "{circuit}");
    let ready = reqwest::get(server.url("/health/ready")).await.unwrap();
    assert_eq!(ready.status(), 200);

    let text = metrics(&server).await;
    for line in [
        "# TYPE patter_circuit_state gauge",
        "# TYPE patter_model_failures_total counter",
        "patter_circuit_state{model=\"m\",provider=\"openai\",state=\"closed\"} 0",
        "patter_circuit_opened_total{model=\"m\",provider=\"openai\"} 1",
        "patter_model_failures_total{kind=\"server\",model=\"m\",provider=\"openai\"} 10",
        "patter_model_requests_total{model=\"m\",provider=\"openai\"} 10",
    ] {
        assert!(text.lines().any(|it| it == line), "no `{line}` in\n{text}");
    }
    server.stop().await;
}

#[tokio::test]
async fn metrics_are_described_and_escaped() {
    let model = ModelServer::start([]).await;
    let server = server(&model, &[("llm.model", "a\"b\\c")]).await;
    let text = metrics(&server).await;
    assert!(
        text.contains(r#"{model="a\"b\\c",provider="openai""#),
        "{text}"
    );
    let names = text
        .lines()
        .filter(|line| !line.starts_with('#') && !line.is_empty());
    for line in names {
        let name = line.split(['{', ' ']).next().unwrap();
        let suffixes = ["_bucket", "_sum", "_count"];
        let of_histogram = suffixes.iter().find_map(|it| name.strip_suffix(it));
        let name = of_histogram.unwrap_or(name);
        assert!(
            text.contains(&format!("# HELP {name} ")),
            "{name} in\n{text}"
        );
        assert!(
            text.contains(&format!("# TYPE {name} ")),
            "{name} in\n{text}"
        );
        let value = line.rsplit(' ').next().unwrap();
        assert!(value.parse::<f64>().is_ok(), "{line}");
    }
    server.stop().await;
}

/// A server that does not run yet.
async fn set_up(directory: &TempDir, settings: &[(&str, &str)]) -> Server {
    let file = directory.path().join("patter.db");
    let sources = Sources::none().set("store.url", file.to_str().unwrap());
    let settings = settings.iter();
    let sources = settings.fold(sources, |sources, (key, value)| sources.set(*key, *value));
    Server::from_config(Config::load(&sources).unwrap())
        .await
        .unwrap()
}

#[tokio::test]
async fn the_lines_at_the_start_name_the_fallbacks() {
    let directory = TempDir::new().unwrap();
    let settings = [
        ("llm.provider", "openai"),
        ("openai.api_key", "hush"),
        ("llm.fallbacks", "openai/gpt-5.6-luna,demo"),
    ];
    let server = set_up(&directory, &settings).await;
    let lines = format!("{}", server.description());
    let expected = "model: gpt-6-luna of openai: llm.provider is openai\n\
                    fallbacks: gpt-5.6-luna of openai, then demo";
    assert!(lines.ends_with(expected), "{lines}");
}

#[tokio::test]
async fn a_route_that_offers_a_tool_that_there_is_not_stops_the_start() {
    let directory = TempDir::new().unwrap();
    let settings = [
        ("llm.provider", "demo"),
        ("routes.0.name", "sums"),
        ("routes.0.tools", "calculater"),
    ];
    let server = set_up(&directory, &settings).await;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let stopped = server.run(listener, Shutdown::default()).await;
    let Err(error @ ServerError::UnknownTool { .. }) = stopped else {
        unreachable!("{stopped:?}")
    };
    assert_eq!(
        error.to_string(),
        "the route `sums` offers the tool `calculater`, which there is not; there are: calculator, \
         data_fetcher"
    );
}

//! Secrets that the real binary is given in every way that there is, and all that can be read of it: they
//! go where they belong and nowhere else. (None of them looks like a key: what masks those in a log has no
//! part in it.)
#![expect(
    clippy::unwrap_used,
    reason = "a test stops where something unexpected comes"
)]

use patter_testkit::model_server::{ModelServer, Reply, openai};
use patter_testkit::server_process::ServerProcess;
use patter_testkit::ws_client::WsClient;
use serde_json::json;

use crate::support::collector::{Collector, Manner};

const PATTER: &str = env!("CARGO_BIN_EXE_patter");

/// All that is secret has this in it; what is a conversation has it too, and is the user's alone.
const CANARY: &str = "canary";

/// What the process gets in its environment.
fn secrets(model: &str, data: &str) -> Vec<(&'static str, String)> {
    let mut variables = vec![
        ("OPENAI_API_KEY", "canary-of-openai".to_owned()),
        ("GEMINI_API_KEY", "canary-of-gemini".to_owned()),
        ("OPENAI_BASE_URL", format!("{model}/v1")),
        ("PATTER_LLM__PROVIDER", "openai".to_owned()),
        ("PATTER_LLM__MODEL", "gpt-test".to_owned()),
        ("PATTER_PROVIDERS__MINE__BASE_URL", format!("{model}/v1")),
        ("PATTER_PROVIDERS__MINE__MODEL", "mine".to_owned()),
        ("PATTER_PROVIDERS__MINE__API_KEY_ENV", "MINE_KEY".to_owned()),
        ("MINE_KEY", "canary-of-a-provider".to_owned()),
    ];
    variables.extend([
        (
            "PATTER_DATA_SOURCES__RATES__URL",
            format!("{data}/rates/{{base}}"),
        ),
        (
            "PATTER_DATA_SOURCES__RATES__DESCRIPTION",
            "Exchange rates.".to_owned(),
        ),
        (
            "PATTER_DATA_SOURCES__RATES__PARAMETERS__BASE",
            "A currency".to_owned(),
        ),
        (
            "PATTER_DATA_SOURCES__RATES__SECRET_ENV",
            "RATES_KEY".to_owned(),
        ),
        ("RATES_KEY", "Bearer canary-of-a-source".to_owned()),
        ("PATTER_WEB__TRUSTED", data.replace("http://", "")),
        (
            "OTEL_EXPORTER_OTLP_HEADERS",
            "x-key=canary-of-traces".to_owned(),
        ),
    ]);
    variables
}

fn assert_clean(place: &str, text: &str) {
    let found = text.lines().find(|line| line.contains(CANARY));
    assert!(found.is_none(), "{place}: {found:?}");
}

/// Requests with secrets where clients put them by mistake or by right. What is answered has none.
async fn knock(server: &ServerProcess) {
    let client = reqwest::Client::new();
    for path in [
        "/health",
        "/metrics",
        "/api/models",
        "/api/tools",
        "/api/sessions?ticket=canary-of-a-ticket",
        "/api/sessions/none?token=canary-of-a-query",
        "/ws/session/one?ticket=canary-of-a-ticket",
        "/ws/session/one?access_token=canary-of-a-query",
        "/nowhere?password=canary-of-a-query",
    ] {
        let request = client
            .get(server.url(path))
            .header("authorization", "Bearer canary-of-a-token")
            .header("cookie", "session=canary-of-a-cookie")
            .header("x-api-key", "canary-of-a-header")
            .header(
                "sec-websocket-protocol",
                "patter.v1, base64url.bearer.canary-of-a-protocol",
            );
        let answer = request.send().await.unwrap();
        let head = format!("{:?}", answer.headers());
        let told = format!("{head}\n{}", answer.text().await.unwrap());
        assert_clean(path, &told);
    }
    for body in ["{\"user_id\": canary", "[\"canary\"]", "{\"canary\": 1}"] {
        let request = client.post(server.url("/api/sessions"));
        let request = request.header("content-type", "application/json");
        let answer = request.body(body).send().await.unwrap();
        assert!(answer.status().as_u16() < 500);
    }
}

/// Input 63: a token in a query is in no log; and so is no other secret.
#[tokio::test]
async fn a_secret_is_in_nothing_that_can_be_read_of_the_process() {
    let collector = Collector::start(Manner::Well).await;
    let model = ModelServer::start([
        openai::calls([("rates", json!({ "base": "canary-of-an-argument" }))]),
        openai::text(["canary-of-", "the-model"]),
        openai::text(["A canary-of-the-summary."]),
    ])
    .await;
    let data = ModelServer::start([Reply::json(200, &json!({ "it": "canary-of-a-result" }))]).await;
    let mut variables = secrets(&model.base_url(), &data.base_url());
    variables.push((
        "OTEL_EXPORTER_OTLP_ENDPOINT",
        collector.endpoint().to_owned(),
    ));
    variables.push(("RUST_LOG", "trace".to_owned()));
    let variables: Vec<_> = variables
        .iter()
        .map(|(name, it)| (*name, it.as_str()))
        .collect();

    let mut server = ServerProcess::start(PATTER, &variables).await;
    let mut client = WsClient::connect(&server.session_url("one", "")).await;
    client.say("m1", "canary-of-the-user").await;
    client.expect("ai_response").await;
    knock(&server).await;
    client.send(json!({ "type": "end" })).await;
    client.until_closed().await;
    let metrics = reqwest::get(server.url("/metrics")).await.unwrap().text();
    assert_clean("metrics", &metrics.await.unwrap());
    server.terminate().await;
    assert!(server.ended().await.success());

    let log = server.log();
    assert!(log.contains("\"level\":\"TRACE\""), "nothing was logged");
    assert_clean("log", &log);
    assert!(!collector.named("turn").is_empty(), "nothing was traced");
    assert_clean("traces", &collector.text());
    // Where they belong they were.
    assert_eq!(
        data.last_request().headers["authorization"],
        "Bearer canary-of-a-source"
    );
    let key = &model.requests()[0].headers["authorization"];
    assert_eq!(key, "Bearer canary-of-openai");
    let (_, headers) = &collector.requests()[0];
    assert_eq!(headers["x-key"], "canary-of-traces");
}

#[tokio::test]
async fn a_secret_is_in_nothing_that_a_command_prints() {
    let mut variables = secrets("http://127.0.0.1:9", "http://127.0.0.1:9");
    let store = "postgres://me:canary-of-the-store@127.0.0.1:9/chat?sslpassword=canary-of-tls";
    variables.push(("DATABASE_URL", store.to_owned()));
    let variables: Vec<_> = variables
        .iter()
        .map(|(name, it)| (*name, it.as_str()))
        .collect();
    for arguments in [
        &["config"][..],
        &["check"],
        &["models"],
        &["models", "--json"],
        &["tools"],
        &["tools", "--json"],
        &["migrate"],
        &["sessions", "list"],
        &["serve"],
    ] {
        let output = ServerProcess::run(PATTER, arguments, &variables).await;
        for said in [&output.stdout, &output.stderr] {
            assert_clean(&arguments.join(" "), &String::from_utf8_lossy(said));
        }
        assert!(!(output.stdout.is_empty() && output.stderr.is_empty()));
    }
}

//! What the real binary logs of a conversation, and when it reads its filter again.

use std::fs;
use std::time::Duration;

use patter_testkit::model_server::{ModelServer, openai};
use patter_testkit::server_process::ServerProcess;
use patter_testkit::ws_client::WsClient;
use serde_json::json;
use tokio::time::{sleep, timeout};

const PATTER: &str = env!("CARGO_BIN_EXE_patter");
const PATIENCE: Duration = Duration::from_secs(20);

#[tokio::test]
async fn nothing_of_a_conversation_is_logged_above_trace() {
    let model = ModelServer::start([
        openai::calls([("calculator", json!({ "expression": "12345678 + 1" }))]),
        openai::text(["canary-of-", "the-model"]),
        openai::refusal(400, "bad", "no canary-of-the-provider"),
        openai::text(["A canary-of-the-summary."]),
    ])
    .await;
    let base_url = format!("{}/v1", model.base_url());
    let mut server = ServerProcess::start(
        PATTER,
        &[
            ("OPENAI_API_KEY", "canary-of-the-key"),
            ("OPENAI_BASE_URL", &base_url),
            ("RUST_LOG", "debug"),
        ],
    )
    .await;
    let mut client = WsClient::connect(&server.session_url("one", "")).await;
    client.say("m1", "canary-of-the-user").await;
    client.expect("ai_response").await;
    client
        .send(json!({ "type": "user_message", "content": 7, "x": "canary-of-nonsense" }))
        .await;
    client.expect("error").await;
    client.say("m2", "canary-of-the-user").await;
    client.expect("ai_response").await;
    client.send(json!({ "type": "end" })).await;
    client.until_closed().await;
    server.terminate().await;
    assert!(server.ended().await.success());
    let log = server.log();
    assert!(
        log.contains("\"level\":\"DEBUG\"") && log.contains("session opened"),
        "{log}"
    );
    for line in log.lines() {
        // What a provider refuses a request with is no content, but tells what is wrong with it.
        let line = line.replace("canary-of-the-provider", "");
        let is_clean =
            !line.contains("canary") && !line.contains("12345678") && !line.contains("12345679");
        assert!(is_clean, "{line}");
    }
}

#[cfg(unix)]
#[tokio::test]
async fn the_filter_is_read_again_on_sighup_and_kept_where_the_configuration_is_faulty() {
    let server = ServerProcess::start(PATTER, &[]).await;
    let file = server.directory().join("patter.toml");
    let until_logged = async |text: &str| {
        let logged = async {
            while !server.log().contains(text) {
                sleep(Duration::from_millis(10)).await;
            }
        };
        timeout(PATIENCE, logged).await.unwrap();
    };
    fs::write(&file, "[log]\nfilter = \"info,patter=loud\"\n").unwrap();
    server.hang_up().await;
    until_logged("the filter of the logs is as it was").await;
    assert!(!server.log().contains("\"level\":\"DEBUG\""));
    fs::write(&file, "[log]\nfilter = \"debug\"\n").unwrap();
    server.hang_up().await;
    until_logged("the filter of the logs was read again").await;
    reqwest::get(server.url("/health/live")).await.unwrap();
    until_logged("\"level\":\"DEBUG\"").await;
}

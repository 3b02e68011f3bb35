//! The real binary with two fake providers of different wire formats: one fails, the other
//! finishes; and a route picks the other one from the start.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a helper that fails is a failed test"
)]

use std::collections::HashMap;

use patter_testkit::model_server::{ModelServer, gemini, openai};
use patter_testkit::server_process::ServerProcess;
use patter_testkit::ws_client::WsClient;
use serde_json::{Value, json};
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{ConnectOptions, SqliteConnection};

const PATTER: &str = env!("CARGO_BIN_EXE_patter");

/// A server whose primary model is Gemini, with OpenAI's Chat Completions behind it.
async fn start(first: &ModelServer, second: &ModelServer, more: &[(&str, &str)]) -> ServerProcess {
    let (first_url, second_url) = (first.base_url(), format!("{}/v1", second.base_url()));
    let usual = [
        ("GEMINI_API_KEY", "hush-gemini"),
        ("GEMINI_BASE_URL", first_url.as_str()),
        ("OPENAI_API_KEY", "hush-openai"),
        ("OPENAI_BASE_URL", second_url.as_str()),
        ("PATTER_LLM__RETRIES", "0"),
        ("PATTER_LLM__FALLBACKS", "openai"),
    ];
    ServerProcess::start(PATTER, &[&usual, more].concat()).await
}

/// The types of the events, without repetitions.
fn types(events: &[Value]) -> Vec<&str> {
    let mut types: Vec<_> = events
        .iter()
        .map(|it| it["type"].as_str().unwrap())
        .collect();
    types.dedup();
    types
}

fn only<'a>(events: &'a [Value], event_type: &str) -> &'a Value {
    let mut found = events.iter().filter(|event| event["type"] == event_type);
    let only = found.next().unwrap();
    assert!(found.next().is_none(), "{events:?}");
    only
}

/// The answers in the log of the session: text and the whole of its metadata.
async fn stored_answers(server: &ServerProcess, session_id: &str) -> Vec<(String, Value)> {
    let file = server.directory().join("data/patter.db");
    let mut database: SqliteConnection = SqliteConnectOptions::new()
        .filename(file)
        .connect()
        .await
        .unwrap();
    let rows: Vec<(String, String)> = sqlx::query_as(
        "select content, json(metadata) from session_events \
         where session_id = $1 and event_type = 'ai_response' order by seq",
    )
    .bind(session_id)
    .fetch_all(&mut database)
    .await
    .unwrap();
    let parsed = |metadata: &str| serde_json::from_str(metadata).unwrap();
    rows.iter()
        .map(|(content, metadata)| (content.clone(), parsed(metadata)))
        .collect()
}

/// Requests, failures and state of each circuit in `/health`, by provider.
async fn circuits(server: &ServerProcess) -> HashMap<String, Value> {
    let answer = reqwest::get(server.url("/health")).await.unwrap();
    let health: Value = answer.json().await.unwrap();
    let circuits = health["circuits"].as_array().unwrap().iter();
    circuits
        .map(|it| {
            let provider = it["provider"].as_str().unwrap().to_owned();
            (
                provider,
                json!([it["requests"], it["failures"], it["state"]]),
            )
        })
        .collect()
}

async fn stop(mut server: ServerProcess) {
    server.terminate().await;
    assert!(server.ended().await.success(), "{}", server.log());
    assert!(!server.log().contains("hush"), "{}", server.log());
}

#[tokio::test]
async fn the_fallback_answers_where_the_primary_refuses() {
    let first = ModelServer::start([gemini::refusal(503, "UNAVAILABLE", "overloaded")]).await;
    let second = ModelServer::start([openai::text(["All ", "is well."])]).await;
    let server = start(&first, &second, &[]).await;
    let mut client = WsClient::connect(&server.session_url("refused", "")).await;
    client.next().await;
    client.say("m1", "How are you?").await;
    let turn = client.until("ai_response").await;

    assert_eq!(only(&turn, "notice")["code"], "provider_failover");
    assert_eq!(only(&turn, "response_started")["provider"], "openai");
    // Nothing was shown that would have to be taken back.
    assert!(!types(&turn).contains(&"response_snapshot"), "{turn:?}");
    assert!(!types(&turn).contains(&"error"), "{turn:?}");
    let answer = turn.last().unwrap();
    assert_eq!(answer["content"], "All is well.");
    assert_eq!(
        (&answer["provider"], &answer["finish_reason"]),
        (&json!("openai"), &json!("stop"))
    );
    client.close().await;
    stop(server).await;
}

#[tokio::test]
async fn the_fallback_answers_afresh_where_the_primary_breaks_off() {
    let half = gemini::text(["Half ", "an answer."]);
    let place = half.place_of("an answer");
    let first = ModelServer::start([half.broken_after(place)]).await;
    let second = ModelServer::start([openai::text(["A whole ", "one."])]).await;
    let server = start(&first, &second, &[]).await;
    let mut client = WsClient::connect(&server.session_url("cut", "")).await;
    client.next().await;
    client.say("m1", "How are you?").await;
    let turn = client.until("ai_response").await;

    let from_token = turn
        .iter()
        .position(|event| event["type"] == "token")
        .unwrap();
    let after = types(&turn[from_token..]);
    let expected = [
        "token",
        "notice",
        "response_snapshot",
        "token",
        "ai_response",
    ];
    let mut after: Vec<_> = after
        .into_iter()
        .filter(|it| expected.contains(it))
        .collect();
    // The message may be stored between two tokens.
    after.dedup();
    assert_eq!(after, expected, "{turn:?}");
    assert_eq!(only(&turn, "notice")["code"], "provider_failover");
    let snapshot = only(&turn, "response_snapshot");
    assert_eq!(
        (&snapshot["content"], &snapshot["index"]),
        (&json!(""), &json!(-1))
    );
    let place = turn
        .iter()
        .position(|event| event["type"] == "response_snapshot")
        .unwrap();
    let tokens = turn[place..]
        .iter()
        .filter(|event| event["type"] == "token");
    let text: String = tokens
        .map(|token| token["content"].as_str().unwrap())
        .collect();
    assert_eq!(text, "A whole one.");
    let answer = turn.last().unwrap();
    assert_eq!(
        (&answer["content"], &answer["provider"]),
        (&json!(text), &json!("openai"))
    );

    let stored = stored_answers(&server, "cut").await;
    assert_eq!(stored.len(), 1, "{stored:?}");
    assert_eq!(stored[0].0, "A whole one.");
    assert_eq!(stored[0].1["provider"], "openai");

    let circuits = circuits(&server).await;
    assert_eq!(circuits["gemini"], json!([1, 1, "closed"]));
    assert_eq!(circuits["openai"], json!([1, 0, "closed"]));
    client.close().await;
    stop(server).await;
}

#[tokio::test]
async fn a_route_by_words_picks_the_other_provider() {
    let first = ModelServer::start([gemini::text(["Of ", "course."])]).await;
    let second = ModelServer::start([openai::text(["It is ", "a lifetime."])]).await;
    let settings = [
        ("PATTER_ROUTES__0__NAME", "code"),
        ("PATTER_ROUTES__0__WORDS", "rust"),
        ("PATTER_ROUTES__0__PROVIDER", "openai"),
        ("PATTER_ROUTES__0__MODEL", "gpt-5.1"),
        ("PATTER_ROUTES__0__SYSTEM_PROMPT", "You read code."),
        ("PATTER_ROUTES__0__TOOLS", "calculator"),
        ("PATTER_ROUTES__0__MAX_OUTPUT_TOKENS", "77"),
        ("PATTER_MODELS__0__PROVIDER", "openai"),
        ("PATTER_MODELS__0__NAME", "gpt-5.1"),
        ("PATTER_MODELS__0__INPUT_PRICE", "1"),
        ("PATTER_MODELS__0__OUTPUT_PRICE", "2"),
    ];
    let server = start(&first, &second, &settings).await;
    let mut client = WsClient::connect(&server.session_url("routed", "")).await;
    client.next().await;
    client.say("m1", "Why does Rust refuse this?").await;
    let turn = client.until("ai_response").await;
    let started = only(&turn, "response_started");
    assert_eq!(
        (&started["route"], &started["provider"]),
        (&json!("code"), &json!("openai"))
    );
    let answer = turn.last().unwrap();
    assert_eq!(answer["content"], "It is a lifetime.");
    assert!(answer["cost_usd"].as_f64().unwrap() > 0.0, "{answer}");
    let sent = second.last_request().body;
    assert_eq!(sent["model"], "gpt-5.1");
    assert_eq!(sent["messages"][0]["content"], "You read code.");
    assert_eq!(sent["tools"].as_array().unwrap().len(), 1, "{sent}");

    client.say("m2", "Thank you.").await;
    let turn = client.until("ai_response").await;
    let started = only(&turn, "response_started");
    assert_eq!(
        (&started["route"], &started["provider"]),
        (&Value::Null, &json!("gemini"))
    );
    assert_eq!(turn.last().unwrap()["content"], "Of course.");
    client.close().await;
    stop(server).await;
}

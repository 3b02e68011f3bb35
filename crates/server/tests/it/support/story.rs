//! A whole conversation with the real binary and a fake provider over HTTP, told once for every
//! provider and every store: two turns with tools in parallel, a cancel, a reconnect in the middle
//! of an answer, the end, and SIGTERM.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a helper that fails is a failed test"
)]

use patter_testkit::model_server::{ModelServer, Release, Reply};
use patter_testkit::server_process::ServerProcess;
use patter_testkit::ws_client::WsClient;
use serde_json::{Value, json};

/// The session of the story.
pub(crate) const SESSION_ID: &str = "story-1";
/// What the model makes of the conversation at its end.
pub(crate) const SUMMARY: &str = "They talked.";
/// The log that the story leaves behind; the results of tools that run at the same time may come
/// in any order and are the same type.
pub(crate) const LOG: [&str; 14] = [
    "session_started",
    "user_message",
    "tool_call",
    "tool_call",
    "tool_result",
    "tool_result",
    "ai_response",
    "user_message",
    "ai_response",
    "user_message",
    "ai_response",
    "user_message",
    "ai_response",
    "session_ended",
];
/// The texts of the four answers.
pub(crate) const ANSWERS: [&str; 4] = [
    "42, and it is cold.",
    "You are welcome.",
    "Once upon ",
    "Half, whole.",
];
/// Finds the session's row if it is as it should be. The same in both stores.
pub(crate) const COUNT_FINISHED: &str = "select count(*) from sessions where session_id = $1 \
    and is_active = false and end_time is not null and last_seq = 14 and summary = $2 \
    and cast(metadata -> 'metrics' ->> 'user_messages' as integer) = 4 \
    and cast(metadata -> 'metrics' ->> 'tool_calls' as integer) = 2";
/// The session's log.
pub(crate) const SELECT_EVENTS: &str =
    "select event_type, content from session_events where session_id = $1 order by seq";

/// A provider's way to write its answers.
pub(crate) struct Dialect {
    pub(crate) text: fn(Vec<&str>) -> Reply,
    pub(crate) calls: fn(Vec<(&str, Value)>) -> Reply,
    /// The variables that point the server to the provider.
    pub(crate) variables: fn(&ModelServer) -> Vec<(&'static str, String)>,
    /// Stands once in a request for each result of a tool.
    pub(crate) tool_result: &'static str,
}

pub(crate) const GEMINI: Dialect = Dialect {
    text: |pieces| patter_testkit::model_server::gemini::text(pieces),
    calls: |calls| patter_testkit::model_server::gemini::calls(calls),
    variables: |model| {
        vec![
            ("GEMINI_API_KEY", SECRET.to_owned()),
            ("GEMINI_BASE_URL", model.base_url()),
        ]
    },
    tool_result: "\"functionResponse\":",
};

pub(crate) const OPENAI: Dialect = Dialect {
    text: |pieces| patter_testkit::model_server::openai::text(pieces),
    calls: |calls| patter_testkit::model_server::openai::calls(calls),
    variables: |model| {
        let base_url = format!("{}/v1", model.base_url());
        vec![
            ("OPENAI_API_KEY", SECRET.to_owned()),
            ("OPENAI_BASE_URL", base_url),
        ]
    },
    tool_result: "\"role\":\"tool\"",
};

const SECRET: &str = "key-that-nobody-may-see";

/// Tells the story to the end; the server has stopped then, and its folder is still there.
pub(crate) async fn tell(dialect: &Dialect, database: &[(&str, &str)]) -> ServerProcess {
    let text = dialect.text;
    let (never, release) = (Release::default(), Release::default());
    let tools = vec![
        ("calculator", json!({"expression": "6 * 7"})),
        (
            "data_fetcher",
            json!({"data_type": "weather", "query": "Oslo"}),
        ),
    ];
    let model = ModelServer::start([
        (dialect.calls)(tools),
        text(vec!["42, ", "and it is cold."]),
        text(vec!["You are ", "welcome."]),
        text(vec!["Once upon ", "a time"]).stalled_at("a time", &never),
        text(vec!["Half, ", "whole."]).stalled_at("whole.", &release),
        text(vec![SUMMARY]),
    ])
    .await;
    let variables = (dialect.variables)(&model);
    let variables: Vec<(&str, &str)> = variables
        .iter()
        .map(|(name, value)| (*name, value.as_str()))
        .chain(database.iter().copied())
        .collect();
    let mut server = ServerProcess::start(env!("CARGO_BIN_EXE_patter"), &variables).await;

    let mut client = WsClient::connect(&server.session_url(SESSION_ID, "")).await;
    let ready = client.next().await;
    let epoch = ready["epoch"].as_str().unwrap().to_owned();
    two_turns(&mut client, &model, dialect).await;
    cancel(&mut client, &model).await;
    let mut client = reconnect(client, &server, &epoch, &release).await;

    client.send(json!({"type": "end"})).await;
    let (events, code) = client.until_closed().await;
    assert_eq!(code, Some(1000));
    assert_eq!(events.last().unwrap()["summary"], SUMMARY);

    server.terminate().await;
    assert!(server.ended().await.success(), "{}", server.log());
    let log = server.log();
    assert!(!log.contains(SECRET) && !log.contains("Oslo"), "{log}");
    server
}

async fn two_turns(client: &mut WsClient, model: &ModelServer, dialect: &Dialect) {
    client
        .say("m1", "What is 6 * 7, and how is the weather in Oslo?")
        .await;
    let turn = client.until("ai_response").await;
    let results: Vec<&Value> = turn
        .iter()
        .filter(|event| event["type"] == "tool_result")
        .collect();
    assert_eq!(results.len(), 2);
    assert!(
        results.iter().all(|result| result["ok"] == true),
        "{results:?}"
    );
    let answer = turn.last().unwrap();
    assert_eq!(answer["content"], ANSWERS[0]);
    assert_eq!(
        answer["parts"].as_array().unwrap().len(),
        3,
        "two calls and a text"
    );
    let after_tools = model.last_request().body.to_string();
    assert_eq!(
        after_tools.matches(dialect.tool_result).count(),
        2,
        "{after_tools}"
    );

    client.say("m2", "Thank you.").await;
    let answer = client.expect("ai_response").await;
    assert_eq!(answer["content"], ANSWERS[1]);
    assert_eq!(answer["message_id"], "m2");
    assert!(answer["usage"]["input_tokens"].is_u64());
}

async fn cancel(client: &mut WsClient, model: &ModelServer) {
    client.say("m3", "Tell me a story.").await;
    client.expect("token").await;
    client.send(json!({"type": "cancel"})).await;
    let answer = client.expect("ai_response").await;
    assert_eq!(answer["finish_reason"], "cancelled");
    assert_eq!(answer["content"], ANSWERS[2]);
    model.client_left().await;
}

async fn reconnect(
    mut client: WsClient,
    server: &ServerProcess,
    epoch: &str,
    release: &Release,
) -> WsClient {
    client.say("m4", "Once more.").await;
    let begun = client.until_all(&["user_message", "token"]).await;
    let last_seq = begun
        .iter()
        .find_map(|event| event["seq"].as_u64())
        .unwrap();
    // Cut, and not closed.
    drop(client);
    let query = format!("?after={last_seq}&epoch={epoch}");
    let mut client = WsClient::connect(&server.session_url(SESSION_ID, &query)).await;
    assert_eq!(client.next().await["reset"], false);
    let snapshot = client.next().await;
    assert_eq!(snapshot["type"], "response_snapshot");
    assert_eq!(snapshot["content"], "Half, ");
    release.release();
    assert_eq!(client.expect("token").await["content"], "whole.");
    assert_eq!(client.expect("ai_response").await["content"], ANSWERS[3]);
    client
}

/// Holds what the store has against what the story was.
pub(crate) fn check_rows(events: &[(String, String)], finished: i64) {
    let types: Vec<&str> = events
        .iter()
        .map(|(event_type, _)| event_type.as_str())
        .collect();
    assert_eq!(types, LOG);
    let answers: Vec<&str> = events
        .iter()
        .filter(|(event_type, _)| event_type == "ai_response")
        .map(|(_, content)| content.as_str())
        .collect();
    assert_eq!(answers, ANSWERS);
    assert_eq!(finished, 1, "the session's row is not what it should be");
}

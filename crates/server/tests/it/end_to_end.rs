//! The real binary with the embedded store, from its start to its exit code.

#![expect(clippy::unwrap_used, reason = "a helper that fails is a failed test")]

use std::process::Stdio;

use patter_testkit::model_server::{ModelServer, Release, openai};
use patter_testkit::server_process::ServerProcess;
use patter_testkit::ws_client::WsClient;
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{ConnectOptions, SqliteConnection};
use tokio::net::TcpListener;
use tokio::process::Command;

use crate::support::story::{
    self, COUNT_FINISHED, Dialect, GEMINI, OPENAI, SELECT_EVENTS, SESSION_ID, SUMMARY,
};

const PATTER: &str = env!("CARGO_BIN_EXE_patter");

async fn story_in_sqlite(dialect: &Dialect) {
    let server = story::tell(dialect, &[]).await;
    let file = server.directory().join("data/patter.db");
    let mut database: SqliteConnection = SqliteConnectOptions::new()
        .filename(file)
        .connect()
        .await
        .unwrap();
    let events: Vec<(String, String)> = sqlx::query_as(SELECT_EVENTS)
        .bind(SESSION_ID)
        .fetch_all(&mut database)
        .await
        .unwrap();
    let (finished,): (i64,) = sqlx::query_as(COUNT_FINISHED)
        .bind(SESSION_ID)
        .bind(SUMMARY)
        .fetch_one(&mut database)
        .await
        .unwrap();
    story::check_rows(&events, finished);
}

#[tokio::test]
async fn a_conversation_with_gemini_is_kept_in_sqlite() {
    story_in_sqlite(&GEMINI).await;
}

#[tokio::test]
async fn a_conversation_with_openai_is_kept_in_sqlite() {
    story_in_sqlite(&OPENAI).await;
}

#[tokio::test]
async fn with_nothing_set_the_demo_model_answers() {
    let mut server = ServerProcess::start(PATTER, &[]).await;
    let mut client = WsClient::connect(&server.session_url("demo", "")).await;
    assert_eq!(client.next().await["provider"], "demo");
    client.say("m1", "What is 15% of 240?").await;
    let turn = client.until("ai_response").await;
    assert!(turn.iter().any(|event| event["type"] == "tool_call"));
    assert!(
        turn.last().unwrap()["content"]
            .as_str()
            .unwrap()
            .contains("36")
    );

    server.terminate().await;
    let (events, code) = client.until_closed().await;
    assert_eq!(code, Some(1012), "{events:?}");
    assert!(server.ended().await.success(), "{}", server.log());
}

#[tokio::test]
async fn a_second_signal_is_faster_and_loses_nothing() {
    let never = Release::default();
    let answer = openai::text(["Half ", "done."]).stalled_at("done.", &never);
    let model = ModelServer::start([answer]).await;
    let base_url = format!("{}/v1", model.base_url());
    let variables = [
        ("PATTER_LLM__PROVIDER", "openai"),
        ("OPENAI_BASE_URL", &base_url),
    ];
    let mut server = ServerProcess::start(PATTER, &variables).await;
    let mut client = WsClient::connect(&server.session_url("impatient", "")).await;
    client.say("m1", "Talk.").await;
    client.until_all(&["user_message", "token"]).await;
    server.terminate().await;
    assert_eq!(client.expect("notice").await["code"], "draining");
    server.terminate().await;
    let (events, code) = client.until_closed().await;
    assert_eq!(code, Some(1012));
    let answer = events.iter().find(|event| event["type"] == "ai_response");
    let answer = answer.unwrap();
    assert_eq!(answer["finish_reason"], "interrupted");
    assert_eq!(answer["content"], "Half ");
    assert!(server.ended().await.success(), "{}", server.log());
}

#[tokio::test]
async fn a_signal_ends_a_start_that_waits_for_its_database() {
    let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("postgres://user@{}/patter", silent.local_addr().unwrap());
    let nowhere = tempfile::tempdir().unwrap();
    let server = Command::new(PATTER)
        .env_clear()
        .env("DATABASE_URL", url)
        .current_dir(nowhere.path())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let _asked = silent.accept().await.unwrap();
    let id = server.id().unwrap().to_string();
    let sent = Command::new("kill").args(["-TERM", &id]).status().await;
    assert!(sent.unwrap().success());
    let ended = server.wait_with_output().await.unwrap();
    let told = String::from_utf8_lossy(&ended.stderr);
    assert_eq!(ended.status.code(), Some(1), "{told}");
    assert!(told.contains("stopped by a signal"), "{told}");
}

#[tokio::test]
async fn a_database_that_is_not_there_stops_the_start_with_a_clear_message() {
    for (url, place) in [
        (
            "postgres://user:hidden@127.0.0.1:1/patter",
            "127.0.0.1:1/patter",
        ),
        ("sqlite:/proc/none/patter.db", "/proc/none/patter.db"),
    ] {
        let ended = ServerProcess::run(PATTER, &[], &[("DATABASE_URL", url), ("PORT", "0")]).await;
        let told = String::from_utf8_lossy(&ended.stderr).into_owned();
        assert_eq!(ended.status.code(), Some(1), "{told}");
        assert!(
            told.contains("cannot open the store") && told.contains(place),
            "{told}"
        );
        assert!(!told.contains("hidden"), "{told}");
    }
}

#[tokio::test]
async fn a_port_that_is_taken_stops_the_start_with_a_clear_message() {
    let taken = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    let ended = ServerProcess::run(PATTER, &[], &[("PORT", &port)]).await;
    let told = String::from_utf8_lossy(&ended.stderr).into_owned();
    assert_eq!(ended.status.code(), Some(1), "{told}");
    assert!(
        told.contains(&format!("cannot listen on 127.0.0.1:{port}")),
        "{told}"
    );
}

#[tokio::test]
async fn check_config_and_migrate_do_what_they_say() {
    let fine = ServerProcess::run(PATTER, &["check"], &[]).await;
    assert_eq!(fine.status.code(), Some(0));
    let faulty = [("PORT", "no port"), ("GEMINI_BASE_URL", "nowhere")];
    let faulty = ServerProcess::run(PATTER, &["check"], &faulty).await;
    let told = String::from_utf8_lossy(&faulty.stderr).into_owned();
    assert_eq!(faulty.status.code(), Some(1));
    assert!(
        told.contains("server.port") && told.contains("gemini.base_url"),
        "{told}"
    );

    let key = [("OPENAI_API_KEY", "key-that-nobody-may-see")];
    let config = ServerProcess::run(PATTER, &["config"], &key).await;
    let told = String::from_utf8_lossy(&config.stdout).into_owned();
    assert!(
        told.contains("openai.api_key") && !told.contains(key[0].1),
        "{told}"
    );

    let migrated = ServerProcess::run(PATTER, &["migrate"], &[]).await;
    assert_eq!(migrated.status.code(), Some(0));
}

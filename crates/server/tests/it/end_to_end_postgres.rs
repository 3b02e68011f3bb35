//! The real binary with `PostgreSQL`. Needs a server, named by `TEST_DATABASE_URL`.

#![expect(clippy::unwrap_used, reason = "a helper that fails is a failed test")]

use std::time::Duration;

use patter_testkit::postgres::TestDatabase;
use patter_testkit::server_process::ServerProcess;
use patter_testkit::ws_client::WsClient;
use serde_json::Value;
use sqlx::{Connection, Executor, PgConnection};
use tokio_tungstenite::tungstenite::Error;

use crate::support::story::{
    self, COUNT_FINISHED, Dialect, GEMINI, OPENAI, SELECT_EVENTS, SESSION_ID, SUMMARY,
};

/// A server for tests may have been told not to sync to disk.
const UNSAFE: (&str, &str) = ("PATTER_STORE__ALLOW_UNSAFE_FSYNC", "true");

async fn story_in_postgres(dialect: &Dialect) {
    let database = TestDatabase::create().await;
    let url = database.url();
    let _stopped = story::tell(dialect, &[("DATABASE_URL", &url), UNSAFE]).await;
    let mut connection = PgConnection::connect(&url).await.unwrap();
    connection
        .execute("set search_path to patter")
        .await
        .unwrap();
    let events: Vec<(String, String)> = sqlx::query_as(SELECT_EVENTS)
        .bind(SESSION_ID)
        .fetch_all(&mut connection)
        .await
        .unwrap();
    let (finished,): (i64,) = sqlx::query_as(COUNT_FINISHED)
        .bind(SESSION_ID)
        .bind(SUMMARY)
        .fetch_one(&mut connection)
        .await
        .unwrap();
    story::check_rows(&events, finished);
}

#[tokio::test]
async fn a_conversation_with_gemini_is_kept_in_postgres() {
    story_in_postgres(&GEMINI).await;
}

#[tokio::test]
async fn a_conversation_with_openai_is_kept_in_postgres() {
    story_in_postgres(&OPENAI).await;
}

#[tokio::test]
async fn a_database_that_goes_away_is_told_and_opens_no_session() {
    let database = TestDatabase::create().await;
    let url = database.url();
    let variables = [
        ("DATABASE_URL", url.as_str()),
        UNSAFE,
        ("PATTER_STORE__SPOOL", "off"),
    ];
    let server = ServerProcess::start(env!("CARGO_BIN_EXE_patter"), &variables).await;
    let ready = reqwest::get(server.url("/health/ready")).await.unwrap();
    assert!(ready.status().is_success());
    drop(database);

    let refused = WsClient::try_connect(&server.session_url("late", ""))
        .await
        .unwrap_err();
    let Error::Http(answer) = *refused else {
        unreachable!()
    };
    assert_eq!(answer.status().as_u16(), 503);
    assert!(answer.headers().contains_key("retry-after"));
    let health = loop {
        // What was said a second ago still counts at first.
        let health = reqwest::get(server.url("/health")).await.unwrap();
        if !health.status().is_success() {
            break health;
        }
    };
    let health: Value = health.json().await.unwrap();
    assert_eq!(health["status"], "down");
    assert_eq!(health["store"]["status"], "down");
    assert_eq!(
        reqwest::get(server.url("/health/ready"))
            .await
            .unwrap()
            .status()
            .as_u16(),
        503
    );
    assert!(
        reqwest::get(server.url("/health/live"))
            .await
            .unwrap()
            .status()
            .is_success()
    );
}

#[tokio::test]
async fn with_a_spool_a_server_stays_ready_while_its_database_is_away() {
    let database = TestDatabase::create().await;
    let url = database.url();
    let server = ServerProcess::start(
        env!("CARGO_BIN_EXE_patter"),
        &[("DATABASE_URL", &url), UNSAFE],
    )
    .await;
    let ready = reqwest::get(server.url("/health/ready")).await.unwrap();
    assert!(ready.status().is_success());
    drop(database);
    let health = loop {
        let answer = reqwest::get(server.url("/health")).await.unwrap();
        assert!(answer.status().is_success());
        let health: Value = answer.json().await.unwrap();
        if health["store"]["status"] == "down" {
            break health;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    };
    assert_eq!(health["status"], "degraded");
    assert_eq!(health["spool"]["events"], 0);
    let answer = reqwest::get(server.url("/health/ready")).await.unwrap();
    assert!(answer.status().is_success());
}

//! `patter sessions` as a process, on a store that has a conversation in it, with and without a server beside it.
#![expect(clippy::unwrap_used, reason = "a helper that fails is a failed test")]

use std::fs;
use std::path::PathBuf;
use std::process::Output;

use patter_testkit::server_process::ServerProcess;
use patter_testkit::ws_client::WsClient;
use serde_json::Value;
use tempfile::TempDir;

const PATTER: &str = env!("CARGO_BIN_EXE_patter");
const SECRET: &str = "What is 15% of 240?";

/// A folder with a store that servers and commands share.
struct Place(TempDir);

impl Place {
    fn new() -> Self {
        Self(TempDir::new().unwrap())
    }

    fn file(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    async fn server(&self, more: &[(&str, &str)]) -> ServerProcess {
        let store = self.file("patter.db");
        let own = [
            ("PATTER_STORE__URL", store.to_str().unwrap()),
            ("PATTER_SESSION__LINGER", "0.2"),
            ("PATTER_SESSION__SWEEP_INTERVAL", "0.2"),
            ("PATTER_DEMO__DELAY_MS", "0"),
        ];
        ServerProcess::start(PATTER, &[&own, more].concat()).await
    }

    /// A server, and a conversation on it that is still going on.
    async fn conversation(&self, id: &str) -> (ServerProcess, WsClient) {
        let server = self.server(&[]).await;
        let mut client = WsClient::connect(&server.session_url(id, "")).await;
        client.say("m1", SECRET).await;
        client.until("ai_response").await;
        (server, client)
    }

    /// A conversation that is over, and nobody beside it.
    async fn ended(&self, id: &str) {
        let (mut server, mut client) = self.conversation(id).await;
        client.send(serde_json::json!({"type": "end"})).await;
        client.until("session_ended").await;
        server.terminate().await;
        assert!(server.ended().await.success(), "{}", server.log());
    }

    async fn run(&self, arguments: &[&str]) -> Output {
        let store = self.file("patter.db");
        let variables = [("PATTER_STORE__URL", store.to_str().unwrap())];
        let arguments = [&["sessions"], arguments].concat();
        ServerProcess::run(PATTER, &arguments, &variables).await
    }

    /// What a command says that does what it shall.
    async fn said(&self, arguments: &[&str]) -> String {
        let output = self.run(arguments).await;
        let errors = String::from_utf8(output.stderr).unwrap();
        assert!(output.status.success(), "{errors}");
        String::from_utf8(output.stdout).unwrap()
    }

    async fn json(&self, arguments: &[&str]) -> Value {
        let arguments = [arguments, &["--json"]].concat();
        serde_json::from_str(&self.said(&arguments).await).unwrap()
    }

    /// Why a command does not do it.
    async fn refused(&self, arguments: &[&str]) -> String {
        let output = self.run(arguments).await;
        assert_eq!(output.status.code(), Some(1));
        assert!(output.stdout.is_empty());
        String::from_utf8(output.stderr).unwrap()
    }
}

#[tokio::test]
async fn sessions_are_looked_at_beside_a_running_server_and_a_live_one_is_not_deleted() {
    let place = Place::new();
    let (_server, _client) = place.conversation("live").await;
    let listed = place.json(&["list", "--active"]).await;
    assert_eq!(listed["sessions"][0]["session_id"], "live");
    assert_eq!(
        place.json(&["list", "--ended"]).await["sessions"],
        serde_json::json!([])
    );
    let shown = place.json(&["show", "live"]).await;
    assert_eq!(shown["is_active"], true);
    assert!(
        place
            .said(&["export", "live"])
            .await
            .contains(&format!("> {SECRET}\n"))
    );
    let why = place.refused(&["delete", "live"]).await;
    assert!(
        why.contains("session `live` is run by another process"),
        "{why}"
    );
    assert_eq!(
        place.json(&["prune", "--older-than", "0", "--yes"]).await["sessions"],
        0
    );
    assert!(
        place.json(&["show", "live"]).await["last_seq"]
            .as_u64()
            .unwrap()
            >= 3
    );
}

#[tokio::test]
async fn a_session_is_listed_shown_and_exported_as_text() {
    let place = Place::new();
    place.ended("over").await;
    let listed = place.said(&["list"]).await;
    let mut lines = listed.lines();
    assert!(
        lines.next().unwrap().starts_with("SESSION  STARTED"),
        "{listed}"
    );
    assert!(lines.next().unwrap().starts_with("over     20"), "{listed}");
    assert_eq!(lines.next(), None);
    let shown = place.said(&["show", "over"]).await;
    assert!(
        shown
            .lines()
            .any(|line| line.starts_with("user_messages") && line.ends_with(" 1")),
        "{shown}"
    );
    let markdown = place.said(&["export", "over"]).await;
    assert!(
        markdown.starts_with("# Conversation\n\n- Session: over\n"),
        "{markdown}"
    );
    let json = place.said(&["export", "over", "--format", "json"]).await;
    let json: Value = serde_json::from_str(&json).unwrap();
    assert_eq!(json["events"][1]["content"], SECRET);
    for arguments in [
        &["show", "other"],
        &["export", "other"],
        &["delete", "other"],
    ] {
        let why = place.refused(arguments).await;
        assert_eq!(why, "patter: there is no session `other`\n");
    }
}

#[tokio::test]
async fn a_session_is_exported_deleted_imported_and_continued() {
    let place = Place::new();
    place.ended("first").await;
    let file = place.file("session.jsonl");
    let exported = place.said(&["export", "first", "--format", "jsonl"]).await;
    fs::write(&file, &exported).unwrap();
    let file = file.to_str().unwrap();

    let why = place.refused(&["import", file]).await;
    assert_eq!(why, "patter: there is a session `first` already\n");
    let imported = place.said(&["import", file, "--id", "second"]).await;
    assert!(imported.starts_with("imported second with "), "{imported}");
    assert_eq!(place.said(&["delete", "first"]).await, "deleted first\n");
    let again = place.json(&["import", file]).await;
    assert_eq!(again["session_id"], "first");
    let copy = place.said(&["export", "first", "--format", "jsonl"]).await;
    let events = |text: &str| text.split_once('\n').unwrap().1.to_owned();
    assert_eq!(events(&copy), events(&exported));

    let (_server, mut client) = place.conversation("second").await;
    client.say("m2", "And now?").await;
    client.until("ai_response").await;
    let messages = place.json(&["show", "second"]).await["last_seq"]
        .as_u64()
        .unwrap();
    assert!(messages > again["events"].as_u64().unwrap());
}

#[tokio::test]
async fn a_file_that_is_no_export_is_refused_with_its_line() {
    let place = Place::new();
    let file = place.file("bad.jsonl");
    fs::write(&file, "{\"format\":\"patter-session\",\"version\":7}\n").unwrap();
    let name = file.to_str().unwrap();
    let why = place.refused(&["import", name]).await;
    let expected = format!("patter: cannot import `{name}`: line 1: `version` is not 1");
    assert!(why.starts_with(&expected), "{why}");
    let why = place.refused(&["import", "nowhere.jsonl"]).await;
    assert!(
        why.starts_with("patter: cannot read `nowhere.jsonl`: "),
        "{why}"
    );
}

#[tokio::test]
async fn old_sessions_are_counted_and_deleted_when_somebody_says_yes() {
    let place = Place::new();
    place.ended("over").await;
    assert_eq!(
        place.said(&["prune", "--older-than", "1"]).await,
        "would delete 0 sessions; --yes does it\n"
    );
    assert_eq!(
        place.said(&["prune", "--older-than", "0"]).await,
        "would delete 1 sessions; --yes does it\n"
    );
    assert!(place.said(&["list"]).await.contains("over"));
    let said = place.said(&["prune", "--older-than", "0", "--yes"]).await;
    assert_eq!(said, "deleted 1 sessions\n");
    assert_eq!(place.said(&["list"]).await, "there are none\n");
}

/// It ended long ago, as its file says.
#[tokio::test]
async fn a_server_deletes_what_is_too_old_and_stops_as_ever() {
    let place = Place::new();
    place.ended("new").await;
    let exported = place.said(&["export", "new", "--format", "jsonl"]).await;
    let (_, rest) = exported.split_once("\"start_time\":\"").unwrap();
    let year: String = rest.chars().take(4).collect();
    let old = exported.replace(&format!("\"{year}-"), "\"2001-");
    let file = place.file("old.jsonl");
    fs::write(&file, old).unwrap();
    place
        .said(&["import", file.to_str().unwrap(), "--id", "old"])
        .await;
    let mut server = place.server(&[("PATTER_RETENTION__DAYS", "30")]).await;
    while place.json(&["list"]).await["sessions"]
        .as_array()
        .unwrap()
        .len()
        > 1
    {
        tokio::task::yield_now().await;
    }
    assert_eq!(
        place.json(&["list"]).await["sessions"][0]["session_id"],
        "new"
    );
    server.terminate().await;
    assert!(server.ended().await.success());
    let log = server.log();
    assert!(log.contains("deleted sessions that were too old"), "{log}");
    assert!(!log.contains("\"old\"") && !log.contains("`old`"), "{log}");
}

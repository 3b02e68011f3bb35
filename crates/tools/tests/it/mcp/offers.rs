//! What a server offers, and what becomes of its answers.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use patter_tools::{
    Approval, McpOptions, McpServer, McpTransport, Progress, ToolContext, ToolError, ToolErrorKind,
    ToolPolicy, ToolProgress, ToolRegistry, tool,
};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, json};
use tokio::time::Instant;

use super::bench::{Bench, seen_in};

/// Input 101.
#[tokio::test]
async fn tools_join_under_the_name_of_their_server_and_leave_with_it() {
    let bench = Bench::start(&[]).await;
    let names = bench.tools.names();
    assert!(names.contains(&"shell__echo".to_owned()), "{names:?}");
    assert!(
        names.contains(&"shell__dotted_name".to_owned()),
        "{names:?}"
    );
    assert_eq!(
        bench
            .call("echo", json!({ "text": "hello" }))
            .await
            .unwrap(),
        "hello"
    );
    assert_eq!(
        bench.call("dotted_name", json!({})).await.unwrap(),
        "dotted"
    );
    let schema = bench
        .tools
        .get("shell__echo")
        .unwrap()
        .spec()
        .parameters
        .clone();
    assert_eq!(schema.get("$schema"), None);

    let Bench { tools, server, .. } = bench;
    server.shutdown().await;
    assert!(tools.is_empty());
}

#[tokio::test]
async fn only_the_listed_tools_are_offered() {
    let bench = Bench::with(&[], |options| options.only = vec!["echo".to_owned()]).await;
    assert_eq!(bench.tools.names(), ["shell__echo"]);
    let error = bench.call("silent", json!({})).await.unwrap_err();
    assert_eq!(error.kind(), ToolErrorKind::UnknownTool);
}

/// Input 98.
#[tokio::test]
async fn a_tool_that_does_not_say_that_it_only_reads_needs_approval() {
    let bench = Bench::start(&[]).await;
    assert!(!bench.tools.needs_approval("shell__echo"));
    assert!(bench.tools.needs_approval("shell__fails"));
    let policy = ToolPolicy {
        approval: Some(Approval::Never),
        ..ToolPolicy::default()
    };
    bench.tools.add_policy("shell__fails", policy);
    assert!(!bench.tools.needs_approval("shell__fails"));
}

#[tokio::test]
async fn arguments_that_do_not_fit_never_reach_the_server() {
    let bench = Bench::start(&[]).await;
    for (arguments, path) in [
        (json!({ "text": 5 }), "`/text`: 5 is not of type"),
        (json!({ "text": "a", "more": 1 }), "'more' was unexpected"),
    ] {
        let error = bench.call("echo", arguments).await.unwrap_err();
        assert_eq!(error.kind(), ToolErrorKind::InvalidArguments);
        assert!(error.to_string().contains(path), "{error}");
    }
    assert!(!bench.seen().iter().any(|line| line.starts_with("called")));
}

#[tokio::test]
async fn the_id_of_the_call_goes_along() {
    let bench = Bench::start(&[]).await;
    bench.call("echo", json!({})).await.unwrap();
    assert!(bench.seen().contains(&"called call-1".to_owned()));
}

#[tokio::test]
async fn answers_are_given_as_they_are() {
    let bench = Bench::start(&[]).await;
    let structured = bench.call("structured", json!({})).await.unwrap();
    assert_eq!(structured, json!({ "degrees": 21 }));
    let picture = bench.call("picture", json!({})).await.unwrap();
    let expected = json!({ "content": [
        { "type": "text", "text": "a dot" },
        { "type": "image", "data": "iVBORw0KGgo=", "mimeType": "image/png" },
    ] });
    assert_eq!(picture, expected);
    let error = bench.call("fails", json!({})).await.unwrap_err();
    assert_eq!(error, ToolError::Failed("no such city".to_owned()));
}

#[tokio::test]
async fn whoever_calls_is_told_how_far_the_call_is() {
    let bench = Bench::start(&[]).await;
    let told = Arc::new(Mutex::new(Vec::new()));
    let listener = Arc::clone(&told);
    let progress = ToolProgress::new(move |it| listener.lock().unwrap().push(it));
    let deadline = Instant::now() + Duration::from_secs(10);
    let context = ToolContext::new("s", "c", deadline).with_progress(progress);
    bench.call_in("progress", json!({}), context).await.unwrap();
    let half = Progress {
        done: 1.0,
        total: Some(2.0),
        message: Some("half".to_owned()),
    };
    assert_eq!(*told.lock().unwrap(), [half]);
}

/// Input 103.
#[tokio::test]
async fn a_server_gets_only_the_variables_that_were_named() {
    let bench = Bench::start(&[]).await;
    let names = std::fs::read_to_string(bench.folder.path().join("seen.env")).unwrap();
    assert!(names.lines().any(|name| name == "NAMED_KEY"), "{names}");
    assert!(names.lines().any(|name| name == "PATH"), "{names}");
    assert!(
        !names.lines().any(|name| name.starts_with("CARGO")),
        "{names}"
    );
}

#[tokio::test]
async fn a_secret_that_a_server_was_given_does_not_come_back() {
    let bench = Bench::start(&[]).await;
    let answer = bench
        .call("echo", json!({ "text": "it is: the-key-1" }))
        .await;
    assert_eq!(answer.unwrap(), "it is: [secret]");
}

#[derive(Deserialize, JsonSchema)]
struct Nothing {}

#[tokio::test]
async fn a_name_that_is_taken_stays_whose_it_was() {
    let tools = ToolRegistry::new();
    let own = tool("shell__echo", "Ours.", |_: Nothing, _| async {
        Ok(json!("ours"))
    });
    tools.add(own).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/mcp/server.sh");
    let options = McpOptions {
        transport: McpTransport::Process {
            program: "sh".to_owned(),
            arguments: vec![
                script.display().to_string(),
                seen_in(&folder).display().to_string(),
            ],
            environment: BTreeMap::new(),
        },
        only: Vec::new(),
        policy: ToolPolicy::default(),
    };
    let server = McpServer::start("shell", options, tools.clone());
    server
        .settled(Instant::now() + Duration::from_secs(10))
        .await;
    let context = ToolContext::new("s", "c", Instant::now() + Duration::from_secs(5));
    let answer = tools
        .call("shell__echo", Map::new(), context)
        .await
        .unwrap();
    assert_eq!(answer, "ours");
    server.shutdown().await;
    assert_eq!(tools.names(), ["shell__echo"]);
}

//! A server that dies, hangs, lies or floods harms nobody.

use std::collections::BTreeMap;
use std::time::Duration;

use patter_tools::{
    McpOptions, McpServer, McpState, McpTransport, ToolContext, ToolErrorKind, ToolPolicy,
    ToolRegistry,
};
use serde_json::json;
use tokio::time::Instant;

use super::bench::{Bench, processes_in_group, until};

#[tokio::test]
async fn a_call_that_is_given_up_is_cancelled_at_the_server() {
    let bench = Bench::start(&[]).await;
    let context = ToolContext::new("s", "c", Instant::now() + Duration::from_millis(200));
    let error = bench
        .call_in("silent", json!({}), context)
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ToolErrorKind::Timeout);
    bench
        .until_seen(|line| line.starts_with("cancelled "))
        .await;
    assert_eq!(
        bench.call("echo", json!({ "text": "on" })).await.unwrap(),
        "on"
    );
}

#[tokio::test]
async fn a_server_that_dies_in_a_call_fails_it_and_is_back_for_the_next() {
    let bench = Bench::start(&[]).await;
    let error = bench.call("die", json!({})).await.unwrap_err();
    assert_eq!(error.kind(), ToolErrorKind::Failed);
    assert!(error.to_string().contains("is not known"), "{error}");
    assert_eq!(
        bench
            .call("echo", json!({ "text": "again" }))
            .await
            .unwrap(),
        "again"
    );
    assert_eq!(bench.starts().len(), 2);
}

/// Input 100.
#[tokio::test]
async fn a_tool_that_changes_after_it_was_seen_is_offered_no_more() {
    let bench = Bench::start(&[]).await;
    bench.call("changes", json!({})).await.unwrap();
    until("the new tool is there", || {
        bench.tools.get("shell__later").is_some()
    })
    .await;
    assert!(bench.tools.get("shell__echo").is_none());
}

/// Input 102.
#[tokio::test]
async fn what_a_server_says_out_of_turn_harms_nobody() {
    let bench = Bench::start(&[]).await;
    assert_eq!(bench.call("twice", json!({})).await.unwrap(), "one");
    assert_eq!(bench.call("samples", json!({})).await.unwrap(), "asked");
    bench.until_seen(|line| line == "refused").await;
    let context = ToolContext::new("s", "c", Instant::now() + Duration::from_millis(300));
    let error = bench
        .call_in("wrong_id", json!({}), context)
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ToolErrorKind::Timeout);
    assert_eq!(bench.call("flood", json!({})).await.unwrap(), "done");
    assert_eq!(
        bench.call("echo", json!({ "text": "fine" })).await.unwrap(),
        "fine"
    );
    assert_eq!(bench.starts().len(), 1);
}

#[tokio::test]
async fn a_server_that_asks_without_listening_is_disconnected() {
    let bench = Bench::start(&[]).await;
    let error = bench.call("pesters", json!({})).await.unwrap_err();
    assert_eq!(error.kind(), ToolErrorKind::Failed);
    let again = bench.call("echo", json!({ "text": "again" })).await;
    assert_eq!(again.unwrap(), "again");
    assert_eq!(bench.starts().len(), 2);
}

/// Input 102.
#[tokio::test]
async fn an_answer_that_is_too_large_is_thrown_away() {
    let bench = Bench::start(&[]).await;
    let context = ToolContext::new("s", "c", Instant::now() + Duration::from_secs(2));
    let error = bench.call_in("big", json!({}), context).await.unwrap_err();
    assert_eq!(error.kind(), ToolErrorKind::Timeout);
    assert_eq!(
        bench.call("echo", json!({ "text": "fine" })).await.unwrap(),
        "fine"
    );
}

/// Input 103.
#[tokio::test]
async fn a_server_that_writes_much_on_its_standard_error_is_not_held_up() {
    let bench = Bench::start(&["noisy"]).await;
    assert_eq!(
        bench.call("echo", json!({ "text": "fine" })).await.unwrap(),
        "fine"
    );
}

/// Input 103.
#[tokio::test]
async fn a_server_that_does_not_end_is_killed_with_all_that_it_has_started() {
    let bench = Bench::start(&["deaf", "forks"]).await;
    let leader = bench.starts()[0];
    assert!(processes_in_group(leader) >= 2);
    let begun = Instant::now();
    let Bench { server, folder, .. } = bench;
    server.shutdown().await;
    let took = begun.elapsed();
    assert!(took < Duration::from_millis(6_500), "{took:?}");
    assert_eq!(processes_in_group(leader), 0);
    drop(folder);
}

#[tokio::test]
async fn a_server_that_is_dropped_is_killed_at_once() {
    let bench = Bench::start(&["deaf", "forks"]).await;
    let leader = bench.starts()[0];
    drop(bench.server);
    until("all are gone", || processes_in_group(leader) == 0).await;
}

#[tokio::test]
async fn a_server_that_cannot_be_started_says_why() {
    let options = McpOptions {
        transport: McpTransport::Process {
            program: "/nowhere/to/be/found".to_owned(),
            arguments: Vec::new(),
            environment: BTreeMap::new(),
        },
        only: Vec::new(),
        policy: ToolPolicy::default(),
    };
    let server = McpServer::start("gone", options, ToolRegistry::new());
    let state = server
        .settled(Instant::now() + Duration::from_secs(10))
        .await;
    let McpState::Down(why) = state else {
        panic!("{state:?}")
    };
    assert!(
        why.starts_with("cannot start `/nowhere/to/be/found`"),
        "{why}"
    );
    server.shutdown().await;
}

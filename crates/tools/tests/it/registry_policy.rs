//! Limits of single tools.

use std::time::Duration;

use patter_tools::{ToolContext, ToolError, ToolPolicy, ToolRegistry, tool};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, json};
use tokio::time::Instant;

#[derive(Deserialize, JsonSchema)]
struct Nothing {}

fn context() -> ToolContext {
    ToolContext::new(
        "session",
        "call",
        Instant::now() + Duration::from_secs(3600),
    )
}

#[tokio::test(start_paused = true)]
async fn a_tool_has_limits_of_its_own_where_its_policy_says_so() {
    let hang = tool("hang", "", |_: Nothing, _| async {
        tokio::time::sleep(Duration::from_secs(60)).await;
        Ok(json!("done"))
    });
    let tools = ToolRegistry::new().with(hang).unwrap();
    let with_timeout = |seconds| ToolPolicy {
        timeout: Some(Duration::from_secs(seconds)),
        ..ToolPolicy::default()
    };
    tools.add_policy("hang", with_timeout(2));
    tools.add_policy("hang", with_timeout(90));
    let error = tools.call("hang", Map::new(), context()).await.unwrap_err();
    let limit = Duration::from_secs(2);
    assert_eq!(
        error,
        ToolError::Timeout { limit },
        "the first policy counts"
    );
}

#[tokio::test(start_paused = true)]
async fn calls_of_a_tool_wait_for_each_other_where_its_policy_says_so() {
    let slow = tool("slow", "", |_: Nothing, _| async {
        tokio::time::sleep(Duration::from_secs(1)).await;
        Ok(json!("done"))
    });
    let tools = ToolRegistry::new().with(slow).unwrap();
    let policy = ToolPolicy {
        max_parallel: Some(2),
        timeout: Some(Duration::from_millis(1_500)),
        ..ToolPolicy::default()
    };
    tools.add_policy("slow", policy);
    let begun = Instant::now();
    let calls = (0..6).map(|_| tools.call("slow", Map::new(), context()));
    let results = futures_util::future::join_all(calls).await;
    assert!(results.iter().all(Result::is_ok), "{results:?}");
    assert_eq!(
        begun.elapsed().as_secs(),
        3,
        "waiting does not count as running"
    );
}

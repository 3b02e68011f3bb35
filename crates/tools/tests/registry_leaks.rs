//! Tools that misbehave a thousand times leave nothing behind. Alone in its process, whose memory it looks
//! at.

use std::{future::pending, time::Duration};

use patter_tools::{ToolContext, ToolError, ToolErrorKind, ToolRegistry, tool};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value, json};
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

/// What the process has in memory, in KiB (Linux only; elsewhere zero).
fn resident_kib() -> usize {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kib = line.and_then(|line| line.split_whitespace().next());
    kib.and_then(|kib| kib.parse().ok()).unwrap_or_default()
}

#[tokio::test(start_paused = true)]
async fn a_thousand_bad_calls_of_each_kind_leave_nothing_behind() {
    let deep = || (0..100_000).fold(json!(1), |inner, _| Value::Array(vec![inner]));
    let tools = ToolRegistry::new()
        .with(tool("hangs", "", |_: Nothing, _| {
            pending::<Result<Value, ToolError>>()
        }))
        .unwrap()
        .with(tool("panics", "", |_: Nothing, _| async {
            panic!("as it was told to")
        }))
        .unwrap()
        .with(tool("floods", "", |_: Nothing, _| async {
            Ok(json!("x".repeat(300_000)))
        }))
        .unwrap()
        .with(tool(
            "nests",
            "",
            move |_: Nothing, _| async move { Ok(deep()) },
        ))
        .unwrap();
    let runtime = tokio::runtime::Handle::current();
    for (name, kind) in [
        ("hangs", ToolErrorKind::Timeout),
        ("panics", ToolErrorKind::Failed),
        ("floods", ToolErrorKind::TooLarge),
        ("nests", ToolErrorKind::InvalidOutput),
    ] {
        let call = || tools.call(name, Map::new(), context());
        for _ in 0..50 {
            assert_eq!(call().await.unwrap_err().kind(), kind);
        }
        let before = resident_kib();
        for _ in 0..1_000 {
            assert_eq!(call().await.unwrap_err().kind(), kind);
        }
        let grown = resident_kib().saturating_sub(before);
        assert!(grown < 16 * 1024, "{name}: {grown} KiB");
        assert_eq!(runtime.metrics().num_alive_tasks(), 0, "{name}");
    }
}

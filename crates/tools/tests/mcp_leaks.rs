//! Plug-ins that misbehave a thousand times leave nothing behind: no process, task, descriptor or memory.
//! Alone in its process, at which it looks.
#![cfg(target_os = "linux")]
#![expect(
    clippy::unwrap_used,
    reason = "a helper that cannot go on fails its test"
)]

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::time::Duration;

use futures_util::future::join_all;
use patter_tools::{
    McpOptions, McpServer, McpState, McpTransport, ToolContext, ToolErrorKind, ToolPolicy,
    ToolRegistry,
};
use serde_json::Map;
use tokio::runtime::Handle;
use tokio::time::{Instant, sleep};

const TIMES: usize = 1_000;
const AT_ONCE: usize = 20;

async fn server(seen: &Path, habits: &[&str]) -> (McpServer, ToolRegistry) {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/mcp/server.sh");
    let mut arguments = vec![script.display().to_string(), seen.display().to_string()];
    arguments.extend(habits.iter().map(|&habit| habit.to_owned()));
    let options = McpOptions {
        transport: McpTransport::Process {
            program: "sh".to_owned(),
            arguments,
            environment: BTreeMap::new(),
        },
        only: Vec::new(),
        policy: ToolPolicy::default(),
    };
    let tools = ToolRegistry::new();
    let server = McpServer::start("shell", options, tools.clone());
    let state = server
        .settled(Instant::now() + Duration::from_secs(30))
        .await;
    assert_eq!(state, McpState::Up);
    (server, tools)
}

async fn failure(tools: &ToolRegistry, name: &str, patience: Duration) -> ToolErrorKind {
    let context = ToolContext::new("s", "c", Instant::now() + patience);
    let called = tools.call(name, Map::new(), context).await;
    called.unwrap_err().kind()
}

fn resident_kib() -> usize {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    line.unwrap()
        .split_whitespace()
        .next()
        .unwrap()
        .parse()
        .unwrap()
}

fn descriptors() -> usize {
    fs::read_dir("/proc/self/fd").unwrap().count()
}

/// The living processes whose command line has this text in it.
fn processes_with(text: &str) -> usize {
    let all = fs::read_dir("/proc").unwrap().flatten();
    let lines = all.filter_map(|entry| fs::read(entry.path().join("cmdline")).ok());
    lines
        .filter(|line| String::from_utf8_lossy(line).contains(text))
        .count()
}

async fn until_none_is_left(what: impl Fn() -> usize) {
    let deadline = Instant::now() + Duration::from_secs(60);
    while what() > 0 && Instant::now() < deadline {
        sleep(Duration::from_millis(20)).await;
    }
    assert_eq!(what(), 0);
}

#[tokio::test]
async fn a_thousand_bad_plugins_and_calls_leave_nothing_behind() {
    let folder = tempfile::tempdir().unwrap();
    let name = folder.path().display().to_string();
    let (tasks, open) = (
        || Handle::current().metrics().num_alive_tasks(),
        descriptors(),
    );

    // Calls that hang.
    let (one, tools) = server(&folder.path().join("hangs"), &[]).await;
    let alive = tasks();
    let mut before = 0;
    for round in 0..=TIMES / AT_ONCE {
        let patience = Duration::from_millis(20);
        let calls = (0..AT_ONCE).map(|_| failure(&tools, "shell__silent", patience));
        let kinds = join_all(calls).await;
        assert!(kinds.iter().all(|kind| *kind == ToolErrorKind::Timeout));
        if round == 0 {
            before = resident_kib();
        }
    }
    assert!(resident_kib().saturating_sub(before) < 16 * 1024);
    // The shell is slow to read what it was told.
    until_none_is_left(|| tasks().saturating_sub(alive)).await;
    one.shutdown().await;

    // Servers that die in a call while what they have started keeps the pipe open.
    for _ in 0..TIMES / AT_ONCE {
        let round = (0..AT_ONCE).map(async |number| {
            let seen = folder.path().join(format!("dies-{number}"));
            let (server, tools) = server(&seen, &["forks"]).await;
            let patience = Duration::from_secs(30);
            let kind = failure(&tools, "shell__die", patience).await;
            assert_eq!(kind, ToolErrorKind::Failed);
            drop(server);
        });
        join_all(round).await;
    }
    until_none_is_left(|| processes_with(&name)).await;
    until_none_is_left(tasks).await;
    until_none_is_left(|| descriptors().saturating_sub(open)).await;
    assert!(resident_kib().saturating_sub(before) < 16 * 1024);
}

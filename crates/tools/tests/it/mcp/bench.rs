//! A server in plain shell (`server.sh`), which answers by the book, or as badly as it is told.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use patter_tools::{
    McpOptions, McpServer, McpState, McpTransport, ToolContext, ToolError, ToolPolicy, ToolRegistry,
};
use serde_json::Value;
use tempfile::TempDir;
use tokio::time::{Instant, sleep, timeout};

/// A server in plain shell, and a registry that its tools join.
pub(crate) struct Bench {
    pub(crate) folder: TempDir,
    pub(crate) tools: ToolRegistry,
    pub(crate) server: McpServer,
}

impl Bench {
    pub(crate) async fn start(habits: &[&str]) -> Self {
        Self::with(habits, |_| {}).await
    }

    pub(crate) async fn with(habits: &[&str], change: impl FnOnce(&mut McpOptions)) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/mcp/server.sh");
        let mut arguments = vec![
            script.display().to_string(),
            seen_in(&folder).display().to_string(),
        ];
        arguments.extend(habits.iter().map(|&habit| habit.to_owned()));
        let mut options = McpOptions {
            transport: McpTransport::Process {
                program: "sh".to_owned(),
                arguments,
                environment: BTreeMap::from([("NAMED_KEY".to_owned(), "the-key-1".to_owned())]),
            },
            only: Vec::new(),
            policy: ToolPolicy::default(),
        };
        change(&mut options);
        let tools = ToolRegistry::new();
        let server = McpServer::start("shell", options, tools.clone());
        let state = server
            .settled(Instant::now() + Duration::from_secs(10))
            .await;
        assert_eq!(state, McpState::Up);
        Self {
            folder,
            tools,
            server,
        }
    }

    pub(crate) async fn call(&self, name: &str, arguments: Value) -> Result<Value, ToolError> {
        let context = ToolContext::new("s", "call-1", Instant::now() + Duration::from_secs(10));
        self.call_in(name, arguments, context).await
    }

    pub(crate) async fn call_in(
        &self,
        name: &str,
        arguments: Value,
        context: ToolContext,
    ) -> Result<Value, ToolError> {
        let arguments = arguments.as_object().unwrap().clone();
        self.tools
            .call(&format!("shell__{name}"), arguments, context)
            .await
    }

    /// The lines that the server has written about what it saw.
    pub(crate) fn seen(&self) -> Vec<String> {
        let seen = std::fs::read_to_string(seen_in(&self.folder)).unwrap();
        seen.lines().map(str::to_owned).collect()
    }

    pub(crate) async fn until_seen(&self, line: impl Fn(&str) -> bool) {
        until("the server has seen it", || {
            self.seen().iter().any(|it| line(it))
        })
        .await;
    }

    /// The process ids of the starts of the server.
    pub(crate) fn starts(&self) -> Vec<i32> {
        let seen = self.seen();
        let starts = seen.iter().filter_map(|line| line.strip_prefix("started "));
        starts.map(|id| id.parse().unwrap()).collect()
    }
}

pub(crate) fn seen_in(folder: &TempDir) -> PathBuf {
    folder.path().join("seen")
}

pub(crate) async fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let waiting = async {
        while !holds() {
            sleep(Duration::from_millis(10)).await;
        }
    };
    let came = timeout(Duration::from_secs(10), waiting).await;
    assert!(came.is_ok(), "{what}");
}

/// How many processes are in the group of this one.
pub(crate) fn processes_in_group(leader: i32) -> usize {
    let mut count = 0;
    for entry in std::fs::read_dir("/proc").unwrap().flatten() {
        let stat = std::fs::read_to_string(entry.path().join("stat")).unwrap_or_default();
        // After the name in parentheses: state, parent, group.
        let Some((_, rest)) = stat.rsplit_once(')') else {
            continue;
        };
        let mut fields = rest.split_whitespace();
        let is_dead = fields.next() == Some("Z");
        if !is_dead && fields.nth(1).and_then(|it| it.parse().ok()) == Some(leader) {
            count += 1;
        }
    }
    count
}

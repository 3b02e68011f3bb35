//! Servers of the Model Context Protocol as tools: what they offer, what becomes of their answers, and that
//! one that dies, hangs, lies or floods harms nobody.
#![cfg(unix)]
#![expect(
    clippy::unwrap_used,
    reason = "a helper that cannot go on fails its test"
)]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use patter_testkit::model_server::{ModelServer, Reply};
use patter_tools::{
    Approval, McpOptions, McpServer, McpState, McpTransport, Progress, ToolContext, ToolError,
    ToolErrorKind, ToolPolicy, ToolProgress, ToolRegistry, WebClient, WebLimits, WebRules, tool,
};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value, json};
use tempfile::TempDir;
use tokio::time::{Instant, sleep, timeout};

/// A server in plain shell, and a registry that its tools join.
struct Bench {
    folder: TempDir,
    tools: ToolRegistry,
    server: McpServer,
}

impl Bench {
    async fn start(habits: &[&str]) -> Self {
        Self::with(habits, |_| {}).await
    }

    async fn with(habits: &[&str], change: impl FnOnce(&mut McpOptions)) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/mcp/server.sh");
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

    async fn call(&self, name: &str, arguments: Value) -> Result<Value, ToolError> {
        let context = ToolContext::new("s", "call-1", Instant::now() + Duration::from_secs(10));
        self.call_in(name, arguments, context).await
    }

    async fn call_in(
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
    fn seen(&self) -> Vec<String> {
        let seen = std::fs::read_to_string(seen_in(&self.folder)).unwrap();
        seen.lines().map(str::to_owned).collect()
    }

    async fn until_seen(&self, line: impl Fn(&str) -> bool) {
        until("the server has seen it", || {
            self.seen().iter().any(|it| line(it))
        })
        .await;
    }

    /// The process ids of the starts of the server.
    fn starts(&self) -> Vec<i32> {
        let seen = self.seen();
        let starts = seen.iter().filter_map(|line| line.strip_prefix("started "));
        starts.map(|id| id.parse().unwrap()).collect()
    }
}

fn seen_in(folder: &TempDir) -> PathBuf {
    folder.path().join("seen")
}

async fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let waiting = async {
        while !holds() {
            sleep(Duration::from_millis(10)).await;
        }
    };
    let came = timeout(Duration::from_secs(10), waiting).await;
    assert!(came.is_ok(), "{what}");
}

/// How many processes are in the group of this one.
fn processes_in_group(leader: i32) -> usize {
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

#[tokio::test]
async fn a_server_that_writes_much_on_its_standard_error_is_not_held_up() {
    let bench = Bench::start(&["noisy"]).await;
    assert_eq!(
        bench.call("echo", json!({ "text": "fine" })).await.unwrap(),
        "fine"
    );
}

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
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/mcp/server.sh");
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

/// A server that is asked over HTTP, by a client that trusts these places.
fn over_http(url: String, trusted: Vec<String>) -> McpOptions {
    let rules = WebRules {
        trusted,
        ..WebRules::default()
    };
    McpOptions {
        transport: McpTransport::Http {
            url,
            headers: BTreeMap::new(),
            client: WebClient::new(rules, WebLimits::default()).unwrap(),
        },
        only: Vec::new(),
        policy: ToolPolicy::default(),
    }
}

async fn state_of(options: McpOptions) -> McpState {
    let server = McpServer::start("web", options, ToolRegistry::new());
    let state = server
        .settled(Instant::now() + Duration::from_secs(10))
        .await;
    server.shutdown().await;
    state
}

#[tokio::test]
async fn a_url_that_leads_home_is_not_asked() {
    let home = ModelServer::start([]).await;
    for url in [
        format!("{}/mcp", home.base_url()),
        format!("{}/mcp", home.base_url().replace("127.0.0.1", "localhost")),
        "http://169.254.169.254/mcp".to_owned(),
        "http://[::ffff:127.0.0.1]/mcp".to_owned(),
        "file:///etc/passwd".to_owned(),
    ] {
        let McpState::Down(why) = state_of(over_http(url.clone(), Vec::new())).await else {
            panic!("{url}")
        };
        assert!(
            why.starts_with("the address may not be reached"),
            "{url}: {why}"
        );
    }
    assert_eq!(home.connections(), 0);
}

#[tokio::test]
async fn what_a_server_refers_to_is_not_asked() {
    let home = ModelServer::start([]).await;
    let elsewhere = format!("{}/latest/meta-data", home.base_url());
    for reply in [
        Reply::json(307, &json!({})).header("location", &elsewhere),
        Reply::json(401, &json!({})).header(
            "www-authenticate",
            &format!("Bearer resource_metadata=\"{elsewhere}\""),
        ),
    ] {
        let server = ModelServer::start([reply]).await;
        let place = server.base_url().replace("http://", "");
        let trusted = vec![place, home.base_url().replace("http://", "")];
        let state = state_of(over_http(format!("{}/mcp", server.base_url()), trusted)).await;
        assert!(matches!(state, McpState::Down(_)), "{state:?}");
        assert_eq!(server.requests().len(), 1);
    }
    assert_eq!(home.connections(), 0);
}

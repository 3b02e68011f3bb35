//! Tools as the configuration has them: limits of single ones, and plug-ins. The plug-ins themselves are
//! tested in `interop/`, against servers of others.
#![expect(
    clippy::unwrap_used,
    reason = "a helper that cannot go on fails its test"
)]

use patter_server::Config;
use patter_server::config::Sources;
use patter_testkit::server_process::ServerProcess;
use serde_json::Value;

const PATTER: &str = env!("CARGO_BIN_EXE_patter");

async fn report(settings: &[(&str, &str)]) -> Result<Value, String> {
    let output = ServerProcess::run(PATTER, &["tools", "--json"], settings).await;
    if output.status.success() {
        Ok(serde_json::from_slice(&output.stdout).unwrap())
    } else {
        Err(String::from_utf8(output.stderr).unwrap())
    }
}

#[tokio::test]
async fn a_tool_has_limits_and_approval_of_its_own() {
    let settings = [
        ("PATTER_TOOL__CALCULATOR__TIMEOUT", "2.5"),
        ("PATTER_TOOL__CALCULATOR__MAX_CALLS", "3"),
        ("PATTER_TOOL__CALCULATOR__APPROVAL", "always"),
    ];
    let report = report(&settings).await.unwrap();
    let [calculator, fetcher] = report["tools"].as_array().unwrap().as_slice() else {
        panic!("{report}")
    };
    assert_eq!(calculator["name"], "calculator");
    assert_eq!(calculator["needs_approval"], true);
    assert_eq!(
        calculator["limits"],
        serde_json::json!({ "timeout_ms": 2500, "max_calls": 3 })
    );
    assert_eq!(fetcher["needs_approval"], false);
    assert_eq!(fetcher["limits"], serde_json::json!({}));
}

#[tokio::test]
async fn what_is_wrong_with_a_plugin_is_told() {
    for (settings, told) in [
        (
            &[("PATTER_MCP__X__ARGS", "a,b")][..],
            "PATTER_MCP__X__ARGS): one of `command` and `url` is needed",
        ),
        (
            &[
                ("PATTER_MCP__X__COMMAND", "a"),
                ("PATTER_MCP__X__URL", "https://a.example/"),
            ],
            "one of `command` and `url` is needed",
        ),
        (
            &[
                ("PATTER_MCP__X__URL", "https://a.example/"),
                ("PATTER_MCP__X__ENV", "KEY"),
            ],
            "a URL takes no `env`",
        ),
        (
            &[
                ("PATTER_MCP__X__COMMAND", "a"),
                ("PATTER_MCP__X__ENV", "Key"),
            ],
            "a list of names of variables",
        ),
        (
            &[
                ("PATTER_MCP__X__COMMAND", "a"),
                ("PATTER_MCP__X__ENV", "NOT_SET"),
            ],
            "the variable NOT_SET is not set",
        ),
        (
            &[("PATTER_MCP__X__COMMAND", "/no/such/program")],
            "the plug-in `x` (`mcp.x`) is not there: cannot start `/no/such/program`",
        ),
        (
            &[("PATTER_MCP__X__URL", "http://127.0.0.1:1/mcp")],
            "the address may not be reached",
        ),
    ] {
        let errors = report(settings).await.unwrap_err();
        assert!(errors.contains(told), "{settings:?}: {errors}");
    }
}

#[tokio::test]
async fn a_plugin_that_is_not_there_does_not_keep_the_server_from_serving() {
    let settings = [
        ("PATTER_MCP__X__COMMAND", "/no/such/program"),
        ("PATTER_LLM__PROVIDER", "demo"),
    ];
    let server = ServerProcess::start(PATTER, &settings).await;
    let tools = reqwest::get(server.url("/api/tools")).await.unwrap();
    assert_eq!(tools.status(), 200);
    server.terminate().await;
}

#[test]
fn a_secret_of_a_plugin_does_not_print() {
    let variables = [
        ("PATTER_MCP__X__COMMAND", "a"),
        ("PATTER_MCP__X__ENV", "X_KEY"),
        ("X_KEY", "hush-hush"),
    ];
    let config = Config::load(&Sources::none().environment(variables)).unwrap();
    assert!(config.mcp["x"].environment.contains_key("X_KEY"));
    assert!(!format!("{config:?}").contains("hush"));
    assert!(!config.describe().contains("hush"));
}

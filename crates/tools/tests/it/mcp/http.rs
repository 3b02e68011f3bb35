//! Servers that are asked over HTTP, by a client that is guarded. Conversations with one are in `interop/`.

use std::collections::BTreeMap;
use std::time::Duration;

use patter_testkit::model_server::{ModelServer, Reply};
use patter_tools::{
    McpOptions, McpServer, McpState, McpTransport, ToolPolicy, ToolRegistry, WebClient, WebLimits,
    WebRules,
};
use serde_json::json;
use tokio::time::Instant;

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

/// Input 104.
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

/// Input 104.
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

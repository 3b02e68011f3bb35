//! Services and their tokens, and who is let in where nobody said.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::string_slice,
    reason = "a helper that fails is a failed test"
)]

use clap::Parser;
use patter_server::cli::{Cli, Command};
use patter_server::commands::NewToken;
use patter_server::config::Sources;
use patter_server::{Config, Server, ServerError, Shutdown};
use patter_testkit::ws_client::WsClient;
use reqwest::StatusCode;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio::time::timeout;

use crate::support::identity::{
    self, ALICE, assert_alive, claims, client, secret_token, status_with,
};
use crate::support::{PATIENCE, TestServer};

/// What `patter token NAME` makes: the token, and what the configuration says of it.
fn token(arguments: &[&str]) -> (String, String) {
    let line = ["patter", "token"].iter().chain(arguments);
    let Command::Token(arguments) = Cli::parse_from(line).command() else {
        panic!("no token")
    };
    let printed = NewToken::new(&arguments).unwrap().to_string();
    let token = printed.lines().next().unwrap().to_owned();
    let table = &printed[printed.find("[tokens.").unwrap()..];
    (token, table.to_owned())
}

fn sha256(table: &str) -> &str {
    table.split('"').nth(1).unwrap()
}

#[tokio::test]
async fn a_token_that_was_made_lets_its_service_in() {
    let (first, first_table) = token(&["backend", "--scope", "act"]);
    let (second, second_table) = token(&["dashboard"]);
    assert!(first.starts_with("patter_"), "{first}");
    assert_eq!(first.len(), "patter_".len() + 43, "256 bits");
    assert_ne!(first, second);
    assert!(first_table.contains("[tokens.backend]"), "{first_table}");
    assert!(first_table.contains("scope = \"act\""), "{first_table}");
    assert!(second_table.contains("scope = \"read\""), "{second_table}");
    assert!(
        !first_table.contains(&first[7..]),
        "only its digest is kept"
    );
    let server = TestServer::start(&[
        ("auth.mode", "token"),
        ("llm.provider", "demo"),
        ("demo.delay_ms", "0"),
        ("tokens.backend.sha256", sha256(&first_table)),
        ("tokens.backend.scope", "act"),
        (
            "tokens.dashboard.sha256",
            &sha256(&second_table).to_uppercase(),
        ),
    ])
    .await;
    assert_eq!(status_with(&server, &first).await, 200);
    assert_eq!(status_with(&server, &second).await, 200);
    let (stranger, _) = token(&["backend"]);
    let other = if first.ends_with('A') { 'E' } else { 'A' };
    let changed = format!("{}{other}", &first[..first.len() - 1]);
    for bad in [
        stranger.as_str(),
        changed.as_str(),
        "patter_",
        &first[7..],
        sha256(&first_table),
        &first.to_uppercase(),
        &secret_token(&claims()),
    ] {
        assert_eq!(status_with(&server, bad).await, 401, "{bad}");
    }
    assert_alive(&server, &first).await;
    server.stop().await;
}

#[tokio::test]
async fn a_service_that_may_act_takes_tickets_for_users() {
    let (acting, acting_table) = token(&["backend", "--scope", "act"]);
    let (reading, reading_table) = token(&["dashboard"]);
    let server = TestServer::start(&[
        ("auth.mode", "token"),
        ("llm.provider", "demo"),
        ("tokens.backend.sha256", sha256(&acting_table)),
        ("tokens.backend.scope", "act"),
        ("tokens.dashboard.sha256", sha256(&reading_table)),
    ])
    .await;
    let take = async |token: &str| {
        let request = client().post(server.url("/api/ws-ticket"));
        let body = json!({ "session_id": "theirs", "user_id": ALICE });
        request.bearer_auth(token).json(&body).send().await.unwrap()
    };
    assert_eq!(take(&reading).await.status(), StatusCode::FORBIDDEN);
    let taken: Value = take(&acting).await.json().await.unwrap();
    let path = taken["ws_url"].as_str().unwrap();
    let mut client = WsClient::connect(&format!("ws://{}{path}", server.address)).await;
    let started = client.expect("session_started").await;
    assert_eq!(started["user_id"], ALICE);
    client.close().await;
    server.stop().await;
}

fn faults(settings: &[(&str, &str)]) -> String {
    let mut sources = Sources::none();
    for (key, value) in settings {
        sources = sources.set(*key, *value);
    }
    let faults = Config::load(&sources).map_err(|error| error.to_string());
    faults.err().unwrap_or_default()
}

#[test]
fn a_server_that_others_reach_starts_only_where_somebody_said_who_may_use_it() {
    for host in [
        "127.0.0.1",
        "127.8.9.1",
        "::1",
        "::ffff:127.0.0.1",
        "LocalHost",
    ] {
        assert_eq!(faults(&[("server.host", host)]), "", "{host}");
    }
    for host in [
        "0.0.0.0",
        "::",
        "192.168.1.7",
        "chat.example",
        "localhost.example",
    ] {
        let why = faults(&[("server.host", host)]);
        assert!(why.contains("auth.mode"), "{host}: {why}");
        assert_eq!(faults(&[("server.host", host), ("auth.mode", "none")]), "");
    }
    // Nor does one that others reach by a detour.
    for (key, here, open) in [
        (
            "server.public_url",
            "http://localhost:9000",
            "https://chat.example",
        ),
        ("server.hosts", "localhost", "chat.example"),
        ("server.hosts", "", "*"),
        ("server.trusted_proxies", "", "127.0.0.1"),
    ] {
        assert_eq!(faults(&[(key, here)]), "", "{key} {here}");
        let why = faults(&[(key, open)]);
        assert!(
            why.contains(key) && why.contains("auth.mode"),
            "{key} {open}: {why}"
        );
        assert_eq!(faults(&[(key, open), ("auth.mode", "none")]), "");
    }
}

#[tokio::test]
async fn a_listener_that_others_reach_is_refused_too() {
    let run = async |settings: &[(&str, &str)], address: &str| {
        let directory = TempDir::new().unwrap();
        let store = directory.path().join("patter.db");
        let mut sources = Sources::none().set("store.url", store.to_str().unwrap());
        for (key, value) in settings {
            sources = sources.set(*key, *value);
        }
        let server = Server::from_config(Config::load(&sources).unwrap()).await;
        let listener = TcpListener::bind(address).await.unwrap();
        let shutdown = Shutdown::default();
        shutdown.drain();
        let ran = server.unwrap().run(listener, shutdown);
        timeout(PATIENCE, ran).await.unwrap()
    };
    let refused = run(&[], "0.0.0.0:0").await.unwrap_err();
    assert!(
        matches!(refused, ServerError::OpenToAll { .. }),
        "{refused}"
    );
    assert!(refused.to_string().contains("auth.mode"), "{refused}");
    run(&[], "127.0.0.1:0").await.unwrap();
    run(&[("auth.mode", "none")], "0.0.0.0:0").await.unwrap();
}

#[test]
fn what_would_let_in_nobody_or_too_many_is_a_fault() {
    let secret = ("auth.hs256_secret", identity::SECRET);
    let issuer = ("auth.issuer", identity::ISSUER);
    let jwt = ("auth.mode", "jwt");
    let hash = "b5bb9d8014a0f9b1d61e21e796d78dccdf1352f23cd32812f4850b878ae4944c";
    for (settings, named) in [
        (&[jwt][..], "auth.jwks_url"),
        (&[jwt, secret], "auth.issuer"),
        (&[jwt, issuer], "auth.hs256_secret"),
        (&[jwt, issuer, ("auth.hs256_secret", "short")], "32"),
        (
            &[jwt, issuer, ("auth.jwks_url", "http://id.example/jwks")],
            "https",
        ),
        (
            &[jwt, ("auth.supabase_url", "http://project.supabase.co")],
            "https",
        ),
        (&[("auth.mode", "token")], "patter token"),
        (&[("tokens.a.scope", "read")], "sha256"),
        (&[("tokens.a.sha256", "abc")], "64 hexadecimal"),
        (&[("tokens.A.sha256", hash)], "small letters"),
        (
            &[("tokens.a.sha256", hash), ("tokens.b.sha256", hash)],
            "tokens.a",
        ),
        (
            &[("tokens.a.sha256", hash), ("tokens.a.scope", "all")],
            "`read`, `act`",
        ),
        (&[("auth.mode", "off")], "`none`, `jwt`, `token`"),
    ] {
        let why = faults(settings);
        assert!(why.contains(named), "{settings:?}: {why}");
        assert!(!why.contains("short"), "a secret is shown: {why}");
    }
    let pasted = faults(&[("tokens.a.sha256", "patter_not-the-digest-but-the-token")]);
    assert!(!pasted.contains("not-the-digest"), "{pasted}");
    let supabase = ("auth.supabase_url", "https://project.supabase.co/");
    assert_eq!(faults(&[jwt, supabase]), "");
    assert_eq!(faults(&[jwt, secret, issuer]), "");
    let here = ("auth.jwks_url", "http://127.0.0.1:9999/jwks.json");
    assert_eq!(faults(&[jwt, issuer, here]), "");
}

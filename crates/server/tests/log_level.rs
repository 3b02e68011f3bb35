//! The filter of the log is changed at run time, by the admin port. Alone in its process, whose logger it is.
#![expect(
    clippy::unwrap_used,
    reason = "a test stops where something unexpected comes"
)]

use std::io::sink;

use patter_server::config::{Config, Sources};
use patter_server::{Server, Shutdown, telemetry};
use reqwest::{Client, StatusCode};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio::task::JoinSet;
use tracing::Dispatch;

async fn shown(url: &str) -> Value {
    let answer = Client::new().get(url).send();
    answer.await.unwrap().json().await.unwrap()
}

#[tokio::test]
async fn the_log_level_is_shown_and_changed_at_run_time() {
    let directory = TempDir::new().unwrap();
    let store = directory.path().join("patter.db");
    let sources = Sources::none()
        .set("store.url", store.to_str().unwrap())
        .set("log.filter", "info");
    let config = Config::load(&sources).unwrap();
    let (subscriber, log_level) = telemetry::subscriber(&config.log, sink, false);
    // With a logger that is only in force for a while, what libraries remember of it is not renewed.
    tracing::dispatcher::set_global_default(Dispatch::new(subscriber)).unwrap();
    let admin = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/admin/log-level", admin.local_addr().unwrap());
    let server = Server::from_config(config).await.unwrap();
    let server = server.admin(admin, Some(log_level));
    let public = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let shutdown = Shutdown::default();
    let mut running = JoinSet::new();
    running.spawn(server.run(public, shutdown.clone()));

    let is_logged = || tracing::enabled!(target: "patter_session", tracing::Level::DEBUG);
    assert_eq!(shown(&url).await["filter"], "info");
    assert!(!is_logged());
    let answer = Client::new()
        .put(&url)
        .json(&json!({ "filter": "info,patter_session=debug" }))
        .send()
        .await
        .unwrap();
    assert_eq!(answer.status(), StatusCode::OK);
    assert_eq!(shown(&url).await["filter"], "patter_session=debug,info");
    assert!(is_logged());
    shutdown.drain();
    running.join_next().await.unwrap().unwrap().unwrap();
}

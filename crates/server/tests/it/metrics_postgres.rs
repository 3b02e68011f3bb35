//! What `/metrics` tells of a server on `PostgreSQL`. Needs one, named by `TEST_DATABASE_URL`.

#![expect(clippy::unwrap_used, reason = "a helper that fails is a failed test")]

use std::time::Duration;

use patter_testkit::postgres::TestDatabase;
use tempfile::TempDir;
use tokio::time::{Instant, sleep, timeout};

use crate::support::exposition::Exposition;
use crate::support::{PATIENCE, TestServer};

/// No scrape may take longer: it asks nobody.
const AT_ONCE: Duration = Duration::from_secs(1);

async fn scrape(server: &TestServer) -> Exposition {
    let answer = timeout(AT_ONCE, reqwest::get(server.url("/metrics"))).await;
    Exposition::parse(&answer.unwrap().unwrap().text().await.unwrap())
}

#[tokio::test]
async fn a_scrape_waits_for_no_database_and_tells_of_its_absence() {
    let database = TestDatabase::create().await;
    let spool = TempDir::new().unwrap();
    let server = TestServer::start(&[
        ("llm.provider", "demo"),
        ("demo.delay_ms", "0"),
        ("store.url", &database.url()),
        ("store.spool", spool.path().to_str().unwrap()),
        ("store.allow_unsafe_fsync", "true"),
    ])
    .await;
    let mut client = server.connect("kept").await;
    client.say("m1", "Hello?").await;
    client.expect("ai_response").await;
    let metrics = scrape(&server).await;
    let of_pool = |name: &str| name.starts_with("patter_store_pool_");
    metrics.assert_documented(|name| of_pool(name) || name.starts_with("patter_spool_"));
    assert_eq!(metrics.get("patter_spool_events"), Some(0.0));
    let idle = metrics.get(r#"patter_store_pool_connections{state="idle"}"#);
    let in_use = metrics.get(r#"patter_store_pool_connections{state="in_use"}"#);
    assert!(
        idle.unwrap() + in_use.unwrap() >= 1.0,
        "{idle:?} {in_use:?}"
    );
    assert!(metrics.get("patter_store_pool_acquires_total").unwrap() >= 3.0);
    assert!(metrics.get("patter_store_batch_seconds_count").unwrap() >= 1.0);

    drop(database);
    client.say("m2", "Still there?").await;
    let patience = Instant::now() + PATIENCE;
    loop {
        let metrics = scrape(&server).await;
        let failed = metrics.get(r#"patter_store_append_failures_total{kind="unavailable"}"#);
        let kept = metrics.get("patter_spool_events");
        if failed > Some(0.0) && kept > Some(0.0) {
            assert!(metrics.get("patter_spool_age_seconds") > Some(0.0));
            assert!(metrics.get("patter_events_unstored") > Some(0.0));
            break;
        }
        assert!(
            Instant::now() < patience,
            "{failed:?} failed, {kept:?} kept"
        );
        sleep(Duration::from_millis(50)).await;
    }
}

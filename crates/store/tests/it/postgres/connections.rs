//! Connections that break, hang, or lead to a server that cannot be used.

use std::time::Duration;

use chrono::{DateTime, Utc};
use futures_util::future::join_all;
use patter_store::{PostgresOptions, PostgresStore, SessionStore, StoreError};
use patter_testkit::store_conformance::sample::{append, claimed, log_of, message, write};
use sqlx::postgres::PgConnectOptions;
use sqlx::{ConnectOptions, Connection, PgConnection};
use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;

use super::make;

const CUT_ALL_OTHERS: &str = "select pg_terminate_backend(pid) from pg_stat_activity
    where datname = current_database() and pid <> pg_backend_pid()";

#[tokio::test]
async fn connections_that_the_server_cut_are_replaced() {
    let database = make().await;
    let store = database.store_with_one_connection().await;
    let (id, claim) = claimed(&store).await;
    database.0.execute(CUT_ALL_OTHERS).await;
    let entry = append(&id, claim.fence, [message("a")]);
    // At most one call meets the one that was cut.
    if let Err(error) = write(&store, entry.clone()).await {
        assert!(error.is_retryable(), "{error:?}");
        write(&store, entry).await.unwrap();
    }
    assert_eq!(log_of(&store, &id).await.len(), 1);
}

#[tokio::test]
async fn one_call_after_the_other_goes_over_one_connection() {
    let database = make().await;
    let store = PostgresStore::connect(PostgresOptions {
        allow_unsafe_fsync: true,
        ..PostgresOptions::new(database.0.url().into())
    })
    .await
    .unwrap();
    // A rush opens many.
    for checked in join_all((0..8).map(|_| store.check())).await {
        checked.unwrap();
    }
    let mut watch = PgConnection::connect(&database.0.url()).await.unwrap();
    let used_since =
        "select count(*), count(*) filter (where query_start > $1) from pg_stat_activity
        where datname = current_database() and pid <> pg_backend_pid()";
    let now: DateTime<Utc> = sqlx::query_scalar("select clock_timestamp()")
        .fetch_one(&mut watch)
        .await
        .unwrap();
    for _ in 0..20 {
        store.check().await.unwrap();
    }
    let (open, used): (i64, i64) = sqlx::query_as(used_since)
        .bind(now)
        .fetch_one(&mut watch)
        .await
        .unwrap();
    assert!(open > 1, "{open} are open");
    assert_eq!(used, 1);
    store.close().await;
}

/// Passes bytes to a server and back. What was connected before `freeze` is from then on silent,
/// as behind a router that has forgotten it; what connects later works.
struct Proxy {
    url: String,
    frozen: watch::Sender<u32>,
    tasks: JoinSet<()>,
}

impl Proxy {
    async fn start(server: &str) -> Self {
        let server: PgConnectOptions = server.parse().unwrap();
        let address = format!("{}:{}", server.get_host(), server.get_port());
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let (frozen, freezing) = watch::channel(0);
        let mut tasks = JoinSet::new();
        tasks.spawn(async move {
            let mut connections = JoinSet::new();
            while let Ok((mut client, _)) = listener.accept().await {
                let mut upstream = TcpStream::connect(&address).await.unwrap();
                let mut freezing = freezing.clone();
                freezing.mark_unchanged();
                connections.spawn(async move {
                    tokio::select! {
                        _ = copy_bidirectional(&mut client, &mut upstream) => {}
                        // Holds both ends open and silent until the test is over.
                        _ = freezing.changed() => std::future::pending().await,
                    }
                });
            }
        });
        let url = server
            .host("127.0.0.1")
            .port(port)
            .to_url_lossy()
            .to_string();
        Self { url, frozen, tasks }
    }

    fn freeze(&self) {
        self.frozen.send_modify(|count| *count += 1);
    }
}

#[tokio::test]
async fn a_connection_that_leads_nowhere_is_given_up_and_replaced() {
    let database = make().await;
    let mut proxy = Proxy::start(&database.0.url()).await;
    let store = PostgresStore::connect(PostgresOptions {
        max_connections: 1,
        statement_timeout: Duration::from_millis(100),
        allow_unsafe_fsync: true,
        ..PostgresOptions::new(proxy.url.clone().into())
    })
    .await
    .unwrap();
    let (id, claim) = claimed(&store).await;
    proxy.freeze();
    let entry = append(&id, claim.fence, [message("a")]);
    // One call may meet it. It is the only place in the pool, so the next one works only if that is
    // free again.
    if let Err(silent) = write(&store, entry.clone()).await {
        assert!(silent.is_retryable(), "{silent:?}");
        write(&store, entry).await.unwrap();
    }
    assert_eq!(log_of(&store, &id).await.len(), 1);
    store.close().await;
    proxy.tasks.shutdown().await;
}

#[tokio::test]
async fn a_server_that_takes_no_writes_is_unavailable() {
    let database = make().await;
    let store = database.store_with_one_connection().await;
    let name = database.0.name();
    let read_only = format!("alter database {name} set default_transaction_read_only = on");
    database.0.execute(&read_only).await;
    // A connection keeps the setting that it began with.
    database.0.execute(CUT_ALL_OTHERS).await;
    // The first call may meet the cut connection.
    let _ = store.check().await;
    let refused = store.check().await.unwrap_err();
    assert!(refused.is_retryable());
    let cause = std::error::Error::source(&refused).unwrap().to_string();
    assert_eq!(cause, "the database takes no writes");
}

#[tokio::test]
async fn a_server_that_is_not_there_is_unavailable_and_nothing_secret_is_told() {
    // Nothing listens on port 1.
    let options = PostgresOptions::new("postgres://ada:geheim@127.0.0.1:1/d".to_owned().into());
    let error = PostgresStore::connect(options).await.unwrap_err();
    assert!(error.is_retryable(), "{error:?}");
    let told = format!("{error} {error:?}");
    assert!(
        told.contains("127.0.0.1:1") && !told.contains("geheim"),
        "{told}"
    );
}

#[tokio::test]
async fn a_database_that_does_not_exist_is_unusable() {
    let database = make().await;
    let url = database
        .0
        .url()
        .replace(database.0.name(), "patter_no_such_database");
    let error = PostgresStore::connect(PostgresOptions::new(url.into()))
        .await
        .unwrap_err();
    assert!(matches!(&error, StoreError::Unusable(_)), "{error:?}");
}

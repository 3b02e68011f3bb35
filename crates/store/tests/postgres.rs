//! The PostgreSQL store: the suite that every store passes, and what only a server can do.
#![expect(
    clippy::unwrap_used,
    reason = "a test ends where its preparation fails"
)]

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use patter_protocol::SessionId;
use patter_store::{PostgresOptions, PostgresStore, Renewal, SessionStore, StoreError};
use patter_testkit::postgres::TestDatabase;
use patter_testkit::store_conformance::StoreFixture;
use patter_testkit::store_conformance::sample::{
    LEASE, append, brief_owner, claimed, lease, log_of, message, owner, session, write,
};
use sqlx::postgres::PgConnectOptions;
use sqlx::{ConnectOptions, Connection, PgConnection};
use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;

const CUT_ALL_OTHERS: &str = "select pg_terminate_backend(pid) from pg_stat_activity
    where datname = current_database() and pid <> pg_backend_pid()";

const FILES: [&str; 5] = [
    include_str!("../../../migrations/postgres/20261121000001_sessions_and_events.sql"),
    include_str!("../../../migrations/postgres/20261121000002_append_events.sql"),
    include_str!("../../../migrations/postgres/20261121000003_nobody_else.sql"),
    include_str!("../../../migrations/postgres/20261128000001_leases.sql"),
    include_str!("../../../migrations/postgres/20261128000002_append_events_and_leases.sql"),
];

struct Database(TestDatabase);

impl Database {
    fn options(&self) -> PostgresOptions {
        PostgresOptions {
            max_connections: 4,
            allow_unsafe_fsync: true,
            ..PostgresOptions::new(self.0.url().into())
        }
    }

    async fn store_with_one_connection(&self) -> PostgresStore {
        PostgresStore::connect(PostgresOptions {
            max_connections: 1,
            ..self.options()
        })
        .await
        .unwrap()
    }

    async fn connection(&self) -> PgConnection {
        PgConnection::connect(&self.0.url()).await.unwrap()
    }
}

#[async_trait]
impl StoreFixture for Database {
    async fn open(&self) -> Arc<dyn SessionStore> {
        Arc::new(PostgresStore::connect(self.options()).await.unwrap())
    }
}

async fn make() -> Database {
    Database(TestDatabase::create().await)
}

patter_testkit::store_conformance!(make);

#[tokio::test]
async fn the_migrations_can_run_at_once_and_again_and_by_another_tool_first() {
    let database = make().await;
    for file in FILES {
        database.0.execute(file).await;
    }
    let options = database.options();
    let running = (0..4).map(|_| PostgresStore::migrate(&options));
    for result in futures_util::future::join_all(running).await {
        result.unwrap();
    }
    claimed(database.open().await.as_ref()).await;
}

#[tokio::test]
async fn what_was_open_before_there_were_leases_is_swept_up() {
    let database = make().await;
    for file in &FILES[..3] {
        database.0.execute(file).await;
    }
    let row = "insert into patter.sessions (session_id, log_epoch, lease_owner)
               values ('old', gen_random_uuid(), 'a process of then');";
    database.0.execute(row).await;
    let store = database.open().await;
    let before = store.session(&"old".parse().unwrap()).await.unwrap();
    let swept = store.sweep(&owner("now"), 10).await.unwrap();
    assert_eq!(swept.len(), 1);
    assert!(!swept[0].was_released);
    assert_eq!(Some(&swept[0].claimed.record), before.as_ref());
}

#[tokio::test]
async fn a_renewed_lease_is_written_to_no_index() {
    let database = make().await;
    let store = database.open().await;
    let (_, claim) = claimed(store.as_ref()).await;
    for _ in 0..10 {
        let renewal = store.renew(&owner("test"), &[lease(&claim)]).await;
        assert_eq!(renewal.unwrap(), Renewal::default());
    }
    // What a session of the server has counted is told when it ends at the latest.
    store.close().await;
    let mut connection = database.connection().await;
    let mut told = (0, 0);
    for _ in 0..100 {
        told = sqlx::query_as(
            "select n_tup_upd, n_tup_hot_upd from pg_stat_user_tables
             where schemaname = 'patter' and relname = 'sessions'",
        )
        .fetch_one(&mut connection)
        .await
        .unwrap();
        if told.0 >= 10_i64 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert_eq!(told, (10, 10_i64));
}

#[tokio::test]
async fn a_session_that_somebody_has_locked_costs_no_other_one_its_lease() {
    let database = make().await;
    let store = database.open().await;
    let me = brief_owner("test");
    let mut ids = Vec::new();
    let mut leases = Vec::new();
    for _ in 0..3 {
        let id = SessionId::generate();
        leases.push(lease(&store.claim(session(&id), &me).await.unwrap()));
        ids.push(id);
    }
    let mut console = database.connection().await;
    let mut open = console.begin().await.unwrap();
    sqlx::query("select from patter.sessions where session_id = $1 for update")
        .bind(ids[1].as_str())
        .execute(&mut *open)
        .await
        .unwrap();
    let renewal = store.renew(&owner("test"), &leases).await.unwrap();
    assert_eq!(renewal.lost, []);
    assert_eq!(renewal.busy, [ids[1].clone()]);
    open.rollback().await.unwrap();
    tokio::time::sleep(LEASE).await;
    for (id, is_free) in [(&ids[0], false), (&ids[1], true), (&ids[2], false)] {
        let claimed = store.claim(session(id), &owner("other")).await;
        assert_eq!(claimed.is_ok(), is_free, "{claimed:?}");
    }
}

#[tokio::test]
async fn nothing_is_granted_to_anybody_but_the_owner() {
    let database = make().await;
    database.open().await;
    let mut connection = database.connection().await;
    let open: Vec<(String,)> = sqlx::query_as(
        "select relname::text from pg_class c
         where relnamespace = 'patter'::regnamespace and relkind in ('r', 'v', 'm', 'p', 'S')
           and exists (select from aclexplode(c.relacl) where grantee <> c.relowner)
         union all
         select proname::text from pg_proc p
         where pronamespace = 'patter'::regnamespace
           and exists (select from aclexplode(coalesce(p.proacl, acldefault('f', p.proowner)))
                       where grantee <> p.proowner)
         union all
         select nspname::text from pg_namespace n
         where nspname = 'patter'
           and exists (select from aclexplode(n.nspacl) where grantee <> n.nspowner)
         union all
         select relname::text from pg_class
         where relnamespace = 'patter'::regnamespace and relkind = 'r' and not relrowsecurity",
    )
    .fetch_all(&mut connection)
    .await
    .unwrap();
    assert!(
        open.is_empty(),
        "open to others or without row level security: {open:?}"
    );
}

#[tokio::test]
async fn data_that_the_database_rejects_does_not_fail_its_neighbours() {
    let database = make().await;
    let store = database.open().await;
    let rule = "alter table patter.session_events add check (content <> 'poison')";
    database.0.execute(rule).await;
    let (good, good_claim) = claimed(store.as_ref()).await;
    let (bad, bad_claim) = claimed(store.as_ref()).await;
    let batch = vec![
        append(&good, good_claim.fence, [message("a")]),
        append(&bad, bad_claim.fence, [message("b"), message("poison")]),
    ];
    let answers = store.append(batch).await;
    assert!(answers[0].is_ok(), "{answers:?}");
    assert!(
        matches!(answers[1], Err(StoreError::Rejected(_))),
        "{answers:?}"
    );
    assert_eq!(log_of(store.as_ref(), &good).await.len(), 1);
    assert!(log_of(store.as_ref(), &bad).await.is_empty());
}

#[tokio::test]
async fn a_session_that_another_holds_is_unavailable_and_later_fine() {
    let database = make().await;
    let mut options = database.options();
    options.statement_timeout = Duration::from_millis(100);
    let store = PostgresStore::connect(options).await.unwrap();
    let (id, claim) = claimed(&store).await;
    let mut connection = database.connection().await;
    let mut holding = connection.begin().await.unwrap();
    sqlx::query("select from patter.sessions for update")
        .execute(&mut *holding)
        .await
        .unwrap();

    let entry = append(&id, claim.fence, [message("a")]);
    let refused = write(&store, entry.clone()).await.unwrap_err();
    assert!(refused.is_retryable(), "{refused:?}");
    holding.rollback().await.unwrap();
    write(&store, entry).await.unwrap();
    assert_eq!(log_of(&store, &id).await.len(), 1);
}

#[tokio::test]
async fn a_session_that_another_holds_does_not_keep_its_neighbours_back() {
    let database = make().await;
    let mut options = database.options();
    options.statement_timeout = Duration::from_millis(400);
    let store = PostgresStore::connect(options).await.unwrap();
    let (held, held_claim) = claimed(&store).await;
    let (free, free_claim) = claimed(&store).await;
    let mut connection = database.connection().await;
    let mut holding = connection.begin().await.unwrap();
    sqlx::query("select from patter.sessions where session_id = $1 for update")
        .bind(held.as_str())
        .execute(&mut *holding)
        .await
        .unwrap();

    let batch = vec![
        append(&held, held_claim.fence, [message("a")]),
        append(&free, free_claim.fence, [message("b")]),
    ];
    let answers = store.append(batch).await;
    let refused = answers[0].as_ref().unwrap_err();
    assert!(refused.is_retryable(), "{refused:?}");
    assert!(answers[1].is_ok(), "{answers:?}");
    assert_eq!(log_of(&store, &free).await.len(), 1);
}

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

#[tokio::test]
async fn what_debug_shows_of_a_store_has_no_url() {
    let database = make().await;
    let store = PostgresStore::connect(database.options()).await.unwrap();
    store
        .claim(session(&SessionId::generate()), &owner("a"))
        .await
        .unwrap();
    assert!(!format!("{store:?}").contains(database.0.name()));
}

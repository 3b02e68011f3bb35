//! The PostgreSQL store: the suite that every store passes, and what only a server can do.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test ends where its preparation fails"
)]

mod archive;
mod connections;
mod insight;
mod leases;
mod roles;

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use patter_protocol::SessionId;
use patter_store::{Ledger, PostgresOptions, PostgresStore, SessionStore, StoreError};
use patter_testkit::ledger_conformance::LedgerFixture;
use patter_testkit::postgres::TestDatabase;
use patter_testkit::store_conformance::StoreFixture;
use patter_testkit::store_conformance::archive::{ArchiveFixture, ArchivedStore};
use patter_testkit::store_conformance::sample::{
    append, claimed, log_of, message, owner, session, write,
};
use sqlx::{Connection, PgConnection};

const FILES: [&str; 13] = [
    include_str!("../../../../migrations/postgres/20261121000001_sessions_and_events.sql"),
    include_str!("../../../../migrations/postgres/20261121000002_append_events.sql"),
    include_str!("../../../../migrations/postgres/20261121000003_nobody_else.sql"),
    include_str!("../../../../migrations/postgres/20261128000001_leases.sql"),
    include_str!("../../../../migrations/postgres/20261128000002_append_events_and_leases.sql"),
    include_str!("../../../../migrations/postgres/20261129000001_archive.sql"),
    include_str!("../../../../migrations/postgres/20261129000002_search.sql"),
    include_str!("../../../../migrations/postgres/20261129000003_usage.sql"),
    include_str!("../../../../migrations/postgres/20261130000005_spending.sql"),
    include_str!("../../../../migrations/postgres/20261130000009_nobody_else_later.sql"),
    include_str!("../../../../migrations/postgres/20261130000010_append_events_in_sets.sql"),
    include_str!("../../../../migrations/postgres/20261130000012_keep_plans.sql"),
    include_str!("../../../../migrations/postgres/20261130000014_append_a_single_event.sql"),
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

#[async_trait]
impl ArchiveFixture for Database {
    async fn open_archive(&self) -> Arc<dyn ArchivedStore> {
        Arc::new(PostgresStore::connect(self.options()).await.unwrap())
    }
}

#[async_trait]
impl LedgerFixture for Database {
    async fn open_ledger(&self) -> Arc<dyn Ledger> {
        Arc::new(PostgresStore::connect(self.options()).await.unwrap())
    }
}

async fn make() -> Database {
    Database(TestDatabase::create().await)
}

patter_testkit::store_conformance!(make);
patter_testkit::archive_conformance!(make);
patter_testkit::ledger_conformance!(make);

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
async fn what_debug_shows_of_a_store_has_no_url() {
    let database = make().await;
    let store = PostgresStore::connect(database.options()).await.unwrap();
    store
        .claim(session(&SessionId::generate()), &owner("a"))
        .await
        .unwrap();
    assert!(!format!("{store:?}").contains(database.0.name()));
}

//! The role of a server that owns nothing.

use std::sync::Arc;

use async_trait::async_trait;
use patter_protocol::SessionId;
use patter_store::{
    Insight, Ledger, Migrate, PostgresOptions, PostgresStore, SessionStore, StoreError,
};
use patter_testkit::insight_conformance::InsightFixture;
use patter_testkit::ledger_conformance::LedgerFixture;
use patter_testkit::store_conformance::StoreFixture;
use patter_testkit::store_conformance::archive::{ArchiveFixture, ArchivedStore};
use url::Url;

use super::{TRIES, refusal, run, tables};
use crate::postgres::{Database, append, claimed, message, write};

const SCRIPT: &str = include_str!("../../../../../../deploy/postgres/app_role.sql");
const PASSWORD: &str = "of-the-tests";

/// A database whose owner has made the tables, and that is used by the small role.
struct Small(Database);

impl Small {
    fn options(&self) -> PostgresOptions {
        let mut url = Url::parse(&self.0.0.url()).unwrap();
        url.set_username("patter_app").unwrap();
        url.set_password(Some(PASSWORD)).unwrap();
        PostgresOptions {
            url: String::from(url).into(),
            migrate: Migrate::Check,
            ..self.0.options()
        }
    }

    async fn store(&self) -> PostgresStore {
        PostgresStore::connect(self.options()).await.unwrap()
    }
}

async fn make() -> Small {
    let database = crate::postgres::make().await;
    PostgresStore::migrate(&database.options()).await.unwrap();
    let mut connection = database.connection().await;
    let logging_in = format!("login password '{PASSWORD}'");
    super::make_role(&mut connection, "patter_app", &logging_in).await;
    run(&mut connection, SCRIPT).await.unwrap();
    Small(database)
}

#[async_trait]
impl StoreFixture for Small {
    async fn open(&self) -> Arc<dyn SessionStore> {
        Arc::new(self.store().await)
    }
}

#[async_trait]
impl ArchiveFixture for Small {
    async fn open_archive(&self) -> Arc<dyn ArchivedStore> {
        Arc::new(self.store().await)
    }
}

#[async_trait]
impl InsightFixture for Small {
    async fn open_insight(&self) -> (Arc<dyn SessionStore>, Arc<dyn Insight>) {
        let store = Arc::new(self.store().await);
        (Arc::clone(&store) as _, store)
    }

    async fn delete(&self, session_id: &SessionId) {
        self.0.delete(session_id).await;
    }
}

#[async_trait]
impl LedgerFixture for Small {
    async fn open_ledger(&self) -> Arc<dyn Ledger> {
        Arc::new(self.store().await)
    }
}

mod store {
    use super::make;
    patter_testkit::store_conformance!(make);
}

mod archive {
    use super::make;
    patter_testkit::archive_conformance!(make);
}

mod insight {
    use super::make;
    patter_testkit::insight_conformance!(make);
}

mod ledger {
    use super::make;
    patter_testkit::ledger_conformance!(make);
}

#[tokio::test]
async fn history_cannot_be_rewritten_by_the_servers_role() {
    let small = make().await;
    let store = small.store().await;
    let (id, claim) = claimed(&store).await;
    let said = append(&id, claim.fence, [message("a")]);
    write(&store, said).await.unwrap();
    let mut connection = small.0.connection().await;
    let mut tried = vec![
        "update patter.session_events set content = 'b'".to_owned(),
        "delete from patter.session_events".to_owned(),
        "update patter._migrations set checksum = ''".to_owned(),
        "insert into patter.answers (session_id, response_id) values ('a', 'b')".to_owned(),
        "update patter.answers set cost_usd = 0".to_owned(),
        "create table patter.own (a int)".to_owned(),
        "create schema own".to_owned(),
        "alter table patter.sessions add column own int".to_owned(),
        "alter table patter.sessions disable row level security".to_owned(),
        "alter table patter.session_events disable trigger all".to_owned(),
        "create policy own on patter.sessions using (true)".to_owned(),
        "create or replace function patter.search_owner(user_id text) returns text
             language sql as $$ select '' $$"
            .to_owned(),
        "drop table patter.sessions".to_owned(),
        "set session_replication_role = replica".to_owned(),
        "select setval('patter.session_events_id_seq', 1)".to_owned(),
        "select pg_read_file('/etc/passwd')".to_owned(),
        "copy (select 1) to program 'true'".to_owned(),
        "create role patter_other".to_owned(),
    ];
    for table in tables(&mut connection).await {
        tried.push(TRIES[3].replace("{}", &table));
    }
    for statement in tried {
        let found = refusal(&mut connection, "patter_app", &statement).await;
        assert_eq!(found.as_deref(), Some("42501"), "{statement}");
    }
}

#[tokio::test]
async fn the_script_can_be_run_again_and_takes_back_what_was_too_much() {
    let small = make().await;
    let mut connection = small.0.connection().await;
    let too_much = "grant all on all tables in schema patter to patter_app";
    run(&mut connection, too_much).await.unwrap();
    run(&mut connection, SCRIPT).await.unwrap();
    let sql = "delete from patter.session_events";
    let found = refusal(&mut connection, "patter_app", sql).await;
    assert_eq!(found.as_deref(), Some("42501"));
    claimed(&small.store().await).await;
}

/// Why the store is not opened.
async fn fault(options: PostgresOptions) -> String {
    match PostgresStore::connect(options).await {
        Err(StoreError::Unusable(why)) => why,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_small_role_is_told_what_to_do_where_it_would_have_to_make_tables() {
    let small = make().await;
    let mut options = small.options();
    options.migrate = Migrate::Auto;
    let why = fault(options).await;
    assert!(why.contains("`store.migrate` to `check`"), "{why}");
}

#[tokio::test]
async fn tables_that_are_not_up_to_date_stop_the_start_and_stay_as_they_are() {
    let database = crate::postgres::make().await;
    let mut options = database.options();
    options.migrate = Migrate::Check;
    let why = fault(options.clone()).await;
    assert!(
        why.contains("there are no tables") && why.contains("patter migrate"),
        "{why}"
    );
    PostgresStore::migrate(&options).await.unwrap();
    PostgresStore::connect(options.clone()).await.unwrap();
    let mut connection = database.connection().await;
    let undone = "delete from patter._migrations where version > 20261129000002";
    let undone = run(&mut connection, undone).await.unwrap();
    let why = fault(options).await;
    let expected =
        format!("{undone} migrations have not been run, the first of them 20261129000003");
    assert!(why.contains(&expected), "{why}");
}

#[tokio::test]
async fn a_table_that_the_role_sees_nothing_of_stops_the_start() {
    let small = make().await;
    let mut connection = small.0.connection().await;
    for (taken, named) in [
        ("drop policy patter_app on patter.answers", "`answers`"),
        (
            "revoke select on patter.message_hours from patter_app",
            "`message_hours`",
        ),
        (
            "revoke execute on function patter.search_owner(text) from patter_app",
            "`search_owner`",
        ),
        (
            "revoke usage on schema patter from patter_app",
            "schema patter",
        ),
    ] {
        run(&mut connection, taken).await.unwrap();
        let why = fault(small.options()).await;
        assert!(
            why.contains(named) && why.contains("app_role.sql"),
            "{taken}: {why}"
        );
        run(&mut connection, SCRIPT).await.unwrap();
    }
    small.store().await;
}

#[tokio::test]
async fn a_role_that_can_do_more_than_a_server_needs_is_not_taken_for_one() {
    let small = make().await;
    let mut connection = small.0.connection().await;
    super::make_role(&mut connection, "patter_test_strong", "nologin createdb").await;
    let strong = SCRIPT.replace("patter_app", "patter_test_strong");
    let error = run(&mut connection, &strong).await.unwrap_err();
    assert!(error.to_string().contains("can do more"), "{error}");
}

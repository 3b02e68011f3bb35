//! The `PostgreSQL` store behind a pooler in transaction mode, `PgBouncer`, which each test starts
//! for itself: `PGBOUNCER_BIN`, or `/usr/sbin/pgbouncer`, or the one in `PATH`.
#![expect(
    clippy::expect_used,
    clippy::unwrap_used,
    reason = "a test ends where its preparation fails"
)]

use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::Duration;
use std::{env, fs};

use async_trait::async_trait;
use patter_protocol::SessionId;
use patter_store::{EventWriter, PostgresOptions, PostgresStore, SessionStore, StoreError};
use patter_testkit::postgres::TestDatabase;
use patter_testkit::store_conformance::StoreFixture;
use patter_testkit::store_conformance::archive::{ArchiveFixture, ArchivedStore};
use patter_testkit::store_conformance::sample::{
    append, claimed, log_of, message, owner, places, session, write,
};
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::{AssertSqlSafe, ConnectOptions};
use tempfile::TempDir;
use tokio::task::JoinSet;
use tokio::time::Instant;

/// Fewer than there are clients, so that they share.
const SERVER_CONNECTIONS: u32 = 4;
const START_DEADLINE: Duration = Duration::from_secs(10);
/// What a `PgBouncer` that was started by root is run as.
const NOBODY: u32 = 65_534;

/// A pooler in front of a database of its own. Dropped, it is killed.
struct Pooler {
    process: Child,
    port: u16,
    database: TestDatabase,
    _folder: TempDir,
}

impl Pooler {
    async fn start() -> Self {
        Self::with_server_connections(SERVER_CONNECTIONS).await
    }

    async fn with_server_connections(server_connections: u32) -> Self {
        let database = TestDatabase::create().await;
        let folder = TempDir::new().unwrap();
        let port = free_port();
        let config = folder.path().join("pgbouncer.ini");
        fs::write(&config, configuration(&database, port, server_connections)).unwrap();
        let log = folder.path().join("log");
        let mut command = Command::new(binary());
        command
            .arg(&config)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(fs::File::create(&log).unwrap());
        // Root owns the folder that root has made. PgBouncer does not run as root.
        if fs::metadata(folder.path()).unwrap().uid() == 0 {
            fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).unwrap();
            command.uid(NOBODY).gid(NOBODY);
        }
        let process = command.spawn().expect("PgBouncer must be installed");
        let mut pooler = Self {
            process,
            port,
            database,
            _folder: folder,
        };
        pooler.wait_until_ready(&log).await;
        pooler
    }

    async fn wait_until_ready(&mut self, log: &Path) {
        let until = Instant::now() + START_DEADLINE;
        while TcpStream::connect((Ipv4Addr::LOCALHOST, self.port)).is_err() {
            let has_ended = self.process.try_wait().unwrap().is_some();
            assert!(
                !has_ended && Instant::now() < until,
                "PgBouncer does not start: {}",
                fs::read_to_string(log).unwrap()
            );
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    /// The URL of the database by way of the pooler.
    fn url(&self) -> PgConnectOptions {
        let direct: PgConnectOptions = self.database.url().parse().unwrap();
        direct
            .host("127.0.0.1")
            .port(self.port)
            // The authority in a file of the direct way is not the pooler's.
            .ssl_mode(sqlx::postgres::PgSslMode::Disable)
            .extra_float_digits(None)
    }

    /// As it must not be reached.
    fn plain(&self) -> PostgresOptions {
        PostgresOptions {
            allow_unsafe_fsync: true,
            ..PostgresOptions::new(self.url().to_url_lossy().to_string().into())
        }
    }

    fn options(&self) -> PostgresOptions {
        let mut url = self.url().to_url_lossy();
        url.query_pairs_mut().append_pair("pgbouncer", "true");
        PostgresOptions {
            url: url.to_string().into(),
            ..self.plain()
        }
    }

    async fn store(&self) -> PostgresStore {
        PostgresStore::connect(self.options()).await.unwrap()
    }
}

impl Drop for Pooler {
    fn drop(&mut self) {
        // It ends with what it holds.
        drop(self.process.kill());
        drop(self.process.wait());
    }
}

#[async_trait]
impl StoreFixture for Pooler {
    async fn open(&self) -> Arc<dyn SessionStore> {
        Arc::new(self.store().await)
    }
}

#[async_trait]
impl ArchiveFixture for Pooler {
    async fn open_archive(&self) -> Arc<dyn ArchivedStore> {
        Arc::new(self.store().await)
    }
}

fn configuration(database: &TestDatabase, port: u16, server_connections: u32) -> String {
    let url = database.url();
    let server: PgConnectOptions = url.parse().unwrap();
    // The one who logs in is always the same, so nobody is asked who he is.
    let password = server
        .to_url_lossy()
        .password()
        .map_or_else(String::new, |password| {
            format!(" password='{}'", password.replace('\'', "''"))
        });
    format!(
        "[databases]\n\
         {name} = host={host} port={server_port} dbname={name} user={user}{password}\n\
         [pgbouncer]\n\
         listen_addr = 127.0.0.1\n\
         listen_port = {port}\n\
         unix_socket_dir =\n\
         auth_type = any\n\
         pool_mode = transaction\n\
         default_pool_size = {server_connections}\n\
         max_client_conn = 200\n",
        name = database.name(),
        host = server.get_host(),
        server_port = server.get_port(),
        user = server.get_username(),
    )
}

fn binary() -> PathBuf {
    if let Some(given) = env::var_os("PGBOUNCER_BIN") {
        return given.into();
    }
    let system = PathBuf::from("/usr/sbin/pgbouncer");
    if system.exists() {
        system
    } else {
        "pgbouncer".into()
    }
}

fn free_port() -> u16 {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    listener.local_addr().unwrap().port()
}

patter_testkit::store_conformance!(Pooler::start);
patter_testkit::archive_conformance!(Pooler::start);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_answer_is_the_right_one_however_many_ask() {
    let pooler = Pooler::start().await;
    let store = Arc::new(pooler.store().await);
    let mut asking = JoinSet::new();
    for number in 0..16 {
        let store = Arc::clone(&store);
        asking.spawn(async move {
            let me = owner(&format!("node-{number}"));
            let id: SessionId = format!("session-{number}").parse().unwrap();
            let fence = store.claim(session(&id), &me).await.unwrap().fence;
            // Three statements of different form each time.
            for seq in 1..=100 {
                write(store.as_ref(), append(&id, fence, [message("a")]))
                    .await
                    .unwrap();
                let record = store.session(&id).await.unwrap().unwrap();
                assert_eq!((&record.session_id, record.last_seq), (&id, seq));
                let log = places(&log_of(store.as_ref(), &id).await);
                assert_eq!(log, (1..=seq).collect::<Vec<_>>());
            }
        });
    }
    asking.join_all().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_pooler_that_nobody_told_of_is_found_out() {
    // Also where each connection could have one of the server for itself.
    for server_connections in [1, SERVER_CONNECTIONS, 30] {
        let pooler = Pooler::with_server_connections(server_connections).await;
        let error = PostgresStore::connect(pooler.plain()).await.unwrap_err();
        assert!(matches!(&error, StoreError::Unusable(_)), "{error:?}");
        let told = error.to_string();
        assert!(
            told.contains("?pgbouncer=true") && told.contains("5432"),
            "{told}"
        );
    }
}

/// That the other tests would see a wrong answer: without our care there are plenty.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn statements_outside_of_transactions_do_get_wrong_answers_there() {
    let pooler = Pooler::start().await;
    let pool = PgPoolOptions::new()
        .max_connections(16)
        .connect_with(pooler.url())
        .await
        .unwrap();
    let asking = (0..16_i64).map(async |number| {
        let mut wrong = 0;
        for _ in 0..100 {
            let query = AssertSqlSafe(format!("select $1::bigint + {number}"));
            let answer: Result<i64, _> = sqlx::query_scalar(query)
                .bind(0_i64)
                .persistent(false)
                .fetch_one(&pool)
                .await;
            wrong += u32::from(answer.is_ok_and(|answer| answer != number));
        }
        wrong
    });
    let wrong: u32 = futures_util::future::join_all(asking).await.iter().sum();
    assert!(
        wrong > 0,
        "a wrong answer cannot be told from a right one here"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn several_may_begin_at_once_on_an_empty_database() {
    let pooler = Pooler::start().await;
    let stores = futures_util::future::join_all((0..8).map(|_| pooler.store())).await;
    let (id, claim) = claimed(&stores[0]).await;
    for store in &stores {
        write(store, append(&id, claim.fence, [message("a")]))
            .await
            .unwrap();
    }
}

/// The transaction of a call that was given up must not be somebody else's.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn calls_that_are_given_up_in_the_middle_leave_nothing_behind() {
    let pooler = Pooler::start().await;
    let store = Arc::new(pooler.store().await);
    let writer = EventWriter::start(store.clone());
    let (id, claim) = claimed(store.as_ref()).await;
    for micros in 0..200 {
        let entry = append(&id, claim.fence, [message("given up")]);
        let limit = Duration::from_micros(micros * 20);
        let _ = tokio::time::timeout(limit, write(store.as_ref(), entry)).await;
    }
    writer
        .append(append(&id, claim.fence, [message("kept")]))
        .await
        .unwrap();
    writer.close().await;
    let log = places(&log_of(store.as_ref(), &id).await);
    assert_eq!(log, (1..=log.len() as u64).collect::<Vec<_>>());
    assert_eq!(
        store.session(&id).await.unwrap().unwrap().last_seq,
        log.len() as u64
    );
    store.close().await;
}

//! A fresh PostgreSQL database for one test.

use std::str::FromStr;
use std::thread;

use sqlx::postgres::PgConnectOptions;
use sqlx::{AssertSqlSafe, ConnectOptions, Connection, PgConnection};
use uuid::Uuid;

/// The variable that names a server in which tests may make databases.
const VARIABLE: &str = "TEST_DATABASE_URL";

/// An empty database. Dropped, it is removed, whoever is still connected.
#[derive(Debug)]
pub struct TestDatabase {
    server: PgConnectOptions,
    name: String,
}

impl TestDatabase {
    /// Makes a database on the server that `TEST_DATABASE_URL` names.
    ///
    /// # Panics
    ///
    /// If the variable is not set, or the server does not do it.
    pub async fn create() -> Self {
        let url = std::env::var(VARIABLE).expect(
            "TEST_DATABASE_URL must name a PostgreSQL server in which databases can be made, as in \
             postgres://postgres@127.0.0.1:5432/postgres",
        );
        let server = PgConnectOptions::from_str(&url).expect("TEST_DATABASE_URL must be a URL");
        let name = format!("patter_test_{}", Uuid::now_v7().simple());
        execute(&server, format!("create database {name}"))
            .await
            .expect("the server of TEST_DATABASE_URL must let a test make a database");
        Self { server, name }
    }

    /// The URL of the database, with the password if there is one.
    #[must_use]
    pub fn url(&self) -> String {
        self.server
            .clone()
            .database(&self.name)
            .to_url_lossy()
            .to_string()
    }

    /// The name of the database, of lower-case letters, digits and `_`.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Runs statements in the database, over a connection of their own.
    ///
    /// # Panics
    ///
    /// If the database does not take them.
    pub async fn execute(&self, sql: &str) {
        execute(&self.server.clone().database(&self.name), sql.to_owned())
            .await
            .expect("the database must take the statements of a test");
    }
}

impl Drop for TestDatabase {
    fn drop(&mut self) {
        // A destructor cannot wait, and the runtime of the test may be ending: another thread can.
        let (server, sql) = (
            self.server.clone(),
            format!("drop database {} with (force)", self.name),
        );
        let remover = thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build();
            runtime.map(|runtime| runtime.block_on(execute(&server, sql)))
        });
        // What cannot be removed is left behind; the test itself has its result.
        let _ = remover.join();
    }
}

async fn execute(server: &PgConnectOptions, sql: String) -> Result<(), sqlx::Error> {
    let mut connection = PgConnection::connect_with(server).await?;
    sqlx::raw_sql(AssertSqlSafe(sql))
        .execute(&mut connection)
        .await?;
    connection.close().await
}

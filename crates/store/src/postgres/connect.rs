//! Opening connections: migrations, the checks at the start, and what each connection is set to.

use std::time::Duration;

use sqlx::migrate::Migrator;
use sqlx::postgres::PgPoolOptions;
use sqlx::{AssertSqlSafe, Connection, PgConnection};

use super::connections::Connections;
use super::error::{from_migration, from_sqlx};
use super::options::PostgresOptions;
use crate::deadline::within;
use crate::error::StoreError;

/// How long the first connection may take.
const CONNECT_DEADLINE: Duration = Duration::from_secs(10);
/// How long the migrations may take, the wait for those of another process included.
const MIGRATE_DEADLINE: Duration = Duration::from_secs(600);
/// The oldest server, as `server_version_num` has it.
const OLDEST_SERVER: i32 = 140_000;
/// A connection that was idle for longer is tried before it is used: one round trip, and a
/// restarted server costs no failed calls. A busy one is not.
const IDLE_BEFORE_PING: Duration = Duration::from_secs(1);

/// Brings the tables up to date over a connection of its own.
pub(super) async fn migrate(options: &PostgresOptions) -> Result<(), StoreError> {
    let connect_options = options.connect_options()?;
    let address = format!(
        "{}:{}",
        connect_options.get_host(),
        connect_options.get_port()
    );
    let connecting = async {
        PgConnection::connect_with(&connect_options)
            .await
            .map_err(from_sqlx)
    };
    let mut connection = within(CONNECT_DEADLINE, connecting)
        .await
        .map_err(|error| with_address(error, &address))?;
    within(CONNECT_DEADLINE, check_server(&mut connection)).await?;
    within(MIGRATE_DEADLINE, run_migrations(&mut connection)).await?;
    // The work is done, and the server drops its side by itself.
    let _ = tokio::time::timeout(CONNECT_DEADLINE, connection.close()).await;
    Ok(())
}

/// The connections of a store; they are opened when they are needed.
pub(super) fn connections(options: &PostgresOptions) -> Result<Connections, StoreError> {
    let settings = session_settings(options.statement_timeout);
    let pool = PgPoolOptions::new()
        .max_connections(options.max_connections)
        .acquire_timeout(options.acquire_timeout)
        .test_before_acquire(false)
        .before_acquire(|connection, usage| {
            Box::pin(async move {
                if usage.idle_for > IDLE_BEFORE_PING {
                    connection.ping().await?;
                }
                Ok(true)
            })
        })
        .after_connect(move |connection, _| {
            let settings = settings.clone();
            Box::pin(async move {
                sqlx::raw_sql(AssertSqlSafe(settings))
                    .execute(connection)
                    .await?;
                Ok(())
            })
        })
        .connect_lazy_with(options.connect_options()?);
    Ok(Connections::new(pool))
}

/// What each connection is set to. As statements rather than in the start-up packet, where
/// poolers refuse what they do not know.
fn session_settings(statement_timeout: Duration) -> String {
    let statement_ms = statement_timeout.as_millis();
    // A commit is acknowledged when it is on disk, whatever the server's default is; a stricter
    // default (a replica has it too) stays.
    format!(
        "select set_config('statement_timeout', '{statement_ms}', false),
                set_config('lock_timeout', '{lock_ms}', false),
                set_config('idle_in_transaction_session_timeout', '10000', false),
                case when current_setting('synchronous_commit') = 'off'
                    then set_config('synchronous_commit', 'on', false) end",
        // The shorter of the two, so that it is told when it was a lock that took too long.
        lock_ms = (statement_ms / 2).min(2_000),
    )
}

/// Makes sure that the server is one that this crate can use.
async fn check_server(connection: &mut PgConnection) -> Result<(), StoreError> {
    let (version, is_standby, fsync): (i32, bool, bool) = sqlx::query_as(
        "select current_setting('server_version_num')::int, pg_is_in_recovery(),
                current_setting('fsync')::bool",
    )
    .fetch_one(connection)
    .await
    .map_err(from_sqlx)?;
    if version < OLDEST_SERVER {
        return Err(StoreError::Unusable(format!(
            "PostgreSQL {}.{} is too old: 14 or later is needed",
            version / 10_000,
            version % 10_000,
        )));
    }
    if is_standby {
        return Err(StoreError::Unusable(
            "the server is a standby that takes no writes: use the primary".to_owned(),
        ));
    }
    if !fsync {
        tracing::warn!("the database runs with fsync off: a power cut can lose what it stored");
    }
    Ok(())
}

/// Runs what has not been run. Several processes may do so at once: sqlx holds an advisory lock,
/// which goes with the connection if something fails.
async fn run_migrations(connection: &mut PgConnection) -> Result<(), StoreError> {
    // Neither the wait for another process nor a new index is bound to the time of a query.
    // The files can be run again, and say of each thing that is there already that it is.
    let settings = "set statement_timeout = 0; set lock_timeout = 0;
                    set client_min_messages = warning;";
    sqlx::raw_sql(settings)
        .execute(&mut *connection)
        .await
        .map_err(from_sqlx)?;
    // What `run` calls, whose own future the compiler does not take for `Send`.
    migrator()
        .run_direct(None, connection, false)
        .await
        .map_err(from_migration)
}

fn migrator() -> Migrator {
    let mut migrator = sqlx::migrate!("../../migrations/postgres");
    // Beside the tables, and not in `public`, which other programs serve.
    migrator.create_schema("patter");
    migrator.dangerous_set_table_name("patter._migrations");
    // A newer release has been here: its migrations only add, so this one can go on.
    migrator.set_ignore_missing(true);
    migrator
}

/// Says where nobody answered.
fn with_address(error: StoreError, address: &str) -> StoreError {
    match error {
        StoreError::Unavailable(cause) => {
            StoreError::Unavailable(format!("cannot connect to {address}: {cause}").into())
        }
        other => other,
    }
}

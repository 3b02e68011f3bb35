//! Opening connections: the checks at the start, and what each connection is set to.

use std::time::Duration;

use sqlx::postgres::PgConnectOptions;
use sqlx::{Connection, PgConnection, Row};
use tracing::warn;

use super::connections::{Connections, Mode};
use super::error::from_sqlx;
use super::options::{Migrate, PostgresOptions};
use super::{migrate, reach};
use crate::deadline::within;
use crate::error::StoreError;

/// How long the first connection may take.
const CONNECT_DEADLINE: Duration = Duration::from_secs(10);
/// How long the migrations may take, the wait for those of another process included.
const MIGRATE_DEADLINE: Duration = Duration::from_secs(600);
/// The oldest server, as `server_version_num` has it.
const OLDEST_SERVER: i32 = 140_000;

/// Makes sure that the server can be used and that the tables are up to date, over a connection of its
/// own.
pub(super) async fn prepare(options: &PostgresOptions, tables: Migrate) -> Result<(), StoreError> {
    let connect_options = options.connect_options()?;
    if options.trusts_anybody() {
        warn!(
            "`sslmode=require` encrypts the connection to the database and does not ask who is at its \
             other end: use `verify-full`, with `sslrootcert` where its authority is no public one"
        );
    }
    let connecting = async {
        PgConnection::connect_with(&connect_options)
            .await
            .map_err(from_sqlx)
    };
    let mut connection = within(CONNECT_DEADLINE, connecting)
        .await
        .map_err(|error| with_address(error, &connect_options))?;
    within(CONNECT_DEADLINE, check_server(&mut connection, options)).await?;
    match tables {
        Migrate::Auto => within(MIGRATE_DEADLINE, migrate::run(&mut connection)).await?,
        Migrate::Check => within(CONNECT_DEADLINE, reach::check(&mut connection)).await?,
    }
    // The work is done, and the server drops its side by itself.
    let _ = tokio::time::timeout(CONNECT_DEADLINE, connection.close()).await;
    Ok(())
}

/// The connections of a store; they are opened when they are needed.
pub(super) fn connections(options: &PostgresOptions) -> Result<Connections, StoreError> {
    let mode = if options.is_transaction_pooler()? {
        let begin = format!("begin; {}", settings(options, true)?);
        Mode::Transaction { begin }
    } else {
        let settings = settings(options, false)?;
        Mode::Session { settings }
    };
    Connections::new(options, mode)
}

/// What each session, or each transaction alone, is set to. As statements rather than in the
/// start-up packet, where poolers refuse what they do not know.
fn settings(options: &PostgresOptions, is_local: bool) -> Result<String, StoreError> {
    let statement_ms = options.statement_timeout.as_millis();
    let language = options.search_language()?;
    // A commit is acknowledged when it is on disk, whatever the server's default is; a stricter
    // default (a replica has it too) stays.
    Ok(format!(
        "select set_config('statement_timeout', '{statement_ms}', {is_local}),
                set_config('lock_timeout', '{lock_ms}', {is_local}),
                set_config('idle_in_transaction_session_timeout', '10000', {is_local}),
                set_config('patter.search_language', '{language}', {is_local}),
                case when current_setting('synchronous_commit') = 'off'
                    then set_config('synchronous_commit', 'on', {is_local}) end",
        // The shorter of the two, so that it is told when it was a lock that took too long. Whoever
        // works as it should has a row locked for milliseconds, and others wait behind a write.
        lock_ms = (statement_ms / 2).min(500),
    ))
}

/// Makes sure that the server is one that this crate can use.
async fn check_server(
    connection: &mut PgConnection,
    options: &PostgresOptions,
) -> Result<(), StoreError> {
    let statement = "select current_setting('server_version_num'), pg_is_in_recovery()::text,
                            current_setting('fsync')";
    // Text in one message, which is safe behind any pooler.
    let row = sqlx::raw_sql(statement)
        .fetch_one(connection)
        .await
        .map_err(from_sqlx)?;
    let text = |index| row.try_get::<String, _>(index).map_err(from_sqlx);
    judge(&text(0)?, &text(1)?, &text(2)?, options.allow_unsafe_fsync)
}

/// Whether a server will do, by what it says about itself.
fn judge(
    version: &str,
    is_standby: &str,
    fsync: &str,
    allow_unsafe_fsync: bool,
) -> Result<(), StoreError> {
    let version: i32 = version
        .parse()
        .map_err(|_| StoreError::Corrupt(format!("a server of version `{version}`")))?;
    if version < OLDEST_SERVER {
        return Err(StoreError::Unusable(format!(
            "PostgreSQL {}.{} is too old: 14 or later is needed",
            version / 10_000,
            version % 10_000,
        )));
    }
    if is_standby == "true" {
        return Err(StoreError::Unusable(
            "the server is a standby that takes no writes: use the primary".to_owned(),
        ));
    }
    if fsync == "off" && !allow_unsafe_fsync {
        return Err(StoreError::Unusable(
            "the server runs with `fsync = off`: a power cut can lose or destroy what it stored; \
             turn it on, or allow it where nothing has to last"
                .to_owned(),
        ));
    }
    Ok(())
}

/// Says where nobody answered.
fn with_address(error: StoreError, options: &PgConnectOptions) -> StoreError {
    match error {
        StoreError::Unavailable(cause) => {
            let (host, port) = (options.get_host(), options.get_port());
            StoreError::Unavailable(format!("cannot connect to {host}:{port}: {cause}").into())
        }
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_that_will_not_do_is_told_from_one_that_will() {
        for (version, is_standby, fsync, allow, expected) in [
            ("140000", "false", "on", false, Ok(())),
            ("170002", "false", "off", true, Ok(())),
            (
                "130021",
                "false",
                "on",
                true,
                Err("PostgreSQL 13.21 is too old"),
            ),
            ("150020", "true", "on", true, Err("standby")),
            ("150020", "false", "off", false, Err("`fsync = off`")),
        ] {
            let found = judge(version, is_standby, fsync, allow).map_err(|error| error.to_string());
            match (&found, expected) {
                (Ok(()), Ok(())) => {}
                (Err(told), Err(expected)) if told.contains(expected) => {}
                _ => panic!("{version} {is_standby} {fsync} {allow}: {found:?}"),
            }
        }
    }
}

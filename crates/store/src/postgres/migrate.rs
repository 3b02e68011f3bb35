//! The migrations, in one transaction and without a named statement: a pooler in transaction mode
//! does not get in the way, and what fails leaves nothing behind.
//!
//! The table of what was run is that of sqlx, so that its tools can read it.

use sqlx::migrate::{Migration, Migrator};
use sqlx::{Connection, PgConnection, Row};

use super::error::from_sqlx;
use crate::error::StoreError;

/// Begins. Several processes may do so at once: one works, the others wait, until the end of its
/// transaction. Neither that wait nor a new index is bound to the time of a query. The files can be
/// run again, and say of each thing that is there already that it is.
const PREPARE: &str = "
    set local statement_timeout = 0;
    set local lock_timeout = 0;
    set local idle_in_transaction_session_timeout = 0;
    set local client_min_messages = warning;
    select pg_advisory_xact_lock(hashtextextended('patter migrations', 0));
    create schema if not exists patter;
    create table if not exists patter._migrations (
        version        bigint primary key,
        description    text not null,
        installed_on   timestamptz not null default now(),
        success        boolean not null,
        checksum       bytea not null,
        execution_time bigint not null
    );";

/// Runs what has not been run.
pub(super) async fn run(connection: &mut PgConnection) -> Result<(), StoreError> {
    let mut transaction = connection.begin().await.map_err(from_sqlx)?;
    sqlx::raw_sql(PREPARE)
        .execute(&mut *transaction)
        .await
        .map_err(|error| not_the_owner(from_sqlx(error)))?;
    for migration in missing(&mut transaction).await? {
        let version = migration.version;
        sqlx::raw_sql(migration.sql.clone())
            .execute(&mut *transaction)
            .await
            .map_err(|error| of_migration(version, from_sqlx(error)))?;
        // How long it took is of no interest to anybody, and sqlx notes it afterwards too.
        sqlx::query(
            "insert into patter._migrations
                 (version, description, success, checksum, execution_time)
             values ($1, $2, true, $3, -1)",
        )
        .bind(version)
        .bind(&*migration.description)
        .bind(&*migration.checksum)
        .persistent(false)
        .execute(&mut *transaction)
        .await
        .map_err(from_sqlx)?;
    }
    transaction.commit().await.map_err(from_sqlx)
}

/// What has not been run.
///
/// # Errors
///
/// [`StoreError::Unusable`] if one that was run has another file now.
pub(super) async fn missing(connection: &mut PgConnection) -> Result<Vec<Migration>, StoreError> {
    let rows = sqlx::query("select version, checksum from patter._migrations")
        .persistent(false)
        .fetch_all(connection)
        .await
        .map_err(from_sqlx)?;
    let mut done: Vec<(i64, Vec<u8>)> = Vec::with_capacity(rows.len());
    for row in &rows {
        let version = row.try_get(0).map_err(from_sqlx)?;
        done.push((version, row.try_get(1).map_err(from_sqlx)?));
    }
    // What is done and not known here is of a newer release: its migrations only add, so this one
    // can go on.
    let migrator: Migrator = sqlx::migrate!("../../migrations/postgres");
    let mut missing = Vec::new();
    for migration in migrator.iter() {
        let version = migration.version;
        match done.iter().find(|(done, _)| *done == version) {
            Some((_, checksum)) if *checksum == *migration.checksum => {}
            Some(_) => {
                return Err(StoreError::Unusable(format!(
                    "migration {version} was run before, and its file was another one then"
                )));
            }
            None => missing.push(migration.clone()),
        }
    }
    Ok(missing)
}

/// Says what to do where the role is one that may not make tables.
fn not_the_owner(error: StoreError) -> StoreError {
    match error {
        StoreError::Unusable(why) => StoreError::Unusable(format!(
            "{why}: the tables are brought up to date by a role that owns them; for one that does not, \
             set `store.migrate` to `check` and run `patter migrate` as their owner"
        )),
        other => other,
    }
}

/// Says which one failed.
fn of_migration(version: i64, error: StoreError) -> StoreError {
    match error {
        StoreError::Unavailable(cause) => StoreError::Unavailable(cause),
        StoreError::Rejected(cause) => {
            StoreError::Unusable(format!("migration {version} failed: {cause}"))
        }
        other => StoreError::Unusable(format!("migration {version} failed: {other}")),
    }
}

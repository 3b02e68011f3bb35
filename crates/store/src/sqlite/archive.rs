//! Stored sessions from outside a conversation, on SQLite.

mod import;
mod list;
mod metadata;
mod prune;

use async_trait::async_trait;
use patter_protocol::{JsonObject, LogEpoch, SessionId, Timestamp};
use sqlx::sqlite::SqliteRow;
use sqlx::{FromRow, SqliteConnection, SqlitePool};

use super::clock::Moment;
use super::error::from_sqlx;
use super::write::BEGIN;
use super::{CALL_DEADLINE, SqliteStore};
use crate::archive::import::encode_import;
use crate::archive::{ImportedSession, ListQuery, METRICS_KEY, SessionArchive, SessionList};
use crate::deadline::within;
use crate::encode::{SessionRow, encode_session, first_fence, session_columns};
use crate::error::StoreError;
use crate::record::{NewSession, SessionRecord};

/// So many events are deleted by one statement.
const REMOVED_AT_ONCE: u32 = 500;

#[async_trait]
impl SessionArchive for SqliteStore {
    async fn create(&self, mut session: NewSession) -> Result<SessionRecord, StoreError> {
        session.metadata.remove(METRICS_KEY);
        let session = encode_session(session)?;
        within(CALL_DEADLINE, create(&self.writer, session)).await
    }

    async fn list(&self, query: &ListQuery) -> Result<SessionList, StoreError> {
        within(CALL_DEADLINE, list::list(&self.readers, query)).await
    }

    async fn merge_metadata(
        &self,
        session_id: &SessionId,
        patch: JsonObject,
    ) -> Result<Option<SessionRecord>, StoreError> {
        let merging = metadata::merge(&self.writer, session_id, patch);
        within(CALL_DEADLINE, merging).await
    }

    async fn delete(&self, session_id: &SessionId) -> Result<bool, StoreError> {
        within(CALL_DEADLINE, delete(&self.writer, session_id)).await
    }

    async fn prune(&self, older_than: Timestamp, limit: u32) -> Result<Vec<SessionId>, StoreError> {
        let pruning = prune::prune(&self.writer, older_than, limit);
        within(CALL_DEADLINE, pruning).await
    }

    async fn import(&self, session: ImportedSession) -> Result<SessionRecord, StoreError> {
        let session = encode_import(session)?;
        import::import(&self.writer, &session, CALL_DEADLINE).await
    }
}

/// See [`SessionArchive::create`].
async fn create(
    pool: &SqlitePool,
    (session_id, user_id, metadata): (SessionId, Option<String>, String),
) -> Result<SessionRecord, StoreError> {
    let mut transaction = pool.begin_with(BEGIN).await.map_err(from_sqlx)?;
    let row = sqlx::query(concat!(
        "insert into sessions (session_id, user_id, metadata, log_epoch, fence)
         values ($1, $2, $3, $4, $5)
         on conflict (session_id) do nothing
         returning ",
        session_columns!()
    ))
    .bind(session_id.as_str())
    .bind(user_id)
    .bind(metadata)
    .bind(LogEpoch::generate().as_uuid())
    .bind(first_fence())
    .fetch_optional(&mut *transaction)
    .await
    .map_err(from_sqlx)?;
    transaction.commit().await.map_err(from_sqlx)?;
    match row {
        Some(row) => record(&row),
        None => Err(StoreError::Exists { session_id }),
    }
}

/// See [`SessionArchive::delete`].
async fn delete(pool: &SqlitePool, session_id: &SessionId) -> Result<bool, StoreError> {
    let mut transaction = pool.begin_with(BEGIN).await.map_err(from_sqlx)?;
    let now = Moment::now();
    let leased_until: Option<Option<String>> = sqlx::query_scalar(
        "select case when lease_until > $2 then lease_until end from sessions where session_id = $1",
    )
    .bind(session_id.as_str())
    .bind(now.text())
    .fetch_optional(&mut *transaction)
    .await
    .map_err(from_sqlx)?;
    match leased_until {
        None => return Ok(false),
        Some(Some(until)) => {
            return Err(StoreError::Owned {
                session_id: session_id.clone(),
                free_in: now.until(&until)?,
            });
        }
        Some(None) => {}
    }
    remove(&mut transaction, session_id.as_str()).await?;
    transaction.commit().await.map_err(from_sqlx)?;
    forget_words(pool).await?;
    Ok(true)
}

/// Deletes a session with its events. These would go with the row too, but by one statement: what that changes is
/// kept in memory until it is over, and no deadline ends it.
async fn remove(connection: &mut SqliteConnection, session_id: &str) -> Result<(), StoreError> {
    loop {
        let done = sqlx::query(
            "delete from session_events where id in
                 (select id from session_events where session_id = $1 limit $2)",
        )
        .bind(session_id)
        .bind(REMOVED_AT_ONCE)
        .execute(&mut *connection)
        .await
        .map_err(from_sqlx)?;
        if done.rows_affected() < u64::from(REMOVED_AT_ONCE) {
            break;
        }
    }
    sqlx::query("delete from sessions where session_id = $1")
        .bind(session_id)
        .execute(connection)
        .await
        .map(drop)
        .map_err(from_sqlx)
}

/// Merges a piece of the full-text index, in which the words of what was deleted stand until then. What is
/// not much is gone at once.
async fn forget_words(pool: &SqlitePool) -> Result<(), StoreError> {
    sqlx::query("insert into search_entries (search_entries, rank) values ('merge', -500)")
        .execute(pool)
        .await
        .map(drop)
        .map_err(from_sqlx)
}

fn record(row: &SqliteRow) -> Result<SessionRecord, StoreError> {
    SessionRow::from_row(row).map_err(from_sqlx)?.decode()
}

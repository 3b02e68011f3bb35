//! Deleting what is old, on SQLite.

use patter_protocol::{SessionId, Timestamp};
use sqlx::{SqliteConnection, SqlitePool};

use crate::archive::PRUNED_EVENTS;
use crate::error::StoreError;
use crate::sqlite::clock::{Moment, sortable};
use crate::sqlite::error::from_sqlx;
use crate::sqlite::write::BEGIN;

/// See [`SessionArchive::prune`](crate::SessionArchive::prune).
pub(super) async fn prune(
    pool: &SqlitePool,
    older_than: Timestamp,
    limit: u32,
) -> Result<Vec<SessionId>, StoreError> {
    let mut transaction = pool.begin_with(BEGIN).await.map_err(from_sqlx)?;
    let older_than = sortable(older_than);
    let mut pruned = Vec::new();
    let mut events = 0;
    for (session_id, last_seq) in old(&mut transaction, &older_than, limit).await? {
        if events >= i64::from(PRUNED_EVENTS) {
            break;
        }
        events += last_seq;
        super::remove(&mut transaction, &session_id).await?;
        let session_id = SessionId::try_from(session_id)
            .map_err(|error| StoreError::Corrupt(error.to_string()))?;
        pruned.push(session_id);
    }
    transaction.commit().await.map_err(from_sqlx)?;
    if !pruned.is_empty() {
        super::forget_words(pool).await?;
    }
    Ok(pruned)
}

/// What may go, with the length of its log. Each half has an index of its own.
async fn old(
    connection: &mut SqliteConnection,
    older_than: &str,
    limit: u32,
) -> Result<Vec<(String, i64)>, StoreError> {
    sqlx::query_as(
        "select session_id, last_seq from (
             select session_id, last_seq from sessions
             where is_active = 0 and end_time < $1 and (lease_until is null or lease_until <= $2)
             order by end_time limit $3)
         union all
         select session_id, last_seq from (
             select session_id, last_seq from sessions
             where is_active = 1 and finalize_after is null and lease_until is null
               and last_seq = 0 and created_at < $1
             order by created_at limit $3)
         limit $3",
    )
    .bind(older_than)
    .bind(Moment::now().text())
    .bind(i64::from(limit))
    .fetch_all(connection)
    .await
    .map_err(from_sqlx)
}

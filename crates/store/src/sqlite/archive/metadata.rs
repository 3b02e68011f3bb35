//! Merging into a session's metadata, on SQLite.

use patter_protocol::{JsonObject, SessionId};
use sqlx::SqlitePool;

use super::record;
use crate::archive::merge::merged;
use crate::encode::session_columns;
use crate::error::StoreError;
use crate::record::SessionRecord;
use crate::sqlite::error::from_sqlx;
use crate::sqlite::write::BEGIN;

/// See [`SessionArchive::merge_metadata`](crate::SessionArchive::merge_metadata).
pub(super) async fn merge(
    pool: &SqlitePool,
    session_id: &SessionId,
    patch: JsonObject,
) -> Result<Option<SessionRecord>, StoreError> {
    let mut transaction = pool.begin_with(BEGIN).await.map_err(from_sqlx)?;
    let old: Option<String> =
        sqlx::query_scalar("select metadata from sessions where session_id = $1")
            .bind(session_id.as_str())
            .fetch_optional(&mut *transaction)
            .await
            .map_err(from_sqlx)?;
    let Some(old) = old else {
        return Ok(None);
    };
    let metadata = serde_json::from_str(&old)
        .map_err(|error| StoreError::Corrupt(format!("a session's metadata: {error}")))?;
    sqlx::query("update sessions set metadata = $2 where session_id = $1")
        .bind(session_id.as_str())
        .bind(merged(metadata, patch)?)
        .execute(&mut *transaction)
        .await
        .map_err(from_sqlx)?;
    // Read again: a trigger sets `updated_at` after the update.
    let row = sqlx::query(concat!(
        "select ",
        session_columns!(),
        " from sessions where session_id = $1"
    ))
    .bind(session_id.as_str())
    .fetch_one(&mut *transaction)
    .await
    .map_err(from_sqlx)?;
    transaction.commit().await.map_err(from_sqlx)?;
    record(&row).map(Some)
}

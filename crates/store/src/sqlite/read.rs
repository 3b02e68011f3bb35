//! What is read from SQLite.

use patter_protocol::SessionId;
use sqlx::{FromRow, SqlitePool};

use super::error::from_sqlx;
use crate::encode::{EventRow, SessionRow, session_columns};
use crate::error::StoreError;
use crate::record::{EventQuery, SessionRecord, StoredEvent};

/// See [`SessionStore::events`](crate::SessionStore::events).
pub(super) async fn events(
    pool: &SqlitePool,
    session_id: &SessionId,
    query: EventQuery,
) -> Result<Vec<StoredEvent>, StoreError> {
    // SQLite has no arrays; a JSON one stands in.
    let types = serde_json::Value::from(query.types).to_string();
    let rows = sqlx::query(
        "select seq, event_id, event_type, content, metadata, private, created_at
         from session_events
         where session_id = $1 and seq > $2
           and (json_array_length($3) = 0 or event_type in (select value from json_each($3)))
         order by seq
         limit $4",
    )
    .bind(session_id.as_str())
    // No log is longer than that.
    .bind(i64::try_from(query.after).unwrap_or(i64::MAX))
    .bind(types)
    .bind(i64::from(query.limit))
    .fetch_all(pool)
    .await
    .map_err(from_sqlx)?;
    rows.iter()
        .map(|row| EventRow::from_row(row).map_err(from_sqlx)?.decode())
        .collect()
}

/// See [`SessionStore::session`](crate::SessionStore::session).
pub(super) async fn session(
    pool: &SqlitePool,
    session_id: &SessionId,
) -> Result<Option<SessionRecord>, StoreError> {
    let row = sqlx::query(concat!(
        "select ",
        session_columns!(),
        " from sessions where session_id = $1"
    ))
    .bind(session_id.as_str())
    .fetch_optional(pool)
    .await
    .map_err(from_sqlx)?;
    row.map(|row| SessionRow::from_row(&row).map_err(from_sqlx)?.decode())
        .transpose()
}

//! What is read from PostgreSQL.

use patter_protocol::SessionId;
use sqlx::FromRow;

use super::connections::Connections;
use super::error::from_sqlx;
use crate::encode::{EventRow, SessionRow};
use crate::error::StoreError;
use crate::record::{EventQuery, SessionRecord, StoredEvent};

/// See [`SessionStore::events`](crate::SessionStore::events).
pub(super) async fn events(
    connections: &Connections,
    session_id: &SessionId,
    query: EventQuery,
) -> Result<Vec<StoredEvent>, StoreError> {
    let mut connection = connections.lend().await?;
    let rows = sqlx::query(
        "select seq, event_id, event_type, content, metadata::text, private::text, created_at
         from patter.session_events
         where session_id = $1 and seq > $2
           and (cardinality($3::text[]) = 0 or event_type = any ($3))
         order by seq
         limit $4",
    )
    .bind(session_id.as_str())
    // No log is longer than that.
    .bind(i64::try_from(query.after).unwrap_or(i64::MAX))
    .bind(query.types)
    .bind(i64::from(query.limit))
    .fetch_all(&mut *connection)
    .await
    .map_err(from_sqlx)?;
    rows.iter()
        .map(|row| EventRow::from_row(row).map_err(from_sqlx)?.decode())
        .collect()
}

/// See [`SessionStore::session`](crate::SessionStore::session).
pub(super) async fn session(
    connections: &Connections,
    session_id: &SessionId,
) -> Result<Option<SessionRecord>, StoreError> {
    let mut connection = connections.lend().await?;
    let row = sqlx::query(
        "select session_id, user_id, start_time, end_time, is_active, summary, metadata::text,
                created_at, updated_at, last_seq, log_epoch
         from patter.sessions where session_id = $1",
    )
    .bind(session_id.as_str())
    .fetch_optional(&mut *connection)
    .await
    .map_err(from_sqlx)?;
    row.map(|row| SessionRow::from_row(&row).map_err(from_sqlx)?.decode())
        .transpose()
}

/// See [`SessionStore::check`](crate::SessionStore::check).
pub(super) async fn check(connections: &Connections) -> Result<(), StoreError> {
    let mut connection = connections.lend().await?;
    let is_read_only: bool = sqlx::query_scalar(
        "select pg_is_in_recovery() or current_setting('transaction_read_only')::bool",
    )
    .fetch_one(&mut *connection)
    .await
    .map_err(from_sqlx)?;
    if is_read_only {
        return Err(StoreError::Unavailable(
            "the database takes no writes".into(),
        ));
    }
    Ok(())
}

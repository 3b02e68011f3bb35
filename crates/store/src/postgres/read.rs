//! What is read from PostgreSQL.

use patter_protocol::SessionId;
use sqlx::{FromRow, Row};

use super::connections::Connections;
use super::error::from_sqlx;
use crate::encode::{EventRow, SessionRow, session_columns};
use crate::error::StoreError;
use crate::record::{EventQuery, SessionRecord, StoredEvent};

/// See [`SessionStore::events`](crate::SessionStore::events).
pub(super) async fn events(
    connections: &Connections,
    session_id: &SessionId,
    wanted: EventQuery,
) -> Result<Vec<StoredEvent>, StoreError> {
    let query = sqlx::query(
        "select seq, event_id, event_type, content, metadata::text, private::text, created_at
         from patter.session_events
         where session_id = $1 and seq > $2
           and (cardinality($3::text[]) = 0 or event_type = any ($3))
         order by seq
         limit $4",
    )
    .bind(session_id.as_str())
    // No log is longer than that.
    .bind(i64::try_from(wanted.after).unwrap_or(i64::MAX))
    .bind(wanted.types)
    .bind(i64::from(wanted.limit));
    let rows = connections.fetch(query).await?;
    rows.iter()
        .map(|row| EventRow::from_row(row).map_err(from_sqlx)?.decode())
        .collect()
}

/// See [`SessionStore::session`](crate::SessionStore::session).
pub(super) async fn session(
    connections: &Connections,
    session_id: &SessionId,
) -> Result<Option<SessionRecord>, StoreError> {
    let query = sqlx::query(concat!(
        "select ",
        session_columns!(),
        " from patter.sessions where session_id = $1"
    ))
    .bind(session_id.as_str());
    let rows = connections.fetch(query).await?;
    rows.first()
        .map(|row| SessionRow::from_row(row).map_err(from_sqlx)?.decode())
        .transpose()
}

/// See [`SessionStore::check`](crate::SessionStore::check).
pub(super) async fn check(connections: &Connections) -> Result<(), StoreError> {
    let query =
        sqlx::query("select pg_is_in_recovery() or current_setting('transaction_read_only')::bool");
    let is_read_only: bool = connections
        .fetch_one(query)
        .await?
        .try_get(0)
        .map_err(from_sqlx)?;
    if is_read_only {
        return Err(StoreError::Unavailable(
            "the database takes no writes".into(),
        ));
    }
    Ok(())
}

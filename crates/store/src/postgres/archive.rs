//! Stored sessions from outside a conversation, on PostgreSQL.

mod import;
mod list;
mod metadata;
mod prune;

use std::time::Duration;

use async_trait::async_trait;
use patter_protocol::{JsonObject, LogEpoch, SessionId, Timestamp};
use sqlx::FromRow;
use sqlx::postgres::PgRow;

use super::connections::Connections;
use super::error::from_sqlx;
use super::{PostgresStore, lease};
use crate::archive::import::encode_import;
use crate::archive::{ImportedSession, ListQuery, METRICS_KEY, SessionArchive, SessionList};
use crate::deadline::within;
use crate::encode::{SessionRow, encode_session, first_fence, session_columns};
use crate::error::StoreError;
use crate::record::{NewSession, SessionRecord};

/// A long session takes its time to go, as its events and what is made from them go with it.
const DELETE_DEADLINE: Duration = Duration::from_secs(60);
/// The database is told nearly the same.
const DELETE_TIMEOUT: &str = "set local statement_timeout = '55s'";

#[async_trait]
impl SessionArchive for PostgresStore {
    async fn create(&self, mut session: NewSession) -> Result<SessionRecord, StoreError> {
        session.metadata.remove(METRICS_KEY);
        let session = encode_session(session)?;
        within(self.call_deadline, create(&self.connections, session)).await
    }

    async fn list(&self, query: &ListQuery) -> Result<SessionList, StoreError> {
        within(self.call_deadline, list::list(&self.connections, query)).await
    }

    async fn merge_metadata(
        &self,
        session_id: &SessionId,
        patch: JsonObject,
    ) -> Result<Option<SessionRecord>, StoreError> {
        within(
            self.call_deadline,
            metadata::merge(&self.connections, session_id, &patch),
        )
        .await
    }

    async fn delete(&self, session_id: &SessionId) -> Result<bool, StoreError> {
        within(DELETE_DEADLINE, delete(&self.connections, session_id)).await
    }

    async fn prune(&self, older_than: Timestamp, limit: u32) -> Result<Vec<SessionId>, StoreError> {
        within(
            DELETE_DEADLINE,
            prune::prune(&self.connections, older_than, limit),
        )
        .await
    }

    async fn import(&self, session: ImportedSession) -> Result<SessionRecord, StoreError> {
        let session = encode_import(session)?;
        import::import(&self.connections, &session, self.call_deadline).await
    }
}

/// See [`SessionArchive::create`].
async fn create(
    connections: &Connections,
    (session_id, user_id, metadata): (SessionId, Option<String>, String),
) -> Result<SessionRecord, StoreError> {
    let query = sqlx::query(concat!(
        "insert into patter.sessions (session_id, user_id, metadata, log_epoch, fence)
         values ($1, $2, $3::text::jsonb, $4, $5)
         on conflict (session_id) do nothing
         returning ",
        session_columns!()
    ))
    .bind(session_id.as_str())
    .bind(user_id)
    .bind(metadata)
    .bind(LogEpoch::generate().as_uuid())
    .bind(first_fence());
    match connections.fetch(query).await?.first() {
        Some(row) => record(row),
        None => Err(StoreError::Exists { session_id }),
    }
}

/// See [`SessionArchive::delete`]. The events go with the row.
async fn delete(connections: &Connections, session_id: &SessionId) -> Result<bool, StoreError> {
    let query = sqlx::query(
        "delete from patter.sessions
         where session_id = $1 and (lease_until is null or lease_until <= clock_timestamp())
         returning 1",
    )
    .bind(session_id.as_str());
    let mut transaction = connections.begin().await?;
    transaction.fetch(sqlx::query(DELETE_TIMEOUT)).await?;
    let deleted = transaction.fetch(query).await?;
    transaction.commit().await?;
    if !deleted.is_empty() {
        return Ok(true);
    }
    match lease::left(connections, session_id).await? {
        None => Ok(false),
        Some(free_in) => Err(StoreError::Owned {
            session_id: session_id.clone(),
            free_in,
        }),
    }
}

fn record(row: &PgRow) -> Result<SessionRecord, StoreError> {
    SessionRow::from_row(row).map_err(from_sqlx)?.decode()
}

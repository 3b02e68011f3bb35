//! Merging into a session's metadata, on PostgreSQL.

use patter_protocol::{JsonObject, SessionId};
use sqlx::Row;

use super::record;
use crate::archive::merge::merged;
use crate::encode::session_columns;
use crate::error::StoreError;
use crate::postgres::connections::Connections;
use crate::postgres::error::from_sqlx;
use crate::record::SessionRecord;

/// See [`SessionArchive::merge_metadata`](crate::SessionArchive::merge_metadata). Writes only where
/// nobody has written since it was read, and tries again where somebody has: each time one of those
/// who try gets through, and no lock is held over a round trip.
pub(super) async fn merge(
    connections: &Connections,
    session_id: &SessionId,
    patch: &JsonObject,
) -> Result<Option<SessionRecord>, StoreError> {
    loop {
        let reading =
            sqlx::query("select metadata::text from patter.sessions where session_id = $1")
                .bind(session_id.as_str());
        let rows = connections.fetch(reading).await?;
        let Some(row) = rows.first() else {
            return Ok(None);
        };
        let old: &str = row.try_get(0).map_err(from_sqlx)?;
        let metadata = serde_json::from_str(old)
            .map_err(|error| StoreError::Corrupt(format!("a session's metadata: {error}")))?;
        let new = merged(metadata, patch.clone())?;
        let writing = sqlx::query(concat!(
            "update patter.sessions set metadata = $3::text::jsonb
             where session_id = $1 and metadata = $2::text::jsonb
             returning ",
            session_columns!()
        ))
        .bind(session_id.as_str())
        .bind(old)
        .bind(new);
        if let Some(row) = connections.fetch(writing).await?.first() {
            return record(row).map(Some);
        }
    }
}

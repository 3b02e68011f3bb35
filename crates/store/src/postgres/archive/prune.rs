//! Deleting what is old, on PostgreSQL.

use patter_protocol::{SessionId, Timestamp};
use sqlx::Row;

use super::DELETE_TIMEOUT;
use crate::archive::PRUNED_EVENTS;
use crate::error::StoreError;
use crate::postgres::connections::Connections;
use crate::postgres::error::from_sqlx;

/// See [`SessionArchive::prune`](crate::SessionArchive::prune). What somebody else has locked is passed
/// over: another pruner deletes it, or somebody opens it. (The last step names them in an array: for a join
/// the planner, which takes the limit for a large number, would read the whole table.)
pub(super) async fn prune(
    connections: &Connections,
    older_than: Timestamp,
    limit: u32,
) -> Result<Vec<SessionId>, StoreError> {
    let query = sqlx::query(
        "with ended as (
             select session_id, last_seq, end_time from patter.sessions
             where not is_active and end_time < $1
               and (lease_until is null or lease_until < now())
             order by end_time
             limit $2
             for update skip locked
         ),
         few as (
             select session_id,
                 sum(last_seq) over (order by end_time, session_id) - last_seq as events_before
             from ended
         ),
         never_opened as (
             select session_id from patter.sessions
             where is_active and last_seq = 0 and finalize_after is null and lease_until is null
               and created_at < $1
             limit $2 - (select count(*) from ended)
             for update skip locked
         ),
         old as (
             select session_id from few where events_before < $3
             union all
             select session_id from never_opened
         )
         delete from patter.sessions
         where session_id = any (array(select session_id from old))
         returning session_id",
    )
    .bind(older_than.as_datetime())
    .bind(i64::from(limit))
    .bind(i64::from(PRUNED_EVENTS));
    let mut transaction = connections.begin().await?;
    transaction.fetch(sqlx::query(DELETE_TIMEOUT)).await?;
    let rows = transaction.fetch(query).await?;
    transaction.commit().await?;
    rows.iter()
        .map(|row| {
            let session_id: String = row.try_get(0).map_err(from_sqlx)?;
            SessionId::try_from(session_id).map_err(|error| StoreError::Corrupt(error.to_string()))
        })
        .collect()
}

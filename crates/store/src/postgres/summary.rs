//! Summaries that are missing, on PostgreSQL.

use sqlx::{FromRow, Row};

use super::connections::Connections;
use super::error::from_sqlx;
use super::lease::millis;
use crate::encode::{SessionRow, session_columns};
use crate::error::StoreError;
use crate::record::{Fence, SummaryJob, SummaryTries};

/// See [`SessionStore::take_summaries`](crate::SessionStore::take_summaries).
pub(super) async fn take(
    connections: &Connections,
    limit: u32,
    tries: SummaryTries,
) -> Result<Vec<SummaryJob>, StoreError> {
    // Whoever had an earlier try, or claimed the session and was lost, must not write to it any more.
    let query = sqlx::query(concat!(
        "with due as (
             select session_id as due_id
             from patter.sessions
             where summary_due_at < now() and summary_tries < $2 and not is_active
               and (lease_until is null or lease_until < now())
             order by summary_due_at
             limit $1
             for no key update skip locked
         )
         update patter.sessions
         set summary_tries = summary_tries + 1,
             summary_due_at = case when summary_tries + 1 < $2
                 then clock_timestamp() + $3::bigint * interval '1 ms' end,
             fence = fence + 1, lease_owner = null, lease_until = null
         from due where session_id = due_id
         returning ",
        session_columns!(),
        ", fence, summary_tries"
    ))
    .bind(i64::from(limit))
    .bind(i64::from(tries.max))
    .bind(millis(tries.retry_in));
    let rows = connections.fetch(query).await?;
    rows.iter()
        .map(|row| {
            let attempt: i32 = row.try_get("summary_tries").map_err(from_sqlx)?;
            let attempt = u32::try_from(attempt)
                .map_err(|_| StoreError::Corrupt(format!("{attempt} tries of a summary")))?;
            Ok(SummaryJob {
                record: SessionRow::from_row(row).map_err(from_sqlx)?.decode()?,
                fence: Fence(row.try_get("fence").map_err(from_sqlx)?),
                attempt,
                is_last: attempt >= tries.max,
            })
        })
        .collect()
}

/// See [`SessionStore::fail_summary`](crate::SessionStore::fail_summary).
pub(super) async fn fail(
    connections: &Connections,
    job: &SummaryJob,
    why: &str,
) -> Result<(), StoreError> {
    let query = sqlx::query(
        "update patter.sessions set summary_error = $3
         where session_id = $1 and fence = $2 and not is_active and summary is null",
    )
    .bind(job.record.session_id.as_str())
    .bind(job.fence.0)
    .bind(why);
    connections.fetch(query).await.map(drop)
}

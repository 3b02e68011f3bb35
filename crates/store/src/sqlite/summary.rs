//! Summaries that are missing, on SQLite.

use sqlx::{FromRow, Row, SqlitePool};

use super::clock::Moment;
use super::error::from_sqlx;
use super::write::BEGIN;
use crate::encode::{SessionRow, session_columns};
use crate::error::StoreError;
use crate::record::{Fence, SummaryJob, SummaryTries};

/// See [`SessionStore::take_summaries`](crate::SessionStore::take_summaries).
pub(super) async fn take(
    pool: &SqlitePool,
    limit: u32,
    tries: SummaryTries,
) -> Result<Vec<SummaryJob>, StoreError> {
    let mut transaction = pool.begin_with(BEGIN).await.map_err(from_sqlx)?;
    let now = Moment::now();
    // Whoever had an earlier try, or claimed the session and was lost, must not write to it any more.
    let rows = sqlx::query(concat!(
        "update sessions
         set summary_tries = summary_tries + 1,
             summary_due_at = case when summary_tries + 1 < $2 then $3 end,
             fence = fence + 1, lease_owner = null, lease_until = null
         where session_id in (
             select session_id from sessions
             where summary_due_at < $1 and summary_tries < $2 and is_active = 0
               and (lease_until is null or lease_until < $1)
             order by summary_due_at limit $4)
         returning ",
        session_columns!(),
        ", fence, summary_tries"
    ))
    .bind(now.text())
    .bind(i64::from(tries.max))
    .bind(now.after(tries.retry_in).text())
    .bind(i64::from(limit))
    .fetch_all(&mut *transaction)
    .await
    .map_err(from_sqlx)?;
    let mut jobs = Vec::with_capacity(rows.len());
    for row in &rows {
        let attempt: u32 = row.try_get("summary_tries").map_err(from_sqlx)?;
        jobs.push(SummaryJob {
            record: SessionRow::from_row(row).map_err(from_sqlx)?.decode()?,
            fence: Fence(row.try_get("fence").map_err(from_sqlx)?),
            attempt,
            is_last: attempt >= tries.max,
        });
    }
    transaction.commit().await.map_err(from_sqlx)?;
    Ok(jobs)
}

/// See [`SessionStore::fail_summary`](crate::SessionStore::fail_summary).
pub(super) async fn fail(pool: &SqlitePool, job: &SummaryJob, why: &str) -> Result<(), StoreError> {
    sqlx::query(
        "update sessions set summary_error = $3
         where session_id = $1 and fence = $2 and is_active = 0 and summary is null",
    )
    .bind(job.record.session_id.as_str())
    .bind(job.fence.0)
    .bind(why)
    .execute(pool)
    .await
    .map_err(from_sqlx)?;
    Ok(())
}

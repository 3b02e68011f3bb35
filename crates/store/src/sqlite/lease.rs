//! Who runs which session, on SQLite.

use patter_protocol::{LogEpoch, SessionId};
use sqlx::sqlite::SqliteRow;
use sqlx::{FromRow, Row, SqlitePool};

use super::clock::Moment;
use super::error::from_sqlx;
use super::write::BEGIN;
use crate::encode::{SessionRow, first_fence, or_left_out, session_columns};
use crate::error::StoreError;
use crate::record::{Claimed, Fence, Lease, Owner, Renewal, Swept};

/// See [`SessionStore::claim`](crate::SessionStore::claim).
pub(super) async fn claim(
    pool: &SqlitePool,
    (session_id, user_id, metadata): (SessionId, Option<String>, String),
    owner: &Owner,
) -> Result<Claimed, StoreError> {
    let mut transaction = pool.begin_with(BEGIN).await.map_err(from_sqlx)?;
    let now = Moment::now();
    let until = now.after(owner.lease);
    let first = first_fence();
    let row = sqlx::query(concat!(
        "insert into sessions
             (session_id, user_id, metadata, log_epoch, lease_owner, lease_until, finalize_after,
              fence)
         values ($1, $2, $3, $4, $5, $6, $7, $9)
         on conflict (session_id) do update
             set fence = fence + 1, lease_owner = excluded.lease_owner,
                 lease_until = excluded.lease_until, finalize_after = excluded.finalize_after
             where lease_owner = excluded.lease_owner or lease_until is null or lease_until <= $8
         returning ",
        session_columns!(),
        ", fence"
    ))
    .bind(session_id.as_str())
    .bind(user_id)
    .bind(metadata)
    .bind(LogEpoch::generate().as_uuid())
    .bind(owner.id.as_str())
    .bind(until.text())
    .bind(until.after(owner.linger).text())
    .bind(now.text())
    .bind(first)
    .fetch_optional(&mut *transaction)
    .await
    .map_err(from_sqlx)?;
    let Some(row) = row else {
        let until: String =
            sqlx::query_scalar("select lease_until from sessions where session_id = $1")
                .bind(session_id.as_str())
                .fetch_one(&mut *transaction)
                .await
                .map_err(from_sqlx)?;
        let free_in = now.until(&until)?;
        return Err(StoreError::Owned {
            session_id,
            free_in,
        });
    };
    transaction.commit().await.map_err(from_sqlx)?;
    claimed(&row, Some(first))
}

/// See [`SessionStore::renew`](crate::SessionStore::renew). One transaction for all.
pub(super) async fn renew(
    pool: &SqlitePool,
    owner: &Owner,
    leases: &[Lease],
) -> Result<Renewal, StoreError> {
    let mut transaction = pool.begin_with(BEGIN).await.map_err(from_sqlx)?;
    let until = Moment::now().after(owner.lease);
    let (finalize_after, until) = (until.after(owner.linger).text(), until.text());
    let mut renewal = Renewal::default();
    for lease in leases {
        let done = sqlx::query(
            "update sessions set lease_until = $4, finalize_after = $5
             where session_id = $1 and fence = $2 and lease_owner = $3",
        )
        .bind(lease.session_id.as_str())
        .bind(lease.fence.0)
        .bind(owner.id.as_str())
        .bind(until.as_str())
        .bind(finalize_after.as_str())
        .execute(&mut *transaction)
        .await
        .map_err(from_sqlx)?;
        if done.rows_affected() == 0 {
            renewal.lost.push(lease.session_id.clone());
        }
    }
    transaction.commit().await.map_err(from_sqlx)?;
    Ok(renewal)
}

/// See [`SessionStore::release`](crate::SessionStore::release).
pub(super) async fn release(
    pool: &SqlitePool,
    owner: &Owner,
    lease: &Lease,
) -> Result<(), StoreError> {
    let mut transaction = pool.begin_with(BEGIN).await.map_err(from_sqlx)?;
    sqlx::query(
        "update sessions set lease_owner = null, lease_until = null, finalize_after = $4
         where session_id = $1 and fence = $2 and lease_owner = $3",
    )
    .bind(lease.session_id.as_str())
    .bind(lease.fence.0)
    .bind(owner.id.as_str())
    .bind(Moment::now().after(owner.linger).text())
    .execute(&mut *transaction)
    .await
    .map_err(from_sqlx)?;
    transaction.commit().await.map_err(from_sqlx)
}

/// See [`SessionStore::sweep`](crate::SessionStore::sweep).
pub(super) async fn sweep(
    pool: &SqlitePool,
    owner: &Owner,
    limit: u32,
) -> Result<Vec<Swept>, StoreError> {
    let mut transaction = pool.begin_with(BEGIN).await.map_err(from_sqlx)?;
    let now = Moment::now();
    let until = now.after(owner.lease);
    let lost: Vec<(String, bool)> = sqlx::query_as(
        "select session_id, lease_owner is null from sessions
         where is_active = 1 and finalize_after < $1 and (lease_until is null or lease_until < $1)
         order by finalize_after limit $2",
    )
    .bind(now.text())
    .bind(i64::from(limit))
    .fetch_all(&mut *transaction)
    .await
    .map_err(from_sqlx)?;
    let mut swept = Vec::with_capacity(lost.len());
    for (session_id, was_released) in lost {
        let row = sqlx::query(concat!(
            "update sessions
             set fence = fence + 1, lease_owner = $2, lease_until = $3, finalize_after = $4
             where session_id = $1
             returning ",
            session_columns!(),
            ", fence"
        ))
        .bind(session_id)
        .bind(owner.id.as_str())
        .bind(until.text())
        .bind(until.after(owner.linger).text())
        .fetch_one(&mut *transaction)
        .await
        .map_err(from_sqlx)?;
        swept.extend(or_left_out(claimed(&row, None)).map(|claimed| Swept {
            claimed,
            was_released,
        }));
    }
    transaction.commit().await.map_err(from_sqlx)?;
    Ok(swept)
}

/// Ends all leases, because nobody who has one is alive. Their sessions count as lost, not as
/// given back, and clients may still come back to them for as long as they could have.
pub(super) async fn end_all(pool: &SqlitePool) -> Result<(), StoreError> {
    sqlx::query("update sessions set lease_until = null where lease_until is not null")
        .execute(pool)
        .await
        .map_err(from_sqlx)?;
    Ok(())
}

/// `first` is the fence that the row would have been made with.
fn claimed(row: &SqliteRow, first: Option<i64>) -> Result<Claimed, StoreError> {
    let fence = row.try_get("fence").map_err(from_sqlx)?;
    Ok(Claimed {
        record: SessionRow::from_row(row).map_err(from_sqlx)?.decode()?,
        fence: Fence(fence),
        // Each claim but the one that makes the row raises the fence that is there.
        created: first == Some(fence),
    })
}

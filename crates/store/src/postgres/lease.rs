//! Who runs which session, on PostgreSQL.
//!
//! Times are those of the server. `clock_timestamp()` goes on while a statement waits for a row,
//! `now()` does not: the latter is for what does not wait.

use std::collections::HashSet;
use std::time::Duration;

use patter_protocol::{LogEpoch, SessionId};
use sqlx::postgres::PgRow;
use sqlx::{FromRow, Row};

use super::connections::Connections;
use super::error::from_sqlx;
use crate::encode::{SessionRow, session_columns};
use crate::error::StoreError;
use crate::record::{Claimed, Fence, Lease, Owner, Swept};

/// So many leases are renewed by one statement.
const RENEWED_AT_ONCE: usize = 1_000;
/// No time that is added to the server's clock is longer: 100 years.
const MAX_MILLIS: i64 = 100 * 365 * 24 * 60 * 60 * 1_000;

/// See [`SessionStore::claim`](crate::SessionStore::claim).
pub(super) async fn claim(
    connections: &Connections,
    (session_id, user_id, metadata): (SessionId, Option<String>, String),
    owner: &Owner,
) -> Result<Claimed, StoreError> {
    let claiming = sqlx::query(concat!(
        "insert into patter.sessions as s
             (session_id, user_id, metadata, log_epoch, lease_owner, lease_until, finalize_after)
         values ($1, $2, $3::text::jsonb, $4, $5,
                 clock_timestamp() + $6::bigint * interval '1 ms',
                 clock_timestamp() + ($6::bigint + $7::bigint) * interval '1 ms')
         on conflict (session_id) do update
             set fence = s.fence + 1, lease_owner = excluded.lease_owner,
                 lease_until = clock_timestamp() + $6::bigint * interval '1 ms',
                 finalize_after = clock_timestamp() + ($6::bigint + $7::bigint) * interval '1 ms'
             where s.lease_owner = excluded.lease_owner
                or s.lease_until is null or s.lease_until <= clock_timestamp()
         returning ",
        session_columns!(),
        ", fence"
    ))
    .bind(session_id.as_str())
    .bind(user_id)
    .bind(metadata)
    .bind(LogEpoch::generate().as_uuid())
    .bind(owner.id.as_str())
    .bind(millis(owner.lease))
    .bind(millis(owner.linger));
    if let Some(row) = connections.fetch(claiming).await?.first() {
        return claimed(row);
    }
    let asking = sqlx::query(
        "select ceil(extract(epoch from lease_until - clock_timestamp()) * 1000)::bigint
         from patter.sessions where session_id = $1",
    )
    .bind(session_id.as_str());
    // It may have been let go of, or be gone, since.
    let left_ms: Option<i64> = match connections.fetch(asking).await?.first() {
        Some(row) => row.try_get(0).map_err(from_sqlx)?,
        None => None,
    };
    let left_ms = left_ms.and_then(|left| u64::try_from(left).ok());
    Err(StoreError::Owned {
        session_id,
        free_in: Duration::from_millis(left_ms.unwrap_or(0)),
    })
}

/// See [`SessionStore::renew`](crate::SessionStore::renew). Locks rows in the order in which
/// `patter.append_events` does, so that the two never wait for each other.
pub(super) async fn renew(
    connections: &Connections,
    owner: &Owner,
    leases: &[Lease],
) -> Result<Vec<SessionId>, StoreError> {
    let mut leases: Vec<_> = leases.iter().collect();
    leases.sort_by(|a, b| a.session_id.as_str().cmp(b.session_id.as_str()));
    let mut lost = Vec::new();
    for chunk in leases.chunks(RENEWED_AT_ONCE) {
        let ids: Vec<&str> = chunk
            .iter()
            .map(|lease| lease.session_id.as_str())
            .collect();
        let fences: Vec<i64> = chunk.iter().map(|lease| lease.fence.0).collect();
        let query = sqlx::query(
            "with mine as (
                 select s.session_id
                 from patter.sessions s
                     join unnest($1::text[], $2::bigint[]) as l (session_id, fence)
                     on s.session_id = l.session_id and s.fence = l.fence
                 where s.lease_owner = $3
                 order by s.session_id
                 for no key update of s
             )
             update patter.sessions s
             set lease_until = clock_timestamp() + $4::bigint * interval '1 ms',
                 finalize_after = clock_timestamp() + ($4::bigint + $5::bigint) * interval '1 ms'
             from mine where s.session_id = mine.session_id
             returning s.session_id",
        )
        .bind(ids)
        .bind(fences)
        .bind(owner.id.as_str())
        .bind(millis(owner.lease))
        .bind(millis(owner.linger));
        let rows = connections.fetch(query).await?;
        let renewed: Result<HashSet<&str>, _> = rows.iter().map(|row| row.try_get(0)).collect();
        let renewed = renewed.map_err(from_sqlx)?;
        lost.extend(
            chunk
                .iter()
                .filter(|lease| !renewed.contains(lease.session_id.as_str()))
                .map(|lease| lease.session_id.clone()),
        );
    }
    Ok(lost)
}

/// See [`SessionStore::release`](crate::SessionStore::release).
pub(super) async fn release(
    connections: &Connections,
    owner: &Owner,
    lease: &Lease,
) -> Result<(), StoreError> {
    let query = sqlx::query(
        "update patter.sessions
         set lease_owner = null, lease_until = null,
             finalize_after = clock_timestamp() + $4::bigint * interval '1 ms'
         where session_id = $1 and fence = $2 and lease_owner = $3",
    )
    .bind(lease.session_id.as_str())
    .bind(lease.fence.0)
    .bind(owner.id.as_str())
    .bind(millis(owner.linger));
    connections.fetch(query).await.map(drop)
}

/// See [`SessionStore::sweep`](crate::SessionStore::sweep).
pub(super) async fn sweep(
    connections: &Connections,
    owner: &Owner,
    limit: u32,
) -> Result<Vec<Swept>, StoreError> {
    let query = sqlx::query(concat!(
        "with left_over as (
             select session_id as left_id, lease_owner is null as was_released
             from patter.sessions
             where is_active and finalize_after < now()
               and (lease_until is null or lease_until < now())
             order by finalize_after
             limit $1
             for no key update skip locked
         )
         update patter.sessions
         set fence = fence + 1, lease_owner = $2,
             lease_until = clock_timestamp() + $3::bigint * interval '1 ms',
             finalize_after = clock_timestamp() + ($3::bigint + $4::bigint) * interval '1 ms'
         from left_over where session_id = left_id
         returning ",
        session_columns!(),
        ", fence, was_released"
    ))
    .bind(i64::from(limit))
    .bind(owner.id.as_str())
    .bind(millis(owner.lease))
    .bind(millis(owner.linger));
    connections
        .fetch(query)
        .await?
        .iter()
        .map(|row| {
            Ok(Swept {
                claimed: claimed(row)?,
                was_released: row.try_get("was_released").map_err(from_sqlx)?,
            })
        })
        .collect()
}

/// For a `bigint` of milliseconds.
pub(super) fn millis(time: Duration) -> i64 {
    i64::try_from(time.as_millis()).map_or(MAX_MILLIS, |millis| millis.min(MAX_MILLIS))
}

fn claimed(row: &PgRow) -> Result<Claimed, StoreError> {
    let fence = row.try_get("fence").map_err(from_sqlx)?;
    Ok(Claimed {
        record: SessionRow::from_row(row).map_err(from_sqlx)?.decode()?,
        fence: Fence(fence),
        // Each claim but the one that makes the row raises the fence.
        created: fence == 1,
    })
}

//! Who runs which session, on PostgreSQL.
//!
//! Times are those of the server. `clock_timestamp()` goes on while a statement waits for a row,
//! `now()` does not: the latter is for what does not wait.

use std::time::Duration;

use patter_protocol::{LogEpoch, SessionId};
use sqlx::postgres::PgRow;
use sqlx::{FromRow, Row};
use tokio::time::{sleep, timeout};
use tracing::debug;

use super::connections::Connections;
use super::error::from_sqlx;
use crate::encode::{SessionRow, first_fence, or_left_out, session_columns};
use crate::error::StoreError;
use crate::record::{Claimed, Fence, Lease, Owner, Renewal, Swept};

/// So many leases are renewed by one statement.
const RENEWED_AT_ONCE: usize = 1_000;
/// The pauses before what is locked is tried again. Whoever appends has a row locked for some milliseconds.
const RENEWAL_PAUSES: [Duration; 3] = [
    Duration::from_millis(20),
    Duration::from_millis(80),
    Duration::from_millis(320),
];
/// No time that is added to the server's clock is longer: 100 years.
const MAX_MILLIS: i64 = 100 * 365 * 24 * 60 * 60 * 1_000;

/// See [`SessionStore::claim`](crate::SessionStore::claim).
pub(super) async fn claim(
    connections: &Connections,
    (session_id, user_id, metadata): (SessionId, Option<String>, String),
    owner: &Owner,
) -> Result<Claimed, StoreError> {
    let first = first_fence();
    let claiming = sqlx::query(concat!(
        "insert into patter.sessions as s
             (session_id, user_id, metadata, log_epoch, lease_owner, lease_until, finalize_after,
              fence)
         values ($1, $2, $3::text::jsonb, $4, $5,
                 clock_timestamp() + $6::bigint * interval '1 ms',
                 clock_timestamp() + ($6::bigint + $7::bigint) * interval '1 ms', $8)
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
    .bind(millis(owner.linger))
    .bind(first);
    if let Some(row) = connections.fetch(claiming).await?.first() {
        return claimed(row, Some(first));
    }
    // It may have been let go of, or be gone, since.
    let free_in = left(connections, &session_id).await?.unwrap_or_default();
    Err(StoreError::Owned {
        session_id,
        free_in,
    })
}

/// What is left of a session's lease; `None` if there is no such session.
pub(super) async fn left(
    connections: &Connections,
    session_id: &SessionId,
) -> Result<Option<Duration>, StoreError> {
    let query = sqlx::query(
        "select ceil(extract(epoch from lease_until - clock_timestamp()) * 1000)::bigint
         from patter.sessions where session_id = $1",
    )
    .bind(session_id.as_str());
    let rows = connections.fetch(query).await?;
    let Some(row) = rows.first() else {
        return Ok(None);
    };
    let left_ms: Option<i64> = row.try_get(0).map_err(from_sqlx)?;
    let left_ms = left_ms.and_then(|left| u64::try_from(left).ok());
    Ok(Some(Duration::from_millis(left_ms.unwrap_or(0))))
}

/// See [`SessionStore::renew`](crate::SessionStore::renew). Waits for nobody's lock: so one session
/// that somebody else holds on to costs no other one its lease, and neither does what goes wrong while
/// it is tried again.
pub(super) async fn renew(
    connections: &Connections,
    owner: &Owner,
    leases: &[Lease],
) -> Result<Renewal, StoreError> {
    let mut lost = Vec::new();
    let all: Vec<&Lease> = leases.iter().collect();
    let mut busy = renew_free(connections, owner, &all, &mut lost).await?;
    let again = async {
        for pause in RENEWAL_PAUSES {
            if busy.is_empty() {
                break;
            }
            sleep(pause).await;
            busy = renew_free(connections, owner, &busy, &mut lost).await?;
        }
        Ok::<(), StoreError>(())
    };
    match timeout(owner.lease / 6, again).await {
        Ok(Ok(())) => {}
        Ok(Err(error)) => debug!(%error, "cannot renew now what was locked"),
        Err(elapsed) => debug!(error = %elapsed, "cannot renew in time what was locked"),
    }
    let busy = busy.iter().map(|lease| lease.session_id.clone()).collect();
    Ok(Renewal { lost, busy })
}

/// Renews what nobody has locked. Gives the rest of what is the owner's; adds what is not to `lost`.
async fn renew_free<'a>(
    connections: &Connections,
    owner: &Owner,
    leases: &[&'a Lease],
    lost: &mut Vec<SessionId>,
) -> Result<Vec<&'a Lease>, StoreError> {
    let mut busy = Vec::new();
    for chunk in leases.chunks(RENEWED_AT_ONCE) {
        for (lease, is_own) in not_renewed(connections, owner, chunk).await? {
            if is_own {
                busy.push(lease);
            } else {
                lost.push(lease.session_id.clone());
            }
        }
    }
    Ok(busy)
}

/// Renews what nobody has locked, and gives the others, with whether they are still the owner's.
async fn not_renewed<'a>(
    connections: &Connections,
    owner: &Owner,
    leases: &[&'a Lease],
) -> Result<Vec<(&'a Lease, bool)>, StoreError> {
    let ids = leases.iter().map(|lease| lease.session_id.as_str());
    let fences = leases.iter().map(|lease| lease.fence.0);
    let query = sqlx::query(
        "with asked as (
             select session_id, fence, number
             from unnest($1::text[], $2::bigint[]) with ordinality as l (session_id, fence, number)
         ),
         free as (
             select s.session_id, a.number
             from patter.sessions s
                 join asked a on s.session_id = a.session_id and s.fence = a.fence
             where s.lease_owner = $3
             for no key update of s skip locked
         ),
         renewed as (
             update patter.sessions s
             set lease_until = clock_timestamp() + $4::bigint * interval '1 ms',
                 finalize_after = clock_timestamp() + ($4::bigint + $5::bigint) * interval '1 ms'
             from free where s.session_id = free.session_id
             returning free.number
         )
         select number - 1, exists (
             select from patter.sessions s
             where s.session_id = asked.session_id and s.fence = asked.fence
               and s.lease_owner = $3)
         from asked where number not in (select number from renewed)",
    )
    .bind(ids.collect::<Vec<_>>())
    .bind(fences.collect::<Vec<_>>())
    .bind(owner.id.as_str())
    .bind(millis(owner.lease))
    .bind(millis(owner.linger));
    let rows = connections.fetch(query).await?;
    let lease = |row: &PgRow| {
        let number: i64 = row.try_get(0).map_err(from_sqlx)?;
        let lease = usize::try_from(number).ok().and_then(|at| leases.get(at));
        let lease = lease.ok_or_else(|| StoreError::Corrupt(format!("a lease number {number}")))?;
        Ok((*lease, row.try_get(1).map_err(from_sqlx)?))
    };
    rows.iter().map(lease).collect()
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
    let swept = |row: &PgRow| {
        Ok(Swept {
            claimed: claimed(row, None)?,
            was_released: row.try_get("was_released").map_err(from_sqlx)?,
        })
    };
    let rows = connections.fetch(query).await?;
    Ok(rows
        .iter()
        .filter_map(|row| or_left_out(swept(row)))
        .collect())
}

/// For a `bigint` of milliseconds.
pub(super) fn millis(time: Duration) -> i64 {
    i64::try_from(time.as_millis()).map_or(MAX_MILLIS, |millis| millis.min(MAX_MILLIS))
}

/// `first` is the fence that the row would have been made with.
fn claimed(row: &PgRow, first: Option<i64>) -> Result<Claimed, StoreError> {
    let fence = row.try_get("fence").map_err(from_sqlx)?;
    Ok(Claimed {
        record: SessionRow::from_row(row).map_err(from_sqlx)?.decode()?,
        fence: Fence(fence),
        // Each claim but the one that makes the row raises the fence that is there.
        created: first == Some(fence),
    })
}

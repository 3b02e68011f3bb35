//! What is written to PostgreSQL, each in one statement: it is done whole or not at all.

use patter_protocol::{LogEpoch, SessionId};
use sqlx::{FromRow, Row};

use super::connections::Connections;
use super::error::from_sqlx;
use crate::append::Answer;
use crate::encode::{EncodedAppend, SessionRow};
use crate::error::StoreError;
use crate::record::{Appended, Claimed, Fence};

/// See [`SessionStore::claim`](crate::SessionStore::claim).
pub(super) async fn claim(
    connections: &Connections,
    (session_id, user_id, metadata): (SessionId, Option<String>, String),
    owner: &str,
) -> Result<Claimed, StoreError> {
    let mut connection = connections.lend().await?;
    let row = sqlx::query(
        "insert into patter.sessions as s (session_id, user_id, metadata, log_epoch, lease_owner)
         values ($1, $2, $3::text::jsonb, $4, $5)
         on conflict (session_id) do update
             set fence = s.fence + 1, lease_owner = excluded.lease_owner
         returning session_id, user_id, start_time, end_time, is_active, summary, metadata::text,
                   created_at, updated_at, last_seq, log_epoch, fence",
    )
    .bind(session_id.as_str())
    .bind(user_id)
    .bind(metadata)
    .bind(LogEpoch::generate().as_uuid())
    .bind(owner)
    .fetch_one(&mut *connection)
    .await
    .map_err(from_sqlx)?;
    let fence = row.try_get("fence").map_err(from_sqlx)?;
    let record = SessionRow::from_row(&row).map_err(from_sqlx)?.decode()?;
    // Each claim but the one that makes the row raises the fence.
    Ok(Claimed {
        record,
        fence: Fence(fence),
        created: fence == 1,
    })
}

/// Writes a batch by the function `patter.append_events`; see its migration.
pub(super) async fn append(
    connections: &Connections,
    entries: &[EncodedAppend],
) -> Result<Vec<Answer>, StoreError> {
    let counts: Result<Vec<i32>, _> = entries
        .iter()
        .map(|entry| i32::try_from(entry.events.len()))
        .collect();
    let counts = counts.map_err(|error| StoreError::Rejected(error.into()))?;
    let sessions: Vec<&str> = entries
        .iter()
        .map(|entry| entry.session_id.as_str())
        .collect();
    let fences: Vec<i64> = entries.iter().map(|entry| entry.fence.0).collect();
    let events: Vec<_> = entries.iter().flat_map(|entry| &entry.events).collect();
    let mut connection = connections.lend().await?;
    let rows: Vec<(i32, String, Option<i64>)> = sqlx::query_as(
        "select entry_number, outcome, place
         from patter.append_events($1, $2, $3, $4, $5, $6, $7, $8, $9)",
    )
    .bind(sessions)
    .bind(fences)
    .bind(counts)
    .bind(
        events
            .iter()
            .map(|event| event.event_id)
            .collect::<Vec<_>>(),
    )
    .bind(
        events
            .iter()
            .map(|event| event.event_type)
            .collect::<Vec<_>>(),
    )
    .bind(
        events
            .iter()
            .map(|event| event.content.as_str())
            .collect::<Vec<_>>(),
    )
    .bind(
        events
            .iter()
            .map(|event| event.metadata.as_str())
            .collect::<Vec<_>>(),
    )
    .bind(
        events
            .iter()
            .map(|event| event.private.as_deref())
            .collect::<Vec<_>>(),
    )
    .bind(events.iter().map(|event| event.at).collect::<Vec<_>>())
    .fetch_all(&mut *connection)
    .await
    .map_err(from_sqlx)?;
    answers(entries, rows)
}

/// Sorts the rows that the function gave to the entries they are about.
fn answers(
    entries: &[EncodedAppend],
    rows: Vec<(i32, String, Option<i64>)>,
) -> Result<Vec<Answer>, StoreError> {
    let mut answers: Vec<Answer> = entries
        .iter()
        .map(|entry| Ok(Vec::with_capacity(entry.events.len())))
        .collect();
    for (number, outcome, place) in rows {
        let index = usize::try_from(number)
            .ok()
            .and_then(|number| number.checked_sub(1));
        let place = place.and_then(|place| u64::try_from(place).ok());
        let Some((entry, answer)) =
            index.and_then(|index| entries.get(index).zip(answers.get_mut(index)))
        else {
            return Err(StoreError::Corrupt(format!(
                "an answer about entry {number}"
            )));
        };
        match (outcome.as_str(), place, answer) {
            ("stored", Some(seq), Ok(appended)) => appended.push(Appended::Stored { seq }),
            ("duplicate", Some(seq), Ok(appended)) => appended.push(Appended::Duplicate { seq }),
            ("fenced", _, answer) => {
                let session_id = entry.session_id.clone();
                *answer = Err(StoreError::Fenced { session_id });
            }
            ("no_such_session", _, answer) => {
                let session_id = entry.session_id.clone();
                *answer = Err(StoreError::NoSuchSession { session_id });
            }
            (other, ..) => {
                return Err(StoreError::Corrupt(format!(
                    "an answer `{other}` to an append"
                )));
            }
        }
    }
    Ok(answers)
}

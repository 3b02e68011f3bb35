//! What is appended to the logs in SQLite, all of a batch in one transaction that takes the write lock at its start.

use patter_protocol::Timestamp;
use sqlx::{Connection, SqliteConnection, SqlitePool};

use super::batch;
use super::clock::Moment;
use super::error::from_sqlx;
use crate::append::Answer;
use crate::encode::{EncodedAppend, EncodedEvent};
use crate::error::StoreError;
use crate::record::{Appended, Fence};

/// Takes the write lock at once: a transaction that reads first and writes later could find that
/// another process has written in between, and fail.
pub(super) const BEGIN: &str = "begin immediate";

/// Writes a batch: all of it by a few statements, or where that cannot be, event by event.
pub(super) async fn append(
    pool: &SqlitePool,
    entries: &[EncodedAppend],
) -> Result<Vec<Answer>, StoreError> {
    // Kept for both: whoever waits for the writer comes after.
    let mut connection = pool.acquire().await.map_err(from_sqlx)?;
    let mut transaction = connection.begin_with(BEGIN).await.map_err(from_sqlx)?;
    if let Some(answers) = batch::append(&mut transaction, entries).await? {
        transaction.commit().await.map_err(from_sqlx)?;
        return Ok(answers);
    }
    // Taken back, and not to a savepoint: SQLite would copy every page aside before it changes it, and few batches
    // come here.
    transaction.rollback().await.map_err(from_sqlx)?;
    let mut transaction = connection.begin_with(BEGIN).await.map_err(from_sqlx)?;
    let mut answers = Vec::with_capacity(entries.len());
    for entry in entries {
        answers.push(append_entry(&mut transaction, entry).await?);
    }
    transaction.commit().await.map_err(from_sqlx)?;
    Ok(answers)
}

/// See [`SessionStore::check`](crate::SessionStore::check). Takes the write lock and gives it back.
pub(super) async fn check(pool: &SqlitePool) -> Result<(), StoreError> {
    let transaction = pool.begin_with(BEGIN).await.map_err(from_sqlx)?;
    transaction.rollback().await.map_err(from_sqlx)
}

/// Writes one entry. The outer error is one that ends the transaction, the inner one is about
/// this entry alone, and then nothing of it is written.
async fn append_entry(
    connection: &mut SqliteConnection,
    entry: &EncodedAppend,
) -> Result<Answer, StoreError> {
    let session_id = entry.session_id.as_str();
    let row: Option<(i64, i64)> =
        sqlx::query_as("select last_seq, fence from sessions where session_id = $1")
            .bind(session_id)
            .fetch_optional(&mut *connection)
            .await
            .map_err(from_sqlx)?;
    let Some((stored_seq, fence)) = row else {
        return Ok(Err(StoreError::NoSuchSession {
            session_id: entry.session_id.clone(),
        }));
    };
    if Fence(fence) != entry.fence {
        return Ok(Err(StoreError::Fenced {
            session_id: entry.session_id.clone(),
        }));
    }

    let mut last_seq = stored_seq;
    let mut answer = Vec::with_capacity(entry.events.len());
    for event in &entry.events {
        if insert(connection, session_id, last_seq + 1, event).await? {
            last_seq += 1;
            take_in(connection, 1).await?;
            answer.push(Appended::Stored {
                seq: unsigned(last_seq)?,
            });
            project(connection, session_id, event).await?;
        } else {
            let seq = find(connection, session_id, event).await?;
            answer.push(Appended::Duplicate {
                seq: unsigned(seq)?,
            });
        }
    }
    if last_seq != stored_seq {
        sqlx::query(
            "update sessions set last_seq = $2, updated_at = strftime('%Y-%m-%dT%H:%M:%fZ', 'now')
             where session_id = $1",
        )
        .bind(session_id)
        .bind(last_seq)
        .execute(connection)
        .await
        .map_err(from_sqlx)?;
    }
    Ok(Ok(answer))
}

/// Whether the event was stored. If not, it was there before: the unique indexes decide. What was stored is to be
/// taken in ([`take_in`]), once, before anything else is inserted into another table.
pub(super) async fn insert(
    connection: &mut SqliteConnection,
    session_id: &str,
    seq: i64,
    event: &EncodedEvent,
) -> Result<bool, StoreError> {
    let done = sqlx::query(
        "insert into session_events
             (session_id, seq, event_id, event_type, content, metadata, private, created_at)
         values ($1, $2, $3, $4, $5, $6, $7, $8)
         on conflict do nothing",
    )
    .bind(session_id)
    .bind(seq)
    .bind(event.event_id)
    .bind(event.event_type)
    .bind(event.content.as_str())
    .bind(event.metadata.as_str())
    .bind(event.private.as_deref())
    .bind(time_text(event))
    .execute(connection)
    .await
    .map_err(from_sqlx)?;
    Ok(done.rows_affected() == 1)
}

/// Makes what is made of new events, entries for the search and what is counted: of so many, which are what this
/// transaction has inserted last. (Their ids are one after the other, for each is the highest and one more.)
pub(super) async fn take_in(
    connection: &mut SqliteConnection,
    events: usize,
) -> Result<(), StoreError> {
    let events = i64::try_from(events).map_err(|error| StoreError::Rejected(error.into()))?;
    sqlx::query("insert into new_events values (last_insert_rowid() - $1)")
        .bind(events)
        .execute(connection)
        .await
        .map_err(from_sqlx)?;
    Ok(())
}

/// The place of what was stored before.
async fn find(
    connection: &mut SqliteConnection,
    session_id: &str,
    event: &EncodedEvent,
) -> Result<i64, StoreError> {
    // Each of the alternatives is one of the unique indexes.
    let place = sqlx::query_scalar(
        "select seq from session_events where session_id = $1 and (
             event_id = $2
             or $3 = 'user_message' and event_type = 'user_message'
                 and metadata ->> '$.id' = $4 ->> '$.id'
             or $3 = 'ai_response' and event_type = 'ai_response'
                 and metadata ->> '$.response_id' = $4 ->> '$.response_id'
             or $3 = 'tool_result' and event_type = 'tool_result'
                 and metadata ->> '$.call_id' = $4 ->> '$.call_id')
         order by event_id = $2 desc limit 1",
    )
    .bind(session_id)
    .bind(event.event_id)
    .bind(event.event_type)
    .bind(event.metadata.as_str())
    .fetch_optional(connection)
    .await
    .map_err(from_sqlx)?;
    place.ok_or_else(|| {
        StoreError::Corrupt(format!(
            "session `{session_id}` has an event behind its last_seq"
        ))
    })
}

/// Lets the session's row follow the event.
pub(super) async fn project(
    connection: &mut SqliteConnection,
    session_id: &str,
    event: &EncodedEvent,
) -> Result<(), StoreError> {
    let query = match event.event_type {
        "session_started" => sqlx::query(
            "update sessions set is_active = 1, end_time = null,
                 summary_due_at = null, summary_tries = 0, summary_error = null
             where session_id = $1",
        )
        .bind(session_id),
        // An event without a summary has a null in its metadata instead. In an end that was not
        // forced, a first try to make one came before it.
        "session_ended" => sqlx::query(
            "update sessions set is_active = 0, end_time = $2,
                 lease_owner = null, lease_until = null, finalize_after = null,
                 summary = case when json_type($3, '$.summary') is null then $4 end,
                 metadata = json_set(metadata, '$.metrics', json($3 -> '$.metrics')),
                 summary_due_at = case when json_type($3, '$.summary') is not null
                     and $3 ->> '$.metrics.user_messages' > 0 then $5 end,
                 summary_tries = (json_type($3, '$.summary') is not null
                     and $3 ->> '$.metrics.user_messages' > 0
                     and $3 ->> '$.reason' in ('client', 'disconnect', 'idle')) is true,
                 summary_error = null
             where session_id = $1",
        )
        .bind(session_id)
        .bind(time_text(event))
        .bind(event.metadata.as_str())
        .bind(event.content.as_str())
        .bind(Moment::now().text()),
        "session_summary" => sqlx::query(
            "update sessions set summary = $2, summary_due_at = null, summary_error = null
             where session_id = $1",
        )
        .bind(session_id)
        .bind(event.content.as_str()),
        _ => return Ok(()),
    };
    query.execute(connection).await.map_err(from_sqlx)?;
    Ok(())
}

/// RFC 3339 in UTC with milliseconds, as in the rest of the file.
pub(super) fn time_text(event: &EncodedEvent) -> String {
    Timestamp::from(event.at).to_string()
}

pub(super) fn unsigned(seq: i64) -> Result<u64, StoreError> {
    u64::try_from(seq).map_err(|_| StoreError::Corrupt(format!("a negative place {seq}")))
}

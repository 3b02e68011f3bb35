//! A batch written by a few statements, and one more for each session that begins or ends: a statement goes to the
//! thread of a connection and back, which for a single event takes longer than to store it.

use std::collections::HashMap;

use sqlx::{QueryBuilder, SqliteConnection};

use super::error::from_sqlx;
use super::write::{project, take_in, time_text, unsigned};
use crate::append::Answer;
use crate::encode::{EncodedAppend, EncodedEvent};
use crate::error::StoreError;
use crate::record::Appended;

/// So many rows are inserted by one statement: a few sizes, since each is prepared once and kept. All of a batch is in
/// these, from the first to the last.
const ROWS: [usize; 3] = [64, 8, 1];

/// A row of `session_events`.
struct Row<'a> {
    session_id: &'a str,
    seq: i64,
    event: &'a EncodedEvent,
}

/// Writes the entries, each of another session, if all are in order and nothing of them was stored before. `None`
/// if not: then what was done is to be taken back, and every event looked at by itself.
pub(super) async fn append(
    connection: &mut SqliteConnection,
    entries: &[EncodedAppend],
) -> Result<Option<Vec<Answer>>, StoreError> {
    let Some(last_seqs) = take_places(connection, entries).await? else {
        return Ok(None);
    };
    let mut rows = Vec::new();
    let mut answers = Vec::with_capacity(entries.len());
    for (entry, mut seq) in entries.iter().zip(last_seqs) {
        let session_id = entry.session_id.as_str();
        let mut answer = Vec::with_capacity(entry.events.len());
        for event in &entry.events {
            seq += 1;
            rows.push(Row {
                session_id,
                seq,
                event,
            });
            answer.push(Appended::Stored {
                seq: unsigned(seq)?,
            });
        }
        answers.push(Ok(answer));
    }
    if !insert(connection, &rows).await? {
        return Ok(None);
    }
    take_in(connection, rows.len()).await?;
    for entry in entries {
        for event in &entry.events {
            project(connection, entry.session_id.as_str(), event).await?;
        }
    }
    Ok(Some(answers))
}

/// Moves the ends of the logs by as many places as each entry needs, and gives where they were; `None` if one is not
/// to be written or empty, or a session stands here twice.
async fn take_places(
    connection: &mut SqliteConnection,
    entries: &[EncodedAppend],
) -> Result<Option<Vec<i64>>, StoreError> {
    if entries.iter().any(|entry| entry.events.is_empty()) {
        return Ok(None);
    }
    let wanted: Vec<_> = entries
        .iter()
        .map(|entry| (entry.session_id.as_str(), entry.fence.0, entry.events.len()))
        .collect();
    let wanted =
        serde_json::to_string(&wanted).map_err(|error| StoreError::Rejected(error.into()))?;
    let rows: Vec<(String, i64)> = sqlx::query_as(
        "update sessions
         set last_seq = last_seq + (wanted.value ->> 2),
             updated_at = strftime('%Y-%m-%dT%H:%M:%fZ', 'now')
         from json_each($1) as wanted
         where session_id = wanted.value ->> 0 and fence = wanted.value ->> 1
         returning session_id, last_seq",
    )
    .bind(wanted)
    .fetch_all(connection)
    .await
    .map_err(from_sqlx)?;
    let mut ends: HashMap<_, _> = rows.into_iter().collect();
    let begin = |entry: &EncodedAppend| {
        let end = ends.remove(entry.session_id.as_str())?;
        end.checked_sub_unsigned(entry.events.len() as u64)
    };
    Ok(entries.iter().map(begin).collect())
}

/// `false` if one of them was there before.
async fn insert(
    connection: &mut SqliteConnection,
    mut rows: &[Row<'_>],
) -> Result<bool, StoreError> {
    for size in ROWS {
        while let Some((together, rest)) = rows.split_at_checked(size) {
            let mut query = QueryBuilder::new(
                "insert into session_events
                     (session_id, seq, event_id, event_type, content, metadata, private, created_at) ",
            );
            query.push_values(together, |mut values, row| {
                let event = row.event;
                values
                    .push_bind(row.session_id)
                    .push_bind(row.seq)
                    .push_bind(event.event_id)
                    .push_bind(event.event_type)
                    .push_bind(event.content.as_str())
                    .push_bind(event.metadata.as_str())
                    .push_bind(event.private.as_deref())
                    .push_bind(time_text(event));
            });
            query.push(" on conflict do nothing");
            let done = query.build().execute(&mut *connection).await;
            if done.map_err(from_sqlx)?.rows_affected() != size as u64 {
                return Ok(false);
            }
            rows = rest;
        }
    }
    Ok(true)
}

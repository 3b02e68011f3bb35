//! A batch written by three statements, and one more for each session that begins or ends: a statement goes to the
//! thread of a connection and back, which for a single event takes longer than to store it.

use std::collections::HashMap;

use serde::Serialize;
use sqlx::SqliteConnection;

use super::error::from_sqlx;
use super::write::{project, time_text, unsigned};
use crate::append::Answer;
use crate::encode::{EncodedAppend, EncodedEvent};
use crate::error::StoreError;
use crate::record::{Appended, Fence};

/// A batch of more is written event by event: as JSON it would be copied for each column.
const MAX_BYTES: usize = 256 * 1024;

/// A row of `session_events`, as JSON.
#[derive(Serialize)]
struct Row<'a>(
    &'a str,
    i64,
    String,
    &'a str,
    &'a str,
    &'a str,
    Option<&'a str>,
    String,
);

/// Writes the entries, each of another session, if all are in order and nothing of them was stored before. `None`
/// if not: then what was done is to be taken back, and every event looked at by itself.
pub(super) async fn append(
    connection: &mut SqliteConnection,
    entries: &[EncodedAppend],
) -> Result<Option<Vec<Answer>>, StoreError> {
    if bytes(entries) > MAX_BYTES {
        return Ok(None);
    }
    let Some(last_seqs) = last_seqs(connection, entries).await? else {
        return Ok(None);
    };
    let mut rows = Vec::new();
    let mut places = Vec::new();
    let mut answers = Vec::with_capacity(entries.len());
    for (entry, last_seq) in entries.iter().zip(last_seqs) {
        let session_id = entry.session_id.as_str();
        let mut seq = last_seq;
        let mut answer = Vec::with_capacity(entry.events.len());
        for event in &entry.events {
            seq += 1;
            rows.push(row(session_id, seq, event));
            answer.push(Appended::Stored {
                seq: unsigned(seq)?,
            });
        }
        if seq != last_seq {
            places.push((session_id, seq));
        }
        answers.push(Ok(answer));
    }
    if !insert(connection, &rows).await? {
        return Ok(None);
    }
    update(connection, &places).await?;
    for entry in entries {
        for event in &entry.events {
            project(connection, entry.session_id.as_str(), event).await?;
        }
    }
    Ok(Some(answers))
}

fn bytes(entries: &[EncodedAppend]) -> usize {
    let events = entries.iter().flat_map(|entry| &entry.events);
    events
        .map(|event| {
            let private = event.private.as_deref().unwrap_or_default();
            event.content.len() + event.metadata.len() + private.len()
        })
        .sum()
}

/// How far the log of each entry goes; `None` if one is not to be written, or a session stands here twice.
async fn last_seqs(
    connection: &mut SqliteConnection,
    entries: &[EncodedAppend],
) -> Result<Option<Vec<i64>>, StoreError> {
    let ids: Vec<_> = entries.iter().map(|entry| &entry.session_id).collect();
    let rows: Vec<(String, i64, i64)> = sqlx::query_as(
        "select session_id, last_seq, fence from sessions
         where session_id in (select value from json_each($1))",
    )
    .bind(json(&ids)?)
    .fetch_all(connection)
    .await
    .map_err(from_sqlx)?;
    let mut found: HashMap<_, _> = rows
        .into_iter()
        .map(|(id, last_seq, fence)| (id, (last_seq, Fence(fence))))
        .collect();
    let last_seq = |entry: &EncodedAppend| {
        let (last_seq, fence) = found.remove(entry.session_id.as_str())?;
        (fence == entry.fence).then_some(last_seq)
    };
    Ok(entries.iter().map(last_seq).collect())
}

fn row<'a>(session_id: &'a str, seq: i64, event: &'a EncodedEvent) -> Row<'a> {
    Row(
        session_id,
        seq,
        event.event_id.simple().to_string(),
        event.event_type,
        &event.content,
        &event.metadata,
        event.private.as_deref(),
        time_text(event),
    )
}

/// `false` if one of them was there before.
async fn insert(connection: &mut SqliteConnection, rows: &[Row<'_>]) -> Result<bool, StoreError> {
    let done = sqlx::query(
        // Without `where` the parser takes `on conflict` for a part of a join.
        "insert into session_events
             (session_id, seq, event_id, event_type, content, metadata, private, created_at)
         select value ->> 0, value ->> 1, unhex(value ->> 2), value ->> 3, value ->> 4, value ->> 5,
             value ->> 6, value ->> 7
         from json_each($1) where true
         on conflict do nothing",
    )
    .bind(json(rows)?)
    .execute(connection)
    .await
    .map_err(from_sqlx)?;
    Ok(done.rows_affected() == rows.len() as u64)
}

async fn update(
    connection: &mut SqliteConnection,
    places: &[(&str, i64)],
) -> Result<(), StoreError> {
    let query = sqlx::query(
        "update sessions set last_seq = place.value ->> 1 from json_each($1) as place
         where session_id = place.value ->> 0",
    );
    let done = query.bind(json(places)?).execute(connection).await;
    done.map(|_| ()).map_err(from_sqlx)
}

fn json<T: Serialize + ?Sized>(value: &T) -> Result<String, StoreError> {
    serde_json::to_string(value).map_err(|error| StoreError::Rejected(error.into()))
}

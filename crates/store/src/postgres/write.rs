//! What is appended to the logs in PostgreSQL, in one statement: it is done whole or not at all.

use sqlx::FromRow;

use super::connections::Connections;
use super::error::from_sqlx;
use crate::append::Answer;
use crate::encode::EncodedAppend;
use crate::error::StoreError;
use crate::record::Appended;

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
    let query = sqlx::query(
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
    .bind(events.iter().map(|event| event.at).collect::<Vec<_>>());
    let rows: Result<_, _> = connections
        .fetch(query)
        .await?
        .iter()
        .map(FromRow::from_row)
        .collect();
    answers(entries, rows.map_err(from_sqlx)?)
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
    let is_whole = |(entry, answer): (&EncodedAppend, &Answer)| {
        let places = answer.as_ref().map(Vec::len);
        places.is_err() || places.is_ok_and(|places| places == entry.events.len())
    };
    if !entries.iter().zip(&answers).all(is_whole) {
        return Err(StoreError::Corrupt(
            "an append that was answered in part".to_owned(),
        ));
    }
    Ok(answers)
}

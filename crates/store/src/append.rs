//! What both stores do with a batch around the one write that is their own.

use std::slice;

use async_trait::async_trait;

use crate::encode::{EncodedAppend, encode_append};
use crate::error::StoreError;
use crate::record::{Append, Appended};

/// What became of one entry of a batch.
pub(crate) type Answer = Result<Vec<Appended>, StoreError>;

/// The cause of a [`StoreError::Unavailable`] that is about one session: somebody else holds its row.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(crate) struct RowLocked(pub(crate) String);

/// A database that writes a batch in one transaction.
#[async_trait]
pub(crate) trait WriteBatch {
    /// Writes all entries or none. The answer has one element for each entry; an error is one
    /// that the whole batch met, and then nothing is written.
    async fn write(&self, entries: &[EncodedAppend]) -> Result<Vec<Answer>, StoreError>;
}

/// Appends a batch so that an entry which cannot be stored does not fail its neighbours.
pub(crate) async fn append(database: &impl WriteBatch, batch: Vec<Append>) -> Vec<Answer> {
    let mut answers = Vec::with_capacity(batch.len());
    let mut entries = Vec::with_capacity(batch.len());
    for append in batch {
        match encode_append(append) {
            Ok(entry) => {
                entries.push(entry);
                answers.push(None);
            }
            Err(error) => answers.push(Some(Err(error))),
        }
    }
    let mut written = write(database, &entries).await.into_iter();
    answers
        .into_iter()
        .filter_map(|answer| answer.or_else(|| written.next()))
        .collect()
}

/// Writes the entries together and, if one of them may be what keeps the others back, one by one.
async fn write(database: &impl WriteBatch, entries: &[EncodedAppend]) -> Vec<Answer> {
    if entries.is_empty() {
        return Vec::new();
    }
    match database.write(entries).await {
        Ok(answers) => answers,
        Err(error) if entries.len() > 1 && concerns_one_entry(&error) => {
            write_apart(database, entries).await
        }
        Err(error) => entries.iter().map(|_| Err(copy(&error))).collect(),
    }
}

/// Writes each entry in a transaction of its own. Stops asking once the database is away.
async fn write_apart(database: &impl WriteBatch, entries: &[EncodedAppend]) -> Vec<Answer> {
    let mut answers = Vec::with_capacity(entries.len());
    let mut away: Option<StoreError> = None;
    for entry in entries {
        if let Some(error) = &away {
            answers.push(Err(copy(error)));
            continue;
        }
        match database.write(slice::from_ref(entry)).await {
            Ok(answer) => answers.extend(answer),
            Err(error) => {
                if error.is_retryable() && !concerns_one_entry(&error) {
                    away = Some(copy(&error));
                }
                answers.push(Err(error));
            }
        }
    }
    answers
}

/// Whether the other entries of a batch may fare better without the one that is to blame.
fn concerns_one_entry(error: &StoreError) -> bool {
    match error {
        StoreError::Rejected(_) | StoreError::Corrupt(_) => true,
        StoreError::Unavailable(cause) => cause.is::<RowLocked>(),
        _ => false,
    }
}

/// The same error for another entry; its cause becomes a text.
fn copy(error: &StoreError) -> StoreError {
    match error {
        StoreError::Unavailable(cause) => StoreError::Unavailable(cause.to_string().into()),
        StoreError::Rejected(cause) => StoreError::Rejected(cause.to_string().into()),
        StoreError::Fenced { session_id } => StoreError::Fenced {
            session_id: session_id.clone(),
        },
        StoreError::NoSuchSession { session_id } => StoreError::NoSuchSession {
            session_id: session_id.clone(),
        },
        StoreError::Owned {
            session_id,
            free_in,
        } => StoreError::Owned {
            session_id: session_id.clone(),
            free_in: *free_in,
        },
        StoreError::Exists { session_id } => StoreError::Exists {
            session_id: session_id.clone(),
        },
        StoreError::MetadataTooLarge { bytes, limit } => StoreError::MetadataTooLarge {
            bytes: *bytes,
            limit: *limit,
        },
        StoreError::Corrupt(why) => StoreError::Corrupt(why.clone()),
        StoreError::Unusable(why) => StoreError::Unusable(why.clone()),
    }
}

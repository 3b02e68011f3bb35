//! Taking over a session from elsewhere, on SQLite: one transaction.

use std::time::Duration;

use patter_protocol::{LogEpoch, Timestamp};
use sqlx::{SqliteConnection, SqlitePool};

use super::record;
use crate::archive::import::{EncodedImport, chunks};
use crate::deadline::within;
use crate::encode::{EncodedEvent, first_fence, session_columns};
use crate::error::StoreError;
use crate::record::SessionRecord;
use crate::sqlite::error::from_sqlx;
use crate::sqlite::write::{BEGIN, insert, take_in};

/// See [`SessionArchive::import`](crate::SessionArchive::import).
pub(super) async fn import(
    pool: &SqlitePool,
    session: &EncodedImport,
    deadline: Duration,
) -> Result<SessionRecord, StoreError> {
    let mut transaction = within(deadline, async {
        pool.begin_with(BEGIN).await.map_err(from_sqlx)
    })
    .await?;
    let Some(record) = within(deadline, insert_session(&mut transaction, session)).await? else {
        return Err(StoreError::Exists {
            session_id: session.session_id.clone(),
        });
    };
    for (chunk, after) in chunks(&session.events) {
        let inserting = insert_events(&mut transaction, session, after, chunk);
        within(deadline, inserting).await?;
    }
    within(deadline, async {
        transaction.commit().await.map_err(from_sqlx)
    })
    .await?;
    Ok(record)
}

/// `None` if there is such a session.
async fn insert_session(
    connection: &mut SqliteConnection,
    session: &EncodedImport,
) -> Result<Option<SessionRecord>, StoreError> {
    let row = sqlx::query(concat!(
        "insert into sessions
             (session_id, user_id, start_time, end_time, is_active, summary, metadata, last_seq,
              log_epoch, fence)
         values ($1, $2, $3, $4, 0, $5, $6, $7, $8, $9)
         on conflict (session_id) do nothing
         returning ",
        session_columns!()
    ))
    .bind(session.session_id.as_str())
    .bind(session.user_id.as_deref())
    .bind(Timestamp::from(session.start_time).to_string())
    .bind(Timestamp::from(session.end_time).to_string())
    .bind(session.summary.as_deref())
    .bind(session.metadata.as_str())
    .bind(session.last_seq)
    .bind(LogEpoch::generate().as_uuid())
    .bind(first_fence())
    .fetch_optional(connection)
    .await
    .map_err(from_sqlx)?;
    row.as_ref().map(record).transpose()
}

async fn insert_events(
    connection: &mut SqliteConnection,
    session: &EncodedImport,
    after: i64,
    events: &[EncodedEvent],
) -> Result<(), StoreError> {
    for (event, seq) in events.iter().zip(after + 1..) {
        if !insert(connection, session.session_id.as_str(), seq, event).await? {
            return Err(StoreError::Rejected("the log has an event twice".into()));
        }
    }
    take_in(connection, events.len()).await
}

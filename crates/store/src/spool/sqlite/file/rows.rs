//! The rows of a file: what is written, removed and read.

use std::collections::{HashMap, HashSet};

use patter_protocol::{EventId, SessionId, Timestamp};
use sqlx::{Connection, FromRow, Row, SqliteConnection};

use super::{SpoolFile, size};
use crate::encode::{EncodedAppend, EncodedEvent, EventRow};
use crate::error::StoreError;
use crate::record::{Fence, NewEvent};
use crate::spool::Kept;
use crate::spool::sqlite::contents::{Effect, Size};
use crate::sqlite::error::from_sqlx;

/// What is to be done to a file.
#[derive(Debug)]
pub(in crate::spool::sqlite) enum Change {
    Keep(EncodedAppend),
    Forget {
        session_id: SessionId,
        events: Vec<EventId>,
    },
}

/// Events by session.
pub(in crate::spool::sqlite) type Events = HashMap<SessionId, HashSet<EventId>>;

impl SpoolFile {
    /// Makes changes, in order, after it has removed what is `owed`, which has no effect. All of
    /// it or nothing, and synced.
    ///
    /// # Errors
    ///
    /// [`StoreError::Unavailable`] and others: it is not known what happened.
    pub(in crate::spool::sqlite) async fn write(
        &mut self,
        owed: &Events,
        changes: &[Change],
    ) -> Result<Vec<Effect>, StoreError> {
        self.sync().await?;
        let mut transaction = self.connection.begin().await.map_err(from_sqlx)?;
        for (session_id, events) in owed {
            for event in events {
                remove(&mut transaction, session_id, event).await?;
            }
        }
        let mut effects = Vec::with_capacity(changes.len());
        for change in changes {
            effects.push(match change {
                Change::Keep(append) => keep(&mut transaction, append).await?,
                Change::Forget { session_id, events } => {
                    forget(&mut transaction, session_id, events).await?
                }
            });
        }
        transaction.commit().await.map_err(from_sqlx)?;
        Ok(effects)
    }

    /// What is kept of a session, by fence, then as it was kept.
    ///
    /// # Errors
    ///
    /// [`StoreError::Unavailable`], [`StoreError::Corrupt`].
    pub(in crate::spool::sqlite) async fn read(
        &mut self,
        session_id: &SessionId,
    ) -> Result<Vec<Kept>, StoreError> {
        let rows = sqlx::query(
            "select place as seq, event_id, event_type, content, metadata, private, created_at,
                    fence
             from events where session_id = $1 order by fence, place",
        )
        .bind(session_id.as_str())
        .fetch_all(&mut self.connection)
        .await
        .map_err(from_sqlx)?;
        rows.iter()
            .map(|row| {
                let fence = row.try_get("fence").map_err(from_sqlx)?;
                let stored = EventRow::from_row(row).map_err(from_sqlx)?.decode()?;
                Ok(Kept {
                    fence: Fence(fence),
                    event: NewEvent {
                        event_id: stored.event.event_id,
                        at: stored.event.at,
                        body: stored.event.body,
                        private: stored.private,
                    },
                })
            })
            .collect()
    }
}

async fn keep(
    connection: &mut SqliteConnection,
    append: &EncodedAppend,
) -> Result<Effect, StoreError> {
    let mut added = Size::default();
    for event in &append.events {
        let bytes = encoded_bytes(event);
        let done = sqlx::query(
            "insert into events (session_id, event_id, fence, bytes, event_type, content,
                                 metadata, private, created_at)
             values ($1, $2, $3, $4, $5, $6, $7, $8, $9)
             on conflict (session_id, event_id) do nothing",
        )
        .bind(append.session_id.as_str())
        .bind(event.event_id)
        .bind(append.fence.0)
        .bind(bytes)
        .bind(event.event_type)
        .bind(event.content.as_str())
        .bind(event.metadata.as_str())
        .bind(event.private.as_deref())
        .bind(Timestamp::from(event.at).to_string())
        .execute(&mut *connection)
        .await
        .map_err(from_sqlx)?;
        if done.rows_affected() == 1 {
            added.add(size(1, bytes));
        }
    }
    Ok(Effect {
        session_id: append.session_id.clone(),
        added,
        removed: Size::default(),
    })
}

async fn forget(
    connection: &mut SqliteConnection,
    session_id: &SessionId,
    events: &[EventId],
) -> Result<Effect, StoreError> {
    let mut removed = Size::default();
    for event in events {
        removed.add(remove(connection, session_id, event).await?);
    }
    Ok(Effect {
        session_id: session_id.clone(),
        added: Size::default(),
        removed,
    })
}

/// Removes an event and says how large it was; nothing, if it was not there.
async fn remove(
    connection: &mut SqliteConnection,
    session_id: &SessionId,
    event: &EventId,
) -> Result<Size, StoreError> {
    let bytes = sqlx::query_scalar(
        "delete from events where session_id = $1 and event_id = $2 returning bytes",
    )
    .bind(session_id.as_str())
    .bind(event.as_uuid())
    .fetch_optional(connection)
    .await
    .map_err(from_sqlx)?;
    Ok(bytes.map_or(Size::default(), |bytes| size(1, bytes)))
}

fn encoded_bytes(event: &EncodedEvent) -> i64 {
    let private = event.private.as_ref().map_or(0, String::len);
    i64::try_from(event.content.len() + event.metadata.len() + private).unwrap_or(i64::MAX)
}

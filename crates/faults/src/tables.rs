//! The tables, read by SQL: what is really stored, whoever says what. The decoding is written anew
//! here, so that the judge does not believe the store's own.

use std::path::Path;
use std::str::FromStr;

use anyhow::Context;
use chrono::{DateTime, Utc};
use serde_json::{Map, Value};
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{ConnectOptions, Connection, FromRow, PgConnection};
use uuid::Uuid;

use crate::history::{Row, StoredSession};
use crate::moment::Moment;

/// Where the tables are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Tables {
    /// A database of `PostgreSQL`: its URL.
    Postgres(String),
    /// A file of the embedded store.
    Sqlite(std::path::PathBuf),
}

#[derive(FromRow)]
struct SessionRow {
    session_id: String,
    last_seq: i64,
    is_active: bool,
}

#[derive(FromRow)]
struct EventRow {
    session_id: String,
    seq: i64,
    event_id: String,
    event_type: String,
    content: String,
    metadata: String,
    created_at: String,
}

const POSTGRES_SESSIONS: &str =
    "select session_id, last_seq, is_active from patter.sessions order by session_id";
const POSTGRES_EVENTS: &str =
    "select session_id, seq, event_id::text as event_id, event_type, content,
       metadata::text as metadata,
       to_char(created_at at time zone 'utc', 'YYYY-MM-DD\"T\"HH24:MI:SS.MS\"Z\"') as created_at
     from patter.session_events order by session_id, seq";
const SQLITE_SESSIONS: &str =
    "select session_id, last_seq, is_active from sessions order by session_id";
const SQLITE_EVENTS: &str =
    "select session_id, seq, hex(event_id) as event_id, event_type, content,
       metadata, created_at
     from session_events order by session_id, seq";

impl Tables {
    /// The file of the embedded store in a node's folder.
    #[must_use]
    pub fn embedded(folder: &Path) -> Self {
        Self::Sqlite(folder.join("data/patter.db"))
    }

    /// Every session with its rows.
    ///
    /// # Errors
    ///
    /// If they cannot be read, or a row is not what it should be.
    pub async fn read(&self) -> anyhow::Result<Vec<StoredSession>> {
        let (sessions, events): (Vec<SessionRow>, Vec<EventRow>) = match self {
            Self::Postgres(url) => {
                let mut connection = PgConnection::connect(url).await?;
                // One look at both: what comes in between would look like a gap.
                sqlx::raw_sql("begin isolation level repeatable read, read only")
                    .execute(&mut connection)
                    .await?;
                let sessions = sqlx::query_as(POSTGRES_SESSIONS)
                    .fetch_all(&mut connection)
                    .await?;
                let events = sqlx::query_as(POSTGRES_EVENTS)
                    .fetch_all(&mut connection)
                    .await?;
                connection.close().await?;
                (sessions, events)
            }
            Self::Sqlite(file) => {
                let mut connection = SqliteConnectOptions::new()
                    .filename(file)
                    .busy_timeout(std::time::Duration::from_secs(10))
                    .connect()
                    .await?;
                sqlx::raw_sql("begin").execute(&mut connection).await?;
                let sessions = sqlx::query_as(SQLITE_SESSIONS)
                    .fetch_all(&mut connection)
                    .await?;
                let events = sqlx::query_as(SQLITE_EVENTS)
                    .fetch_all(&mut connection)
                    .await?;
                connection.close().await?;
                (sessions, events)
            }
        };
        let mut stored: Vec<StoredSession> = sessions
            .into_iter()
            .map(|row| StoredSession {
                session_id: row.session_id,
                last_seq: u64::try_from(row.last_seq).unwrap_or_default(),
                is_active: row.is_active,
                rows: Vec::new(),
            })
            .collect();
        for event in events {
            let place = stored
                .binary_search_by(|session| session.session_id.cmp(&event.session_id))
                .ok()
                .with_context(|| format!("an event of no session: {}", event.session_id))?;
            stored[place].rows.push(row(event)?);
        }
        Ok(stored)
    }
}

/// The event as it goes over the wire: what is in `metadata`, and the text that a person would read.
fn row(event: EventRow) -> anyhow::Result<Row> {
    let mut fields: Map<String, Value> = serde_json::from_str(&event.metadata)?;
    let text_field = match event.event_type.as_str() {
        "user_message" | "ai_response" => Some("content"),
        "session_ended" | "session_summary" => Some("summary"),
        _ => None,
    };
    if let Some(field) = text_field {
        fields
            .entry(field)
            .or_insert_with(|| event.content.clone().into());
    }
    fields.insert("type".to_owned(), event.event_type.into());
    fields.insert("seq".to_owned(), event.seq.into());
    let event_id = Uuid::from_str(&event.event_id)?.to_string();
    fields.insert("event_id".to_owned(), event_id.into());
    let at = DateTime::<Utc>::from_str(&event.created_at)?;
    fields.insert("at".to_owned(), event.created_at.into());
    Ok(Row {
        event: Value::Object(fields),
        at: Moment::of_wall(at),
    })
}

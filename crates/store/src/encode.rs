//! How an event becomes columns and comes back.
//!
//! `content` is what a person would read, `metadata` everything else in the event. Where the
//! event has a text that is all a person would read (a message, an answer, a summary), the text
//! stands in `content` alone; of a tool's call and result `content` holds a short form, and
//! `metadata` the whole. Both stores use the same columns, so this is written once.
//!
//! What goes in comes out equal, or is refused before it reaches a database: U+0000 (Postgres
//! takes it neither in text nor in JSON), JSON that nests too deep to be parsed again, and a
//! time outside the years 0 to 9999.

mod check;
mod json;
mod short;

use chrono::{DateTime, Utc};
use patter_protocol::{DurableEvent, EventBody, EventId, JsonObject, SessionId, Timestamp};
use serde_json::Value;
use uuid::Uuid;

use crate::error::StoreError;
use crate::record::{Append, Fence, NewEvent, NewSession, SessionRecord, StoredEvent};

pub(crate) use check::{checked_text, checked_time};
pub(crate) use json::to_text as json_text;

/// An event as the columns of its row, but for its place.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct EncodedEvent {
    pub(crate) event_id: Uuid,
    pub(crate) event_type: &'static str,
    pub(crate) content: String,
    /// A JSON object.
    pub(crate) metadata: String,
    /// JSON.
    pub(crate) private: Option<String>,
    pub(crate) at: DateTime<Utc>,
}

/// An [`Append`] ready to be written.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct EncodedAppend {
    pub(crate) session_id: SessionId,
    pub(crate) fence: Fence,
    pub(crate) events: Vec<EncodedEvent>,
}

/// A row of `session_events` as it is read.
#[derive(Debug, sqlx::FromRow)]
pub(crate) struct EventRow {
    pub(crate) seq: i64,
    pub(crate) event_id: Uuid,
    pub(crate) event_type: String,
    pub(crate) content: String,
    pub(crate) metadata: String,
    pub(crate) private: Option<String>,
    #[sqlx(rename = "created_at")]
    pub(crate) at: DateTime<Utc>,
}

/// The columns of a [`SessionRow`], in the SQL of both databases.
macro_rules! session_columns {
    () => {
        "session_id, user_id, start_time, end_time, is_active, summary, summary_error,
         cast(metadata as text) as metadata, created_at, updated_at, last_seq, log_epoch"
    };
}
pub(crate) use session_columns;

/// A row of `sessions` as it is read.
#[derive(Debug, sqlx::FromRow)]
pub(crate) struct SessionRow {
    pub(crate) session_id: String,
    pub(crate) user_id: Option<String>,
    pub(crate) start_time: DateTime<Utc>,
    pub(crate) end_time: Option<DateTime<Utc>>,
    pub(crate) is_active: bool,
    pub(crate) summary: Option<String>,
    pub(crate) summary_error: Option<String>,
    pub(crate) metadata: String,
    pub(crate) created_at: DateTime<Utc>,
    pub(crate) updated_at: DateTime<Utc>,
    pub(crate) last_seq: i64,
    pub(crate) log_epoch: Uuid,
}

/// The field of an event that is `content` and stands nowhere else, by the event's type.
fn text_field(event_type: &str) -> Option<&'static str> {
    match event_type {
        "user_message" | "ai_response" => Some("content"),
        "session_ended" | "session_summary" => Some("summary"),
        _ => None,
    }
}

/// Encodes what is added to one session.
///
/// # Errors
///
/// [`StoreError::Rejected`] if one of the events cannot be stored.
pub(crate) fn encode_append(append: Append) -> Result<EncodedAppend, StoreError> {
    let events: Result<_, _> = append.events.into_iter().map(encode_event).collect();
    Ok(EncodedAppend {
        session_id: append.session_id,
        fence: append.fence,
        events: events?,
    })
}

/// Encodes one event.
///
/// # Errors
///
/// [`StoreError::Rejected`] if it cannot be stored.
pub(crate) fn encode_event(event: NewEvent) -> Result<EncodedEvent, StoreError> {
    let event_type = event.body.type_name();
    let short = short::of_tool_event(&event.body);
    let mut metadata = match serde_json::to_value(event.body) {
        Ok(Value::Object(fields)) => fields,
        Ok(_) => return Err(StoreError::Rejected("an event is not a JSON object".into())),
        Err(error) => return Err(StoreError::Rejected(error.into())),
    };
    metadata.remove("type");
    let content = match text_field(event_type) {
        None => short.unwrap_or_default(),
        // A text that is null stays in the metadata, so that it is told from an empty one.
        Some(field) => match metadata.remove(field) {
            Some(Value::String(text)) => text,
            Some(other) => {
                metadata.insert(field.to_owned(), other);
                String::new()
            }
            None => String::new(),
        },
    };
    Ok(EncodedEvent {
        event_id: event.event_id.as_uuid(),
        event_type,
        content: checked_text(content)?,
        metadata: json::to_text(&Value::Object(metadata))?,
        private: event.private.as_ref().map(json::to_text).transpose()?,
        at: checked_time(event.at)?,
    })
}

/// The fence that a row is made with. It is the time in microseconds, so that a session which is deleted and made
/// again under its name does not have a fence again that a writer of the deleted one may still hold: fences rise
/// by one with each claim, and no session is claimed once in a microsecond.
pub(crate) fn first_fence() -> i64 {
    Utc::now().timestamp_micros()
}

/// The `user_id` and the `metadata` of a new session.
///
/// # Errors
///
/// [`StoreError::Rejected`] if they cannot be stored.
pub(crate) fn encode_session(
    session: NewSession,
) -> Result<(SessionId, Option<String>, String), StoreError> {
    let user_id = session.user_id.map(checked_text).transpose()?;
    let metadata = json::to_text(&Value::Object(session.metadata))?;
    Ok((session.session_id, user_id, metadata))
}

impl EventRow {
    /// The event that was stored.
    ///
    /// # Errors
    ///
    /// [`StoreError::Corrupt`] if it is not what [`encode_append`] makes.
    pub(crate) fn decode(self) -> Result<StoredEvent, StoreError> {
        let seq = self.seq;
        let corrupt = |why: String| StoreError::Corrupt(format!("event {seq}: {why}"));
        let mut fields: JsonObject =
            serde_json::from_str(&self.metadata).map_err(|error| corrupt(error.to_string()))?;
        if let Some(field) = text_field(&self.event_type) {
            fields.entry(field).or_insert(Value::String(self.content));
        }
        fields.insert("type".to_owned(), Value::String(self.event_type));
        let body: EventBody = serde_json::from_value(Value::Object(fields))
            .map_err(|error| corrupt(error.to_string()))?;
        let private = self
            .private
            .as_deref()
            .map(serde_json::from_str)
            .transpose();
        Ok(StoredEvent {
            event: DurableEvent {
                seq: u64::try_from(seq).map_err(|error| corrupt(error.to_string()))?,
                event_id: EventId::from(self.event_id),
                at: Timestamp::from(self.at),
                body,
            },
            private: private.map_err(|error| corrupt(error.to_string()))?,
        })
    }
}

impl SessionRow {
    /// The session that was stored.
    ///
    /// # Errors
    ///
    /// [`StoreError::Corrupt`] if it is not what a store writes.
    pub(crate) fn decode(self) -> Result<SessionRecord, StoreError> {
        let corrupt = |why: String| StoreError::Corrupt(format!("a session: {why}"));
        Ok(SessionRecord {
            session_id: SessionId::try_from(self.session_id)
                .map_err(|error| corrupt(error.to_string()))?,
            user_id: self.user_id,
            start_time: self.start_time.into(),
            end_time: self.end_time.map(Timestamp::from),
            is_active: self.is_active,
            summary: self.summary,
            summary_error: self.summary_error,
            metadata: serde_json::from_str(&self.metadata)
                .map_err(|error| corrupt(error.to_string()))?,
            created_at: self.created_at.into(),
            updated_at: self.updated_at.into(),
            last_seq: u64::try_from(self.last_seq).map_err(|error| corrupt(error.to_string()))?,
            epoch: self.log_epoch.into(),
        })
    }
}

/// What was read of one session among several. One that cannot be read is told of and left out, because
/// the others must not wait for it.
pub(crate) fn or_left_out<T>(read: Result<T, StoreError>) -> Option<T> {
    read.inspect_err(|error| tracing::error!(%error, "left out a session that cannot be read"))
        .ok()
}

#[cfg(test)]
mod tests;

//! `GET /api/sessions/{id}` and `GET /api/sessions/{id}/events`: what the store knows of a session.

use http::StatusCode;
use patter_protocol::{DurableEvent, JsonObject, LogEpoch, SessionId, Timestamp};
use patter_store::{EventQuery, SessionRecord};
use serde::Serialize;
use serde_json::Value;

use super::{App, Problem, Query, Reply};

/// Answered with `GET /api/sessions/{id}`.
#[derive(Debug, Serialize)]
struct SessionJson {
    session_id: SessionId,
    user_id: Option<String>,
    start_time: Timestamp,
    end_time: Option<Timestamp>,
    is_active: bool,
    /// Whether this server holds it in memory.
    is_live: bool,
    summary: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    summary_error: Option<String>,
    /// The client's own.
    metadata: JsonObject,
    metrics: Option<Value>,
    last_seq: u64,
    epoch: LogEpoch,
    created_at: Timestamp,
    updated_at: Timestamp,
}

/// Answered with `GET /api/sessions/{id}/events`.
#[derive(Debug, Serialize)]
struct EventsJson {
    session_id: SessionId,
    epoch: LogEpoch,
    last_seq: u64,
    events: Vec<DurableEvent>,
    /// To be given as `after` for the next page; null on the last one.
    next_after: Option<u64>,
}

const DEFAULT_EVENTS: u32 = 100;
const MAX_EVENTS: u32 = 1_000;

const EVENT_TYPES: [&str; 7] = [
    "session_started",
    "user_message",
    "ai_response",
    "tool_call",
    "tool_result",
    "session_ended",
    "session_summary",
];

/// One session.
///
/// # Errors
///
/// 404 if there is none, 503 if the store does not answer.
pub(crate) async fn show(app: &App, session_id: &SessionId) -> Reply {
    let mut record = find(app, session_id).await?;
    let metrics = record.metadata.remove("metrics");
    let body = SessionJson {
        is_live: app.sessions.is_live(session_id),
        session_id: record.session_id,
        user_id: record.user_id,
        start_time: record.start_time,
        end_time: record.end_time,
        is_active: record.is_active,
        summary: record.summary,
        summary_error: record.summary_error,
        metadata: record.metadata,
        metrics,
        last_seq: record.last_seq,
        epoch: record.epoch,
        created_at: record.created_at,
        updated_at: record.updated_at,
    };
    Ok(super::json(StatusCode::OK, &body))
}

/// A page of a session's log: `after`, `limit`, and `type` (several divided by commas).
///
/// # Errors
///
/// 400 for a bad parameter, 404 if there is no such session, 503 if the store does not answer.
pub(crate) async fn events(app: &App, session_id: &SessionId, query: &Query<'_>) -> Reply {
    let limit = limit(query)?;
    let wanted = EventQuery {
        after: query.seq("after")?.unwrap_or(0),
        // One more tells whether there is another page.
        limit: limit.saturating_add(1),
        types: types(query)?,
    };
    let record = find(app, session_id).await?;
    let stored = app.sessions.store().events(session_id, wanted).await?;
    let page = usize::try_from(limit).unwrap_or(usize::MAX);
    let is_last = stored.len() <= page;
    let events: Vec<DurableEvent> = stored
        .into_iter()
        .take(page)
        .map(|stored| stored.event)
        .collect();
    let body = EventsJson {
        session_id: record.session_id,
        epoch: record.epoch,
        last_seq: record.last_seq,
        next_after: events.last().map(|last| last.seq).filter(|_| !is_last),
        events,
    };
    Ok(super::json(StatusCode::OK, &body))
}

async fn find(app: &App, session_id: &SessionId) -> Result<SessionRecord, Problem> {
    let found = app.sessions.store().session(session_id).await?;
    found.ok_or_else(|| Problem::not_found("there is no such session"))
}

fn limit(query: &Query<'_>) -> Result<u32, Problem> {
    const EXPECTED: &str = "must be an integer from 1 to 1000";
    match query.parsed("limit", EXPECTED)? {
        None => Ok(DEFAULT_EVENTS),
        Some(limit) if (1..=MAX_EVENTS).contains(&limit) => Ok(limit),
        Some(_) => Err(Problem::invalid_field("limit", EXPECTED)),
    }
}

fn types(query: &Query<'_>) -> Result<Vec<String>, Problem> {
    let Some(list) = query.single("type")? else {
        return Ok(Vec::new());
    };
    let types: Vec<String> = list.split(',').map(str::to_owned).collect();
    if types
        .iter()
        .all(|name| EVENT_TYPES.contains(&name.as_str()))
    {
        Ok(types)
    } else {
        let expected = format!("must be one or more of {}", EVENT_TYPES.join(", "));
        Err(Problem::invalid_field("type", expected))
    }
}

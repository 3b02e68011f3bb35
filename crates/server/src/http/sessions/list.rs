//! The list of sessions, newest first, page by page.

use http::StatusCode;
use patter_protocol::{SessionId, Timestamp};
use patter_store::{ListQuery, SessionPosition};
use schemars::JsonSchema;
use serde::Serialize;

use super::SessionJson;
use crate::auth::Caller;
use crate::http::access;
use crate::http::{App, Problem, Query, Reply, json};

/// A page of sessions.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Sessions")]
pub(in crate::http) struct SessionsJson {
    /// The sessions, newest first.
    sessions: Vec<SessionJson>,
    /// To be given as `cursor` for the next page; null on the last one.
    next_cursor: Option<String>,
}

const DEFAULT_SESSIONS: u32 = 50;
const MAX_SESSIONS: u32 = 200;

/// Which sessions are wanted.
#[derive(Debug, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "for the document; `wanted` reads it")]
pub(super) struct ListParameters {
    /// Only those that are finalized (`false`), or only those that are not.
    active: Option<bool>,
    /// Only this user's.
    #[param(min_length = 1, max_length = 256)]
    user_id: Option<String>,
    /// Only those that began at this time or later.
    #[param(format = "date-time")]
    from: Option<String>,
    /// Only those that began before this time.
    #[param(format = "date-time")]
    to: Option<String>,
    /// So many at the most; 50 where nothing is said.
    #[param(minimum = 1, maximum = 200)]
    limit: Option<i32>,
    /// Where the page before ended: its `next_cursor`.
    cursor: Option<String>,
}

/// Sessions, newest first.
///
/// # Errors
///
/// 400 for a bad parameter, 503 if the store does not answer.
#[utoipa::path(
    get,
    operation_id = "listSessions",
    path = "/api/sessions",
    tag = "sessions",
    params(ListParameters),
    responses(
        (status = 200, description = "A page of sessions", body = ref("#/components/schemas/Sessions")),
        (status = 503, description = "The store does not answer"),
    )
)]
pub(in crate::http) async fn list(app: &App, caller: &Caller, query: &Query<'_>) -> Reply {
    let mut wanted = wanted(query)?;
    wanted.user_id = access::listed(app, caller, wanted.user_id)?;
    let found = app.archive.list(&wanted).await?;
    let last = found.sessions.last().filter(|_| found.has_more);
    let body = SessionsJson {
        next_cursor: last.map(|record| cursor(&record.into())),
        sessions: found
            .sessions
            .into_iter()
            .map(|record| SessionJson::of(app, record))
            .collect(),
    };
    Ok(json(StatusCode::OK, &body))
}

fn wanted(query: &Query<'_>) -> Result<ListQuery, Problem> {
    let before = query.single("cursor")?.map(|text| {
        position(text).ok_or_else(|| {
            Problem::invalid_field("cursor", "must be the `next_cursor` of another page")
        })
    });
    Ok(ListQuery {
        user_id: query.user_id()?,
        active: query.parsed("active", "must be `true` or `false`")?,
        from: query.time("from")?,
        to: query.time("to")?,
        limit: query.limit(DEFAULT_SESSIONS, MAX_SESSIONS)?,
        before: before.transpose()?,
    })
}

/// Opaque to clients: the milliseconds of the time, and the id. An id has no comma.
fn cursor(position: &SessionPosition) -> String {
    let millis = position.start_time.as_datetime().timestamp_millis();
    format!("{millis},{}", position.session_id)
}

fn position(text: &str) -> Option<SessionPosition> {
    let (millis, session_id) = text.split_once(',')?;
    let time = chrono::DateTime::from_timestamp_millis(millis.parse().ok()?)?;
    let session_id: SessionId = session_id.parse().ok()?;
    Some(SessionPosition {
        start_time: Timestamp::from(time),
        session_id,
    })
}

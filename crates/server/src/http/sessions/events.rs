//! The log of a session, page by page.

use http::HeaderMap;
use patter_protocol::{DurableEvent, LogEpoch, SessionId};
use patter_store::EventQuery;
use schemars::JsonSchema;
use serde::Serialize;

use super::{SessionPath, find};
use crate::http::{App, Problem, Query, Reply, json_text, negotiation};

/// A page of a log.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Events")]
pub(in crate::http) struct EventsJson {
    session_id: SessionId,
    /// Names this incarnation of the log.
    epoch: LogEpoch,
    /// The highest `seq` of the log.
    last_seq: u64,
    /// The events, in order of `seq`.
    pub(super) events: Vec<DurableEvent>,
    /// To be given as `after` for the next page; null on the last one.
    next_after: Option<u64>,
}

const DEFAULT_EVENTS: u32 = 100;
const MAX_EVENTS: u32 = 1_000;

const EVENT_TYPES: [&str; 8] = [
    "session_started",
    "user_message",
    "ai_response",
    "tool_call",
    "tool_approved",
    "tool_result",
    "session_ended",
    "session_summary",
];

/// Which part of a log is wanted.
#[derive(Debug, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct Page {
    /// Only events with a higher `seq`.
    #[param(value_type = Option<i64>, minimum = 0)]
    after: Option<u64>,
    /// So many events at the most; 100 where nothing is said.
    #[param(value_type = Option<i32>, minimum = 1, maximum = 1000)]
    limit: u32,
    /// Only events of these types, which stand between commas.
    #[param(value_type = Option<String>, rename = "type",
        pattern = "^(session_started|user_message|ai_response|tool_call|tool_approved|tool_result|session_ended|session_summary)(,(session_started|user_message|ai_response|tool_call|tool_approved|tool_result|session_ended|session_summary))*$")]
    types: Vec<String>,
}

/// Some events, and where the next ones begin.
pub(super) struct Events {
    pub(super) events: Vec<DurableEvent>,
    next_after: Option<u64>,
}

impl Page {
    /// The longest page there is, from the beginning.
    pub(super) fn first() -> Self {
        Self {
            after: None,
            limit: MAX_EVENTS,
            types: Vec::new(),
        }
    }

    fn parse(query: &Query<'_>) -> Result<Self, Problem> {
        Ok(Self {
            after: query.seq("after")?,
            limit: query.limit(DEFAULT_EVENTS, MAX_EVENTS)?,
            types: types(query)?,
        })
    }

    /// Reads it from the store.
    pub(super) async fn read(self, app: &App, session_id: &SessionId) -> Result<Events, Problem> {
        let wanted = EventQuery {
            after: self.after.unwrap_or(0),
            // One more tells whether there is another page.
            limit: self.limit.saturating_add(1),
            types: self.types,
        };
        let stored = app.sessions.store().events(session_id, wanted).await?;
        let limit = usize::try_from(self.limit).unwrap_or(usize::MAX);
        let is_last = stored.len() <= limit;
        let events = stored.into_iter().take(limit);
        let events: Vec<_> = events.map(|stored| stored.event).collect();
        Ok(Events {
            next_after: events.last().map(|last| last.seq).filter(|_| !is_last),
            events,
        })
    }
}

/// A page of a session's log.
///
/// # Errors
///
/// 400 for a bad parameter, 404 if there is no such session, 503 if the store does not answer.
#[utoipa::path(
    get,
    operation_id = "listEvents",
    path = "/api/sessions/{session_id}/events",
    tag = "sessions",
    params(SessionPath, Page),
    responses(
        (status = 200, description = "Events of the log, in order", body = ref("#/components/schemas/Events")),
        (status = 404, description = "There is no such session"),
        (status = 503, description = "The store does not answer"),
    )
)]
pub(in crate::http) async fn events(
    app: &App,
    session_id: &SessionId,
    query: &Query<'_>,
    request: &HeaderMap,
) -> Reply {
    let page = Page::parse(query)?;
    let record = find(app, session_id).await?;
    let Events { events, next_after } = page.read(app, session_id).await?;
    let body = EventsJson {
        session_id: record.session_id,
        epoch: record.epoch,
        last_seq: record.last_seq,
        events,
        next_after,
    };
    Ok(negotiation::revalidated(request, json_text(&body)))
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

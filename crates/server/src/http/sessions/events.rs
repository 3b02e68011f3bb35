//! The log of a session, page by page.

use http::HeaderMap;
use patter_protocol::{DurableEvent, LogEpoch, SessionId};
use patter_store::EventQuery;
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::value::{RawValue, to_raw_value};

use super::SessionPath;
use crate::auth::Caller;
use crate::http::access::{self, Need};
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
    #[schemars(with = "Vec<DurableEvent>")]
    events: Vec<Box<RawValue>>,
    /// To be given as `after` for the next page; null on the last one.
    next_after: Option<u64>,
}

const DEFAULT_EVENTS: u32 = 100;
const MAX_EVENTS: u32 = 1_000;
/// So many are read from the store at a time.
const AT_A_TIME: u32 = 50;
/// A page with so many bytes takes no further event.
const PAGE_BYTES: usize = 1 << 20;

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
    /// So many events at the most, and fewer where they are large; 100 where nothing is said.
    #[param(value_type = Option<i32>, minimum = 1, maximum = 1000)]
    limit: u32,
    /// Only events of these types, which stand between commas.
    #[param(value_type = Option<String>, rename = "type",
        pattern = "^(session_started|user_message|ai_response|tool_call|tool_approved|tool_result|session_ended|session_summary)(,(session_started|user_message|ai_response|tool_call|tool_approved|tool_result|session_ended|session_summary))*$")]
    types: Vec<String>,
}

/// Some events, and where the next ones begin.
pub(super) struct Events {
    /// Each as JSON.
    pub(super) events: Vec<Box<RawValue>>,
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

    /// Reads it from the store, a little at a time: a page ends early where its events are large, since all of
    /// it is held until the client has it.
    pub(super) async fn read(self, app: &App, session_id: &SessionId) -> Result<Events, Problem> {
        let mut page = Events {
            events: Vec::new(),
            next_after: None,
        };
        let (mut after, mut left, mut bytes) = (self.after.unwrap_or(0), self.limit, 0);
        loop {
            let wanted = EventQuery {
                after,
                // One more tells whether there is another page.
                limit: left.saturating_add(1).min(AT_A_TIME),
                types: self.types.clone(),
            };
            let asked = usize::try_from(wanted.limit).unwrap_or(usize::MAX);
            let stored = app.sessions.store().events(session_id, wanted).await?;
            let is_last = stored.len() < asked;
            for stored in stored {
                if left == 0 || bytes > PAGE_BYTES {
                    page.next_after = Some(after);
                    return Ok(page);
                }
                after = stored.event.seq;
                let json = to_raw_value(&stored.event).map_err(|_never| Problem::internal())?;
                bytes += json.get().len();
                left -= 1;
                page.events.push(json);
            }
            if is_last {
                return Ok(page);
            }
        }
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
    caller: &Caller,
    session_id: &SessionId,
    query: &Query<'_>,
    request: &HeaderMap,
) -> Reply {
    let page = Page::parse(query)?;
    let record = access::session(app, caller, session_id, Need::Read).await?;
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

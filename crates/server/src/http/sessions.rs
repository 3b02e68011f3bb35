//! Sessions: what the store knows of them, their logs, and what is done to them from outside a conversation.

mod change;
mod end;
mod events;
mod files;
mod list;
mod mint;
mod shown;

use http::{HeaderMap, StatusCode};
use patter_protocol::SessionId;

use super::access::{self, Need};
use super::{App, Reply, negotiation};
use crate::auth::Caller;
pub(super) use change::{__path_delete, __path_rename, ChangeJson, delete, rename};
pub(super) use end::{__path_end, end};
pub(super) use events::{__path_events, EventsJson, events};
pub(super) use files::{__path_export, __path_import, ExportJson, export, import};
pub(super) use list::{__path_list, SessionsJson, list};
pub(super) use mint::{__path_mint, MintJson, MintedJson, mint};
pub(super) use shown::{SessionAndEventsJson, SessionJson};

/// The id in a path.
#[derive(utoipa::IntoParams)]
#[into_params(parameter_in = Path)]
#[expect(dead_code, reason = "for the document; the router reads it")]
pub(super) struct SessionPath {
    /// 1 to 128 characters of `A-Z a-z 0-9 . _ ~ : -`, beginning with a letter or a digit.
    #[param(
        min_length = 1,
        max_length = 128,
        pattern = "^[A-Za-z0-9][A-Za-z0-9._~:-]*$"
    )]
    session_id: String,
}

/// One session.
///
/// # Errors
///
/// 404 if there is none, 503 if the store does not answer.
#[utoipa::path(
    get,
    operation_id = "getSession",
    path = "/api/sessions/{session_id}",
    tag = "sessions",
    params(SessionPath),
    responses(
        (status = 200, description = "The session", body = ref("#/components/schemas/Session")),
        (status = 404, description = "There is no such session"),
        (status = 503, description = "The store does not answer"),
    )
)]
pub(super) async fn show(
    app: &App,
    caller: &Caller,
    session_id: &SessionId,
    request: &HeaderMap,
) -> Reply {
    let record = access::session(app, caller, session_id, Need::Read).await?;
    let shown = SessionJson::of(app, record);
    Ok(negotiation::revalidated(request, super::json_text(&shown)))
}

/// One session and the first thousand events of its log, at the path that older clients know.
///
/// # Errors
///
/// 404 if there is none, 503 if the store does not answer.
#[utoipa::path(
    get,
    operation_id = "getSessionAndEvents",
    path = "/api/session/{session_id}",
    tag = "sessions",
    params(SessionPath),
    responses(
        (status = 200, description = "The session and the first 1 000 events of its log; \
            `/api/sessions/{session_id}/events` has them all",
            body = ref("#/components/schemas/SessionAndEvents")),
        (status = 404, description = "There is no such session"),
        (status = 503, description = "The store does not answer"),
    )
)]
pub(super) async fn with_events(app: &App, caller: &Caller, session_id: &SessionId) -> Reply {
    let record = access::session(app, caller, session_id, Need::Read).await?;
    let page = events::Page::first();
    let body = SessionAndEventsJson {
        events: page.read(app, session_id).await?.events,
        session: SessionJson::of(app, record),
    };
    Ok(super::json(StatusCode::OK, &body))
}

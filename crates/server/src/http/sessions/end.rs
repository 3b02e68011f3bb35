//! Finalizes a session: whoever is connected sees it end.

use http::StatusCode;
use patter_protocol::SessionId;

use super::{SessionJson, SessionPath};
use crate::auth::Caller;
use crate::http::access::{self, Need};
use crate::http::{App, Reply, json};

/// Finalizes a session now: no answer goes on, and there is a summary afterwards, or it follows. One that is
/// finalized already is left as it is.
///
/// # Errors
///
/// 404 if there is none, 503 if the store does not answer or another process has the session.
#[utoipa::path(
    post,
    operation_id = "endSession",
    path = "/api/sessions/{session_id}/end",
    tag = "sessions",
    params(SessionPath),
    responses(
        (status = 200, description = "The session with its summary and metrics", body = ref("#/components/schemas/Session")),
        (status = 404, description = "There is no such session"),
        (status = 503, description = "The session cannot be finalized here now"),
    )
)]
pub(in crate::http) async fn end(app: &App, caller: &Caller, session_id: &SessionId) -> Reply {
    let mut record = access::session(app, caller, session_id, Need::Act).await?;
    // One that is live may be about to store that it was opened again.
    if record.is_active || app.sessions.is_live(session_id) {
        app.sessions.end(session_id, true).await?;
        record = access::session(app, caller, session_id, Need::Act).await?;
    }
    Ok(json(StatusCode::OK, &SessionJson::of(app, record)))
}

//! Finalizes a session: by the same way as a client's `end`, so that whoever is connected sees it end.

use http::StatusCode;
use patter_protocol::{ClientMessage, CloseCode, SessionId};
use patter_session::{After, Delivery, OpenOptions, Refusal};

use super::{SessionJson, SessionPath, find};
use crate::http::{App, Problem, Reply, json};

/// How often a session is asked again that changed hands just as it was asked.
const ATTEMPTS: usize = 3;

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
        (status = 429, description = "The session has too many connections"),
        (status = 503, description = "The session cannot be finalized here now"),
    )
)]
pub(in crate::http) async fn end(app: &App, session_id: &SessionId) -> Reply {
    let mut record = find(app, session_id).await?;
    if record.is_active {
        finalize(app, session_id).await?;
        record = find(app, session_id).await?;
    }
    Ok(json(StatusCode::OK, &SessionJson::of(app, record)))
}

/// Ends a session that is not finalized, and waits until it is.
///
/// # Errors
///
/// 503 where that cannot be done here and now.
pub(in crate::http) async fn finalize(app: &App, session_id: &SessionId) -> Result<(), Problem> {
    for _ in 0..ATTEMPTS {
        let session = app
            .sessions
            .open(session_id.clone(), OpenOptions::default())
            .await?;
        let mut attachment = session.attach(After::Now).await?;
        match session.submit(ClientMessage::End).await {
            // It may have been ending already.
            Ok(_) | Err(Refusal::Gone) => {}
            Err(refusal) => return Err(refusal.into()),
        }
        loop {
            match attachment.next().await {
                Delivery::Frame(_) => {}
                Delivery::Closed(CloseCode::Normal) => return Ok(()),
                Delivery::Closed(CloseCode::Restart) => return Err(Problem::draining()),
                Delivery::Closed(_) => break,
            }
        }
    }
    let detail = "the session changes hands; try again";
    Err(Problem::unavailable("busy", detail))
}

//! Changes what a client has said about a session, and deletes sessions.

use http::{Request, Response, StatusCode};
use hyper::body::Incoming;
use patter_protocol::{JsonObject, SessionId, clean_json};
use patter_store::StoreError;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

use super::{SessionJson, SessionPath};
use crate::auth::Caller;
use crate::http::access::{self, Need};
use crate::http::routes::Route;
use crate::http::{App, Body, Problem, Reply, body, json};

/// How often a session is finalized that was opened again while it was to be deleted.
const ATTEMPTS: usize = 3;

/// What is to be changed about a session.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "SessionChange")]
pub(in crate::http) struct ChangeJson {
    /// Merged into what is there (RFC 7396): null takes a key away. All of it together may have 64 KiB.
    /// `metrics` belongs to the server.
    metadata: JsonObject,
}

/// Merges into the metadata of a session: its title, its tags, anything else.
///
/// # Errors
///
/// 400 for a bad body, 404 if there is no such session, 503 if the store does not answer.
#[utoipa::path(
    patch,
    operation_id = "changeSession",
    path = "/api/sessions/{session_id}",
    tag = "sessions",
    params(SessionPath),
    request_body(content = ref("#/components/schemas/SessionChange")),
    responses(
        (status = 200, description = "The session as it is now", body = ref("#/components/schemas/Session")),
        (status = 404, description = "There is no such session"),
        (status = 503, description = "The store does not answer"),
    )
)]
pub(in crate::http) async fn rename(
    app: &App,
    caller: &Caller,
    request: Request<Incoming>,
    session_id: &SessionId,
) -> Reply {
    let change: ChangeJson = body::json(request, Route::NameSession.body_limit()).await?;
    let patch = checked_metadata(change.metadata)?;
    access::session(app, caller, session_id, Need::Act).await?;
    let record = app.archive.merge_metadata(session_id, patch).await?;
    let record = record.ok_or_else(access::no_such_session)?;
    Ok(json(StatusCode::OK, &SessionJson::of(app, record)))
}

/// Deletes a session with all that was said in it. One that goes on is finalized first, without a summary.
///
/// # Errors
///
/// 404 if there is none, 503 if the store does not answer or another process has the session.
#[utoipa::path(
    delete,
    operation_id = "deleteSession",
    path = "/api/sessions/{session_id}",
    tag = "sessions",
    params(SessionPath),
    responses(
        (status = 204, description = "The session is gone"),
        (status = 404, description = "There is no such session"),
        (status = 503, description = "The session cannot be deleted here now"),
    )
)]
pub(in crate::http) async fn delete(app: &App, caller: &Caller, session_id: &SessionId) -> Reply {
    for attempt in 1.. {
        let record = access::session(app, caller, session_id, Need::Act).await?;
        let was_opened = record.last_seq > 0;
        if app.sessions.is_live(session_id) || (record.is_active && was_opened) {
            app.sessions.end(session_id, false).await?;
        }
        match app.archive.delete(session_id).await {
            Ok(true) => break,
            Ok(false) => return Err(access::no_such_session()),
            Err(StoreError::Owned { .. }) if attempt < ATTEMPTS => {}
            Err(error) => return Err(error.into()),
        }
    }
    let mut response = Response::new(Body::default());
    *response.status_mut() = StatusCode::NO_CONTENT;
    Ok(response)
}

/// Metadata that can be kept.
///
/// # Errors
///
/// 400 for U+0000.
pub(super) fn checked_metadata(metadata: JsonObject) -> Result<JsonObject, Problem> {
    match clean_json(Value::Object(metadata.clone())) {
        Value::Object(kept) if kept == metadata => Ok(metadata),
        _ => Err(Problem::invalid_field(
            "metadata",
            "must not contain U+0000",
        )),
    }
}

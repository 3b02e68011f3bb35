//! Makes a session that somebody will open.

use http::header::LOCATION;
use http::{HeaderValue, Request, StatusCode};
use hyper::body::Incoming;
use patter_protocol::{JsonObject, SessionId, Timestamp};
use patter_store::NewSession;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::change::checked_metadata;
use crate::auth::Caller;
use crate::http::access;
use crate::http::query::checked_user_id;
use crate::http::routes::Route;
use crate::http::{App, Reply, body, json};

/// What a session is made with.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "NewSession")]
pub(in crate::http) struct MintJson {
    /// Whose it is. A user's own where nothing is said; services may name any user.
    #[schemars(length(min = 1, max = 256))]
    user_id: Option<String>,
    /// The client's own: a title, tags, anything.
    #[serde(default)]
    metadata: JsonObject,
}

/// A session that was made.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "MintedSession")]
pub(in crate::http) struct MintedJson {
    session_id: SessionId,
    /// The path of its WebSocket on this server.
    ws_url: String,
    created_at: Timestamp,
}

/// Makes a session with an id that nobody can guess. (Opening a WebSocket with an id of one's own makes one
/// too.)
///
/// # Errors
///
/// 400 for a bad body, 503 if the store does not answer.
#[utoipa::path(
    post,
    operation_id = "createSession",
    path = "/api/sessions",
    tag = "sessions",
    request_body(content = ref("#/components/schemas/NewSession"), description = "May be left out"),
    responses(
        (status = 201, description = "The session was made; `Location` names it",
            body = ref("#/components/schemas/MintedSession"),
            headers(("Location" = String, description = "Its path"))),
        (status = 403, description = "It would be somebody else's"),
        (status = 429, description = "Too many new sessions; `Retry-After` says when to come back"),
        (status = 503, description = "The store does not answer"),
    )
)]
pub(in crate::http) async fn mint(app: &App, caller: &Caller, request: Request<Incoming>) -> Reply {
    let wanted: MintJson = body::json(request, Route::MintSession.body_limit()).await?;
    let asked = wanted.user_id.map(checked_user_id).transpose()?;
    let session = NewSession {
        session_id: SessionId::generate(),
        user_id: access::owner_of_new(app, caller, asked)?,
        metadata: checked_metadata(wanted.metadata)?,
    };
    let record = app.archive.create(session).await?;
    let location = HeaderValue::try_from(format!("/api/sessions/{}", record.session_id));
    let minted = MintedJson {
        ws_url: format!("/ws/session/{}", record.session_id),
        session_id: record.session_id,
        created_at: record.created_at,
    };
    let mut response = json(StatusCode::CREATED, &minted);
    if let Ok(location) = location {
        response.headers_mut().insert(LOCATION, location);
    }
    Ok(response)
}

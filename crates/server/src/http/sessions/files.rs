//! Sessions as files: taken along, and brought back.

use http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use http::{HeaderValue, Request, Response, StatusCode};
use hyper::body::Incoming;
use patter_protocol::{DurableEvent, InvalidId, SessionId};
use patter_store::StoreError;

use super::{SessionJson, SessionPath};
use crate::auth::Caller;
use crate::export::{self, ExportFormat, ExportedSession};
use crate::http::access::{self, Need};
use crate::http::routes::Route;
use crate::http::{App, Problem, Query, Reply, body, json, never_cached};

/// A conversation as JSON: what is written piece by piece, for the document.
#[derive(schemars::JsonSchema)]
#[schemars(rename = "Export")]
#[expect(dead_code, reason = "for the document; `export` writes it")]
pub(in crate::http) struct ExportJson {
    session: ExportedSession,
    events: Vec<DurableEvent>,
}

/// The form of a file.
#[derive(utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "for the document; `format` reads it")]
struct ExportParameters {
    /// `markdown` for people, `json` (where nothing is said), or `jsonl`, which can be imported.
    #[param(pattern = "^(markdown|json|jsonl)$")]
    format: Option<String>,
}

/// What an imported session is to be.
#[derive(utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "for the document; `import` reads it")]
struct ImportParameters {
    /// Its id, if not the one in the file. Where clients may not choose ids, it gets a new one in any case.
    #[param(
        min_length = 1,
        max_length = 128,
        pattern = "^[A-Za-z0-9][A-Za-z0-9._~:-]*$"
    )]
    session_id: Option<String>,
    /// Whose it is, if not that of the one in the file. What a user brings back is the user's.
    #[param(min_length = 1, max_length = 256)]
    user_id: Option<String>,
}

/// The whole conversation as a file. It comes as it is read, however long it is.
///
/// # Errors
///
/// 400 for a format that there is not, 404 if there is no such session, 503 if the store does not answer.
#[utoipa::path(
    get,
    operation_id = "exportSession",
    path = "/api/sessions/{session_id}/export",
    tag = "sessions",
    params(SessionPath, ExportParameters),
    responses(
        (status = 200, description = "The conversation", content(
            (ref("#/components/schemas/Export") = "application/json"),
            (String = "application/jsonl"),
            (String = "text/markdown"))),
        (status = 404, description = "There is no such session"),
        (status = 503, description = "The store does not answer"),
    )
)]
pub(in crate::http) async fn export(
    app: &App,
    caller: &Caller,
    session_id: &SessionId,
    query: &Query<'_>,
) -> Reply {
    let format = format(query)?;
    let record = access::session(app, caller, session_id, Need::Read).await?;
    let store = app.sessions.store().clone();
    let mut response = Response::new(body::stream(export::export(store, record, format)));
    let headers = response.headers_mut();
    headers.insert(
        CONTENT_TYPE,
        HeaderValue::from_static(format.content_type()),
    );
    // An id has no quote in it.
    let name = format!(
        "attachment; filename=\"{session_id}.{}\"",
        format.extension()
    );
    if let Ok(name) = HeaderValue::try_from(name) {
        headers.insert(CONTENT_DISPOSITION, name);
    }
    never_cached(headers);
    Ok(response)
}

/// Brings back a conversation that was exported as `jsonl`: all of it or nothing.
///
/// # Errors
///
/// 400 for a file that no export wrote, 409 where there is such a session, 413 for more than 64 MiB, 503 if
/// the store does not answer or too much is imported at the same time.
#[utoipa::path(
    post,
    operation_id = "importSession",
    path = "/api/import",
    tag = "sessions",
    params(ImportParameters),
    request_body(content = String, content_type = "application/jsonl", description = "What `jsonl` gave"),
    responses(
        (status = 201, description = "The session", body = ref("#/components/schemas/Session")),
        (status = 403, description = "It would be somebody else's, or its id belongs to somebody else"),
        (status = 409, description = "There is a session of that name"),
        (status = 503, description = "The store does not answer"),
    )
)]
pub(in crate::http) async fn import(
    app: &App,
    caller: &Caller,
    request: Request<Incoming>,
    query: &Query<'_>,
) -> Reply {
    let session_id: Option<SessionId> = query
        .single("session_id")?
        .map(str::parse)
        .transpose()
        .map_err(|error: InvalidId| Problem::invalid_field("session_id", error.to_string()))?;
    // Before anything is read of the file.
    access::check_lists(app, caller)?;
    let user_id = access::owner_of_new(app, caller, query.user_id()?)?;
    // A file is held in memory whole.
    let _place = app
        .imports
        .try_acquire()
        .map_err(|_taken| Problem::unavailable("busy", "too much is imported at the same time"))?;
    let file = body::bytes(request, Route::ImportSession.body_limit()).await?;
    // It takes seconds to read a large file, in which the conversations go on.
    let reading = tokio::task::spawn_blocking(move || export::read(&file)).await;
    let mut session = reading
        .map_err(|_panic| Problem::internal())?
        .map_err(|error| Problem::invalid_field("body", error.to_string()))?;
    if let Some(session_id) = session_id {
        session.session_id = session_id;
    }
    if let Some(user_id) = user_id {
        session.user_id = Some(user_id);
    }
    if !access::may_bring(app, caller, &session.session_id) {
        session.session_id = SessionId::generate();
    }
    let session_id = session.session_id.clone();
    let record = match app.archive.import(session).await {
        Err(StoreError::Exists { .. }) => return Err(taken(app, caller, &session_id).await),
        imported => imported?,
    };
    Ok(json(StatusCode::CREATED, &SessionJson::of(app, record)))
}

/// Why a session cannot be brought back under an id that is taken: 409 where it is the caller's.
async fn taken(app: &App, caller: &Caller, session_id: &SessionId) -> Problem {
    match access::session(app, caller, session_id, Need::Act).await {
        Ok(record) => Problem::from(StoreError::Exists {
            session_id: record.session_id,
        }),
        Err(_not_yours) => access::no_session_of_yours(),
    }
}

fn format(query: &Query<'_>) -> Result<ExportFormat, Problem> {
    match query.single("format")? {
        Some("markdown") => Ok(ExportFormat::Markdown),
        None | Some("json") => Ok(ExportFormat::Json),
        Some("jsonl") => Ok(ExportFormat::Jsonl),
        Some(_) => {
            let expected = "must be `markdown`, `json` or `jsonl`";
            Err(Problem::invalid_field("format", expected))
        }
    }
}

//! `GET /api/tools`: which tools models may call here, and within which limits.

use http::{Response, StatusCode};

use super::{App, Body, json};
use crate::commands::ToolsReport;

/// The tools of this server, those of plug-ins too.
#[utoipa::path(
    get,
    operation_id = "listTools",
    path = "/api/tools",
    tag = "server",
    responses((status = 200, description = "The tools", body = ref("#/components/schemas/Tools")))
)]
pub(super) fn list(app: &App) -> Response<Body> {
    let report = ToolsReport::of(app.sessions.tools(), app.sessions.settings());
    json(StatusCode::OK, &report)
}

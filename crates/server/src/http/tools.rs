//! `GET /api/tools`: which tools models may call here, and within which limits.

use http::StatusCode;

use super::{App, Reply, json};
use crate::commands::ToolsReport;

/// The tools of this server.
pub(crate) fn list(app: &App) -> Reply {
    let report = ToolsReport::of(app.sessions.tools(), app.sessions.settings());
    Ok(json(StatusCode::OK, &report))
}

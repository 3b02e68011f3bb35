//! `GET /api/models`: which models this server is set up to use, what they hold and what they cost.

use http::{Response, StatusCode};

use super::{App, Body, json};

/// The models.
#[utoipa::path(
    get,
    operation_id = "listModels",
    path = "/api/models",
    tag = "server",
    responses((status = 200, description = "The models", body = ref("#/components/schemas/Models")))
)]
pub(super) fn list(app: &App) -> Response<Body> {
    json(StatusCode::OK, &app.models)
}

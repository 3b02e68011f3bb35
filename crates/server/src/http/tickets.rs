//! `POST /api/ws-ticket`: a ticket for a WebSocket, for clients that can send no header with it and would
//! rather not offer their token as a protocol.

use http::{Request, StatusCode};
use hyper::body::Incoming;
use patter_protocol::SessionId;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::query::checked_user_id;
use super::routes::Route;
use super::{App, Problem, Reply, body, json};
use crate::auth::{Caller, TICKET_LIFETIME};

/// What a ticket is for.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "NewTicket")]
pub(super) struct NewTicketJson {
    /// The session that it opens, and no other.
    session_id: SessionId,
    /// Who opens it: for services that may act in the name of users. Everybody else is themselves.
    #[schemars(length(min = 1, max = 256))]
    user_id: Option<String>,
}

/// A ticket.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Ticket")]
pub(super) struct TicketJson {
    /// The secret itself, which is good once.
    ticket: String,
    /// The path of the WebSocket on this server, with the ticket in it.
    ws_url: String,
    /// In so many seconds it is worth nothing.
    expires_in: u64,
}

/// Makes a ticket, with which one WebSocket can be opened within half a minute.
///
/// # Errors
///
/// 400 for a bad body, 403 for a ticket in the name of somebody else.
#[utoipa::path(
    post,
    operation_id = "createTicket",
    path = "/api/ws-ticket",
    tag = "conversation",
    request_body(content = ref("#/components/schemas/NewTicket")),
    responses(
        (status = 201, description = "The ticket", body = ref("#/components/schemas/Ticket")),
        (status = 403, description = "A ticket for another user, which only services get that may act"),
    )
)]
pub(super) async fn issue(app: &App, request: Request<Incoming>, caller: &Caller) -> Reply {
    let wanted: NewTicketJson = body::json(request, Route::WsTicket.body_limit()).await?;
    let user_id = wanted.user_id.map(checked_user_id).transpose()?;
    let session_id = wanted.session_id;
    let ticket = app
        .authenticator
        .ticket(caller, session_id.clone(), user_id)?
        .ok_or_else(Problem::internal)?;
    let issued = TicketJson {
        ws_url: format!("/ws/session/{session_id}?ticket={ticket}"),
        ticket,
        expires_in: TICKET_LIFETIME.as_secs(),
    };
    Ok(json(StatusCode::CREATED, &issued))
}

//! What a request must look like to become a WebSocket
//! ([RFC 6455, section 4.2](https://www.rfc-editor.org/rfc/rfc6455#section-4.2)). Whatever is refused here is
//! refused as HTTP, before the upgrade.

use http::header::{SEC_WEBSOCKET_KEY, SEC_WEBSOCKET_PROTOCOL, SEC_WEBSOCKET_VERSION, UPGRADE};
use http::{HeaderValue, Request, Response, StatusCode};
use tokio_tungstenite::tungstenite;
use tokio_tungstenite::tungstenite::error::ProtocolError;
use tokio_tungstenite::tungstenite::handshake::server::create_response_with_body;

use crate::auth::{PROTOCOL, offered};
use crate::http::{Body, Problem};

/// The answer that agrees to the upgrade.
///
/// # Errors
///
/// 426 where no upgrade to a WebSocket of version 13 was asked for, 400 for a bad key or a token that is
/// offered without our protocol.
pub(crate) fn agree<B>(request: &Request<B>) -> Result<Response<Body>, Problem> {
    if request.headers().get_all(SEC_WEBSOCKET_KEY).iter().count() > 1 {
        return Err(bad_key());
    }
    let mut response = create_response_with_body(request, Body::default).map_err(refusal)?;
    // Of all that is offered only this is agreed to: an answer stands in the logs of proxies, a token not.
    if offered(request.headers())?.is_ours {
        let ours = HeaderValue::from_static(PROTOCOL);
        response.headers_mut().insert(SEC_WEBSOCKET_PROTOCOL, ours);
    }
    Ok(response)
}

fn refusal(error: tungstenite::Error) -> Problem {
    match error {
        tungstenite::Error::Protocol(
            ProtocolError::MissingConnectionUpgradeHeader
            | ProtocolError::MissingUpgradeWebSocketHeader,
        ) => upgrade_required("this path speaks WebSocket; ask for an upgrade"),
        tungstenite::Error::Protocol(ProtocolError::MissingSecWebSocketVersionHeader) => {
            upgrade_required("only version 13 of the WebSocket protocol is spoken here")
                .header(SEC_WEBSOCKET_VERSION, HeaderValue::from_static("13"))
        }
        tungstenite::Error::Protocol(
            ProtocolError::MissingSecWebSocketKey | ProtocolError::InvalidSecWebSocketKey,
        ) => bad_key(),
        other => Problem::bad_request(format!("not a WebSocket handshake: {other}")),
    }
}

fn upgrade_required(detail: &'static str) -> Problem {
    Problem::new(StatusCode::UPGRADE_REQUIRED, "upgrade_required", detail)
        .header(UPGRADE, HeaderValue::from_static("websocket"))
}

fn bad_key() -> Problem {
    Problem::bad_request("`Sec-WebSocket-Key` must be given once, as 16 bytes in base64")
}

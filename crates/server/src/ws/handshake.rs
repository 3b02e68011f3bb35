//! What a request must look like to become a WebSocket
//! ([RFC 6455, section 4.2](https://www.rfc-editor.org/rfc/rfc6455#section-4.2)), and from where it
//! may come. Whatever is refused here is refused as HTTP, before the upgrade.

use http::header::{
    HOST, ORIGIN, SEC_WEBSOCKET_KEY, SEC_WEBSOCKET_PROTOCOL, SEC_WEBSOCKET_VERSION, UPGRADE,
};
use http::{HeaderMap, HeaderValue, Request, Response, StatusCode};
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
/// offered without our protocol, 403 for a
/// page of somebody else.
pub(crate) fn agree<B>(request: &Request<B>) -> Result<Response<Body>, Problem> {
    if request.headers().get_all(SEC_WEBSOCKET_KEY).iter().count() > 1 {
        return Err(bad_key());
    }
    let mut response = create_response_with_body(request, Body::default).map_err(refusal)?;
    check_origin(request.headers())?;
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

/// Browsers let any page open a WebSocket to any server and say in `Origin` which page it was.
/// Only the server's own pages may; whoever sends no `Origin` is not a browser.
///
/// # Errors
///
/// 403.
pub(crate) fn check_origin(headers: &HeaderMap) -> Result<(), Problem> {
    if is_own_origin(headers) {
        Ok(())
    } else {
        let detail = "a page of another origin may not connect";
        Err(Problem::new(StatusCode::FORBIDDEN, "forbidden", detail))
    }
}

/// Whether a request comes from one of the server's own pages, or from no page at all.
pub(crate) fn is_own_origin(headers: &HeaderMap) -> bool {
    let mut origins = headers.get_all(ORIGIN).iter();
    match (origins.next(), origins.next()) {
        (None, _) => true,
        (Some(origin), None) => is_own(origin, headers.get(HOST)),
        (Some(_), Some(_)) => false,
    }
}

/// Whether the page came from the host and port that the request goes to. The scheme is left open:
/// behind a proxy that ends TLS the server does not know its own.
fn is_own(origin: &HeaderValue, host: Option<&HeaderValue>) -> bool {
    let (Ok(origin), Some(Ok(host))) = (origin.to_str(), host.map(HeaderValue::to_str)) else {
        return false;
    };
    let authority = origin
        .strip_prefix("https://")
        .or_else(|| origin.strip_prefix("http://"));
    authority.is_some_and(|authority| authority.eq_ignore_ascii_case(host))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn origin_is_allowed(origins: &[&str]) -> bool {
        let mut headers = HeaderMap::new();
        headers.insert(HOST, HeaderValue::from_static("app.example"));
        for origin in origins {
            headers.append(ORIGIN, HeaderValue::try_from(*origin).unwrap());
        }
        check_origin(&headers).is_ok()
    }

    #[test]
    fn only_a_page_of_the_same_host_and_port_may_connect() {
        assert!(origin_is_allowed(&[]));
        assert!(origin_is_allowed(&["https://app.example"]));
        assert!(origin_is_allowed(&["http://APP.example"]));
        for foreign in [
            &["https://evil.example"][..],
            &["null"],
            &[""],
            &["app.example"],
            &["https://app.example.evil.com"],
            &["https://evil.com/app.example"],
            &["https://app.example:444"],
            &["https://app.example/"],
            &["https://user@app.example"],
            &["https://app.example", "https://app.example"],
        ] {
            assert!(!origin_is_allowed(foreign), "{foreign:?}");
        }
    }
}

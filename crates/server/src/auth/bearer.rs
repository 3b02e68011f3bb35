//! Where a request may show a credential: in `Authorization`; where it opens a WebSocket, which a browser
//! gives no headers, also among the protocols that it offers, or as a ticket in the query. A token in a
//! query is none: queries stand in the logs of whatever is on the way.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::HeaderMap;
use http::header::{AUTHORIZATION, SEC_WEBSOCKET_PROTOCOL};
use patter_protocol::SessionId;
use secrecy::SecretString;

use super::error::AuthError;

/// The one protocol that is spoken on a WebSocket.
pub(crate) const PROTOCOL: &str = "patter.v1";
/// Stands before a token that is offered as a protocol.
const BEARER_PREFIX: &str = "base64url.bearer.";

/// What a request shows.
#[derive(Debug)]
pub(crate) struct Shown<'a> {
    pub(crate) headers: &'a HeaderMap,
    /// The session that a WebSocket is wanted for, and the ticket in the query.
    pub(crate) socket: Option<(&'a SessionId, Option<&'a str>)>,
}

/// The one credential in it.
#[derive(Debug)]
pub(super) enum Credential<'a> {
    Bearer(SecretString),
    Ticket(&'a str, &'a SessionId),
}

/// What is offered as the protocols of a WebSocket.
#[derive(Debug, Default)]
pub(crate) struct Offered {
    /// Ours is among them.
    pub(crate) is_ours: bool,
    token: Option<String>,
}

/// Reads `Sec-WebSocket-Protocol`.
///
/// # Errors
///
/// [`AuthError::NoProtocol`] for two tokens, and for a token without our protocol.
pub(crate) fn offered(headers: &HeaderMap) -> Result<Offered, AuthError> {
    let mut offered = Offered::default();
    let values = headers.get_all(SEC_WEBSOCKET_PROTOCOL).iter();
    let values = values.filter_map(|value| value.to_str().ok());
    for protocol in values.flat_map(|value| value.split(',')).map(str::trim) {
        if protocol == PROTOCOL {
            offered.is_ours = true;
        } else if let Some(token) = protocol.strip_prefix(BEARER_PREFIX)
            && offered.token.replace(token.to_owned()).is_some()
        {
            return Err(AuthError::NoProtocol);
        }
    }
    if offered.token.is_some() && !offered.is_ours {
        return Err(AuthError::NoProtocol);
    }
    Ok(offered)
}

impl<'a> Shown<'a> {
    /// The one credential; `None` where there is none.
    pub(super) fn credential(&self) -> Result<Option<Credential<'a>>, AuthError> {
        let header = bearer(self.headers)?;
        let Some((session_id, ticket)) = self.socket else {
            return Ok(header.map(Credential::Bearer));
        };
        let protocol = offered(self.headers)?.token.as_deref().map(decoded);
        match (header, protocol, ticket) {
            (None, None, None) => Ok(None),
            (Some(token), None, None) => Ok(Some(Credential::Bearer(token))),
            (None, Some(token), None) => Ok(Some(Credential::Bearer(token?))),
            (None, None, Some(ticket)) => Ok(Some(Credential::Ticket(ticket, session_id))),
            _ => Err(AuthError::Several),
        }
    }
}

/// The token in `Authorization`.
fn bearer(headers: &HeaderMap) -> Result<Option<SecretString>, AuthError> {
    let mut values = headers.get_all(AUTHORIZATION).iter();
    let Some(value) = values.next() else {
        return Ok(None);
    };
    if values.next().is_some() {
        return Err(AuthError::Several);
    }
    let (scheme, token) = value
        .to_str()
        .ok()
        .and_then(|value| value.split_once(' '))
        .ok_or(AuthError::Missing)?;
    if scheme.eq_ignore_ascii_case("bearer") {
        Ok(Some(token.trim().into()))
    } else {
        Err(AuthError::Missing)
    }
}

fn decoded(token: &str) -> Result<SecretString, AuthError> {
    let bytes = URL_SAFE_NO_PAD.decode(token);
    let text = bytes.ok().and_then(|bytes| String::from_utf8(bytes).ok());
    text.map(SecretString::from).ok_or(AuthError::Refused)
}

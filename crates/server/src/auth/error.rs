//! Why somebody is not let in.

use http::header::WWW_AUTHENTICATE;
use http::{HeaderValue, StatusCode};

use crate::http::Problem;

/// Why a credential does not tell who asks. No text says more than its holder may know.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum AuthError {
    /// There is none.
    #[error("a credential is needed: `Authorization: Bearer` and a token")]
    Missing,
    /// There are several, and two readers would disagree about which one counts.
    #[error("a request shows one credential, in one place")]
    Several,
    /// A WebSocket offers a credential as its protocol, and no protocol beside it.
    #[error("`Sec-WebSocket-Protocol` must offer `patter.v1` beside one token")]
    NoProtocol,
    /// It was believed once.
    #[error("the token has expired")]
    Expired,
    /// It is not, or no longer, believed.
    #[error("the token is not valid here")]
    Refused,
    /// A key of the provider's that stands for a program and for no user.
    #[error("this key names no user")]
    NoUser,
    /// A ticket is asked for in the name of somebody else.
    #[error("a ticket for another user is only given to services that may act")]
    NotYours,
    /// The provider's keys cannot be had.
    #[error("the keys to check the token by cannot be fetched now")]
    Unavailable,
}

impl AuthError {
    /// All of them.
    pub(crate) const ALL: [Self; 8] = [
        Self::Missing,
        Self::Several,
        Self::NoProtocol,
        Self::Expired,
        Self::Refused,
        Self::NoUser,
        Self::NotYours,
        Self::Unavailable,
    ];

    /// What it is called where it is counted.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Missing => "missing",
            Self::Several => "several",
            Self::NoProtocol => "no_protocol",
            Self::Expired => "expired",
            Self::Refused => "refused",
            Self::NoUser => "no_user",
            Self::NotYours => "not_yours",
            Self::Unavailable => "keys_unavailable",
        }
    }
}

impl From<AuthError> for Problem {
    fn from(error: AuthError) -> Self {
        let detail = error.to_string();
        match error {
            AuthError::NoProtocol => Self::bad_request(detail),
            AuthError::NoUser | AuthError::NotYours => {
                Self::new(StatusCode::FORBIDDEN, "forbidden", detail)
            }
            AuthError::Unavailable => Self::unavailable("keys_unavailable", detail),
            AuthError::Missing | AuthError::Several | AuthError::Expired | AuthError::Refused => {
                Self::new(StatusCode::UNAUTHORIZED, "unauthorized", detail)
                    .header(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"))
            }
        }
    }
}

//! Who asks: every request, and every connection that comes of one, has a [`Caller`]. Users show the JWT of
//! an identity provider, services a token of their own; a ticket stands for either of them once. Nothing of
//! a credential is logged, and nothing but its holder is told why it was refused.

mod authenticator;
mod bearer;
mod caller;
mod claims;
mod error;
mod jwks;
mod key;
mod listener;
mod revocations;
mod secret;
mod services;
mod tickets;
mod users;
mod validity;

pub(crate) use authenticator::Authenticator;
pub(crate) use bearer::{PROTOCOL, Shown, offered};
pub(crate) use caller::{Caller, Origin, Scope, Subject};
pub(crate) use error::AuthError;
pub(crate) use listener::check_listener;
pub(crate) use secret::{new_token, sha256};
pub(crate) use tickets::LIFETIME as TICKET_LIFETIME;
pub(crate) use validity::Validity;

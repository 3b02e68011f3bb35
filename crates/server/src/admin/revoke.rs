//! `/admin/revoke` and `/admin/flush-keys`: what is no longer to be believed.

use http::{Request, StatusCode};
use hyper::body::Incoming;
use serde::{Deserialize, Serialize};
use tracing::info;

use crate::auth::Authenticator;
use crate::http::{Problem, Reply, body, json};

/// The name of a user has less.
const MAX_BODY_BYTES: usize = 4 * 1024;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Body {
    /// As in the claim.
    sub: String,
}

#[derive(Debug, Serialize)]
struct Revoked {
    revoked: String,
}

#[derive(Debug, Serialize)]
struct Flushed {
    flushed: bool,
}

/// `POST /admin/revoke`: no token of the user that was issued until now is believed any more, and their
/// connections are closed with 4403.
///
/// # Errors
///
/// 400 for a body that is no such thing; 404 where nobody is asked who they are.
pub(super) async fn revoke(authenticator: &Authenticator, request: Request<Incoming>) -> Reply {
    let authenticator = on(authenticator)?;
    // Whatever it is called: people use `curl -d`.
    let body: Body = body::from_json(&body::bytes(request, MAX_BODY_BYTES).await?)?;
    authenticator.revoke(&body.sub);
    info!(user_id = body.sub, "the tokens of a user were revoked");
    Ok(json(StatusCode::ACCEPTED, &Revoked { revoked: body.sub }))
}

/// `POST /admin/flush-keys`: the provider's keys are fetched anew before the next token is believed.
///
/// # Errors
///
/// 404 as for [`revoke`].
pub(super) fn flush_keys(authenticator: &Authenticator) -> Reply {
    on(authenticator)?.flush_keys();
    info!("the keys of the provider were forgotten");
    Ok(json(StatusCode::ACCEPTED, &Flushed { flushed: true }))
}

fn on(authenticator: &Authenticator) -> Result<&Authenticator, Problem> {
    if authenticator.is_on() {
        Ok(authenticator)
    } else {
        Err(Problem::not_found("authentication is off"))
    }
}

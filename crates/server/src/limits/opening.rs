//! Whether a caller may open a session. One that is there costs nothing: whoever comes back must not be
//! refused because others in the same network begin many.

use patter_protocol::SessionId;

use crate::auth::Caller;
use crate::http::{App, Problem, access};

/// Counts the session where opening it would make it.
///
/// # Errors
///
/// 429 where the caller made too many, 503 if the store does not answer.
pub(crate) async fn may_open(
    app: &App,
    caller: &Caller,
    session_id: &SessionId,
) -> Result<(), Problem> {
    // Where clients make none by asking for one, there is nothing to count. Who is not counted is not looked up
    // either.
    let makes_none =
        !access::may_begin(app, caller, session_id) || app.limits.who(caller).is_none();
    if makes_none || app.sessions.is_live(session_id) {
        return Ok(());
    }
    if app.sessions.store().session(session_id).await?.is_none() {
        app.limits.new_session(caller)?;
    }
    Ok(())
}

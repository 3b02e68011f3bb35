//! Keeps the pages that somebody has open in a browser away from the admin port, which trusts whoever
//! reaches it.

use http::header::{HOST, ORIGIN};
use http::{HeaderMap, StatusCode};

use crate::http::Problem;
use crate::http::doors::is_known;

/// Whether the request may come from a tool of those who run the server, rather than from a page.
///
/// Browsers say `Origin` where a page changes something or wants to read what is not its own. A page
/// whose name was made to lead here (DNS rebinding) is given away by that name; so a request says by
/// which address it came, or the host that the configuration names.
///
/// # Errors
///
/// 403.
pub(super) fn check(headers: &HeaderMap, configured: &str) -> Result<(), Problem> {
    if headers.contains_key(ORIGIN) {
        return Err(forbidden("pages in a browser may not use the admin port"));
    }
    let host = headers.get(HOST).and_then(|host| host.to_str().ok());
    if host.is_some_and(|host| is_known(host, &[configured])) {
        Ok(())
    } else {
        Err(forbidden(
            "the admin port is asked by its address, `localhost` or `admin.host`",
        ))
    }
}

fn forbidden(detail: &'static str) -> Problem {
    Problem::new(StatusCode::FORBIDDEN, "forbidden", detail)
}

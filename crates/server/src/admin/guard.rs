//! Keeps the pages that somebody has open in a browser away from the admin port, which trusts whoever
//! reaches it.

use std::net::IpAddr;

use http::header::{HOST, ORIGIN};
use http::uri::Authority;
use http::{HeaderMap, StatusCode};

use crate::http::Problem;

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
    if host.is_some_and(|host| is_known(host, configured)) {
        Ok(())
    } else {
        Err(forbidden(
            "the admin port is asked by its address, `localhost` or `admin.host`",
        ))
    }
}

fn is_known(host: &str, configured: &str) -> bool {
    let Ok(authority) = host.parse::<Authority>() else {
        return false;
    };
    let name = authority.host();
    let address = name.trim_start_matches('[').trim_end_matches(']');
    !host.contains('@')
        && (address.parse::<IpAddr>().is_ok()
            || name.eq_ignore_ascii_case("localhost")
            || name.eq_ignore_ascii_case(configured))
}

fn forbidden(detail: &'static str) -> Problem {
    Problem::new(StatusCode::FORBIDDEN, "forbidden", detail)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_addresses_localhost_and_the_configured_name_are_known() {
        for known in [
            "127.0.0.1",
            "127.0.0.1:9000",
            "[::1]:9000",
            "10.1.2.3:9000",
            "localhost",
            "LOCALHOST:9000",
            "admin.example:9000",
        ] {
            assert!(is_known(known, "admin.example"), "{known}");
        }
        for foreign in [
            "",
            "evil.example",
            "evil.example:9000",
            "localhost.evil.example",
            "127.0.0.1.evil.example",
            "127.0.0.1@evil.example",
            "user@localhost",
            "localhost/",
            " localhost",
        ] {
            assert!(!is_known(foreign, "admin.example"), "{foreign}");
        }
    }
}

//! By which names the server may be asked, and of which origins the pages may be that ask. A browser says
//! both: `Host` is the name that led here, `Origin` whose page it was.
//!
//! A page of a stranger can make its own name lead to this machine (DNS rebinding): then everything is of
//! one origin for the browser, and only the name gives it away. An address is no such name, nor is
//! `localhost`.

use std::net::{IpAddr, SocketAddr};

use http::header::{HOST, ORIGIN};
use http::uri::Authority;
use http::{HeaderMap, StatusCode};
use url::Url;

use super::Problem;
use crate::config::{ANY_HOST, AuthMode, Config};

/// See the [module](self).
#[derive(Debug)]
pub(crate) struct Doors {
    /// Names by which it may be asked besides addresses and `localhost`; `None` for any.
    hosts: Option<Vec<String>>,
    /// Origins besides its own.
    origins: Vec<String>,
    /// Where browsers find it, as far as that is known.
    public: Option<Public>,
    is_tls: bool,
}

#[derive(Debug)]
struct Public {
    origin: String,
    /// Host, and port where it is not the usual one.
    authority: String,
}

impl Doors {
    /// Those of a server that listens at `address`, with TLS or without.
    pub(crate) fn new(config: &Config, address: Option<SocketAddr>, is_tls: bool) -> Self {
        let asks_nobody = config.auth.mode == AuthMode::None;
        let config = &config.server;
        let public = config.public_url.as_deref();
        let public = public.and_then(|url| Url::parse(url).ok());
        let public_host = public.as_ref().and_then(Url::host_str).map(str::to_owned);
        // Whoever listens to the world has a name that only others know; a credential that is asked for then
        // is what a page of a stranger does not have.
        let is_local = address.is_some_and(|address| address.ip().to_canonical().is_loopback());
        let is_any = config.hosts.iter().any(|host| host == ANY_HOST);
        let is_named = !is_any && (is_local || asks_nobody || !config.hosts.is_empty());
        let names = config.hosts.iter().chain(&public_host);
        let names = names.chain([&config.host]).cloned().collect();
        Self {
            hosts: is_named.then_some(names),
            origins: config.cors_origins.clone(),
            public: public.map(|url| {
                let origin = url.origin().ascii_serialization();
                let authority = origin.split_once("://").map(|(_, authority)| authority);
                Public {
                    authority: authority.unwrap_or_default().to_owned(),
                    origin,
                }
            }),
            is_tls,
        }
    }

    /// Whether it may be asked by this name. Who gives none is no browser.
    ///
    /// # Errors
    ///
    /// 421.
    pub(crate) fn host(&self, headers: &HeaderMap) -> Result<(), Problem> {
        let (Some(names), Some(host)) = (&self.hosts, headers.get(HOST)) else {
            return Ok(());
        };
        if host.to_str().is_ok_and(|host| is_known(host, names)) {
            return Ok(());
        }
        let detail = "the server is not known by this name; `server.hosts` lists those it has";
        let status = StatusCode::MISDIRECTED_REQUEST;
        Err(Problem::new(status, "misdirected", detail))
    }

    /// Whether a request comes of a page that may change something and hold a conversation, or of no page at
    /// all.
    ///
    /// # Errors
    ///
    /// 403.
    pub(crate) fn page(&self, headers: &HeaderMap) -> Result<(), Problem> {
        let mut origins = headers.get_all(ORIGIN).iter();
        let is_allowed = match (origins.next(), origins.next()) {
            (None, _) => true,
            (Some(origin), None) => {
                let host = headers.get(HOST).and_then(|host| host.to_str().ok());
                let origin = origin.to_str().ok();
                origin.is_some_and(|origin| self.is_allowed(origin, host))
            }
            (Some(_), Some(_)) => false,
        };
        if is_allowed {
            return Ok(());
        }
        let detail = "a page of another origin may neither connect nor change anything";
        Err(Problem::new(StatusCode::FORBIDDEN, "forbidden", detail))
    }

    fn is_allowed(&self, origin: &str, host: Option<&str>) -> bool {
        self.origins.iter().any(|listed| listed == origin)
            || self.public.as_ref().is_some_and(|it| it.origin == origin)
            || host.is_some_and(|host| self.is_own(origin, host))
    }

    /// Whether the page came from the host and port that the request goes to. Behind a proxy that ends TLS
    /// the server does not know its own scheme, unless it was told.
    fn is_own(&self, origin: &str, host: &str) -> bool {
        let Some((scheme, authority)) = origin.split_once("://") else {
            return false;
        };
        let public = self.public.as_ref();
        let is_public = public.is_some_and(|it| it.authority.eq_ignore_ascii_case(host));
        let is_scheme = match scheme {
            "https" => !is_public,
            "http" => !is_public && !self.is_tls,
            _ => false,
        };
        is_scheme && authority.eq_ignore_ascii_case(host)
    }
}

/// Whether `Host` is an address, `localhost` or one of these names, at whichever port.
pub(crate) fn is_known(host: &str, names: &[impl AsRef<str>]) -> bool {
    let Ok(authority) = host.parse::<Authority>() else {
        return false;
    };
    let name = authority.host();
    let address = name.trim_start_matches('[').trim_end_matches(']');
    let is_one = |known: &str| name.eq_ignore_ascii_case(known);
    !host.contains('@')
        && (address.parse::<IpAddr>().is_ok()
            || is_one("localhost")
            || names.iter().any(|known| is_one(known.as_ref())))
}

#[cfg(test)]
mod tests;

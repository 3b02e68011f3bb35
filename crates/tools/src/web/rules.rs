//! Where tools may send requests: checked for each URL, the first one and that of every redirect, as
//! the parser reads it that connects too.

use std::net::IpAddr;

use url::{Host, Url};

use super::address::is_public;
use crate::ToolError;

/// A longer URL is none that anybody needs.
const MAX_URL_BYTES: usize = 8 * 1024;

/// Names that mean this machine or its network by convention, whatever they resolve to.
const HOME_SUFFIXES: [&str; 6] = [
    "localhost",
    "local",
    "localdomain",
    "internal",
    "home.arpa",
    "lan",
];

/// Where tools may send requests. By default to any host of the public internet, at ports 80 and 443.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WebRules {
    /// Ports of hosts that are not [trusted](Self::trusted).
    pub ports: Vec<u16>,
    /// If there are any, only these hosts and the trusted ones may be asked: `example.org`, or
    /// `*.example.org` for all names below it.
    pub only_hosts: Vec<String>,
    /// These hosts may not be asked, such as those of databases of one's own that have a public address:
    /// `example.org`, or `*.example.org` for all names below it.
    pub denied_hosts: Vec<String>,
    /// `host:port`: may be asked whatever its address is, such as that of a service of one's own.
    pub trusted: Vec<String>,
}

impl Default for WebRules {
    fn default() -> Self {
        Self {
            ports: vec![80, 443],
            only_hosts: Vec::new(),
            denied_hosts: Vec::new(),
            trusted: Vec::new(),
        }
    }
}

/// By which way a URL may be asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Way {
    /// Each address of the host must be public.
    Public,
    /// Whatever its address is.
    Trusted,
}

impl WebRules {
    /// Reads and checks a URL.
    ///
    /// # Errors
    ///
    /// [`ToolError::BlockedAddress`], with what is wrong about it.
    pub(super) fn parse(&self, text: &str) -> Result<(Url, Way), ToolError> {
        // The parser leaves them out, and others do not.
        if text.chars().any(|it| it.is_control() || it.is_whitespace()) {
            return Err(blocked("the URL has white space or control characters"));
        }
        let url = Url::parse(text).map_err(|error| blocked(format!("no URL: {error}")))?;
        let way = self.check(&url)?;
        Ok((url, way))
    }

    /// Checks a URL as far as that can be done without asking anybody.
    ///
    /// # Errors
    ///
    /// As [`parse`](Self::parse).
    pub(super) fn check(&self, url: &Url) -> Result<Way, ToolError> {
        if url.as_str().len() > MAX_URL_BYTES {
            return Err(blocked("the URL is too long"));
        }
        if !matches!(url.scheme(), "http" | "https") {
            return Err(blocked(format!("`{}` is not http or https", url.scheme())));
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(blocked("the URL has a user or a password"));
        }
        let (Some(host), Some(port)) = (url.host(), url.port_or_known_default()) else {
            return Err(blocked("the URL has no host"));
        };
        let name = host_name(&host);
        let place = format!("{name}:{port}");
        if self
            .trusted
            .iter()
            .any(|it| it.eq_ignore_ascii_case(&place))
        {
            return Ok(Way::Trusted);
        }
        if !self.ports.contains(&port) {
            return Err(blocked(format!("port {port} is not open to tools")));
        }
        let is_listed = |pattern: &String| matches_host(pattern, &name);
        if !self.only_hosts.is_empty() && !self.only_hosts.iter().any(is_listed) {
            return Err(blocked(format!(
                "`{name}` is not among the hosts that are allowed"
            )));
        }
        let is_listed = |pattern: &String| matches_host(pattern, &name);
        if self.denied_hosts.iter().any(is_listed) {
            return Err(blocked(format!("`{name}` is closed to tools")));
        }
        match host {
            Host::Domain(_) if is_home(&name) => {
                Err(blocked(format!("`{name}` is no public name")))
            }
            Host::Domain(_) => Ok(Way::Public),
            Host::Ipv4(address) => only_public(address.into()),
            Host::Ipv6(address) => only_public(address.into()),
        }
    }
}

/// The host without the dot that may stand at the end of a name; nor with several, which make it no other name.
fn host_name(host: &Host<&str>) -> String {
    host.to_string().trim_end_matches('.').to_ascii_lowercase()
}

fn matches_host(pattern: &str, name: &str) -> bool {
    let pattern = pattern.to_ascii_lowercase();
    match pattern.strip_prefix("*.") {
        Some(parent) => name
            .strip_suffix(parent)
            .is_some_and(|rest| rest.ends_with('.')),
        None => name == pattern,
    }
}

/// Whether a name is one of this machine or its network: by convention, or for want of a dot.
fn is_home(name: &str) -> bool {
    let is_below = |suffix: &&str| {
        let rest = name.strip_suffix(*suffix);
        rest.is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
    };
    !name.contains('.') || HOME_SUFFIXES.iter().any(is_below)
}

fn only_public(address: IpAddr) -> Result<Way, ToolError> {
    if is_public(address) {
        Ok(Way::Public)
    } else {
        Err(blocked(format!("{address} is not public")))
    }
}

pub(super) fn blocked(why: impl Into<String>) -> ToolError {
    ToolError::BlockedAddress(why.into())
}

#[cfg(test)]
mod tests;

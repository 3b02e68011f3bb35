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

/// The host without the dot that may stand at the end of a name.
fn host_name(host: &Host<&str>) -> String {
    let name = host.to_string();
    name.strip_suffix('.').unwrap_or(&name).to_ascii_lowercase()
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
mod tests {
    use super::*;

    fn way(rules: &WebRules, url: &str) -> Option<Way> {
        match rules.parse(url) {
            Ok((_, way)) => Some(way),
            Err(ToolError::BlockedAddress(_)) => None,
            Err(other) => panic!("{url}: {other:?}"),
        }
    }

    /// Inputs 106 to 109, 111, 112 and 116 to 118.
    #[test]
    fn whatever_leads_home_or_is_no_plain_web_address_is_blocked() {
        let long = format!("https://example.org/{}", "a".repeat(9_000));
        for url in [
            // Loopback, in every spelling.
            "http://127.0.0.1/",
            "http://127.1/",
            "http://2130706433/",
            "http://0x7f.1/",
            "http://0177.0.0.1/",
            "http://0/",
            "http://127.0.0.1./",
            "http://①②⑦.⓪.⓪.①/",
            "http://[::1]/",
            "http://[::]/",
            "http://[::ffff:127.0.0.1]/",
            "http://[::ffff:7f00:1]/",
            "http://[::127.0.0.1]/",
            // Names.
            "http://localhost/",
            "http://localhost./",
            "http://LOCALHOST/",
            "http://x.localhost/",
            "http://localhost.localdomain/",
            "http://metadata.google.internal/",
            "http://anything.internal/",
            "http://printer.local/",
            "http://intranet/",
            // The metadata of clouds.
            "http://169.254.169.254/latest/meta-data/",
            "http://[fd00:ec2::254]/",
            "http://100.100.100.200/",
            "http://168.63.129.16/",
            "http://192.0.0.192/",
            "http://[64:ff9b::a9fe:a9fe]/",
            "http://[2002:7f00:1::]/",
            "http://[fe80::1%25eth0]/",
            // Schemes.
            "file:///etc/passwd",
            "ftp://example.org/",
            "gopher://example.org/",
            "data:text/plain,hello",
            "dict://example.org/",
            "unix:/run/socket",
            "jar:http://example.org!/",
            "ws://example.org/",
            // Tricks of parsers.
            "http://user:pw@example.org/",
            "http://good@127.0.0.1/",
            "http://127.0.0.1#@example.org/",
            "http://good\\@127.0.0.1/",
            "http:///127.0.0.1",
            "http://good%00.example.org/",
            "http://example.org\t/",
            "http://exam\nple.org/",
            " http://example.org/",
            "http://",
            "example.org",
            "",
            // Ports.
            "http://example.org:22/",
            "http://example.org:25/",
            "http://example.org:5432/",
            "http://example.org:6379/",
            "http://example.org:9200/",
            "http://example.org:0/",
            "http://example.org:65536/",
            &long,
        ] {
            assert_eq!(way(&WebRules::default(), url), None, "{url}");
        }
    }

    #[test]
    fn the_public_internet_may_be_asked() {
        for url in [
            "https://example.org/",
            "HTTP://EXAMPLE.ORG/",
            "http://example.org:443/a?b=c#d",
            "http://1.1.1.1/",
            "http://[2606:4700:4700::1111]/",
            "https://bücher.example.org/",
        ] {
            assert_eq!(way(&WebRules::default(), url), Some(Way::Public), "{url}");
        }
    }

    #[test]
    fn lists_narrow_and_widen_what_may_be_asked() {
        let rules = WebRules {
            ports: vec![443, 8443],
            only_hosts: vec!["api.example.org".to_owned(), "*.example.net".to_owned()],
            trusted: vec!["127.0.0.1:9000".to_owned(), "Billing:80".to_owned()],
            ..WebRules::default()
        };
        for (url, expected) in [
            ("https://api.example.org/", Some(Way::Public)),
            ("https://API.example.org.:8443/", Some(Way::Public)),
            ("http://api.example.org/", None),
            ("https://example.org/", None),
            ("https://evil-api.example.org/", None),
            ("https://a.b.example.net/", Some(Way::Public)),
            ("https://example.net/", None),
            ("https://evilexample.net/", None),
            ("http://127.0.0.1:9000/", Some(Way::Trusted)),
            ("http://127.0.0.1:9001/", None),
            ("http://localhost:9000/", None),
            ("http://billing/", Some(Way::Trusted)),
            ("https://billing/", None),
        ] {
            assert_eq!(way(&rules, url), expected, "{url}");
        }
    }

    /// Input 121.
    #[test]
    fn a_host_that_is_denied_is_blocked_unless_it_is_trusted() {
        let mut rules = WebRules {
            denied_hosts: vec!["db.example.org".to_owned(), "*.internal.example".to_owned()],
            ..WebRules::default()
        };
        for url in [
            "https://db.example.org/",
            "https://DB.Example.org./rest/v1/",
            "http://a.internal.example/",
        ] {
            assert_eq!(way(&rules, url), None, "{url}");
        }
        assert_eq!(way(&rules, "https://www.example.org/"), Some(Way::Public));
        rules.trusted = vec!["db.example.org:443".to_owned()];
        assert_eq!(way(&rules, "https://db.example.org/"), Some(Way::Trusted));
    }
}

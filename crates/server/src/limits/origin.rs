//! Where a request comes from. `X-Forwarded-For` says what whoever wrote it liked to say: it is believed as
//! far as proxies wrote it that the configuration names, and no further.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::atomic::{AtomicBool, Ordering};

use http::header::{FORWARDED, VIA};
use http::{HeaderMap, HeaderName};
use ipnet::IpNet;
use tracing::warn;

use super::who::is_in;
use crate::auth::Origin;

const X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");

/// Any of them says that a request was passed on.
const FORWARDERS: [HeaderName; 4] = [
    X_FORWARDED_FOR,
    FORWARDED,
    VIA,
    HeaderName::from_static("x-real-ip"),
];

/// Nobody knows from where.
const UNKNOWN: IpAddr = IpAddr::V4(Ipv4Addr::UNSPECIFIED);

/// See the [module](self).
#[derive(Debug)]
pub(super) struct Origins {
    proxies: Vec<IpNet>,
    exempt: Vec<IpNet>,
    has_warned: AtomicBool,
}

impl Origins {
    pub(super) fn new(proxies: Vec<IpNet>, exempt: Vec<IpNet>) -> Self {
        Self {
            proxies,
            exempt,
            has_warned: AtomicBool::new(false),
        }
    }

    /// Whether a connection from here carries the requests of others.
    pub(super) fn is_proxy(&self, peer: IpAddr) -> bool {
        is_in(&self.proxies, peer)
    }

    /// Where a request comes from.
    pub(super) fn of(&self, peer: IpAddr, headers: &HeaderMap) -> Origin {
        let peer = peer.to_canonical();
        let elsewhere = |address| Origin {
            address,
            is_local: false,
        };
        if self.is_proxy(peer) {
            return elsewhere(self.forwarded(headers).unwrap_or(peer));
        }
        let is_forwarded = FORWARDERS.iter().any(|header| headers.contains_key(header));
        if is_forwarded && (peer.is_loopback() || is_in(&self.exempt, peer)) {
            self.warn(peer);
            return elsewhere(UNKNOWN);
        }
        Origin {
            address: peer,
            is_local: peer.is_loopback(),
        }
    }

    /// The last address that was not written by one of the proxies about another: each of them adds where it
    /// has the request from at the end, and what stands before that came with the request. `None` where
    /// they tell nothing.
    fn forwarded(&self, headers: &HeaderMap) -> Option<IpAddr> {
        let lines = headers.get_all(X_FORWARDED_FOR).iter().rev();
        let mut nearest = None;
        for line in lines {
            let Ok(line) = line.to_str() else {
                return Some(UNKNOWN);
            };
            for item in line.rsplit(',') {
                let Some(address) = parse(item) else {
                    return Some(UNKNOWN);
                };
                nearest = Some(address);
                if !self.is_proxy(address) {
                    return nearest;
                }
            }
        }
        nearest
    }

    fn warn(&self, peer: IpAddr) {
        if !self.has_warned.swap(true, Ordering::Relaxed) {
            warn!(
                %peer,
                "requests come through a proxy that is not named in server.trusted_proxies: all behind it \
                 are limited as if they were one"
            );
        }
    }
}

/// An address, with a port or without.
fn parse(item: &str) -> Option<IpAddr> {
    let item = item.trim();
    let bare = item
        .strip_prefix('[')
        .and_then(|rest| rest.strip_suffix(']'))
        .unwrap_or(item);
    let address = bare.parse::<IpAddr>().ok();
    let address = address.or_else(|| item.parse::<SocketAddr>().ok().map(|it| it.ip()));
    address.map(|address| address.to_canonical())
}

//! As whom a caller is counted.

use std::net::{IpAddr, Ipv6Addr};
use std::sync::Arc;

use ipnet::IpNet;

/// Somebody who is counted.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) enum Who {
    /// A user, from wherever.
    User(Arc<str>),
    /// Everybody in a network who is no user.
    Network(IpAddr),
}

/// A provider gives so much of an address to one customer, who may take any of those below it.
const CUSTOMER_OF_IPV6: u128 = !0 << 64;

impl Who {
    /// The network that an address is counted with: of IPv4 it is the address, of IPv6 its /64.
    pub(crate) fn at(address: IpAddr) -> Self {
        Self::Network(match address.to_canonical() {
            IpAddr::V6(address) => Ipv6Addr::from_bits(address.to_bits() & CUSTOMER_OF_IPV6).into(),
            address @ IpAddr::V4(_) => address,
        })
    }

    /// A name for it that no other one has.
    pub(crate) fn name(&self) -> Arc<str> {
        match self {
            Self::User(user_id) => format!("user {user_id}").into(),
            Self::Network(address) => format!("network {address}").into(),
        }
    }
}

/// Whether an address is in one of the networks.
pub(super) fn is_in(networks: &[IpNet], address: IpAddr) -> bool {
    let address = address.to_canonical();
    networks.iter().any(|network| network.contains(&address))
}

//! Which addresses are part of the public internet, and which lead to this machine, its network, or a
//! cloud's metadata.
//!
//! By the IANA special-purpose registries for IPv4 and IPv6. For IPv6 the rule is turned round: only
//! what is global unicast (`2000::/3`) may be, less what embeds an IPv4 address or is for documentation,
//! because every other form that has been thought of can lead back to IPv4.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Networks of IPv4 that are not public: address and length of the prefix.
const NOT_PUBLIC_V4: [(Ipv4Addr, u32); 16] = [
    // This network, this host.
    (Ipv4Addr::new(0, 0, 0, 0), 8),
    // Private.
    (Ipv4Addr::new(10, 0, 0, 0), 8),
    (Ipv4Addr::new(172, 16, 0, 0), 12),
    (Ipv4Addr::new(192, 168, 0, 0), 16),
    // Shared by the customers of a carrier; 100.100.100.200 is Alibaba's metadata.
    (Ipv4Addr::new(100, 64, 0, 0), 10),
    // Loopback.
    (Ipv4Addr::new(127, 0, 0, 0), 8),
    // Link-local; 169.254.169.254 is the metadata of most clouds.
    (Ipv4Addr::new(169, 254, 0, 0), 16),
    // Protocol assignments; 192.0.0.192 is Oracle's metadata.
    (Ipv4Addr::new(192, 0, 0, 0), 24),
    // Documentation.
    (Ipv4Addr::new(192, 0, 2, 0), 24),
    (Ipv4Addr::new(198, 51, 100, 0), 24),
    (Ipv4Addr::new(203, 0, 113, 0), 24),
    // Relays to IPv6 that are no more.
    (Ipv4Addr::new(192, 88, 99, 0), 24),
    // Benchmarks.
    (Ipv4Addr::new(198, 18, 0, 0), 15),
    // Multicast.
    (Ipv4Addr::new(224, 0, 0, 0), 4),
    // Reserved, and broadcast.
    (Ipv4Addr::new(240, 0, 0, 0), 4),
    // Azure's metadata, at an address that is public otherwise.
    (Ipv4Addr::new(168, 63, 129, 16), 32),
];

/// Networks within `2000::/3` that are not public: address and length of the prefix.
const NOT_PUBLIC_V6: [(Ipv6Addr, u32); 4] = [
    // Protocol assignments, Teredo among them.
    (Ipv6Addr::new(0x2001, 0, 0, 0, 0, 0, 0, 0), 23),
    // Documentation.
    (Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 0), 32),
    (Ipv6Addr::new(0x3fff, 0, 0, 0, 0, 0, 0, 0), 20),
    // 6to4, which embeds an IPv4 address.
    (Ipv6Addr::new(0x2002, 0, 0, 0, 0, 0, 0, 0), 16),
];

const GLOBAL_UNICAST_V6: (Ipv6Addr, u32) = (Ipv6Addr::new(0x2000, 0, 0, 0, 0, 0, 0, 0), 3);

/// The interface identifiers of ISATAP embed an IPv4 address in any network.
const ISATAP: [u32; 2] = [0x0000_5efe, 0x0200_5efe];

/// Whether an address is one of the public internet.
pub(super) fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => !NOT_PUBLIC_V4.iter().any(|it| is_in_v4(address, *it)),
        IpAddr::V6(address) => {
            let third = u32::try_from((address.to_bits() >> 32) & 0xffff_ffff).unwrap_or_default();
            is_in_v6(address, GLOBAL_UNICAST_V6)
                && !NOT_PUBLIC_V6.iter().any(|it| is_in_v6(address, *it))
                && !ISATAP.contains(&third)
        }
    }
}

fn is_in_v4(address: Ipv4Addr, (network, prefix): (Ipv4Addr, u32)) -> bool {
    (address.to_bits() ^ network.to_bits()).leading_zeros() >= prefix
}

fn is_in_v6(address: Ipv6Addr, (network, prefix): (Ipv6Addr, u32)) -> bool {
    (address.to_bits() ^ network.to_bits()).leading_zeros() >= prefix
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Inputs 109 and 110.
    #[test]
    fn the_first_the_middle_and_the_last_address_of_each_network_are_not_public() {
        for (network, prefix) in NOT_PUBLIC_V4 {
            let rest = u32::MAX.checked_shr(prefix).unwrap_or(0);
            for address in [0, rest / 2, rest].map(|host| network.to_bits() | host) {
                let address = Ipv4Addr::from_bits(address);
                assert!(!is_public(address.into()), "{address}");
                let mapped = address.to_ipv6_mapped();
                assert!(!is_public(mapped.into()), "{mapped}");
            }
        }
        for (network, prefix) in NOT_PUBLIC_V6 {
            let rest = u128::MAX >> prefix;
            for address in [0, rest / 2, rest].map(|host| network.to_bits() | host) {
                let address = Ipv6Addr::from_bits(address);
                assert!(!is_public(address.into()), "{address}");
            }
        }
    }

    /// Inputs 108, 111 and 112.
    #[test]
    fn every_form_that_leads_back_to_ipv4_or_stays_at_home_is_not_public() {
        for address in [
            "::",
            "::1",
            "::127.0.0.1",
            "::ffff:127.0.0.1",
            "::ffff:8.8.8.8",
            "::ffff:0:127.0.0.1",
            "64:ff9b::a9fe:a9fe",
            "64:ff9b:1::a9fe:a9fe",
            "100::1",
            "2001::1",
            "2001:0:53aa:64c:0:7fff:2bad:beef",
            "2002:7f00:1::",
            "2606:4700::5efe:10.0.0.1",
            "2606:4700::200:5efe:10.0.0.1",
            "fc00::1",
            "fd00:ec2::254",
            "fe80::1",
            "fe80::5efe:10.0.0.1",
            "fec0::1",
            "ff02::1",
            "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
        ] {
            assert!(!is_public(address.parse().unwrap()), "{address}");
        }
    }

    #[test]
    fn addresses_of_the_internet_are_public() {
        for address in [
            "1.1.1.1",
            "8.8.8.8",
            "9.255.255.255",
            "11.0.0.0",
            "100.63.255.255",
            "100.128.0.0",
            "172.15.255.255",
            "172.32.0.0",
            "192.0.1.0",
            "198.17.255.255",
            "198.20.0.0",
            "223.255.255.255",
            "168.63.129.15",
            "2001:200::1",
            "2001:4860:4860::8888",
            "2606:4700:4700::1111",
            "2a00:1450:4001::1",
        ] {
            assert!(is_public(address.parse().unwrap()), "{address}");
        }
    }
}

//! The fuzz target of the guard of URLs. Nothing is connected to: what is let through would be.
//!
//! An ordinary test for a second; `cargo xtask fuzz urls` runs it longer.

use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};

use bolero::{Driver, ValueGenerator, check, one_of, one_value_of, produce};
use futures_util::FutureExt;
use patter_testkit::mutated::Mutated;
use reqwest::dns::{Addrs, Name, Resolving};
use url::Host;

use super::*;

const SEEDS: &[&str] = &[
    "https://example.org/a?b=c#d",
    "http://api.example.org:443/",
    "http://127.0.0.1/",
    "http://2130706433/",
    "http://0x7f.1/",
    "http://0177.0.0.1./",
    "http://①②⑦.⓪.⓪.①/",
    "http://[::ffff:127.0.0.1]/",
    "http://[64:ff9b::a9fe:a9fe]/",
    "http://[2606:4700:4700::1111]/",
    "http://good@127.0.0.1\\@example.org/",
    "http://metadata.google.internal./latest",
    "https://denied.example.org/",
    "file:///etc/passwd",
];

const WORDS: &[&str] = &[
    "http://",
    "https:",
    "//",
    "\\",
    "@",
    ":",
    "[",
    "]",
    "::",
    "%",
    "%2e",
    "%00",
    "0x",
    "0177",
    "127.0.0.1",
    "127.1",
    "10.0.0.1",
    "169.254.169.254",
    "ffff:",
    "localhost",
    "local",
    "internal",
    "home.arpa",
    ".",
    "。",
    "\u{ff0e}",
    "\u{ad}",
    "xn--",
    ":22",
    ":80",
    "#",
    "?",
    "\t",
    "\r\n",
    "denied.example.org",
    "DENIED.",
];

const DENIED: &str = "denied.example.org";

/// A judge of its own: whether an address is certainly not one of the public internet.
fn is_home(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(it) => {
            let [a, b, c, _] = it.octets();
            let is_special = it.is_loopback()
                || it.is_private()
                || it.is_link_local()
                || it.is_broadcast()
                || it.is_documentation()
                || it.is_multicast();
            let is_shared = a == 100 && (64..128).contains(&b);
            let is_assigned = (a, b, c) == (192, 0, 0) || (a == 198 && (18..20).contains(&b));
            is_special || is_shared || is_assigned || a == 0 || a >= 240
        }
        IpAddr::V6(it) => {
            let [a, b, c, d, e, f, g, h] = it.segments();
            let embedded = Ipv4Addr::from_bits(u32::from(g) << 16 | u32::from(h));
            let has_embedded = [a, b, c, d, e].iter().all(|it| *it == 0)
                || (a, b) == (0x64, 0xff9b)
                || f == 0x5efe;
            let is_special = it.is_loopback()
                || it.is_unspecified()
                || it.is_multicast()
                || it.is_unique_local()
                || it.is_unicast_link_local();
            is_special
                || (has_embedded && is_home(embedded.into()))
                || (a == 0x2002
                    && is_home(Ipv4Addr::from_bits(u32::from(b) << 16 | u32::from(c)).into()))
        }
    }
}

/// Addresses of all kinds, such as those at home and their neighbours.
struct Addresses;

impl ValueGenerator for Addresses {
    type Output = IpAddr;

    fn generate<D: Driver>(&self, driver: &mut D) -> Option<IpAddr> {
        let v4: u32 = driver.produce()?;
        let at_home = [
            0x7f00_0001,
            0x0a00_0000,
            0xc0a8_0001,
            0xa9fe_a9fe,
            0x6440_0000,
            0,
        ];
        let v4 = one_value_of([v4, v4, v4 & 0xff | one_value_of(at_home).generate(driver)?])
            .generate(driver)?;
        let v6: u128 = driver.produce()?;
        let within = |prefix: u128| prefix | u128::from(v4);
        let v6 = one_value_of([
            v6,
            v6 >> 3 | 1 << 125,
            within(0),
            within(0xffff << 32),
            within(0x64_ff9b << 96),
            within(0x2606_4700 << 96 | 0x5efe << 32),
            0x2002 << 112 | u128::from(v4) << 80,
        ]);
        let v6 = Ipv6Addr::from_bits(v6.generate(driver)?);
        let is_v4: bool = driver.produce()?;
        Some(if is_v4 {
            Ipv4Addr::from_bits(v4).into()
        } else {
            v6.into()
        })
    }
}

/// A system in which every name has these addresses.
struct Fixed(Vec<IpAddr>);

impl Resolve for Fixed {
    fn resolve(&self, _name: Name) -> Resolving {
        let found: Vec<_> = self.0.iter().map(|it| SocketAddr::new(*it, 0)).collect();
        Box::pin(async move { Ok::<Addrs, _>(Box::new(found.into_iter()) as Addrs) })
    }
}

/// The addresses that a client would connect to for this host.
fn connected(host: &str, found: &[IpAddr]) -> Option<Vec<IpAddr>> {
    let resolver = PublicOnly {
        inner: Arc::new(Fixed(found.to_vec())),
        is_public: address::is_public,
    };
    let addresses = resolver.resolve(host.parse().unwrap()).now_or_never();
    let addresses = addresses.unwrap().ok()?;
    Some(addresses.map(|it| it.ip()).collect())
}

/// Whatever is let through is a plain web address of somebody else, read anew too; and of a name only public
/// addresses are connected to, those that were found.
#[test]
fn fuzz_urls() {
    let rules = WebRules {
        denied_hosts: vec![DENIED.to_owned()],
        ..WebRules::default()
    };
    let literal = Addresses.map_gen(|address| match address {
        IpAddr::V4(it) => format!("http://{it}/"),
        IpAddr::V6(it) => format!("https://[{it}]/"),
    });
    let mutated = || Mutated::new(SEEDS, WORDS);
    let urls = one_of((mutated(), mutated(), mutated(), literal));
    let found = produce::<Vec<IpAddr>>()
        .with()
        .values(Addresses)
        .len(1..4_usize);
    check!()
        .with_generator((urls, found))
        .for_each(|(text, found)| {
            let url = match rules.parse(text) {
                Ok((url, way)) => {
                    assert_eq!(way, Way::Public);
                    url
                }
                Err(error) => {
                    assert!(matches!(error, ToolError::BlockedAddress(_)), "{error}");
                    return;
                }
            };
            assert_eq!(Url::parse(url.as_str()).as_ref(), Ok(&url));
            assert!(matches!(url.scheme(), "http" | "https"), "{url}");
            assert!(
                url.username().is_empty() && url.password().is_none(),
                "{url}"
            );
            assert!(
                matches!(url.port_or_known_default(), Some(80 | 443)),
                "{url}"
            );
            let name = match url.host().unwrap() {
                Host::Ipv4(address) => return assert!(!is_home(address.into()), "{url}"),
                Host::Ipv6(address) => return assert!(!is_home(address.into()), "{url}"),
                Host::Domain(name) => name,
            };
            let plain = name.trim_end_matches('.');
            assert!(plain.contains('.') && plain != DENIED, "{url}");
            for home in [
                "localhost",
                "local",
                "localdomain",
                "internal",
                "home.arpa",
                "lan",
            ] {
                assert!(!plain.ends_with(&format!(".{home}")), "{url}");
            }
            let connected = connected(name, found);
            assert_eq!(
                connected.is_some(),
                found.iter().all(|it| address::is_public(*it))
            );
            let connected = connected.unwrap_or_default();
            assert!(!connected.iter().copied().any(is_home), "{connected:?}");
            assert!(connected.is_empty() || connected == *found);
        });
}

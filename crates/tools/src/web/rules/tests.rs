//! What is let through, and what is not; `web/fuzz.rs` tries any others.

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
        "http://localhost../",
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
        "https://db.example.org../",
        "http://a.internal.example/",
    ] {
        assert_eq!(way(&rules, url), None, "{url}");
    }
    assert_eq!(way(&rules, "https://www.example.org/"), Some(Way::Public));
    rules.trusted = vec!["db.example.org:443".to_owned()];
    assert_eq!(way(&rules, "https://db.example.org/"), Some(Way::Trusted));
}

/// How the address of a machine can be written in a URL.
fn forms(address: u32) -> Vec<String> {
    let [a, b, c, d] = address.to_be_bytes();
    let dotted = format!("{a}.{b}.{c}.{d}");
    let (high, low) = (address >> 16, address & 0xffff);
    vec![
        format!("{dotted}."),
        format!("{address}"),
        format!("{address:#x}"),
        format!("0{address:o}"),
        format!("{a}.{}", address & 0xff_ffff),
        format!("{a:#x}.{b:#o}.{low}").replace("0o", "0"),
        dotted.replace('.', "%2e"),
        dotted.replace('.', "\u{3002}"),
        format!("[::ffff:{dotted}]"),
        format!("[::{high:x}:{low:x}]"),
        format!("[64:ff9b::{high:x}:{low:x}]"),
        format!("[2002:{high:x}:{low:x}::]"),
        format!("[::ffff:0:{dotted}]"),
        dotted,
    ]
}

proptest::proptest! {
    /// Inputs 106, 108, 110 and 112: any address of this machine or its network, in any form.
    #[test]
    fn no_form_of_an_address_at_home_is_let_through(
        network in proptest::sample::select(vec![
            (0x7f00_0000_u32, 8), (0x0a00_0000, 8), (0xac10_0000, 12), (0xc0a8_0000, 16),
            (0xa9fe_0000, 16), (0x6440_0000, 10), (0, 8), (0xe000_0000, 4), (0xf000_0000, 4),
        ]),
        within in proptest::prelude::any::<u32>(),
        path in "[/?#]?[a-z@:.]{0,12}",
    ) {
        let (first, prefix) = network;
        let address = first | within & (u32::MAX >> prefix);
        for host in forms(address) {
            let url = format!("http://{host}/{path}");
            proptest::prop_assert_eq!(way(&WebRules::default(), &url), None, "{}", url);
        }
    }
}

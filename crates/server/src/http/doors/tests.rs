//! Which names and origins are let in.

use super::*;
use crate::Config;
use crate::config::Sources;

fn doors(settings: &[(&str, &str)], address: &str, is_tls: bool) -> Doors {
    let usual = [("llm.provider", "demo"), ("auth.mode", "none")];
    let settings = usual.iter().chain(settings);
    let sources = settings.fold(Sources::none(), |sources, (key, value)| {
        sources.set(*key, *value)
    });
    let config = Config::load(&sources).unwrap();
    Doors::new(&config, Some(address.parse().unwrap()), is_tls)
}

fn headers(host: &str, origins: &[&str]) -> HeaderMap {
    let mut headers = HeaderMap::new();
    headers.insert(HOST, host.parse().unwrap());
    for origin in origins {
        headers.append(ORIGIN, origin.parse().unwrap());
    }
    headers
}

#[test]
fn only_addresses_localhost_and_the_names_it_has_are_known() {
    for known in [
        "127.0.0.1",
        "127.0.0.1:9000",
        "[::1]:9000",
        "10.1.2.3:9000",
        "localhost",
        "LOCALHOST:9000",
        "admin.example:9000",
    ] {
        assert!(is_known(known, &["admin.example"]), "{known}");
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
        assert!(!is_known(foreign, &["admin.example"]), "{foreign}");
    }
}

#[test]
fn a_name_must_be_known_on_this_machine_and_where_nobody_is_asked_and_elsewhere_where_some_are_listed()
 {
    let asked = |doors: &Doors, host: &str| doors.host(&headers(host, &[])).is_ok();
    for local in ["127.0.0.1:8000", "[::1]:8000", "[::ffff:127.0.0.1]:8000"] {
        let local = doors(&[], local, false);
        assert!(asked(&local, "localhost:8000"));
        assert!(!asked(&local, "rebound.example:8000"));
    }
    let open = doors(&[], "0.0.0.0:8000", false);
    assert!(asked(&open, "10.0.0.7:8000"));
    assert!(!asked(&open, "whoever.example"));
    let any = doors(&[("server.hosts", "*")], "0.0.0.0:8000", false);
    assert!(asked(&any, "whoever.example"));
    let token = [
        ("auth.mode", "token"),
        (
            "tokens.a.sha256",
            "b5bb9d8014a0f9b1d61e21e796d78dccdf1352f23cd32812f4850b878ae4944c",
        ),
        ("tokens.a.scope", "act"),
    ];
    assert!(asked(
        &doors(&token, "0.0.0.0:8000", false),
        "whoever.example"
    ));
    let hosts = ("server.hosts", "chat.example.org, Chat.Internal");
    let listed = doors(&[hosts], "0.0.0.0:8000", false);
    assert!(asked(&listed, "chat.example.org"));
    assert!(asked(&listed, "chat.internal:8000"));
    assert!(asked(&listed, "10.0.0.7:8000"));
    assert!(!asked(&listed, "whoever.example"));
    let url = ("server.public_url", "https://chat.example.org/");
    let proxied = doors(&[url], "127.0.0.1:8000", false);
    assert!(asked(&proxied, "chat.example.org"));
    assert!(!asked(&proxied, "whoever.example"));
}

#[test]
fn pages_of_the_server_itself_and_those_listed_may_come_and_who_is_no_page() {
    let listed = ("server.cors_origins", "https://other.example:8443");
    let doors = doors(&[listed], "0.0.0.0:8000", false);
    let may = |origins: &[&str]| doors.page(&headers("app.example", origins)).is_ok();
    assert!(may(&[]));
    assert!(may(&["https://app.example"]));
    assert!(may(&["http://APP.example"]));
    assert!(may(&["https://other.example:8443"]));
    for foreign in [
        &["https://evil.example"][..],
        &["null"],
        &[""],
        &["app.example"],
        &["ftp://app.example"],
        &["https://app.example.evil.com"],
        &["https://evil.com/app.example"],
        &["https://app.example:444"],
        &["https://app.example/"],
        &["https://user@app.example"],
        &["http://other.example:8443"],
        &["https://other.example"],
        &["https://app.example", "https://app.example"],
    ] {
        assert!(!may(foreign), "{foreign:?}");
    }
}

#[test]
fn a_page_without_tls_is_another_one_than_its_like_with_tls() {
    let may = |doors: &Doors, origin: &str| doors.page(&headers("app.example", &[origin])).is_ok();
    let own_tls = doors(&[], "0.0.0.0:443", true);
    let url = ("server.public_url", "https://app.example");
    for doors in [own_tls, doors(&[url], "0.0.0.0:8000", false)] {
        assert!(may(&doors, "https://app.example"));
        assert!(!may(&doors, "http://app.example"));
    }
    let renamed = doors(
        &[("server.public_url", "https://chat.example")],
        "0.0.0.0:8000",
        false,
    );
    assert!(
        may(&renamed, "https://chat.example"),
        "the proxy gave the server another name"
    );
    assert!(!may(&renamed, "http://chat.example"));
}

//! Nobody is let in by mistake: a server that others reach says whether it asks who they are, and what
//! it believes is enough to tell.

use std::collections::BTreeMap;
use std::net::IpAddr;

use serde_json::Value as Json;
use url::{Host, Url};

use super::super::kind::is_provider_name;
use super::{Check, is_loopback, names_under};

/// A shorter secret could be found by trying (RFC 7518, section 3.2).
const MIN_SECRET_BYTES: usize = 32;

pub(super) fn check(check: &mut Check<'_>) {
    if !check.is_set("auth.mode") {
        unsaid(check);
    }
    tokens(check);
    match check.text("auth.mode") {
        Some("jwt") => users(check),
        Some("token") if names_under(&check.layers.values, "tokens").is_empty() => {
            let problem = "there is no `[tokens.NAME]`, so nobody would be let in: `patter token NAME` \
                           makes one";
            check.key_fault("auth.mode", problem.to_owned());
        }
        _ => {}
    }
}

/// Who may come in was not said: then nobody but who is at this machine can.
fn unsaid(check: &mut Check<'_>) {
    // One that is no address is told elsewhere.
    let server = check.tree.get("server");
    let host = server.and_then(|server| server.get("host"));
    let host = host.and_then(Json::as_str);
    let is_open = host.is_some_and(|host| !is_loopback(host));
    let is_local = |url: &str| Url::parse(url).is_ok_and(|url| is_here(&url));
    let is_public = check
        .text("server.public_url")
        .is_some_and(|url| !is_local(url));
    let has_hosts = !check
        .items("server.hosts")
        .iter()
        .all(|host| is_loopback(host));
    let has_proxies = !check.items("server.trusted_proxies").is_empty();
    for (is_so, key, why) in [
        (
            is_open,
            "server.host",
            "whoever reaches this address may use the server",
        ),
        (
            is_public,
            "server.public_url",
            "whoever comes through the proxy may use the server",
        ),
        (
            has_hosts,
            "server.hosts",
            "whoever comes by these names may use the server",
        ),
        (
            has_proxies,
            "server.trusted_proxies",
            "whoever comes through them may use the server",
        ),
    ] {
        if is_so {
            let problem = format!(
                "{why}: say auth.mode = \"jwt\" or \"token\" to ask who they are, or auth.mode = \"none\" \
                 if everybody may"
            );
            check.key_fault(key, problem);
        }
    }
}

fn users(check: &mut Check<'_>) {
    let has_keys = check.has("auth.jwks_url") || check.has("auth.supabase_url");
    if !has_keys && !check.has("auth.hs256_secret") {
        let problem = "there is no key to check a JWT by: set auth.jwks_url, auth.supabase_url or \
                       auth.hs256_secret";
        check.key_fault("auth.mode", problem.to_owned());
    }
    if !check.has("auth.issuer") && !check.has("auth.supabase_url") {
        let problem = "any issuer's tokens would be believed: set auth.issuer or auth.supabase_url";
        check.key_fault("auth.mode", problem.to_owned());
    }
    let is_short = |secret: &str| secret.len() < MIN_SECRET_BYTES;
    if check.text("auth.hs256_secret").is_some_and(is_short) {
        let problem = format!("must have at least {MIN_SECRET_BYTES} characters");
        check.secret_fault("auth.hs256_secret", problem);
    }
    for key in ["auth.jwks_url", "auth.supabase_url"] {
        if check.text(key).is_some_and(|url| !is_safe(url)) {
            let problem = "must be https: whoever is on the way could put keys of their own there";
            check.key_fault(key, problem.to_owned());
        }
    }
}

/// Whether nobody can change on the way what is fetched from there. What is no URL is told elsewhere.
fn is_safe(url: &str) -> bool {
    let Ok(url) = Url::parse(url) else {
        return true;
    };
    url.scheme() == "https" || is_here(&url)
}

/// Whether it leads to this machine.
fn is_here(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => IpAddr::from(address).is_loopback(),
        Some(Host::Ipv6(address)) => IpAddr::from(address).is_loopback(),
        None => false,
    }
}

fn tokens(check: &mut Check<'_>) {
    let mut seen = BTreeMap::new();
    for name in names_under(&check.layers.values, "tokens") {
        let table = format!("tokens.{name}");
        if !is_provider_name(&name) {
            let problem =
                "NAME must be small letters, digits, `_` and `-`, beginning with a letter";
            check.table_fault(&table, problem.to_owned());
        }
        let Some(hash) = check.text(&format!("{table}.sha256")) else {
            let problem =
                "`sha256` is missing: `patter token NAME` makes a token and prints the line";
            check.table_fault(&table, problem.to_owned());
            continue;
        };
        if let Some(other) = seen.insert(hash.to_ascii_lowercase(), name.clone()) {
            let problem = format!("is the token of `[tokens.{other}]` too");
            check.key_fault(&format!("{table}.sha256"), problem);
        }
    }
}

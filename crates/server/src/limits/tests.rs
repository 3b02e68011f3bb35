//! What only shows after minutes and hours, and what an address may look like.

use std::net::IpAddr;

use http::HeaderValue;

use super::*;
use crate::config::Sources;

fn limits(settings: &[(&str, &str)]) -> CallerLimits {
    let mut sources = Sources::none();
    for (key, value) in settings {
        sources = sources.set(*key, *value);
    }
    let config = Config::load(&sources).unwrap();
    CallerLimits::new(&config, Arc::default())
}

fn at(address: &str) -> Caller {
    local_if_loopback(address.parse().unwrap())
}

fn local_if_loopback(address: IpAddr) -> Caller {
    Caller::anyone(Origin {
        address,
        is_local: address.is_loopback(),
    })
}

fn user(name: &str) -> Caller {
    Caller {
        subject: Subject::User(name.into()),
        ..at("127.0.0.1")
    }
}

fn origin(limits: &CallerLimits, peer: &str, forwarded: &[&str]) -> String {
    let mut headers = HeaderMap::new();
    for line in forwarded {
        headers.append("x-forwarded-for", HeaderValue::from_str(line).unwrap());
    }
    let origin = limits.origin(peer.parse().unwrap(), &headers);
    origin.address.to_string()
}

#[test]
fn what_a_client_says_of_its_origin_is_ignored_where_no_proxy_is_trusted() {
    let limits = limits(&[]);
    assert_eq!(origin(&limits, "203.0.113.5", &["1.2.3.4"]), "203.0.113.5");
    assert_eq!(origin(&limits, "::ffff:203.0.113.5", &[]), "203.0.113.5");
    assert_eq!(origin(&limits, "127.0.0.1", &[]), "127.0.0.1");
}

#[test]
fn who_comes_by_an_unnamed_proxy_on_this_machine_does_not_pass_for_somebody_at_it() {
    let limits = limits(&[]);
    let address = origin(&limits, "127.0.0.1", &["127.0.0.1"]);
    assert_eq!(address, "0.0.0.0");
    assert!(limits.who(&at(&address)).is_some());
    assert!(limits.who(&at("127.0.0.1")).is_none());
}

#[test]
fn of_forwarded_addresses_the_last_one_counts_that_no_trusted_proxy_has() {
    let proxies = ("server.trusted_proxies", "10.0.0.0/8,127.0.0.1,fd00::/8");
    let limits = limits(&[proxies, ("auth.mode", "none")]);
    for (forwarded, expected) in [
        (&["203.0.113.5"][..], "203.0.113.5"),
        (&["1.2.3.4, 203.0.113.5"], "203.0.113.5"),
        (&["1.2.3.4, 203.0.113.5,10.1.1.1 , fd00::7"], "203.0.113.5"),
        (&["1.2.3.4", "203.0.113.5", "10.1.1.1"], "203.0.113.5"),
        (&["127.0.0.1, 203.0.113.5:4711"], "203.0.113.5"),
        (&["[2001:db8::1]:4711"], "2001:db8::1"),
        (&["[2001:db8::1]"], "2001:db8::1"),
        (&["::ffff:203.0.113.5"], "203.0.113.5"),
        (&["10.9.9.9, 10.1.1.1"], "10.9.9.9"),
        // Nobody knows.
        (&["203.0.113.5, unknown"], "0.0.0.0"),
        (&["203.0.113.5, "], "0.0.0.0"),
        (&[], "10.0.0.1"),
    ] {
        assert_eq!(
            origin(&limits, "10.0.0.1", forwarded),
            expected,
            "{forwarded:?}"
        );
    }
}

#[test]
fn an_ipv6_customer_is_counted_as_one_whichever_address_it_takes() {
    let who = |address: &str| Who::at(address.parse::<IpAddr>().unwrap());
    assert_eq!(
        who("2001:db8:1:2::1"),
        who("2001:db8:1:2:ffff:ffff:ffff:ffff")
    );
    assert_ne!(who("2001:db8:1:2::1"), who("2001:db8:1:3::1"));
    assert_ne!(who("203.0.113.5"), who("203.0.113.6"));
    assert_eq!(who("::ffff:203.0.113.5"), who("203.0.113.5"));
}

#[tokio::test(start_paused = true)]
async fn messages_may_come_in_a_burst_and_then_one_every_three_seconds() {
    let limits = limits(&[]);
    let alice = limits.who(&user("alice"));
    for _ in 0..10 {
        limits.message(alice.as_ref()).unwrap();
    }
    let too_much = limits.message(alice.as_ref()).unwrap_err();
    let event = too_much.event(None);
    assert_eq!(event.details["retry_after_ms"], 3_000);
    assert_eq!(event.details["limit"], "messages");
    // Nobody else is kept waiting.
    limits.message(limits.who(&user("bob")).as_ref()).unwrap();
    for _ in 0..5 {
        tokio::time::advance(Duration::from_secs(3)).await;
        limits.message(alice.as_ref()).unwrap();
        limits.message(alice.as_ref()).unwrap_err();
    }
}

#[tokio::test(start_paused = true)]
async fn frames_of_all_kinds_may_come_in_a_burst_and_then_a_hundred_a_minute() {
    let limits = limits(&[]);
    let alice = limits.who(&user("alice"));
    for _ in 0..50 {
        limits.frame(alice.as_ref()).unwrap();
    }
    limits.frame(alice.as_ref()).unwrap_err();
    tokio::time::advance(Duration::from_millis(600)).await;
    limits.frame(alice.as_ref()).unwrap();
    limits.frame(alice.as_ref()).unwrap_err();
}

#[tokio::test(start_paused = true)]
async fn a_user_begins_thirty_sessions_an_hour_and_an_address_sixty() {
    let limits = limits(&[]);
    for (caller, count) in [(user("alice"), 30), (at("203.0.113.5"), 60)] {
        for _ in 0..count {
            limits.new_session(&caller).unwrap();
        }
        limits.new_session(&caller).unwrap_err();
        tokio::time::advance(Duration::from_secs(3_600 / count)).await;
        limits.new_session(&caller).unwrap();
        limits.new_session(&caller).unwrap_err();
    }
    limits.new_session(&at("203.0.113.6")).unwrap();
}

#[tokio::test(start_paused = true)]
async fn who_asks_for_sixty_sessions_that_there_are_not_may_ask_for_none_for_a_while() {
    let limits = limits(&[]);
    let guesser = at("203.0.113.5");
    for _ in 0..60 {
        limits.may_ask_for_session(&guesser).unwrap();
        limits.missed(&guesser);
    }
    for _ in 0..1_000 {
        limits.may_ask_for_session(&guesser).unwrap_err();
    }
    limits.may_ask_for_session(&at("203.0.113.6")).unwrap();
    // Users cannot guess the sessions of others, and are not kept from their own.
    limits.may_ask_for_session(&user("alice")).unwrap();
    tokio::time::advance(Duration::from_secs(60)).await;
    limits.may_ask_for_session(&guesser).unwrap();
}

#[tokio::test(start_paused = true)]
async fn callers_are_forgotten_when_they_have_all_their_allowance_again() {
    let limits = limits(&[]);
    for number in 0..10_000_u32 {
        let who = Who::Network(IpAddr::V4((0x0B00_0000 + number).into()));
        limits.message(Some(&who)).unwrap();
    }
    assert_eq!(limits.messages.remembered(), 10_000);
    tokio::time::advance(Duration::from_secs(7)).await;
    limits.messages.clean();
    assert_eq!(limits.messages.remembered(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_crowd_of_addresses_takes_no_more_memory_than_there_is_for_it() {
    let limits = limits(&[]);
    let known = at("203.0.113.5");
    for _ in 0..60 {
        limits.new_session(&known).unwrap();
    }
    for number in 0..70_000_u32 {
        let caller = local_if_loopback(IpAddr::V4((0x0B00_0000 + number).into()));
        limits.new_session(&caller).unwrap();
    }
    assert_eq!(limits.new_sessions.remembered(), 50_000);
    // Who was known is limited as before, and users are counted apart.
    limits.new_session(&known).unwrap_err();
    for _ in 0..30 {
        limits.new_session(&user("alice")).unwrap();
    }
    limits.new_session(&user("alice")).unwrap_err();
}

#[test]
fn places_are_given_back() {
    let limits = limits(&[("limits.connections_per_user", "2")]);
    let alice = user("alice");
    let first = limits.stay(&alice, false).unwrap();
    let second = limits.stay(&alice, false).unwrap();
    limits.stay(&alice, false).unwrap_err();
    assert!(limits.stay(&user("bob"), false).unwrap().is_some());
    drop(first);
    let third = limits.stay(&alice, false).unwrap();
    drop((second, third));
    assert_eq!(limits.of_user.holders(), 0);
}

//! The keys of what one caller may take.

use super::super::key::{Key, Section};
use super::super::kind::{Items, Kind};
use super::integer;

pub(super) const LIMITS: Section = Section {
    title: "Limits of callers",
    keys: &[
        Key::new(
            "limits.connections_per_address",
            integer(1, 1_000_000),
            "Connections from one address at the same time (of IPv6: from one /64). People behind one router \
             share it.",
        )
        .default("100"),
        Key::new(
            "limits.connections_per_user",
            integer(1, 1_000_000),
            "WebSockets of one user, and waits for answers over HTTP, at the same time.",
        )
        .default("20"),
        Key::new(
            "limits.new_sessions_per_user",
            integer(1, 1_000_000),
            "Sessions that one user may begin in an hour.",
        )
        .default("30"),
        Key::new(
            "limits.new_sessions_per_address",
            integer(1, 1_000_000),
            "Sessions that all who are no users may begin from one address in an hour.",
        )
        .default("60"),
        Key::new(
            "limits.unknown_sessions_per_address",
            integer(1, 1_000_000),
            "Sessions that there are not, for which all who are no users may ask from one address in an \
             hour: where an id is the only secret, it is not to be guessed.",
        )
        .default("60"),
        Key::new(
            "limits.messages_per_minute",
            integer(1, 1_000_000),
            "Messages that one user, or one address, may send in a minute.",
        )
        .default("20"),
        Key::new(
            "limits.messages_burst",
            integer(1, 1_000_000),
            "So many of them at once.",
        )
        .default("10"),
        Key::new(
            "limits.frames_per_minute",
            integer(1, 1_000_000),
            "Frames of any kind that one user, or one address, may send in a minute.",
        )
        .default("100"),
        Key::new(
            "limits.frames_burst",
            integer(1, 1_000_000),
            "So many of them at once.",
        )
        .default("50"),
        Key::new(
            "limits.turns_per_user",
            integer(1, 1_000_000),
            "Answers in flight of one user, or one address, at the same time.",
        )
        .default("3"),
        Key::new(
            "limits.turns",
            integer(1, 1_000_000),
            "Answers in flight of everybody together.",
        )
        .default("500"),
        Key::new(
            "limits.exempt",
            Kind::List(Items::Networks),
            "Networks such as `10.0.0.0/8` from which who is no user is not limited, but by what holds for \
             everybody together. Who comes through a proxy that is not one of `server.trusted_proxies` does \
             not come from there.",
        )
        .default("127.0.0.0/8,::1/128"),
    ],
};

//! The keys of what serves and is kept: the server, the store, the logs.

use super::super::key::{Key, Section};
use super::super::kind::Kind;
use super::{integer, seconds};

pub(super) const SERVER: Section = Section {
    title: "The server",
    keys: &[
        Key::new(
            "server.host",
            Kind::Host,
            "Address or host name to listen on; `0.0.0.0` for every network.",
        )
        .default("127.0.0.1")
        .aliases(&["HOST"]),
        Key::new(
            "server.port",
            integer(0, 65_535),
            "Port to listen on; 0 takes any free one.",
        )
        .default("8000")
        .aliases(&["PORT"]),
        Key::new(
            "server.max_connections",
            integer(1, 1_000_000),
            "Connections served at the same time; more are refused.",
        )
        .default("10000"),
        Key::new(
            "server.drain_timeout",
            seconds(0.0, 3600.0),
            "How long answers in flight may take to finish after SIGTERM or SIGINT.",
        )
        .default("25"),
    ],
};

pub(super) const STORE: Section = Section {
    title: "The store",
    keys: &[
        Key::new(
            "store.url",
            Kind::StoreUrl,
            "Where sessions are kept: a file for the embedded store, or a Postgres URL.",
        )
        .default("sqlite:data/patter.db")
        .aliases(&["DATABASE_URL"]),
        Key::new(
            "store.max_connections",
            integer(1, 1000),
            "Connections to Postgres at the same time.",
        )
        .default("16"),
    ],
};

pub(super) const LOGS: Section = Section {
    title: "Logs",
    keys: &[
        Key::new(
            "log.format",
            Kind::Choice(&["auto", "text", "json"]),
            "How logs are written to stderr; `auto` is text for a terminal, else JSON.",
        )
        .default("auto"),
        Key::new(
            "log.filter",
            Kind::LogFilter,
            "What is logged, as in `RUST_LOG`.",
        )
        .default("info")
        .aliases(&["RUST_LOG"]),
    ],
};

//! The keys of what serves and is kept: the server, the store.

use super::super::key::{Key, Section};
use super::super::kind::{Items, Kind};
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
            "server.cors_origins",
            Kind::List(Items::Origins),
            "Origins whose pages may use the HTTP API and open WebSockets from a browser, such as \
             `https://app.example.org`; by default only the server's own.",
        )
        .default(""),
        Key::new(
            "server.trusted_proxies",
            Kind::List(Items::Networks),
            "Networks such as `10.0.0.0/8` whose proxies are believed about where requests come from \
             (`X-Forwarded-For`), for the limits of callers. Nobody else is.",
        )
        .default(""),
        Key::new(
            "server.hosts",
            Kind::List(Items::Hosts),
            "Names by which the server may be asked, besides addresses, `localhost` and those of `server.host` and \
             `server.public_url`; others are answered with 421. `*` is any. By default only those, on a loopback \
             address and where nobody is asked who they are; elsewhere any.",
        )
        .default(""),
        Key::new(
            "server.public_url",
            Kind::HttpUrl,
            "Where browsers find the server when a proxy in front of it ends TLS or gives it another name, such as \
             `https://chat.example.org`.",
        ),
        Key::new(
            "server.tls_certificate",
            Kind::Text,
            "File with the certificate of the server and those that vouch for it, in PEM; with it the server speaks TLS. \
             Read again when it changes and on SIGHUP.",
        ),
        Key::new(
            "server.tls_key",
            Kind::Text,
            "File with the key of `server.tls_certificate`, in PEM.",
        ),
        Key::new(
            "server.drain_delay",
            seconds(0.0, 3600.0),
            "How long the server serves on after SIGTERM while it already says that it is not ready, \
             for load balancers to notice. Ctrl-C does not wait.",
        )
        .default("5"),
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
        Key::new(
            "store.lease",
            seconds(1.0, 3600.0),
            "How long a process may be silent before another one takes its sessions over.",
        )
        .default("15"),
        Key::new(
            "store.allow_unsafe_fsync",
            Kind::Flag,
            "Whether a Postgres server may be used that runs with `fsync = off`: a power cut loses \
             what it said it had stored.",
        )
        .default("false"),
        Key::new(
            "store.migrate",
            Kind::Choice(&["auto", "check"]),
            "What is done about the tables of Postgres at the start: `auto` brings them up to date, for \
             which the role must own them; `check` makes sure that they are, and needs no more than \
             `deploy/postgres/app_role.sql` grants.",
        )
        .default("auto"),
        Key::new(
            "store.allow_plain_text",
            Kind::Flag,
            "Whether Postgres on another machine, the store or a data source, may be spoken to without \
             TLS (`sslmode=disable`, `allow` or `prefer`): whoever is in between reads everything.",
        )
        .default("false"),
        Key::new(
            "store.spool",
            Kind::Text,
            "Folder on a disk that lasts, where events are safe while Postgres is away; `off` for \
             none. The embedded store has no use for it.",
        )
        .default("data/spool"),
        Key::new(
            "store.spool_max_bytes",
            integer(65_536, 1 << 50),
            "From so many bytes in it on, no new message is taken while Postgres is away.",
        )
        .default("1073741824"),
        Key::new(
            "store.spool_max_age",
            seconds(1.0, 86_400.0),
            "After so long no new message is taken while Postgres is away.",
        )
        .default("600"),
    ],
};

pub(super) const SEARCH: Section = Section {
    title: "Search",
    keys: &[Key::new(
        "search.language",
        Kind::Text,
        "Language of what is said, for search in Postgres, which then finds other forms of a word \
         too: a text search configuration of the server, such as `english`, or `schema.name` where it does not come with PostgreSQL; `simple` takes words as \
         they are. It holds for what is said from then on; what was said before is still found.",
    )
    .default("simple")],
};

//! The scenarios: what each plays, with whom, and which of its figures are told.

use std::fmt;

use clap::ValueEnum;
use serde::{Deserialize, Serialize};

use crate::load::Play;
use crate::server::Server::{
    self, Direct, Fastapi, Floor, Node, Patter, PatterGemini, PatterSqlite, Translator,
};

/// What is measured.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, ValueEnum, Serialize, Deserialize,
)]
#[serde(rename_all = "kebab-case")]
pub enum Scenario {
    /// 200 sessions at 50 tokens a second.
    Steady,
    /// The most sessions at 50 tokens a second.
    Ramp,
    /// As fast as the provider writes.
    Blast,
    /// Until the first token.
    First,
    /// Ten thousand connections that say nothing.
    Idle,
    /// Conversations of 20 turns that rest.
    Turns,
    /// Connections a second, until the session is ready.
    Connect,
    /// Visits a second: connect, one message, leave.
    Churn,
    /// Attach to a session of ten thousand events.
    Replay,
    /// Durable events a second.
    Store,
    /// From the start to listening, and the size of the binary.
    Start,
}

/// A figure as a column of a table.
#[derive(Debug, Clone, Copy)]
pub struct Column {
    /// Name of the figure.
    pub figure: &'static str,
    /// What stands above it.
    pub heading: &'static str,
    /// Whether its ratio to the floor's is told too.
    pub has_ratio: bool,
}

const fn column(figure: &'static str, heading: &'static str, has_ratio: bool) -> Column {
    Column {
        figure,
        heading,
        has_ratio,
    }
}

const TOKENS: Column = column("tokens_per_s", "tokens/s", true);
const P50: Column = column("latency_p50_us", "p50 µs", true);
const P99: Column = column("latency_p99_us", "p99 µs", true);
const P999: Column = column("latency_p999_us", "p99.9 µs", true);
const SERVER: Column = column("server_us", "CPU µs each", true);
const USER: Column = column("server_user_us", "user", false);
const SYSTEM: Column = column("server_system_us", "system", false);
const UPSTREAM: Column = column("upstream_us", "provider's µs", false);
const LOAD: Column = column("load_us", "generator's µs", false);
const SESSIONS: Column = column("sessions", "sessions", true);
const HERE: Column = column("users", "sessions", false);
const KB: Column = column("kb_per_user", "kB each", true);
const CAME: Column = column("came_per_s", "came/s", false);
const VISITS: Column = column("visits_per_s", "visits/s", true);
const EVENTS: Column = column("events", "events", false);
const FIRST_EVENT: Column = column("first_event_ms", "first after ms", false);
const ALL_EVENTS: Column = column("all_events_ms", "all after ms", false);
const DURABLE: Column = column("events_per_s", "events/s", false);
const SYNCS: Column = column("syncs_per_s", "syncs/s of this disk", false);
const LISTENS: Column = column("listens_after_ms", "listens after ms", true);
const BINARY: Column = column("binary_mb", "binary MB", false);

const ALL: &[Server] = &[
    Direct,
    Patter,
    Floor,
    Translator,
    PatterSqlite,
    Node,
    Fastapi,
];
const SERVERS: &[Server] = &[Patter, Floor, PatterSqlite, Node, Fastapi];
const OURS: &[Server] = &[Patter, PatterSqlite];

impl Scenario {
    /// All of them, in the order in which they run.
    pub const ALL: [Self; 11] = [
        Self::Start,
        Self::Steady,
        Self::Ramp,
        Self::Blast,
        Self::First,
        Self::Idle,
        Self::Turns,
        Self::Connect,
        Self::Churn,
        Self::Replay,
        Self::Store,
    ];

    /// What the load generator plays, in those that it plays.
    #[must_use]
    pub fn play(self) -> Play {
        match self {
            Self::Steady | Self::Ramp | Self::Store | Self::Start => Play::Stream,
            Self::Blast => Play::Blast,
            Self::First => Play::First,
            Self::Idle => Play::Idle,
            Self::Turns => Play::Turns,
            Self::Connect => Play::Connect,
            Self::Churn => Play::Churn,
            Self::Replay => Play::Replay,
        }
    }

    /// Who is measured, in the order in which it is done.
    #[must_use]
    pub fn servers(self) -> &'static [Server] {
        match self {
            Self::Steady => &[
                Direct,
                Patter,
                Floor,
                Translator,
                PatterSqlite,
                PatterGemini,
                Node,
                Fastapi,
            ],
            Self::Blast => ALL,
            Self::Ramp => &[Patter, Floor, Translator, PatterSqlite, Node, Fastapi],
            Self::Replay | Self::Store => OURS,
            Self::Start => &[PatterSqlite, Patter, Floor, Node, Fastapi],
            _ => SERVERS,
        }
    }

    /// How often, where the usual number is `rounds`: what takes long, and what is a median itself, once.
    #[must_use]
    pub fn rounds(self, rounds: u32) -> u32 {
        match self {
            Self::Ramp | Self::Idle | Self::Turns | Self::Replay | Self::Store => 1,
            _ => rounds,
        }
    }

    /// Users at the same time.
    #[must_use]
    pub fn users(self) -> u32 {
        match self {
            Self::Steady | Self::Ramp | Self::Turns => 200,
            Self::Blast => 8,
            Self::First => 20,
            Self::Idle => 10_000,
            Self::Connect | Self::Churn => 64,
            Self::Replay | Self::Store | Self::Start => 1,
        }
    }

    /// Tokens of an answer; of `replay`, events of the session.
    #[must_use]
    pub fn tokens(self) -> u32 {
        match self {
            Self::Steady | Self::Ramp => 200,
            Self::Blast => 5_000,
            Self::First => 5,
            Self::Turns => 50,
            Self::Churn => 10,
            Self::Replay => 10_000,
            Self::Idle | Self::Connect | Self::Store | Self::Start => 0,
        }
    }

    /// Tokens a second of each user; 0 for as fast as they come.
    #[must_use]
    pub fn rate(self) -> u32 {
        match self {
            Self::Steady | Self::Ramp => 50,
            _ => 0,
        }
    }

    /// What patter is told besides.
    #[must_use]
    pub fn settings(self) -> &'static [(&'static str, &'static str)] {
        match self {
            // Who leaves is gone for good.
            Self::Churn => &[("PATTER_SESSION__LINGER", "0")],
            _ => &[],
        }
    }

    /// The figures that are told.
    #[must_use]
    pub fn columns(self) -> &'static [Column] {
        match self {
            Self::Steady => &[TOKENS, P50, P99, P999, SERVER, USER, SYSTEM, UPSTREAM, LOAD],
            Self::Ramp => &[SESSIONS, P50, P99, SERVER],
            Self::Blast => &[TOKENS, SERVER, USER, SYSTEM, UPSTREAM, LOAD],
            Self::First => &[P50, P99],
            Self::Idle | Self::Turns => &[HERE, KB, CAME],
            Self::Connect | Self::Churn => &[VISITS, P50, P99, SERVER, LOAD],
            Self::Replay => &[EVENTS, FIRST_EVENT, ALL_EVENTS],
            Self::Store => &[DURABLE, SYNCS],
            Self::Start => &[LISTENS, BINARY],
        }
    }
}

impl fmt::Display for Scenario {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Steady => "steady: 200 sessions at 50 tokens/s",
            Self::Ramp => "ramp: the most sessions at 50 tokens/s with p99 under 50 ms",
            Self::Blast => "blast: as fast as the provider writes, 8 answers at a time",
            Self::First => "first: from the message to the first token, 20 sessions",
            Self::Idle => "idle: 10 000 connections that say nothing",
            Self::Turns => "turns: 200 sessions that rest after 20 turns",
            Self::Connect => "connect: until the session is ready, 64 at a time",
            Self::Churn => "churn: connect, one message, leave, 64 at a time",
            Self::Replay => "replay: attach to a session of 10 000 events",
            Self::Store => "store: durable events, group commit",
            Self::Start => "start: until it listens",
        })
    }
}

//! The keys of sessions.

use super::super::key::{Key, Section};
use super::super::kind::Kind;
use super::{integer, seconds};

pub(super) const SESSIONS: Section = Section {
    title: "Sessions",
    keys: &[
        Key::new(
            "session.linger",
            seconds(0.0, 86_400.0),
            "How long a session waits for its client to come back before it is finalized.",
        )
        .default("30"),
        Key::new(
            "session.sweep_interval",
            seconds(0.1, 3600.0),
            "How often it is looked for sessions whose process was lost, and for missing summaries.",
        )
        .default("5"),
        Key::new(
            "session.client_ids",
            Kind::Flag,
            "Whether a client may begin a session under an id of its own. If not, only sessions that \
             `POST /api/sessions` made are opened, and nobody can try ids out. By default it may; but where nobody is \
             asked who they are, only a client at this machine, or under a UUID of version 4 or 7.",
        ),
        Key::new(
            "session.max_queued_messages",
            integer(0, 1000),
            "Messages that may wait behind the answer in flight; more are refused as `busy`.",
        )
        .default("8"),
        Key::new(
            "session.max_readers",
            integer(1, 1000),
            "Connections attached to one session at the same time.",
        )
        .default("10"),
        Key::new(
            "session.max_steps",
            integer(1, 100),
            "Calls of the model in one answer.",
        )
        .default("8"),
        Key::new(
            "session.max_tool_calls",
            integer(0, 1000),
            "Calls of tools in one answer.",
        )
        .default("16"),
        Key::new(
            "session.max_parallel_tools",
            integer(1, 100),
            "Tools of one step that run at the same time.",
        )
        .default("4"),
        Key::new(
            "session.turn_timeout",
            seconds(1.0, 86_400.0),
            "How long one answer may take, tools included.",
        )
        .default("300"),
        Key::new(
            "session.summary_timeout",
            seconds(0.0, 3600.0),
            "How long the summary may take before a session is finalized without it.",
        )
        .default("30"),
    ],
};

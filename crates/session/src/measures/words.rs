//! The words that stand in labels.

use patter_protocol::{EndReason, FinishReason};

/// A limit of [`SessionSettings`](crate::SessionSettings), of the spool, or of
/// [`Budgets`](crate::Budgets), that was met.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Limit {
    Readers,
    QueuedMessages,
    Steps,
    ToolCalls,
    CallsOfTool,
    TurnTime,
    Turns,
    TurnsOfUser,
    Spool,
    Budget,
}

/// What a summary is for.
#[derive(Debug, Clone, Copy)]
pub(crate) enum SummaryKind {
    Final,
    Late,
    Running,
}

impl Limit {
    pub(super) const ALL: [Self; 10] = [
        Self::Readers,
        Self::QueuedMessages,
        Self::Steps,
        Self::ToolCalls,
        Self::CallsOfTool,
        Self::TurnTime,
        Self::Turns,
        Self::TurnsOfUser,
        Self::Spool,
        Self::Budget,
    ];

    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Readers => "readers",
            Self::QueuedMessages => "queued_messages",
            Self::Steps => "steps",
            Self::ToolCalls => "tool_calls",
            Self::CallsOfTool => "calls_of_tool",
            Self::TurnTime => "turn_time",
            Self::Turns => "turns",
            Self::TurnsOfUser => "turns_of_user",
            Self::Spool => "spool",
            Self::Budget => "budget",
        }
    }
}

impl SummaryKind {
    pub(super) const ALL: [Self; 3] = [Self::Final, Self::Late, Self::Running];

    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Final => "final",
            Self::Late => "late",
            Self::Running => "running",
        }
    }
}

pub(super) const FINISH_REASONS: [FinishReason; 7] = [
    FinishReason::Stop,
    FinishReason::Length,
    FinishReason::Cancelled,
    FinishReason::ContentFilter,
    FinishReason::ToolLimit,
    FinishReason::Error,
    FinishReason::Interrupted,
];

pub(super) fn finish_reason(reason: FinishReason) -> &'static str {
    match reason {
        FinishReason::Stop => "stop",
        FinishReason::Length => "length",
        FinishReason::Cancelled => "cancelled",
        FinishReason::ContentFilter => "content_filter",
        FinishReason::ToolLimit => "tool_limit",
        FinishReason::Error => "error",
        FinishReason::Interrupted => "interrupted",
    }
}

pub(super) const END_REASONS: [EndReason; 5] = [
    EndReason::Client,
    EndReason::Disconnect,
    EndReason::Idle,
    EndReason::Shutdown,
    EndReason::Recovered,
];

pub(super) fn end_reason(reason: EndReason) -> &'static str {
    match reason {
        EndReason::Client => "client",
        EndReason::Disconnect => "disconnect",
        EndReason::Idle => "idle",
        EndReason::Shutdown => "shutdown",
        EndReason::Recovered => "recovered",
    }
}

//! What a session's task can be asked, and what it answers to whoever asked.

use patter_protocol::{ClientMessage, ErrorCode, ErrorEvent, JsonObject, MessageId};
use tokio::sync::{mpsc, oneshot};

use crate::attachment::{After, Attached};
use crate::error::SessionError;
use crate::frame::Frame;
use crate::origin::Origin;
use crate::permit::Permit;

/// The way to the session's task. In boxes: a channel keeps room for 32 of what it carries as long as it is there,
/// used or not.
pub(crate) type Inbox = mpsc::Sender<Box<Command>>;

/// A wish for the session's task. Whoever sends it waits for `reply`; but for `End`, the task answers
/// without waiting for anything but its own turn.
#[derive(Debug)]
pub(crate) enum Command {
    /// Say whether the session could be opened.
    Hello {
        permit: Permit,
        reply: oneshot::Sender<Result<(), SessionError>>,
    },
    /// Take a reader in.
    Attach {
        permit: Permit,
        after: After,
        reply: oneshot::Sender<Result<Attached, SessionError>>,
    },
    /// Do what a client asks.
    Submit {
        permit: Permit,
        message: ClientMessage,
        origin: Origin,
        reply: oneshot::Sender<Result<Submitted, Refusal>>,
    },
    /// Finalize the session now. Answered when it is.
    End {
        with_summary: bool,
        reply: oneshot::Sender<Result<(), SessionError>>,
    },
}

/// What became of a message inside the session's task.
#[derive(Debug)]
pub(crate) enum Submitted {
    /// Taken; whatever comes of it is an event.
    Taken,
    /// The same user message was taken before, and stands in the log here.
    RepeatedAt { seq: u64 },
    /// The same user message was taken before, and is not stored yet: its event will come.
    RepeatedPending,
    /// The same, and it is safe on local disk, as this says.
    RepeatedKept(Frame),
}

/// What became of a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Receipt {
    /// Taken; whatever comes of it is an event.
    Taken,
    /// The same user message was taken before; this is its event, or says that it is safe, for the
    /// sender alone.
    Repeated(Frame),
}

/// Why a message was not taken.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum Refusal {
    /// For the reason that the event tells. It is for the sender alone.
    #[error("{}", .0.message)]
    Refused(ErrorEvent),
    /// The session ended in between.
    #[error("the session has ended")]
    Gone,
}

impl Refusal {
    pub(crate) fn new(code: ErrorCode, message: impl Into<String>) -> Self {
        Self::Refused(error_event(code, message))
    }

    /// The same of a certain message.
    pub(crate) fn about(self, message_id: Option<MessageId>) -> Self {
        match self {
            Self::Refused(event) => Self::Refused(ErrorEvent {
                message_id,
                ..event
            }),
            Self::Gone => Self::Gone,
        }
    }
}

/// An error event that belongs to no message and no answer.
pub(crate) fn error_event(code: ErrorCode, message: impl Into<String>) -> ErrorEvent {
    ErrorEvent {
        code,
        message: message.into(),
        retryable: matches!(
            code,
            ErrorCode::Busy | ErrorCode::RateLimited | ErrorCode::StoreUnavailable
        ),
        message_id: None,
        response_id: None,
        details: JsonObject::new(),
    }
}

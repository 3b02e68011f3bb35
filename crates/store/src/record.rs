//! What goes into a store and what comes out.

use std::time::Duration;

use patter_protocol::{
    DurableEvent, EventBody, EventId, JsonObject, LogEpoch, SessionId, Timestamp,
};
use serde_json::Value;

/// Who may write to a session: every claim raises it, and a write with an older one is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Fence(pub i64);

/// What is known about a session before it has a row.
#[derive(Debug, Clone, PartialEq)]
pub struct NewSession {
    /// The session.
    pub session_id: SessionId,
    /// The authenticated user, if any. Kept for a session that is there already.
    pub user_id: Option<String>,
    /// The client's metadata. Kept for a session that is there already.
    pub metadata: JsonObject,
}

/// A process that runs sessions, and on which terms it does. All times are measured by the
/// database's clock.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Owner {
    /// Names the process. No two processes may have the same name, one after the other neither.
    pub id: String,
    /// So long after a claim or a renewal nobody else gets the session.
    pub lease: Duration,
    /// So long after the lease has run out, or was given back, a client may still return before
    /// somebody [sweeps](crate::SessionStore::sweep) the session up.
    pub linger: Duration,
}

/// A session that a process runs.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Lease {
    /// The session.
    pub session_id: SessionId,
    /// From the claim.
    pub fence: Fence,
}

/// What became of leases that were to be renewed: all that are not named here were.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Renewal {
    /// Those of sessions that are not the owner's any more.
    pub lost: Vec<SessionId>,
    /// Those of sessions whose row somebody else has locked: they are as they were.
    pub busy: Vec<SessionId>,
}

/// A session to which nobody came back, claimed so that it can be finalized.
#[derive(Debug, Clone, PartialEq)]
pub struct Swept {
    /// The session, which the sweeper may write to now.
    pub claimed: Claimed,
    /// Whether its last owner had let go of it in good order; else it was lost.
    pub was_released: bool,
}

/// A session that was finalized without a summary, which somebody is to try and make.
#[derive(Debug, Clone, PartialEq)]
pub struct SummaryJob {
    /// The session as it stands.
    pub record: SessionRecord,
    /// With which `session_summary` may be appended, unless the session is opened in between.
    pub fence: Fence,
    /// Which try this is, from 1.
    pub attempt: u32,
    /// Whether there will be another one if this one fails.
    pub is_last: bool,
}

/// How often a missing summary is tried, and when.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SummaryTries {
    /// At most so many, the one before `session_ended` included.
    pub max: u32,
    /// A try that nobody reported on for so long is taken for lost, and the next one is due.
    pub retry_in: Duration,
}

/// A session that this process may write to.
#[derive(Debug, Clone, PartialEq)]
pub struct Claimed {
    /// The session as it stands.
    pub record: SessionRecord,
    /// To be given with each write.
    pub fence: Fence,
    /// Whether the claim made the session.
    pub created: bool,
}

/// A session at a glance.
#[derive(Debug, Clone, PartialEq)]
pub struct SessionRecord {
    /// The session.
    pub session_id: SessionId,
    /// The authenticated user, if any.
    pub user_id: Option<String>,
    /// When it was first opened.
    pub start_time: Timestamp,
    /// When it was finalized; `None` while it is active.
    pub end_time: Option<Timestamp>,
    /// Whether it is not finalized.
    pub is_active: bool,
    /// What was talked about, once finalized.
    pub summary: Option<String>,
    /// Why there is no summary although there should be one, after the last try.
    pub summary_error: Option<String>,
    /// The client's metadata, and `metrics` once finalized.
    pub metadata: JsonObject,
    /// When the row was made.
    pub created_at: Timestamp,
    /// When the row was last changed.
    pub updated_at: Timestamp,
    /// The highest `seq` stored; 0 if there is none.
    pub last_seq: u64,
    /// Names this incarnation of the log.
    pub epoch: LogEpoch,
}

/// An event on its way into the log: it has no place yet.
#[derive(Debug, Clone, PartialEq)]
pub struct NewEvent {
    /// Names it: a write that is tried twice is stored once.
    pub event_id: EventId,
    /// When it happened.
    pub at: Timestamp,
    /// What happened.
    pub body: EventBody,
    /// Kept with the event and never shown to a client: what a model provider must get back.
    pub private: Option<Value>,
}

impl NewEvent {
    /// An event that happens now.
    #[must_use]
    pub fn now(body: EventBody) -> Self {
        Self {
            event_id: EventId::generate(),
            at: Timestamp::now(),
            body,
            private: None,
        }
    }

    /// The event as a row of the log.
    #[must_use]
    pub fn at_seq(self, seq: u64) -> DurableEvent {
        DurableEvent {
            seq,
            event_id: self.event_id,
            at: self.at,
            body: self.body,
        }
    }
}

/// Events to be added to the end of one session's log, in this order, all or none.
#[derive(Debug, Clone, PartialEq)]
pub struct Append {
    /// The session.
    pub session_id: SessionId,
    /// From the claim.
    pub fence: Fence,
    /// The events, oldest first.
    pub events: Vec<NewEvent>,
}

/// What became of one event of an [`Append`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Appended {
    /// It is stored.
    Stored {
        /// Its place in the log.
        seq: u64,
    },
    /// It was stored before: the same `event_id`, or the same message, answer or tool result.
    Duplicate {
        /// The place of what was stored before.
        seq: u64,
    },
}

/// A row of the log with what no client sees.
#[derive(Debug, Clone, PartialEq)]
pub struct StoredEvent {
    /// The event.
    pub event: DurableEvent,
    /// See [`NewEvent::private`].
    pub private: Option<Value>,
}

/// Which events of a session are wanted: those behind `after`, in order of `seq`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EventQuery {
    /// Only events with a higher `seq`.
    pub after: u64,
    /// At most this many.
    pub limit: u32,
    /// Only events of these types (`user_message`, ...); of all types if empty.
    pub types: Vec<String>,
}

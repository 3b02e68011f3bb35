//! One session in memory, and what may be done with it.

use patter_protocol::{EndReason, EventBody, LogEpoch, Timestamp};
use patter_store::{
    Appended, Claimed, Fence, NewEvent, NewSession, Owner, SessionRecord, StoredEvent, SummaryJob,
    SummaryTries,
};
use tokio::time::Instant;

/// A session and its log.
#[derive(Debug)]
pub(super) struct Kept {
    pub(super) record: SessionRecord,
    pub(super) fence: Fence,
    pub(super) lease_owner: Option<String>,
    pub(super) lease_until: Option<Instant>,
    pub(super) finalize_after: Option<Instant>,
    pub(super) summary_due_at: Option<Instant>,
    pub(super) summary_tries: u32,
    pub(super) log: Vec<StoredEvent>,
}

impl Kept {
    pub(super) fn new(session: NewSession) -> Self {
        let now = Timestamp::now();
        Self {
            record: SessionRecord {
                session_id: session.session_id,
                user_id: session.user_id,
                start_time: now,
                end_time: None,
                is_active: true,
                summary: None,
                summary_error: None,
                metadata: session.metadata,
                created_at: now,
                updated_at: now,
                last_seq: 0,
                epoch: LogEpoch::generate(),
            },
            fence: Fence(0),
            lease_owner: None,
            lease_until: None,
            finalize_after: None,
            summary_due_at: None,
            summary_tries: 0,
            log: Vec::new(),
        }
    }

    pub(super) fn claim(&mut self, owner: &Owner, created: bool) -> Claimed {
        self.fence.0 += 1;
        self.lease_owner = Some(owner.id.clone());
        self.renew(owner);
        Claimed {
            record: self.record.clone(),
            fence: self.fence,
            created,
        }
    }

    pub(super) fn renew(&mut self, owner: &Owner) {
        let until = Instant::now() + owner.lease;
        self.lease_until = Some(until);
        self.finalize_after = Some(until + owner.linger);
    }

    pub(super) fn is_leased(&self) -> bool {
        self.lease_until.is_some_and(|until| until > Instant::now())
    }

    pub(super) fn is_left_over(&self) -> bool {
        let is_due = |after| after < Instant::now();
        self.record.is_active && !self.is_leased() && self.finalize_after.is_some_and(is_due)
    }

    pub(super) fn misses_summary(&self, tries: SummaryTries) -> bool {
        let is_due = |due_at| due_at < Instant::now();
        !self.record.is_active
            && !self.is_leased()
            && self.summary_tries < tries.max
            && self.summary_due_at.is_some_and(is_due)
    }

    pub(super) fn take_summary(&mut self, tries: SummaryTries) -> SummaryJob {
        self.summary_tries += 1;
        let is_last = self.summary_tries >= tries.max;
        self.summary_due_at = (!is_last).then(|| Instant::now() + tries.retry_in);
        // Whoever had an earlier try, or claimed it and was lost, must not write to it any more.
        self.fence.0 += 1;
        self.lease_owner = None;
        self.lease_until = None;
        SummaryJob {
            record: self.record.clone(),
            fence: self.fence,
            attempt: self.summary_tries,
            is_last,
        }
    }

    pub(super) fn append_one(&mut self, event: NewEvent) -> Appended {
        if let Some(same) = self.log.iter().find(|stored| is_same(stored, &event)) {
            return Appended::Duplicate {
                seq: same.event.seq,
            };
        }
        let seq = self.record.last_seq + 1;
        self.record.last_seq = seq;
        self.record.updated_at = Timestamp::now();
        self.project(&event);
        let private = event.private.clone();
        self.log.push(StoredEvent {
            event: event.at_seq(seq),
            private,
        });
        Appended::Stored { seq }
    }

    fn project(&mut self, event: &NewEvent) {
        match &event.body {
            EventBody::SessionStarted(_) => {
                self.record.is_active = true;
                self.record.end_time = None;
                self.record.summary_error = None;
                self.summary_due_at = None;
                self.summary_tries = 0;
            }
            EventBody::SessionEnded(ended) => {
                self.record.is_active = false;
                self.record.end_time = Some(event.at);
                self.record.summary = ended.summary.clone();
                let metrics = serde_json::to_value(ended.metrics).unwrap();
                self.record.metadata.insert("metrics".to_owned(), metrics);
                self.record.summary_error = None;
                self.lease_owner = None;
                self.lease_until = None;
                self.finalize_after = None;
                let is_missing = ended.summary.is_none() && ended.metrics.user_messages > 0;
                let was_tried = matches!(
                    ended.reason,
                    EndReason::Client | EndReason::Disconnect | EndReason::Idle
                );
                self.summary_due_at = is_missing.then(Instant::now);
                self.summary_tries = u32::from(is_missing && was_tried);
            }
            EventBody::SessionSummary(late) => {
                self.record.summary = Some(late.summary.clone());
                self.record.summary_error = None;
                self.summary_due_at = None;
            }
            EventBody::UserMessage(_)
            | EventBody::ToolCall(_)
            | EventBody::ToolApproved(_)
            | EventBody::ToolResult(_)
            | EventBody::AiResponse(_) => {}
        }
    }
}

fn is_same(stored: &StoredEvent, event: &NewEvent) -> bool {
    if stored.event.event_id == event.event_id {
        return true;
    }
    match (&stored.event.body, &event.body) {
        (EventBody::UserMessage(a), EventBody::UserMessage(b)) => a.id == b.id,
        (EventBody::AiResponse(a), EventBody::AiResponse(b)) => a.response_id == b.response_id,
        (EventBody::ToolResult(a), EventBody::ToolResult(b)) => a.call_id == b.call_id,
        _ => false,
    }
}

//! Messages that come while the store is away: each is kept on local disk before anything else is
//! done with it, so that `accepted` is true, and one that cannot be kept was never taken.

use patter_protocol::{
    Accepted, Durability, ErrorCode, EventBody, LiveEvent, MessageId, UserMessage,
};
use patter_store::NewEvent;
use tokio::sync::oneshot;

use super::Session;
use crate::command::{Refusal, Submitted};
use crate::frame::Frame;
use crate::measures::Limit;
use crate::origin::Origin;

/// Whoever waits to hear what becomes of a message.
pub(super) type Reply = oneshot::Sender<Result<Submitted, Refusal>>;

/// A message that is being kept.
pub(super) struct Admission {
    message_id: MessageId,
    interrupt: bool,
    origin: Origin,
    /// Whoever sent it, and sent it again meanwhile.
    replies: Vec<Reply>,
}

impl Session {
    /// Has a message kept; who sent it is answered when it is, or is not.
    pub(super) fn admit(
        &mut self,
        message: UserMessage,
        interrupt: bool,
        origin: Origin,
        reply: Reply,
    ) {
        let message_id = message.id.clone();
        if self
            .log
            .admit(NewEvent::now(EventBody::UserMessage(message)))
        {
            self.admissions.push_back(Admission {
                message_id,
                interrupt,
                origin,
                replies: vec![reply],
            });
        } else {
            self.resources.measures.hit(Limit::Spool);
            let _gone = reply.send(Err(not_taken(&message_id)));
        }
    }

    /// Joins those who wait for a message that is being kept; gives `reply` back if it is none.
    pub(super) fn join_admission(&mut self, id: &MessageId, reply: Reply) -> Option<Reply> {
        let mut admissions = self.admissions.iter_mut();
        match admissions.find(|admission| admission.message_id == *id) {
            Some(admission) => {
                admission.replies.push(reply);
                None
            }
            None => Some(reply),
        }
    }

    /// Messages are kept: now they are taken.
    pub(super) fn take_admitted(&mut self, events: Vec<NewEvent>) {
        for event in events {
            let Some(admission) = self.admissions.pop_front() else {
                return;
            };
            let EventBody::UserMessage(message) = &event.body else {
                return;
            };
            if self.is_ending_for_good() {
                // `end` has overtaken it: it was never taken.
                self.log.forget(vec![event.event_id]);
                for reply in admission.replies {
                    let _gone = reply.send(Err(Refusal::Gone));
                }
                continue;
            }
            // Two that replace the same message may have been admitted side by side.
            self.make_way_for(message.replaces.as_ref());
            self.conversation.apply(&event.body, None);
            self.counters.apply(&event.body, event.at);
            self.log.push_kept(event);
            self.tell_accepted(&admission.message_id);
            for reply in admission.replies {
                let _gone = reply.send(Ok(Submitted::Taken));
            }
            self.answer_next(admission.message_id, admission.interrupt, admission.origin);
        }
    }

    /// The oldest messages could not be kept.
    pub(super) fn refuse_admissions(&mut self, count: usize) {
        for admission in self.admissions.drain(..count.min(self.admissions.len())) {
            for reply in admission.replies {
                let _gone = reply.send(Err(not_taken(&admission.message_id)));
            }
        }
        self.end_if_done();
    }

    /// Tells every reader that a message is safe on local disk.
    pub(super) fn tell_accepted(&mut self, id: &MessageId) {
        self.readers.send(&accepted(id));
    }
}

/// A message is safe on local disk.
pub(super) fn accepted(id: &MessageId) -> Frame {
    Frame::live(LiveEvent::Accepted(Accepted {
        id: id.clone(),
        durability: Durability::Spooled,
    }))
}

fn not_taken(id: &MessageId) -> Refusal {
    Refusal::new(
        ErrorCode::StoreUnavailable,
        "the database is away and the local disk takes no more; the message was not taken",
    )
    .about(Some(id.clone()))
}

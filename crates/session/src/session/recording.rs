//! What becomes of events: into the conversation, into the log, and out to the readers once they are stored.

use patter_protocol::{CloseCode, EventBody};
use patter_store::NewEvent;
use serde_json::Value;
use tracing::Span;

use super::log::LogProgress;
use super::{Flow, Session, ending, readers};
use crate::frame::Frame;

impl Session {
    /// Takes an event into the conversation and sends it on its way into the log.
    pub(super) fn record(&mut self, body: EventBody, private: Option<Value>) {
        let turn = self.turn.as_ref();
        let span = turn.map_or_else(Span::none, |turn| turn.span().clone());
        self.record_in(span, body, private);
    }

    /// The same, where it was an answer with this span that had it to say.
    pub(super) fn record_in(&mut self, span: Span, body: EventBody, private: Option<Value>) {
        let event = NewEvent {
            private,
            ..NewEvent::now(body)
        };
        self.conversation.apply(&event.body, event.private.as_ref());
        self.counters.apply(&event.body, event.at);
        self.log.push(event, span);
    }

    pub(super) fn take_log_progress(&mut self, progress: LogProgress) -> Flow {
        match progress {
            LogProgress::Stored(events) => {
                let mut ended = None;
                for event in events {
                    match &event.body {
                        EventBody::UserMessage(message) => {
                            self.conversation.stored(&message.id, event.seq);
                        }
                        EventBody::SessionEnded(end) => {
                            self.resources.measures.ended(end.reason);
                            ended = Some(end.reason);
                        }
                        _ => {}
                    }
                    self.note_safe(&event.body);
                    self.note_stored(&event.body);
                    self.readers.send(&Frame::durable(event));
                }
                return ended.map_or(Flow::GoOn, |reason| Flow::Close(ending::close_code(reason)));
            }
            LogProgress::Kept(bodies) => {
                for body in &bodies {
                    if let EventBody::UserMessage(message) = body {
                        self.tell_accepted(&message.id);
                    }
                    self.note_safe(body);
                }
            }
            LogProgress::Admitted(events) => self.take_admitted(events),
            LogProgress::NotAdmitted(count) => self.refuse_admissions(count),
            LogProgress::Degraded => self.readers.send(&readers::store_degraded()),
            LogProgress::Recovered => self.readers.send(&readers::store_recovered()),
            LogProgress::Fenced => return Flow::Close(CloseCode::Moved),
            LogProgress::Failed => return Flow::Close(CloseCode::Internal),
        }
        Flow::GoOn
    }

    /// An event survives this process from now on: a tool may run whose call it is.
    fn note_safe(&mut self, body: &EventBody) {
        if let (EventBody::ToolCall(call), Some(turn)) = (body, &mut self.turn) {
            turn.call_is_safe(call.call_id);
        }
    }

    /// An event is in the store: a tool may run whose approval it is. On the disk of this machine that would
    /// not do: another one would ask for the approval again, and run the tool twice.
    fn note_stored(&mut self, body: &EventBody) {
        if let (EventBody::ToolApproved(approved), Some(turn)) = (body, &mut self.turn) {
            turn.approval_is_stored(approved.call_id);
        }
    }
}

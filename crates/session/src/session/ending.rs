//! How a session ends: what is in flight is brought to an end, the conversation is summarized if
//! that can be done in time, and `session_ended` is stored. Finalizing never depends on the model.

use futures_util::future::BoxFuture;
use patter_protocol::{CloseCode, EndReason, EventBody, FinishReason, SessionEnded, Timestamp};
use tokio::sync::oneshot;
use tracing::warn;

use super::{Session, Stage};
use crate::error::SessionError;
use crate::measures::SummaryKind;
use crate::summary::{self, Brief};

/// A session on its way out.
pub(super) struct Ending {
    reason: EndReason,
    /// `None` once `session_ended` is on its way into the log.
    summary: Option<BoxFuture<'static, Option<String>>>,
}

/// Where somebody waits for the end.
pub(super) type EndReply = oneshot::Sender<Result<(), SessionError>>;

/// The code with which readers are closed after a session ended.
pub(super) fn close_code(reason: EndReason) -> CloseCode {
    match reason {
        // Whoever came just then is to open the session again.
        EndReason::Shutdown | EndReason::Recovered => CloseCode::Restart,
        EndReason::Client | EndReason::Disconnect | EndReason::Idle => CloseCode::Normal,
    }
}

/// Whether [`summary`] has something to wait for.
pub(super) fn summarizes(ending: Option<&Ending>) -> bool {
    ending.is_some_and(|ending| ending.summary.is_some())
}

/// Waits for the summary of a session that ends. Cancel safe.
pub(super) async fn summary(ending: &mut Option<Ending>) -> Option<String> {
    ending.as_mut()?.summary.as_mut()?.await
}

impl Session {
    /// Whether nothing calls the session back any more.
    pub(super) fn is_ending_for_good(&self) -> bool {
        self.ending
            .as_ref()
            .is_some_and(|ending| ending.summary.is_none() || ending.reason == EndReason::Client)
    }

    /// Somebody is there again: a session that was about to end for want of readers goes on.
    pub(super) fn somebody_came(&mut self) {
        self.abandoned = false;
        self.left_behind = None;
        self.linger = None;
        self.ending = None;
        self.linger_if_alone();
    }

    /// Finalizes at once because a client said so.
    pub(super) fn end_now(&mut self) {
        self.close_answers(FinishReason::Cancelled);
        self.begin_ending(EndReason::Client);
    }

    /// Finalizes at once because somebody who is not connected said so, and tells them when it is done.
    pub(super) fn end_for(&mut self, with_summary: bool, reply: EndReply) {
        self.enders.push(reply);
        if !self.is_ending_for_good() {
            self.end_now();
        }
        if !with_summary {
            self.end_without_summary();
        }
    }

    /// Tells whoever waits for the end that it has come, or that this task is over without.
    pub(super) fn tell_enders(&mut self, code: CloseCode) {
        for reply in std::mem::take(&mut self.enders) {
            // Whoever asked may have left.
            let _gone = reply.send(match code {
                CloseCode::Normal => Ok(()),
                _ => Err(SessionError::Gone {
                    session_id: self.session_id.clone(),
                }),
            });
        }
    }

    /// Finalizes if nothing is in flight and there is a reason to.
    pub(super) fn end_if_done(&mut self) {
        let is_busy =
            self.turn.is_some() || !self.waiting.is_empty() || !self.admissions.is_empty();
        if self.ending.is_some() || is_busy {
            return;
        }
        // A process that stops hands its sessions over instead.
        let is_serving = self.stage == Stage::Serving;
        if is_serving && self.abandoned && self.readers.is_empty() {
            self.begin_ending(self.left_behind.unwrap_or(EndReason::Disconnect));
        }
    }

    /// Ends the answer in flight and those that wait.
    pub(super) fn close_answers(&mut self, reason: FinishReason) {
        let waiting = std::mem::take(&mut self.waiting);
        self.stop_turn(reason);
        self.finish_stopped_turn();
        self.waiting = waiting;
        self.close_waiting(reason);
    }

    /// Ends the answers that wait for their turn.
    pub(super) fn close_waiting(&mut self, reason: FinishReason) {
        for wanted in std::mem::take(&mut self.waiting) {
            // An answer that was to be given again has one that still counts.
            if wanted.supersedes.is_none() {
                self.record_unspoken(wanted.message_id, reason);
            }
        }
    }

    fn begin_ending(&mut self, reason: EndReason) {
        // There is no further answer that it would be for.
        self.running_summary.stop();
        // Nor has a process that stops the time for a summary.
        let has_time = matches!(self.stage, Stage::Serving | Stage::Draining { .. });
        if self.conversation.is_empty() || !has_time {
            self.end_with(reason);
            return;
        }
        let summary = Some(self.summarize());
        self.ending = Some(Ending { reason, summary });
    }

    /// Finalizes at once, without asking for a summary: where it should have one, it follows.
    pub(super) fn end_with(&mut self, reason: EndReason) {
        let summary = None;
        self.ending = Some(Ending { reason, summary });
        self.record_end(None);
    }

    /// Finalizes at once if the session is only waiting for its summary.
    pub(super) fn end_without_summary(&mut self) {
        if summarizes(self.ending.as_ref()) {
            self.record_end(None);
        }
    }

    fn summarize(&self) -> BoxFuture<'static, Option<String>> {
        let model = self.resources.model_paid_by(&self.spender);
        let transcript = self.conversation.transcript();
        let limit = self.resources.settings.summary_timeout;
        let session_id = self.session_id.clone();
        Box::pin(async move {
            summary::summarize(model, Brief::for_a_person(), transcript, limit)
                .await
                .inspect_err(|error| warn!(%session_id, error, "no summary could be had in time"))
                .ok()
        })
    }

    /// Takes in what became of the summary.
    pub(super) fn take_summary(&mut self, summary: Option<String>) {
        let measures = &self.resources.measures;
        measures.summarized(SummaryKind::Final, summary.is_some());
        self.record_end(summary);
    }

    /// Sends `session_ended` on its way into the log.
    pub(super) fn record_end(&mut self, summary: Option<String>) {
        let Some(ending) = &mut self.ending else {
            return;
        };
        ending.summary = None;
        let ended = SessionEnded {
            reason: ending.reason,
            summary,
            metrics: self.counters.metrics(Timestamp::now()),
        };
        self.record(EventBody::SessionEnded(ended), None);
    }
}

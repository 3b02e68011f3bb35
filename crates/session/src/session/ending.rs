//! How a session ends: what is in flight is brought to an end, the conversation is summarized if
//! that can be done in time, and `session_ended` is stored. Finalizing never depends on the model.

use std::panic::AssertUnwindSafe;
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use patter_protocol::{
    CloseCode, EndReason, EventBody, FinishReason, SessionEnded, SessionSummary, SummaryRange,
    Timestamp,
};
use tokio::time::sleep;
use tracing::warn;

use super::log::LogProgress;
use super::{Flow, Session, Stage};
use crate::session::readers;
use crate::summary::{self, Brief};

/// How long it is waited before a summary is tried again that could not be had in time.
const LATE_SUMMARY_DELAYS: [Duration; 2] = [Duration::from_secs(5), Duration::from_secs(30)];

/// A session on its way out.
pub(super) struct Ending {
    reason: EndReason,
    /// `None` once `session_ended` is on its way into the log.
    summary: Option<BoxFuture<'static, Option<String>>>,
    /// The session ended without the summary that it should have.
    summary_is_due: bool,
}

/// The code with which readers are closed after a session ended.
pub(super) fn close_code(reason: EndReason) -> CloseCode {
    match reason {
        EndReason::Shutdown => CloseCode::Restart,
        EndReason::Client | EndReason::Disconnect | EndReason::Idle | EndReason::Recovered => {
            CloseCode::Normal
        }
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
        self.ending.as_ref().is_some_and(|ending| {
            ending.summary.is_none() || ending.reason != EndReason::Disconnect
        })
    }

    /// Somebody is there again: a session that was about to end for want of readers goes on.
    pub(super) fn somebody_came(&mut self) {
        self.abandoned = false;
        self.linger = None;
        self.ending = None;
        self.linger_if_alone();
    }

    /// Finalizes at once because a client said so.
    pub(super) fn end_now(&mut self) {
        self.close_answers(FinishReason::Cancelled);
        self.begin_ending(EndReason::Client);
    }

    /// Finalizes if nothing is in flight and there is a reason to.
    pub(super) fn end_if_done(&mut self) {
        if self.ending.is_some() || self.turn.is_some() || !self.waiting.is_empty() {
            return;
        }
        if *self.stage.borrow() != Stage::Serving {
            self.begin_ending(EndReason::Shutdown);
        } else if self.abandoned && self.readers.is_empty() {
            self.begin_ending(EndReason::Disconnect);
        }
    }

    /// Ends the answer in flight and those that wait.
    fn close_answers(&mut self, reason: FinishReason) {
        let waiting = std::mem::take(&mut self.waiting);
        self.stop_turn(reason);
        self.finish_stopped_turn();
        for wanted in waiting {
            // An answer that was to be given again has one that still counts.
            if wanted.supersedes.is_none() {
                self.record_unspoken(wanted.message_id, reason);
            }
        }
    }

    fn begin_ending(&mut self, reason: EndReason) {
        // There is no further answer that it would be for.
        self.running_summary.stop();
        if self.conversation.is_empty() {
            self.ending = Some(Ending {
                reason,
                summary: None,
                summary_is_due: false,
            });
            self.record_end(None);
            return;
        }
        let summary = self.summarize();
        self.ending = Some(Ending {
            reason,
            summary: Some(summary),
            summary_is_due: false,
        });
    }

    fn summarize(&self) -> BoxFuture<'static, Option<String>> {
        let model = self.resources.model.clone();
        let transcript = self.conversation.transcript();
        let limit = self.resources.settings.summary_timeout;
        let summary = async move {
            summary::summarize(&*model, Brief::for_a_person(), transcript, limit).await
        };
        // A panic of the model costs the summary and not the end.
        Box::pin(
            AssertUnwindSafe(summary)
                .catch_unwind()
                .map(Result::unwrap_or_default),
        )
    }

    /// Sends `session_ended` on its way into the log.
    pub(super) fn record_end(&mut self, summary: Option<String>) {
        let Some(ending) = &mut self.ending else {
            return;
        };
        ending.summary = None;
        ending.summary_is_due = summary.is_none()
            && ending.reason != EndReason::Shutdown
            && !self.conversation.is_empty();
        let ended = SessionEnded {
            reason: ending.reason,
            summary,
            metrics: self.counters.metrics(Timestamp::now()),
        };
        self.record(EventBody::SessionEnded(ended), None);
    }

    /// The manager has come one step further with shutting down.
    pub(super) fn take_stage(&mut self) -> Flow {
        let stage = *self.stage.borrow();
        match stage {
            Stage::Serving => {}
            Stage::Draining => {
                self.readers.send(&readers::draining());
                self.end_if_done();
            }
            Stage::Stopping => {
                self.close_answers(FinishReason::Interrupted);
                if self
                    .ending
                    .as_ref()
                    .is_none_or(|ending| ending.summary.is_some())
                {
                    self.ending.get_or_insert(Ending {
                        reason: EndReason::Shutdown,
                        summary: None,
                        summary_is_due: false,
                    });
                    self.record_end(None);
                }
            }
            Stage::Stopped => {
                warn!(session_id = %self.session_id, "not finalized before the server stopped");
                return Flow::Close(CloseCode::Restart);
            }
        }
        Flow::GoOn
    }

    /// Tries to get the summary that the session ended without. Gives up as soon as the server
    /// stops.
    pub(super) async fn try_late_summary(&mut self) {
        let is_due = self
            .ending
            .as_ref()
            .is_some_and(|ending| ending.summary_is_due);
        if !is_due || *self.stage.borrow() != Stage::Serving {
            return;
        }
        for delay in LATE_SUMMARY_DELAYS {
            let attempt = self.summarize();
            let summary = tokio::select! {
                _ = self.stage.changed() => return,
                summary = async { sleep(delay).await; attempt.await } => summary,
            };
            if let Some(summary) = summary {
                let covers = SummaryRange {
                    from_seq: 1,
                    to_seq: self.log.last_seq(),
                };
                self.record(
                    EventBody::SessionSummary(SessionSummary { summary, covers }),
                    None,
                );
                self.flush_log().await;
                return;
            }
        }
    }

    /// Writes what is left to be written, unless the store refuses or the server stops.
    async fn flush_log(&mut self) {
        while self.log.has_work() {
            tokio::select! {
                progress = self.log.progress() => {
                    if matches!(progress, LogProgress::Fenced | LogProgress::Failed) {
                        return;
                    }
                }
                changed = self.stage.changed() => {
                    if changed.is_err() || *self.stage.borrow() == Stage::Stopped {
                        return;
                    }
                }
            }
        }
    }
}

//! A conversation that has outgrown the window of its model: its oldest exchanges are summarized
//! beside the answers, never in their way, and ended with the session's task.

use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use tokio::time::Instant;
use tracing::{info, warn};

use super::Session;
use crate::conversation::{Overflow, Room};
use crate::measures::SummaryKind;
use crate::summary::{self, Brief};

/// How long one may take. Nobody waits for it, and the first is made of half a window, for which
/// a model is asked several times.
const LIMIT: Duration = Duration::from_mins(2);
/// After so many failures in a row it is not tried for a [`REST`]: each try costs something.
const MAX_FAILURES: u32 = 3;
/// Long enough for most outages to be over.
const REST: Duration = Duration::from_mins(30);

/// Of the running summary of a session: the one in the making, and how often it failed.
#[derive(Default)]
pub(super) struct RunningSummary {
    making: Option<Making>,
    /// In a row, since the last rest.
    failures: u32,
    rests_until: Option<Instant>,
}

struct Making {
    overflow: Overflow,
    text: BoxFuture<'static, Option<String>>,
}

impl RunningSummary {
    /// Whether [`RunningSummary::made`] has something to wait for.
    pub(super) fn is_in_the_making(&self) -> bool {
        self.making.is_some()
    }

    /// Waits for the summary in the making; `None` where there is none or it failed. Cancel safe.
    pub(super) async fn made(&mut self) -> Option<String> {
        self.making.as_mut()?.text.as_mut().await
    }

    /// Whether another one can be begun now.
    fn is_free(&self) -> bool {
        self.making.is_none() && self.rests_until.is_none_or(|end| end <= Instant::now())
    }

    fn failed(&mut self) {
        self.failures += 1;
        if self.failures == MAX_FAILURES {
            self.failures = 0;
            self.rests_until = Some(Instant::now() + REST);
        }
    }

    /// Gives the one in the making up.
    pub(super) fn stop(&mut self) {
        self.making = None;
    }
}

impl Session {
    /// Begins to summarize what does not fit into `room`, unless that is under way already, has
    /// failed too often of late, or is done.
    pub(super) fn summarize_overflow(&mut self, room: Room) {
        if !self.running_summary.is_free() {
            return;
        }
        let Some(mut overflow) = self.conversation.overflow(room) else {
            return;
        };
        let lines = overflow.take_lines();
        let model = self.resources.model_paid_by(&self.spender);
        let brief = Brief::for_a_model(room.tokens / 4);
        let text = summary::summarize(model, brief, lines, LIMIT);
        let session_id = self.session_id.clone();
        self.running_summary.making = Some(Making {
            overflow,
            text: text
                .map(move |text| {
                    let text = text.inspect_err(|error| {
                        warn!(%session_id, error, "no running summary could be had");
                    });
                    text.ok()
                })
                .boxed(),
        });
    }

    /// Takes in what became of the summary in the making.
    pub(super) fn take_running_summary(&mut self, text: Option<String>) {
        let running = &mut self.running_summary;
        let Some(making) = running.making.take() else {
            return;
        };
        let session_id = &self.session_id;
        let measures = &self.resources.measures;
        measures.summarized(SummaryKind::Running, text.is_some());
        if let Some(text) = text {
            running.failures = 0;
            info!(%session_id, "the oldest turns are summarized");
            self.conversation.summarized(&making.overflow, text);
        } else {
            running.failed();
            warn!(%session_id, "the oldest turns are left out without a summary");
        }
    }
}

//! The approval of a call by a person: of one call, with the arguments that its event has shown, once,
//! and within a time. Where nobody says anything the call does not run.

use std::collections::HashMap;
use std::time::Duration;

use patter_protocol::CallId;
use tokio::sync::watch;
use tokio::time::{Instant, timeout};

/// So long somebody may take to decide.
const PATIENCE: Duration = Duration::from_secs(300);

/// What became of the question whether a call may run.
#[derive(Debug, Clone)]
enum Answer {
    Awaited,
    /// Yes, and that is on its way into the log.
    Noted,
    /// Yes, and that is stored: the call may run.
    Approved,
    /// No, with the reason, if one was given.
    Refused(Option<String>),
}

/// What a call waits for that needs an approval.
#[derive(Debug, Clone)]
pub(super) struct Approval {
    answer: watch::Receiver<Answer>,
}

/// The calls of a turn about which nobody has decided.
#[derive(Debug, Default)]
pub(super) struct Approvals {
    waiting: HashMap<CallId, watch::Sender<Answer>>,
    /// The calls that were approved, which is not stored yet.
    noted: HashMap<CallId, watch::Sender<Answer>>,
    /// Since when people can decide and nothing else goes on.
    since: Option<Instant>,
}

impl Approval {
    /// Waits for the decision: `Ok` if it was a yes, else why the call must not run.
    ///
    /// Cancel safe.
    pub(super) async fn given(&mut self) -> Result<(), String> {
        let answered = self
            .answer
            .wait_for(|answer| !matches!(answer, Answer::Awaited));
        if timeout(PATIENCE, answered).await.is_err() {
            let seconds = PATIENCE.as_secs();
            return Err(format!("nobody approved the call within {seconds} s"));
        }
        // A log that takes long is waited for as long as the turn may take.
        let settled = self
            .answer
            .wait_for(|answer| matches!(answer, Answer::Approved | Answer::Refused(_)));
        match settled.await.as_deref() {
            Ok(Answer::Approved) => Ok(()),
            Ok(Answer::Refused(Some(reason))) => Err(format!("the call was refused: {reason}")),
            Ok(Answer::Refused(None) | Answer::Awaited | Answer::Noted) | Err(_) => {
                Err("the call was refused".to_owned())
            }
        }
    }
}

impl Approvals {
    /// Asks for an approval.
    pub(super) fn ask_for(&mut self, call_id: CallId) -> Approval {
        let (sender, answer) = watch::channel(Answer::Awaited);
        self.waiting.insert(call_id, sender);
        Approval { answer }
    }

    /// People are asked from now on.
    pub(super) fn begin(&mut self) {
        self.since = self.are_awaited().then(Instant::now);
    }

    /// Whether somebody is to decide about this call.
    pub(super) fn await_decision_on(&self, call_id: CallId) -> bool {
        self.waiting.contains_key(&call_id)
    }

    /// Whether this call has not run for want of an approval that is stored.
    pub(super) fn hold_back(&self, call_id: CallId) -> bool {
        self.await_decision_on(call_id) || self.noted.contains_key(&call_id)
    }

    /// Whether somebody is to decide about any.
    pub(super) fn are_awaited(&self) -> bool {
        !self.waiting.is_empty()
    }

    /// Takes a yes; the call runs when [that is stored](Self::is_stored). `false` if none is awaited about this
    /// call, or none any more.
    pub(super) fn approve(&mut self, call_id: CallId) -> bool {
        let Some(sender) = self.waiting.get(&call_id) else {
            return false;
        };
        // Whoever waits may have run out of patience just now.
        let is_taken = sender.send(Answer::Noted).is_ok();
        if is_taken {
            self.noted.insert(call_id, sender.clone());
        }
        is_taken
    }

    /// Takes a no. `false` as for a yes.
    pub(super) fn refuse(&mut self, call_id: CallId, reason: Option<String>) -> bool {
        let sender = self.waiting.get(&call_id);
        sender.is_some_and(|sender| sender.send(Answer::Refused(reason)).is_ok())
    }

    /// An approval is stored.
    pub(super) fn is_stored(&mut self, call_id: CallId) {
        if let Some(sender) = self.noted.remove(&call_id) {
            // The turn may be over.
            let _runs = sender.send(Answer::Approved).is_ok();
        }
    }

    /// Waits for no decision about this call any more. Gives how long people took, if it was the last.
    pub(super) fn close(&mut self, call_id: CallId) -> Option<Duration> {
        self.waiting.remove(&call_id)?;
        if self.waiting.is_empty() {
            self.since.take().map(|since| since.elapsed())
        } else {
            None
        }
    }
}

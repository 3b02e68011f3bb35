//! The approval of a call by a person: of one call, with the arguments that its event has shown, once,
//! and within a time. Where nobody says anything the call does not run.

use std::collections::HashMap;
use std::time::Duration;

use patter_protocol::CallId;
use tokio::sync::watch;
use tokio::time::{Instant, timeout};

/// So long somebody may take to decide.
const PATIENCE: Duration = Duration::from_secs(300);

/// What a person said.
#[derive(Debug, Clone)]
pub(super) enum Decision {
    Approved,
    /// With the reason, if one was given.
    Refused(Option<String>),
}

/// What a call waits for that needs an approval.
#[derive(Debug, Clone)]
pub(super) struct Approval {
    decided: watch::Receiver<Option<Decision>>,
}

/// The calls of a turn about which nobody has decided.
#[derive(Debug, Default)]
pub(super) struct Approvals {
    waiting: HashMap<CallId, watch::Sender<Option<Decision>>>,
    /// Since when people can decide and nothing else goes on.
    since: Option<Instant>,
}

impl Approval {
    /// Waits for the decision: `Ok` if it was a yes, else why the call must not run.
    ///
    /// Cancel safe.
    pub(super) async fn given(&mut self) -> Result<(), String> {
        let decided = self.decided.wait_for(Option::is_some);
        let decision = match timeout(PATIENCE, decided).await {
            Ok(Ok(decision)) => decision.clone(),
            Ok(Err(_nobody_can)) => None,
            Err(_elapsed) => {
                let seconds = PATIENCE.as_secs();
                return Err(format!("nobody approved the call within {seconds} s"));
            }
        };
        match decision {
            Some(Decision::Approved) => Ok(()),
            Some(Decision::Refused(Some(reason))) => Err(format!("the call was refused: {reason}")),
            Some(Decision::Refused(None)) | None => Err("the call was refused".to_owned()),
        }
    }
}

impl Approvals {
    /// Asks for an approval.
    pub(super) fn ask_for(&mut self, call_id: CallId) -> Approval {
        let (sender, decided) = watch::channel(None);
        self.waiting.insert(call_id, sender);
        Approval { decided }
    }

    /// People are asked from now on.
    pub(super) fn begin(&mut self) {
        self.since = Some(Instant::now());
    }

    /// Whether somebody is to decide about this call.
    pub(super) fn concern(&self, call_id: CallId) -> bool {
        self.waiting.contains_key(&call_id)
    }

    /// Whether somebody is to decide about any.
    pub(super) fn are_awaited(&self) -> bool {
        !self.waiting.is_empty()
    }

    /// Takes a decision. `false` if none is awaited about this call, or none any more.
    pub(super) fn decide(&mut self, call_id: CallId, decision: Decision) -> bool {
        match self.waiting.get(&call_id) {
            // Whoever waits may have run out of patience just now.
            Some(sender) => sender.send(Some(decision)).is_ok(),
            None => false,
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

//! How a session is finalized by somebody who is not connected to it: an operator, a service that deletes
//! it afterwards, a sweeper.

use std::sync::Arc;
use std::time::Duration;

use patter_protocol::{JsonObject, SessionId};
use patter_store::{NewSession, Swept};
use tokio::sync::{mpsc, oneshot};
use tokio::time::{Instant, sleep, timeout};

use super::{Inner, SessionManager};
use crate::command::Command;
use crate::error::SessionError;
use crate::session::Opening;

/// How often a session is asked again that closed while it was asked.
const ATTEMPTS: usize = 3;
/// How long a session is waited for that another process has, and the pause in between.
const OWNER_PATIENCE: Duration = Duration::from_secs(3);
const OWNER_PAUSE: Duration = Duration::from_millis(250);
/// How long the end may take to be stored, once there is a summary or none in time.
const STORING_LIMIT: Duration = Duration::from_secs(15);
/// How long a task that is about to end is waited for.
const CLOSING_LIMIT: Duration = Duration::from_secs(10);

impl SessionManager {
    /// Finalizes a session, and returns when it is: no answer goes on, and whoever is connected sees it
    /// end. One that is finalized already is not opened again, and one that there is not is not made.
    ///
    /// Without a summary none is waited for; where the session should have one, it follows, unless the
    /// session is deleted first.
    ///
    /// # Errors
    ///
    /// [`SessionError::Owned`] if another process has it and does not let go, [`SessionError::Draining`]
    /// if this one shuts down, [`SessionError::Gone`] if it was opened again each time,
    /// [`SessionError::StoreUnavailable`] if the store does not answer: the session ends when it does.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future leaves open whether it is finalized.
    pub async fn end(
        &self,
        session_id: &SessionId,
        with_summary: bool,
    ) -> Result<(), SessionError> {
        let until = Instant::now() + OWNER_PATIENCE;
        let mut attempts = 0;
        loop {
            if !self.is_live(session_id) && self.is_over(session_id).await? {
                return Ok(());
            }
            match self.ask_to_end(session_id, with_summary).await {
                Err(SessionError::Owned { .. }) if Instant::now() < until => {
                    sleep(OWNER_PAUSE).await;
                }
                Err(SessionError::Gone { .. }) if attempts < ATTEMPTS => attempts += 1,
                done => return done,
            }
        }
    }

    async fn is_over(&self, session_id: &SessionId) -> Result<bool, SessionError> {
        let found = self.store().session(session_id).await;
        let record = found.map_err(|error| SessionError::from(&error))?;
        Ok(record.is_none_or(|record| !record.is_active))
    }

    async fn ask_to_end(
        &self,
        session_id: &SessionId,
        with_summary: bool,
    ) -> Result<(), SessionError> {
        let session = NewSession {
            session_id: session_id.clone(),
            user_id: None,
            metadata: JsonObject::new(),
        };
        let inbox = self.inner.inbox(Opening::ToEnd(session))?;
        let (reply, answer) = oneshot::channel();
        let command = Box::new(Command::End {
            with_summary,
            reply,
        });
        let asked = async {
            match inbox.send(command).await {
                Ok(()) => answer.await.ok(),
                Err(mpsc::error::SendError(_)) => None,
            }
        };
        let patience = self.settings().summary_timeout + STORING_LIMIT;
        let Ok(answer) = timeout(patience, asked).await else {
            let why = "the end of the session could not be stored in time";
            return Err(SessionError::StoreUnavailable(why.to_owned()));
        };
        if let Some(answer) = answer.filter(|it| !matches!(it, Err(SessionError::Gone { .. }))) {
            return answer;
        }
        // Where that takes too long, the next attempt says so.
        let _timed_out = timeout(CLOSING_LIMIT, inbox.closed()).await;
        Err(SessionError::Gone {
            session_id: session_id.clone(),
        })
    }
}

impl Inner {
    /// Has a session finalized that was swept up. Where it is live here all the same, or the manager
    /// shuts down, its lease runs out again.
    pub(crate) fn finalize(self: &Arc<Self>, swept: Swept, claimed_at: Instant) {
        // Whether it is finalized is seen in the store.
        let _inbox = self.inbox(Opening::Swept(swept, claimed_at));
    }
}

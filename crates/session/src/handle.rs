//! A session as its users hold it. The handle outlives the session's task: a session that was
//! finalized in between is opened again by the next use.

use std::sync::Arc;
use std::time::Duration;

use patter_protocol::{ClientMessage, SessionId, UserInput};
use patter_store::{EventQuery, NewSession};
use tokio::sync::oneshot;
use tokio::time::{Instant, sleep, timeout};

use crate::attachment::{After, Attached, Attachment};
use crate::command::{Command, Inbox, Receipt, Refusal, Submitted};
use crate::error::SessionError;
use crate::frame::Frame;
use crate::manager::SessionManager;
use crate::origin::Origin;
use crate::permit::Permit;

/// How often a session is opened again that closed while it was asked.
const ATTEMPTS: usize = 3;
/// How long a session is waited for that another process has, and the pause in between.
const LEASE_PATIENCE: Duration = Duration::from_secs(3);
const LEASE_PAUSE: Duration = Duration::from_millis(250);
/// How long a session that is being finalized is waited for.
const CLOSING_LIMIT: Duration = Duration::from_secs(10);

/// A session. Cloning gives another handle of the same one.
#[derive(Debug, Clone)]
pub struct SessionHandle {
    manager: SessionManager,
    session: NewSession,
    /// Whose it must be.
    permit: Permit,
    /// Whether none is made where there is none.
    only_existing: bool,
    /// Whether answers have traces of their own, linked to the span in which they were asked for.
    has_own_traces: bool,
    /// For whom its answers are counted.
    asker: Option<Arc<str>>,
}

impl SessionHandle {
    pub(crate) fn new(
        manager: SessionManager,
        session: NewSession,
        permit: Permit,
        only_existing: bool,
    ) -> Self {
        Self {
            manager,
            session,
            permit,
            only_existing,
            has_own_traces: false,
            asker: None,
        }
    }

    /// The answers to what is submitted by this handle begin traces of their own, which are linked to
    /// the span in which it was submitted, instead of belonging to that one's trace: for a connection,
    /// which may be open for hours.
    #[must_use]
    pub fn with_traces_of_their_own(mut self) -> Self {
        self.has_own_traces = true;
        self
    }

    /// The answers to what is submitted by this handle are counted among those of whoever has this name, in
    /// all sessions; see [`SessionSettings::max_turns_of_one`](crate::SessionSettings::max_turns_of_one).
    #[must_use]
    pub fn counted_for(mut self, name: Option<Arc<str>>) -> Self {
        self.asker = name;
        self
    }

    /// The session's id.
    #[must_use]
    pub fn id(&self) -> &SessionId {
        &self.session.session_id
    }

    /// Attaches a reader: it gets what it missed, and then everything that happens.
    ///
    /// # Errors
    ///
    /// Where the session cannot be opened, or takes no more readers.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future attaches nobody.
    pub async fn attach(&self, after: After) -> Result<Attachment, SessionError> {
        let attach = |permit, reply| Command::Attach {
            permit,
            after,
            reply,
        };
        let attached: Attached = self.ask(attach).await?;
        let store = self.manager.store().clone();
        Ok(Attachment::new(self.id().clone(), store, attached))
    }

    /// Does what a client asks.
    ///
    /// # Errors
    ///
    /// Says why it is not done; then nothing has changed.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future leaves open whether it is done. A user message with an `id` can be
    /// sent again and is answered once.
    pub async fn submit(&self, message: ClientMessage) -> Result<Receipt, Refusal> {
        let inbox = self.inbox().await.map_err(|_| Refusal::Gone)?;
        let id = match &message {
            ClientMessage::UserMessage(input) => input.id.clone(),
            _ => None,
        };
        let (reply, answer) = oneshot::channel();
        inbox
            .send(Box::new(Command::Submit {
                permit: self.permit.clone(),
                message,
                origin: Origin::here(self.has_own_traces, self.asker.clone()),
                reply,
            }))
            .await
            .map_err(|_| Refusal::Gone)?;
        match answer.await.map_err(|_| Refusal::Gone)?? {
            Submitted::Taken | Submitted::RepeatedPending => Ok(Receipt::Taken),
            Submitted::RepeatedKept(accepted) => Ok(Receipt::Repeated(accepted)),
            Submitted::RepeatedAt { seq } => {
                let stored = self.stored_frame(seq).await;
                stored.map_err(|refusal| refusal.about(id))
            }
        }
    }

    /// Says something.
    ///
    /// # Errors
    ///
    /// As [`SessionHandle::submit`].
    pub async fn say(&self, content: impl Into<String> + Send) -> Result<Receipt, Refusal> {
        self.submit(ClientMessage::UserMessage(UserInput::text(content)))
            .await
    }

    async fn stored_frame(&self, seq: u64) -> Result<Receipt, Refusal> {
        let query = EventQuery {
            after: seq.saturating_sub(1),
            limit: 1,
            types: Vec::new(),
        };
        let found = self.manager.store().events(self.id(), query).await.ok();
        match found.and_then(|events| events.into_iter().next()) {
            Some(stored) => Ok(Receipt::Repeated(Frame::durable(stored.event))),
            None => Err(Refusal::new(
                patter_protocol::ErrorCode::StoreUnavailable,
                "the message was taken before, and its event cannot be read now",
            )),
        }
    }

    /// Opens the session, if it is not open.
    pub(crate) async fn open(&self) -> Result<(), SessionError> {
        self.ask(|permit, reply| Command::Hello { permit, reply })
            .await
    }

    /// The inbox of the session's task, which is started where there is none. Whether whoever asks may have
    /// the session is looked for before that: nobody else's is to be claimed.
    async fn inbox(&self) -> Result<Inbox, SessionError> {
        if let Some(inbox) = self.manager.live_inbox(self.id()) {
            // The task knows whose it is.
            return Ok(inbox);
        }
        self.check_stored().await?;
        self.manager.inbox(&self.session, &self.permit)
    }

    /// Whether whoever asks may have the session, as the store knows it.
    async fn check_stored(&self) -> Result<(), SessionError> {
        if self.permit == Permit::Anybodys && !self.only_existing {
            return Ok(());
        }
        let session_id = self.id().clone();
        let found = self.manager.store().session(&session_id).await;
        match found.map_err(|error| SessionError::from(&error))? {
            None if self.only_existing => Err(SessionError::Unknown { session_id }),
            Some(record) if !self.permit.allows(record.user_id.as_deref()) => {
                Err(SessionError::NotYours { session_id })
            }
            _ => Ok(()),
        }
    }

    /// What is told of a refusal. That another process has a session, or that it is live here, is for its owner
    /// alone: everybody else hears, as late as that takes, what is heard of one that nobody has.
    async fn told(&self, refusal: SessionError) -> SessionError {
        match refusal {
            SessionError::Owned { .. } | SessionError::NotYours { .. } => {
                self.check_stored().await.err().unwrap_or(refusal)
            }
            other => other,
        }
    }

    /// Asks the session's task. One that another process has is waited for a short time, in which that
    /// one may be about to let go of it: here and not in the task, so that nobody waits when whoever
    /// asked has left.
    async fn ask<T>(
        &self,
        command: impl Fn(Permit, oneshot::Sender<Result<T, SessionError>>) -> Command,
    ) -> Result<T, SessionError> {
        let until = Instant::now() + LEASE_PATIENCE;
        loop {
            match self.ask_here(&command).await {
                Err(SessionError::Owned { .. }) if Instant::now() < until => {
                    sleep(LEASE_PAUSE).await;
                }
                answer => return answer,
            }
        }
    }

    /// Asks the session's task, and a new one where the task was about to end.
    async fn ask_here<T>(
        &self,
        command: impl Fn(Permit, oneshot::Sender<Result<T, SessionError>>) -> Command,
    ) -> Result<T, SessionError> {
        for _ in 0..ATTEMPTS {
            let inbox = self.inbox().await?;
            let (reply, answer) = oneshot::channel();
            if inbox
                .send(Box::new(command(self.permit.clone(), reply)))
                .await
                .is_err()
            {
                continue;
            }
            match answer.await {
                Ok(Err(SessionError::Gone { .. })) | Err(_) => closing(&inbox).await,
                Ok(Err(refusal)) => return Err(self.told(refusal).await),
                Ok(answer) => return answer,
            }
        }
        Err(SessionError::Gone {
            session_id: self.id().clone(),
        })
    }
}

/// Waits until a task that is about to end has ended.
async fn closing(inbox: &Inbox) {
    // Where that takes too long, the next attempt says so.
    let _timed_out = timeout(CLOSING_LIMIT, inbox.closed()).await;
}

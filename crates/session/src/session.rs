//! The task that owns a live session: its readers, its queue of messages, the answer in flight,
//! and the way of its events into the log. It is the only writer of its session, decides alone,
//! and waits in one place only, the loop below; nothing in it is shared but the queues of its readers.

mod admitting;
mod adopting;
mod answering;
mod ending;
mod handing_over;
mod log;
mod opening;
mod rarities;
mod readers;
mod recording;
mod request;
mod running_summary;
mod submit;

use std::collections::VecDeque;
use std::future::pending;
use std::panic::AssertUnwindSafe;
use std::pin::Pin;
use std::sync::Arc;

use futures_util::FutureExt;
use patter_protocol::{CloseCode, EndReason, LogEpoch, MessageId, ResponseId, SessionId};
use patter_store::StoreError;
use tokio::sync::mpsc;
use tokio::task::coop;
use tokio::time::{Instant, Sleep, sleep, sleep_until};
use tracing::{error, info};

use crate::budget::Spender;
use crate::command::{Command, Refusal};
use crate::conversation::Conversation;
use crate::error::{SessionError, with_causes};
use crate::leases::HeldLease;
use crate::live::Vitals;
use crate::measures::{SessionState, Standing};
use crate::metrics::Counters;
use crate::origin::Origin;
use crate::permit::Permit;
use crate::resources::{Resources, Stage};
use crate::turn::{Turn, TurnEvent};
use crate::turns::TurnPlace;
use admitting::Admission;
use ending::{EndReply, Ending};
use log::{Log, LogProgress};
pub(crate) use opening::Opening;
use rarities::{Rarities, Rarity};
use readers::Readers;
use running_summary::RunningSummary;

/// An answer that is to be given.
#[derive(Debug)]
struct Wanted {
    message_id: MessageId,
    supersedes: Option<ResponseId>,
    origin: Origin,
}

/// See the [module](self).
pub(crate) struct Session {
    resources: Arc<Resources>,
    session_id: SessionId,
    /// Whose it is, which never changes, and who pays.
    spender: Arc<Spender>,
    epoch: LogEpoch,
    lease: HeldLease,
    /// Whether it had been finalized before this task opened it.
    reopened: bool,
    /// Set while nobody has come to it since its last owner lost it or let go of it.
    left_behind: Option<EndReason>,
    log: Log,
    conversation: Conversation,
    counters: Counters,
    readers: Readers,
    inbox: mpsc::Receiver<Box<Command>>,
    waiting: VecDeque<Wanted>,
    /// Messages that are to be kept on local disk before they are taken, oldest first.
    admissions: VecDeque<Admission>,
    /// In a box: most sessions rest, most of the time.
    turn: Option<Box<Turn>>,
    /// Its place among the answers that are in flight; kept while there is something to answer.
    place: Option<TurnPlace>,
    running_summary: RunningSummary,
    /// Runs while nobody is attached.
    linger: Option<Pin<Box<Sleep>>>,
    /// Nobody came back: finalize when the answers in flight are done.
    abandoned: bool,
    ending: Option<Ending>,
    /// Who waits for the end.
    enders: Vec<EndReply>,
    /// How far the manager had come when it was looked at last.
    stage: Stage,
    rarities: Rarities,
    /// When this session is to be handed over; set while it is idle and the process stops.
    departure: Option<Instant>,
}

/// What the loop waited for.
enum Happened {
    Command(Option<Box<Command>>),
    Log(LogProgress),
    Turn(Option<TurnEvent>),
    TurnPanicked,
    ReaderGone,
    LingerOver,
    RunningSummaryMade(Option<String>),
    Summarized(Option<String>),
    Rarity(Rarity),
    DepartureIsDue,
}

/// What the session's task does after something happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Flow {
    GoOn,
    /// Tell the readers why, and end the task.
    Close(CloseCode),
}

impl Session {
    /// Opens the session and serves it to its end. Whoever asks for it in between waits in
    /// `inbox`.
    pub(crate) fn run(
        resources: Arc<Resources>,
        opening: Opening,
        inbox: mpsc::Receiver<Box<Command>>,
        vitals: Arc<Vitals>,
    ) -> impl Future<Output = ()> + Send {
        let standing = Standing::new(resources.measures.clone(), vitals);
        // In a box, and no argument of an `async fn`, which keeps those: what is needed for opening is not kept for
        // the whole life of the session.
        let opened = Box::pin(Self::open(resources, opening, inbox));
        async move {
            let Some(session) = opened.await else {
                return;
            };
            session.serve(standing).await;
        }
    }

    /// `None` if that fails; then those who have asked for it were told why.
    async fn open(
        resources: Arc<Resources>,
        opening: Opening,
        mut inbox: mpsc::Receiver<Box<Command>>,
    ) -> Option<Box<Self>> {
        let session_id = opening.session_id().clone();
        let refusal = match opening::load(&resources, opening).await {
            Ok(Some(loaded)) => {
                return Some(Box::new(Self::from_loaded(resources, loaded, inbox)));
            }
            // Whoever has asked for it meanwhile asks again.
            Ok(None) => SessionError::Gone { session_id },
            Err(error) => {
                if !matches!(error, StoreError::Owned { .. }) {
                    error!(%session_id, error = with_causes(&error), "cannot open the session");
                }
                SessionError::from(&error)
            }
        };
        inbox.close();
        while let Some(command) = inbox.recv().await {
            refuse(*command, &refusal);
        }
        None
    }

    async fn serve(mut self: Box<Self>, mut standing: Standing) {
        info!(session_id = %self.session_id, reopened = self.reopened, "session opened");
        self.resources.measures.opened.inc();
        self.begin();
        let code = loop {
            self.tell_standing(&mut standing);
            if self.is_to_be_handed_over() {
                break CloseCode::Restart;
            }
            let happened = self.wait().await;
            if let Flow::Close(code) = self.take(happened) {
                break code;
            }
            if self.has_nothing_to_answer() {
                self.place = None;
            }
            // A model whose answer is all there must not keep this worker from the readers.
            coop::consume_budget().await;
        };
        if code == CloseCode::Moved {
            self.resources.measures.leases_lost.inc();
        }
        // Before anybody is told to come back: whoever does shall find the session free, and whoever
        // looks into the spool nothing that is stored.
        self.let_go(code).await;
        self.log.settle().await;
        self.readers.close_all(code);
        self.tell_enders(code);
        self.inbox.close();
        while let Some(command) = self.inbox.recv().await {
            let session_id = self.session_id.clone();
            refuse(*command, &SessionError::Gone { session_id });
        }
        info!(session_id = %self.session_id, close_code = code.number(), "session closed");
    }

    /// Waits for the next thing to happen. Each of the things it waits for keeps its state in the
    /// session, so those that did not happen lose nothing.
    async fn wait(&mut self) -> Happened {
        tokio::select! {
            biased;
            // First of all: who has lost the session must not take anything in any more, and a model that always
            // has one more piece must not delay the end.
            rarity = self.rarities.next() => Happened::Rarity(rarity),
            command = self.inbox.recv() => Happened::Command(command),
            progress = self.log.progress(), if self.log.has_work() => Happened::Log(progress),
            event = next_turn_event(&mut self.turn), if self.turn.is_some() => match event {
                Ok(event) => Happened::Turn(event),
                Err(Panicked) => Happened::TurnPanicked,
            },
            text = self.running_summary.made(), if self.running_summary.is_in_the_making() => {
                Happened::RunningSummaryMade(text)
            }
            () = self.readers.one_gone(), if self.readers.watches_any() => Happened::ReaderGone,
            () = wait_for(&mut self.linger), if self.linger.is_some() => Happened::LingerOver,
            () = until(self.departure) => Happened::DepartureIsDue,
            summary = ending::summary(&mut self.ending), if ending::summarizes(self.ending.as_ref()) => {
                Happened::Summarized(summary)
            }
        }
    }

    fn take(&mut self, happened: Happened) -> Flow {
        match happened {
            Happened::Command(Some(command)) => self.take_command(*command),
            Happened::Command(None) => return Flow::Close(CloseCode::Restart),
            Happened::Log(progress) => return self.take_log_progress(progress),
            Happened::Turn(Some(event)) => self.take_turn_event(event),
            Happened::Turn(None) => {}
            Happened::TurnPanicked => {
                error!(session_id = %self.session_id, "the turn panicked");
                if let Some(turn) = &mut self.turn {
                    turn.fail_internally();
                }
            }
            Happened::ReaderGone => self.linger_if_alone(),
            Happened::LingerOver => {
                self.linger = None;
                self.abandoned = true;
                self.end_if_done();
            }
            Happened::RunningSummaryMade(text) => self.take_running_summary(text),
            Happened::Summarized(summary) => self.take_summary(summary),
            Happened::Rarity(Rarity::StageChanged(stage)) => return self.take_stage(stage),
            Happened::Rarity(Rarity::LeaseLost) => return Flow::Close(CloseCode::Moved),
            Happened::Rarity(Rarity::ManagerGone) => return Flow::Close(CloseCode::Restart),
            // The loop looks at the clock itself.
            Happened::DepartureIsDue => {}
        }
        Flow::GoOn
    }

    fn take_command(&mut self, command: Command) {
        match command {
            Command::Hello { permit, reply } => {
                // Whoever asked may have left.
                let _gone = reply.send(self.check(&permit));
            }
            Command::Attach {
                permit,
                after,
                reply,
            } => match self.check(&permit) {
                Ok(()) => self.attach(after, reply),
                Err(refusal) => {
                    let _gone = reply.send(Err(refusal));
                }
            },
            Command::Submit {
                permit,
                message,
                origin,
                reply,
            } => match self.check(&permit) {
                Ok(()) => self.submit(message, origin, reply),
                // The one that whoever asks had opened is there no longer.
                Err(_not_yours) => {
                    let _gone = reply.send(Err(Refusal::Gone));
                }
            },
            Command::End {
                with_summary,
                reply,
            } => self.end_for(with_summary, reply),
        }
    }

    fn has_nothing_to_answer(&self) -> bool {
        self.turn.is_none() && self.waiting.is_empty() && self.admissions.is_empty()
    }

    /// Whether whoever asks may have this session.
    fn check(&self, permit: &Permit) -> Result<(), SessionError> {
        if permit.allows(self.spender.user_id.as_deref()) {
            return Ok(());
        }
        let session_id = self.session_id.clone();
        Err(SessionError::NotYours { session_id })
    }

    fn tell_standing(&self, standing: &mut Standing) {
        let state = if self.ending.is_some() {
            SessionState::Ending
        } else if self.turn.is_some() {
            SessionState::Answering
        } else if self.readers.is_empty() {
            SessionState::Lingering
        } else {
            SessionState::Idle
        };
        let waiting = self.waiting.len() + self.admissions.len();
        standing.set(state, self.readers.len(), waiting, self.log.unstored());
    }

    fn linger_if_alone(&mut self) {
        if self.readers.is_empty() && self.linger.is_none() && !self.abandoned {
            self.linger = Some(Box::pin(sleep(self.resources.settings.linger)));
        }
    }
}

/// The turn panicked while it was asked for its next event.
struct Panicked;

/// A panic of a model or a tool ends its answer and not the session.
async fn next_turn_event(turn: &mut Option<Box<Turn>>) -> Result<Option<TurnEvent>, Panicked> {
    match turn {
        Some(turn) => AssertUnwindSafe(turn.next())
            .catch_unwind()
            .await
            .map_err(|_| Panicked),
        None => Ok(None),
    }
}

async fn wait_for(sleep: &mut Option<Pin<Box<Sleep>>>) {
    if let Some(sleep) = sleep {
        sleep.await;
    }
}

/// Waits for a moment; for ever where there is none.
async fn until(moment: Option<Instant>) {
    match moment {
        Some(moment) => sleep_until(moment).await,
        None => pending().await,
    }
}

fn refuse(command: Command, error: &SessionError) {
    // Whoever asked may have left.
    match command {
        Command::Hello { reply, .. } | Command::End { reply, .. } => {
            let _gone = reply.send(Err(error.clone()));
        }
        Command::Attach { reply, .. } => {
            let _gone = reply.send(Err(error.clone()));
        }
        Command::Submit { reply, .. } => {
            let _gone = reply.send(Err(Refusal::Gone));
        }
    }
}

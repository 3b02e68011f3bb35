//! The task that owns a live session: its readers, its queue of messages, the answer in flight,
//! and the way of its events into the log. It is the only writer of its session, decides alone,
//! and waits in one place only, the loop below; nothing in it is shared, so nothing is locked.

mod answering;
mod ending;
mod log;
mod opening;
mod readers;
mod request;
mod running_summary;
mod submit;

use std::collections::VecDeque;
use std::panic::AssertUnwindSafe;
use std::pin::Pin;
use std::sync::Arc;

use futures_util::FutureExt;
use patter_llm::{Catalog, ChatModel, Router};
use patter_protocol::{CloseCode, EventBody, LogEpoch, MessageId, ResponseId, SessionId};
use patter_store::{EventWriter, NewEvent, NewSession, SessionStore};
use patter_tools::ToolRegistry;
use serde_json::Value;
use tokio::sync::{mpsc, watch};
use tokio::task::coop;
use tokio::time::{Sleep, sleep};
use tracing::{error, info};

use crate::command::{Command, Refusal};
use crate::conversation::Conversation;
use crate::error::{SessionError, with_causes};
use crate::frame::Frame;
use crate::metrics::Counters;
use crate::plan::Plan;
use crate::settings::SessionSettings;
use crate::turn::{Turn, TurnEvent};
use ending::Ending;
use log::{Log, LogProgress};
use readers::Readers;
use running_summary::RunningSummary;

/// What every session of a manager works with.
#[derive(Debug, Clone)]
pub(crate) struct Resources {
    pub(crate) store: Arc<dyn SessionStore>,
    pub(crate) writer: EventWriter,
    pub(crate) model: Arc<dyn ChatModel>,
    pub(crate) tools: ToolRegistry,
    pub(crate) system_prompt: Option<String>,
    pub(crate) routes: Arc<Router<Plan>>,
    /// Without it no cost is known.
    pub(crate) prices: Option<Arc<Catalog>>,
    pub(crate) settings: Arc<SessionSettings>,
    /// Names this process in the store.
    pub(crate) owner: String,
    pub(crate) stage: watch::Receiver<Stage>,
}

/// How far a manager has come with shutting down. It only goes forward.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Stage {
    /// Not at all.
    Serving,
    /// Answers in flight may finish; then sessions are finalized.
    Draining,
    /// Answers in flight are interrupted, and sessions finalized at once.
    Stopping,
    /// Nothing is waited for any more.
    Stopped,
}

/// An answer that is to be given.
#[derive(Debug)]
struct Wanted {
    message_id: MessageId,
    supersedes: Option<ResponseId>,
}

/// See the [module](self).
pub(crate) struct Session {
    resources: Resources,
    session_id: SessionId,
    epoch: LogEpoch,
    /// Whether it had been finalized before this task opened it.
    reopened: bool,
    log: Log,
    conversation: Conversation,
    counters: Counters,
    readers: Readers,
    inbox: mpsc::Receiver<Command>,
    waiting: VecDeque<Wanted>,
    turn: Option<Turn>,
    running_summary: RunningSummary,
    /// Runs while nobody is attached.
    linger: Option<Pin<Box<Sleep>>>,
    /// Nobody came back: finalize when the answers in flight are done.
    abandoned: bool,
    ending: Option<Ending>,
    stage: watch::Receiver<Stage>,
}

/// What the loop waited for.
enum Happened {
    Command(Option<Command>),
    Log(LogProgress),
    Turn(Option<TurnEvent>),
    TurnPanicked,
    ReaderGone,
    LingerOver,
    RunningSummaryMade(Option<String>),
    Summarized(Option<String>),
    StageChanged,
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
    pub(crate) async fn run(
        resources: Resources,
        new_session: NewSession,
        mut inbox: mpsc::Receiver<Command>,
    ) {
        let session_id = new_session.session_id.clone();
        match opening::load(&resources, new_session).await {
            Ok(loaded) => Self::from_loaded(resources, loaded, inbox).serve().await,
            Err(error) => {
                error!(%session_id, error = with_causes(&error), "cannot open the session");
                let error = SessionError::from(&error);
                inbox.close();
                while let Some(command) = inbox.recv().await {
                    refuse(command, &error);
                }
            }
        }
    }

    async fn serve(mut self) {
        info!(session_id = %self.session_id, reopened = self.reopened, "session opened");
        self.begin();
        let code = loop {
            let happened = self.wait().await;
            if let Flow::Close(code) = self.take(happened) {
                break code;
            }
            // A model whose answer is all there must not keep this worker from the readers.
            coop::consume_budget().await;
        };
        self.readers.close_all(code);
        self.inbox.close();
        while let Some(command) = self.inbox.recv().await {
            let session_id = self.session_id.clone();
            refuse(command, &SessionError::Gone { session_id });
        }
        info!(session_id = %self.session_id, close_code = code.number(), "session closed");
        // Nobody waits for this: whoever wants the session now opens it anew, and the new claim
        // fences out what is still to be written here.
        self.try_late_summary().await;
    }

    /// Waits for the next thing to happen. Each of the things it waits for keeps its state in the
    /// session, so those that did not happen lose nothing.
    async fn wait(&mut self) -> Happened {
        tokio::select! {
            biased;
            command = self.inbox.recv() => Happened::Command(command),
            progress = self.log.progress(), if self.log.has_work() => Happened::Log(progress),
            // Before the turn: a model that always has one more piece must not delay the end.
            changed = self.stage.changed() => match changed {
                Ok(()) => Happened::StageChanged,
                // The manager is gone without a word: there is nobody to serve for.
                Err(_) => Happened::Command(None),
            },
            event = next_turn_event(&mut self.turn), if self.turn.is_some() => match event {
                Ok(event) => Happened::Turn(event),
                Err(Panicked) => Happened::TurnPanicked,
            },
            text = self.running_summary.made(), if self.running_summary.is_in_the_making() => {
                Happened::RunningSummaryMade(text)
            }
            () = self.readers.one_gone(), if self.readers.watches_any() => Happened::ReaderGone,
            () = wait_for(&mut self.linger), if self.linger.is_some() => Happened::LingerOver,
            summary = ending::summary(&mut self.ending), if ending::summarizes(self.ending.as_ref()) => {
                Happened::Summarized(summary)
            }
        }
    }

    fn take(&mut self, happened: Happened) -> Flow {
        match happened {
            Happened::Command(Some(command)) => self.take_command(command),
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
            Happened::Summarized(summary) => self.record_end(summary),
            Happened::StageChanged => return self.take_stage(),
        }
        Flow::GoOn
    }

    fn take_command(&mut self, command: Command) {
        match command {
            Command::Hello { reply } => {
                // Whoever asked may have left.
                let _gone = reply.send(Ok(()));
            }
            Command::Attach { after, reply } => self.attach(after, reply),
            Command::Submit { message, reply } => {
                let _gone = reply.send(self.submit(message));
            }
        }
    }

    /// Takes an event into the conversation and sends it on its way into the log.
    fn record(&mut self, body: EventBody, private: Option<Value>) {
        let event = NewEvent {
            private,
            ..NewEvent::now(body)
        };
        self.conversation.apply(&event.body, event.private.as_ref());
        self.counters.apply(&event.body, event.at);
        self.log.push(event);
    }

    fn take_log_progress(&mut self, progress: LogProgress) -> Flow {
        match progress {
            LogProgress::Stored(events) => {
                let mut ended = None;
                for event in events {
                    match &event.body {
                        EventBody::UserMessage(message) => {
                            self.conversation.stored(&message.id, event.seq);
                        }
                        EventBody::SessionEnded(end) => ended = Some(end.reason),
                        _ => {}
                    }
                    self.readers.send(&Frame::durable(event));
                }
                ended.map_or(Flow::GoOn, |reason| Flow::Close(ending::close_code(reason)))
            }
            LogProgress::Degraded => {
                self.readers.send(&readers::store_degraded());
                Flow::GoOn
            }
            LogProgress::Recovered => {
                self.readers.send(&readers::store_recovered());
                Flow::GoOn
            }
            LogProgress::Fenced => Flow::Close(CloseCode::Moved),
            LogProgress::Failed => Flow::Close(CloseCode::Internal),
        }
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
async fn next_turn_event(turn: &mut Option<Turn>) -> Result<Option<TurnEvent>, Panicked> {
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

fn refuse(command: Command, error: &SessionError) {
    // Whoever asked may have left.
    match command {
        Command::Hello { reply } => {
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

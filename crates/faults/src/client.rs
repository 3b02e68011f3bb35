//! A client as the protocol wants it: it logs every frame, comes back with `after` and `epoch`, backs
//! off, and sends again, with the same id, what nobody has acknowledged.

mod state;
mod talk;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::timeout;

use crate::history::ClientLog;
use crate::script::Script;

use state::State;
pub use state::View;
use talk::{Command, Talk};

/// How a client behaves.
#[derive(Debug, Clone)]
pub struct Habits {
    /// Where it may connect to: it begins with the first.
    pub targets: Vec<SocketAddr>,
    /// For the choice among them and for its pauses.
    pub seed: u64,
    /// How likely it goes elsewhere after a loss; after a refusal it always does.
    pub wander: f64,
    /// First pause before it comes back; doubled up to `longest_pause`.
    pub first_pause: Duration,
    /// The longest pause.
    pub longest_pause: Duration,
    /// After 1012 it comes back at a random time within this.
    pub restart_spread: Duration,
}

impl Habits {
    /// A client of these servers that is quick to come back.
    #[must_use]
    pub fn quick(targets: Vec<SocketAddr>, seed: u64) -> Self {
        Self {
            targets,
            seed,
            wander: 0.2,
            first_pause: Duration::from_millis(20),
            longest_pause: Duration::from_millis(500),
            restart_spread: Duration::from_millis(500),
        }
    }
}

/// A client that talks in a task of its own; dropped, it is gone without a goodbye.
#[derive(Debug)]
pub struct Client {
    session_id: String,
    state: Arc<State>,
    commands: mpsc::Sender<Command>,
    task: JoinSet<()>,
}

impl Client {
    /// Begins to connect.
    #[must_use]
    pub fn start(session_id: impl Into<String>, habits: Habits) -> Self {
        let session_id = session_id.into();
        let state = Arc::new(State::new(&session_id));
        let (commands, inbox) = mpsc::channel(4_096);
        let mut task = JoinSet::new();
        let talk = Talk::new(session_id.clone(), habits, state.clone(), inbox);
        task.spawn(talk.run());
        Self {
            session_id,
            state,
            commands,
            task,
        }
    }

    /// Its session.
    #[must_use]
    pub fn session_id(&self) -> &str {
        &self.session_id
    }

    /// Sends a message that asks for the script's answer, as soon as there is a connection.
    pub async fn say(&self, script: &Script) {
        // Noted here and now: whoever waits for the answer next must not find nothing to wait for.
        self.state.on_said(&script.id, &script.to_string());
        self.command(Command::Speak).await;
    }

    /// Sends the same message as before once more, acknowledged or not.
    pub async fn repeat(&self, script: &Script) {
        self.command(Command::Repeat {
            id: script.id.clone(),
            content: script.to_string(),
        })
        .await;
    }

    /// Sends any other frame, if there is a connection.
    pub async fn send(&self, frame: serde_json::Value) {
        self.command(Command::Send(frame)).await;
    }

    /// Breaks the connection with a reset; it is opened again.
    pub async fn cut(&self) {
        self.command(Command::Cut).await;
    }

    /// Stops reading, or begins again.
    pub async fn read(&self, reads: bool) {
        self.command(Command::Read(reads)).await;
    }

    async fn command(&self, command: Command) {
        // A client that is done for good takes no commands, and what waits for their effect tells.
        let _done = self.commands.send(command).await;
    }

    /// Looks at what has happened so far.
    pub fn look<T>(&self, look: impl FnOnce(&View) -> T) -> T {
        self.state.look(look)
    }

    /// Waits until something has happened.
    ///
    /// # Errors
    ///
    /// If it does not in time.
    pub async fn until(
        &self,
        what: &str,
        patience: Duration,
        holds: impl Fn(&View) -> bool,
    ) -> anyhow::Result<()> {
        timeout(patience, self.state.until(holds))
            .await
            .with_context(|| {
                format!(
                    "session {}: {what} does not happen within {patience:?}; {}; all it saw is in {}",
                    self.session_id,
                    self.state.look(View::describe),
                    self.state.look(View::write_down)
                )
            })
    }

    /// Waits until every message that was said has its answer.
    ///
    /// # Errors
    ///
    /// If one is missing when the time is over.
    pub async fn until_answered(&self, patience: Duration) -> anyhow::Result<()> {
        self.until("every answer", patience, View::is_answered)
            .await
    }

    /// Waits until every message that was said is acknowledged.
    ///
    /// # Errors
    ///
    /// If one is missing when the time is over.
    pub async fn until_acknowledged(&self, patience: Duration) -> anyhow::Result<()> {
        self.until("every acknowledgement", patience, |view| {
            view.unacknowledged.is_empty()
        })
        .await
    }

    /// Leaves in good order, and gives what was seen.
    pub async fn leave(mut self) -> ClientLog {
        self.command(Command::Leave).await;
        // One that does not manage to is dropped.
        let _late = timeout(Duration::from_secs(10), self.task.join_next()).await;
        self.task.shutdown().await;
        self.state.take_log()
    }

    /// Vanishes: what it saw so far.
    pub async fn vanish(mut self) -> ClientLog {
        self.task.shutdown().await;
        self.state.take_log()
    }
}

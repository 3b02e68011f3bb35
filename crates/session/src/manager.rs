//! All sessions of a process: finds the task of a session or starts it, and waits for all of
//! them at the end.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use patter_llm::{Catalog, ChatModel, Router};
use patter_protocol::{JsonObject, SessionId};
use patter_store::{EventWriter, NewSession, SessionStore};
use patter_tools::ToolRegistry;
use tokio::sync::{mpsc, watch};
use tokio::time::timeout;
use tokio_util::task::TaskTracker;
use tracing::warn;

use crate::command::Command;
use crate::error::SessionError;
use crate::handle::SessionHandle;
use crate::plan::Plan;
use crate::session::{Resources, Session, Stage};
use crate::settings::SessionSettings;

/// How long the store may take to write what waits and to close its connections.
const CLOSING_LIMIT: Duration = Duration::from_secs(5);

/// So many commands wait for a session's task; whoever sends one more waits too.
const INBOX_CAPACITY: usize = 64;

/// The sessions of this process. Cloning gives another handle of the same ones.
#[derive(Debug, Clone)]
pub struct SessionManager {
    inner: Arc<Inner>,
}

/// What a session is opened with. For one that is there already, what it was made with stays.
#[derive(Debug, Clone, Default)]
pub struct OpenOptions {
    /// The authenticated user, if any.
    pub user_id: Option<String>,
    /// The client's metadata.
    pub metadata: JsonObject,
}

struct Inner {
    resources: Resources,
    /// The inbox of each live session; one that is closed belongs to a session that has ended.
    inboxes: Mutex<HashMap<SessionId, mpsc::Sender<Command>>>,
    /// Every session's task; awaited by [`SessionManager::shutdown`].
    tasks: TaskTracker,
    stage: watch::Sender<Stage>,
}

impl SessionManager {
    /// Begins to set up a manager over a store and a model.
    pub fn builder(
        store: impl SessionStore + 'static,
        model: impl ChatModel + 'static,
    ) -> SessionManagerBuilder {
        SessionManagerBuilder {
            store: Arc::new(store),
            model: Arc::new(model),
            tools: ToolRegistry::default(),
            system_prompt: None,
            routes: Router::default(),
            prices: None,
            settings: SessionSettings::default(),
        }
    }

    /// Opens a session: makes it where there is none, and continues it where there is one, also
    /// after it was finalized.
    ///
    /// # Errors
    ///
    /// Where the store does not answer, or the manager shuts down.
    pub async fn open(
        &self,
        session_id: SessionId,
        options: OpenOptions,
    ) -> Result<SessionHandle, SessionError> {
        let OpenOptions { user_id, metadata } = options;
        let session = NewSession {
            session_id,
            user_id,
            metadata,
        };
        let handle = SessionHandle::new(self.clone(), session);
        handle.open().await?;
        Ok(handle)
    }

    /// The store under the sessions.
    #[must_use]
    pub fn store(&self) -> &Arc<dyn SessionStore> {
        &self.inner.resources.store
    }

    /// The model that answers.
    #[must_use]
    pub fn model(&self) -> &Arc<dyn ChatModel> {
        &self.inner.resources.model
    }

    /// How many sessions are live in this process.
    #[must_use]
    pub fn live_count(&self) -> usize {
        self.inner
            .inboxes()
            .values()
            .filter(|inbox| !inbox.is_closed())
            .count()
    }

    /// Whether a session is live in this process.
    #[must_use]
    pub fn is_live(&self, session_id: &SessionId) -> bool {
        self.inner
            .inboxes()
            .get(session_id)
            .is_some_and(|inbox| !inbox.is_closed())
    }

    /// Drains: readers are told, answers in flight may finish in the first three fifths of
    /// `limit` and are interrupted then, sessions are finalized, and everything is stored. What is
    /// not done within `limit` is left as it is; the log says what that was.
    pub async fn shutdown(&self, limit: Duration) {
        let inner = &self.inner;
        inner.tasks.close();
        for (stage, share) in [
            (Stage::Draining, limit * 6 / 10),
            (Stage::Stopping, limit * 3 / 10),
            (Stage::Stopped, limit / 10),
        ] {
            inner.enter(stage);
            if timeout(share, inner.tasks.wait()).await.is_ok() {
                break;
            }
            warn!(
                ?stage,
                sessions = inner.tasks.len(),
                "sessions are not done in time"
            );
        }
        let close = async {
            inner.resources.writer.close().await;
            inner.resources.store.close().await;
        };
        if timeout(CLOSING_LIMIT, close).await.is_err() {
            warn!("the store did not close in time");
        }
    }

    /// The inbox of a session's task, which is started where there is none.
    pub(crate) fn inbox(
        &self,
        session: &NewSession,
    ) -> Result<mpsc::Sender<Command>, SessionError> {
        let inner = &self.inner;
        let mut inboxes = inner.inboxes();
        if let Some(inbox) = inboxes.get(&session.session_id)
            && !inbox.is_closed()
        {
            return Ok(inbox.clone());
        }
        if *inner.stage.borrow() != Stage::Serving {
            return Err(SessionError::Draining);
        }
        let (sender, receiver) = mpsc::channel(INBOX_CAPACITY);
        inboxes.insert(session.session_id.clone(), sender.clone());
        let task = Session::run(inner.resources.clone(), session.clone(), receiver);
        let session_id = session.session_id.clone();
        let weak = Arc::downgrade(inner);
        inner.tasks.spawn(async move {
            task.await;
            forget(&weak, &session_id);
        });
        Ok(sender)
    }
}

/// Removes the inbox of a session that has ended, unless a new task has taken its place.
fn forget(inner: &Weak<Inner>, session_id: &SessionId) {
    if let Some(inner) = inner.upgrade() {
        let mut inboxes = inner.inboxes();
        if inboxes.get(session_id).is_some_and(mpsc::Sender::is_closed) {
            inboxes.remove(session_id);
        }
    }
}

impl Inner {
    /// Goes one step further with shutting down. Under the lock, as sessions are started: so each
    /// of them either is among the tasks that are waited for, or is not started.
    fn enter(&self, stage: Stage) {
        let _inboxes = self.inboxes();
        self.stage.send_replace(stage);
    }

    fn inboxes(&self) -> MutexGuard<'_, HashMap<SessionId, mpsc::Sender<Command>>> {
        // Nothing that could panic is done under the lock.
        self.inboxes.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Inner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SessionManager")
            .field("resources", &self.resources)
            .finish_non_exhaustive()
    }
}

/// Sets up a [`SessionManager`].
#[derive(Debug)]
pub struct SessionManagerBuilder {
    store: Arc<dyn SessionStore>,
    model: Arc<dyn ChatModel>,
    tools: ToolRegistry,
    system_prompt: Option<String>,
    routes: Router<Plan>,
    prices: Option<Catalog>,
    settings: SessionSettings,
}

impl SessionManagerBuilder {
    /// The tools that the model may call.
    #[must_use]
    pub fn tools(mut self, tools: ToolRegistry) -> Self {
        self.tools = tools;
        self
    }

    /// What stands above each conversation.
    #[must_use]
    pub fn system_prompt(mut self, text: impl Into<String>) -> Self {
        self.system_prompt = Some(text.into());
        self
    }

    /// How a message is answered that is not to be answered as all others; see [`Plan`]. A route is
    /// chosen for each answer, also for one that is given again.
    #[must_use]
    pub fn routes(mut self, routes: Router<Plan>) -> Self {
        self.routes = routes;
        self
    }

    /// What models cost. Without it no cost is known.
    #[must_use]
    pub fn prices(mut self, prices: Catalog) -> Self {
        self.prices = Some(prices);
        self
    }

    /// Limits and deadlines.
    #[must_use]
    pub fn settings(mut self, settings: SessionSettings) -> Self {
        self.settings = settings;
        self
    }

    /// Starts the manager. Must be called within a tokio runtime.
    #[must_use]
    pub fn start(self) -> SessionManager {
        let (stage, stage_receiver) = watch::channel(Stage::Serving);
        let resources = Resources {
            writer: EventWriter::start(Arc::clone(&self.store)),
            store: self.store,
            model: self.model,
            tools: self.tools,
            system_prompt: self.system_prompt,
            routes: Arc::new(self.routes),
            prices: self.prices.map(Arc::new),
            settings: Arc::new(self.settings),
            owner: SessionId::generate().to_string(),
            stage: stage_receiver,
        };
        let inner = Inner {
            resources,
            inboxes: Mutex::default(),
            tasks: TaskTracker::new(),
            stage,
        };
        SessionManager {
            inner: Arc::new(inner),
        }
    }
}

//! All sessions of a process: finds the task of a session or starts it, and waits for all of
//! them at the end.

mod builder;
mod ending;
mod shutdown;

use std::collections::HashMap;
use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use futures_util::FutureExt;
use patter_llm::ChatModel;
use patter_metrics::{Asked, Error, Registry};
use patter_protocol::{JsonObject, SessionId};
use patter_store::{NewSession, SessionStore, Spool, SpoolUsage};
use patter_tools::ToolRegistry;
use tokio::sync::{mpsc, oneshot, watch};
use tokio_util::sync::{CancellationToken, DropGuard};
use tokio_util::task::TaskTracker;

use crate::budget::{Spender, Usage};
use crate::command::{Command, Inbox};
use crate::error::SessionError;
use crate::handle::SessionHandle;
use crate::live::{LiveSession, Vitals};
use crate::measures;
use crate::permit::Permit;
use crate::resources::{Resources, Stage};
use crate::session::{Opening, Session};
use crate::settings::SessionSettings;
use crate::sweeper;
pub use builder::SessionManagerBuilder;

/// So many commands wait for a session's task; whoever sends one more waits too.
const INBOX_CAPACITY: usize = 64;

/// The sessions of this process. Cloning gives another handle of the same ones.
#[derive(Debug, Clone)]
pub struct SessionManager {
    inner: Arc<Inner>,
}

/// What a session is opened with. For one that is there already, what it was made with stays.
///
/// A session belongs for ever to the user whom it was made for. [`Default`] opens everybody's: who serves
/// users that must not see each other's sessions opens with `only_own`.
///
/// ```
/// use patter_session::OpenOptions;
///
/// let options = OpenOptions {
///     user_id: Some("ada".to_owned()),
///     only_own: true,
///     ..OpenOptions::default()
/// };
/// # assert!(!options.only_existing);
/// ```
#[derive(Debug, Clone, Default)]
pub struct OpenOptions {
    /// The authenticated user, if any: the owner of a session that is made.
    pub user_id: Option<String>,
    /// The client's metadata.
    pub metadata: JsonObject,
    /// Refuse a session that is there already and is not `user_id`'s ([`SessionError::NotYours`]); without
    /// a `user_id`, one that has an owner. It is not touched, whether it is live or finalized: not claimed,
    /// not begun anew, not summarized again. This holds for all that is done by the handle, however long it
    /// lives. Whose a live session is is known without the store.
    pub only_own: bool,
    /// Make no session, but open one that is there ([`SessionError::Unknown`]): where ids come from the
    /// server alone, nobody can try them out.
    pub only_existing: bool,
}

pub(crate) struct Inner {
    resources: Arc<Resources>,
    /// Each live session; one whose inbox is closed has ended.
    inboxes: Mutex<HashMap<SessionId, Entry>>,
    /// Every session's task; awaited by [`SessionManager::shutdown`].
    tasks: TaskTracker,
    stage: watch::Sender<Stage>,
    /// Whether what a lost process left on this disk is stored.
    is_recovered: AtomicBool,
    /// Cancelled when answers in flight are not to be waited for any more.
    hurry: CancellationToken,
    /// Renews the leases, and sweeps.
    upkeep: TaskTracker,
    upkeep_stop: CancellationToken,
    /// For a manager that is dropped without being shut down.
    _ends_with_manager: DropGuard,
}

/// How a live session is reached, and how it is.
struct Entry {
    inbox: Inbox,
    vitals: Arc<Vitals>,
}

impl Entry {
    fn is_live(&self) -> bool {
        !self.inbox.is_closed()
    }
}

impl SessionManager {
    /// Begins to set up a manager over a store and a model.
    pub fn builder(
        store: impl SessionStore + 'static,
        model: impl ChatModel + 'static,
    ) -> SessionManagerBuilder {
        SessionManagerBuilder::new(Arc::new(store), Arc::new(model))
    }

    fn start(resources: Arc<Resources>, stage: watch::Sender<Stage>) -> Self {
        let upkeep = TaskTracker::new();
        let nothing_left = |spool: &Arc<dyn Spool>| spool.sessions().is_empty();
        let is_recovered = resources.spool.as_ref().is_none_or(nothing_left);
        let inner = Arc::new_cyclic(|weak| {
            let (leases, store) = (resources.leases.clone(), Arc::clone(&resources.store));
            let stopped = CancellationToken::new();
            upkeep.spawn(stopped.clone().run_until_cancelled_owned(async move {
                leases.keep(&*store).await;
            }));
            let sweeping = sweeper::run(weak.clone(), Arc::clone(&resources));
            upkeep.spawn(stopped.clone().run_until_cancelled_owned(sweeping));
            upkeep.close();
            Inner {
                resources,
                inboxes: Mutex::default(),
                tasks: TaskTracker::new(),
                stage,
                is_recovered: AtomicBool::new(is_recovered),
                hurry: CancellationToken::new(),
                upkeep,
                _ends_with_manager: stopped.clone().drop_guard(),
                upkeep_stop: stopped,
            }
        });
        Self { inner }
    }

    /// Opens a session: makes it where there is none, and continues it where there is one, also
    /// after it was finalized.
    ///
    /// # Errors
    ///
    /// Where the store does not answer, or the manager shuts down, or the options refuse the session.
    pub async fn open(
        &self,
        session_id: SessionId,
        options: OpenOptions,
    ) -> Result<SessionHandle, SessionError> {
        let OpenOptions {
            user_id,
            metadata,
            only_own,
            only_existing,
        } = options;
        let permit = if only_own {
            Permit::Of(user_id.as_deref().map(Arc::from))
        } else {
            Permit::Anybodys
        };
        let session = NewSession {
            session_id,
            user_id,
            metadata,
        };
        let handle = SessionHandle::new(self.clone(), session, permit, only_existing);
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
        let inboxes = self.inner.inboxes();
        inboxes.values().filter(|entry| entry.is_live()).count()
    }

    /// The sessions that are live in this process, sorted by when they were opened.
    #[must_use]
    pub fn live_sessions(&self) -> Vec<LiveSession> {
        let inboxes = self.inner.inboxes();
        let live = inboxes.iter().filter(|(_, entry)| entry.is_live());
        let mut sessions: Vec<_> = live.map(|(id, entry)| entry.vitals.read(id)).collect();
        // Nobody who wants a session waits for the sorting.
        drop(inboxes);
        sessions.sort_by_key(|session| session.since);
        sessions
    }

    /// Whether a session is live in this process.
    #[must_use]
    pub fn is_live(&self, session_id: &SessionId) -> bool {
        self.inner
            .inboxes()
            .get(session_id)
            .is_some_and(Entry::is_live)
    }

    /// Whether what a process that died had left on this machine's disk is stored by now. Until then
    /// the server is not ready.
    #[must_use]
    pub fn is_recovered(&self) -> bool {
        self.inner.is_recovered.load(Ordering::Relaxed)
    }

    /// The tools that models may call.
    #[must_use]
    pub fn tools(&self) -> &ToolRegistry {
        &self.inner.resources.tools
    }

    /// What somebody has spent and may spend, in all processes; `None` where nothing is counted. Whether
    /// whoever asks may know is for the caller to see to.
    ///
    /// # Errors
    ///
    /// [`SessionError::StoreUnavailable`] and [`SessionError::Store`].
    pub async fn usage(&self, spender: &Spender) -> Result<Option<Usage>, SessionError> {
        let Some(books) = &self.inner.resources.books else {
            return Ok(None);
        };
        let usage = books.usage(spender).await;
        usage.map(Some).map_err(|error| SessionError::from(&error))
    }

    /// The limits and deadlines of its sessions.
    #[must_use]
    pub fn settings(&self) -> &SessionSettings {
        &self.inner.resources.settings
    }

    /// What is kept on local disk because the store is away; `None` without a spool.
    #[must_use]
    pub fn spool_usage(&self) -> Option<SpoolUsage> {
        let spool = self.inner.resources.spool.as_ref()?;
        Some(spool.usage())
    }

    /// Hands what is counted of the sessions, and of how they are written, to a registry; see
    /// [`METRICS`](crate::METRICS) and [`patter_store::METRICS`]. Reading it asks neither the store nor a
    /// session.
    ///
    /// # Errors
    ///
    /// Where the registry has the metrics of another manager already.
    pub fn register_metrics(&self, registry: &Registry) -> Result<(), Error> {
        let resources = &self.inner.resources;
        resources.measures.register(registry)?;
        resources.writer.register_metrics(registry)?;
        let inner = Arc::downgrade(&self.inner);
        let inboxes = Asked::new(&[&measures::INBOX_COMMANDS], move || {
            let waiting = inner.upgrade().map_or(0, |inner| inner.commands_waiting());
            let waiting = u32::try_from(waiting).unwrap_or(u32::MAX);
            vec![measures::INBOX_COMMANDS.sample(&[], waiting.into())]
        });
        registry.register(Box::new(inboxes))?;
        if let Some(spool) = resources.spool.clone() {
            let usage = move || measures::spool_samples(spool.usage());
            registry.register(Box::new(Asked::new(measures::SPOOL_METRICS, usage)))?;
        }
        Ok(())
    }

    /// The inbox of a session's task, if there is one.
    pub(crate) fn live_inbox(&self, session_id: &SessionId) -> Option<Inbox> {
        let inboxes = self.inner.inboxes();
        let live = inboxes.get(session_id).filter(|entry| entry.is_live());
        live.map(|entry| entry.inbox.clone())
    }

    /// The inbox of a session's task, which is started where there is none.
    pub(crate) fn inbox(
        &self,
        session: &NewSession,
        permit: &Permit,
    ) -> Result<Inbox, SessionError> {
        self.inner
            .inbox(Opening::Asked(session.clone(), permit.clone()))
    }
}

/// Removes the inbox of a session that has ended, unless a new task has taken its place.
fn forget(inner: &Weak<Inner>, session_id: &SessionId) {
    if let Some(inner) = inner.upgrade() {
        let mut inboxes = inner.inboxes();
        if inboxes.get(session_id).is_some_and(|it| !it.is_live()) {
            inboxes.remove(session_id);
        }
    }
}

impl Inner {
    /// The inbox of a session's task, which is started where there is none.
    fn inbox(self: &Arc<Self>, opening: Opening) -> Result<Inbox, SessionError> {
        let session_id = opening.session_id().clone();
        let mut inboxes = self.inboxes();
        if let Some(entry) = inboxes.get(&session_id)
            && entry.is_live()
        {
            return Ok(entry.inbox.clone());
        }
        if *self.stage.borrow() != Stage::Serving {
            return Err(SessionError::Draining);
        }
        let (sender, receiver) = mpsc::channel(INBOX_CAPACITY);
        let vitals = Arc::new(Vitals::new());
        let entry = Entry {
            inbox: sender.clone(),
            vitals: Arc::clone(&vitals),
        };
        inboxes.insert(session_id.clone(), entry);
        let task = Session::run(Arc::clone(&self.resources), opening, receiver, vitals);
        let weak = Arc::downgrade(self);
        self.tasks
            .spawn(task.map(move |()| forget(&weak, &session_id)));
        Ok(sender)
    }

    /// Opens a session of which the spool has something; one that is live sees to that itself.
    pub(crate) async fn adopt(self: &Arc<Self>, session_id: SessionId) -> Result<(), SessionError> {
        let session = NewSession {
            session_id: session_id.clone(),
            user_id: None,
            metadata: JsonObject::new(),
        };
        let inbox = self.inbox(Opening::LeftBehind(session))?;
        let (reply, answer) = oneshot::channel();
        let permit = Permit::Anybodys;
        let gone = || SessionError::Gone { session_id };
        let hello = Box::new(Command::Hello { permit, reply });
        if inbox.send(hello).await.is_err() {
            return Err(gone());
        }
        answer.await.unwrap_or_else(|_| Err(gone()))
    }

    /// How many commands wait in all inboxes.
    fn commands_waiting(&self) -> usize {
        let inboxes = self.inboxes();
        let waiting = |entry: &Entry| INBOX_CAPACITY - entry.inbox.capacity();
        inboxes.values().map(waiting).sum()
    }

    pub(crate) fn set_recovered(&self) {
        self.is_recovered.store(true, Ordering::Relaxed);
    }

    fn inboxes(&self) -> MutexGuard<'_, HashMap<SessionId, Entry>> {
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

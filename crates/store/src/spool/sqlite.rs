//! The spool in a folder of SQLite files, one for each process that uses it.
//!
//! One task owns this process's file. While a transaction is on its way, what arrives waits, and
//! goes with the next one: many sessions share a sync, and nobody waits for a timer.

mod contents;
mod file;
mod folder;
mod keeper;
mod task;

use std::future::Future;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use patter_protocol::{EventId, SessionId};
use tokio::sync::{mpsc, oneshot};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::{Kept, Spool, SpoolUsage};
use crate::deadline::within;
use crate::encode::encode_append;
use crate::error::StoreError;
use crate::record::Append;
use contents::Contents;
use file::Change;
use keeper::Keeper;
use task::{Answer, Job};

/// So many calls wait for the transaction in front of them; further callers wait for a place.
const MAX_WAITING: usize = 1_024;
/// The most that one call may take, the wait for a place included.
const CALL_DEADLINE: Duration = Duration::from_secs(5);

/// Where a [`SqliteSpool`] is and how much may be in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SpoolOptions {
    /// The folder, on a local disk that outlives the process. Made where there is none.
    pub directory: PathBuf,
    /// From so many bytes on there is no room for new messages.
    pub max_bytes: u64,
    /// When it has not been empty for so long there is no room for new messages.
    pub max_age: Duration,
}

impl SpoolOptions {
    /// 1 GiB and 10 minutes.
    pub fn new(directory: impl Into<PathBuf>) -> Self {
        Self {
            directory: directory.into(),
            max_bytes: 1024 * 1024 * 1024,
            max_age: Duration::from_secs(600),
        }
    }
}

/// A [`Spool`] on this machine's disk.
///
/// Several processes of one machine may use the same folder: each has a file of its own, and
/// whoever opens the folder takes over what dead ones have left. The limits are told by
/// [`usage`](Spool::usage) and enforced by nobody here: what belongs to an answer in flight is
/// kept as long as the disk takes it.
///
/// A `forget` that fails is made good with the next write that succeeds; until then the events are
/// on the disk, and not among what is [`kept`](Spool::kept). When nothing is left the file is made
/// anew, so that its room is given back even on a disk that is full.
#[derive(Debug)]
pub struct SqliteSpool {
    /// To the task. Closed when the spool is.
    sender: mpsc::Sender<Job>,
    /// What is in the file; the task keeps it right.
    contents: Arc<Contents>,
    max_bytes: u64,
    max_age: Duration,
    /// Tells the task to take no more and to do what waits.
    closing: CancellationToken,
    /// Owns the task.
    tasks: TaskTracker,
}

impl SqliteSpool {
    /// Opens the folder, which on Unix is for this user's eyes only, and takes over what processes
    /// that are gone have left in it. To be called within a tokio runtime. What was left counts as
    /// kept from now on in [`SpoolUsage::filled_for`].
    ///
    /// # Errors
    ///
    /// [`StoreError::Unusable`] if a file cannot be made or opened or is not a spool;
    /// [`StoreError::Corrupt`] if one is damaged; [`StoreError::Unavailable`] if the disk is full
    /// or too slow. What was left stays where it is then.
    ///
    /// # Cancel safety
    ///
    /// May be dropped and called again.
    pub async fn open(options: SpoolOptions) -> Result<Self, StoreError> {
        let contents = Arc::new(Contents::default());
        let keeper = Keeper::open(&options.directory, Arc::clone(&contents)).await?;
        let (sender, receiver) = mpsc::channel(MAX_WAITING);
        let closing = CancellationToken::new();
        let tasks = TaskTracker::new();
        tasks.spawn(task::run(keeper, receiver, closing.clone()));
        tasks.close();
        Ok(Self {
            sender,
            contents,
            max_bytes: options.max_bytes,
            max_age: options.max_age,
            closing,
            tasks,
        })
    }

    /// Has the task do something and waits for its answer.
    fn ask<T>(
        &self,
        job: impl FnOnce(Answer<T>) -> Job,
    ) -> impl Future<Output = Result<T, StoreError>> {
        let (answer, answered) = oneshot::channel();
        let job = job(answer);
        within(CALL_DEADLINE, async {
            if self.sender.send(job).await.is_err() {
                return Err(StoreError::Unusable("the spool is closed".to_owned()));
            }
            answered.await.unwrap_or_else(|_| {
                Err(StoreError::Unavailable("the spool gave the call up".into()))
            })
        })
    }
}

#[async_trait]
impl Spool for SqliteSpool {
    async fn keep(&self, append: Append) -> Result<(), StoreError> {
        let change = Change::Keep(encode_append(append)?);
        self.ask(|answer| Job::Write(change, answer)).await
    }

    async fn kept(&self, session_id: &SessionId) -> Result<Vec<Kept>, StoreError> {
        self.ask(|answer| Job::Read(session_id.clone(), answer))
            .await
    }

    async fn forget(&self, session_id: &SessionId, events: &[EventId]) -> Result<(), StoreError> {
        let change = Change::Forget {
            session_id: session_id.clone(),
            events: events.to_vec(),
        };
        self.ask(|answer| Job::Write(change, answer)).await
    }

    fn sessions(&self) -> Vec<SessionId> {
        self.contents.sessions()
    }

    fn holds(&self, session_id: &SessionId) -> bool {
        self.contents.holds(session_id)
    }

    fn usage(&self) -> SpoolUsage {
        let (size, filled_for) = self.contents.total();
        SpoolUsage {
            events: size.events,
            bytes: size.bytes,
            max_bytes: self.max_bytes,
            filled_for,
            max_age: self.max_age,
        }
    }

    async fn close(&self) {
        self.closing.cancel();
        self.tasks.wait().await;
    }
}

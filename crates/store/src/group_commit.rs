//! Group commit: what sessions want to write at the same time goes to the store together.
//!
//! One task owns the store's writes. While a write is on its way, what arrives waits, and goes
//! with the next one; a store with nothing to do writes at once, nobody waits for a timer.

mod batch;
mod trace;

use std::collections::VecDeque;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;
use patter_metrics::{Asked, Error, Registry};
use tokio::sync::{mpsc, oneshot};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tracing::{Instrument, Span};

use crate::error::StoreError;
use crate::measures::{Measures, WRITES_WAITING};
use crate::record::{Append, Appended};
use crate::store::SessionStore;
use batch::{encoded_bytes, take_batch};

/// So many appends wait for the write in front of them; further callers wait for a place.
const MAX_WAITING: usize = 1_024;
/// How long a caller waits for a place before it is told that the store does not keep up.
const PLACE_DEADLINE: Duration = Duration::from_secs(5);
/// How long one write may take. Stores have shorter deadlines of their own; this one is for a
/// store that does not keep to them.
const WRITE_DEADLINE: Duration = Duration::from_secs(30);

/// Appends to a store, many sessions at a time. Cheap to clone; all clones share one task.
///
/// The appends of one session are stored in the order in which [`append`](Self::append) was
/// first polled.
#[derive(Debug, Clone)]
pub struct EventWriter {
    /// To the task. Closed when the writer is.
    sender: mpsc::Sender<Job>,
    /// Tells the task to take no more and to write what waits.
    closing: CancellationToken,
    /// Owns the task.
    tasks: TaskTracker,
    measures: Arc<Measures>,
}

/// Who waits for what becomes of an append.
type Waiter = oneshot::Sender<Result<Vec<Appended>, StoreError>>;

/// An append and who waits for it.
#[derive(Debug)]
struct Job {
    append: Append,
    /// Size of the events, in bytes of JSON.
    bytes: usize,
    answer: Waiter,
    /// The span of who asked, for traces.
    asked_in: Span,
}

impl EventWriter {
    /// Starts the task that writes to `store`. It ends with [`close`](Self::close), or when the
    /// last clone is dropped and what waits is written. To be called within a tokio runtime.
    #[must_use]
    pub fn start(store: Arc<dyn SessionStore>) -> Self {
        let (sender, receiver) = mpsc::channel(MAX_WAITING);
        let closing = CancellationToken::new();
        let tasks = TaskTracker::new();
        let measures = Arc::<Measures>::default();
        tasks.spawn(run(store, receiver, closing.clone(), measures.clone()));
        tasks.close();
        Self {
            sender,
            closing,
            tasks,
            measures,
        }
    }

    /// Hands what is counted of the writes to a registry; see [`METRICS`](crate::METRICS).
    ///
    /// # Errors
    ///
    /// Where the registry has the metrics of another writer already.
    pub fn register_metrics(&self, registry: &Registry) -> Result<(), Error> {
        self.measures.register(registry)?;
        // Weak: the task ends when nobody is left who could append.
        let sender = self.sender.downgrade();
        let waiting = Asked::new(&[&WRITES_WAITING], move || {
            let waiting = sender.upgrade().map_or(0, |it| MAX_WAITING - it.capacity());
            let waiting = u32::try_from(waiting).unwrap_or(u32::MAX);
            vec![WRITES_WAITING.sample(&[], waiting.into())]
        });
        registry.register(Box::new(waiting))
    }

    /// Appends to one session; returns when that is stored.
    ///
    /// # Errors
    ///
    /// Those of [`SessionStore::append`]; [`StoreError::Unavailable`] too if the store does not
    /// keep up, and [`StoreError::Unusable`] if the writer is closed.
    ///
    /// # Cancel safety
    ///
    /// Dropped before it was first polled or while it waits for a place, nothing is written;
    /// dropped later, the append is written or not, whole, and nobody else is touched.
    pub async fn append(&self, append: Append) -> Result<Vec<Appended>, StoreError> {
        let bytes = encoded_bytes(&append);
        let (answer, answered) = oneshot::channel();
        let place = match tokio::time::timeout(PLACE_DEADLINE, self.sender.reserve()).await {
            Ok(Ok(place)) => place,
            Ok(Err(_)) => return Err(StoreError::Unusable("the writer is closed".to_owned())),
            Err(_) => {
                return Err(StoreError::Unavailable(
                    "too many writes are waiting".into(),
                ));
            }
        };
        place.send(Job {
            append,
            bytes,
            answer,
            asked_in: Span::current(),
        });
        answered
            .await
            .unwrap_or_else(|_| Err(unanswered("the write was given up")))
    }

    /// Takes no more appends, writes those that wait, and returns when the task has ended. The
    /// store itself stays open. A store that does not answer can make this take long: the caller
    /// sets the deadline.
    ///
    /// # Cancel safety
    ///
    /// May be dropped and called again.
    pub async fn close(&self) {
        self.closing.cancel();
        self.tasks.wait().await;
    }
}

/// Whether the write happened is not known.
fn unanswered(why: &'static str) -> StoreError {
    StoreError::Unavailable(why.into())
}

/// The task: gathers what waits, writes it, until there is nobody left who could ask.
async fn run(
    store: Arc<dyn SessionStore>,
    mut receiver: mpsc::Receiver<Job>,
    closing: CancellationToken,
    measures: Arc<Measures>,
) {
    let mut waiting = VecDeque::new();
    loop {
        if closing.is_cancelled() {
            // From here on `recv` gives what is in the queue, then `None`.
            receiver.close();
        }
        if waiting.is_empty() {
            let job = tokio::select! {
                () = closing.cancelled(), if !receiver.is_closed() => continue,
                job = receiver.recv() => job,
            };
            match job {
                Some(job) => waiting.push_back(job),
                None => return,
            }
        }
        while waiting.len() < MAX_WAITING {
            match receiver.try_recv() {
                Ok(job) => waiting.push_back(job),
                Err(_) => break,
            }
        }
        write(store.as_ref(), take_batch(&mut waiting), &measures).await;
    }
}

/// Writes one batch and answers everybody in it. A panic of the store is theirs, not the task's.
async fn write(store: &dyn SessionStore, batch: Vec<Job>, measures: &Measures) {
    let span = trace::write(store.kind(), &batch);
    let events: usize = batch.iter().map(|job| job.append.events.len()).sum();
    measures
        .batch_events
        .observe(f64::from(u32::try_from(events).unwrap_or(u32::MAX)));
    let begun = Instant::now();
    let (appends, waiters): (Vec<_>, Vec<_>) = batch
        .into_iter()
        .map(|job| (job.append, job.answer))
        .unzip();
    let writing = AssertUnwindSafe(store.append(appends)).catch_unwind();
    let writing = writing.instrument(span.clone());
    let written = tokio::time::timeout(WRITE_DEADLINE, writing).await;
    measures.batch_time.observe(begun.elapsed().as_secs_f64());
    let answers = match written {
        Ok(Ok(answers)) => answers,
        Ok(Err(_)) => {
            tracing::error!(store = store.kind(), "the store panicked during a write");
            trace::fail(&span);
            refuse(waiters, "the store panicked", measures);
            return;
        }
        Err(_) => {
            trace::fail(&span);
            refuse(waiters, "the store did not answer", measures);
            return;
        }
    };
    if answers.iter().all(Result::is_err) {
        trace::fail(&span);
    }
    for (waiter, answer) in waiters.into_iter().zip(answers) {
        if let Err(error) = &answer {
            measures.append_failed(error);
        }
        // Whoever does not wait any more has no use for the answer.
        let _ = waiter.send(answer);
    }
}

/// Tells everybody that the outcome is not known.
fn refuse(waiters: Vec<Waiter>, why: &'static str, measures: &Measures) {
    for waiter in waiters {
        let error = unanswered(why);
        measures.append_failed(&error);
        let _ = waiter.send(Err(error));
    }
}

//! Group commit: what sessions want to write at the same time goes to the store together.
//!
//! One task owns the store's writes. While a write is on its way, what arrives waits, and goes
//! with the next one; a store with nothing to do writes at once, nobody waits for a timer. Where the
//! store takes more than one write at a time, much that waits does not wait for the write before it.

mod batch;
mod trace;

use std::collections::{HashSet, VecDeque};
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use futures_util::stream::FuturesUnordered;
use futures_util::{FutureExt, StreamExt};
use patter_metrics::{Asked, Error, Registry};
use patter_protocol::SessionId;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc, oneshot};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tracing::{Instrument, Span};

use crate::error::StoreError;
use crate::measures::{Measures, WRITES_WAITING};
use crate::record::{Append, Appended};
use crate::store::SessionStore;
use batch::{encoded_bytes, is_much, take_batch};

/// So many appends wait for the write in front of them; further callers wait for a place.
const MAX_WAITING: usize = 2_048;
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
    /// For what waits.
    places: Arc<Semaphore>,
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
    /// Given back when the write begins.
    place: OwnedSemaphorePermit,
}

impl EventWriter {
    /// Starts the task that writes to `store`. It ends with [`close`](Self::close), or when the
    /// last clone is dropped and what waits is written. To be called within a tokio runtime.
    #[must_use]
    pub fn start(store: Arc<dyn SessionStore>) -> Self {
        let (sender, receiver) = mpsc::channel(MAX_WAITING);
        let places = Arc::new(Semaphore::new(MAX_WAITING));
        let closing = CancellationToken::new();
        let tasks = TaskTracker::new();
        let measures = Arc::<Measures>::default();
        let writing = Writing {
            most_writes: store.appends_at_a_time(),
            store,
            measures: measures.clone(),
            waiting: VecDeque::new(),
            busy: HashSet::new(),
        };
        tasks.spawn(writing.run(receiver, places.clone(), closing.clone()));
        tasks.close();
        Self {
            sender,
            places,
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
        let places = self.places.clone();
        let waiting = Asked::new(&[&WRITES_WAITING], move || {
            let waiting = MAX_WAITING - places.available_permits();
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
        let is_closed = || StoreError::Unusable("the writer is closed".to_owned());
        let place = self.places.clone().acquire_owned();
        let place = tokio::time::timeout(PLACE_DEADLINE, place)
            .await
            .map_err(|_| StoreError::Unavailable("too many writes are waiting".into()))?
            .map_err(|_| is_closed())?;
        // Whoever has a place finds room in the channel.
        self.sender
            .try_send(Job {
                append,
                bytes,
                answer,
                asked_in: Span::current(),
                place,
            })
            .map_err(|_| is_closed())?;
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

/// What the task knows.
struct Writing {
    store: Arc<dyn SessionStore>,
    /// So many are on their way at a time, of different sessions.
    most_writes: usize,
    measures: Arc<Measures>,
    /// Oldest first.
    waiting: VecDeque<Job>,
    /// Those whose write is on its way: their next one goes after it.
    busy: HashSet<SessionId>,
}

impl Writing {
    /// The task: gathers what waits, writes it, until there is nobody left who could ask.
    async fn run(
        mut self,
        mut jobs: mpsc::Receiver<Job>,
        places: Arc<Semaphore>,
        closing: CancellationToken,
    ) {
        let mut writes = FuturesUnordered::new();
        let mut are_more_to_come = true;
        while are_more_to_come || !self.waiting.is_empty() || !writes.is_empty() {
            while let Ok(job) = jobs.try_recv() {
                self.waiting.push_back(job);
            }
            while writes.is_empty() || writes.len() < self.most_writes && is_much(&self.waiting) {
                let batch = take_batch(&mut self.waiting, &self.busy);
                if batch.is_empty() {
                    break;
                }
                writes.push(self.write(batch));
            }
            tokio::select! {
                () = closing.cancelled(), if !jobs.is_closed() => {
                    // From here on `recv` gives what is in the queue, then `None`.
                    places.close();
                    jobs.close();
                }
                Some(sessions) = writes.next() => {
                    for session_id in sessions {
                        self.busy.remove(&session_id);
                    }
                }
                job = jobs.recv(), if are_more_to_come => match job {
                    Some(job) => self.waiting.push_back(job),
                    None => are_more_to_come = false,
                },
            }
        }
    }

    /// Writes a batch. Ends with the sessions that it was about.
    fn write(&mut self, batch: Vec<Job>) -> impl Future<Output = Vec<SessionId>> + use<> {
        let sessions: Vec<_> = batch
            .iter()
            .map(|job| job.append.session_id.clone())
            .collect();
        self.busy.extend(sessions.iter().cloned());
        let (store, measures) = (self.store.clone(), self.measures.clone());
        async move {
            write(store.as_ref(), batch, &measures).await;
            sessions
        }
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
        .map(|job| {
            drop(job.place);
            (job.append, job.answer)
        })
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

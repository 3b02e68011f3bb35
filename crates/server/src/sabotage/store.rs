//! A store that says of events that they are stored, and stores them later; or that says of leases
//! what is not so; or that reads less than there is.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use futures_util::future::join_all;
use patter_protocol::{EventBody, SessionId};
use patter_store::{
    Append, Appended, Claimed, EventQuery, Lease, NewEvent, NewSession, Owner, Renewal,
    SessionRecord, SessionStore, StoreError, StoredEvent, SummaryJob, SummaryTries, Swept,
};
use tokio::time::sleep;
use tokio_util::task::TaskTracker;

use super::Fault;

/// So long events count as stored before they are.
const DELAY: Duration = Duration::from_millis(300);
/// So much later than it is told a call is written, at the least: with the event behind it. A process is
/// killed in between.
const LEDGER_DELAY: Duration = Duration::from_millis(300);
/// The place in a page of the event that is missed.
const MISSED: usize = 1;

#[derive(Debug)]
pub(super) struct BrokenStore {
    inner: Arc<dyn SessionStore>,
    fault: Fault,
    held: Arc<Mutex<HashMap<SessionId, Held>>>,
    writing: TaskTracker,
}

/// What was told of a session, and not written.
#[derive(Debug, Default)]
struct Held {
    last_seq: u64,
    append: Option<Append>,
}

impl BrokenStore {
    pub(super) fn new(inner: Arc<dyn SessionStore>, fault: Fault) -> Self {
        Self {
            inner,
            fault,
            held: Arc::default(),
            writing: TaskTracker::new(),
        }
    }

    fn held(&self) -> MutexGuard<'_, HashMap<SessionId, Held>> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes off the end of an append what is not to be written when it says so.
    fn take_held_back(&self, append: &mut Append) -> Vec<NewEvent> {
        let is_call = |event: &NewEvent| matches!(event.body, EventBody::ToolCall(_));
        let kept = match self.fault {
            Fault::AckBeforeCommit => 0,
            Fault::LedgerAfterTool => {
                let last_other = append.events.iter().rposition(|event| !is_call(event));
                last_other.map_or(0, |last_other| last_other + 1)
            }
            Fault::NoSelfStop | Fault::NoSweep | Fault::ReplayWithGap => append.events.len(),
        };
        append.events.split_off(kept)
    }

    /// Writes an append, or says so.
    async fn append_one(&self, mut append: Append) -> Result<Vec<Appended>, StoreError> {
        let events = self.take_held_back(&mut append);
        let (session_id, fence) = (append.session_id.clone(), append.fence);
        let mut places = Vec::new();
        if !append.events.is_empty() {
            if self.fault == Fault::LedgerAfterTool {
                sleep(LEDGER_DELAY).await;
            }
            places = self.write(append).await?;
        }
        if !events.is_empty() {
            if self.fault == Fault::AckBeforeCommit {
                self.write_later(session_id.clone());
            }
            places.extend(self.hold(Append {
                session_id,
                fence,
                events,
            }));
        }
        Ok(places)
    }

    /// Says where the events will stand, and keeps them.
    fn hold(&self, append: Append) -> Vec<Appended> {
        let mut held = self.held();
        let held = held.entry(append.session_id.clone()).or_default();
        let mut places = Vec::with_capacity(append.events.len());
        for _ in &append.events {
            held.last_seq += 1;
            places.push(Appended::Stored { seq: held.last_seq });
        }
        match &mut held.append {
            Some(waiting) => waiting.events.extend(append.events),
            None => held.append = Some(append),
        }
        places
    }

    /// Writes what is held of the session together with `append`.
    async fn write(&self, append: Append) -> Result<Vec<Appended>, StoreError> {
        let session_id = append.session_id.clone();
        let held = self
            .held()
            .get_mut(&session_id)
            .and_then(|it| it.append.take());
        let told_already = held.as_ref().map_or(0, |held| held.events.len());
        let mut events = held.map(|held| held.events).unwrap_or_default();
        events.extend(append.events);
        let whole = Append { events, ..append };
        let mut answer = self.inner.append(vec![whole]).await;
        let places = answer.pop().unwrap_or_else(|| Ok(Vec::new()))?;
        if let Some(Appended::Stored { seq } | Appended::Duplicate { seq }) = places.last() {
            self.held().entry(session_id).or_default().last_seq = *seq;
        }
        Ok(places.into_iter().skip(told_already).collect())
    }

    fn write_later(&self, session_id: SessionId) {
        let (inner, held) = (Arc::clone(&self.inner), Arc::clone(&self.held));
        self.writing.spawn(async move {
            sleep(DELAY).await;
            let append = held
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .get_mut(&session_id)
                .and_then(|held| held.append.take());
            if let Some(append) = append {
                inner.append(vec![append]).await;
            }
        });
    }
}

#[async_trait]
impl SessionStore for BrokenStore {
    fn kind(&self) -> &'static str {
        self.inner.kind()
    }

    async fn claim(&self, session: NewSession, owner: &Owner) -> Result<Claimed, StoreError> {
        let claimed = self.inner.claim(session, owner).await?;
        let record = &claimed.record;
        self.held()
            .entry(record.session_id.clone())
            .or_default()
            .last_seq = record.last_seq;
        Ok(claimed)
    }

    async fn renew(&self, owner: &Owner, leases: &[Lease]) -> Result<Renewal, StoreError> {
        let renewal = self.inner.renew(owner, leases).await;
        if self.fault == Fault::NoSelfStop {
            return Ok(Renewal::default());
        }
        renewal
    }

    async fn release(&self, owner: &Owner, lease: &Lease) -> Result<(), StoreError> {
        self.inner.release(owner, lease).await
    }

    async fn sweep(&self, owner: &Owner, limit: u32) -> Result<Vec<Swept>, StoreError> {
        if self.fault == Fault::NoSweep {
            return Ok(Vec::new());
        }
        self.inner.sweep(owner, limit).await
    }

    async fn take_summaries(
        &self,
        limit: u32,
        tries: SummaryTries,
    ) -> Result<Vec<SummaryJob>, StoreError> {
        self.inner.take_summaries(limit, tries).await
    }

    async fn fail_summary(&self, job: &SummaryJob, why: &str) -> Result<(), StoreError> {
        self.inner.fail_summary(job, why).await
    }

    async fn append(&self, batch: Vec<Append>) -> Vec<Result<Vec<Appended>, StoreError>> {
        // Side by side, so that they wait together.
        join_all(batch.into_iter().map(|append| self.append_one(append))).await
    }

    async fn events(
        &self,
        session_id: &SessionId,
        query: EventQuery,
    ) -> Result<Vec<StoredEvent>, StoreError> {
        let mut page = self.inner.events(session_id, query).await?;
        if self.fault == Fault::ReplayWithGap && page.len() > MISSED {
            page.remove(MISSED);
        }
        Ok(page)
    }

    async fn session(&self, session_id: &SessionId) -> Result<Option<SessionRecord>, StoreError> {
        self.inner.session(session_id).await
    }

    async fn check(&self) -> Result<(), StoreError> {
        self.inner.check().await
    }

    async fn close(&self) {
        self.inner.close().await;
    }
}

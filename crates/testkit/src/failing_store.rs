//! A store that fails when it is told to, around one that works.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use async_trait::async_trait;
use patter_protocol::SessionId;
use patter_store::{
    Append, Appended, Claimed, EventQuery, Lease, NewSession, Owner, Renewal, SessionRecord,
    SessionStore, StoreError, StoredEvent, SummaryJob, SummaryTries, Swept,
};
use tokio::sync::watch;

/// What the calls of a [`FailingStore`] do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Failure {
    /// They work.
    None,
    /// They fail at once and do nothing, with [`StoreError::Unavailable`].
    Unavailable,
    /// They fail at once and do nothing, with [`StoreError::Unusable`].
    Unusable,
    /// They fail as where somebody has the sessions locked: with [`StoreError::Unavailable`], and
    /// leases are [busy](Renewal::busy).
    Locked,
    /// They wait until another failure is set, and then do what that one says.
    Hang,
}

/// A store whose calls can be made to fail, and are counted. `close` always works.
#[derive(Debug)]
pub struct FailingStore {
    inner: Arc<dyn SessionStore>,
    failure: watch::Sender<Failure>,
    calls: AtomicUsize,
    hanging: AtomicUsize,
}

/// Counts a call that hangs for as long as somebody waits for it.
struct Hanging<'a>(&'a AtomicUsize);

impl Drop for Hanging<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

impl FailingStore {
    /// A store that works as `inner` does, until [`set`](Self::set) says otherwise.
    #[must_use]
    pub fn new(inner: Arc<dyn SessionStore>) -> Self {
        Self {
            inner,
            failure: watch::Sender::new(Failure::None),
            calls: AtomicUsize::new(0),
            hanging: AtomicUsize::new(0),
        }
    }

    /// What calls do from now on, those that hang included.
    pub fn set(&self, failure: Failure) {
        self.failure.send_replace(failure);
    }

    /// How many calls were made since the start, failed ones included.
    #[must_use]
    pub fn calls(&self) -> usize {
        self.calls.load(Ordering::SeqCst)
    }

    /// How many calls hang now.
    #[must_use]
    pub fn hanging(&self) -> usize {
        self.hanging.load(Ordering::SeqCst)
    }

    /// Counts a call and lets it through, or not.
    async fn pass(&self) -> Result<(), StoreError> {
        self.calls.fetch_add(1, Ordering::SeqCst);
        self.hanging.fetch_add(1, Ordering::SeqCst);
        let _hanging = Hanging(&self.hanging);
        let mut failure = self.failure.subscribe();
        // The sender lives as long as `self`, so there is always an answer.
        let set = failure
            .wait_for(|failure| *failure != Failure::Hang)
            .await
            .map(|set| *set);
        match set {
            Ok(Failure::None) => Ok(()),
            Ok(Failure::Unusable) => Err(StoreError::Unusable("the test made it so".to_owned())),
            _ => Err(StoreError::Unavailable("the test made it so".into())),
        }
    }
}

#[async_trait]
impl SessionStore for FailingStore {
    fn kind(&self) -> &'static str {
        self.inner.kind()
    }

    async fn claim(&self, session: NewSession, owner: &Owner) -> Result<Claimed, StoreError> {
        self.pass().await?;
        self.inner.claim(session, owner).await
    }

    async fn renew(&self, owner: &Owner, leases: &[Lease]) -> Result<Renewal, StoreError> {
        match self.pass().await {
            Ok(()) => self.inner.renew(owner, leases).await,
            Err(_) if *self.failure.borrow() == Failure::Locked => Ok(Renewal {
                busy: leases.iter().map(|it| it.session_id.clone()).collect(),
                ..Renewal::default()
            }),
            Err(error) => Err(error),
        }
    }

    async fn release(&self, owner: &Owner, lease: &Lease) -> Result<(), StoreError> {
        self.pass().await?;
        self.inner.release(owner, lease).await
    }

    async fn sweep(&self, owner: &Owner, limit: u32) -> Result<Vec<Swept>, StoreError> {
        self.pass().await?;
        self.inner.sweep(owner, limit).await
    }

    async fn take_summaries(
        &self,
        limit: u32,
        tries: SummaryTries,
    ) -> Result<Vec<SummaryJob>, StoreError> {
        self.pass().await?;
        self.inner.take_summaries(limit, tries).await
    }

    async fn fail_summary(&self, job: &SummaryJob, why: &str) -> Result<(), StoreError> {
        self.pass().await?;
        self.inner.fail_summary(job, why).await
    }

    async fn append(&self, batch: Vec<Append>) -> Vec<Result<Vec<Appended>, StoreError>> {
        match self.pass().await {
            Ok(()) => self.inner.append(batch).await,
            Err(StoreError::Unusable(why)) => batch
                .iter()
                .map(|_| Err(StoreError::Unusable(why.clone())))
                .collect(),
            Err(error) => {
                let why = error.to_string();
                batch
                    .iter()
                    .map(|_| Err(StoreError::Unavailable(why.clone().into())))
                    .collect()
            }
        }
    }

    async fn events(
        &self,
        session_id: &SessionId,
        query: EventQuery,
    ) -> Result<Vec<StoredEvent>, StoreError> {
        self.pass().await?;
        self.inner.events(session_id, query).await
    }

    async fn session(&self, session_id: &SessionId) -> Result<Option<SessionRecord>, StoreError> {
        self.pass().await?;
        self.inner.session(session_id).await
    }

    async fn check(&self) -> Result<(), StoreError> {
        self.pass().await?;
        self.inner.check().await
    }

    async fn close(&self) {
        self.inner.close().await;
    }
}

#[cfg(test)]
mod tests {
    use futures_util::future::poll_immediate;

    use super::*;
    use crate::memory_store::MemoryStore;
    use crate::store_conformance::sample::{owner, session};

    #[tokio::test]
    async fn a_call_fails_hangs_and_works_as_it_is_told() {
        let store = FailingStore::new(Arc::new(MemoryStore::default()));
        let id = SessionId::generate();
        store.set(Failure::Unavailable);
        let refused = store.claim(session(&id), &owner("test")).await.unwrap_err();
        assert!(refused.is_retryable());

        store.set(Failure::Hang);
        let me = owner("test");
        let mut hanging = Box::pin(store.claim(session(&id), &me));
        assert!(poll_immediate(&mut hanging).await.is_none());
        store.set(Failure::None);
        assert!(hanging.await.unwrap().created);
        assert_eq!(store.calls(), 2);
    }
}

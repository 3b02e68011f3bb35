//! The store of the model check.

use async_trait::async_trait;
use patter_protocol::SessionId;
use patter_store::{
    Append, Appended, Claimed, EventQuery, Lease, NewSession, Owner, Renewal, SessionRecord,
    SessionStore, StoreError, StoredEvent, SummaryJob, SummaryTries, Swept,
};
use patter_testkit::memory_store::MemoryStore;
use shuttle::future::yield_now;

/// A store whose calls take as long as the scheduler likes, and which reads two events at a time.
#[derive(Debug)]
pub(super) struct Slow(pub(super) MemoryStore);

#[async_trait]
impl SessionStore for Slow {
    fn kind(&self) -> &'static str {
        self.0.kind()
    }

    async fn append(&self, batch: Vec<Append>) -> Vec<Result<Vec<Appended>, StoreError>> {
        yield_now().await;
        let done = self.0.append(batch).await;
        yield_now().await;
        done
    }

    async fn events(
        &self,
        session_id: &SessionId,
        query: EventQuery,
    ) -> Result<Vec<StoredEvent>, StoreError> {
        yield_now().await;
        let limit = query.limit.min(2);
        let events = self
            .0
            .events(session_id, EventQuery { limit, ..query })
            .await;
        yield_now().await;
        events
    }

    async fn claim(&self, session: NewSession, owner: &Owner) -> Result<Claimed, StoreError> {
        self.0.claim(session, owner).await
    }

    async fn renew(&self, owner: &Owner, leases: &[Lease]) -> Result<Renewal, StoreError> {
        self.0.renew(owner, leases).await
    }

    async fn release(&self, owner: &Owner, lease: &Lease) -> Result<(), StoreError> {
        self.0.release(owner, lease).await
    }

    async fn sweep(&self, owner: &Owner, limit: u32) -> Result<Vec<Swept>, StoreError> {
        self.0.sweep(owner, limit).await
    }

    async fn take_summaries(
        &self,
        limit: u32,
        tries: SummaryTries,
    ) -> Result<Vec<SummaryJob>, StoreError> {
        self.0.take_summaries(limit, tries).await
    }

    async fn fail_summary(&self, job: &SummaryJob, why: &str) -> Result<(), StoreError> {
        self.0.fail_summary(job, why).await
    }

    async fn session(&self, session_id: &SessionId) -> Result<Option<SessionRecord>, StoreError> {
        self.0.session(session_id).await
    }

    async fn check(&self) -> Result<(), StoreError> {
        self.0.check().await
    }

    async fn close(&self) {
        self.0.close().await;
    }
}

//! A spool in memory, for tests under paused time, that is full, fails or hangs when it is told to.
//! It passes the conformance suite like the real one.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use patter_protocol::{EventId, SessionId};
use patter_store::{Append, Kept, Spool, SpoolUsage, StoreError};
use tokio::sync::watch;
use tokio::time::Instant;

use crate::memory_store::check;

/// What the calls of a [`MemorySpool`] do. `sessions`, `holds`, `usage` and `close` always work.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SpoolFailure {
    /// They work.
    None,
    /// `keep` fails at once and keeps nothing, with [`StoreError::Unavailable`]; the others work.
    Full,
    /// They fail at once and do nothing, with [`StoreError::Unavailable`].
    Unavailable,
    /// They wait until another failure is set, and then do what that one says.
    Hang,
}

/// Events in memory. Cloning gives another handle of the same ones.
#[derive(Debug, Clone)]
pub struct MemorySpool {
    contents: Arc<Mutex<Contents>>,
    failure: watch::Sender<SpoolFailure>,
    max_bytes: u64,
    max_age: Duration,
}

#[derive(Debug, Default)]
struct Contents {
    /// As they were kept.
    events: Vec<(SessionId, Kept)>,
    filled_since: Option<Instant>,
}

impl Default for MemorySpool {
    /// With the limits that a real one has by default.
    fn default() -> Self {
        Self::with_limits(1024 * 1024 * 1024, Duration::from_secs(600))
    }
}

impl MemorySpool {
    /// An empty spool with limits of its own.
    #[must_use]
    pub fn with_limits(max_bytes: u64, max_age: Duration) -> Self {
        Self {
            contents: Arc::default(),
            failure: watch::Sender::new(SpoolFailure::None),
            max_bytes,
            max_age,
        }
    }

    /// What calls do from now on, those that hang included.
    pub fn set(&self, failure: SpoolFailure) {
        self.failure.send_replace(failure);
    }

    /// Lets a call through, or not.
    async fn pass(&self, keeps: bool) -> Result<(), StoreError> {
        let mut failure = self.failure.subscribe();
        // The sender lives as long as `self`, so there is always an answer.
        let set = failure
            .wait_for(|failure| *failure != SpoolFailure::Hang)
            .await
            .map(|set| *set);
        match set {
            Ok(SpoolFailure::None) => Ok(()),
            Ok(SpoolFailure::Full) if !keeps => Ok(()),
            _ => Err(StoreError::Unavailable("the test made it so".into())),
        }
    }
}

fn bytes(kept: &Kept) -> u64 {
    let json = serde_json::to_vec(&(&kept.event.body, &kept.event.private)).unwrap();
    json.len() as u64
}

#[async_trait]
impl Spool for MemorySpool {
    async fn keep(&self, append: Append) -> Result<(), StoreError> {
        for event in &append.events {
            check(&event.body)?;
            check(&event.private)?;
        }
        self.pass(true).await?;
        let mut contents = self.contents.lock().unwrap();
        for event in append.events {
            let is_kept = contents.events.iter().any(|(id, kept)| {
                *id == append.session_id && kept.event.event_id == event.event_id
            });
            if !is_kept {
                let fence = append.fence;
                let kept = Kept { fence, event };
                contents.events.push((append.session_id.clone(), kept));
                contents.filled_since.get_or_insert_with(Instant::now);
            }
        }
        Ok(())
    }

    async fn kept(&self, session_id: &SessionId) -> Result<Vec<Kept>, StoreError> {
        self.pass(false).await?;
        let contents = self.contents.lock().unwrap();
        let of_session = contents.events.iter().filter(|(id, _)| id == session_id);
        let mut kept: Vec<_> = of_session.map(|(_, kept)| kept.clone()).collect();
        kept.sort_by_key(|kept| kept.fence);
        Ok(kept)
    }

    async fn forget(&self, session_id: &SessionId, events: &[EventId]) -> Result<(), StoreError> {
        self.pass(false).await?;
        let mut contents = self.contents.lock().unwrap();
        contents
            .events
            .retain(|(id, kept)| id != session_id || !events.contains(&kept.event.event_id));
        if contents.events.is_empty() {
            contents.filled_since = None;
        }
        Ok(())
    }

    fn sessions(&self) -> Vec<SessionId> {
        let contents = self.contents.lock().unwrap();
        let mut sessions: Vec<_> = contents.events.iter().map(|(id, _)| id.clone()).collect();
        sessions.sort();
        sessions.dedup();
        sessions
    }

    fn holds(&self, session_id: &SessionId) -> bool {
        let contents = self.contents.lock().unwrap();
        contents.events.iter().any(|(id, _)| id == session_id)
    }

    fn usage(&self) -> SpoolUsage {
        let contents = self.contents.lock().unwrap();
        SpoolUsage {
            events: contents.events.len() as u64,
            bytes: contents.events.iter().map(|(_, kept)| bytes(kept)).sum(),
            max_bytes: self.max_bytes,
            filled_for: contents.filled_since.map(|since| since.elapsed()),
            max_age: self.max_age,
        }
    }

    async fn close(&self) {}
}

#[cfg(test)]
mod tests {
    use futures_util::future::poll_immediate;
    use patter_store::Fence;

    use super::*;
    use crate::store_conformance::sample::{append, message};

    #[tokio::test(start_paused = true)]
    async fn a_call_fails_hangs_and_works_as_it_is_told() {
        let spool = MemorySpool::default();
        let id = SessionId::generate();
        let entry = || append(&id, Fence(1), [message("a")]);
        spool.set(SpoolFailure::Full);
        assert!(spool.keep(entry()).await.unwrap_err().is_retryable());
        assert_eq!(spool.kept(&id).await.unwrap(), []);
        spool.set(SpoolFailure::Unavailable);
        assert!(spool.kept(&id).await.unwrap_err().is_retryable());

        spool.set(SpoolFailure::Hang);
        let mut hanging = Box::pin(spool.keep(entry()));
        assert!(poll_immediate(&mut hanging).await.is_none());
        spool.set(SpoolFailure::None);
        hanging.await.unwrap();
        assert_eq!(spool.usage().events, 1);
    }

    #[tokio::test(start_paused = true)]
    async fn it_has_no_room_when_it_is_too_large_or_not_empty_for_too_long() {
        let age = Duration::from_secs(600);
        let id = SessionId::generate();
        let small = MemorySpool::with_limits(1_000, age);
        assert!(small.usage().has_room());
        let entry = append(&id, Fence(1), [message(&"a".repeat(1_000))]);
        small.keep(entry.clone()).await.unwrap();
        assert!(!small.usage().has_room());

        let large = MemorySpool::with_limits(1_000_000, age);
        large.keep(entry).await.unwrap();
        assert!(large.usage().has_room());
        tokio::time::advance(age).await;
        assert!(!large.usage().has_room());
    }
}

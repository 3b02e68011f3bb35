//! A store in memory: for tests under paused time, where a database on the other side of a thread
//! or a socket would see its deadlines pass at once. It passes the conformance suite like the others.

mod kept;

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use patter_protocol::{SessionId, Timestamp, clean_json};
use patter_store::{
    Append, Appended, Claimed, EventQuery, Lease, NewSession, Owner, Renewal, SessionRecord,
    SessionStore, StoreError, StoredEvent, SummaryJob, SummaryTries, Swept,
};
use serde::Serialize;
use serde_json::Value;
use tokio::time::Instant;

use kept::Kept;

/// Sessions in memory. Cloning gives another handle of the same ones.
#[derive(Debug, Clone, Default)]
pub struct MemoryStore {
    sessions: Arc<Mutex<HashMap<SessionId, Kept>>>,
}

/// The session of a lease that is the owner's.
fn leased<'a>(
    sessions: &'a mut HashMap<SessionId, Kept>,
    owner: &Owner,
    lease: &Lease,
) -> Option<&'a mut Kept> {
    sessions
        .get_mut(&lease.session_id)
        .filter(|kept| kept.fence == lease.fence && kept.lease_owner.as_ref() == Some(&owner.id))
}

/// Refuses what no database keeps: U+0000, and JSON too deep to be read again.
pub(crate) fn check(value: &impl Serialize) -> Result<(), StoreError> {
    let value = serde_json::to_value(value).unwrap();
    let comes_back = serde_json::from_str::<Value>(&value.to_string()).is_ok();
    if comes_back && clean_json(value.clone()) == value {
        return Ok(());
    }
    Err(StoreError::Rejected("no database keeps it".into()))
}

#[async_trait]
impl SessionStore for MemoryStore {
    fn kind(&self) -> &'static str {
        "memory"
    }

    async fn claim(&self, session: NewSession, owner: &Owner) -> Result<Claimed, StoreError> {
        check(&(&session.user_id, &session.metadata))?;
        let mut sessions = self.sessions.lock().unwrap();
        let created = !sessions.contains_key(&session.session_id);
        let kept = sessions
            .entry(session.session_id.clone())
            .or_insert_with(|| Kept::new(session));
        match kept.lease_until {
            Some(until) if kept.is_leased() && kept.lease_owner.as_ref() != Some(&owner.id) => {
                Err(StoreError::Owned {
                    session_id: kept.record.session_id.clone(),
                    free_in: until - Instant::now(),
                })
            }
            _ => Ok(kept.claim(owner, created)),
        }
    }

    async fn renew(&self, owner: &Owner, leases: &[Lease]) -> Result<Renewal, StoreError> {
        let mut sessions = self.sessions.lock().unwrap();
        let mut renewal = Renewal::default();
        for lease in leases {
            match leased(&mut sessions, owner, lease) {
                Some(kept) => kept.renew(owner),
                None => renewal.lost.push(lease.session_id.clone()),
            }
        }
        Ok(renewal)
    }

    async fn release(&self, owner: &Owner, lease: &Lease) -> Result<(), StoreError> {
        let mut sessions = self.sessions.lock().unwrap();
        if let Some(kept) = leased(&mut sessions, owner, lease) {
            kept.lease_owner = None;
            kept.lease_until = None;
            kept.finalize_after = Some(Instant::now() + owner.linger);
        }
        Ok(())
    }

    async fn sweep(&self, owner: &Owner, limit: u32) -> Result<Vec<Swept>, StoreError> {
        let mut sessions = self.sessions.lock().unwrap();
        let mut left_over: Vec<_> = sessions
            .values_mut()
            .filter(|kept| kept.is_left_over())
            .collect();
        left_over.sort_by_key(|kept| kept.finalize_after);
        Ok(left_over
            .into_iter()
            .take(limit as usize)
            .map(|kept| Swept {
                was_released: kept.lease_owner.is_none(),
                claimed: kept.claim(owner, false),
            })
            .collect())
    }

    async fn take_summaries(
        &self,
        limit: u32,
        tries: SummaryTries,
    ) -> Result<Vec<SummaryJob>, StoreError> {
        let mut sessions = self.sessions.lock().unwrap();
        let mut due: Vec<_> = sessions
            .values_mut()
            .filter(|kept| kept.misses_summary(tries))
            .collect();
        due.sort_by_key(|kept| kept.summary_due_at);
        Ok(due
            .into_iter()
            .take(limit as usize)
            .map(|kept| kept.take_summary(tries))
            .collect())
    }

    async fn fail_summary(&self, job: &SummaryJob, why: &str) -> Result<(), StoreError> {
        check(&why)?;
        let mut sessions = self.sessions.lock().unwrap();
        if let Some(kept) = sessions.get_mut(&job.record.session_id)
            && kept.fence == job.fence
            && !kept.record.is_active
            && kept.record.summary.is_none()
        {
            kept.record.summary_error = Some(why.to_owned());
            kept.record.updated_at = Timestamp::now();
        }
        Ok(())
    }

    async fn append(&self, batch: Vec<Append>) -> Vec<Result<Vec<Appended>, StoreError>> {
        let mut sessions = self.sessions.lock().unwrap();
        batch
            .into_iter()
            .map(|append| {
                let session_id = append.session_id;
                let Some(kept) = sessions.get_mut(&session_id) else {
                    return Err(StoreError::NoSuchSession { session_id });
                };
                if kept.fence != append.fence {
                    return Err(StoreError::Fenced { session_id });
                }
                for event in &append.events {
                    check(&event.body)?;
                    check(&event.private)?;
                }
                Ok(append
                    .events
                    .into_iter()
                    .map(|event| kept.append_one(event))
                    .collect())
            })
            .collect()
    }

    async fn events(
        &self,
        session_id: &SessionId,
        query: EventQuery,
    ) -> Result<Vec<StoredEvent>, StoreError> {
        let sessions = self.sessions.lock().unwrap();
        let log = sessions.get(session_id).map_or(&[][..], |kept| &kept.log);
        Ok(log
            .iter()
            .filter(|stored| stored.event.seq > query.after)
            .filter(|stored| {
                query.types.is_empty()
                    || query
                        .types
                        .iter()
                        .any(|it| it == stored.event.body.type_name())
            })
            .take(query.limit as usize)
            .cloned()
            .collect())
    }

    async fn session(&self, session_id: &SessionId) -> Result<Option<SessionRecord>, StoreError> {
        Ok(self
            .sessions
            .lock()
            .unwrap()
            .get(session_id)
            .map(|kept| kept.record.clone()))
    }

    async fn check(&self) -> Result<(), StoreError> {
        Ok(())
    }

    async fn close(&self) {}
}

//! A store in memory: for tests under paused time, where a database on the other side of a thread
//! or a socket would see its deadlines pass at once. It passes the conformance suite like the others.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use patter_protocol::{EventBody, LogEpoch, SessionId, Timestamp, clean_json};
use patter_store::{
    Append, Appended, Claimed, EventQuery, Fence, NewEvent, NewSession, SessionRecord,
    SessionStore, StoreError, StoredEvent,
};
use serde::Serialize;
use serde_json::Value;

/// Sessions in memory. Cloning gives another handle of the same ones.
#[derive(Debug, Clone, Default)]
pub struct MemoryStore {
    sessions: Arc<Mutex<HashMap<SessionId, Kept>>>,
}

#[derive(Debug)]
struct Kept {
    record: SessionRecord,
    fence: Fence,
    log: Vec<StoredEvent>,
}

impl Kept {
    fn new(session: NewSession) -> Self {
        let now = Timestamp::now();
        Self {
            record: SessionRecord {
                session_id: session.session_id,
                user_id: session.user_id,
                start_time: now,
                end_time: None,
                is_active: true,
                summary: None,
                metadata: session.metadata,
                created_at: now,
                updated_at: now,
                last_seq: 0,
                epoch: LogEpoch::generate(),
            },
            fence: Fence(0),
            log: Vec::new(),
        }
    }

    fn append_one(&mut self, event: NewEvent) -> Appended {
        if let Some(same) = self.log.iter().find(|stored| is_same(stored, &event)) {
            return Appended::Duplicate {
                seq: same.event.seq,
            };
        }
        let seq = self.record.last_seq + 1;
        self.record.last_seq = seq;
        self.record.updated_at = Timestamp::now();
        self.project(&event);
        let private = event.private.clone();
        self.log.push(StoredEvent {
            event: event.at_seq(seq),
            private,
        });
        Appended::Stored { seq }
    }

    fn project(&mut self, event: &NewEvent) {
        match &event.body {
            EventBody::SessionStarted(_) => {
                self.record.is_active = true;
                self.record.end_time = None;
            }
            EventBody::SessionEnded(ended) => {
                self.record.is_active = false;
                self.record.end_time = Some(event.at);
                self.record.summary = ended.summary.clone();
                let metrics = serde_json::to_value(ended.metrics).unwrap();
                self.record.metadata.insert("metrics".to_owned(), metrics);
            }
            EventBody::SessionSummary(late) => self.record.summary = Some(late.summary.clone()),
            EventBody::UserMessage(_)
            | EventBody::ToolCall(_)
            | EventBody::ToolResult(_)
            | EventBody::AiResponse(_) => {}
        }
    }
}

fn is_same(stored: &StoredEvent, event: &NewEvent) -> bool {
    if stored.event.event_id == event.event_id {
        return true;
    }
    match (&stored.event.body, &event.body) {
        (EventBody::UserMessage(a), EventBody::UserMessage(b)) => a.id == b.id,
        (EventBody::AiResponse(a), EventBody::AiResponse(b)) => a.response_id == b.response_id,
        (EventBody::ToolResult(a), EventBody::ToolResult(b)) => a.call_id == b.call_id,
        _ => false,
    }
}

/// Refuses what no database keeps: U+0000, and JSON too deep to be read again.
fn check(value: &impl Serialize) -> Result<(), StoreError> {
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

    async fn claim(&self, session: NewSession, _owner: &str) -> Result<Claimed, StoreError> {
        check(&(&session.user_id, &session.metadata))?;
        let mut sessions = self.sessions.lock().unwrap();
        let created = !sessions.contains_key(&session.session_id);
        let kept = sessions
            .entry(session.session_id.clone())
            .or_insert_with(|| Kept::new(session));
        kept.fence.0 += 1;
        Ok(Claimed {
            record: kept.record.clone(),
            fence: kept.fence,
            created,
        })
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

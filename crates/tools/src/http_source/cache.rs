//! Answers that may be given again for a while.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use serde_json::Value;
use tokio::time::Instant;

use crate::web::WebRequest;

/// So many answers are kept; then the oldest one makes way.
const MAX_ANSWERS: usize = 128;

/// What tells one request from another: headers are the same for all.
pub(super) type Key = (String, Option<Bytes>);

#[derive(Debug)]
pub(super) struct Cache {
    lifetime: Duration,
    /// As JSON, which takes less room than what it is read into.
    answers: Mutex<HashMap<Key, (Instant, String)>>,
}

impl Cache {
    /// Keeps answers for so long.
    pub(super) fn new(lifetime: Duration) -> Self {
        Self {
            lifetime,
            answers: Mutex::default(),
        }
    }

    pub(super) fn key(request: &WebRequest) -> Key {
        (request.url.clone(), request.body.clone())
    }

    pub(super) fn get(&self, key: &Key) -> Option<Value> {
        let answers = self.answers();
        let (since, answer) = answers.get(key)?;
        let is_young = since.elapsed() < self.lifetime;
        is_young
            .then(|| serde_json::from_str(answer).ok())
            .flatten()
    }

    pub(super) fn put(&self, key: Key, answer: &Value) {
        if self.lifetime.is_zero() {
            return;
        }
        let mut answers = self.answers();
        if answers.len() >= MAX_ANSWERS && !answers.contains_key(&key) {
            let oldest = answers.iter().min_by_key(|(_, (since, _))| *since);
            if let Some(oldest) = oldest.map(|(key, _)| key.clone()) {
                answers.remove(&oldest);
            }
        }
        answers.insert(key, (Instant::now(), answer.to_string()));
    }

    fn answers(&self) -> MutexGuard<'_, HashMap<Key, (Instant, String)>> {
        // Nothing that could panic is done under the lock.
        self.answers.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

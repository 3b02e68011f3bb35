//! What is too old goes, in batches and in time, and nothing else does.

use std::sync::Mutex;
use std::time::Duration;

use async_trait::async_trait;
use patter_protocol::{JsonObject, SessionId, Timestamp};
use patter_store::{
    ImportedSession, ListQuery, NewSession, SessionArchive, SessionList, SessionRecord, StoreError,
};
use tokio::time::{Instant, timeout};
use tokio_util::sync::CancellationToken;

use super::enforce;

/// Has so many old sessions, and fails where that is not a number.
#[derive(Debug)]
struct Old {
    left: Mutex<Vec<Option<u32>>>,
    calls: Mutex<Vec<(Instant, Timestamp)>>,
}

impl Old {
    /// What each of the rounds finds.
    fn new(rounds: &[Option<u32>]) -> Self {
        Self {
            left: Mutex::new(rounds.iter().rev().copied().collect()),
            calls: Mutex::default(),
        }
    }

    /// When it was called, from the first call on.
    fn calls(&self) -> Vec<Duration> {
        let calls = self.calls.lock().unwrap();
        calls.iter().map(|(at, _)| *at - calls[0].0).collect()
    }
}

#[async_trait]
impl SessionArchive for Old {
    async fn prune(&self, older_than: Timestamp, limit: u32) -> Result<Vec<SessionId>, StoreError> {
        self.calls
            .lock()
            .unwrap()
            .push((Instant::now(), older_than));
        let mut left = self.left.lock().unwrap();
        match left.pop() {
            None | Some(Some(0)) => Ok(Vec::new()),
            Some(None) => Err(StoreError::Unavailable("away".into())),
            Some(Some(count)) => {
                let pruned = count.min(limit);
                left.push(Some(count - pruned));
                Ok((0..pruned).map(|_| SessionId::generate()).collect())
            }
        }
    }

    async fn create(&self, _: NewSession) -> Result<SessionRecord, StoreError> {
        panic!("not asked for")
    }

    async fn list(&self, _: &ListQuery) -> Result<SessionList, StoreError> {
        panic!("not asked for")
    }

    async fn merge_metadata(
        &self,
        _: &SessionId,
        _: JsonObject,
    ) -> Result<Option<SessionRecord>, StoreError> {
        panic!("not asked for")
    }

    async fn delete(&self, _: &SessionId) -> Result<bool, StoreError> {
        panic!("not asked for")
    }

    async fn import(&self, _: ImportedSession) -> Result<SessionRecord, StoreError> {
        panic!("not asked for")
    }
}

async fn hours(old: &Old, hours: u64) {
    let limit = Duration::from_secs(3_600 * hours);
    let never = CancellationToken::new();
    timeout(limit, enforce(old, 30, &never)).await.unwrap_err();
}

#[tokio::test(start_paused = true)]
async fn what_is_old_is_deleted_at_once_in_batches_with_pauses() {
    let old = Old::new(&[Some(700)]);
    hours(&old, 1).await;
    let calls = old.calls();
    assert_eq!(calls.len(), 4, "300, 300, 100 and nothing: {calls:?}");
    assert!(calls[3] >= Duration::from_millis(700) && calls[3] < Duration::from_secs(10));
    let (_, older_than) = old.calls.lock().unwrap()[0];
    let days = Timestamp::now().millis_since(older_than) / (24 * 3_600 * 1_000);
    assert_eq!(days, 30);
}

#[tokio::test(start_paused = true)]
async fn it_is_looked_for_again_each_hour_at_different_times() {
    let old = Old::new(&[]);
    hours(&old, 24).await;
    let calls = old.calls();
    assert!((22..=24).contains(&calls.len()), "{calls:?}");
    let gaps: Vec<_> = calls.windows(2).map(|pair| pair[1] - pair[0]).collect();
    assert!(gaps.iter().all(|gap| *gap >= Duration::from_secs(3_600)));
    assert!(gaps.iter().any(|gap| *gap != gaps[0]), "{gaps:?}");
}

#[tokio::test(start_paused = true)]
async fn a_store_that_is_away_is_asked_again_in_the_next_round() {
    let old = Old::new(&[None, Some(10)]);
    hours(&old, 2).await;
    let calls = old.calls();
    assert_eq!(calls.len(), 3, "away; ten; nothing: {calls:?}");
    assert!(calls[1] >= Duration::from_secs(3_600));
}

#[tokio::test(start_paused = true)]
async fn it_stops_at_once_between_two_batches_and_between_two_rounds() {
    for (sessions, after) in [
        (100_000, Duration::from_secs(1)),
        (0, Duration::from_secs(900)),
    ] {
        let old = Old::new(&[Some(sessions)]);
        let stop = CancellationToken::new();
        let stopping = async {
            tokio::time::sleep(after).await;
            stop.cancel();
        };
        let started = Instant::now();
        tokio::join!(enforce(&old, 30, &stop), stopping);
        assert_eq!(started.elapsed(), after);
    }
}

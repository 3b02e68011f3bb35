//! Group commit, on a store whose every write the test lets go or not.
#![expect(
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test ends where its preparation fails"
)]

use std::future::Future;
use std::pin::pin;
use std::sync::{Arc, Mutex};
use std::task::Poll;

use async_trait::async_trait;
use futures_util::future::{join_all, poll_immediate};
use patter_protocol::{EventBody, JsonObject, MessageId, SessionId, SessionStarted, UserMessage};
use patter_store::{
    Append, Appended, Claimed, EventQuery, EventWriter, Fence, Lease, NewEvent, NewSession, Owner,
    Renewal, SessionRecord, SessionStore, StoreError, StoredEvent, SummaryJob, SummaryTries, Swept,
};
use tokio::sync::Semaphore;

/// What a write of [`Gate`] comes to once it is let go.
#[derive(Debug, Clone, Copy)]
enum Outcome {
    Stores,
    Panics,
    ForgetsAnAnswer,
}

/// Stores nothing, but remembers which sessions each write was about, and waits for a permit.
#[derive(Debug)]
struct Gate {
    permits: Semaphore,
    writes: Mutex<Vec<Vec<(SessionId, usize)>>>,
    outcome: Mutex<Outcome>,
}

impl Gate {
    fn new() -> Arc<Self> {
        Arc::new(Self {
            permits: Semaphore::new(0),
            writes: Mutex::default(),
            outcome: Mutex::new(Outcome::Stores),
        })
    }

    /// Sessions and number of events of each write so far.
    fn writes(&self) -> Vec<Vec<(SessionId, usize)>> {
        self.writes.lock().unwrap().clone()
    }

    fn set(&self, outcome: Outcome) {
        *self.outcome.lock().unwrap() = outcome;
    }

    fn outcome(&self) -> Outcome {
        *self.outcome.lock().unwrap()
    }
}

#[async_trait]
impl SessionStore for Gate {
    fn kind(&self) -> &'static str {
        "gate"
    }

    fn appends_at_a_time(&self) -> usize {
        2
    }

    async fn claim(&self, _: NewSession, _: &Owner) -> Result<Claimed, StoreError> {
        unreachable!()
    }

    async fn renew(&self, _: &Owner, _: &[Lease]) -> Result<Renewal, StoreError> {
        unreachable!()
    }

    async fn release(&self, _: &Owner, _: &Lease) -> Result<(), StoreError> {
        unreachable!()
    }

    async fn sweep(&self, _: &Owner, _: u32) -> Result<Vec<Swept>, StoreError> {
        unreachable!()
    }

    async fn take_summaries(&self, _: u32, _: SummaryTries) -> Result<Vec<SummaryJob>, StoreError> {
        unreachable!()
    }

    async fn fail_summary(&self, _: &SummaryJob, _: &str) -> Result<(), StoreError> {
        unreachable!()
    }

    async fn append(&self, batch: Vec<Append>) -> Vec<Result<Vec<Appended>, StoreError>> {
        let write = batch
            .iter()
            .map(|entry| (entry.session_id.clone(), entry.events.len()));
        self.writes.lock().unwrap().push(write.collect());
        self.permits.acquire().await.unwrap().forget();
        let missing = match self.outcome() {
            Outcome::Stores => 0,
            Outcome::Panics => panic!("the test made it so"),
            Outcome::ForgetsAnAnswer => 1,
        };
        batch
            .iter()
            .skip(missing)
            .map(|_| Ok(vec![Appended::Stored { seq: 1 }]))
            .collect()
    }

    async fn events(&self, _: &SessionId, _: EventQuery) -> Result<Vec<StoredEvent>, StoreError> {
        unreachable!()
    }

    async fn session(&self, _: &SessionId) -> Result<Option<SessionRecord>, StoreError> {
        unreachable!()
    }

    async fn check(&self) -> Result<(), StoreError> {
        unreachable!()
    }

    async fn close(&self) {}
}

fn id(name: &str) -> SessionId {
    name.parse().expect("the tests give good names")
}

fn entry(session: &str, events: usize) -> Append {
    let events = (0..events)
        .map(|_| NewEvent::now(EventBody::SessionStarted(SessionStarted::default())))
        .collect();
    Append {
        session_id: id(session),
        fence: Fence(1),
        events,
    }
}

/// Lets the writer's task do what it can.
async fn settle() {
    for _ in 0..20 {
        tokio::task::yield_now().await;
    }
}

/// Polls each once, so that its append is in the queue.
async fn begin<F: Future + Unpin>(appends: &mut [F]) {
    for append in appends {
        assert!(poll_immediate(append).await.is_none());
    }
    settle().await;
}

#[tokio::test(start_paused = true)]
async fn an_idle_store_writes_at_once() {
    let gate = Gate::new();
    gate.permits.add_permits(1);
    let writer = EventWriter::start(gate.clone());
    let before = tokio::time::Instant::now();
    writer.append(entry("a", 1)).await.unwrap();
    assert_eq!(before.elapsed(), std::time::Duration::ZERO);
}

#[tokio::test(start_paused = true)]
async fn what_arrives_during_a_write_goes_together_and_no_session_twice() {
    let gate = Gate::new();
    let writer = EventWriter::start(gate.clone());
    let sessions = [("a", 1), ("b", 1), ("a", 2), ("c", 1), ("b", 2), ("a", 3)];
    let mut appends: Vec<_> = sessions
        .iter()
        .map(|&(name, count)| Box::pin(writer.append(entry(name, count))))
        .collect();
    begin(&mut appends[..1]).await;
    begin(&mut appends[1..]).await;
    gate.permits.add_permits(10);
    for result in join_all(appends).await {
        result.unwrap();
    }
    let expected = [
        vec![(id("a"), 1)],
        vec![(id("b"), 1), (id("a"), 2), (id("c"), 1)],
        vec![(id("b"), 2), (id("a"), 3)],
    ];
    assert_eq!(gate.writes(), expected);
}

#[tokio::test(start_paused = true)]
async fn much_that_waits_does_not_wait_for_the_write_before_it_but_each_session_does() {
    let gate = Gate::new();
    let writer = EventWriter::start(gate.clone());
    let others: Vec<_> = (0..200).map(|number| format!("s{number}")).collect();
    let names = ["first", "first"]
        .into_iter()
        .chain(others.iter().map(String::as_str));
    let mut appends: Vec<_> = names
        .map(|name| Box::pin(writer.append(entry(name, 1))))
        .collect();
    begin(&mut appends[..1]).await;
    begin(&mut appends[1..100]).await;
    assert_eq!(gate.writes().len(), 1, "what waits is little");
    begin(&mut appends[100..150]).await;
    let writes = gate.writes();
    assert_eq!(writes.len(), 2, "what waits is much");
    assert!(writes[1].len() >= 120, "{}", writes[1].len());
    assert!(
        writes[1]
            .iter()
            .all(|(session_id, _)| *session_id != id("first"))
    );
    begin(&mut appends[150..]).await;
    assert_eq!(gate.writes().len(), 2, "two at a time are enough");
    gate.permits.add_permits(10);
    for result in join_all(appends).await {
        result.unwrap();
    }
    let firsts = gate.writes().concat();
    let firsts = firsts
        .iter()
        .filter(|(session_id, _)| *session_id == id("first"));
    assert_eq!(firsts.count(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_batch_has_a_size_but_a_single_append_may_be_larger() {
    let gate = Gate::new();
    let writer = EventWriter::start(gate.clone());
    let mut large = entry("large", 0);
    large
        .events
        .push(NewEvent::now(EventBody::UserMessage(UserMessage {
            id: MessageId::generate(),
            content: "x".repeat(1024 * 1024),
            metadata: JsonObject::new(),
            replaces: None,
        })));
    let entries = [
        entry("first", 1),
        entry("a", 400),
        entry("b", 112),
        entry("c", 1),
        entry("d", 900),
        large,
        entry("e", 1),
    ];
    let mut appends: Vec<_> = entries
        .into_iter()
        .map(|entry| Box::pin(writer.append(entry)))
        .collect();
    begin(&mut appends[..1]).await;
    begin(&mut appends[1..]).await;
    gate.permits.add_permits(10);
    join_all(appends).await;
    let names: Vec<Vec<String>> = gate
        .writes()
        .iter()
        .map(|write| write.iter().map(|(id, _)| id.to_string()).collect())
        .collect();
    let expected: [&[&str]; 6] = [&["first"], &["a", "b"], &["c"], &["d"], &["large"], &["e"]];
    assert_eq!(names, expected);
}

#[tokio::test(start_paused = true)]
async fn a_caller_that_goes_away_does_not_touch_the_others() {
    let gate = Gate::new();
    let writer = EventWriter::start(gate.clone());
    let mut appends: Vec<_> = ["a", "b", "c"]
        .iter()
        .map(|name| Box::pin(writer.append(entry(name, 1))))
        .collect();
    begin(&mut appends).await;
    drop(appends.remove(1));
    gate.permits.add_permits(10);
    for result in join_all(appends).await {
        result.unwrap();
    }
}

#[tokio::test(start_paused = true)]
async fn a_panic_of_the_store_is_an_error_for_its_callers_and_for_nobody_else() {
    let gate = Gate::new();
    gate.permits.add_permits(10);
    gate.set(Outcome::Panics);
    let writer = EventWriter::start(gate.clone());
    let error = writer.append(entry("a", 1)).await.unwrap_err();
    assert!(error.is_retryable(), "{error:?}");
    gate.set(Outcome::Stores);
    writer.append(entry("a", 1)).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_store_that_forgets_an_answer_hangs_nobody() {
    let gate = Gate::new();
    gate.permits.add_permits(10);
    gate.set(Outcome::ForgetsAnAnswer);
    let writer = EventWriter::start(gate);
    let error = writer.append(entry("a", 1)).await.unwrap_err();
    assert!(error.is_retryable(), "{error:?}");
}

#[tokio::test(start_paused = true)]
async fn a_store_that_hangs_is_unavailable_after_a_while() {
    let gate = Gate::new();
    let writer = EventWriter::start(gate.clone());
    let error = writer.append(entry("a", 1)).await.unwrap_err();
    assert!(error.is_retryable(), "{error:?}");
    gate.permits.add_permits(1);
    writer.append(entry("a", 1)).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_full_queue_waits_and_then_says_so() {
    let gate = Gate::new();
    let writer = EventWriter::start(gate.clone());
    // More than wait in front of a write, behind it and in the queue.
    let mut waiting: Vec<_> = (0..5_000)
        .map(|_| Box::pin(writer.append(entry("a", 1))))
        .collect();
    begin(&mut waiting).await;
    let before = tokio::time::Instant::now();
    let error = writer.append(entry("late", 1)).await.unwrap_err();
    assert!(error.is_retryable(), "{error:?}");
    assert_eq!(before.elapsed().as_secs(), 5);
}

#[tokio::test(start_paused = true)]
async fn closing_writes_what_waits_and_takes_no_more() {
    let gate = Gate::new();
    let writer = EventWriter::start(gate.clone());
    let mut appends: Vec<_> = ["a", "b", "a"]
        .iter()
        .map(|name| Box::pin(writer.append(entry(name, 1))))
        .collect();
    begin(&mut appends).await;
    let mut closing = pin!(writer.close());
    assert_eq!(poll_immediate(&mut closing).await, None);
    gate.permits.add_permits(10);
    closing.await;
    for append in appends {
        assert!(matches!(poll_immediate(append).await, Some(Ok(_))));
    }
    let refused = writer.append(entry("late", 1)).await.unwrap_err();
    assert!(matches!(&refused, StoreError::Unusable(_)), "{refused:?}");
    writer.close().await;
}

#[tokio::test(start_paused = true)]
async fn a_writer_that_is_dropped_still_writes_what_was_taken() {
    let gate = Gate::new();
    let writer = EventWriter::start(gate.clone());
    {
        let mut append = pin!(writer.append(entry("a", 1)));
        assert_eq!(futures_util::poll!(&mut append).map(drop), Poll::Pending);
    }
    drop(writer);
    settle().await;
    assert_eq!(gate.writes(), [vec![(id("a"), 1)]]);
}

//! The way of a session's events into its log: one write at a time, in order, tried again for as
//! long as the store is away. Every event keeps its id, so trying again stores nothing twice.

use std::collections::VecDeque;
use std::pin::Pin;
use std::time::Duration;

use futures_util::future::BoxFuture;
use patter_protocol::{DurableEvent, SessionId};
use patter_store::{Append, Appended, EventWriter, Fence, NewEvent, StoreError};
use tokio::time::{Sleep, sleep};
use tracing::{error, warn};

use crate::error::with_causes;

const FIRST_RETRY: Duration = Duration::from_millis(100);
const LAST_RETRY: Duration = Duration::from_secs(5);
/// At most so many events in one write.
const MAX_BATCH: usize = 64;

pub(super) struct Log {
    writer: EventWriter,
    session_id: SessionId,
    fence: Fence,
    last_seq: u64,
    /// Not sent yet.
    pending: VecDeque<NewEvent>,
    /// Sent and not acknowledged.
    sent: Vec<NewEvent>,
    state: State,
    /// How long the next wait is after a failure; `None` while the store is well.
    retry_delay: Option<Duration>,
}

enum State {
    Idle,
    Writing(BoxFuture<'static, Result<Vec<Appended>, StoreError>>),
    WaitingToRetry(Pin<Box<Sleep>>),
}

/// What became of a write.
#[derive(Debug)]
pub(super) enum LogProgress {
    /// These are stored now, in order.
    Stored(Vec<DurableEvent>),
    /// The store is away; writes are tried again.
    Degraded,
    /// The store is back.
    Recovered,
    /// Another owner has the session.
    Fenced,
    /// The store does not take what the session has to say.
    Failed,
}

impl Log {
    pub(super) fn new(
        writer: EventWriter,
        session_id: SessionId,
        fence: Fence,
        last_seq: u64,
    ) -> Self {
        Self {
            writer,
            session_id,
            fence,
            last_seq,
            pending: VecDeque::new(),
            sent: Vec::new(),
            state: State::Idle,
            retry_delay: None,
        }
    }

    pub(super) fn push(&mut self, event: NewEvent) {
        self.pending.push_back(event);
    }

    /// The highest `seq` that is stored.
    pub(super) fn last_seq(&self) -> u64 {
        self.last_seq
    }

    /// Whether the store is away.
    pub(super) fn is_degraded(&self) -> bool {
        self.retry_delay.is_some()
    }

    /// Whether there is anything that [`Log::progress`] could wait for.
    pub(super) fn has_work(&self) -> bool {
        !self.pending.is_empty() || !self.sent.is_empty() || self.retry_delay.is_some()
    }

    /// Writes what is to be written, and tells what became of it.
    ///
    /// Cancel safe: the write in flight stays in the log.
    pub(super) async fn progress(&mut self) -> LogProgress {
        loop {
            match &mut self.state {
                State::Idle => {
                    if self.sent.is_empty() && self.pending.is_empty() {
                        self.retry_delay = None;
                        return LogProgress::Recovered;
                    }
                    self.write();
                }
                State::WaitingToRetry(delay) => {
                    delay.await;
                    self.state = State::Idle;
                }
                State::Writing(write) => {
                    let result = write.await;
                    self.state = State::Idle;
                    if let Some(progress) = self.take_result(result) {
                        return progress;
                    }
                }
            }
        }
    }

    fn write(&mut self) {
        if self.sent.is_empty() {
            let batch = self.pending.len().min(MAX_BATCH);
            self.sent.extend(self.pending.drain(..batch));
        }
        let append = Append {
            session_id: self.session_id.clone(),
            fence: self.fence,
            events: self.sent.clone(),
        };
        let writer = self.writer.clone();
        self.state = State::Writing(Box::pin(async move { writer.append(append).await }));
    }

    fn take_result(&mut self, result: Result<Vec<Appended>, StoreError>) -> Option<LogProgress> {
        let session_id = &self.session_id;
        match result {
            Ok(places) => {
                let stored: Vec<_> = std::mem::take(&mut self.sent)
                    .into_iter()
                    .zip(places)
                    .map(|(event, place)| match place {
                        // An event that was stored before was stored by a try of ours whose
                        // answer was lost: nobody else writes to this session.
                        Appended::Stored { seq } | Appended::Duplicate { seq } => event.at_seq(seq),
                    })
                    .collect();
                self.last_seq = stored.last().map_or(self.last_seq, |event| event.seq);
                Some(LogProgress::Stored(stored))
            }
            // A database that worked and cannot be used now, as after a change of its password, is
            // one that somebody is at work on: it is waited for like one that is away.
            Err(error) if error.is_retryable() || matches!(error, StoreError::Unusable(_)) => {
                warn!(%session_id, error = with_causes(&error), "cannot store events, trying again");
                let was_well = self.retry_delay.is_none();
                let delay = self.retry_delay.unwrap_or(FIRST_RETRY);
                self.retry_delay = Some((delay * 2).min(LAST_RETRY));
                self.state = State::WaitingToRetry(Box::pin(sleep(delay)));
                was_well.then_some(LogProgress::Degraded)
            }
            Err(StoreError::Fenced { .. }) => {
                warn!(%session_id, "another owner has the session");
                Some(LogProgress::Fenced)
            }
            Err(error) => {
                error!(%session_id, error = with_causes(&error), "the store refuses the session's events");
                Some(LogProgress::Failed)
            }
        }
    }
}

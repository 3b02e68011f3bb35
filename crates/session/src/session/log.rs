//! The way of a session's events into its log: one write at a time, in order, tried again for as
//! long as the store is away. Every event keeps its id, so trying again stores nothing twice.
//!
//! While the store is away, or slow, events are kept in the [spool](spooling) as well: there they are
//! safe, and the store gets them from here as soon as it is back.

mod spooling;

use std::collections::VecDeque;
use std::future::pending;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::BoxFuture;
use patter_protocol::{DurableEvent, EventBody, EventId, MessageId, SessionId};
use patter_store::{Append, Appended, EventWriter, Fence, NewEvent, Spool, StoreError};
use tokio::time::{Sleep, sleep, timeout};
use tracing::{Instrument, Span, error, warn};

use crate::error::with_causes;
use spooling::{SpoolProgress, Spooling};

const FIRST_RETRY: Duration = Duration::from_millis(100);
const LAST_RETRY: Duration = Duration::from_secs(5);
/// A store that takes longer for a write counts as one that is away.
const SLOW_AFTER: Duration = Duration::from_secs(2);
/// How long the spool may take to forget what is stored when the session is over.
const SETTLE_LIMIT: Duration = Duration::from_secs(2);
/// At most so many events in one write.
const MAX_BATCH: usize = 64;

pub(super) struct Log {
    writer: EventWriter,
    session_id: SessionId,
    fence: Fence,
    last_seq: u64,
    /// What is not stored, oldest first.
    unstored: VecDeque<Unstored>,
    /// So many of them are in the write that is on its way, or is to be tried again as it was.
    in_write: usize,
    state: State,
    /// How long the next wait is after a failure; `None` while the store is well.
    retry_delay: Option<Duration>,
    /// Whether the write on its way takes too long.
    is_slow: bool,
    spooling: Option<Spooling>,
}

struct Unstored {
    event: NewEvent,
    /// Whether it is in the spool.
    is_kept: bool,
    /// That of the answer it is about, for traces.
    span: Span,
}

enum State {
    Idle,
    Writing {
        write: BoxFuture<'static, Result<Vec<Appended>, StoreError>>,
        slow: Pin<Box<Sleep>>,
    },
    WaitingToRetry(Pin<Box<Sleep>>),
}

/// What became of a write.
#[derive(Debug)]
pub(super) enum LogProgress {
    /// These are stored now, in order.
    Stored(Vec<DurableEvent>),
    /// These are in the spool now, and will be stored when the store is back.
    Kept(Vec<EventBody>),
    /// These were to be kept before anything else is done with them, and are.
    Admitted(Vec<NewEvent>),
    /// So many, the oldest ones, were to be kept and are not.
    NotAdmitted(usize),
    /// The store is away; writes are tried again.
    Degraded,
    /// The store is back.
    Recovered,
    /// Another owner has the session.
    Fenced,
    /// The store does not take what the session has to say.
    Failed,
}

/// What the log waited for.
enum Step {
    Written(Result<Vec<Appended>, StoreError>),
    Slow,
    RetryIsDue,
    Spool(SpoolProgress),
}

impl Log {
    pub(super) fn new(
        writer: EventWriter,
        spool: Option<Arc<dyn Spool>>,
        session_id: SessionId,
        fence: Fence,
        last_seq: u64,
    ) -> Self {
        Self {
            writer,
            spooling: spool.map(|spool| Spooling::new(spool, session_id.clone(), fence)),
            session_id,
            fence,
            last_seq,
            unstored: VecDeque::new(),
            in_write: 0,
            state: State::Idle,
            retry_delay: None,
            is_slow: false,
        }
    }

    pub(super) fn push(&mut self, event: NewEvent, span: Span) {
        self.unstored.push_back(Unstored {
            event,
            is_kept: false,
            span,
        });
    }

    /// Takes an event that is in the spool already.
    pub(super) fn push_kept(&mut self, event: NewEvent) {
        self.unstored.push_back(Unstored {
            event,
            is_kept: true,
            span: Span::none(),
        });
    }

    /// What belongs to no answer yet belongs to the one with this span: the message that it is about.
    pub(super) fn written_in(&mut self, span: &Span) {
        for unstored in &mut self.unstored {
            if unstored.span.is_disabled() {
                unstored.span = span.clone();
            }
        }
    }

    /// Has an event kept before anything else is done with it: [`LogProgress::Admitted`] or
    /// [`LogProgress::NotAdmitted`] follows. `false` if the spool has no room, or there is none.
    pub(super) fn admit(&mut self, event: NewEvent) -> bool {
        match &mut self.spooling {
            Some(spooling) => spooling.admit(event),
            None => false,
        }
    }

    /// The highest `seq` that is stored.
    pub(super) fn last_seq(&self) -> u64 {
        self.last_seq
    }

    /// Whether the store is away, or slow.
    pub(super) fn is_degraded(&self) -> bool {
        self.retry_delay.is_some() || self.is_slow
    }

    /// How many events the store does not have.
    pub(super) fn unstored(&self) -> usize {
        self.unstored.len()
    }

    /// Whether there is nothing that the store does not have.
    pub(super) fn is_stored(&self) -> bool {
        self.unstored.is_empty()
    }

    /// Whether nothing is lost if the process ends now.
    pub(super) fn is_safe(&self) -> bool {
        self.unstored.iter().all(|unstored| unstored.is_kept)
    }

    /// Whether a message that is not stored yet is safe.
    pub(super) fn keeps_message(&self, id: &MessageId) -> bool {
        self.unstored.iter().any(|unstored| {
            unstored.is_kept
                && matches!(&unstored.event.body, EventBody::UserMessage(it) if it.id == *id)
        })
    }

    /// Whether there is anything that [`Log::progress`] could wait for.
    pub(super) fn has_work(&self) -> bool {
        !self.unstored.is_empty()
            || self.is_degraded()
            || self.spooling.as_ref().is_some_and(Spooling::has_work)
    }

    /// Writes what is to be written, and tells what became of it.
    ///
    /// Cancel safe: what is in flight stays in the log.
    pub(super) async fn progress(&mut self) -> LogProgress {
        loop {
            if matches!(self.state, State::Idle) {
                if !self.unstored.is_empty() {
                    self.write();
                } else if self.is_degraded() {
                    self.retry_delay = None;
                    self.is_slow = false;
                    return LogProgress::Recovered;
                }
            }
            self.keep_if_degraded();
            if let Some(progress) = self.wait().await.and_then(|step| self.take(step)) {
                return progress;
            }
        }
    }

    /// Waits for the first thing that happens; `None` where that needs no more than another look.
    async fn wait(&mut self) -> Option<Step> {
        let is_slow = self.is_slow;
        let spool = async {
            match &mut self.spooling {
                Some(spooling) if spooling.is_busy() => spooling.progress().await,
                _ => pending().await,
            }
        };
        let store = async {
            match &mut self.state {
                State::Idle => pending().await,
                State::WaitingToRetry(delay) => {
                    delay.await;
                    Step::RetryIsDue
                }
                State::Writing { write, slow } => {
                    tokio::select! {
                        biased;
                        result = write => Step::Written(result),
                        () = slow, if !is_slow => Step::Slow,
                    }
                }
            }
        };
        tokio::select! {
            biased;
            step = store => Some(step),
            progress = spool => progress.map(Step::Spool),
        }
    }

    fn take(&mut self, step: Step) -> Option<LogProgress> {
        match step {
            Step::Written(result) => {
                self.state = State::Idle;
                self.take_result(result)
            }
            Step::Slow => {
                let was_well = !self.is_degraded();
                self.is_slow = true;
                warn!(session_id = %self.session_id, "the store is slow");
                was_well.then_some(LogProgress::Degraded)
            }
            Step::RetryIsDue => {
                self.state = State::Idle;
                None
            }
            Step::Spool(SpoolProgress::Kept(events)) => {
                Some(LogProgress::Kept(self.take_kept(events)))
            }
            Step::Spool(SpoolProgress::Admitted(events)) => Some(LogProgress::Admitted(events)),
            Step::Spool(SpoolProgress::NotAdmitted(count)) => Some(LogProgress::NotAdmitted(count)),
        }
    }

    fn take_kept(&mut self, events: Vec<EventId>) -> Vec<EventBody> {
        let mut bodies = Vec::with_capacity(events.len());
        let mut stored_meanwhile = Vec::new();
        for event_id in events {
            let mut unstored = self.unstored.iter_mut();
            match unstored.find(|it| it.event.event_id == event_id) {
                Some(unstored) => {
                    unstored.is_kept = true;
                    bodies.push(unstored.event.body.clone());
                }
                None => stored_meanwhile.push(event_id),
            }
        }
        self.forget(stored_meanwhile);
        bodies
    }

    /// Takes events out of the spool that need not be there.
    pub(super) fn forget(&mut self, events: Vec<EventId>) {
        if let Some(spooling) = &mut self.spooling {
            spooling.forget(events);
        }
    }

    /// Takes out of the spool what is stored. What cannot be taken out in time is found to be stored
    /// when the session is opened next.
    pub(super) async fn settle(&mut self) {
        let settled = async {
            while let Some(spooling) = self.spooling.as_mut().filter(|it| it.may_settle()) {
                if let Some(SpoolProgress::Kept(events)) = spooling.progress().await {
                    self.take_kept(events);
                }
            }
        };
        if timeout(SETTLE_LIMIT, settled).await.is_err() {
            warn!(session_id = %self.session_id, "the spool does not answer in time");
        }
    }

    fn write(&mut self) {
        if self.in_write == 0 {
            self.in_write = self.unstored.len().min(MAX_BATCH);
        }
        let events = self.unstored.iter().take(self.in_write);
        let append = Append {
            session_id: self.session_id.clone(),
            fence: self.fence,
            events: events.map(|unstored| unstored.event.clone()).collect(),
        };
        let mut written = self.unstored.iter().take(self.in_write);
        let span = written.find(|unstored| !unstored.span.is_disabled());
        let span = span.map_or_else(Span::none, |unstored| unstored.span.clone());
        let writer = self.writer.clone();
        self.state = State::Writing {
            write: Box::pin(async move { writer.append(append).await }.instrument(span)),
            slow: Box::pin(sleep(SLOW_AFTER)),
        };
    }

    /// Has kept what is not, while the store is away.
    fn keep_if_degraded(&mut self) {
        if !self.is_degraded() {
            return;
        }
        if let Some(spooling) = &mut self.spooling
            && spooling.may_keep()
        {
            let unkept = self.unstored.iter().filter(|unstored| !unstored.is_kept);
            spooling.keep(
                unkept
                    .take(MAX_BATCH)
                    .map(|unstored| unstored.event.clone())
                    .collect(),
            );
        }
    }

    fn take_result(&mut self, result: Result<Vec<Appended>, StoreError>) -> Option<LogProgress> {
        match result {
            Ok(places) => Some(self.take_places(places)),
            // A database that worked and cannot be used now, as after a change of its password, is
            // one that somebody is at work on: it is waited for like one that is away.
            Err(error) if error.is_retryable() || matches!(error, StoreError::Unusable(_)) => {
                let was_well = !self.is_degraded();
                if was_well {
                    warn!(session_id = %self.session_id, error = with_causes(&error), "cannot store events, trying again");
                }
                let delay = self.retry_delay.unwrap_or(FIRST_RETRY);
                self.retry_delay = Some((delay * 2).min(LAST_RETRY));
                self.state = State::WaitingToRetry(Box::pin(sleep(delay)));
                was_well.then_some(LogProgress::Degraded)
            }
            Err(StoreError::Fenced { .. }) => {
                warn!(session_id = %self.session_id, "another owner has the session");
                Some(LogProgress::Fenced)
            }
            Err(error) => {
                error!(session_id = %self.session_id, error = with_causes(&error), "the store refuses the session's events");
                Some(LogProgress::Failed)
            }
        }
    }

    fn take_places(&mut self, places: Vec<Appended>) -> LogProgress {
        let written = self
            .unstored
            .drain(..self.in_write.min(self.unstored.len()));
        self.in_write = 0;
        let mut in_spool = Vec::new();
        let stored: Vec<_> = written
            .zip(places)
            .map(|(Unstored { event, is_kept, .. }, place)| {
                if is_kept {
                    in_spool.push(event.event_id);
                }
                match place {
                    // An event that was stored before was stored by a try of ours whose answer was
                    // lost: nobody else writes to this session.
                    Appended::Stored { seq } | Appended::Duplicate { seq } => event.at_seq(seq),
                }
            })
            .collect();
        if self.unstored.is_empty() {
            // A session that rests keeps no room for events.
            self.unstored = VecDeque::new();
        }
        self.forget(in_spool);
        self.last_seq = stored.last().map_or(self.last_seq, |event| event.seq);
        LogProgress::Stored(stored)
    }
}

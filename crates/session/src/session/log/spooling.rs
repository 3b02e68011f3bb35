//! A session's side of the spool: what is to be kept, one call at a time, and what may be forgotten.

use std::collections::VecDeque;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::BoxFuture;
use patter_protocol::{EventId, SessionId};
use patter_store::{Append, Fence, NewEvent, Spool, StoreError};
use tokio::time::{Sleep, sleep};
use tracing::warn;

use crate::error::with_causes;

/// So long after the spool has failed it is tried again.
const RETRY_DELAY: Duration = Duration::from_secs(1);

pub(super) struct Spooling {
    spool: Arc<dyn Spool>,
    session_id: SessionId,
    fence: Fence,
    /// To be kept before anything else is done with them, behind everything else.
    admissions: VecDeque<NewEvent>,
    /// Kept, and stored meanwhile.
    stored: Vec<EventId>,
    call: Option<Call>,
    /// Runs after a failure.
    pause: Option<Pin<Box<Sleep>>>,
}

/// What is asked of the spool.
enum Call {
    Keep {
        events: Vec<EventId>,
        keeping: BoxFuture<'static, Result<(), StoreError>>,
    },
    Admit {
        count: usize,
        keeping: BoxFuture<'static, Result<(), StoreError>>,
    },
    Forget(BoxFuture<'static, Result<(), StoreError>>),
}

/// What became of that.
pub(super) enum SpoolProgress {
    /// These are kept.
    Kept(Vec<EventId>),
    Admitted(Vec<NewEvent>),
    NotAdmitted(usize),
}

impl Spooling {
    pub(super) fn new(spool: Arc<dyn Spool>, session_id: SessionId, fence: Fence) -> Self {
        Self {
            spool,
            session_id,
            fence,
            admissions: VecDeque::new(),
            stored: Vec::new(),
            call: None,
            pause: None,
        }
    }

    /// See [`Log::admit`](super::Log::admit).
    pub(super) fn admit(&mut self, event: NewEvent) -> bool {
        let has_room = self.spool.usage().has_room();
        if has_room {
            self.admissions.push_back(event);
        }
        has_room
    }

    /// Whether there is anything that it has to do, now or after a pause.
    pub(super) fn has_work(&self) -> bool {
        self.call.is_some() || !self.admissions.is_empty() || !self.stored.is_empty()
    }

    /// Whether [`Spooling::progress`] has something to wait for.
    pub(super) fn is_busy(&self) -> bool {
        self.has_work() || self.pause.is_some()
    }

    /// Whether there is anything that it can do now.
    pub(super) fn may_settle(&self) -> bool {
        self.has_work() && self.pause.is_none()
    }

    /// Whether it has time for [`Spooling::keep`].
    pub(super) fn may_keep(&self) -> bool {
        self.call.is_none() && self.pause.is_none()
    }

    pub(super) fn keep(&mut self, events: Vec<NewEvent>) {
        if !events.is_empty() {
            self.call = Some(Call::Keep {
                events: events.iter().map(|event| event.event_id).collect(),
                keeping: self.keeping(events),
            });
        }
    }

    /// Takes events out of the spool.
    pub(super) fn forget(&mut self, events: Vec<EventId>) {
        self.stored.extend(events);
    }

    /// Works on; `None` where nothing came of it that anybody has to know.
    ///
    /// Cancel safe.
    pub(super) async fn progress(&mut self) -> Option<SpoolProgress> {
        if let Some(pause) = &mut self.pause {
            pause.await;
            self.pause = None;
            return None;
        }
        if self.call.is_none() {
            self.begin();
        }
        let done = match self.call.as_mut()? {
            Call::Keep { keeping, .. } | Call::Admit { keeping, .. } => keeping.await,
            Call::Forget(forgetting) => forgetting.await,
        };
        match (self.call.take()?, done) {
            (Call::Keep { events, .. }, Ok(())) => Some(SpoolProgress::Kept(events)),
            (Call::Admit { count, .. }, Ok(())) => Some(SpoolProgress::Admitted(
                self.admissions.drain(..count).collect(),
            )),
            (Call::Keep { .. }, Err(error)) => {
                self.fail(&error);
                // They stand behind what cannot be kept, and somebody waits to hear of each.
                let count = self.admissions.len();
                self.admissions.clear();
                (count > 0).then_some(SpoolProgress::NotAdmitted(count))
            }
            (Call::Admit { count, .. }, Err(error)) => {
                self.fail(&error);
                // Whether they are kept after all is not known: then they must not turn up later.
                let refused = self.admissions.drain(..count).map(|event| event.event_id);
                self.stored.extend(refused);
                Some(SpoolProgress::NotAdmitted(count))
            }
            // What is left there is found to be stored when it is replayed.
            (Call::Forget(_), _) => None,
        }
    }

    fn begin(&mut self) {
        if !self.admissions.is_empty() {
            let events: Vec<_> = self.admissions.iter().cloned().collect();
            self.call = Some(Call::Admit {
                count: events.len(),
                keeping: self.keeping(events),
            });
        } else if !self.stored.is_empty() {
            let events = std::mem::take(&mut self.stored);
            let (spool, session_id) = (Arc::clone(&self.spool), self.session_id.clone());
            self.call = Some(Call::Forget(Box::pin(async move {
                spool.forget(&session_id, &events).await
            })));
        }
    }

    fn keeping(&self, events: Vec<NewEvent>) -> BoxFuture<'static, Result<(), StoreError>> {
        let spool = Arc::clone(&self.spool);
        let append = Append {
            session_id: self.session_id.clone(),
            fence: self.fence,
            events,
        };
        Box::pin(async move { spool.keep(append).await })
    }

    fn fail(&mut self, error: &StoreError) {
        warn!(session_id = %self.session_id, error = with_causes(error), "cannot keep events on local disk");
        self.pause = Some(Box::pin(sleep(RETRY_DELAY)));
    }
}

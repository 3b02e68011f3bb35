//! How a session comes to life: it is claimed, its log is read, and what a lost process left
//! undone is brought to an end.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use patter_protocol::{
    AiResponse, EndReason, EventBody, FinishReason, MessageId, Part, ResponseId, SessionId,
    SessionStarted, Timing, ToolError, ToolErrorCode, ToolResult, Usage,
};
use patter_store::{Claimed, EventQuery, Lease, NewSession, StoreError, Swept};
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep};

use super::adopting::Leftovers;
use super::log::Log;
use super::rarities::Rarities;
use super::readers::Readers;
use super::running_summary::RunningSummary;
use super::{Resources, Session};
use crate::budget::Spender;
use crate::command::Command;
use crate::conversation::Conversation;
use crate::leases::HeldLease;
use crate::metrics::Counters;
use crate::permit::Permit;

/// So many events are read from the store at a time.
const PAGE: u32 = 500;
/// How long the store may take to hear that a session is free after all.
const RELEASE_LIMIT: Duration = Duration::from_secs(2);
/// How long a session waits at least for its first reader, also where it does not linger.
const FIRST_READER_LIMIT: Duration = Duration::from_secs(10);

/// Why a session is opened.
pub(crate) enum Opening {
    /// Somebody wants it who may have it, as far as was known.
    Asked(NewSession, Permit),
    /// Somebody wants it finalized, if it is not.
    ToEnd(NewSession),
    /// This machine kept events of it which it could not store.
    LeftBehind(NewSession),
    /// Nobody came back to it, and it was claimed at this point of time to be finalized.
    Swept(Swept, Instant),
}

impl Opening {
    pub(crate) fn session_id(&self) -> &SessionId {
        match self {
            Self::Asked(session, _) | Self::ToEnd(session) | Self::LeftBehind(session) => {
                &session.session_id
            }
            Self::Swept(swept, _) => &swept.claimed.record.session_id,
        }
    }

    /// Why the session ends if nobody comes to it.
    fn left_behind(&self) -> Option<EndReason> {
        match self {
            Self::Asked(..) | Self::ToEnd(_) => None,
            Self::LeftBehind(_) => Some(EndReason::Recovered),
            Self::Swept(swept, _) if swept.was_released => Some(EndReason::Shutdown),
            Self::Swept(..) => Some(EndReason::Recovered),
        }
    }
}

/// A session as the store has it.
pub(super) struct Loaded {
    claimed: Claimed,
    lease: HeldLease,
    conversation: Conversation,
    counters: Counters,
    leftovers: Leftovers,
    left_behind: Option<EndReason>,
    /// Whether it is to be finalized at once.
    is_swept: bool,
}

/// Claims a session, if that is not done, and reads its log. `None` if it turns out that there was no
/// reason to open it.
pub(super) async fn load(
    resources: &Resources,
    opening: Opening,
) -> Result<Option<Loaded>, StoreError> {
    let was_asked_for = matches!(opening, Opening::Asked(..));
    let left_behind = opening.left_behind();
    let is_swept = matches!(opening, Opening::Swept(..));
    let (claimed, claimed_at, permit) = match opening {
        Opening::Swept(swept, claimed_at) => (swept.claimed, claimed_at, Permit::Anybodys),
        Opening::Asked(session, permit) => {
            let (claimed, claimed_at) = claim(resources, session).await?;
            (claimed, claimed_at, permit)
        }
        Opening::ToEnd(session) | Opening::LeftBehind(session) => {
            let (claimed, claimed_at) = claim(resources, session).await?;
            (claimed, claimed_at, Permit::Anybodys)
        }
    };
    let lease = Lease {
        session_id: claimed.record.session_id.clone(),
        fence: claimed.fence,
    };
    let mut loaded = Loaded {
        lease: resources.leases.hold(lease, claimed_at),
        conversation: Conversation::default(),
        counters: Counters::default(),
        leftovers: Leftovers::default(),
        left_behind,
        is_swept,
        claimed,
    };
    // Somebody else began it after it had been looked for: it is left as it is, and whoever asks looks again.
    if !permit.allows(loaded.claimed.record.user_id.as_deref()) {
        loaded.lease.release(&*resources.store, RELEASE_LIMIT).await;
        return Ok(None);
    }
    let read = loaded.read(resources).await;
    let is_over = !loaded.claimed.record.is_active;
    let is_needed = was_asked_for || !is_over || loaded.leftovers.has_news();
    if read.is_ok() && is_needed {
        return Ok(Some(loaded));
    }
    // Nobody shall have to wait for a session that cannot be opened here, or need not be.
    loaded.lease.release(&*resources.store, RELEASE_LIMIT).await;
    read?;
    loaded.forget(resources).await?;
    Ok(None)
}

async fn claim(
    resources: &Resources,
    session: NewSession,
) -> Result<(Claimed, Instant), StoreError> {
    let claimed_at = Instant::now();
    let owner = resources.leases.owner();
    let claimed = resources.store.claim(session, owner).await?;
    Ok((claimed, claimed_at))
}

impl Loaded {
    /// Reads what the spool and the store have of the session.
    async fn read(&mut self, resources: &Resources) -> Result<(), StoreError> {
        let record = &self.claimed.record;
        if let Some(spool) = &resources.spool
            && spool.holds(&record.session_id)
        {
            self.leftovers = Leftovers::new(spool.kept(&record.session_id).await?);
        }
        let mut after = 0;
        while after < record.last_seq {
            let query = EventQuery {
                after,
                limit: PAGE,
                types: Vec::new(),
            };
            let page = resources.store.events(&record.session_id, query).await?;
            let Some(last) = page.last() else {
                return Err(StoreError::Corrupt(format!(
                    "the log of session `{}` ends at {after} instead of {}",
                    record.session_id, record.last_seq
                )));
            };
            after = last.event.seq;
            for stored in &page {
                let event = &stored.event;
                self.leftovers.found_in_log(event);
                self.conversation
                    .apply(&event.body, stored.private.as_ref());
                self.counters.apply(&event.body, event.at);
                if let EventBody::UserMessage(message) = &event.body {
                    self.conversation.stored(&message.id, event.seq);
                }
            }
        }
        Ok(())
    }

    /// Takes everything out of the spool that it has of the session.
    async fn forget(self, resources: &Resources) -> Result<(), StoreError> {
        let session_id = &self.claimed.record.session_id;
        match &resources.spool {
            Some(spool) => spool.forget(session_id, &self.leftovers.into_ids()).await,
            None => Ok(()),
        }
    }
}

impl Session {
    pub(super) fn from_loaded(
        resources: Arc<Resources>,
        loaded: Loaded,
        inbox: mpsc::Receiver<Box<Command>>,
    ) -> Self {
        let Loaded {
            claimed,
            lease,
            conversation,
            counters,
            leftovers,
            left_behind,
            is_swept,
        } = loaded;
        let Claimed {
            record,
            fence,
            created,
        } = claimed;
        let session_id = record.session_id.clone();
        let log = Log::new(
            resources.writer.clone(),
            resources.spool.clone(),
            session_id.clone(),
            fence,
            record.last_seq,
        );
        let spender = Spender {
            session_id: Some(session_id.clone()),
            user_id: record.user_id.clone(),
        };
        let stage = *resources.stage.borrow();
        let mut session = Self {
            stage,
            rarities: Rarities::new(lease.watch(), resources.stage.clone()),
            resources,
            session_id,
            spender: Arc::new(spender),
            epoch: record.epoch,
            lease,
            reopened: !created && !record.is_active,
            left_behind,
            log,
            conversation,
            counters,
            readers: Readers::default(),
            inbox,
            waiting: VecDeque::new(),
            admissions: VecDeque::new(),
            turn: None,
            place: None,
            running_summary: RunningSummary::default(),
            linger: None,
            abandoned: false,
            ending: None,
            enders: Vec::new(),
            departure: None,
        };
        // A row without a log is one whose maker was lost before its first event.
        if session.reopened || record.last_seq == 0 {
            let mut metadata = record.metadata;
            // The store's addition, not the client's.
            metadata.remove("metrics");
            let user_id = record.user_id;
            let started = SessionStarted { user_id, metadata };
            session.record(EventBody::SessionStarted(started), None);
        }
        session.adopt(leftovers, fence);
        session.close_what_was_interrupted(!is_swept);
        if let (true, Some(reason)) = (is_swept, left_behind) {
            session.end_with(reason);
        }
        session
    }

    /// What is to be done before the first wait.
    pub(super) fn begin(&mut self) {
        // Whoever opened the session is on the way to attach to it, and has not left yet.
        let linger = self.resources.settings.linger.max(FIRST_READER_LIMIT);
        self.linger = Some(Box::pin(sleep(linger)));
    }

    /// Ends the calls and answers that a lost process left open, so that every message has one
    /// answer and no call is without a result. With `is_awaited`, an answer that waits for a person is
    /// gone on with instead.
    fn close_what_was_interrupted(&mut self, is_awaited: bool) {
        let goes_on = is_awaited && self.can_go_on();
        for (response_id, call_id, name) in self.conversation.open_calls() {
            let waits = self.conversation.waits_for_a_person(call_id);
            if goes_on && waits {
                continue;
            }
            let (code, message) = if waits {
                let why = "not run: the server stopped before anybody approved the call";
                (ToolErrorCode::NotApproved, why)
            } else {
                let why =
                    "the server stopped while the tool ran; whether it had an effect is not known";
                (ToolErrorCode::Interrupted, why)
            };
            let result = ToolResult {
                response_id,
                call_id,
                name,
                ok: false,
                content: None,
                error: Some(ToolError {
                    code,
                    message: message.to_owned(),
                }),
                duration_ms: 0,
            };
            self.record(EventBody::ToolResult(result), None);
        }
        // With the results of the calls that ran beside those that wait.
        let waiting = goes_on
            .then(|| self.conversation.waiting_answer())
            .flatten();
        if waiting.is_none() {
            self.close_open_answers();
        }
        let goes_on_with = waiting.as_ref().map(|it| it.waypoint.message_id.clone());
        for message_id in self.conversation.unanswered() {
            if Some(&message_id) == goes_on_with.as_ref() {
                continue;
            }
            // Whether its model was asked, and what that cost, is not known.
            let lost = self.unspoken(
                message_id,
                ResponseId::generate(),
                FinishReason::Interrupted,
            );
            self.record(EventBody::AiResponse(lost), None);
        }
        if let Some(answer) = waiting {
            self.resume_turn(answer);
        }
    }

    /// Whether an answer waits for a person whose route there still is: another one may offer tools that
    /// this one kept from it.
    fn can_go_on(&self) -> bool {
        let waiting = self.conversation.waiting_answer();
        waiting.is_some_and(|answer| match &answer.waypoint.route {
            Some(route) => self.resources.routes.get(route).is_some(),
            None => true,
        })
    }

    /// Ends the answers in which calls were made and that are not over.
    fn close_open_answers(&mut self) {
        // The calls belong to the message that was taken up first; where each message has its
        // answer, to one that was being given again.
        let unanswered = self.conversation.unanswered().into_iter().next();
        let again = self.conversation.last_answer();
        let (message_id, mut supersedes) = match (unanswered, again) {
            (Some(message_id), _) => (message_id, None),
            (None, Some((message_id, earlier))) => (message_id.clone(), Some(earlier)),
            (None, None) => return,
        };
        let mut superseded = false;
        while let Some((response_id, calls)) = self.conversation.open_answer() {
            let unspoken = AiResponse {
                parts: calls
                    .into_iter()
                    .map(|call_id| Part::Call { call_id })
                    .collect(),
                supersedes: supersedes.take(),
                superseded,
                ..self.unspoken(message_id.clone(), response_id, FinishReason::Interrupted)
            };
            self.record(EventBody::AiResponse(unspoken), None);
            // Another one, of whichever process, cannot be the one that was to count.
            superseded = true;
        }
    }

    /// Records the end of an answer for which nobody was asked.
    pub(super) fn record_unspoken(&mut self, message_id: MessageId, finish_reason: FinishReason) {
        let unspoken = AiResponse {
            cost_usd: Some(0.0),
            ..self.unspoken(message_id, ResponseId::generate(), finish_reason)
        };
        self.record(EventBody::AiResponse(unspoken), None);
    }

    /// An answer that said nothing.
    fn unspoken(
        &self,
        message_id: MessageId,
        response_id: ResponseId,
        finish_reason: FinishReason,
    ) -> AiResponse {
        AiResponse {
            response_id,
            message_id,
            content: String::new(),
            parts: Vec::new(),
            finish_reason,
            model: self.resources.model.model().to_owned(),
            provider: self.resources.model.provider().to_owned(),
            route: None,
            usage: Usage::default(),
            cost_usd: None,
            timing: Timing::default(),
            supersedes: None,
            superseded: false,
        }
    }
}

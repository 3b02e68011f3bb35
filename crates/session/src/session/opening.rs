//! How a session comes to life: it is claimed, its log is read, and what a lost process left
//! undone is brought to an end.

use std::collections::VecDeque;
use std::time::Duration;

use patter_protocol::{
    AiResponse, EventBody, FinishReason, MessageId, Part, ResponseId, SessionStarted, Timing,
    ToolError, ToolErrorCode, ToolResult, Usage,
};
use patter_store::{Claimed, EventQuery, NewSession, StoreError};
use tokio::sync::mpsc;
use tokio::time::sleep;

use super::log::Log;
use super::readers::Readers;
use super::running_summary::RunningSummary;
use super::{Resources, Session};
use crate::command::Command;
use crate::conversation::Conversation;
use crate::metrics::Counters;

/// So many events are read from the store at a time.
const PAGE: u32 = 500;
/// How long a session waits at least for its first reader, also where it does not linger.
const FIRST_READER_LIMIT: Duration = Duration::from_secs(10);

/// A session as the store has it.
pub(super) struct Loaded {
    claimed: Claimed,
    conversation: Conversation,
    counters: Counters,
}

/// Claims a session and reads its log.
pub(super) async fn load(
    resources: &Resources,
    new_session: NewSession,
) -> Result<Loaded, StoreError> {
    let claimed = resources.store.claim(new_session, &resources.owner).await?;
    let session_id = &claimed.record.session_id;
    let mut conversation = Conversation::default();
    let mut counters = Counters::default();
    let mut after = 0;
    while after < claimed.record.last_seq {
        let query = EventQuery {
            after,
            limit: PAGE,
            types: Vec::new(),
        };
        let page = resources.store.events(session_id, query).await?;
        let Some(last) = page.last() else {
            return Err(StoreError::Corrupt(format!(
                "the log of session `{session_id}` ends at {after} instead of {}",
                claimed.record.last_seq
            )));
        };
        after = last.event.seq;
        for stored in &page {
            conversation.apply(&stored.event.body, stored.private.as_ref());
            counters.apply(&stored.event.body, stored.event.at);
            if let EventBody::UserMessage(message) = &stored.event.body {
                conversation.stored(&message.id, stored.event.seq);
            }
        }
    }
    Ok(Loaded {
        claimed,
        conversation,
        counters,
    })
}

impl Session {
    pub(super) fn from_loaded(
        resources: Resources,
        loaded: Loaded,
        inbox: mpsc::Receiver<Command>,
    ) -> Self {
        let Loaded {
            claimed,
            conversation,
            counters,
        } = loaded;
        let Claimed {
            record,
            fence,
            created,
        } = claimed;
        let session_id = record.session_id.clone();
        let log = Log::new(
            resources.writer.clone(),
            session_id.clone(),
            fence,
            record.last_seq,
        );
        let stage = resources.stage.clone();
        let mut session = Self {
            resources,
            session_id,
            epoch: record.epoch,
            reopened: !created && !record.is_active,
            log,
            conversation,
            counters,
            readers: Readers::default(),
            inbox,
            waiting: VecDeque::new(),
            turn: None,
            running_summary: RunningSummary::default(),
            linger: None,
            abandoned: false,
            ending: None,
            stage,
        };
        // A row without a log is one whose maker was lost before its first event.
        if session.reopened || record.last_seq == 0 {
            let mut metadata = record.metadata;
            // The store's addition, not the client's.
            metadata.remove("metrics");
            let started = SessionStarted {
                user_id: record.user_id,
                metadata,
            };
            session.record(EventBody::SessionStarted(started), None);
        }
        session
    }

    /// What is to be done before the first wait.
    pub(super) fn begin(&mut self) {
        self.close_what_was_interrupted();
        // Whoever opened the session is on the way to attach to it, and has not left yet.
        let linger = self.resources.settings.linger.max(FIRST_READER_LIMIT);
        self.linger = Some(Box::pin(sleep(linger)));
        // A manager that shuts down already says so only once.
        self.stage.mark_changed();
    }

    /// Ends the calls and answers that a lost process left open, so that every message has one
    /// answer and no call is without a result.
    fn close_what_was_interrupted(&mut self) {
        let open_calls = self.conversation.open_calls();
        for (response_id, call_id, name) in &open_calls {
            let error = ToolError {
                code: ToolErrorCode::Interrupted,
                message:
                    "the server stopped while the tool ran; whether it had an effect is not known"
                        .to_owned(),
            };
            self.record(
                EventBody::ToolResult(ToolResult {
                    response_id: *response_id,
                    call_id: *call_id,
                    name: name.clone(),
                    ok: false,
                    content: None,
                    error: Some(error),
                    duration_ms: 0,
                }),
                None,
            );
        }
        if let Some((response_id, calls)) = self.conversation.open_answer() {
            // The calls belong to the message that was taken up first; where each message has its
            // answer, to one that was being given again.
            let unanswered = self.conversation.unanswered().into_iter().next();
            let again = self.conversation.last_answer();
            let (message_id, supersedes) = match (unanswered, again) {
                (Some(message_id), _) => (message_id, None),
                (None, Some((message_id, earlier))) => (message_id.clone(), Some(earlier)),
                (None, None) => return,
            };
            let unspoken = AiResponse {
                parts: calls
                    .into_iter()
                    .map(|call_id| Part::Call { call_id })
                    .collect(),
                supersedes,
                ..self.unspoken(message_id, response_id, FinishReason::Interrupted)
            };
            self.record(EventBody::AiResponse(unspoken), None);
        }
        for message_id in self.conversation.unanswered() {
            // Whether its model was asked, and what that cost, is not known.
            let lost = self.unspoken(
                message_id,
                ResponseId::generate(),
                FinishReason::Interrupted,
            );
            self.record(EventBody::AiResponse(lost), None);
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
            usage: Usage::default(),
            cost_usd: None,
            timing: Timing::default(),
            supersedes: None,
        }
    }
}

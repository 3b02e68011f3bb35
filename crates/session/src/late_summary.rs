//! Summaries that were not there when their sessions were finalized: made from the log, by whichever
//! process takes the job, and added to it, unless somebody has opened the session in between.

use std::sync::Arc;
use std::time::Duration;

use patter_protocol::{EventBody, SessionSummary, SummaryRange};
use patter_store::{Append, EventQuery, NewEvent, StoreError, SummaryJob, SummaryTries};
use tracing::{info, warn};

use crate::budget::Spender;
use crate::conversation::Conversation;
use crate::error::with_causes;
use crate::measures::SummaryKind;
use crate::resources::Resources;
use crate::summary::{self, Brief};

/// So many events are read from the store at a time.
const PAGE: u32 = 500;
/// So much of a conversation goes into the last try: about one request.
const LAST_TRY_BYTES: usize = 32 * 1024;
/// How often a summary is tried, and when the next try is due.
pub(crate) const TRIES: SummaryTries = SummaryTries {
    max: 3,
    retry_in: Duration::from_secs(60),
};

/// Does a job. What comes of it is in the store.
pub(crate) async fn make(resources: Arc<Resources>, job: SummaryJob) {
    let session_id = &job.record.session_id;
    let outcome = match read(&resources, &job).await {
        Ok(conversation) => summarize(&resources, &job, &conversation).await,
        Err(error) => Err(with_causes(&error)),
    };
    let measures = &resources.measures;
    measures.summarized(SummaryKind::Late, outcome.is_ok());
    let kept = match &outcome {
        Ok(summary) => add(&resources, &job, summary.clone()).await,
        Err(why) => resources.store.fail_summary(&job, why).await,
    };
    match (outcome, kept) {
        (Ok(_), Ok(())) => info!(%session_id, attempt = job.attempt, "summary added"),
        // The session has been opened: its next end has a summary of its own.
        (_, Err(StoreError::Fenced { .. })) => {}
        (Err(error), _) if job.is_last => warn!(%session_id, error, "no summary, for good"),
        (Err(error), _) => {
            warn!(%session_id, error, attempt = job.attempt, "no summary yet");
        }
        // The store is away. The job is due again in a while.
        (Ok(_), Err(error)) => {
            warn!(%session_id, error = with_causes(&error), "cannot add a summary");
        }
    }
}

async fn read(resources: &Resources, job: &SummaryJob) -> Result<Conversation, StoreError> {
    let mut conversation = Conversation::default();
    let mut after = 0;
    while after < job.record.last_seq {
        let query = EventQuery {
            after,
            limit: PAGE,
            types: Vec::new(),
        };
        let page = resources
            .store
            .events(&job.record.session_id, query)
            .await?;
        let Some(last) = page.last() else {
            break;
        };
        after = last.event.seq;
        for stored in &page {
            let event = &stored.event;
            conversation.apply(&event.body, stored.private.as_ref());
            if let EventBody::UserMessage(message) = &event.body {
                conversation.stored(&message.id, event.seq);
            }
        }
    }
    Ok(conversation)
}

/// A summary of everything; on the last try of what is newest, for which there is time in any case.
async fn summarize(
    resources: &Resources,
    job: &SummaryJob,
    conversation: &Conversation,
) -> Result<SessionSummary, String> {
    let (transcript, from_seq) = if job.is_last {
        conversation.newest(LAST_TRY_BYTES)
    } else {
        (conversation.transcript(), 1)
    };
    let covers = SummaryRange {
        from_seq,
        to_seq: job.record.last_seq,
    };
    let limit = resources.settings.summary_timeout;
    let spender = Spender {
        session_id: Some(job.record.session_id.clone()),
        user_id: job.record.user_id.clone(),
    };
    let model = resources.model_paid_by(&Arc::new(spender));
    let summary = summary::summarize(model, Brief::for_a_person(), transcript, limit).await?;
    Ok(SessionSummary { summary, covers })
}

async fn add(
    resources: &Resources,
    job: &SummaryJob,
    summary: SessionSummary,
) -> Result<(), StoreError> {
    let append = Append {
        session_id: job.record.session_id.clone(),
        fence: job.fence,
        events: vec![NewEvent::now(EventBody::SessionSummary(summary))],
    };
    resources.writer.append(append).await.map(drop)
}

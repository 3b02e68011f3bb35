//! Sessions of the last 90 days: four turns each, a tool in some of them.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use patter_protocol::{
    AiResponse, CallId, EventBody, FinishReason, JsonObject, MessageId, Metrics, ResponseId,
    SessionEnded, SessionId, SessionStarted, Timing, ToolCall, ToolResult, Usage, UserMessage,
};
use patter_store::{Append, NewEvent, NewSession, Owner, SessionStore};
use serde_json::json;
use tokio::time::Instant;

use crate::words::text;

/// So many users have sessions.
pub(crate) const USERS: usize = 5_000;
/// So many sessions are written at a time.
const BATCH: usize = 32;

/// Fills a store with `wanted` events, about.
pub(crate) async fn fill(store: &dyn SessionStore, wanted: usize) -> anyhow::Result<()> {
    let mut random = fastrand::Rng::with_seed(1);
    let owner = Owner {
        id: "million".to_owned(),
        lease: Duration::from_secs(3600),
        linger: Duration::from_secs(3600),
    };
    // A session has 13 events, about.
    let sessions = wanted.div_ceil(13);
    let (mut stored, mut batches) = (0, 0);
    let mut appending = Duration::ZERO;
    for first in (0..sessions).step_by(BATCH) {
        let mut batch = Vec::with_capacity(BATCH);
        for number in first..(first + BATCH).min(sessions) {
            let session = NewSession {
                session_id: SessionId::generate(),
                user_id: Some(format!("user-{}", random.usize(..USERS))),
                metadata: JsonObject::new(),
            };
            let claimed = store.claim(session, &owner).await?;
            let ago = TimeDelta::minutes(i64::try_from(
                90 * 24 * 60 * (sessions - number) / sessions,
            )?);
            batch.push(Append {
                session_id: claimed.record.session_id,
                fence: claimed.fence,
                events: conversation(&mut random, Utc::now() - ago),
            });
        }
        stored += batch
            .iter()
            .map(|append| append.events.len())
            .sum::<usize>();
        batches += 1;
        let begun = Instant::now();
        for answer in store.append(batch).await {
            answer?;
        }
        appending += begun.elapsed();
        if batches % 250 == 0 {
            report(stored, appending);
        }
    }
    report(stored, appending);
    Ok(())
}

#[expect(clippy::cast_precision_loss, reason = "a rate need not be exact")]
fn report(stored: usize, appending: Duration) {
    let rate = stored as f64 / appending.as_secs_f64();
    println!("{stored} events, appended at {rate:.0} a second");
}

fn conversation(random: &mut fastrand::Rng, start: DateTime<Utc>) -> Vec<NewEvent> {
    let mut bodies = vec![EventBody::SessionStarted(SessionStarted::default())];
    for _ in 0..4 {
        turn(random, &mut bodies);
    }
    let words = random.usize(20..60);
    bodies.push(EventBody::SessionEnded(SessionEnded {
        reason: patter_protocol::EndReason::Client,
        summary: Some(text(random, words)),
        metrics: Metrics::default(),
    }));
    let mut at = start;
    bodies
        .into_iter()
        .map(|body| {
            at += TimeDelta::milliseconds(random.i64(500..20_000));
            NewEvent {
                at: at.into(),
                ..NewEvent::now(body)
            }
        })
        .collect()
}

fn turn(random: &mut fastrand::Rng, bodies: &mut Vec<EventBody>) {
    let (id, response_id) = (MessageId::generate(), ResponseId::generate());
    let words = random.usize(3..30);
    bodies.push(EventBody::UserMessage(UserMessage {
        id: id.clone(),
        content: text(random, words),
        metadata: JsonObject::new(),
        replaces: None,
    }));
    if random.u8(..) < 100 {
        let call_id = CallId::generate();
        bodies.push(EventBody::ToolCall(ToolCall {
            response_id,
            call_id,
            name: "calculator".to_owned(),
            arguments: JsonObject::new(),
            needs_approval: false,
        }));
        bodies.push(EventBody::ToolResult(ToolResult {
            response_id,
            call_id,
            name: "calculator".to_owned(),
            ok: random.u8(..) > 10,
            content: Some(json!(random.u32(..))),
            error: None,
            duration_ms: 3,
        }));
    }
    let words = random.usize(20..150);
    let model = random.usize(0..6);
    bodies.push(EventBody::AiResponse(AiResponse {
        response_id,
        message_id: id,
        content: text(random, words),
        parts: Vec::new(),
        finish_reason: match random.u8(..) {
            0..4 => FinishReason::Error,
            4..10 => FinishReason::Cancelled,
            _ => FinishReason::Stop,
        },
        model: format!("model-{model}"),
        provider: format!("provider-{}", model / 3),
        route: (random.u8(..) < 128).then(|| "default".to_owned()),
        usage: Usage {
            input_tokens: Some(random.u64(100..8_000)),
            output_tokens: Some(random.u64(20..1_000)),
            ..Usage::default()
        },
        cost_usd: (model > 0).then(|| random.f64() / 100.0),
        timing: Timing {
            first_token_ms: Some(random.u64(100..3_000)),
            total_ms: random.u64(3_000..40_000),
        },
        supersedes: None,
        superseded: false,
    }));
}

//! The figures of random sessions, against a count that is as plain as can be.

use chrono::TimeDelta;
use patter_protocol::{
    AiResponse, CallId, EventBody, FinishReason, ResponseId, Timestamp, Timing, ToolCall,
    ToolResult, Usage,
};
use patter_store::{AnalyticsGroups, AnalyticsQuery, AnalyticsRow, Bucket, SessionStore};
use serde_json::json;

use super::InsightFixture;
use super::corpus::{happened, time};
use super::plain_count::{Told, count};
use crate::store_conformance::sample::{answer, message, tool_result};

/// For each length of a bucket, each group and each user.
pub async fn figures_are_those_of_a_plain_count(fixture: &dyn InsightFixture) {
    let (store, insight) = fixture.open_insight().await;
    let seed = fastrand::u64(..);
    let mut random = fastrand::Rng::with_seed(seed);
    let mut told = Vec::new();
    for _ in 0..60 {
        told.push(session(store.as_ref(), &mut random).await);
    }
    let gone = told.swap_remove(7);
    fixture.delete(&gone.session_id).await;
    let (now, later) = (Timestamp::now(), TimeDelta::hours(1));
    for bucket in [
        None,
        Some(Bucket::Hour),
        Some(Bucket::Day),
        Some(Bucket::Week),
        Some(Bucket::Month),
    ] {
        for groups in 0..8 {
            let query = AnalyticsQuery {
                from: match bucket {
                    // As far back as there may be buckets.
                    Some(Bucket::Hour) => (now.as_datetime() - TimeDelta::hours(990)).into(),
                    _ => time("2026-02-27T22:10:00Z"),
                },
                to: (now.as_datetime() + later).into(),
                bucket,
                group_by: AnalyticsGroups {
                    provider: groups & 1 != 0,
                    model: groups & 2 != 0,
                    route: groups & 4 != 0,
                },
                user_id: random
                    .choice([None, Some("ada"), Some("eve")])
                    .unwrap()
                    .map(str::to_owned),
            };
            let found = insight.analytics(query.clone()).await.unwrap();
            let counted = count(&told, &query);
            assert_eq!(
                found.len(),
                counted.len(),
                "seed {seed}, {query:?}: {found:?}"
            );
            for (found, counted) in found.iter().zip(&counted) {
                assert_same(found, counted, &format!("seed {seed}, {query:?}"));
            }
        }
    }
}

fn assert_same(found: &AnalyticsRow, counted: &AnalyticsRow, of: &str) {
    // Sums of the same numbers in another order.
    let is_near = match (found.cost_usd, counted.cost_usd) {
        (Some(a), Some(b)) => (a - b).abs() < 1e-9,
        (a, b) => a == b,
    };
    assert!(is_near, "{of}: {found:?} {counted:?}");
    let found = AnalyticsRow {
        cost_usd: counted.cost_usd,
        ..found.clone()
    };
    assert_eq!(&found, counted, "{of}");
}

async fn session(store: &dyn SessionStore, random: &mut fastrand::Rng) -> Told {
    let user_id = random.choice([None, Some("ada"), Some("bob")]).unwrap();
    let from = time("2026-02-20T00:00:00Z").as_datetime();
    let all = Timestamp::now().as_datetime() - from;
    let mut at = from + TimeDelta::milliseconds(random.i64(0..all.num_milliseconds()));
    if random.bool() {
        at = Timestamp::now().as_datetime() - TimeDelta::minutes(random.i64(0..60_000));
    }
    let mut events = Vec::new();
    for _ in 0..random.usize(0..6) {
        for body in turn(random) {
            at += TimeDelta::milliseconds(random.i64(0..40 * 60_000));
            events.push((at.into(), body));
        }
    }
    let session_id = happened(store, user_id, events.clone()).await;
    let start = store
        .session(&session_id)
        .await
        .unwrap()
        .unwrap()
        .start_time;
    Told {
        session_id,
        user_id,
        start,
        events,
    }
}

/// A message, and what came of it: tools before the answer, at times a result behind it.
fn turn(random: &mut fastrand::Rng) -> Vec<EventBody> {
    let response_id = ResponseId::generate();
    let mut events = vec![message("a")];
    let mut late = Vec::new();
    for _ in 0..random.usize(0..3) {
        let call_id = CallId::generate();
        events.push(EventBody::ToolCall(ToolCall {
            response_id,
            call_id,
            name: "calculator".to_owned(),
            arguments: patter_protocol::JsonObject::new(),
            needs_approval: false,
        }));
        let EventBody::ToolResult(result) = tool_result(call_id, json!(4)) else {
            continue;
        };
        let result = EventBody::ToolResult(ToolResult {
            response_id,
            ok: random.u8(..) > 80,
            ..result
        });
        if random.u8(..) > 40 {
            &mut events
        } else {
            &mut late
        }
        .push(result);
    }
    if random.u8(..) > 20 {
        events.push(answered(response_id, random));
    }
    events.extend(late);
    events
}

fn answered(response_id: ResponseId, random: &mut fastrand::Rng) -> EventBody {
    let EventBody::AiResponse(plain) = answer(response_id, "b") else {
        panic!("an answer is none");
    };
    let any = |random: &mut fastrand::Rng, most| random.bool().then(|| random.u64(0..most));
    EventBody::AiResponse(AiResponse {
        provider: random.choice(["one", "two"]).unwrap().to_owned(),
        model: random.choice(["M", "a", "Z b"]).unwrap().to_owned(),
        route: random
            .choice([None, Some("fast"), Some("Deep")])
            .unwrap()
            .map(str::to_owned),
        finish_reason: random
            .choice([
                FinishReason::Stop,
                FinishReason::Cancelled,
                FinishReason::Error,
                FinishReason::Interrupted,
            ])
            .unwrap(),
        usage: Usage {
            input_tokens: any(random, 10_000),
            output_tokens: any(random, 1_000),
            ..Usage::default()
        },
        cost_usd: random.bool().then(|| random.f64()),
        timing: Timing {
            first_token_ms: any(random, 30),
            total_ms: random.u64(0..100_000),
        },
        supersedes: (random.u8(..) > 200).then(ResponseId::generate),
        superseded: random.u8(..) > 200,
        ..plain
    })
}

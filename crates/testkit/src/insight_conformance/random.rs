//! The figures of random sessions, against a count that is as plain as can be.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Datelike, TimeDelta};
use patter_protocol::{
    AiResponse, CallId, EventBody, FinishReason, ResponseId, SessionId, Timestamp, Timing,
    ToolCall, ToolResult, Usage,
};
use patter_store::{AnalyticsGroups, AnalyticsQuery, AnalyticsRow, Bucket, SessionStore};
use serde_json::json;

use super::InsightFixture;
use super::corpus::{happened, time};
use crate::store_conformance::sample::{answer, message, tool_result};

/// A session, with all that was put into it.
struct Told {
    session_id: SessionId,
    user_id: Option<&'static str>,
    start: Timestamp,
    events: Vec<(Timestamp, EventBody)>,
}

type Key = (Timestamp, Option<String>, Option<String>, Option<String>);

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

/// What the figures should be.
fn count(told: &[Told], query: &AnalyticsQuery) -> Vec<AnalyticsRow> {
    let mut rows: BTreeMap<Key, AnalyticsRow> = BTreeMap::new();
    let mut sessions: BTreeMap<Key, BTreeSet<&SessionId>> = BTreeMap::new();
    let mut times: BTreeMap<Key, (Vec<u64>, Vec<u64>)> = BTreeMap::new();
    let by = query.group_by;
    let of_user = told.iter().filter(|told| {
        query
            .user_id
            .as_deref()
            .is_none_or(|user| told.user_id == Some(user))
    });
    for told in of_user {
        let calls = |id, failed: bool| {
            let counted = told.events.iter().filter(|(_, body)| match body {
                EventBody::ToolCall(call) => !failed && call.response_id == id,
                EventBody::ToolResult(result) => failed && !result.ok && result.response_id == id,
                _ => false,
            });
            u64::try_from(counted.count()).unwrap()
        };
        if let (false, Some(start)) = (by.is_any(), bucket_of(told.start, query)) {
            row(&mut rows, &(start, None, None, None)).sessions += 1;
        }
        for (at, body) in &told.events {
            let Some(start) = bucket_of(*at, query) else {
                continue;
            };
            match body {
                EventBody::UserMessage(_) if !by.is_any() => {
                    row(&mut rows, &(start, None, None, None)).user_messages += 1;
                }
                EventBody::AiResponse(answer) => {
                    let key = (
                        start,
                        by.provider.then(|| answer.provider.clone()),
                        by.model.then(|| answer.model.clone()),
                        answer.route.clone().filter(|_| by.route),
                    );
                    let times = times.entry(key.clone()).or_default();
                    times.0.extend(answer.timing.first_token_ms);
                    times.1.push(answer.timing.total_ms);
                    let row = row(&mut rows, &key);
                    if by.is_any() {
                        sessions.entry(key).or_default().insert(&told.session_id);
                        row.user_messages +=
                            u64::from(answer.supersedes.is_none() && !answer.superseded);
                    }
                    row.answers += 1;
                    row.failed_answers += u64::from(matches!(
                        answer.finish_reason,
                        FinishReason::Error | FinishReason::Interrupted
                    ));
                    row.input_tokens += answer.usage.input_tokens.unwrap_or(0);
                    row.output_tokens += answer.usage.output_tokens.unwrap_or(0);
                    row.cost_unknown += u64::from(answer.cost_usd.is_none());
                    row.cost_usd = match (row.cost_usd, answer.cost_usd) {
                        (Some(sum), Some(cost)) => Some(sum + cost),
                        (sum, cost) => sum.or(cost),
                    };
                    row.tool_calls += calls(answer.response_id, false);
                    row.tool_failures += calls(answer.response_id, true);
                }
                _ => {}
            }
        }
    }
    for (key, (mut first, mut total)) in times {
        let row = row(&mut rows, &key);
        if let Some(sessions) = sessions.get(&key) {
            row.sessions = sessions.len().try_into().unwrap();
        }
        first.sort_unstable();
        total.sort_unstable();
        row.first_token_p50_ms = rank(&first, 50);
        row.first_token_p95_ms = rank(&first, 95);
        row.total_p50_ms = rank(&total, 50);
        row.total_p95_ms = rank(&total, 95);
    }
    let mut rows: Vec<_> = rows.into_iter().collect();
    // No route comes last.
    rows.sort_by_key(|((start, provider, model, route), _)| {
        (
            *start,
            provider.clone(),
            model.clone(),
            route.is_none(),
            route.clone(),
        )
    });
    rows.into_iter().map(|(_, row)| row).collect()
}

/// The smallest value that at least so many of a hundred do not exceed.
fn rank(sorted: &[u64], percent: usize) -> Option<u64> {
    let is_enough = |index: &usize| (index + 1) * 100 >= sorted.len() * percent;
    (0..sorted.len()).find(is_enough).map(|index| sorted[index])
}

fn row<'a>(rows: &'a mut BTreeMap<Key, AnalyticsRow>, key: &Key) -> &'a mut AnalyticsRow {
    let (start, provider, model, route) = key.clone();
    rows.entry(key.clone()).or_insert_with(|| AnalyticsRow {
        start,
        provider,
        model,
        route,
        sessions: 0,
        user_messages: 0,
        answers: 0,
        failed_answers: 0,
        input_tokens: 0,
        output_tokens: 0,
        cost_usd: None,
        cost_unknown: 0,
        first_token_p50_ms: None,
        first_token_p95_ms: None,
        total_p50_ms: None,
        total_p95_ms: None,
        tool_calls: 0,
        tool_failures: 0,
    })
}

/// The beginning of the bucket that a time is in, if the buckets of the range have it.
fn bucket_of(at: Timestamp, query: &AnalyticsQuery) -> Option<Timestamp> {
    let (first, last) = (
        start_of(query.from, query.bucket),
        start_of(
            (query.to.as_datetime() - TimeDelta::milliseconds(1)).into(),
            query.bucket,
        ),
    );
    let start = start_of(at, query.bucket);
    (first <= start && start <= last).then_some(match query.bucket {
        Some(_) => start,
        None => first,
    })
}

fn start_of(at: Timestamp, bucket: Option<Bucket>) -> Timestamp {
    let at = at.as_datetime();
    let day = at.date_naive();
    let day = match bucket {
        None | Some(Bucket::Hour) => {
            let hours = at.timestamp() / 3600;
            return DateTime::from_timestamp(hours * 3600, 0).unwrap().into();
        }
        Some(Bucket::Day) => day,
        Some(Bucket::Week) => day.week(chrono::Weekday::Mon).first_day(),
        Some(Bucket::Month) => day.with_day(1).unwrap(),
    };
    day.and_hms_opt(0, 0, 0).unwrap().and_utc().into()
}

//! The figures of sessions, counted as plainly as can be.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Datelike, TimeDelta};
use patter_protocol::{EventBody, FinishReason, SessionId, Timestamp};
use patter_store::{AnalyticsQuery, AnalyticsRow, Bucket};

/// A session, with all that was put into it.
pub(super) struct Told {
    pub(super) session_id: SessionId,
    pub(super) user_id: Option<&'static str>,
    pub(super) start: Timestamp,
    pub(super) events: Vec<(Timestamp, EventBody)>,
}

type Key = (Timestamp, Option<String>, Option<String>, Option<String>);

/// What the figures should be.
#[expect(
    clippy::too_many_lines,
    reason = "one pass, so plain that it can be trusted"
)]
pub(super) fn count(told: &[Told], query: &AnalyticsQuery) -> Vec<AnalyticsRow> {
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

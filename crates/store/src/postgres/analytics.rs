//! The figures on PostgreSQL, which it counts itself: `patter.usage_of_answers` and
//! `patter.usage_of_sessions`, see their migration.

use std::collections::BTreeMap;

use sqlx::Row;
use sqlx::postgres::PgRow;

use super::connections::Connections;
use super::error::from_sqlx;
use crate::analytics::ANALYTICS_ROWS;
use crate::analytics::{AnalyticsQuery, AnalyticsRow, Range, check_rows};
use crate::error::StoreError;

/// See [`Insight::analytics`](crate::Insight::analytics).
pub(super) async fn rows(
    connections: &Connections,
    query: &AnalyticsQuery,
    range: &Range,
) -> Result<Vec<AnalyticsRow>, StoreError> {
    if query.group_by.is_any() {
        let answers = answers(connections, query, range).await?;
        return check_rows(answers.into_iter().map(|(_, row)| row).collect());
    }
    let answers = answers(connections, query, range).await?;
    let mut rows: BTreeMap<usize, AnalyticsRow> = answers.into_iter().collect();
    for (bucket, sessions, user_messages) in sessions(connections, query, range).await? {
        // There may be some where no answer was.
        let counted = rows
            .entry(bucket)
            .or_insert_with(|| AnalyticsRow::empty(range.start_of(bucket)));
        counted.sessions = sessions;
        counted.user_messages = user_messages;
    }
    Ok(rows.into_values().collect())
}

/// The figures of answers, with their buckets.
async fn answers(
    connections: &Connections,
    query: &AnalyticsQuery,
    range: &Range,
) -> Result<Vec<(usize, AnalyticsRow)>, StoreError> {
    let statement = sqlx::query("select * from patter.usage_of_answers($1, $2, $3, $4, $5, $6)")
        .bind(range.edges())
        .bind(query.group_by.provider)
        .bind(query.group_by.model)
        .bind(query.group_by.route)
        .bind(query.user_id.as_deref())
        // One more tells that there are too many.
        .bind(i32::try_from(ANALYTICS_ROWS + 1).unwrap_or(i32::MAX));
    let found = connections.fetch(statement).await?;
    found.iter().map(|row| of_answers(row, range)).collect()
}

/// Buckets with the sessions that began, and the messages of users.
async fn sessions(
    connections: &Connections,
    query: &AnalyticsQuery,
    range: &Range,
) -> Result<Vec<(usize, u64, u64)>, StoreError> {
    let statement = sqlx::query("select * from patter.usage_of_sessions($1, $2)")
        .bind(range.edges())
        .bind(query.user_id.as_deref());
    let found = connections.fetch(statement).await?;
    let read = |row: &PgRow| {
        Ok((
            bucket(row)?,
            count(row, "sessions")?,
            count(row, "user_messages")?,
        ))
    };
    found.iter().map(read).collect()
}

/// The figures of answers in a row, and their bucket. Sessions and messages are those of groups.
fn of_answers(row: &PgRow, range: &Range) -> Result<(usize, AnalyticsRow), StoreError> {
    let bucket = bucket(row)?;
    let text = |name| row.try_get::<Option<String>, _>(name).map_err(from_sqlx);
    let first_token_ms: Option<Vec<Option<i32>>> =
        row.try_get("first_token_ms").map_err(from_sqlx)?;
    let total_ms: Option<Vec<Option<i32>>> = row.try_get("total_ms").map_err(from_sqlx)?;
    let rank = |ranks: &Option<Vec<Option<i32>>>, index: usize| {
        let value = ranks.as_ref()?.get(index).copied()??;
        u64::try_from(value).ok()
    };
    let figures = AnalyticsRow {
        start: range.start_of(bucket),
        provider: text("provider")?,
        model: text("model")?,
        route: text("route")?,
        sessions: count(row, "sessions")?,
        user_messages: count(row, "user_messages")?,
        answers: count(row, "answers")?,
        failed_answers: count(row, "failed_answers")?,
        input_tokens: count(row, "input_tokens")?,
        output_tokens: count(row, "output_tokens")?,
        cost_usd: row.try_get("cost_usd").map_err(from_sqlx)?,
        cost_unknown: count(row, "cost_unknown")?,
        first_token_p50_ms: rank(&first_token_ms, 0),
        first_token_p95_ms: rank(&first_token_ms, 1),
        total_p50_ms: rank(&total_ms, 0),
        total_p95_ms: rank(&total_ms, 1),
        tool_calls: count(row, "tool_calls")?,
        tool_failures: count(row, "tool_failures")?,
    };
    Ok((bucket, figures))
}

fn bucket(row: &PgRow) -> Result<usize, StoreError> {
    let bucket: i32 = row.try_get("bucket").map_err(from_sqlx)?;
    usize::try_from(bucket).map_err(|_| StoreError::Corrupt(format!("a bucket {bucket}")))
}

fn count(row: &PgRow, name: &str) -> Result<u64, StoreError> {
    let count: i64 = row.try_get(name).map_err(from_sqlx)?;
    u64::try_from(count).map_err(|_| StoreError::Corrupt(format!("a negative count {count}")))
}

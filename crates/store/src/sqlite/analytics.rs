//! The figures on SQLite, which fetches the answers; they are [counted](crate::analytics::tally) here.

use patter_protocol::Timestamp;
use sqlx::{Row, SqlitePool};

use super::error::from_sqlx;
use super::reading::Reading;
use crate::analytics::tally::{Answers, Tally};
use crate::analytics::{AnalyticsQuery, AnalyticsRow, Range};
use crate::error::StoreError;

/// The statement for the answers that fulfil a condition: for each hour and source one array, and those of
/// an hour in one row. What a row costs on its way here is much more than what is in it.
macro_rules! hours_of_answers {
    ($condition:literal) => {
        concat!(
            "select hour, json_group_array(json_array(
                 source, answers, failed, first, input_tokens, output_tokens, cost_usd, costs_known,
                 tool_calls, tool_failures, json(sessions), json(first_token_ms), json(total_ms)))
             from (
                 select hour, source, count(*) as answers, sum(is_failed) as failed,
                     sum(is_first) as first, ifnull(sum(input_tokens), 0) as input_tokens,
                     ifnull(sum(output_tokens), 0) as output_tokens, sum(cost_usd) as cost_usd,
                     count(cost_usd) as costs_known, sum(tool_calls) as tool_calls,
                     sum(tool_failures) as tool_failures,
                     json_group_array(session_number) as sessions,
                     json_group_array(first_token_ms) as first_token_ms,
                     json_group_array(total_ms) as total_ms
                 from answers where ",
            $condition,
            " group by hour, source)
             group by hour order by hour"
        )
    };
}

/// The statement for the sessions and messages that fulfil a condition.
macro_rules! hours_of_sessions {
    ($condition:literal) => {
        concat!(
            "select unixepoch(start_time) / 3600, count(*), 0 from sessions
             where start_time >= $1 and start_time < $2 and ",
            $condition,
            " group by 1
             union all
             select hour, 0, sum(messages) from message_hours
             where hour >= $3 and hour < $4 and ",
            $condition,
            " group by 1"
        )
    };
}

/// See [`Insight::analytics`](crate::Insight::analytics).
pub(super) async fn rows(
    pool: &SqlitePool,
    query: &AnalyticsQuery,
    range: &Range,
) -> Result<Vec<AnalyticsRow>, StoreError> {
    let mut reading = Reading::begin(pool).await?;
    let sources = sqlx::query_as("select id, provider, model, route from answer_sources")
        .fetch_all(&mut *reading)
        .await
        .map_err(from_sqlx)?;
    let mut tally = Tally::new(range, query.group_by, sources);
    add_answers(&mut reading, query, range, &mut tally).await?;
    if !query.group_by.is_any() {
        add_sessions(&mut reading, query, range, &mut tally).await?;
    }
    reading.end(tally.finish()?).await
}

async fn add_answers(
    reading: &mut Reading,
    query: &AnalyticsQuery,
    range: &Range,
    tally: &mut Tally<'_>,
) -> Result<(), StoreError> {
    let statement = match query.user_id {
        None => hours_of_answers!("hour >= $1 and hour < $2 and $3 is null"),
        Some(_) => hours_of_answers!("user_id = $3 and hour >= $1 and hour < $2"),
    };
    let hours: Vec<(i32, String)> = sqlx::query_as(statement)
        .bind(range.first())
        .bind(range.end())
        .bind(query.user_id.as_deref())
        .fetch_all(&mut **reading)
        .await
        .map_err(from_sqlx)?;
    for (hour, answers) in hours {
        let sources: Vec<Answers> = serde_json::from_str(&answers)
            .map_err(|error| StoreError::Corrupt(format!("the answers of an hour: {error}")))?;
        for answers in sources {
            tally.add_answers(hour, answers);
        }
    }
    Ok(())
}

/// Sessions that began, and messages of users.
async fn add_sessions(
    reading: &mut Reading,
    query: &AnalyticsQuery,
    range: &Range,
    tally: &mut Tally<'_>,
) -> Result<(), StoreError> {
    let text = |bucket| Timestamp::to_string(&range.start_of(bucket));
    let statement = match query.user_id {
        None => hours_of_sessions!("$5 is null"),
        Some(_) => hours_of_sessions!("user_id = $5"),
    };
    let rows = sqlx::query(statement)
        .bind(text(0))
        .bind(text(range.edges().len().saturating_sub(1)))
        .bind(range.first())
        .bind(range.end())
        .bind(query.user_id.as_deref())
        .fetch_all(&mut **reading)
        .await
        .map_err(from_sqlx)?;
    for row in rows {
        let number = |index| row.try_get::<i64, _>(index).map_err(from_sqlx);
        let count = |index| {
            u64::try_from(number(index)?)
                .map_err(|error| StoreError::Corrupt(format!("a count: {error}")))
        };
        tally.add_hour(row.try_get(0).map_err(from_sqlx)?, count(1)?, count(2)?);
    }
    Ok(())
}

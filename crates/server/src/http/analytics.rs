//! `GET /api/analytics`: what happened, counted.

use chrono::{TimeDelta, Utc};
use http::StatusCode;
use patter_protocol::Timestamp;
use patter_store::{AnalyticsGroups, AnalyticsQuery, AnalyticsRow, Bucket, StoreError};
use schemars::JsonSchema;
use serde::Serialize;

use super::{App, Problem, Query, Reply, access, json};
use crate::auth::Caller;

/// Figures for each bucket of time and each group in which something happened.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Analytics")]
pub(super) struct AnalyticsJson {
    from: Timestamp,
    to: Timestamp,
    /// In the order of time, then of provider, model and route.
    rows: Vec<RowJson>,
}

/// What happened in one bucket, in one group.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "AnalyticsRow")]
struct RowJson {
    /// Where the bucket begins.
    start: Timestamp,
    /// The provider, where that is grouped by.
    provider: Option<String>,
    /// The model, where that is grouped by.
    model: Option<String>,
    /// The route, where that is grouped by and one chose the model.
    route: Option<String>,
    /// Sessions that began; by groups: sessions with an answer of the group.
    sessions: u64,
    /// Messages of users; by groups: those that the group answered.
    user_messages: u64,
    /// Answers, however they ended.
    answers: u64,
    /// Of these, the ones that failed or were interrupted.
    failed_answers: u64,
    input_tokens: u64,
    output_tokens: u64,
    /// In US dollars, of the answers whose cost is known; null if that of none is.
    cost_usd: Option<f64>,
    /// Answers whose cost is not known.
    cost_unknown: u64,
    /// To the first token: half of the answers took no longer.
    first_token_p50_ms: Option<u64>,
    /// 95 of 100 took no longer.
    first_token_p95_ms: Option<u64>,
    /// To the end of the answer: half took no longer.
    total_p50_ms: Option<u64>,
    /// 95 of 100 took no longer.
    total_p95_ms: Option<u64>,
    tool_calls: u64,
    /// Of these, the ones that failed.
    tool_failures: u64,
}

/// The range where nothing is said.
const DEFAULT_DAYS: i64 = 30;

/// Which figures are wanted.
#[derive(utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "for the document; `wanted` reads it")]
struct AnalyticsParameters {
    /// The beginning; its bucket counts whole. 30 days before the end where nothing is said.
    #[param(format = "date-time")]
    from: Option<String>,
    /// The end; now where nothing is said.
    #[param(format = "date-time")]
    to: Option<String>,
    /// `hour`, `day` (where nothing is said), `week` from Monday, `month`, or `all` for one row; in UTC.
    #[param(pattern = "^(hour|day|week|month|all)$")]
    bucket: Option<String>,
    /// Some of `provider`, `model` and `route`, which stand between commas.
    #[param(pattern = "^(provider|model|route)(,(provider|model|route))*$")]
    group_by: Option<String>,
    /// Only of this user's sessions.
    #[param(min_length = 1, max_length = 256)]
    user_id: Option<String>,
}

/// Sessions, messages, tokens, cost, latencies and tools, over time.
///
/// # Errors
///
/// 400 for a bad parameter and for a range with too many buckets, 503 if the store does not answer.
#[utoipa::path(
    get,
    operation_id = "getAnalytics",
    path = "/api/analytics",
    tag = "sessions",
    params(AnalyticsParameters),
    responses(
        (status = 200, description = "The figures", body = ref("#/components/schemas/Analytics")),
        (status = 503, description = "The store does not answer"),
    )
)]
pub(super) async fn analytics(app: &App, caller: &Caller, query: &Query<'_>) -> Reply {
    let mut wanted = wanted(query)?;
    wanted.user_id = access::listed(app, caller, wanted.user_id)?;
    let (from, to) = (wanted.from, wanted.to);
    let rows = app.archive.analytics(wanted).await;
    let rows = rows.map_err(|error| match error {
        StoreError::Rejected(why) => Problem::invalid_field("from", why.to_string()),
        other => other.into(),
    })?;
    let rows = rows.into_iter().map(RowJson::from).collect();
    Ok(json(StatusCode::OK, &AnalyticsJson { from, to, rows }))
}

fn wanted(query: &Query<'_>) -> Result<AnalyticsQuery, Problem> {
    let to = query.time("to")?.unwrap_or_else(Timestamp::now);
    let from = query
        .time("from")?
        .or_else(|| days_before(to, DEFAULT_DAYS));
    Ok(AnalyticsQuery {
        from: from.unwrap_or_else(|| Timestamp::from(chrono::DateTime::<Utc>::MIN_UTC)),
        to,
        bucket: bucket(query)?,
        group_by: groups(query)?,
        user_id: query.user_id()?,
    })
}

fn days_before(time: Timestamp, days: i64) -> Option<Timestamp> {
    let days = TimeDelta::try_days(days)?;
    time.as_datetime()
        .checked_sub_signed(days)
        .map(Timestamp::from)
}

fn bucket(query: &Query<'_>) -> Result<Option<Bucket>, Problem> {
    match query.single("bucket")? {
        None | Some("day") => Ok(Some(Bucket::Day)),
        Some("hour") => Ok(Some(Bucket::Hour)),
        Some("week") => Ok(Some(Bucket::Week)),
        Some("month") => Ok(Some(Bucket::Month)),
        Some("all") => Ok(None),
        Some(_) => {
            let expected = "must be `hour`, `day`, `week`, `month` or `all`";
            Err(Problem::invalid_field("bucket", expected))
        }
    }
}

fn groups(query: &Query<'_>) -> Result<AnalyticsGroups, Problem> {
    let mut groups = AnalyticsGroups::default();
    let names = query.single("group_by")?.map(|list| list.split(','));
    for name in names.into_iter().flatten() {
        match name {
            "provider" => groups.provider = true,
            "model" => groups.model = true,
            "route" => groups.route = true,
            _ => {
                let expected = "must be one or more of `provider`, `model` and `route`";
                return Err(Problem::invalid_field("group_by", expected));
            }
        }
    }
    Ok(groups)
}

impl From<AnalyticsRow> for RowJson {
    fn from(row: AnalyticsRow) -> Self {
        Self {
            start: row.start,
            provider: row.provider,
            model: row.model,
            route: row.route,
            sessions: row.sessions,
            user_messages: row.user_messages,
            answers: row.answers,
            failed_answers: row.failed_answers,
            input_tokens: row.input_tokens,
            output_tokens: row.output_tokens,
            cost_usd: row.cost_usd,
            cost_unknown: row.cost_unknown,
            first_token_p50_ms: row.first_token_p50_ms,
            first_token_p95_ms: row.first_token_p95_ms,
            total_p50_ms: row.total_p50_ms,
            total_p95_ms: row.total_p95_ms,
            tool_calls: row.tool_calls,
            tool_failures: row.tool_failures,
        }
    }
}

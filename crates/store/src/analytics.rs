//! What is counted, and over which times.

#[cfg(any(feature = "postgres", feature = "sqlite"))]
mod range;
#[cfg(feature = "sqlite")]
pub(crate) mod tally;

use patter_protocol::Timestamp;

#[cfg(any(feature = "postgres", feature = "sqlite"))]
use crate::error::StoreError;

#[cfg(any(feature = "postgres", feature = "sqlite"))]
pub(crate) use range::Range;

/// The most buckets that a range may be cut into.
pub const ANALYTICS_BUCKETS: usize = 1_000;
/// The most rows of an answer.
pub const ANALYTICS_ROWS: usize = 20_000;

/// Which figures are wanted. Times are those of the events, in UTC.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AnalyticsQuery {
    /// The beginning; the bucket in which it is counts whole (without buckets, the hour).
    pub from: Timestamp,
    /// The end; the bucket in which the last moment before it is counts whole (the hour).
    pub to: Timestamp,
    /// Figures for each such time; for all of it together if `None`.
    pub bucket: Option<Bucket>,
    /// Figures for each of these.
    pub group_by: AnalyticsGroups,
    /// Only of sessions of this user; of all if `None`.
    pub user_id: Option<String>,
}

/// A length of time for which there is a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Bucket {
    /// From the full hour.
    Hour,
    /// From midnight.
    Day,
    /// From midnight of Monday.
    Week,
    /// From midnight of the first.
    Month,
}

/// Whether there is a row for each provider, model and route, alone or together.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct AnalyticsGroups {
    /// For each provider.
    pub provider: bool,
    /// For each model.
    pub model: bool,
    /// For each route, and for the answers that no route chose.
    pub route: bool,
}

impl AnalyticsGroups {
    /// Whether rows are of groups at all.
    #[must_use]
    pub fn is_any(self) -> bool {
        self.provider || self.model || self.route
    }
}

/// What happened in one bucket, in one group. There is no row where all would be zero.
///
/// An answer stands in the bucket in which it ended (its `ai_response`), and so do the calls of
/// tools in it, each with its model and its route.
#[derive(Debug, Clone, PartialEq)]
pub struct AnalyticsRow {
    /// Where the bucket begins.
    pub start: Timestamp,
    /// The provider, where that is grouped by.
    pub provider: Option<String>,
    /// The model, where that is grouped by.
    pub model: Option<String>,
    /// The route, where that is grouped by and one chose the model.
    pub route: Option<String>,
    /// Sessions that began. By groups: sessions with an answer of the group.
    pub sessions: u64,
    /// Messages of users. By groups: messages with an answer of the group, not counting answers that
    /// took the place of another one or were superseded; so each message counts in one group.
    pub user_messages: u64,
    /// Answers, however they ended.
    pub answers: u64,
    /// Of these, the ones that ended with `error` or `interrupted`.
    pub failed_answers: u64,
    /// Tokens of the requests, as far as the provider told.
    pub input_tokens: u64,
    /// Tokens of the answers, as far as the provider told.
    pub output_tokens: u64,
    /// What those answers cost whose cost is known, in US dollars; `None` if that of none is.
    pub cost_usd: Option<f64>,
    /// Answers whose cost is not known.
    pub cost_unknown: u64,
    /// Of the answers with text, the time to the first of it: half took no longer. The nearest rank:
    /// a time that was measured, not one between two.
    pub first_token_p50_ms: Option<u64>,
    /// 95 of 100 took no longer.
    pub first_token_p95_ms: Option<u64>,
    /// The time to the end of an answer: half took no longer.
    pub total_p50_ms: Option<u64>,
    /// 95 of 100 took no longer.
    pub total_p95_ms: Option<u64>,
    /// Calls of tools.
    pub tool_calls: u64,
    /// Of these, the ones whose result is not `ok`.
    pub tool_failures: u64,
}

#[cfg(any(feature = "postgres", feature = "sqlite"))]
impl AnalyticsRow {
    /// Nothing in a bucket.
    pub(crate) fn empty(start: Timestamp) -> Self {
        Self {
            start,
            provider: None,
            model: None,
            route: None,
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
        }
    }
}

/// The rows, if they are not too many.
#[cfg(any(feature = "postgres", feature = "sqlite"))]
pub(crate) fn check_rows(rows: Vec<AnalyticsRow>) -> Result<Vec<AnalyticsRow>, StoreError> {
    if rows.len() <= ANALYTICS_ROWS {
        return Ok(rows);
    }
    let why = format!(
        "there are more than {ANALYTICS_ROWS} rows: take larger buckets, less time, or fewer groups"
    );
    Err(StoreError::Rejected(why.into()))
}

//! What both databases do alike with the rows that they found.

use chrono::{DateTime, Utc};
use patter_protocol::SessionId;

use super::cursor::SearchCursor;
use super::{SEARCH_HITS, SearchHit, SearchPage, SearchQuery, excerpt};
use crate::error::StoreError;

/// A row that was found.
#[derive(Debug, sqlx::FromRow)]
pub(crate) struct HitRow {
    /// `session_events.id`.
    pub(crate) number: i64,
    pub(crate) session_id: String,
    pub(crate) seq: i64,
    pub(crate) event_type: String,
    #[sqlx(rename = "created_at")]
    pub(crate) at: DateTime<Utc>,
    pub(crate) title: Option<String>,
    /// The beginning of the event's text.
    pub(crate) content: String,
}

/// How many hits are wanted.
pub(crate) fn limit(query: &SearchQuery) -> u32 {
    query.limit.clamp(1, SEARCH_HITS)
}

/// The page of these rows, best first, each with its score; one more than `limit` tells that there
/// is another page. `ranked` is the first and the last event that was ranked.
pub(crate) fn page(
    mut rows: Vec<(i32, HitRow)>,
    limit: u32,
    ranked: (i64, i64),
    is_match: impl Fn(&str) -> bool,
) -> Result<SearchPage, StoreError> {
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    let has_more = rows.len() > limit;
    rows.truncate(limit);
    let next = rows
        .last()
        .filter(|_| has_more)
        .map(|(score, row)| SearchCursor {
            oldest: ranked.0,
            newest: ranked.1,
            score: *score,
            number: row.number,
        });
    let hits: Result<_, _> = rows
        .into_iter()
        .map(|(score, row)| hit(score, row, &is_match))
        .collect();
    Ok(SearchPage { hits: hits?, next })
}

fn hit(score: i32, row: HitRow, is_match: impl Fn(&str) -> bool) -> Result<SearchHit, StoreError> {
    let corrupt = |why: String| StoreError::Corrupt(format!("an event that was found: {why}"));
    Ok(SearchHit {
        session_id: SessionId::try_from(row.session_id)
            .map_err(|error| corrupt(error.to_string()))?,
        seq: u64::try_from(row.seq).map_err(|error| corrupt(error.to_string()))?,
        event_type: row.event_type,
        at: row.at.into(),
        title: row.title,
        score: f64::from(score) / 1e6,
        excerpt: excerpt::of(&row.content, is_match),
    })
}

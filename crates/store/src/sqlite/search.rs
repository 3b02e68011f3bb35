//! The full-text search on SQLite: FTS5 finds the events, from the newest back, and they are ranked
//! here. FTS5's own rank would change with each event that is stored, between one page and the next.

use std::collections::HashSet;

use sqlx::{Row, SqlitePool};

use super::error::from_sqlx;
use super::reading::Reading;
use crate::error::StoreError;
use crate::search::excerpt::EXCERPT_TEXT_CHARS;
use crate::search::page::{HitRow, limit, page};
use crate::search::text::{SearchText, words};
use crate::search::{SEARCH_CANDIDATES, SearchPage, SearchQuery};

/// The rank goes by so much of a text, in characters.
const RANKED_CHARS: i64 = 2_000;

/// See [`Insight::search`](crate::Insight::search).
pub(super) async fn search(
    pool: &SqlitePool,
    query: SearchQuery,
) -> Result<SearchPage, StoreError> {
    let asked = SearchText::parse(&query.text);
    if asked.is_empty() {
        return Ok(SearchPage::default());
    }
    let (wanted, limit) = (asked.words(), limit(&query));
    let mut reading = Reading::begin(pool).await?;
    let mut candidates = candidates(&mut reading, &asked, &query, &wanted).await?;
    let numbers = candidates.iter().map(|(_, number)| *number);
    let (Some(oldest), Some(newest)) = (numbers.clone().min(), numbers.max()) else {
        return reading.end(SearchPage::default()).await;
    };
    if let Some(cursor) = query.after {
        candidates.retain(|candidate| *candidate < (cursor.score, cursor.number));
    }
    candidates.sort_unstable_by(|a, b| b.cmp(a));
    candidates.truncate(
        usize::try_from(limit)
            .unwrap_or(usize::MAX)
            .saturating_add(1),
    );
    let rows = rows(&mut reading, &candidates).await?;
    let ranked = query
        .after
        .map_or((oldest, newest), |cursor| (cursor.oldest, cursor.newest));
    let page = page(rows, limit, ranked, |word| wanted.contains(word))?;
    reading.end(page).await
}

/// The newest events that match, each with its score and its number.
async fn candidates(
    reading: &mut Reading,
    asked: &SearchText,
    query: &SearchQuery,
    wanted: &HashSet<String>,
) -> Result<Vec<(i32, i64)>, StoreError> {
    let mut expression = format!("content : ({})", asked.to_fts5());
    if let Some(user_id) = &query.user_id {
        let hex: String = user_id.bytes().map(|byte| format!("{byte:02X}")).collect();
        expression = format!("owner : \"u{hex}\" AND {expression}");
    }
    let rows = sqlx::query(
        "select e.id, substr(e.content, 1, $5)
         from (select rowid from search_entries
               where search_entries match $1 and rowid between $2 and $3
               order by rowid desc limit $4) found
         join session_events e on e.id = found.rowid",
    )
    .bind(expression)
    .bind(query.after.map_or(0, |cursor| cursor.oldest))
    .bind(query.after.map_or(i64::MAX, |cursor| cursor.newest))
    .bind(SEARCH_CANDIDATES)
    .bind(RANKED_CHARS)
    .fetch_all(&mut **reading)
    .await
    .map_err(from_sqlx)?;
    rows.iter()
        .map(|row| {
            let content = row.try_get(1).map_err(from_sqlx)?;
            Ok((score(content, wanted), row.try_get(0).map_err(from_sqlx)?))
        })
        .collect()
}

/// How well a text matches, in millionths: better the more often the words stand in it, and the
/// shorter it is. It depends on nothing but the text.
fn score(content: &str, wanted: &HashSet<String>) -> i32 {
    let (mut matches, mut all) = (0_u16, 0_u16);
    for word in words(content) {
        all = all.saturating_add(1);
        if wanted.contains(&word.to_lowercase()) {
            matches = matches.saturating_add(1);
        }
    }
    let score = f64::from(matches).ln_1p() / (1.0 + f64::from(all).ln_1p());
    #[expect(clippy::cast_possible_truncation, reason = "it is between 0 and 12")]
    let millionths = (score * 1e6) as i32;
    millionths
}

/// The rows of these events, in this order. (Nothing is deleted in between: it is one snapshot.)
async fn rows(
    reading: &mut Reading,
    candidates: &[(i32, i64)],
) -> Result<Vec<(i32, HitRow)>, StoreError> {
    let numbers: Vec<i64> = candidates.iter().map(|(_, number)| *number).collect();
    let numbers = serde_json::Value::from(numbers).to_string();
    let rows: Vec<HitRow> = sqlx::query_as(
        "select e.id as number, e.session_id, e.seq, e.event_type, e.created_at,
                case when json_type(s.metadata, '$.title') = 'text'
                    then s.metadata ->> '$.title' end as title,
                substr(e.content, 1, $2) as content
         from json_each($1) wanted
         cross join session_events e on e.id = wanted.value
         join sessions s using (session_id)
         order by wanted.key",
    )
    .bind(numbers)
    .bind(EXCERPT_TEXT_CHARS)
    .fetch_all(&mut **reading)
    .await
    .map_err(from_sqlx)?;
    let scores = candidates.iter().map(|(score, _)| *score);
    Ok(scores.zip(rows).collect())
}

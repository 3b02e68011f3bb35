//! `GET /api/search`: finds what was said.

use http::StatusCode;
use patter_protocol::{SessionId, Timestamp};
use patter_store::{ExcerptPart, SEARCH_TEXT_CHARS, SearchCursor, SearchHit, SearchQuery};
use schemars::JsonSchema;
use serde::Serialize;

use super::{App, Problem, Query, Reply, access, json};
use crate::auth::Caller;

/// A page of what was found.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "SearchResults")]
pub(super) struct SearchJson {
    /// The hits, best first.
    hits: Vec<HitJson>,
    /// To be given as `cursor` for the next page; null on the last one.
    next_cursor: Option<String>,
}

/// Something that was said.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "SearchHit")]
struct HitJson {
    session_id: SessionId,
    /// The title of the session, where it has one.
    title: Option<String>,
    /// Where it stands in the log.
    seq: u64,
    /// `user_message`, `ai_response`, `session_ended` (with its summary) or `session_summary`.
    #[serde(rename = "type")]
    event_type: String,
    /// When it was said.
    at: Timestamp,
    /// How well it matches; for comparing hits of one search.
    score: f64,
    /// A piece of the text around the first words that match: plain text, in parts.
    excerpt: Vec<ExcerptJson>,
}

/// A part of an excerpt.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "ExcerptPart")]
struct ExcerptJson {
    text: String,
    /// Whether it is what was searched for.
    is_match: bool,
}

const DEFAULT_HITS: u32 = 20;
const MAX_HITS: u32 = patter_store::SEARCH_HITS;

/// What is searched for.
#[derive(utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "for the document; `wanted` reads it")]
struct SearchParameters {
    /// Words that must all be there, `"words in a row"`, `-not`, `or` between alternatives.
    #[param(min_length = 1, max_length = 256)]
    q: String,
    /// Only in this user's sessions.
    #[param(min_length = 1, max_length = 256)]
    user_id: Option<String>,
    /// So many hits at the most; 20 where nothing is said.
    #[param(minimum = 1, maximum = 100)]
    limit: Option<i32>,
    /// Where the page before ended: its `next_cursor`.
    cursor: Option<String>,
}

/// Full-text search in what was said.
///
/// # Errors
///
/// 400 for a bad parameter, 503 if the store does not answer.
#[utoipa::path(
    get,
    operation_id = "search",
    path = "/api/search",
    tag = "sessions",
    params(SearchParameters),
    responses(
        (status = 200, description = "What was found, best first", body = ref("#/components/schemas/SearchResults")),
        (status = 503, description = "The store does not answer"),
    )
)]
pub(super) async fn search(app: &App, caller: &Caller, query: &Query<'_>) -> Reply {
    let mut wanted = wanted(query)?;
    wanted.user_id = access::listed(app, caller, wanted.user_id)?;
    let page = app.archive.search(wanted).await?;
    let body = SearchJson {
        next_cursor: page.next.map(|cursor| cursor.to_string()),
        hits: page.hits.into_iter().map(HitJson::from).collect(),
    };
    Ok(json(StatusCode::OK, &body))
}

fn wanted(query: &Query<'_>) -> Result<SearchQuery, Problem> {
    let text = query.single("q")?.unwrap_or_default();
    if !(1..=SEARCH_TEXT_CHARS).contains(&text.chars().count()) {
        let expected = format!("must have 1 to {SEARCH_TEXT_CHARS} characters");
        return Err(Problem::invalid_field("q", expected));
    }
    let after: Option<SearchCursor> =
        query.parsed("cursor", "must be the `next_cursor` of another page")?;
    Ok(SearchQuery {
        text: text.to_owned(),
        user_id: query.user_id()?,
        limit: query.limit(DEFAULT_HITS, MAX_HITS)?,
        after,
    })
}

impl From<SearchHit> for HitJson {
    fn from(hit: SearchHit) -> Self {
        Self {
            session_id: hit.session_id,
            title: hit.title,
            seq: hit.seq,
            event_type: hit.event_type,
            at: hit.at,
            score: hit.score,
            excerpt: hit.excerpt.into_iter().map(ExcerptJson::from).collect(),
        }
    }
}

impl From<ExcerptPart> for ExcerptJson {
    fn from(part: ExcerptPart) -> Self {
        Self {
            text: part.text,
            is_match: part.is_match,
        }
    }
}

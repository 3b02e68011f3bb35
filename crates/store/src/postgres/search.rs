//! The full-text search on PostgreSQL. The function `patter.search` finds the events and ranks them;
//! see its migration.
//!
//! The language of the words is that of the process that wrote them. A change of `search.language`
//! holds for what is written from then on: what is there keeps its words, and is asked for in its own
//! language, so nothing has to be made anew.

use std::time::Duration;

use sqlx::{FromRow, Row};

use super::connections::Connections;
use super::error::from_sqlx;
use crate::deadline::within;
use crate::error::StoreError;
use crate::search::excerpt::EXCERPT_TEXT_CHARS;
use crate::search::page::{HitRow, limit, page};
use crate::search::text::SearchText;
use crate::search::{SEARCH_CANDIDATES, SearchPage, SearchQuery};

/// So many events are looked at for words in a row, about: those stored last that have all the words.
const PHRASE_LOOKS: i32 = 5_000;
/// How long it may take to make a language known.
const LANGUAGE_DEADLINE: Duration = Duration::from_secs(10);

/// Makes sure that there is such a language, and lets searches ask for its words.
pub(super) async fn use_language(
    connections: &Connections,
    language: &str,
) -> Result<(), StoreError> {
    let asking = sqlx::query("select 1 where patter.search_configuration($1) is not null");
    let asking = connections.fetch(asking.bind(language));
    if within(LANGUAGE_DEADLINE, asking).await?.is_empty() {
        let why = format!("it has no text search configuration `{language}`");
        return Err(StoreError::Unusable(why));
    }
    let query = sqlx::query(
        "insert into patter.search_languages (language) values ($1) on conflict do nothing",
    );
    within(LANGUAGE_DEADLINE, connections.fetch(query.bind(language)))
        .await
        .map(drop)
}

/// See [`Insight::search`](crate::Insight::search).
pub(super) async fn search(
    connections: &Connections,
    query: SearchQuery,
) -> Result<SearchPage, StoreError> {
    let asked = SearchText::parse(&query.text);
    if asked.is_empty() {
        return Ok(SearchPage::default());
    }
    let (words, limit) = (asked.words(), limit(&query));
    let all_words = words
        .iter()
        .map(String::as_str)
        .collect::<Vec<_>>()
        .join(" ");
    let statement = sqlx::query(
        "with found as materialized (
             select * from patter.search($1, $2, $2 is null, $3, $4, $5, $11)
         ), hits as (
             select * from found
             where $6::int is null or (score, event_number) < ($6, $7)
             order by score desc, event_number desc
             limit $8
         )
         select e.id as number, h.score, e.session_id, e.seq, e.event_type, e.created_at,
                case when jsonb_typeof(s.metadata -> 'title') = 'string'
                    then s.metadata ->> 'title' end as title,
                left(e.content, $9) as content,
                (select min(event_number) from found) as oldest,
                (select max(event_number) from found) as newest,
                array(select word.lexeme
                      from patter.search_languages l,
                           unnest(to_tsvector(l.language::regconfig, $10)) word
                      where l.language <> 'simple') as stems
         from hits h
         join patter.session_events e on e.id = h.event_number
         join patter.sessions s using (session_id)
         order by h.score desc, h.event_number desc",
    )
    .bind(asked.to_websearch())
    .bind(query.user_id)
    .bind(query.after.map(|cursor| cursor.newest))
    .bind(query.after.map_or(0, |cursor| cursor.oldest))
    .bind(i32::try_from(SEARCH_CANDIDATES).unwrap_or(i32::MAX))
    .bind(query.after.map(|cursor| cursor.score))
    .bind(query.after.map(|cursor| cursor.number))
    .bind(i64::from(limit) + 1)
    .bind(i32::try_from(EXCERPT_TEXT_CHARS).unwrap_or(i32::MAX))
    .bind(all_words)
    // A later page ends where the first one did.
    .bind(query.after.map_or(PHRASE_LOOKS, |_| i32::MAX));
    let rows = connections.fetch(statement).await?;
    let Some(first) = rows.first() else {
        return Ok(SearchPage::default());
    };
    let ranked = (
        first.try_get("oldest").map_err(from_sqlx)?,
        first.try_get("newest").map_err(from_sqlx)?,
    );
    let stems: Vec<String> = first.try_get("stems").map_err(from_sqlx)?;
    let found: Result<Vec<_>, _> = rows
        .iter()
        .map(|row| Ok((row.try_get("score")?, HitRow::from_row(row)?)))
        .collect();
    page(found.map_err(from_sqlx)?, limit, ranked, |word| {
        words.contains(word) || stems.iter().any(|stem| word.starts_with(stem.as_str()))
    })
}

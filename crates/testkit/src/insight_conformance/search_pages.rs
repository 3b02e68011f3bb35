//! In which order hits come, and page by page.

use patter_protocol::{EventBody, SessionId};
use patter_store::{Insight, SEARCH_CANDIDATES, SearchCursor, SearchHit, SearchQuery};

use super::InsightFixture;
use super::corpus::{asked, found, said};
use crate::store_conformance::sample::message;

/// All pages, and what is done between one and the next.
async fn pages(
    insight: &dyn Insight,
    text: &str,
    limit: u32,
    mut between: impl AsyncFnMut(),
) -> Vec<SearchHit> {
    let mut query = SearchQuery {
        limit,
        ..asked(text)
    };
    let mut hits = Vec::new();
    loop {
        let page = insight.search(query.clone()).await.unwrap();
        assert!(page.hits.len() <= usize::try_from(limit).unwrap());
        hits.extend(page.hits);
        let Some(next) = page.next else {
            return hits;
        };
        // As a client would bring it back.
        let next: SearchCursor = next.to_string().parse().unwrap();
        query.after = Some(next);
        between().await;
    }
}

/// More often in a shorter text is better.
pub async fn the_best_come_first_and_then_the_newest(fixture: &dyn InsightFixture) {
    let (store, insight) = fixture.open_insight().await;
    let long = format!(
        "newt {}",
        "and much else that is of no interest here ".repeat(10)
    );
    let texts = ["the newt", "newt newt newt", &long, "one newt"];
    said(store.as_ref(), None, texts.map(message)).await;
    let found = found(insight.as_ref(), "newt").await;
    assert_eq!(found[..3], ["newt newt newt", "one newt", "the newt"]);
    assert!(found[3].starts_with("newt and much"), "{found:?}");
    let hits = insight.search(asked("newt")).await.unwrap().hits;
    assert!(hits.is_sorted_by(|a, b| a.score >= b.score));
}

/// Also where it would be better than what is there.
pub async fn pages_neither_skip_nor_repeat_while_more_is_said(fixture: &dyn InsightFixture) {
    let (store, insight) = fixture.open_insight().await;
    let texts: Vec<String> = (0..40)
        .map(|index| {
            format!(
                "{}number {index} {}",
                "toad ".repeat(1 + index % 4),
                "x ".repeat(index % 3)
            )
        })
        .collect();
    said(
        store.as_ref(),
        Some("ada"),
        texts.iter().map(|text| message(text)),
    )
    .await;
    let at_once = pages(insight.as_ref(), "toad", 100, async || {}).await;
    assert_eq!(at_once.len(), 40);
    for limit in [1, 7, 39, 40] {
        let hits = pages(insight.as_ref(), "toad number", limit, async || {
            said(store.as_ref(), None, [message("toad toad toad toad toad")]).await;
        })
        .await;
        assert_eq!(
            hits,
            pages(insight.as_ref(), "toad number", 100, async || {}).await,
            "{limit}"
        );
        let mut places: Vec<_> = hits.iter().map(|hit| hit.seq).collect();
        places.sort_unstable();
        assert_eq!(places, (1..=40).collect::<Vec<_>>(), "{limit}");
    }
    // A number outside of what is allowed is taken for the nearest.
    let one = SearchQuery {
        limit: 0,
        ..asked("toad")
    };
    assert_eq!(insight.search(one).await.unwrap().hits.len(), 1);
    said(store.as_ref(), None, (0..100).map(|_| message("toad"))).await;
    let all = SearchQuery {
        limit: u32::MAX,
        ..asked("toad")
    };
    assert_eq!(insight.search(all).await.unwrap().hits.len(), 100);
}

/// Those that were said last, from all sessions.
pub async fn of_very_many_the_newest_are_found(fixture: &dyn InsightFixture) {
    let (store, insight) = fixture.open_insight().await;
    let count = u64::from(SEARCH_CANDIDATES) + 500;
    let many = |range: std::ops::RangeInclusive<u64>| -> Vec<EventBody> {
        range
            .map(|index| message(&format!("gnu {index}")))
            .collect()
    };
    let first = said(store.as_ref(), Some("ada"), many(1..=count)).await;
    let hits = pages(insight.as_ref(), "gnu", 100, async || {}).await;
    let places = |hits: &[SearchHit], id: &SessionId| {
        let of_one = hits.iter().filter(|hit| &hit.session_id == id);
        let mut places: Vec<_> = of_one.map(|hit| hit.seq).collect();
        places.sort_unstable();
        places
    };
    assert_eq!(places(&hits, &first), (501..=count).collect::<Vec<_>>());
    let second = said(store.as_ref(), Some("bob"), many(1..=300)).await;
    let hits = pages(insight.as_ref(), "gnu", 100, async || {}).await;
    assert_eq!(places(&hits, &second).len(), 300);
    assert_eq!(places(&hits, &first), (801..=count).collect::<Vec<_>>());
    // A word that is rare is found in the oldest too, and so are those of one user.
    assert_eq!(found(insight.as_ref(), "gnu 7").await, ["gnu 7", "gnu 7"]);
    let of_bob = SearchQuery {
        user_id: Some("bob".to_owned()),
        ..asked("gnu 7")
    };
    assert_eq!(insight.search(of_bob).await.unwrap().hits.len(), 1);
}

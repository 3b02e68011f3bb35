//! Search and figures: what PostgreSQL alone has.

use std::sync::Arc;

use async_trait::async_trait;
use patter_protocol::SessionId;
use patter_store::{
    Insight, PostgresOptions, PostgresStore, SearchQuery, SessionStore, StoreError,
};
use patter_testkit::insight_conformance::{InsightFixture, check_older_rows, older_rows};

use super::{Database, FILES, append, claimed, make, message, write};

#[async_trait]
impl InsightFixture for Database {
    async fn open_insight(&self) -> (Arc<dyn SessionStore>, Arc<dyn Insight>) {
        let store = Arc::new(PostgresStore::connect(self.options()).await.unwrap());
        (Arc::clone(&store) as _, store)
    }

    async fn delete(&self, session_id: &SessionId) {
        sqlx::query("delete from patter.sessions where session_id = $1")
            .bind(session_id.as_str())
            .execute(&mut self.connection().await)
            .await
            .unwrap();
    }
}

patter_testkit::insight_conformance!(make);

#[tokio::test]
async fn what_an_older_version_stored_is_found_and_counted() {
    let database = make().await;
    // All that was there before there was search.
    for file in FILES.into_iter().take(6) {
        database.0.execute(file).await;
    }
    let rows = older_rows("patter.", "now()", "gen_random_uuid()", "::jsonb");
    database.0.execute(&rows).await;
    check_older_rows(&database).await;
}

#[tokio::test]
async fn a_language_holds_for_what_is_written_from_then_on() {
    let database = make().await;
    let in_language = async |language: &str| {
        PostgresStore::connect(PostgresOptions {
            search_language: language.to_owned(),
            ..database.options()
        })
        .await
    };
    let simple = in_language("simple").await.unwrap();
    let (id, claim) = claimed(&simple).await;
    let said = append(&id, claim.fence, [message("the horses were running")]);
    write(&simple, said).await.unwrap();
    let english = in_language("english").await.unwrap();
    let said = append(&id, claim.fence, [message("the foxes were running")]);
    write(&english, said).await.unwrap();
    let found = async |text: &str| {
        let query = SearchQuery {
            text: text.to_owned(),
            user_id: None,
            limit: 10,
            after: None,
        };
        let hits = english.search(query).await.unwrap().hits;
        let mut places: Vec<_> = hits.iter().map(|hit| hit.seq).collect();
        places.sort_unstable();
        (places, hits)
    };
    assert_eq!(found("run").await.0, [2]);
    assert_eq!(found("running").await.0, [1, 2]);
    assert_eq!(found("running -fox").await.0, [1]);
    assert_eq!(found("running -horses").await.0, [2]);
    // Left out in English.
    assert_eq!(found("the").await.0, [1]);
    let (_, hits) = found("runs fox").await;
    let marked = hits[0].excerpt.iter().filter(|part| part.is_match);
    let marked: Vec<_> = marked.map(|part| part.text.as_str()).collect();
    assert_eq!(marked, ["foxes", "running"]);

    for wrong in ["klingon", "", "x'); drop table patter.sessions; --"] {
        let refused = in_language(wrong).await;
        assert!(
            matches!(refused, Err(StoreError::Unusable(_))),
            "{wrong}: {refused:?}"
        );
    }
}

#[tokio::test]
async fn words_in_a_row_are_looked_for_in_so_many_events_and_no_more() {
    let database = make().await;
    let store = PostgresStore::connect(database.options()).await.unwrap();
    let (id, claim) = claimed(&store).await;
    // One that has them in a row, behind 2000 that have both and not so: more than a stretch.
    let others = (0..2000).map(|_| message("apples are red"));
    let said = [message("red apples")].into_iter().chain(others);
    write(&store, append(&id, claim.fence, said)).await.unwrap();
    let found = async |looks: i32| -> i64 {
        sqlx::query_scalar(
            "select count(*) from patter.search('\"red apples\"', null, true, null, 0, 1000, $1)",
        )
        .bind(looks)
        .fetch_one(&mut database.connection().await)
        .await
        .unwrap()
    };
    assert_eq!(found(10).await, 0);
    assert_eq!(found(5_000).await, 1);
}

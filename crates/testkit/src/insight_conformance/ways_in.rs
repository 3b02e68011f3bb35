//! However an event comes into the log, it is found, and counted once.

use patter_protocol::{SessionId, Timestamp};
use patter_store::{ImportedSession, Insight};

use super::InsightFixture;
use super::analytics::{answered, around_now};
use super::corpus::found;
use crate::store_conformance::archive::{imported, log_from};
use crate::store_conformance::sample::{append, claimed, ended, message, metrics, started, write};

/// Alone, with others, and with one that was stored before, which is looked at apart from all others.
pub async fn what_is_appended_is_found_and_counted_once(fixture: &dyn InsightFixture) {
    let (store, insight) = fixture.open_insight().await;
    let (id, claim) = claimed(store.as_ref()).await;
    let first = append(&id, claim.fence, [message("a first heron")]);
    write(store.as_ref(), first.clone()).await.unwrap();
    // Again, as whoever has not heard that it was stored.
    write(store.as_ref(), first.clone()).await.unwrap();
    let several = [message("a second heron"), answered("m", |_| {})];
    let several = append(&id, claim.fence, several);
    write(store.as_ref(), several).await.unwrap();
    let mut mixed = append(
        &id,
        claim.fence,
        [message("a third heron"), answered("m", |_| {})],
    );
    mixed.events.splice(0..0, first.events);
    write(store.as_ref(), mixed).await.unwrap();

    assert_eq!(
        found(insight.as_ref(), "heron").await,
        ["a third heron", "a second heron", "a first heron"]
    );
    assert_eq!(counted(insight.as_ref()).await, [(3, 2)]);
}

/// Of several sessions, more than one statement inserts; and where one of them has something that was stored before.
pub async fn a_batch_of_several_sessions_is_found_and_counted_once(fixture: &dyn InsightFixture) {
    let (store, insight) = fixture.open_insight().await;
    let (one, one_claim) = claimed(store.as_ref()).await;
    let (other, other_claim) = claimed(store.as_ref()).await;
    let egrets = |count| (0..count).map(|_| message("an egret"));
    let first = append(&one, one_claim.fence, egrets(70));
    let last = append(
        &other,
        other_claim.fence,
        [message("a heron"), answered("m", |_| {})],
    );
    for answer in store.append(vec![first.clone(), last]).await {
        answer.unwrap();
    }
    assert_eq!(counted(insight.as_ref()).await, [(71, 1)]);

    let another = append(&other, other_claim.fence, [message("another heron")]);
    for answer in store.append(vec![first, another]).await {
        answer.unwrap();
    }
    assert_eq!(counted(insight.as_ref()).await, [(72, 1)]);
    assert_eq!(found(insight.as_ref(), "egret").await.len(), 70);
    assert_eq!(
        found(insight.as_ref(), "heron").await,
        ["another heron", "a heron"]
    );
}

/// As what was appended, and all of a log that goes into the store piece by piece.
pub async fn what_is_imported_is_found_and_counted(fixture: &dyn InsightFixture) {
    let store = fixture.open_archive().await;
    let bodies = [
        vec![started(), message("a heron from elsewhere")],
        (0..600).map(|_| answered("m", |_| {})).collect(),
        vec![ended(Some("about a heron"), metrics())],
    ]
    .concat();
    let session = ImportedSession {
        events: log_from(Timestamp::now(), bodies),
        ..imported(SessionId::generate(), Timestamp::now())
    };
    store.import(session).await.unwrap();

    let (_, insight) = fixture.open_insight().await;
    assert_eq!(
        found(insight.as_ref(), "heron").await,
        ["about a heron", "a heron from elsewhere"]
    );
    assert_eq!(counted(insight.as_ref()).await, [(1, 600)]);
}

/// Messages and answers of these days.
async fn counted(insight: &dyn Insight) -> Vec<(u64, u64)> {
    let rows = insight.analytics(around_now()).await.unwrap();
    let figures = rows.iter().map(|row| (row.user_messages, row.answers));
    figures.collect()
}

//! Reading a part of a log.

use std::sync::Arc;

use patter_protocol::{Metrics, SessionId};
use patter_store::{EventQuery, SessionStore};

use super::StoreFixture;
use super::sample::{append, claimed, ended, log_of, message, places, started, write};

/// Also where that is the end, or far behind it.
pub async fn reading_begins_behind_the_place_that_is_given(fixture: &dyn StoreFixture) {
    let (store, id) = five_events(fixture).await;
    for (after, expected) in [
        (0, vec![1, 2, 3, 4, 5]),
        (3, vec![4, 5]),
        (5, vec![]),
        (u64::MAX, vec![]),
    ] {
        let query = EventQuery {
            after,
            limit: 100,
            types: Vec::new(),
        };
        assert_eq!(
            places(&store.events(&id, query).await.unwrap()),
            expected,
            "after {after}"
        );
    }
}

/// The oldest come first.
pub async fn reading_stops_at_the_limit(fixture: &dyn StoreFixture) {
    let (store, id) = five_events(fixture).await;
    for (limit, expected) in [
        (0, vec![]),
        (1, vec![2]),
        (2, vec![2, 3]),
        (u32::MAX, vec![2, 3, 4, 5]),
    ] {
        let query = EventQuery {
            after: 1,
            limit,
            types: Vec::new(),
        };
        assert_eq!(
            places(&store.events(&id, query).await.unwrap()),
            expected,
            "limit {limit}"
        );
    }
}

/// The limit counts what is given, not what is passed over.
pub async fn reading_can_be_bound_to_types(fixture: &dyn StoreFixture) {
    let (store, id) = five_events(fixture).await;
    let query = |types: &[&str], limit| EventQuery {
        after: 0,
        limit,
        types: types.iter().map(|&name| name.to_owned()).collect(),
    };
    let places_of = async |query| places(&store.events(&id, query).await.unwrap());
    assert_eq!(places_of(query(&["user_message"], 100)).await, [2, 3, 4]);
    assert_eq!(
        places_of(query(&["session_ended", "session_started"], 100)).await,
        [1, 5]
    );
    assert_eq!(places_of(query(&["session_ended"], 1)).await, [5]);
    assert!(
        places_of(query(&["no such type", "'"], 100))
            .await
            .is_empty()
    );
}

/// And has no row.
pub async fn an_unknown_session_is_empty(fixture: &dyn StoreFixture) {
    let store = fixture.open().await;
    let id = SessionId::generate();
    assert!(log_of(store.as_ref(), &id).await.is_empty());
    assert_eq!(store.session(&id).await.unwrap(), None);
}

/// A start, three messages, an end; another session beside it.
async fn five_events(fixture: &dyn StoreFixture) -> (Arc<dyn SessionStore>, SessionId) {
    let store = fixture.open().await;
    let (other, other_claim) = claimed(store.as_ref()).await;
    write(
        store.as_ref(),
        append(&other, other_claim.fence, [started()]),
    )
    .await
    .unwrap();
    let (id, claim) = claimed(store.as_ref()).await;
    let bodies = [
        started(),
        message("a"),
        message("b"),
        message("c"),
        ended(None, Metrics::default()),
    ];
    write(store.as_ref(), append(&id, claim.fence, bodies))
        .await
        .unwrap();
    (store, id)
}

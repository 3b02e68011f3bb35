//! Entries of one batch do not touch each other.

use patter_protocol::{CallId, SessionId};
use patter_store::{Append, Fence, SessionStore, StoreError};
use serde_json::json;

use super::StoreFixture;
use super::sample::{append, claimed, log_of, message, places, started, stored_from, tool_result};

/// Entries of different lengths, several sessions.
pub async fn a_batch_answers_each_entry_in_order(fixture: &dyn StoreFixture) {
    let store = fixture.open().await;
    let mut batch = Vec::new();
    for count in 1..=20 {
        let (id, claim) = claimed(store.as_ref()).await;
        batch.push(append(&id, claim.fence, (0..count).map(|_| message("a"))));
    }
    let answers = store.append(batch.clone()).await;
    assert_eq!(answers.len(), batch.len());
    for ((entry, answer), count) in batch.iter().zip(answers).zip(1..) {
        assert_eq!(answer.unwrap(), stored_from(1, count));
        let log = log_of(store.as_ref(), &entry.session_id).await;
        let ids: Vec<_> = log.iter().map(|stored| stored.event.event_id).collect();
        let given: Vec<_> = entry.events.iter().map(|event| event.event_id).collect();
        assert_eq!(ids, given);
    }
}

/// A stale fence in the middle.
pub async fn a_fenced_entry_does_not_touch_its_neighbours(fixture: &dyn StoreFixture) {
    let store = fixture.open().await;
    let (id, claim) = claimed(store.as_ref()).await;
    let stale = append(&id, Fence(claim.fence.0 - 1), [started(), message("a")]);
    let error = assert_only_the_middle_fails(store.as_ref(), stale).await;
    assert!(
        matches!(&error, StoreError::Fenced { session_id } if *session_id == id),
        "{error:?}"
    );
    assert!(log_of(store.as_ref(), &id).await.is_empty());
}

/// A session that nobody claimed.
pub async fn an_entry_of_an_unknown_session_does_not_touch_its_neighbours(
    fixture: &dyn StoreFixture,
) {
    let store = fixture.open().await;
    let id = SessionId::generate();
    let unknown = append(&id, Fence(1), [message("a")]);
    let error = assert_only_the_middle_fails(store.as_ref(), unknown).await;
    assert!(
        matches!(&error, StoreError::NoSuchSession { session_id } if *session_id == id),
        "{error:?}"
    );
    assert_eq!(store.session(&id).await.unwrap(), None);
}

/// U+0000 in a text, in JSON, and JSON too deep to be read again.
pub async fn an_entry_that_cannot_be_stored_does_not_touch_its_neighbours(
    fixture: &dyn StoreFixture,
) {
    let store = fixture.open().await;
    let too_deep = (0..200).fold(json!(1), |inner, _| json!([inner]));
    for poison in [
        message("a\0b"),
        tool_result(CallId::generate(), json!({"a": ["\0"]})),
        tool_result(CallId::generate(), json!({"\0": 1})),
        tool_result(CallId::generate(), too_deep),
    ] {
        let (id, claim) = claimed(store.as_ref()).await;
        let poisoned = append(
            &id,
            claim.fence,
            [message("before"), poison, message("after")],
        );
        let error = assert_only_the_middle_fails(store.as_ref(), poisoned).await;
        assert!(matches!(error, StoreError::Rejected(_)), "{error:?}");
        assert!(log_of(store.as_ref(), &id).await.is_empty());
    }
}

/// A refused entry leaves neither events nor numbers behind.
pub async fn an_entry_is_stored_whole_or_not_at_all(fixture: &dyn StoreFixture) {
    let store = fixture.open().await;
    let (id, claim) = claimed(store.as_ref()).await;
    let bad = append(
        &id,
        claim.fence,
        [message("one"), message("two"), message("\0")],
    );
    assert!(store.append(vec![bad]).await.remove(0).is_err());
    assert_eq!(store.session(&id).await.unwrap().unwrap().last_seq, 0);
    let good = append(&id, claim.fence, [message("three")]);
    assert_eq!(
        store.append(vec![good]).await.remove(0).unwrap(),
        stored_from(1, 1)
    );
    assert_eq!(places(&log_of(store.as_ref(), &id).await), [1]);
}

/// Nothing to do, nothing done; but a stale fence is told even then.
pub async fn an_empty_batch_and_an_empty_entry_are_fine(fixture: &dyn StoreFixture) {
    let store = fixture.open().await;
    assert!(store.append(Vec::new()).await.is_empty());
    let (id, claim) = claimed(store.as_ref()).await;
    assert_eq!(
        store
            .append(vec![append(&id, claim.fence, [])])
            .await
            .remove(0)
            .unwrap(),
        []
    );
    let stale = store
        .append(vec![append(&id, Fence(claim.fence.0 - 1), [])])
        .await
        .remove(0);
    assert!(matches!(stale, Err(StoreError::Fenced { .. })), "{stale:?}");
}

/// Appends `bad` between two good entries and gives its error.
async fn assert_only_the_middle_fails(store: &dyn SessionStore, bad: Append) -> StoreError {
    let (first, first_claim) = claimed(store).await;
    let (last, last_claim) = claimed(store).await;
    let batch = vec![
        append(&first, first_claim.fence, [started(), message("first")]),
        bad,
        append(&last, last_claim.fence, [started(), message("last")]),
    ];
    let mut answers = store.append(batch).await;
    assert_eq!(answers.len(), 3);
    assert_eq!(answers.pop().unwrap().unwrap(), stored_from(1, 2));
    let error = answers.pop().unwrap().unwrap_err();
    assert_eq!(answers.pop().unwrap().unwrap(), stored_from(1, 2));
    for id in [first, last] {
        assert_eq!(log_of(store, &id).await.len(), 2);
    }
    error
}

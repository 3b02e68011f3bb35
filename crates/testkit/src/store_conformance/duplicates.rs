//! What is tried twice is stored once.

use patter_protocol::{CallId, EventBody, Metrics, ResponseId};
use patter_store::Appended;
use serde_json::json;

use super::StoreFixture;
use super::sample::{
    answer, append, claimed, ended, log_of, message, message_with_id, places, started, stored_from,
    tool_result, write,
};

/// The whole append again, as after an answer that got lost.
pub async fn an_event_that_is_tried_twice_is_stored_once(fixture: &dyn StoreFixture) {
    let store = fixture.open().await;
    let (id, claim) = claimed(store.as_ref()).await;
    let entry = append(
        &id,
        claim.fence,
        [started(), message("a"), ended(None, Metrics::default())],
    );
    assert_eq!(
        write(store.as_ref(), entry.clone()).await.unwrap(),
        stored_from(1, 3)
    );
    let again = write(store.as_ref(), entry).await.unwrap();
    assert_eq!(again, [1, 2, 3].map(|seq| Appended::Duplicate { seq }));
    assert_eq!(places(&log_of(store.as_ref(), &id).await), [1, 2, 3]);
}

/// By the message's id.
pub async fn a_message_is_stored_once_whatever_its_event_id(fixture: &dyn StoreFixture) {
    let id = "once 'é' \u{1F600}".to_owned().try_into().unwrap();
    assert_stored_once(fixture, &message_with_id(id, "a")).await;
}

/// By the answer's id.
pub async fn an_answer_is_stored_once_whatever_its_event_id(fixture: &dyn StoreFixture) {
    assert_stored_once(fixture, &answer(ResponseId::generate(), "a")).await;
}

/// By the call's id.
pub async fn a_tool_result_is_stored_once_whatever_its_event_id(fixture: &dyn StoreFixture) {
    assert_stored_once(fixture, &tool_result(CallId::generate(), json!(4))).await;
}

/// The second of two in one append.
pub async fn a_duplicate_within_one_append_is_found(fixture: &dyn StoreFixture) {
    let store = fixture.open().await;
    let (id, claim) = claimed(store.as_ref()).await;
    let body = message("a");
    let entry = append(
        &id,
        claim.fence,
        [started(), body.clone(), body, message("b")],
    );
    let answers = write(store.as_ref(), entry).await.unwrap();
    let expected = [
        Appended::Stored { seq: 1 },
        Appended::Stored { seq: 2 },
        Appended::Duplicate { seq: 2 },
        Appended::Stored { seq: 3 },
    ];
    assert_eq!(answers, expected);
}

/// Ids are names within a session.
pub async fn the_same_message_id_in_two_sessions_is_two_messages(fixture: &dyn StoreFixture) {
    let store = fixture.open().await;
    let body = message("a");
    for _ in 0..2 {
        let (id, claim) = claimed(store.as_ref()).await;
        let entry = append(&id, claim.fence, [body.clone()]);
        assert_eq!(
            write(store.as_ref(), entry).await.unwrap(),
            stored_from(1, 1)
        );
    }
}

/// A number is taken only by what is stored.
pub async fn duplicates_leave_no_gaps(fixture: &dyn StoreFixture) {
    let store = fixture.open().await;
    let (id, claim) = claimed(store.as_ref()).await;
    let known = message("known");
    for _ in 0..5 {
        let entry = append(
            &id,
            claim.fence,
            [known.clone(), message("new"), known.clone()],
        );
        write(store.as_ref(), entry).await.unwrap();
    }
    assert_eq!(
        places(&log_of(store.as_ref(), &id).await),
        [1, 2, 3, 4, 5, 6]
    );
}

/// Neither the first event nor the session's row.
pub async fn a_duplicate_changes_nothing(fixture: &dyn StoreFixture) {
    let store = fixture.open().await;
    let (id, claim) = claimed(store.as_ref()).await;
    let end = append(&id, claim.fence, [ended(Some("first"), Metrics::default())]);
    write(store.as_ref(), end.clone()).await.unwrap();
    write(store.as_ref(), append(&id, claim.fence, [started()]))
        .await
        .unwrap();
    let (log, record) = (
        log_of(store.as_ref(), &id).await,
        store.session(&id).await.unwrap(),
    );

    write(store.as_ref(), end).await.unwrap();
    assert_eq!(log_of(store.as_ref(), &id).await, log);
    assert_eq!(store.session(&id).await.unwrap(), record);
}

async fn assert_stored_once(fixture: &dyn StoreFixture, body: &EventBody) {
    let store = fixture.open().await;
    let (id, claim) = claimed(store.as_ref()).await;
    write(store.as_ref(), append(&id, claim.fence, [started()]))
        .await
        .unwrap();
    let first = write(store.as_ref(), append(&id, claim.fence, [body.clone()]))
        .await
        .unwrap();
    assert_eq!(first, [Appended::Stored { seq: 2 }]);
    let second = write(store.as_ref(), append(&id, claim.fence, [body.clone()]))
        .await
        .unwrap();
    assert_eq!(second, [Appended::Duplicate { seq: 2 }]);
    assert_eq!(log_of(store.as_ref(), &id).await.len(), 2);
}

//! A log is numbered without gaps, lasts, and is read as it was written.

use patter_protocol::{CallId, EventBody, ResponseId};
use patter_store::NewEvent;
use serde_json::{Value, json};

use super::StoreFixture;
use super::sample::{
    answer, append, claimed, every_kind, log_of, message, places, started, stored_from,
    tool_result, write,
};

/// Several appends, one log.
pub async fn events_are_numbered_from_one_without_gaps(fixture: &dyn StoreFixture) {
    let store = fixture.open().await;
    let (id, claim) = claimed(store.as_ref()).await;
    let first = append(&id, claim.fence, [started(), message("a"), message("b")]);
    assert_eq!(
        write(store.as_ref(), first).await.unwrap(),
        stored_from(1, 3)
    );
    let second = append(&id, claim.fence, [message("c"), message("d")]);
    assert_eq!(
        write(store.as_ref(), second).await.unwrap(),
        stored_from(4, 2)
    );
    assert_eq!(places(&log_of(store.as_ref(), &id).await), [1, 2, 3, 4, 5]);
}

/// Closing and opening loses nothing.
pub async fn a_store_that_is_opened_again_has_everything(fixture: &dyn StoreFixture) {
    let store = fixture.open().await;
    let (id, claim) = claimed(store.as_ref()).await;
    write(store.as_ref(), append(&id, claim.fence, every_kind()))
        .await
        .unwrap();
    let (log, record) = (
        log_of(store.as_ref(), &id).await,
        store.session(&id).await.unwrap(),
    );
    store.close().await;

    let again = fixture.open().await;
    assert_eq!(log_of(again.as_ref(), &id).await, log);
    assert_eq!(again.session(&id).await.unwrap(), record);
    let next = append(&id, claim.fence, [message("after")]);
    let place = log.len() as u64 + 1;
    assert_eq!(
        write(again.as_ref(), next).await.unwrap(),
        stored_from(place, 1)
    );
}

/// Each kind, each field, time and id included.
pub async fn every_kind_of_event_is_read_as_it_was_given(fixture: &dyn StoreFixture) {
    assert_same_after_reading(fixture, every_kind()).await;
}

/// Text of all planes, empty, with control characters, long.
pub async fn every_text_is_read_as_it_was_given(fixture: &dyn StoreFixture) {
    let long = "wörter ohne zahl ".repeat(100_000);
    let long_word = "x".repeat(1_200_000);
    let texts = [
        "",
        " ",
        "\u{1}\u{1f}\u{7f}",
        "\r\n\t\u{2028}",
        "👩‍👩‍👧‍👦 e\u{301}",
        "\u{FEFF}bom",
        "\u{10FFFF}",
        "\\u0000 is not a NUL",
        "\"quoted\" \\ back",
        "שלום مرحبا",
        &long,
        &long_word,
    ];
    let bodies = texts.iter().flat_map(|text| {
        [
            message(text),
            answer(ResponseId::generate(), text),
            tool_result(CallId::generate(), json!({*text: [text]})),
            tool_result(CallId::generate(), json!(text)),
        ]
    });
    assert_same_after_reading(fixture, bodies.collect()).await;
}

/// Input 75.
///
/// JSON as models and tools give it.
pub async fn large_json_and_all_kinds_of_numbers_are_read_as_they_were_given(
    fixture: &dyn StoreFixture,
) {
    let numbers = json!([
        0,
        -1,
        u64::MAX,
        i64::MIN,
        0.0,
        -0.5,
        1.0,
        1e16,
        1e300,
        -1e-300,
        f64::MAX,
        f64::MIN_POSITIVE,
        5e-324,
        0.1,
        123_456_789.123_456_78,
        9_007_199_254_740_993_u64,
        1e22,
        1e21
    ]);
    let large: Vec<Value> = (0..20_000)
        .map(|n| json!({"n": n, "text": "x".repeat(20), "third": f64::from(n) / 3.0}))
        .collect();
    let deep = (0..100).fold(json!("bottom"), |inner, _| json!([inner]));
    let bodies = [numbers, Value::Array(large), deep, json!({"": {"": ""}})]
        .map(|content| tool_result(CallId::generate(), content));
    assert_same_after_reading(fixture, bodies.into()).await;
}

/// What a provider must get back stays with its event and out of the event.
pub async fn what_is_private_is_kept_with_its_event(fixture: &dyn StoreFixture) {
    let store = fixture.open().await;
    let (id, claim) = claimed(store.as_ref()).await;
    let mut entry = append(&id, claim.fence, [message("a"), message("b"), message("c")]);
    let privates = [
        None,
        Some(json!({"signature": "Ab+/=", "n": 1.5})),
        Some(Value::Null),
    ];
    for (event, private) in entry.events.iter_mut().zip(privates.clone()) {
        event.private = private;
    }
    write(store.as_ref(), entry).await.unwrap();
    let log = log_of(store.as_ref(), &id).await;
    let read: Vec<_> = log.iter().map(|stored| stored.private.clone()).collect();
    assert_eq!(read, privates);
    let shown = serde_json::to_string(&log.get(1).unwrap().event).unwrap();
    assert!(!shown.contains("signature"), "{shown}");
}

/// Input 83.
/// Nothing is put together as SQL, a pattern or a format.
pub async fn a_text_that_looks_like_sql_is_only_text(fixture: &dyn StoreFixture) {
    let texts = [
        "'; drop table session_events; --",
        "$1 ?1 :a @b",
        "\\'",
        "%s {} {{7*7}}",
        "{a,b}",
    ];
    let bodies = texts.iter().map(|text| message(text)).collect();
    assert_same_after_reading(fixture, bodies).await;
}

/// The health of a store that works.
pub async fn a_check_of_a_working_store_is_fine(fixture: &dyn StoreFixture) {
    fixture.open().await.check().await.unwrap();
}

async fn assert_same_after_reading(fixture: &dyn StoreFixture, bodies: Vec<EventBody>) {
    let store = fixture.open().await;
    let (id, claim) = claimed(store.as_ref()).await;
    let entry = append(&id, claim.fence, bodies);
    write(store.as_ref(), entry.clone()).await.unwrap();
    let log = log_of(store.as_ref(), &id).await;
    assert_eq!(log.len(), entry.events.len());
    for ((given, read), seq) in entry.events.into_iter().zip(log).zip(1..) {
        let given: NewEvent = given;
        assert_eq!(read.event, given.at_seq(seq));
    }
}

//! The session's row follows its log.

use patter_protocol::{EventBody, Metrics, SessionId};
use patter_store::{Claimed, SessionRecord, SessionStore};
use serde_json::json;

use super::StoreFixture;
use super::sample::{
    append, claimed, ended, message, metrics, owner, session, started, summary, write,
};

/// Before and after its first event.
pub async fn the_row_of_a_new_session_is_active(fixture: &dyn StoreFixture) {
    let store = fixture.open().await;
    let (id, claim) = claimed(store.as_ref()).await;
    let record = after(store.as_ref(), &id, &claim, started()).await;
    assert!(record.is_active);
    assert_eq!((record.end_time, record.summary), (None, None));
    assert!(record.updated_at >= record.created_at);
}

/// All that the end says, beside the metadata that was there.
pub async fn the_end_sets_time_summary_and_metrics(fixture: &dyn StoreFixture) {
    let store = fixture.open().await;
    let id = SessionId::generate();
    let mut new = session(&id);
    new.metadata = json!({"title": "kept", "metrics": "the client's"})
        .as_object()
        .unwrap()
        .clone();
    let claim = store.claim(new, &owner("test")).await.unwrap();
    let entry = append(
        &id,
        claim.fence,
        [started(), ended(Some("Sums."), metrics())],
    );
    let ended_at = entry.events.last().unwrap().at;
    write(store.as_ref(), entry).await.unwrap();

    let record = store.session(&id).await.unwrap().unwrap();
    assert!(!record.is_active);
    assert_eq!(record.end_time, Some(ended_at));
    assert_eq!(record.summary.as_deref(), Some("Sums."));
    let expected = json!({"title": "kept", "metrics": serde_json::to_value(metrics()).unwrap()});
    assert_eq!(json!(record.metadata), expected);
}

/// Active again, without an end; the summary and the metrics stay until the next end.
pub async fn a_session_is_reopened_by_its_start(fixture: &dyn StoreFixture) {
    let store = fixture.open().await;
    let (id, claim) = claimed(store.as_ref()).await;
    after(store.as_ref(), &id, &claim, ended(Some("one"), metrics())).await;
    let reopened = after(store.as_ref(), &id, &claim, started()).await;
    assert!(reopened.is_active);
    assert_eq!(reopened.end_time, None);
    assert_eq!(reopened.summary.as_deref(), Some("one"));
    assert!(reopened.metadata.contains_key("metrics"));

    let again = after(
        store.as_ref(),
        &id,
        &claim,
        ended(Some("two"), Metrics::default()),
    )
    .await;
    assert!(!again.is_active);
    assert_eq!(again.summary.as_deref(), Some("two"));
    assert_eq!(
        again
            .metadata
            .get("metrics")
            .unwrap()
            .get("tool_calls")
            .unwrap(),
        0
    );
}

/// One that was not ready at the end.
pub async fn a_late_summary_is_taken_over(fixture: &dyn StoreFixture) {
    let store = fixture.open().await;
    let (id, claim) = claimed(store.as_ref()).await;
    after(store.as_ref(), &id, &claim, ended(None, metrics())).await;
    let record = after(store.as_ref(), &id, &claim, summary("late")).await;
    assert_eq!(record.summary.as_deref(), Some("late"));
    assert!(!record.is_active);
}

/// No summary is not an empty one.
pub async fn an_end_without_a_summary_has_none(fixture: &dyn StoreFixture) {
    let store = fixture.open().await;
    let (id, claim) = claimed(store.as_ref()).await;
    let none = after(store.as_ref(), &id, &claim, ended(None, metrics())).await;
    assert_eq!(none.summary, None);
    let empty = after(store.as_ref(), &id, &claim, ended(Some(""), metrics())).await;
    assert_eq!(empty.summary.as_deref(), Some(""));
}

/// It is the highest place that is taken.
pub async fn the_last_seq_follows_the_log(fixture: &dyn StoreFixture) {
    let store = fixture.open().await;
    let (id, claim) = claimed(store.as_ref()).await;
    for place in 1..=3 {
        let record = after(store.as_ref(), &id, &claim, message("a")).await;
        assert_eq!(record.last_seq, place);
    }
}

/// Appends one event and reads the row.
async fn after(
    store: &dyn SessionStore,
    id: &SessionId,
    claim: &Claimed,
    body: EventBody,
) -> SessionRecord {
    write(store, append(id, claim.fence, [body])).await.unwrap();
    store.session(id).await.unwrap().unwrap()
}

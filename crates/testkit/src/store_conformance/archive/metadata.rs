//! Patches of what a client keeps with its session.

use patter_protocol::{JsonObject, SessionId};
use patter_store::{MAX_METADATA_BYTES, NewSession, StoreError};
use serde_json::{Value, json};

use super::{ArchiveFixture, ArchivedStore};
use crate::store_conformance::sample::{append, claimed, ended, metrics, session, write};

/// Deep, with `null` for what goes.
pub async fn a_patch_is_merged(fixture: &dyn ArchiveFixture) {
    let store = fixture.open_archive().await;
    let new = json!({"title": "old", "tags": ["a"], "deep": {"keep": 1.0, "drop": 2}, "n": 1e16});
    let id = created(store.as_ref(), new).await;
    let patch = json!({"title": "Nëw", "tags": ["b"], "deep": {"drop": null, "more": {"x": null}}});
    let record = store.merge_metadata(&id, object(patch)).await.unwrap();
    let record = record.unwrap();
    let expected =
        json!({"title": "Nëw", "tags": ["b"], "deep": {"keep": 1.0, "more": {}}, "n": 1e16});
    assert_eq!(json!(record.metadata), expected);
    assert_eq!(store.session(&id).await.unwrap(), Some(record));
    let untouched = store.merge_metadata(&id, JsonObject::new()).await.unwrap();
    assert_eq!(json!(untouched.unwrap().metadata), expected);
}

/// Also where the session is live.
pub async fn of_patches_made_at_once_each_counts(fixture: &dyn ArchiveFixture) {
    let store = fixture.open_archive().await;
    let (id, _claim) = claimed(store.as_ref()).await;
    let patching = (0..20).map(|n| {
        let patch = json!({ format!("key{n}"): n, "shared": {format!("key{n}"): n} });
        store.merge_metadata(&id, object(patch))
    });
    for patched in futures_util::future::join_all(patching).await {
        patched.unwrap().unwrap();
    }
    let metadata = store.session(&id).await.unwrap().unwrap().metadata;
    assert_eq!(metadata.len(), 21, "{metadata:?}");
    assert_eq!(metadata["shared"].as_object().unwrap().len(), 20);
}

/// Before the end and after it.
pub async fn the_metrics_stay_the_servers(fixture: &dyn ArchiveFixture) {
    let store = fixture.open_archive().await;
    let (id, claim) = claimed(store.as_ref()).await;
    let patch = json!({"title": "Sums", "metrics": {"tokens": 0}});
    let record = store.merge_metadata(&id, object(patch)).await.unwrap();
    assert_eq!(json!(record.unwrap().metadata), json!({"title": "Sums"}));
    let end = append(&id, claim.fence, [ended(None, metrics())]);
    write(store.as_ref(), end).await.unwrap();
    let patch = json!({"tags": [], "metrics": null});
    let record = store.merge_metadata(&id, object(patch)).await.unwrap();
    let expected = json!({"title": "Sums", "tags": [], "metrics": metrics()});
    assert_eq!(json!(record.unwrap().metadata), expected);
}

/// Many times, because one may be lucky.
pub async fn a_patch_and_an_end_at_once_both_count(fixture: &dyn ArchiveFixture) {
    let store = fixture.open_archive().await;
    for _ in 0..20 {
        let (id, claim) = claimed(store.as_ref()).await;
        let end = append(&id, claim.fence, [ended(None, metrics())]);
        let (patched, written) = futures_util::future::join(
            store.merge_metadata(&id, object(json!({"title": "Sums"}))),
            write(store.as_ref(), end),
        )
        .await;
        patched.unwrap().unwrap();
        written.unwrap();
        let metadata = store.session(&id).await.unwrap().unwrap().metadata;
        let expected = json!({"title": "Sums", "metrics": metrics()});
        assert_eq!(json!(metadata), expected);
    }
}

/// What counts is what it would be, without the server's.
pub async fn metadata_that_would_be_too_large_stays_as_it_was(fixture: &dyn ArchiveFixture) {
    let store = fixture.open_archive().await;
    let (id, claim) = claimed(store.as_ref()).await;
    // Together with `{"a":""}`.
    let fits = json!({"a": "x".repeat(MAX_METADATA_BYTES - 8)});
    store.merge_metadata(&id, object(fits)).await.unwrap();
    let end = append(&id, claim.fence, [ended(None, metrics())]);
    write(store.as_ref(), end).await.unwrap();
    let before = store.session(&id).await.unwrap();
    let refused = store.merge_metadata(&id, object(json!({"b": 1}))).await;
    assert!(
        matches!(&refused, Err(StoreError::MetadataTooLarge { bytes, limit })
            if *limit == MAX_METADATA_BYTES && *bytes == limit + 6),
        "{refused:?}"
    );
    assert_eq!(store.session(&id).await.unwrap(), before);
    let instead = object(json!({"a": null, "b": 1}));
    let smaller = store.merge_metadata(&id, instead).await.unwrap();
    assert_eq!(smaller.unwrap().metadata["b"], 1);
}

/// U+0000, and JSON that could not be read again.
pub async fn a_patch_that_cannot_be_stored_changes_nothing(fixture: &dyn ArchiveFixture) {
    let store = fixture.open_archive().await;
    let id = created(store.as_ref(), json!({"a": 1})).await;
    let deep = (0..200).fold(json!(1), |inner, _| json!({ "x": inner }));
    for bad in [json!({"b": "a\0"}), json!({"b\0": 1}), deep] {
        let refused = store.merge_metadata(&id, object(bad)).await;
        assert!(
            matches!(refused, Err(StoreError::Rejected(_))),
            "{refused:?}"
        );
    }
    let metadata = store.session(&id).await.unwrap().unwrap().metadata;
    assert_eq!(json!(metadata), json!({"a": 1}));
}

/// And makes none.
pub async fn a_patch_of_no_session_is_none(fixture: &dyn ArchiveFixture) {
    let store = fixture.open_archive().await;
    let id = SessionId::generate();
    let patched = store.merge_metadata(&id, object(json!({"a": 1}))).await;
    assert_eq!(patched.unwrap(), None);
    assert_eq!(store.session(&id).await.unwrap(), None);
}

async fn created(store: &dyn ArchivedStore, metadata: Value) -> SessionId {
    let id = SessionId::generate();
    let new = NewSession {
        metadata: object(metadata),
        ..session(&id)
    };
    store.create(new).await.unwrap();
    id
}

fn object(value: Value) -> JsonObject {
    let Value::Object(fields) = value else {
        panic!("not an object: {value}");
    };
    fields
}
